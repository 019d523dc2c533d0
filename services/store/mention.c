#include "mention.h"

#include "person.h"
#include "schema/mention.h"
#include "search_query.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { MENTIONS_MAX = 20, CANDIDATES_MAX = 2000 }; /* of a comment; who may be meant */

struct candidate {
        struct ulid user;
        struct str name;
        bool meant;
};

struct candidates {
        struct candidate *items;
        size_t n;
};

/* Rows of "SELECT id, name ...". */
static int candidates_add(struct db *db, sqlite3_stmt *q, struct arena *arena, struct candidates *all)
{
        int r = 0;

        while (all->n < CANDIDATES_MAX && (r = db_step(db, q)) > 0)
                all->items[all->n++] = (struct candidate){ .user = db_column_ulid(q, 0), .name = arena_str(arena, db_column_str(q, 1)) };
        db_done(q);
        return r < 0 ? r : 0;
}

#define NAMED                                                                                                          \
        "FROM person p CROSS JOIN op o ON o.op_id = p.name_op AND o.n = p.name_n CROSS JOIN op_text t ON t.id = " LOG_TEXT_ID("o", "?1")      \
        " WHERE p.active AND t.text <> x''"
enum { NAME_FIELD = 1 }; /* of person.set and staff.set */

/* Who may see a comment on this ticket: agents, and for a public one the customers whose it is or who watch it. */
static int candidates_find(struct tx *tx, struct ulid ticket, bool internal, struct candidates *ret)
{
        struct ulid *users;
        size_t n = 0;
        int r;

        ret->items = arena_array(tx->arena, CANDIDATES_MAX, sizeof(*ret->items));
        r = candidates_add(tx->db, db_query(tx->db, "SELECT p.id, t.text " NAMED " AND p.role > 0", "i", (int64_t)NAME_FIELD), tx->arena, ret);
        if (!r && !internal)
                r = ticket_audience(tx->db, ticket, tx->arena, &users, &n);
        for (size_t i = 0; i < n && !r; i++)
                r = candidates_add(tx->db, db_query(tx->db, "SELECT p.id, t.text " NAMED " AND p.id = ?2 AND p.role = 0", "iu",
                                                    (int64_t)NAME_FIELD, users[i]), tx->arena, ret);
        return r;
}

static bool is_named(struct str rest, struct str name)
{
        return name.n <= rest.n && strncasecmp(rest.p, name.p, name.n) == 0 && (name.n == rest.n || !search_is_letter(rest.p[name.n]));
}

/* Of several names that fit, "@Ann Lee" means the longest; all who have it. */
static void mean(struct candidates *all, struct str rest)
{
        size_t longest = 0;

        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].name.n > longest && is_named(rest, all->items[i].name))
                        longest = all->items[i].name.n;
        for (size_t i = 0; longest && i < all->n; i++)
                if (all->items[i].name.n == longest && is_named(rest, all->items[i].name))
                        all->items[i].meant = true;
}

static int tell(struct tx *tx, struct ulid ticket, struct ulid comment, bool internal, struct ulid user)
{
        struct op_mention_add body = { .user = user, .ticket = ticket, .comment = comment, .note = internal };
        int64_t one;
        int r = db_int(tx->db, &one, "SELECT 1 FROM mention WHERE user = ?1 AND comment = ?2", "uu", user, comment);

        if (r != -ENOENT)
                return r;
        return tx_append(tx, &(struct effect){ .kind = &schema_op_mention_add, .body = &body, .target = comment, .audience = &user });
}

int mention_write(struct tx *tx, struct ulid ticket, struct ulid comment, bool internal, struct str body)
{
        struct candidates all = { 0 };
        const char *at = memchr(body.p, '@', body.n);
        size_t looked = 0, told = 0;
        int r;

        if (!at)
                return 0;
        r = candidates_find(tx, ticket, internal, &all);
        for (; !r && at && looked++ < 10 * MENTIONS_MAX; at = memchr(at + 1, '@', body.n - (size_t)(at + 1 - body.p)))
                if (at == body.p || !search_is_letter(at[-1]))
                        mean(&all, (struct str){ at + 1, body.n - (size_t)(at + 1 - body.p) });
        for (size_t i = 0; i < all.n && !r && told < MENTIONS_MAX; i++) {
                if (!all.items[i].meant || ulid_eq(all.items[i].user, tx->actor.user))
                        continue;
                r = tell(tx, ticket, comment, internal, all.items[i].user);
                told++;
        }
        return r;
}

/* Of a person's mentions, those that they may see: ?1 the user, ?2, ?3 where the page before ended, ?4 for agents, ?5 how many. */
static const char list_sql[] =
        "SELECT m.at, m.comment, m.ticket, m.note, coalesce(c.author, n.author) FROM mention m"
        " LEFT JOIN comment c ON NOT m.note AND c.id = m.comment LEFT JOIN note n ON m.note AND n.id = m.comment"
        " JOIN ticket t ON t.id = m.ticket"
        " WHERE m.user = ?1 AND (m.at, m.comment) < (?2, ?3) AND (?4 OR NOT m.note)"
        " AND coalesce(c.hidden, n.hidden, 1) = 0 AND coalesce(c.deleted, n.deleted) = 0 AND NOT t.hidden"
        " AND (?4 OR t.requester = ?1 OR EXISTS (SELECT 1 FROM member w WHERE w.ticket = t.id AND w.kind = 2 AND w.element = ?1 AND w.added AND NOT w.removed))"
        " ORDER BY m.at DESC, m.comment DESC LIMIT ?5";

int store_on_mention_list(struct store *s, struct call *c, const struct mention_list *in, struct mention_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct page after = { .hlc = HLC_MAX }, last = { 0 };
        sqlite3_stmt *q;
        int r = 0;

        if (in->has_after)
                r = page_parse(c, in->after, &after);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, (size_t)in->limit, sizeof(*ret->items.items));
        q = db_query(db, list_sql, "uiuii", caller.user, (int64_t)after.hlc, after.id, (int64_t)caller_is_agent(&caller), in->limit + 1);
        while ((r = db_step(db, q)) > 0) {
                if (ret->items.n == (size_t)in->limit) {
                        ret->has_next = true;
                        ret->next = page_text(last, &c->arena);
                        break;
                }
                last = (struct page){ (uint64_t)db_column_int(q, 0), db_column_ulid(q, 1) };
                ret->items.items[ret->items.n++] = (struct mention){ .ticket = db_column_ulid(q, 2), .comment = last.id, .note = db_column_int(q, 3),
                                                                     .by = db_column_ulid(q, 4), .at = hlc_ms(last.hlc) };
        }
        db_done(q);
        return r < 0 ? r : 0;
}
