#include "ticket.h"

#include "field.h"
#include "read.h"
#include "registers.h"
#include "thread.h"

#include <errno.h>
#include <string.h>

/* The subject is the second member of ticket.create and ticket.subject alike; schema_test.c holds them to it. */
enum { TICKET_SUBJECT_FIELD = 1 };

#define COLUMNS                                                                                                      \
        "id, number, requester, created, state, priority, assignee, subject_op, subject_n, changed, touched, comments, " \
        "notes, newest_comment, type, team, wake, label, merged_into, branched"

static void row_read(sqlite3_stmt *q, struct ticket_row *ret)
{
        *ret = (struct ticket_row){
                .id = db_column_ulid(q, 0),
                .number = db_column_int(q, 1),
                .requester = db_column_ulid(q, 2),
                .created = (uint64_t)db_column_int(q, 3),
                .state = (int)db_column_int(q, 4),
                .priority = (int)db_column_int(q, 5),
                .has_assignee = !db_column_is_null(q, 6),
                .assignee = db_column_ulid(q, 6),
                .subject_op = db_column_ulid(q, 7),
                .subject_n = (uint32_t)db_column_int(q, 8),
                .changed = (uint64_t)db_column_int(q, 9),
                .touched = (uint64_t)db_column_int(q, 10),
                .comments = db_column_int(q, 11),
                .notes = db_column_int(q, 12),
                .has_newest = !db_column_is_null(q, 13),
                .newest_comment = db_column_ulid(q, 13),
                .has_type = !db_column_is_null(q, 14),
                .type = db_column_ulid(q, 14),
                .has_team = !db_column_is_null(q, 15),
                .team = db_column_ulid(q, 15),
                .has_wake = !db_column_is_null(q, 16),
                .wake_at = db_column_int(q, 16),
                .has_label = !db_column_is_null(q, 17),
                .label = db_column_ulid(q, 17),
                .has_merged = !db_column_is_null(q, 18),
                .merged = db_column_ulid(q, 18),
                .branched = db_column_int(q, 19),
        };
}

int ticket_find(struct db *db, struct ulid id, struct ticket_row *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT " COLUMNS " FROM ticket WHERE id = ?1 AND NOT hidden", "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        row_read(q, ret);
        db_done(q);
        return 0;
}

int ticket_find_number(struct db *db, int64_t number, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT id FROM ticket WHERE number = ?1 AND NOT hidden", "i", number);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

static int is_watcher(struct db *db, struct ulid ticket, struct ulid user, bool *ret)
{
        int64_t one;
        int r = db_int(db, &one, "SELECT 1 FROM member WHERE ticket = ?1 AND kind = ?2 AND element = ?3 AND added AND NOT removed LIMIT 1",
                       "uiu", ticket, (int64_t)MEMBER_WATCHER, user);

        if (r && r != -ENOENT)
                return r;
        *ret = !r;
        return 0;
}

static int row_visible(struct db *db, const struct caller *caller, const struct ticket_row *row, bool *ret)
{
        *ret = caller_is_agent(caller) || (!ulid_is_zero(caller->user) && ulid_eq(row->requester, caller->user));
        if (*ret || caller->role < SCHEMA_ROLE_CUSTOMER)
                return 0;
        return is_watcher(db, row->id, caller->user, ret);
}

int ticket_visible(struct db *db, const struct caller *caller, struct ulid id, bool *ret)
{
        struct ticket_row row;
        int r = ticket_find(db, id, &row);

        *ret = false;
        if (r)
                return r == -ENOENT ? 0 : r;
        return row_visible(db, caller, &row, ret);
}

int ticket_find_visible(struct db *db, const struct caller *caller, struct ulid id, struct ticket_row *ret)
{
        bool visible;
        int r = ticket_find(db, id, ret);

        if (!r)
                r = row_visible(db, caller, ret, &visible);
        if (r)
                return r == -ENOENT ? FAULT_NOT_FOUND : r;
        return visible ? 0 : FAULT_NOT_FOUND;
}

struct stamp ticket_created_stamp(const struct ticket_row *row)
{
        return (struct stamp){ .hlc = row->created, .op_id = row->id, .n = 0 };
}

int member_list(struct db *db, struct ulid ticket, enum member_kind kind, struct arena *arena, struct str **ret, size_t *ret_n)
{
        sqlite3_stmt *q = db_query(db, "SELECT DISTINCT element FROM member WHERE ticket = ?1 AND kind = ?2 AND added AND NOT removed"
                                       " ORDER BY element",
                                   "ui", ticket, (int64_t)kind);
        struct str *items = NULL;
        size_t n = 0, capacity = 0;
        int r;

        while ((r = db_step(db, q)) > 0) {
                if (n == capacity) {
                        struct str *more = arena_array(arena, capacity = capacity ? 2 * capacity : 8, sizeof(*more));

                        if (n)
                                memcpy(more, items, n * sizeof(*more));
                        items = more;
                }
                items[n++] = arena_str(arena, db_column_str(q, 0));
        }
        *ret = items;
        *ret_n = n;
        return r;
}

int member_adders(struct db *db, struct ulid ticket, enum member_kind kind, struct str element, struct arena *arena,
                  struct ulid **ret, size_t *ret_n)
{
        enum { MAX = 256 }; /* what a remove can name */
        sqlite3_stmt *q = db_query(db, "SELECT adder FROM member WHERE ticket = ?1 AND kind = ?2 AND element = ?3 AND added AND NOT removed"
                                       " LIMIT 256",
                                   "uib", ticket, (int64_t)kind, element);
        struct ulid *items = arena_array(arena, MAX, sizeof(*items));
        size_t n = 0;
        int r;

        while ((r = db_step(db, q)) > 0)
                items[n++] = db_column_ulid(q, 0);
        *ret = items;
        *ret_n = n;
        return r;
}

static struct ulid *ulids_of(const struct str *items, size_t n, struct arena *arena)
{
        struct ulid *ids = arena_array(arena, n, sizeof(*ids));

        for (size_t i = 0; i < n; i++)
                memcpy(ids[i].b, items[i].p, sizeof(ids[i].b));
        return ids;
}

int ticket_audience(struct db *db, struct ulid id, struct arena *arena, struct ulid **ret_users, size_t *ret_n)
{
        struct ticket_row row;
        struct str *watchers;
        struct ulid *users;
        size_t n;
        int r;

        r = ticket_find(db, id, &row);
        if (!r)
                r = member_list(db, id, MEMBER_WATCHER, arena, &watchers, &n);
        if (r && r != -ENOENT)
                return r;
        if (r) { /* a stub: nobody has it yet */
                *ret_n = 0;
                return 0;
        }
        users = arena_array(arena, n + 1, sizeof(*users));
        users[0] = row.requester;
        if (n)
                memcpy(users + 1, ulids_of(watchers, n, arena), n * sizeof(*users));
        *ret_users = users;
        *ret_n = n + 1;
        return 0;
}

/* The team's comes last: customers are not told of it. */
static int conflicts(struct db *db, struct ulid ticket, bool agent, struct arena *arena, struct ticket *ret)
{
        static const enum register_field fields[] = { REGISTER_STATE, REGISTER_PRIORITY, REGISTER_ASSIGNEE, REGISTER_TYPE, REGISTER_TEAM };
        struct str *names = NULL;
        unsigned open;
        int r = registers_conflicts(db, ticket, &open);

        if (!r && open)
                names = arena_array(arena, sizeof(fields) / sizeof(fields[0]), sizeof(*names));
        for (size_t i = 0; !r && open && i < sizeof(fields) / sizeof(fields[0]) - !agent; i++)
                if (open & 1u << fields[i])
                        names[ret->conflicts.n++] = str_of(register_name(fields[i]));
        ret->conflicts.items = names;
        return r;
}

int ticket_subject_text(struct db *db, const struct ticket_row *row, struct arena *arena, struct str *ret)
{
        int r = log_text(db, row->subject_op, row->subject_n, TICKET_SUBJECT_FIELD, arena, ret);

        if (r == -ENOENT)
                *ret = STR("");
        return r == -ENOENT ? 0 : r;
}

int ticket_number_next(struct db *db, int64_t *ret)
{
        return db_int(db, ret, "SELECT coalesce(max(number), 0) + 1 FROM ticket", "");
}

/* Of a merged ticket, as far as the caller may know where to; of one whose thread branches, what shows on it. */
static int branched_view(struct db *db, const struct caller *caller, const struct ticket_row *row, struct ticket *ret)
{
        struct thread_sum sum;
        int r;

        r = thread_sum(db, caller, row->id, &sum);
        if (r)
                return r;
        ret->comments = sum.comments;
        ret->notes = sum.notes;
        ret->has_newest_comment = sum.has_newest;
        ret->newest_comment = sum.newest;
        ret->merged_into = row->merged;
        return row->has_merged ? ticket_visible(db, caller, row->merged, &ret->has_merged_into) : 0;
}

int ticket_view(struct db *db, const struct caller *caller, const struct ticket_row *row, struct arena *arena, struct ticket *ret)
{
        bool agent = caller_is_agent(caller);
        struct str *watchers;
        size_t n;
        int r;

        *ret = (struct ticket){
                .id = row->id,
                .number = row->number,
                .requester = row->requester,
                .state = row->state,
                .priority = row->priority,
                .has_assignee = row->has_assignee,
                .assignee = row->assignee,
                .created_at = hlc_ms(row->created),
                .changed_at = hlc_ms(agent ? row->touched : row->changed),
                .comments = row->comments,
                .has_notes = agent,
                .notes = row->notes,
                .has_newest_comment = row->has_newest,
                .newest_comment = row->newest_comment,
                .has_type = row->has_type,
                .type = row->type,
                .has_team = agent && row->has_team,
                .team = row->team,
                .has_wake_at = row->has_wake,
                .wake_at = row->wake_at,
                .has_label = row->has_label,
                .label = row->label,
        };
        r = ticket_subject_text(db, row, arena, &ret->subject);
        if (!r)
                r = member_list(db, row->id, MEMBER_TAG, arena, &ret->tags.items, &ret->tags.n);
        if (!r)
                r = member_list(db, row->id, MEMBER_WATCHER, arena, &watchers, &n);
        if (!r)
                r = conflicts(db, row->id, agent, arena, ret);
        if (!r)
                r = field_values(db, row->id, agent, arena, &ret->fields.items, &ret->fields.n);
        if (!r && row->branched)
                r = branched_view(db, caller, row, ret);
        ret->has_unread = !ulid_is_zero(caller->user);
        if (!r && ret->has_unread)
                r = read_unread(db, caller, row->id, &ret->unread);
        if (r)
                return r;
        ret->watchers.items = ulids_of(watchers, n, arena);
        ret->watchers.n = n;
        return 0;
}

struct str page_text(struct page page, struct arena *arena)
{
        char id[ULID_TEXT + 1];

        ulid_text(page.id, id);
        return arena_format(arena, "%llu.%s", (unsigned long long)page.hlc, id);
}

int page_parse(struct call *c, struct str text, struct page *ret)
{
        struct str number = str_cut(&text, '.');

        if (str_u64(number, &ret->hlc) || ret->hlc > INT64_MAX || ulid_parse(text, &ret->id))
                return call_invalid(c, "after", "must be the `next` of the page before");
        return 0;
}
