/* What was changed by whom, read from the log; and who looked at what. For admins. */
#include "change.h"
#include "position.h"
#include "schema/audit.h"

#include <errno.h>
#include <string.h>

enum {
        LOOK_MAX = 2000,                /* ops looked at for a page; it then ends early, and the next one goes on */
        PAGE_BYTES = 256 * 1024,        /* of JSON; the last entry may go beyond */
};

/* ---- an op as JSON ---- */

/* Bytes (hashes of files) never leave the store. */
static struct str body_json(const struct schema_op *kind, void *body, struct arena *arena)
{
        struct buf json = { 0 };
        struct str r;

        for (uint32_t i = 0; i < kind->body->n_fields; i++)
                if (kind->body->fields[i].kind == SCHEMA_BYTES && !(kind->body->fields[i].flags & SCHEMA_LIST))
                        *(struct str *)schema_at(&kind->body->fields[i], body) = STR("");
        json_write(kind->body, body, &json);
        r = arena_str(arena, buf_view(&json));
        buf_deinit(&json);
        return r;
}

static int body_read(struct db *db, const struct log_entry *e, struct arena *arena, void **ret)
{
        *ret = arena_zalloc(arena, e->kind->body->size);
        return log_entry_body(db, e, arena, *ret);
}

/* What a register showed before its first write: of what created the entity, the field of the same name; where it has none, nothing. */
static void body_of_creation(const struct schema_op *kind, void *body, const struct schema_op *created, const void *creation)
{
        for (uint32_t i = 0; i < kind->body->n_fields; i++) {
                const struct schema_field *f = &kind->body->fields[i], *from = schema_field_find(created->body, f->name);
                bool optional = f->flags & (SCHEMA_OPTIONAL | SCHEMA_NULLABLE | SCHEMA_LIST | SCHEMA_SET) || f->kind == SCHEMA_STRUCT;

                if (optional && f->flags & SCHEMA_OPTIONAL && f->kind != SCHEMA_STRUCT)
                        *(bool *)((char *)body + f->has_offset) = false;
                else if (!optional && from && from->kind == f->kind && from->flags == f->flags)
                        memcpy(schema_at(f, body), schema_at(from, creation), f->size);
                else if (!optional && f->kind == SCHEMA_ENUM)
                        *(int *)schema_at(f, body) = 0;
        }
}

/* Of the writes that this one names, the newest. */
static int before_view(struct db *db, const struct log_entry *e, struct arena *arena, struct audit_entry *ret)
{
        struct stamp newest = { 0 };
        struct log_entry was;
        void *body, *mine;
        int r;

        for (size_t i = 0; i < e->op.n_base; i++)
                if (stamp_cmp(e->op.base[i].stamp, newest) > 0)
                        newest = e->op.base[i].stamp;
        r = e->op.n_base ? log_entry_of(db, newest.op_id, newest.n, arena, &was) : -ENOENT;
        if (r || !was.kind)
                return r == -ENOENT ? 0 : r;
        r = body_read(db, &was, arena, &body);
        if (!r && was.kind != e->kind) {
                r = body_read(db, e, arena, &mine);
                if (r)
                        return r;
                body_of_creation(e->kind, mine, was.kind, body);
                body = mine;
        }
        if (r)
                return r;
        ret->has_before = true;
        ret->before = body_json(e->kind, body, arena);
        return 0;
}

/* What people know a ticket by; none where its beginning has not come. */
static int number_find(struct db *db, bool has_ticket, struct ulid ticket, bool *ret_has, int64_t *ret)
{
        int r = has_ticket ? db_int(db, ret, "SELECT number FROM ticket WHERE id = ?1 AND NOT hidden", "u", ticket) : -ENOENT;

        *ret_has = r == 0;
        return r == -ENOENT ? 0 : r;
}

static int entry_view(struct db *db, const struct log_entry *e, struct arena *arena, struct audit_entry *ret)
{
        const struct schema_field *ticket;
        void *body;
        int r;

        *ret = (struct audit_entry){
                .at = hlc_ms(e->op.hlc),
                .actor = e->op.actor,
                .has_on_behalf_of = !ulid_is_zero(e->op.on_behalf_of),
                .on_behalf_of = e->op.on_behalf_of,
                .device = e->op.device,
                .kind = e->op.kind,
                .has_ticket = e->scope == SCHEMA_TO_TICKET || (e->scope == SCHEMA_TO_AGENTS && !ulid_is_zero(e->audience)),
                .ticket = e->audience,
                .has_target = !ulid_is_zero(e->op.target),
                .target = e->op.target,
                .op_id = e->op.op_id,
                .n = e->op.n,
        };
        if (!e->kind)
                return 0;
        r = body_read(db, e, arena, &body);
        if (r)
                return r;
        ticket = schema_field_find(e->kind->body, "ticket");
        if (!ret->has_ticket && ticket && ticket->kind == SCHEMA_ULID && schema_presence(ticket, body) == SCHEMA_PRESENT) {
                ret->has_ticket = true;
                ret->ticket = *(const struct ulid *)schema_at(ticket, body);
        }
        ret->has_after = true;
        ret->after = body_json(e->kind, body, arena);
        return before_view(db, e, arena, ret);
}

/* ---- pages ---- */

static int ticket_wanted(struct db *db, struct call *c, bool has_ticket, struct ulid ticket, bool has_number, int64_t number, bool *ret_any, struct ulid *ret)
{
        int r = 0;

        if (has_ticket && has_number)
                return call_invalid(c, "number", "can't be given with ticket; leave one of them out");
        *ret_any = !has_ticket && !has_number;
        *ret = ticket;
        if (has_number)
                r = ticket_find_number(db, number, ret);
        return r == -ENOENT ? call_not_found(c) : r;
}

static bool wanted(const struct audit_list *in, const struct log_entry *e)
{
        int64_t at = hlc_ms(e->op.hlc);

        return (!in->has_actor || ulid_eq(in->actor, e->op.actor)) && (!in->has_kind || str_eq(in->kind, e->op.kind)) &&
               (!in->has_from_at || at >= in->from_at) && (!in->has_to_at || at < in->to_at);
}

static int after_read(struct store *s, struct db *db, struct call *c, const struct audit_list *in, int64_t *ret)
{
        int r;

        *ret = INT64_MAX;
        r = in->has_after ? position_read(s, db, in->after, ret) : POSITION_GOOD;
        return r > POSITION_GOOD ? call_invalid(c, "after", "must be the `next` of the page before") : r;
}

static const char list_all[] = "SELECT " LOG_COLUMNS " FROM op WHERE seq < ?1 AND (?2 = ?2) ORDER BY seq DESC LIMIT 2000";
static const char list_of_ticket[] = "SELECT * FROM (SELECT " LOG_COLUMNS " FROM op WHERE scope = 0 AND audience = ?2 AND seq < ?1"
                                     "   ORDER BY seq DESC LIMIT 2000) UNION ALL"
                                     " SELECT * FROM (SELECT " LOG_COLUMNS " FROM op WHERE scope = 1 AND audience = ?2 AND seq < ?1"
                                     "   ORDER BY seq DESC LIMIT 2000) ORDER BY seq DESC LIMIT 2000";
_Static_assert(LOOK_MAX == 2000, "as the SQL says");

int store_on_audit_list(struct store *s, struct call *c, const struct audit_list *in, struct audit_list_result *ret)
{
        struct db *db = store_db(s, c);
        int64_t after, last = 0, looked = 0;
        struct arena skipped = { 0 };
        struct ulid ticket;
        size_t bytes = 0;
        sqlite3_stmt *q;
        bool any = true;
        int r;

        r = ticket_wanted(db, c, in->has_ticket, in->ticket, in->has_number, in->number, &any, &ticket);
        if (!r)
                r = after_read(s, db, c, in, &after);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, (size_t)in->limit, sizeof(*ret->items.items));
        q = db_query(db, any ? list_all : list_of_ticket, "iu", after, ticket);
        while ((r = db_step(db, q)) > 0) {
                struct log_entry e;

                if (ret->items.n == (size_t)in->limit || bytes >= PAGE_BYTES)
                        break;
                looked++;
                r = log_entry_read(db, q, &skipped, &e);
                if (!r)
                        last = e.seq;
                if (!r && wanted(in, &e)) {
                        struct audit_entry *entry = &ret->items.items[ret->items.n++];

                        r = log_entry_read(db, q, &c->arena, &e);
                        if (!r)
                                r = entry_view(db, &e, &c->arena, entry);
                        if (!r)
                                r = number_find(db, entry->has_ticket, entry->ticket, &entry->has_number, &entry->number);
                        bytes += entry->before.n + entry->after.n;
                }
                arena_reset(&skipped);
                if (r)
                        break;
        }
        db_done(q);
        arena_deinit(&skipped);
        if (r < 0)
                return r;
        ret->has_next = r > 0 || looked == LOOK_MAX;
        return ret->has_next ? position_cursor_at(s, db, last, &c->arena, &ret->next) : 0;
}

int store_on_ticket_history(struct store *s, struct call *c, const struct ticket_history *in, struct ticket_history_result *ret)
{
        struct audit_list of = { .has_ticket = true, .ticket = in->ticket, .has_after = in->has_after, .after = in->after, .limit = in->limit };
        struct caller caller = store_actor(c);
        struct audit_list_result page = { 0 };
        struct ticket_row row;
        int r = ticket_find(store_db(s, c), in->ticket, &row);

        if (r)
                return r == -ENOENT ? call_not_found(c) : r;
        r = store_on_audit_list(s, c, &of, &page);
        if (r)
                return r;
        for (size_t i = 0; i < page.items.n; i++)
                page.items.items[i].device = STR("");
        access_viewed(s, c, &caller, in->ticket);
        ret->items.items = page.items.items;
        ret->items.n = page.items.n;
        ret->has_next = page.has_next;
        ret->next = page.next;
        return 0;
}

/* ---- accesses ---- */

#define ACCESS(found_by)                                                                                              \
        "SELECT id, user, ticket, kind, method, device, first, last, n FROM access_audit " found_by " AND id < ?1 AND (?4 IS NULL OR kind = ?4)" \
        " AND last >= ?5 AND first < ?6 ORDER BY id DESC LIMIT ?7"
static const char access_all[] = ACCESS("WHERE ?2 IS ?2 AND ?3 IS ?3");
static const char access_of_ticket[] = ACCESS("INDEXED BY access_audit_by_ticket WHERE ticket = ?2 AND (?3 IS NULL OR user = ?3)");
static const char access_of_user[] = ACCESS("INDEXED BY access_audit_by_user WHERE user = ?3 AND (?2 = ?2)");

static void access_read(sqlite3_stmt *q, struct arena *arena, struct access_row *ret)
{
        *ret = (struct access_row){
                .user = db_column_ulid(q, 1),
                .ticket = db_column_ulid(q, 2),
                .kind = (int)db_column_int(q, 3),
                .method = arena_str(arena, db_column_str(q, 4)),
                .device = arena_str(arena, db_column_str(q, 5)),
                .first_at = db_column_int(q, 6),
                .last_at = db_column_int(q, 7),
                .count = db_column_int(q, 8),
        };
        ret->has_ticket = !ulid_is_zero(ret->ticket);
}

int store_on_audit_access(struct store *s, struct call *c, const struct audit_access *in, struct audit_access_result *ret)
{
        struct db *db = store_db(s, c);
        struct page after = { .hlc = INT64_MAX };
        int64_t kind = in->kind, last = 0;
        struct ulid ticket;
        sqlite3_stmt *q;
        bool any = true;
        int r;

        r = ticket_wanted(db, c, in->has_ticket, in->ticket, in->has_number, in->number, &any, &ticket);
        if (!r && in->has_after)
                r = page_parse(c, in->after, &after);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, (size_t)in->limit, sizeof(*ret->items.items));
        q = db_query(db, !any ? access_of_ticket : in->has_user ? access_of_user : access_all, "iuUIiii", (int64_t)after.hlc, ticket,
                     in->has_user ? &in->user : NULL, in->has_kind ? &kind : NULL, in->has_from_at ? in->from_at : 0,
                     in->has_to_at ? in->to_at : INT64_MAX, in->limit + 1);
        while ((r = db_step(db, q)) > 0 && ret->items.n < (size_t)in->limit) {
                struct access_row *row = &ret->items.items[ret->items.n++];

                last = db_column_int(q, 0);
                access_read(q, &c->arena, row);
                r = number_find(db, row->has_ticket, row->ticket, &row->has_number, &row->number);
                if (r)
                        break;
        }
        ret->has_next = r > 0;
        if (r > 0)
                ret->next = page_text((struct page){ .hlc = (uint64_t)last }, &c->arena);
        db_done(q);
        return r < 0 ? r : 0;
}
