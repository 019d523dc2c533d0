/* Views: what they have, in which order, how many, and whose they are. */
#include "store_room.h"
#include "schema/search.h"
#include "schema/team.h"
#include "schema/view.h"

static int save(struct room *room, enum who who, struct view_save view, struct view *ret)
{
        struct view_save_result made;
        int r;

        view.has_op_id = true;
        view.op_id = room_id(room);
        r = room_call(room, who, &schema_method_view_save, &view, &made);
        if (!r && ret)
                *ret = made.view;
        return r;
}

static struct ulid random_tickets(struct room *room, size_t n)
{
        static const char *const tags[] = { "vpn", "mail" };
        struct team_save team = { .name = STR("Network"), .has_op_id = true, .op_id = room_id(room) };
        struct team_save_result made;

        assert_int_equal(room_call(room, ADMIN, &schema_method_team_save, &team, &made), 0);
        for (size_t i = 0; i < n; i++) {
                struct str tag = str_of(tags[room_random(room) % 2]);
                struct ticket_set set = { .ticket = room_ticket(room, room_random(room) % 2 ? ALICE : BOB, "s").id };

                room->now_ms += (int64_t)(room_random(room) % 3000);
                set.has_state = true;
                set.state = (int)(room_random(room) % 5);
                set.has_priority = true;
                set.priority = (int)(room_random(room) % 4);
                set.has_assignee = room_random(room) % 3 ? SCHEMA_PRESENT : SCHEMA_NULL;
                set.assignee = room->users[AGNES + room_random(room) % 2];
                set.has_team = room_random(room) % 2 ? SCHEMA_PRESENT : SCHEMA_NULL;
                set.team = made.team.team;
                set.has_add_tags = room_random(room) % 2;
                set.add_tags.items = &tag;
                set.add_tags.n = 1;
                assert_int_equal(room_set(room, AGNES, set, NULL), 0);
                if (room_random(room) % 3 == 0)
                        assert_int_equal(room_reply(room, AGNES, set.ticket, "x", NULL), 0);
        }
        return made.team.team;
}

static int64_t order_key(const struct ticket *t, int order)
{
        switch (order) {
        case VIEW_ORDER_CHANGED:
                return -t->changed_at;
        case VIEW_ORDER_WAITING:
                return t->changed_at;
        case VIEW_ORDER_CREATED:
                return -t->created_at;
        case VIEW_ORDER_OLDEST:
                return t->created_at;
        default:
                return (PRIORITY_URGENT - t->priority) * 10000000000000 + t->created_at;
        }
}

/* How many there are, page after page; each once, in the order. */
static size_t walk(struct room *room, const struct ticket_list *first, int order, int64_t page_size)
{
        struct ticket_list list = *first;
        struct ticket_list_result page;
        struct ulid seen[256];
        int64_t last = INT64_MIN;
        size_t n = 0;

        list.limit = page_size;
        do {
                assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &list, &page), 0);
                assert_true(page.items.n == (size_t)page_size || !page.has_next);
                for (size_t i = 0; i < page.items.n; i++) {
                        const struct ticket *t = &page.items.items[i];

                        assert_true(order_key(t, order) >= last);
                        last = order_key(t, order);
                        for (size_t k = 0; k < n; k++)
                                assert_false(ulid_eq(seen[k], t->id));
                        seen[n++] = t->id;
                }
                list.has_after = page.has_next;
                list.after = page.next;
        } while (page.has_next);
        return n;
}

static size_t searched(struct room *room, const char *query)
{
        struct ticket_search search = { .query = str_of(query), .limit = 50 };
        struct ticket_search_result page;
        size_t n = 0;

        do {
                assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &search, &page), 0);
                n += page.items.n;
                search.has_after = page.has_next;
                search.after = page.next;
        } while (page.has_next);
        return n;
}

/* What a query means, said once more in C. */
struct world {
        struct room *room;
        struct ulid team;
};
static bool over(const struct ticket *t) { return t->state == TICKET_STATE_SOLVED || t->state == TICKET_STATE_CLOSED; }
static bool has(const struct ticket *t, const char *tag)
{
        for (size_t i = 0; i < t->tags.n; i++)
                if (str_is(t->tags.items[i], tag))
                        return true;
        return false;
}
static bool is_at(const struct world *w, const struct ticket *t, enum who who) { return t->has_assignee && ulid_eq(t->assignee, w->room->users[who]); }
static bool by(const struct world *w, const struct ticket *t, enum who who) { return ulid_eq(t->requester, w->room->users[who]); }
static bool of_team(const struct world *w, const struct ticket *t) { return t->has_team && ulid_eq(t->team, w->team); }

#define MEANS(name, expression) static bool name(const struct world *w, const struct ticket *t) { (void)w; (void)t; return expression; }
MEANS(q0, t->state == TICKET_STATE_OPEN)
MEANS(q1, !over(t) && is_at(w, t, AGNES))
MEANS(q2, !t->has_assignee)
MEANS(q3, is_at(w, t, AGNES))
MEANS(q4, !is_at(w, t, ARTHUR))
MEANS(q5, by(w, t, ALICE))
MEANS(q6, has(t, "vpn"))
MEANS(q7, has(t, "vpn") && !has(t, "mail"))
MEANS(q8, of_team(w, t) && t->priority == PRIORITY_URGENT)
MEANS(q9, !t->has_team && t->state == TICKET_STATE_NEW)
MEANS(q10, !t->has_type)
MEANS(q11, true)
MEANS(q12, t->state == TICKET_STATE_SOLVED && has(t, "mail"))
MEANS(q13, t->state == TICKET_STATE_NEW && by(w, t, BOB))
MEANS(q14, false)
MEANS(q15, !of_team(w, t))
MEANS(q16, t->has_team && t->priority != PRIORITY_LOW)
MEANS(q17, !by(w, t, ALICE) && !over(t))

/* Each is found by another path, and counted in another way. */
static const struct {
        const char *query;
        bool (*means)(const struct world *w, const struct ticket *t);
} queries[] = {
        { "state:open", q0 }, { "-state:closed -state:solved assignee:me", q1 }, { "assignee:nobody", q2 }, { "assignee:Agnes", q3 },
        { "-assignee:Arthur", q4 }, { "requester:Alice", q5 }, { "tag:vpn", q6 }, { "tag:vpn -tag:mail", q7 }, { "team:Network priority:urgent", q8 },
        { "team:none state:new", q9 }, { "type:none", q10 }, { "created:>2026-01-01", q11 }, { "state:solved tag:mail", q12 },
        { "state:new requester:Bob", q13 }, { "changed:<2026-01-01", q14 }, { "-team:Network", q15 }, { "-team:none -priority:low", q16 },
        { "-requester:Alice -state:solved -state:closed", q17 },
};

static size_t meant(const struct world *w, const struct ticket_list_result *all, size_t query)
{
        size_t n = 0;

        for (size_t i = 0; i < all->items.n; i++)
                n += queries[query].means(w, &all->items.items[i]);
        return n;
}

static void a_view_has_what_its_filters_say_in_its_order_and_knows_how_many(void **state)
{
        struct room *room = *state;
        struct world w = { .room = room };
        struct ticket_list_result all;

        w.team = random_tickets(room, 60);
        for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
                size_t n;
                struct view_count_result counts;
                char name[8];
                struct view view;

                assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &(struct ticket_list){ .limit = 200 }, &all), 0);
                assert_int_equal(all.items.n, 60);
                n = meant(&w, &all, i);
                assert_int_equal(searched(room, queries[i].query), n);
                snprintf(name, sizeof(name), "v%zu", i);
                assert_int_equal(save(room, AGNES, (struct view_save){ .name = str_of(name), .query = str_of(queries[i].query) }, &view), 0);
                for (int order = 0; order < 5; order++) {
                        struct ticket_list list = { .has_view = true, .view = view.view, .has_order = true, .order = order };

                        assert_int_equal(walk(room, &list, order, 1 + (int64_t)(room_random(room) % 9)), n);
                }
                assert_int_equal(room_call(room, AGNES, &schema_method_view_count, &(struct view_count){ .views = { &view.view, 1 } }, &counts), 0);
                assert_int_equal(counts.items.items[0].count, n);
                assert_false(counts.items.items[0].more);
                arena_reset(&room->arena);
        }
        room_proof(room);
}

static void a_count_moves_with_its_tickets(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "s");
        struct view_count_result counts;
        struct view view;
        struct ticket_set set = { .ticket = ticket.id, .has_state = true };
        const int states[] = { TICKET_STATE_OPEN, TICKET_STATE_SOLVED, TICKET_STATE_OPEN, TICKET_STATE_CLOSED };

        assert_int_equal(save(room, AGNES, (struct view_save){ .name = STR("open"), .query = STR("state:open") }, &view), 0);
        for (size_t i = 0; i < 4; i++) {
                set.state = states[i];
                assert_int_equal(room_set(room, AGNES, set, NULL), 0);
                assert_int_equal(room_call(room, AGNES, &schema_method_view_count, &(struct view_count){ .views = { &view.view, 1 } }, &counts), 0);
                assert_int_equal(counts.items.items[0].count, states[i] == TICKET_STATE_OPEN);
        }
        room_proof(room);
}

static void a_view_is_its_owners_or_everybodys(void **state)
{
        struct room *room = *state;
        struct view_save own = { .name = STR("Mine"), .query = STR("assignee:me") }, shared = own;
        struct view_list_result list;
        struct view view, common;

        shared.shared = true;
        assert_int_equal(save(room, AGNES, shared, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "shared"));
        assert_int_equal(save(room, AGNES, own, &view), 0);
        assert_int_equal(save(room, AGNES, own, NULL), FAULT_CONFLICT);
        assert_int_equal(save(room, ARTHUR, own, NULL), 0); /* another's names are no affair of theirs */
        assert_int_equal(save(room, ADMIN, shared, &common), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_view_list, &(struct view_list){ 0 }, &list), 0);
        assert_int_equal(list.items.n, 2);
        assert_int_equal(room_call(room, ARTHUR, &schema_method_view_list, &(struct view_list){ 0 }, &list), 0);
        for (size_t i = 0; i < list.items.n; i++)
                assert_false(ulid_eq(list.items.items[i].view, view.view));
        own.has_view = true;
        own.view = view.view;
        assert_int_equal(save(room, ARTHUR, own, NULL), FAULT_NOT_FOUND);
        assert_int_equal(room_call(room, ARTHUR, &schema_method_ticket_list, &(struct ticket_list){ .limit = 1, .has_view = true, .view = view.view },
                                   &(struct ticket_list_result){ 0 }), FAULT_NOT_FOUND);
        own.shared = true;
        assert_int_equal(save(room, ADMIN, own, NULL), FAULT_NOT_FOUND);
        own.shared = false;
        own.view = common.view;
        assert_int_equal(save(room, ADMIN, own, NULL), FAULT_INVALID_PARAMS);
        own.view = view.view;
        own.retired = true;
        assert_int_equal(save(room, AGNES, own, NULL), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_view_list, &(struct view_list){ 0 }, &list), 0);
        assert_int_equal(list.items.n, 1);
        room_proof(room);
}

static void what_can_be_no_view_is_refused(void **state)
{
        struct room *room = *state;
        struct str columns[] = { STR("subject"), STR("field.cost"), STR("colour") };
        struct view_save view = { .name = STR("v"), .query = STR("printer state:open") };
        struct ticket_list list = { .limit = 1, .has_query = true, .query = STR("state:open"), .has_state = true };
        struct ticket_list_result page;

        assert_int_equal(save(room, AGNES, view, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "query"));
        view.query = STR("assignee:Nemo");
        assert_int_equal(save(room, AGNES, view, NULL), FAULT_INVALID_PARAMS);
        view.query = STR("state:open");
        view.has_columns = true;
        view.columns.items = columns;
        view.columns.n = 3;
        assert_int_equal(save(room, AGNES, view, NULL), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "columns") && strstr(room->fault.reason.p, "item 3"));
        view.columns.n = 2;
        assert_int_equal(save(room, AGNES, view, NULL), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &list, &page), FAULT_INVALID_PARAMS);
        list.has_state = false;
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_list, &list, &page), FAULT_INVALID_PARAMS);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_list, &list, &page), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_view_has_what_its_filters_say_in_its_order_and_knows_how_many, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_count_moves_with_its_tickets, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_view_is_its_owners_or_everybodys, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_can_be_no_view_is_refused, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
