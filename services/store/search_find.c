#include "search_find.h"

#include "codec.h"
#include "ticket.h"

#include <errno.h>

enum {
        ROWS_MAX = 10000,       /* looked at for one page; it then ends early, and the next one goes on */
        TICKETS_MAX = 1000,     /* of a customer, those that changed last */
        SNIPPET_BYTES = 400,
};

#define IS_TAGGED "EXISTS (SELECT 1 FROM member WHERE ticket = t.id AND kind = 1 AND element = CAST(value AS BLOB) AND added AND NOT removed)"
/* A value of the ticket's that compares as an element of ?20 says. What customers don't know of is not there for them. */
#define FIELD_TEXT_OF "(SELECT CAST(text AS TEXT) FROM op_text WHERE op_id = v.op_id AND n = v.n AND field = 2 AND text <> x'')"
#define AS_NUMBER(sign) "CAST(v.value AS REAL) " sign " CAST(j.value ->> 2 AS REAL)"
#define HAS_FIELD                                                                                                      \
        "EXISTS (SELECT 1 FROM field_value v WHERE v.ticket = t.id AND (?21 OR NOT v.internal)"                        \
        "   AND hex(v.field) = upper(j.value ->> 0) AND CASE j.value ->> 1"                                            \
        "     WHEN '=' THEN coalesce(v.value, " FIELD_TEXT_OF ") = (j.value ->> 2) COLLATE NOCASE"                     \
        "     WHEN '<' THEN CASE j.value ->> 3 WHEN 1 THEN " AS_NUMBER("<") " ELSE v.value < (j.value ->> 2) END"      \
        "     ELSE CASE j.value ->> 3 WHEN 1 THEN " AS_NUMBER(">") " ELSE v.value > (j.value ->> 2) END END)"
/* ?3 to ?14 and ?16 to ?20 are the filters. */
#define FITS(changed)                                                                                                  \
        "((?3 >> t.state) & 1) AND ((?4 >> t.priority) & 1) AND t.created >= ?5 AND t.created < ?6"                    \
        " AND t." changed " >= ?7 AND t." changed " < ?8"                                                              \
        " AND (?9 = 0 OR (t.assignee IS ?10) = (?9 = 1)) AND (?11 = 0 OR (t.requester IS ?12) = (?11 = 1))"            \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?13) WHERE NOT " IS_TAGGED ")"                                       \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?14) WHERE " IS_TAGGED ")"                                          \
        " AND (?16 = 0 OR (t.type IS ?17) = (?16 = 1)) AND (?18 = 0 OR (t.team IS ?19) = (?18 = 1))"                   \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?20) j WHERE " HAS_FIELD " = (j.value ->> 4))"
#define FILTERS "iiiiiiiUiUtt"
#define MORE_FILTERS "iUiUti"
#define WORDS(table, changed, visible)                                                                                 \
        "SELECT s.id, s.ticket, s.entity, CASE WHEN " FITS(changed) " THEN snippet(" table ", 0, '', '', '…', 24) END" \
        " FROM " table " f CROSS JOIN search_text s ON s.id = f.rowid CROSS JOIN ticket t ON t.id = s.ticket"          \
        " WHERE " table " MATCH ?1 AND f.rowid < ?2 AND NOT t.hidden" visible
#define NO_WORDS(changed, visible)                                                                                     \
        "SELECT s.id, s.ticket, NULL, CASE WHEN " FITS(changed) " THEN '' END"                                         \
        " FROM search_text s CROSS JOIN ticket t ON t.id = s.ticket"                                                   \
        " WHERE s.source = 0 AND (?1 = ?1) AND s.id < ?2 AND NOT t.hidden" visible " ORDER BY s.id DESC"
#define MINE                                                                                                           \
        "(SELECT id FROM ticket WHERE requester = ?15 UNION SELECT ticket FROM member WHERE kind = 2 AND element = ?15" \
        " AND added AND NOT removed)"
static const char *const find_sql[2][2] = { /* agent or not, words or none */
        { NO_WORDS("changed", " AND s.ticket IN " MINE), WORDS("search_public", "changed", " AND s.ticket IN " MINE) " ORDER BY f.rowid DESC" },
        { NO_WORDS("touched", " AND (?15 = ?15)"), WORDS("search_public", "touched", "") " UNION ALL " WORDS("search_notes", "touched", " AND (?15 = ?15)")
          " ORDER BY 1 DESC" },
};

/* Their tickets as the index's own word for each, so that it skips what others wrote; ORed. False where they have none. */
static int mine_match(struct db *db, struct ulid user, struct buf *out, bool *ret_any)
{
        sqlite3_stmt *q = db_query(db, "SELECT id FROM ticket WHERE id IN (SELECT id FROM ticket WHERE requester = ?1 UNION SELECT ticket FROM member"
                                       "   WHERE kind = 2 AND element = ?1 AND added AND NOT removed) AND NOT hidden"
                                       " ORDER BY changed DESC LIMIT ?2", "ui", user, (int64_t)TICKETS_MAX);
        int r;

        *ret_any = false;
        while ((r = db_step(db, q)) > 0) {
                buf_text(out, *ret_any ? " OR " : "({ticket} : (");
                buf_hex(out, db_column_str(q, 0).p, db_column_str(q, 0).n);
                *ret_any = true;
        }
        buf_text(out, ")) AND ");
        return r;
}

/* Whether an earlier page had this ticket: by a newer text that matches, too. */
static int was_there(struct db *db, bool agent, struct str match, struct ulid ticket, int64_t after, bool *ret)
{
        struct buf narrow = { 0 };
        int64_t one;
        int r;

        buf_text(&narrow, "({ticket} : ");
        buf_hex(&narrow, ticket.b, sizeof(ticket.b));
        buf_text(&narrow, ") AND ");
        buf_str(&narrow, match);
        r = db_int(db, &one, "SELECT 1 FROM search_public WHERE search_public MATCH ?1 AND rowid >= ?2 LIMIT 1", "ti", buf_view(&narrow), after);
        if (r == -ENOENT && agent)
                r = db_int(db, &one, "SELECT 1 FROM search_notes WHERE search_notes MATCH ?1 AND rowid >= ?2 LIMIT 1", "ti", buf_view(&narrow),
                           after);
        buf_deinit(&narrow);
        *ret = !r;
        return r == -ENOENT ? 0 : r;
}

static struct str cut(struct str s)
{
        if (s.n > SNIPPET_BYTES)
                for (s.n = SNIPPET_BYTES; s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
                        s.n--;
        return s;
}

struct finding {
        struct db *db;
        bool agent;
        const struct search_wanted *wanted;
        struct arena *arena;
        struct search_hit *hits;
        size_t n;
        bool had;               /* words that an earlier page was asked for, too */
        struct str match;
};

/* A row of the query that fits: a hit, unless its ticket is there already. */
static int row_take(struct finding *f, sqlite3_stmt *q)
{
        struct search_hit hit = { .id = db_column_int(q, 0), .ticket = db_column_ulid(q, 1), .entity = db_column_ulid(q, 2) };
        bool there = false;
        int r = 0;

        for (size_t i = 0; i < f->n && !there; i++)
                there = ulid_eq(f->hits[i].ticket, hit.ticket);
        if (!there && f->had)
                r = was_there(f->db, f->agent, f->match, hit.ticket, f->wanted->after, &there);
        if (r || there)
                return r;
        hit.snippet = arena_str(f->arena, cut(db_column_str(q, 3)));
        f->hits[f->n++] = hit;
        return 0;
}

static int rows_take(struct finding *f, sqlite3_stmt *q, int64_t *ret_next)
{
        int64_t last = 0;
        int r;

        *ret_next = 0;
        for (int rows = 0; (r = db_step(f->db, q)) > 0; rows++) {
                bool fits = !db_column_is_null(q, 3);

                if (f->n == f->wanted->limit || rows == ROWS_MAX) {
                        *ret_next = last;
                        break;
                }
                r = fits ? row_take(f, q) : 0;
                if (r)
                        break;
                last = db_column_int(q, 0);
        }
        db_done(q);
        return r < 0 ? r : 0;
}

static void tags_json(const struct search_query *query, bool negated, struct buf *out)
{
        const char *separator = "[";

        for (size_t i = 0; i < query->n_tags; i++) {
                if (query->tags[i].negated != negated)
                        continue;
                buf_text(out, separator);
                json_string(out, query->tags[i].text);
                separator = ",";
        }
        buf_text(out, *separator == '[' ? "[]" : "]");
}

/* [[field, how it compares, value, 1 for a number, 1 where it is negated], ...] */
static void fields_json(const struct search_wanted *wanted, struct buf *out)
{
        const struct search_query *query = wanted->query;

        buf_char(out, '[');
        for (size_t i = 0; i < query->n_fields; i++) {
                const struct search_field *f = &query->fields[i];

                buf_text(out, i ? ",[\"" : "[\"");
                buf_hex(out, wanted->fields[i].b, sizeof(wanted->fields[i].b));
                buf_format(out, "\",\"%c\",", f->compares);
                json_string(out, f->value);
                buf_format(out, ",%d,%d]", wanted->numbers[i], f->negated);
        }
        buf_char(out, ']');
}

/* 0 for any, 1 for what fits, 2 for what does not. */
static int64_t named_mode(const struct search_named *named)
{
        return named->which == SEARCH_ANY ? 0 : 1 + named->negated;
}

static int64_t hlc_bound(int64_t ms)
{
        return ms == INT64_MAX ? INT64_MAX : (int64_t)hlc_of(ms, 0);
}

int search_find(struct db *db, const struct caller *caller, const struct search_wanted *wanted, struct arena *arena, struct search_hit *ret_hits,
                size_t *ret_n, int64_t *ret_next)
{
        const struct search_query *query = wanted->query;
        const struct search_person *assignee = &query->assignee, *requester = &query->requester;
        struct buf match = { 0 }, own = { 0 }, tags = { 0 }, not_tags = { 0 }, fields = { 0 };
        struct finding f = { .db = db, .agent = caller_is_agent(caller), .wanted = wanted, .arena = arena, .hits = ret_hits };
        bool any = true;
        sqlite3_stmt *q;
        int r = 0;

        *ret_n = 0;
        *ret_next = 0;
        if (query->n_terms) {
                search_query_match(query, &match);
                f.had = wanted->after != INT64_MAX;
                f.match = buf_view(&match);
                if (!f.agent)
                        r = mine_match(db, caller->user, &own, &any);
                buf_str(&own, f.match);
        }
        tags_json(query, false, &tags);
        tags_json(query, true, &not_tags);
        fields_json(wanted, &fields);
        if (!r && any) {
                q = db_query(db, find_sql[f.agent][query->n_terms > 0], "ti" FILTERS "u" MORE_FILTERS, buf_view(&own), wanted->after, (int64_t)query->states,
                             (int64_t)query->priorities, hlc_bound(query->created.from_ms), hlc_bound(query->created.until_ms),
                             hlc_bound(query->changed.from_ms), hlc_bound(query->changed.until_ms),
                             (int64_t)(assignee->who == SEARCH_ANYBODY ? 0 : 1 + assignee->negated),
                             assignee->who == SEARCH_NOBODY ? NULL : &wanted->assignee,
                             (int64_t)(requester->who == SEARCH_ANYBODY ? 0 : 1 + requester->negated),
                             requester->who == SEARCH_NOBODY ? NULL : &wanted->requester, buf_view(&tags), buf_view(&not_tags), caller->user,
                             named_mode(&query->type), query->type.which == SEARCH_NAMED ? &wanted->type : NULL, named_mode(&query->team),
                             query->team.which == SEARCH_NAMED ? &wanted->team : NULL, buf_view(&fields), (int64_t)f.agent);
                r = rows_take(&f, q, ret_next);
        }
        *ret_n = f.n;
        buf_deinit(&match);
        buf_deinit(&own);
        buf_deinit(&tags);
        buf_deinit(&not_tags);
        buf_deinit(&fields);
        return r;
}
