/* That the tables made of golden/good describe the structs made of it, as schema.h promises. */
#include "schema/desk.h"
#include "schema/fanout_handlers.h"
#include "schema/identity_handlers.h"
#include "schema/store_handlers.h"
#include "schema/supervisor_handlers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* A handler that shows what it was given. */
#define HANDLER(service, method)                                                                                                   \
        int service##_on_##method(struct service *data, struct call *c, const struct method *in, struct method##_result *ret)     \
        {                                                                                                                          \
                memset(ret, 7, sizeof(*ret));                                                                                      \
                return (void *)data == (void *)ret || (const void *)c == (const void *)in ? 1 : 0;                                 \
        }
HANDLER(store, thread_create)
HANDLER(store, thread_set)
HANDLER(store, thread_touch)
HANDLER(store, thread_follow)
HANDLER(store, thread_mail)
HANDLER(fanout, thread_find)
HANDLER(identity, person_get)

static const struct schema_field *field(const struct schema_struct *type, const char *name)
{
        for (uint32_t i = 0; i < type->n_fields; i++)
                if (strcmp(type->fields[i].name, name) == 0)
                        return &type->fields[i];
        fail_msg("no field %s", name);
        return NULL;
}

static void a_field_lies_where_its_table_says(void **state)
{
        struct thread thread = { .number = 41 };
        struct reply reply = { .has_at = true, .has_wake_at = SCHEMA_NULL, .wake_at = 5, .limit = 20 };

        (void)state;
        assert_int_equal(*(int64_t *)schema_at(field(&schema_type_thread, "number"), &thread), 41);
        assert_int_equal(schema_type_thread.size, sizeof(struct thread));
        assert_int_equal(*((bool *)&reply + field(&schema_type_reply, "at")->has_offset), true);
        assert_int_equal(*(int *)(void *)((char *)&reply + field(&schema_type_reply, "wake_at")->has_offset), SCHEMA_NULL);
        assert_int_equal(*(int64_t *)schema_at(field(&schema_type_reply, "wake_at"), &reply), 5);
        assert_int_equal(*(int64_t *)schema_at(field(&schema_type_reply, "limit"), &reply), 20);
}

static void a_list_is_laid_out_as_schema_list(void **state)
{
        struct reply replies[2] = { { .limit = 1 }, { .limit = 2 } };
        struct thread thread = { .replies = { replies, 2 } };
        const struct schema_field *f = field(&schema_type_thread, "replies");
        const struct schema_list *list = schema_at(f, &thread);

        (void)state;
        assert_int_equal(list->n, 2);
        assert_ptr_equal(list->items, replies);
        assert_int_equal(f->size, sizeof(struct reply));
        assert_ptr_equal(f->type, &schema_type_reply);
        assert_int_equal(f->list_max, 100);
        assert_int_equal(field(&schema_type_thread, "lines")->max, 80);
        assert_int_equal(field(&schema_type_thread, "lines")->flags, SCHEMA_LIST | SCHEMA_OPTIONAL);
        assert_int_equal(field(&schema_type_thread, "tags")->flags, SCHEMA_LIST | SCHEMA_SET);
        assert_int_equal(field(&schema_type_thread, "tags")->max, 40); /* the alias' */
}

static void an_optional_type_is_a_pointer(void **state)
{
        struct reply newest = { .limit = 3 };
        struct thread thread = { .newest = &newest };

        (void)state;
        assert_ptr_equal(*(struct reply **)schema_at(field(&schema_type_thread, "newest"), &thread), &newest);
        assert_int_equal(field(&schema_type_thread, "newest")->flags, SCHEMA_OPTIONAL);
}

static void kinds_limits_flags_and_defaults_come_through(void **state)
{
        const struct schema_struct *r = &schema_type_reply, *t = &schema_type_thread;

        (void)state;
        assert_int_equal(field(t, "number")->min, 1);
        assert_int_equal(field(t, "number")->max, (INT64_C(1) << 53) - 1);
        assert_int_equal(field(t, "balance")->min, -100);
        assert_int_equal(field(t, "extra")->max, 1048576);
        assert_int_equal(field(r, "body")->flags, SCHEMA_MARKDOWN | SCHEMA_MEANINGFUL);
        assert_int_equal(field(r, "key")->flags, SCHEMA_SECRET);
        assert_int_equal(field(r, "role")->flags, SCHEMA_OPTIONAL | SCHEMA_NULLABLE);
        assert_ptr_equal(field(r, "role")->values, &schema_enum_role);
        assert_int_equal(field(r, "urgent")->flags, SCHEMA_DEFAULT);
        assert_int_equal(field(r, "urgent")->default_value, 1);
        assert_int_equal(field(r, "shift")->default_value, -3);
        assert_int_equal(field(schema_method_thread_set.params, "to")->default_value, ROLE_AGENT);
        assert_string_equal(field(t, "number")->doc, "counts from 1");
        assert_string_equal(schema_type_person.doc, "Somebody.\n\nA second paragraph, with \"quotes\", a \\ and two \?\?= that are no "
                            "trigraph; \xc5\xbelu\xc5\xa5ou\xc4\x8dk\xc3\xbd.");
        assert_string_equal(schema_enum_role.docs[1], "Works on all tickets.");
        assert_int_equal(field(schema_op_ticket_subject.body, "subject")->flags, SCHEMA_PERSONAL);
}

static void a_mutation_carries_op_id_and_cursor_beside_the_result(void **state)
{
        const struct schema_method *m = &schema_method_thread_create;
        struct thread_create_result result = { .value = { .number = 9 }, .op_id = { { 1 } }, .has_cursor = true };

        (void)state;
        assert_string_equal(m->params->fields[m->params_op_id].name, "op_id");
        assert_int_equal(m->params->fields[m->params_op_id].flags, SCHEMA_OPTIONAL);
        assert_int_equal(m->params_op_id, 0); /* so that parameters may be added behind */
        assert_string_equal(m->result->fields[m->result_op_id].name, "op_id");
        assert_int_equal(((struct ulid *)schema_at(&m->result->fields[m->result_op_id], &result))->b[0], 1);
        assert_string_equal(m->result->fields[m->result_op_id + 1].name, "cursor");
        assert_string_equal(m->result->fields[m->result_op_id + 2].name, schema_type_thread.fields[0].name);
        assert_int_equal(*(int64_t *)schema_at(field(m->result, "number"), &result), 9);
        assert_int_equal(m->result->n_fields, schema_type_thread.n_fields + 2);
        assert_int_equal(schema_method_thread_mail.params_op_id, -1);
        assert_int_equal(schema_method_thread_mail.result->n_fields, 0);
}

static void a_method_says_who_may_call_and_what_it_answers(void **state)
{
        const struct schema_method *m = &schema_method_thread_set;

        (void)state;
        assert_int_equal(m->role, SCHEMA_ROLE_AGENT);
        assert_int_equal(m->from, SCHEMA_PEER_GATEWAY | SCHEMA_PEER_IDENTITY | SCHEMA_PEER_OPERATOR);
        assert_true(m->mutates && m->deprecated && !m->follow);
        assert_string_equal(m->since, "1.0.3");
        assert_string_equal(m->via, "rpc");
        assert_int_equal(schema_method_thread_follow.role, SCHEMA_ROLE_NOBODY);
        assert_int_equal(schema_method_thread_follow.from, SCHEMA_PEER_FANOUT);
        assert_true(schema_method_thread_follow.follow);
        assert_int_equal(schema_method_thread_create.n_errors, 2);
        assert_ptr_equal(schema_method_thread_create.errors[1], &schema_error_conflict);
        assert_int_equal(schema_method_person_get.from, SCHEMA_PEER_STORE | SCHEMA_PEER_GATEWAY);
        assert_int_equal(schema_event_thread_watched.audience, SCHEMA_TO_AGENTS);
        assert_true(schema_event_thread_watched.ephemeral);
}

static void the_index_has_everything_once_and_in_order(void **state)
{
        int methods = 0, types = 0, errors = 0;

        (void)state;
        for (; schema_methods[methods]; methods++)
                assert_true(methods == 0 || strcmp(schema_methods[methods - 1]->name, schema_methods[methods]->name) < 0);
        for (; schema_types[types]; types++)
                assert_true(types == 0 || strcmp(schema_types[types - 1]->name, schema_types[types]->name) < 0);
        for (; schema_errors[errors]; errors++)
                assert_true(errors == 0 || strcmp(schema_errors[errors - 1]->name, schema_errors[errors]->name) < 0);
        assert_int_equal(methods, 8);
        assert_int_equal(types, 3);
        assert_int_equal(errors, 2);
        assert_ptr_equal(schema_method_find(STR("thread.touch")), &schema_method_thread_touch);
        assert_null(schema_method_find(STR("thread.touc")));
}

static void a_thunk_hands_everything_to_its_handler(void **state)
{
        struct thread_touch in = { 0 };
        struct thread_touch_result ret = { 0 };
        int n = 0;

        (void)state;
        for (const struct rpc_handler *h = store_handlers; h->method; h++, n++) {
                assert_string_equal(h->method->service, "store");
                if (h->method == &schema_method_thread_touch)
                        assert_int_equal(h->call(NULL, NULL, &in, &ret), 0);
        }
        assert_int_equal(n, 5);
        assert_int_equal(ret.op_id.b[3], 7);
        assert_null(supervisor_handlers[0].method);
        assert_ptr_equal(fanout_handlers[0].method, &schema_method_thread_find);
        assert_ptr_equal(identity_handlers[0].method, &schema_method_person_get);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_field_lies_where_its_table_says),
                cmocka_unit_test(a_list_is_laid_out_as_schema_list),
                cmocka_unit_test(an_optional_type_is_a_pointer),
                cmocka_unit_test(kinds_limits_flags_and_defaults_come_through),
                cmocka_unit_test(a_mutation_carries_op_id_and_cursor_beside_the_result),
                cmocka_unit_test(a_method_says_who_may_call_and_what_it_answers),
                cmocka_unit_test(the_index_has_everything_once_and_in_order),
                cmocka_unit_test(a_thunk_hands_everything_to_its_handler),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
