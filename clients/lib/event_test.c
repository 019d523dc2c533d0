#include "assist.h"

#include "schema/comment.h"
#include "schema/ticket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void an_events_data_is_the_struct_of_its_type(void **state)
{
        char text[] = "{\"ticket\":\"01J00000000000000000000000\",\"state\":\"pending\",\"subject\":\"It burns\",\"assignee\":null}";
        struct event event = { .type = STR("ticket.changed"), .data = str_of(text) };
        const struct event_ticket_changed *change;
        const struct schema_event *type;
        struct arena arena = { 0 };
        void *data;

        (void)state;
        assert_int_equal(assist_event_read(&event, &arena, &type, &data), 0);
        assert_ptr_equal(type, &schema_event_ticket_changed);
        memset(text, 'x', sizeof(text)); /* it lives as long as the arena */
        change = data;
        assert_true(change->has_state && change->state == TICKET_STATE_PENDING && str_is(change->subject, "It burns"));
        assert_int_equal(change->has_assignee, SCHEMA_NULL);
        assert_false(change->has_priority);
        arena_deinit(&arena);
}

static void an_event_of_a_newer_desk_is_unknown_and_no_error(void **state)
{
        struct event event = { .type = STR("ticket.painted"), .data = STR("{\"colour\":\"blue\"}") };
        const struct schema_event *type = &schema_event_comment_added;
        struct arena arena = { 0 };
        void *data;

        (void)state;
        assert_int_equal(assist_event_read(&event, &arena, &type, &data), 0);
        assert_null(type);
        arena_deinit(&arena);
}

static void data_that_is_not_as_its_schema_says_is_an_error(void **state)
{
        static const char *const wrong[] = { "{}", "[]", "{\"ticket\":1}", "", "{\"ticket\":\"01J00000000000000000000000\",\"state\":\"blue\"}" };
        const struct schema_event *type = NULL;
        struct arena arena = { 0 };
        void *data;

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
                assert_int_equal(assist_event_read(&(struct event){ .type = STR("ticket.changed"), .data = str_of(wrong[i]) }, &arena, &type, &data),
                                 -EBADMSG);
        assert_null(type);
        arena_deinit(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_events_data_is_the_struct_of_its_type),
                cmocka_unit_test(an_event_of_a_newer_desk_is_unknown_and_no_error),
                cmocka_unit_test(data_that_is_not_as_its_schema_says_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
