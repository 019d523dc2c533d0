/* Custom fields: what is right, who may, what is found. */
#include "store_room.h"
#include "schema/field.h"
#include "schema/search.h"
#include "schema/undo.h"

static struct field define(struct room *room, const char *name, int kind, int access)
{
        struct str choices[] = { STR("red"), STR("green") };
        struct field_save field = { .name = str_of(name), .key = str_of(name), .kind = kind, .access = access, .has_op_id = true,
                                    .op_id = room_id(room) };
        struct field_save_result made;

        if (kind == FIELD_KIND_CHOICE) {
                field.has_choices = true;
                field.choices.items = choices;
                field.choices.n = 2;
        }
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &field, &made), 0);
        return made.field;
}

static int put(struct room *room, enum who who, struct ulid ticket, const struct field *field, const char *value)
{
        struct field_change change = { field->field, value ? SCHEMA_PRESENT : SCHEMA_NULL, str_of(value ? value : "") };

        return room_set(room, who, (struct ticket_set){ .ticket = ticket, .has_fields = true, .fields = { &change, 1 } }, NULL);
}

/* The value that somebody sees; "" for none. */
static const char *value_of(struct room *room, enum who who, struct ulid ticket, const struct field *field)
{
        struct ticket now = { 0 };

        assert_int_equal(room_get(room, who, ticket, &now, NULL), 0);
        for (size_t i = 0; i < now.fields.n; i++)
                if (ulid_eq(now.fields.items[i].field, field->field))
                        return arena_str(&room->arena, now.fields.items[i].value).p;
        return "";
}

static size_t found_by(struct room *room, enum who who, const char *query)
{
        struct ticket_search_result page;

        assert_int_equal(room_call(room, who, &schema_method_ticket_search, &(struct ticket_search){ .query = str_of(query), .limit = 50 }, &page), 0);
        return page.items.n;
}

static void a_value_is_what_its_kind_says(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field number = define(room, "cost", FIELD_KIND_NUMBER, FIELD_ACCESS_READ), date = define(room, "due", FIELD_KIND_DATE, FIELD_ACCESS_READ),
                     choice = define(room, "colour", FIELD_KIND_CHOICE, FIELD_ACCESS_READ), truth = define(room, "vip", FIELD_KIND_BOOL, FIELD_ACCESS_READ),
                     text = define(room, "room", FIELD_KIND_TEXT, FIELD_ACCESS_READ);
        const struct {
                const struct field *field;
                const char *value, *kept; /* NULL: refused */
        } all[] = {
                { &number, "12", "12" }, { &number, "-0012.500", "-12.5" }, { &number, "-0.0", "0" }, { &number, "999999999999999", "999999999999999" },
                { &number, "1000000000000000", NULL }, { &number, "1e3", NULL }, { &number, ".5", NULL }, { &number, "5.", NULL }, { &number, "-", NULL },
                { &number, " 1", NULL }, { &number, "0x1", NULL },
                { &date, "2028-02-29", "2028-02-29" }, { &date, "2026-02-29", NULL }, { &date, "tomorrow", NULL },
                { &choice, "red", "red" }, { &choice, "Red", NULL }, { &choice, "blue", NULL },
                { &truth, "true", "true" }, { &truth, "false", "false" }, { &truth, "yes", NULL },
                { &text, "B 12, \xf0\x9f\x94\xa5", "B 12, \xf0\x9f\x94\xa5" }, { &text, "   ", NULL },
        };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                assert_int_equal(put(room, AGNES, ticket, all[i].field, all[i].value), all[i].kept ? 0 : FAULT_INVALID_PARAMS);
                if (all[i].kept)
                        assert_string_equal(value_of(room, ALICE, ticket, all[i].field), all[i].kept);
                else
                        assert_true(str_is(room->fault.field, "fields") && strstr(room->fault.reason.p, "item 1: "));
        }
        assert_int_equal(put(room, AGNES, ticket, &number, NULL), 0);
        assert_string_equal(value_of(room, AGNES, ticket, &number), "");
        assert_int_equal(put(room, AGNES, ticket, &(struct field){ .field = ticket }, "x"), FAULT_INVALID_PARAMS);
        room_proof(room);
}

static void customers_do_with_fields_what_their_access_says(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field hidden = define(room, "secret", FIELD_KIND_TEXT, FIELD_ACCESS_HIDDEN), shown = define(room, "shown", FIELD_KIND_TEXT, FIELD_ACCESS_READ),
                     own = define(room, "own", FIELD_KIND_TEXT, FIELD_ACCESS_WRITE);
        struct field_list_result list;
        struct op_since_result since;
        struct fault unknown;
        struct ticket before = { 0 }, now = { 0 };
        struct str cursor;

        assert_int_equal(put(room, ALICE, ticket, &(struct field){ .field = ticket }, "x"), FAULT_INVALID_PARAMS);
        unknown = room->fault;
        assert_int_equal(put(room, ALICE, ticket, &hidden, "x"), FAULT_INVALID_PARAMS);
        assert_true(str_eq(unknown.reason, room->fault.reason)); /* as if there were none */
        assert_int_equal(put(room, ALICE, ticket, &shown, "x"), FAULT_INVALID_PARAMS);
        assert_int_equal(put(room, ALICE, ticket, &own, "mine"), 0);
        assert_int_equal(room_get(room, ALICE, ticket, &before, &cursor), 0);
        room->now_ms += 1000;
        assert_int_equal(put(room, AGNES, ticket, &hidden, "agents' words"), 0);
        assert_int_equal(room_get(room, ALICE, ticket, &now, NULL), 0);
        assert_true(now.fields.n == 1 && now.changed_at == before.changed_at);
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_int_equal(since.events.n, 0);
        assert_string_equal(value_of(room, AGNES, ticket, &hidden), "agents' words");
        assert_int_equal(found_by(room, AGNES, "field.secret:\"AGENTS' WORDS\""), 1);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &(struct ticket_search){ .query = STR("field.secret:x"), .limit = 1 },
                                   &(struct ticket_search_result){ 0 }), FAULT_INVALID_PARAMS);
        assert_int_equal(room_call(room, ALICE, &schema_method_field_list, &(struct field_list){ 0 }, &list), 0);
        assert_int_equal(list.items.n, 2);
        room_proof(room);
}

static void a_value_stays_as_visible_as_it_was_written(void **state)
{
        struct room *room = *state;
        struct op_since_result since;
        struct ticket now = { 0 };
        struct str cursor;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field field = define(room, "later", FIELD_KIND_NUMBER, FIELD_ACCESS_HIDDEN);
        struct field_save open = { .has_field = true, .field = field.field, .name = field.name, .key = field.key, .kind = field.kind,
                                   .access = FIELD_ACCESS_READ, .has_op_id = true };

        assert_int_equal(put(room, AGNES, ticket, &field, "1"), 0);
        open.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &open, &(struct field_save_result){ 0 }), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "");
        assert_int_equal(found_by(room, ALICE, "field.later:1"), 0);
        assert_int_equal(put(room, AGNES, ticket, &field, "1"), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "1");
        assert_int_equal(found_by(room, ALICE, "field.later:1"), 1);
        open.access = FIELD_ACCESS_HIDDEN;
        open.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &open, &(struct field_save_result){ 0 }), 0);
        assert_int_equal(room_get(room, ALICE, ticket, &now, &cursor), 0);
        assert_int_equal(now.fields.n, 1);
        assert_int_equal(put(room, AGNES, ticket, &field, NULL), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "");
        assert_int_equal(put(room, AGNES, ticket, &field, "2"), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "");
        assert_string_equal(value_of(room, AGNES, ticket, &field), "2");
        assert_int_equal(room_call(room, ALICE, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 65536 }, &since), 0);
        assert_int_equal(since.events.n, 1); /* that it is gone: her client forgets it */
        assert_true(str_is(since.events.items[0].type, "ticket.field_changed") && !memmem(since.events.items[0].data.p, since.events.items[0].data.n, "value", 5));
        room_proof(room);
}

static void what_hid_a_value_is_undone(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field field = define(room, "later", FIELD_KIND_NUMBER, FIELD_ACCESS_READ);
        struct field_save hide = { .has_field = true, .field = field.field, .name = field.name, .key = field.key, .kind = field.kind,
                                   .access = FIELD_ACCESS_HIDDEN, .has_op_id = true };
        struct field_change change = { field.field, SCHEMA_PRESENT, STR("3") };
        struct ticket_set set = { .ticket = ticket, .has_fields = true, .fields = { &change, 1 }, .has_op_id = true };
        struct command_undo_result undone;

        assert_int_equal(put(room, AGNES, ticket, &field, "1"), 0);
        hide.op_id = room_id(room);
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &hide, &(struct field_save_result){ 0 }), 0);
        set.op_id = room_id(room);
        assert_int_equal(room_set(room, AGNES, set, NULL), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "");
        assert_int_equal(room_call(room, AGNES, &schema_method_command_undo,
                                   &(struct command_undo){ .has_command = true, .command = set.op_id, .has_op_id = true, .op_id = room_id(room) }, &undone), 0);
        assert_string_equal(value_of(room, AGNES, ticket, &field), "1");
        assert_string_equal(value_of(room, ALICE, ticket, &field), "1");
        room_proof(room);
}

static void tickets_are_found_by_their_fields(void **state)
{
        struct room *room = *state;
        struct field cost = define(room, "cost", FIELD_KIND_NUMBER, FIELD_ACCESS_WRITE), due = define(room, "due", FIELD_KIND_DATE, FIELD_ACCESS_READ),
                     place = define(room, "place", FIELD_KIND_TEXT, FIELD_ACCESS_READ);
        struct field_value filed[] = { { cost.field, STR("100") } };
        struct ticket_create create = { .subject = STR("s"), .body = STR("b"), .has_op_id = true, .op_id = room_id(room), .has_fields = true,
                                        .fields = { filed, 1 } };
        struct ticket_create_result made;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        const struct {
                const char *query;
                size_t n;
        } all[] = {
                { "field.cost:9", 1 }, { "field.cost:>9", 1 }, { "field.cost:>8.5", 2 }, { "field.cost:<100", 1 }, { "-field.cost:9", 1 },
                { "-field.cost:>9", 1 }, { "field.due:<2026-06-01", 1 }, { "field.due:>2026-06-01", 0 }, { "field.place:attic", 1 },
                { "field.cost:9 field.place:Attic", 1 }, { "field.cost:100 field.place:Attic", 0 }, { "field.cost:nine", 0 },
        };

        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_create, &create, &made), 0);
        assert_int_equal(put(room, AGNES, ticket, &cost, "9"), 0);
        assert_int_equal(put(room, AGNES, ticket, &due, "2026-05-31"), 0);
        assert_int_equal(put(room, AGNES, ticket, &place, "Attic"), 0);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
                assert_int_equal(found_by(room, ALICE, all[i].query), all[i].n);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &(struct ticket_search){ .query = STR("field.place:>a"), .limit = 1 },
                                   &(struct ticket_search_result){ 0 }), FAULT_INVALID_PARAMS);
        room_proof(room);
}

static void words_of_a_text_field_are_found_by_who_may_know_it(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field place = define(room, "place", FIELD_KIND_TEXT, FIELD_ACCESS_READ), secret = define(room, "secret", FIELD_KIND_TEXT, FIELD_ACCESS_HIDDEN),
                     colour = define(room, "colour", FIELD_KIND_CHOICE, FIELD_ACCESS_READ);

        assert_int_equal(put(room, AGNES, ticket, &place, "Attic, behind the zeppelin"), 0);
        assert_int_equal(put(room, AGNES, ticket, &secret, "owes us a hindenburg"), 0);
        assert_int_equal(put(room, AGNES, ticket, &colour, "red"), 0);
        assert_int_equal(found_by(room, ALICE, "zeppelin"), 1);
        assert_int_equal(found_by(room, BOB, "zeppelin"), 0);
        assert_int_equal(found_by(room, AGNES, "hindenburg"), 1);
        assert_int_equal(found_by(room, ALICE, "hindenburg"), 0);
        assert_int_equal(found_by(room, AGNES, "red"), 0); /* a filter finds it */
        assert_int_equal(put(room, AGNES, ticket, &place, "Cellar"), 0);
        assert_int_equal(found_by(room, ALICE, "zeppelin"), 0);
        assert_int_equal(found_by(room, ALICE, "cellar"), 1);
        assert_int_equal(put(room, AGNES, ticket, &place, "Cellar"), 0);
        assert_int_equal(put(room, AGNES, ticket, &place, NULL), 0);
        assert_int_equal(put(room, AGNES, ticket, &secret, "paid"), 0);
        assert_int_equal(found_by(room, ALICE, "cellar"), 0);
        assert_int_equal(found_by(room, AGNES, "hindenburg"), 0);
        room_proof(room);
}

static void key_and_kind_are_for_ever_and_retired_fields_get_nothing_new(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "s").id;
        struct field field = define(room, "place", FIELD_KIND_TEXT, FIELD_ACCESS_READ);
        struct field_save change = { .has_field = true, .field = field.field, .name = field.name, .key = STR("room"), .kind = field.kind,
                                     .access = field.access, .has_op_id = true, .op_id = room_id(room) };
        struct field_save_result out;

        assert_int_equal(put(room, AGNES, ticket, &field, "Attic"), 0);
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &change, &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "key"));
        change.key = field.key;
        change.kind = FIELD_KIND_DATE;
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &change, &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "kind"));
        change.kind = field.kind;
        change.retired = true;
        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &change, &out), 0);
        assert_string_equal(value_of(room, ALICE, ticket, &field), "Attic");
        assert_int_equal(put(room, AGNES, ticket, &field, "Cellar"), FAULT_INVALID_PARAMS);
        assert_int_equal(put(room, AGNES, ticket, &field, NULL), 0);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_value_is_what_its_kind_says, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(customers_do_with_fields_what_their_access_says, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_value_stays_as_visible_as_it_was_written, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_hid_a_value_is_undone, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(tickets_are_found_by_their_fields, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(words_of_a_text_field_are_found_by_who_may_know_it, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(key_and_kind_are_for_ever_and_retired_fields_get_nothing_new, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
