#include "onlookers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct ulid me = { { 1 } }, carl = { { 2 } }, agnes = { { 3 } };

static struct str name(void *data, struct ulid person)
{
        (void)data;
        return person.b[0] == 2 ? STR("Carl") : person.b[0] == 3 ? STR("Agnes") : STR("me");
}

static void expect(struct onlookers *o, const struct viewer *people, size_t n, bool doing, const char *lines, const char *phrase)
{
        struct buf out = { 0 };

        onlookers_take(o, people, n, me, doing, name, NULL, &out);
        assert_string_equal(buf_z(&out), lines);
        buf_clear(&out);
        onlookers_doing(o, name, NULL, &out);
        assert_string_equal(buf_z(&out), phrase);
        buf_deinit(&out);
}

static void who_comes_and_goes_is_told_and_the_caller_is_not(void **state)
{
        struct onlookers o = { 0 };

        (void)state;
        expect(&o, (struct viewer[]){ { .user = me }, { .user = carl } }, 2, true, "Carl is looking.\n", "");
        expect(&o, (struct viewer[]){ { .user = me }, { .user = carl } }, 2, true, "", "");
        expect(&o, (struct viewer[]){ { .user = carl }, { .user = agnes }, { .user = me } }, 3, true, "Agnes is looking.\n", "");
        expect(&o, (struct viewer[]){ { .user = agnes } }, 1, true, "Carl is gone.\n", "");
        expect(&o, NULL, 0, true, "Agnes is gone.\n", "");
}

static void where_the_phrase_is_shown_typing_needs_no_line(void **state)
{
        struct onlookers o = { 0 };

        (void)state;
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_TYPING } }, 1, false, "Carl is looking.\n", "Carl is typing…");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_TYPING }, { .user = agnes, .activity = ACTIVITY_DRAFTING } }, 2, false,
               "Agnes is looking.\n", "Carl is typing…  Agnes is drafting…");
        expect(&o, (struct viewer[]){ { .user = carl }, { .user = agnes } }, 2, false, "", "");
}

static void elsewhere_each_beginning_is_a_line(void **state)
{
        struct onlookers o = { 0 };

        (void)state;
        expect(&o, (struct viewer[]){ { .user = carl } }, 1, true, "Carl is looking.\n", "");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_DRAFTING } }, 1, true, "Carl is drafting…\n", "Carl is drafting…");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_TYPING } }, 1, true, "Carl is typing…\n", "Carl is typing…");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_DRAFTING } }, 1, true, "", "Carl is drafting…");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_VIEWING } }, 1, true, "", "");
        expect(&o, (struct viewer[]){ { .user = carl, .activity = ACTIVITY_TYPING } }, 1, true, "Carl is typing…\n", "Carl is typing…");
}

static void who_can_not_be_heard_of_is_there_and_does_nothing(void **state)
{
        const struct viewer people[] = { { .user = carl, .activity = ACTIVITY_TYPING } };
        struct onlookers o = { 0 };
        struct buf out = { 0 };

        (void)state;
        expect(&o, people, 1, false, "Carl is looking.\n", "Carl is typing…");
        onlookers_still(&o);
        onlookers_doing(&o, name, NULL, &out);
        assert_int_equal(out.n, 0);
        buf_deinit(&out);
        expect(&o, people, 1, false, "", "Carl is typing…");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_comes_and_goes_is_told_and_the_caller_is_not),
                cmocka_unit_test(where_the_phrase_is_shown_typing_needs_no_line),
                cmocka_unit_test(elsewhere_each_beginning_is_a_line),
                cmocka_unit_test(who_can_not_be_heard_of_is_there_and_does_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
