#include "person.h"

#include "draft.h"
#include "schema/identity.h"
#include "snooze.h"
#include "ticket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PERSON_NAME_FIELD = 1, PEOPLE_RETRY_US = 1000000 };

enum schema_role role_rank(int role)
{
        return role == ROLE_ADMIN ? SCHEMA_ROLE_ADMIN : role == ROLE_AGENT ? SCHEMA_ROLE_AGENT : SCHEMA_ROLE_CUSTOMER;
}

static int row_view(struct db *db, sqlite3_stmt *q, struct arena *arena, struct person *ret)
{
        int r;

        *ret = (struct person){ .id = db_column_ulid(q, 0), .role = (int)db_column_int(q, 1), .active = db_column_int(q, 2) };
        r = log_text(db, db_column_ulid(q, 3), (uint32_t)db_column_int(q, 4), PERSON_NAME_FIELD, arena, &ret->name);
        return r == -ENOENT ? 0 : r;
}

int person_find(struct db *db, struct ulid id, struct arena *arena, struct person *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT id, role, active, name_op, name_n FROM person WHERE id = ?1", "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = row_view(db, q, arena, ret);
        db_done(q);
        return r;
}

int person_named(struct db *db, struct str name, bool staff, struct ulid *ret, bool *ret_several)
{
        sqlite3_stmt *q = db_query(db, "SELECT p.id FROM person p CROSS JOIN op o ON o.op_id = p.name_op AND o.n = p.name_n"
                                       " CROSS JOIN op_text t ON t.id = " LOG_TEXT_ID("o", "?3")
                                       " WHERE p.role >= ?2 AND lower(CAST(t.text AS TEXT)) = lower(?1) LIMIT 2", "tii", name,
                                   (int64_t)(staff ? ROLE_AGENT : ROLE_CUSTOMER), (int64_t)PERSON_NAME_FIELD);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = db_column_ulid(q, 0);
        r = db_step(db, q);
        *ret_several = r > 0;
        db_done(q);
        return r < 0 ? r : 0;
}

int person_may(struct db *db, struct ulid id, enum schema_role role, bool *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT role, active FROM person WHERE id = ?1", "u", id);
        int r = db_step(db, q);

        *ret = r > 0 && db_column_int(q, 1) && role_rank((int)db_column_int(q, 0)) >= role;
        db_done(q);
        return r < 0 ? r : 0;
}

int person_caller(struct db *db, struct ulid id, struct caller *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT role FROM person WHERE id = ?1 AND active", "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = (struct caller){ .user = id, .role = role_rank((int)db_column_int(q, 0)) };
        db_done(q);
        return 0;
}

int store_on_person_list(struct store *s, struct call *c, const struct person_list *in, struct person_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct page after = { 0 };
        sqlite3_stmt *q;
        int r = 0;

        if (in->has_after)
                r = page_parse(c, in->after, &after);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, (size_t)in->limit, sizeof(*ret->items.items));
        q = db_query(db, "SELECT id, role, active, name_op, name_n FROM person WHERE id > ?1 AND (?2 OR role > 0 OR id = ?3)"
                         " ORDER BY id LIMIT ?4",
                     "uiui", after.id, (int64_t)caller_is_agent(&caller), caller.user, in->limit + 1);
        while ((r = db_step(db, q)) > 0) {
                if (ret->items.n == (size_t)in->limit) {
                        ret->has_next = true;
                        ret->next = page_text((struct page){ 0, ret->items.items[ret->items.n - 1].id }, &c->arena);
                        db_done(q);
                        return 0;
                }
                r = row_view(db, q, &c->arena, &ret->items.items[ret->items.n++]);
                if (r) {
                        db_done(q);
                        return r;
                }
        }
        return r;
}

/* ---- following identity ---- */

/* A page of changes on its way to the writer; freed when it is logged. */
struct people_page {
        struct task task;
        struct store *store;
        struct loop_work back;
        bool failed;
        int64_t head;
        size_t n;
        struct {
                struct ulid user, op_id;
                int role;
                bool active;
                struct buf name;
        } changes[];
};

int person_log(struct store *s, struct arena *arena, struct ulid op_id, struct ulid user, struct str name, int role, bool active)
{
        struct person before;
        struct tx *tx;
        bool known, role_changed;
        int r;

        r = person_find(s->writer.db, user, arena, &before);
        if (r && r != -ENOENT)
                return r;
        known = !r;
        role_changed = known && (before.role != role || before.active != active);
        if (known && !role_changed && str_eq(before.name, name))
                return 0;
        r = tx_begin_system(s, arena, op_id, &tx);
        if (r)
                return r == -EEXIST ? 0 : r; /* logged before a crash lost our position */
        /* Those who have seen an agent must see them cease to be one: so the old role counts, too. */
        if (role == ROLE_CUSTOMER && !(known && before.role != ROLE_CUSTOMER)) {
                struct op_person_set body = { .user = user, .name = name, .role = role, .active = active };

                r = tx_append(tx, &(struct effect){ .kind = &schema_op_person_set, .body = &body, .target = user });
        } else {
                struct op_staff_set body = { .user = user, .name = name, .role = role, .active = active };

                r = tx_append(tx, &(struct effect){ .kind = &schema_op_staff_set, .body = &body, .target = user });
        }
        if (!r && role_changed) {
                struct op_role_set body = { .user = user, .role = role, .active = active };

                r = tx_append(tx, &(struct effect){ .kind = &schema_op_role_set, .body = &body, .target = user, .audience = &user });
        }
        if (r || active)
                return r;
        r = draft_forget(s->writer.db, user);
        return r ? r : snooze_forget(s->writer.db, user);
}

static int people_log(struct task *task)
{
        struct people_page *page = (struct people_page *)task;
        struct store *s = page->store;
        int r = 0;

        for (size_t i = 0; i < page->n && !r; i++)
                r = person_log(s, &s->writer.arena, page->changes[i].op_id, page->changes[i].user, buf_view(&page->changes[i].name),
                               page->changes[i].role, page->changes[i].active);
        if (!r)
                r = db_do(s->writer.db, "INSERT INTO position(name, after) VALUES('people', ?1) ON CONFLICT DO UPDATE SET after = excluded.after",
                          "i", page->head);
        arena_reset(&s->writer.arena);
        return r;
}

static void people_page_free(struct people_page *page)
{
        for (size_t i = 0; i < page->n; i++)
                buf_deinit(&page->changes[i].name);
        free(page);
}

/* On from the position that is in the table now; after a failure (a full disk) not at once. */
static void people_again(struct loop_work *work)
{
        struct people_page *page = (struct people_page *)((char *)work - offsetof(struct people_page, back));
        struct store *s = page->store;

        loop_timer_set(s->people_timer, page->failed ? PEOPLE_RETRY_US : 0);
        people_page_free(page);
}

static void people_logged(struct task *task, int r)
{
        struct people_page *page = (struct people_page *)task;

        if (r)
                log_error("logging a change of people failed: %s; it will be tried again", strerrordesc_np(-r));
        page->failed = r != 0;
        page->back.run = people_again;
        loop_post(page->store->service->loop, &page->back);
}

static void people_ask(void *data, void *params)
{
        struct store *s = data;
        struct people_follow *in = params;
        int64_t after = 0;

        db_int(s->follow_db, &after, "SELECT after FROM position WHERE name = 'people'", "");
        *in = (struct people_follow){ .after = after, .max_bytes = 262144 };
}

static void people_take(void *data, const void *result)
{
        const struct people_follow_result *in = result;
        struct store *s = data;
        struct people_page *page;

        if (!in->items.n)
                return;
        page = calloc(1, sizeof(*page) + in->items.n * sizeof(page->changes[0]));
        if (!page)
                abort();
        page->task = (struct task){ .run = people_log, .done = people_logged };
        page->store = s;
        page->head = in->head;
        page->n = in->items.n;
        for (size_t i = 0; i < page->n; i++) {
                const struct person_change *change = &in->items.items[i];

                page->changes[i].user = change->person.id;
                page->changes[i].op_id = change->op_id;
                page->changes[i].role = change->person.role;
                page->changes[i].active = change->person.active;
                buf_str(&page->changes[i].name, change->person.name);
        }
        follower_free(s->people); /* nothing more until this page is in the log */
        s->people = NULL;
        queue_task(&s->writer.queue, &page->task);
}

static void people_follow_on(void *data)
{
        struct store *s = data;

        if (follower_new(s->service->loop, &(struct follower_options){ .client = s->identity, .method = &schema_method_people_follow,
                                                                       .ask = people_ask, .take = people_take, .data = s }, &s->people))
                log_error("store can't follow identity's people any more");
}

int people_start(struct store *s)
{
        s->people_timer = loop_timer_new(s->service->loop, people_follow_on, s);
        if (!s->people_timer)
                return -ENOMEM;
        loop_timer_set(s->people_timer, 0);
        return 0;
}
