#include "fixture.h"
#include <errno.h>

static void a_user_is_found_by_id_and_by_email_in_any_case(void **state)
{
        struct fixture *f = *state;
        struct str email, key;
        struct user user;

        assert_int_equal(user_find(f->db, f->agent, &f->arena, &user), 0);
        assert_true(str_is(user.name, "Grace") && str_is(user.email, "grace@example.org"));
        assert_int_equal(user.role, ROLE_AGENT);
        assert_true(user.active);
        assert_int_equal(user.created_at, f->now);
        assert_int_equal(email_normalize(STR("GRACE@example.org"), &f->arena, &email, &key), 0);
        assert_int_equal(user_find_by_email(f->db, key, &f->arena, &user), 0);
        assert_true(ulid_eq(user.id, f->agent));
        assert_int_equal(user_find(f->db, ulid_new(1), &f->arena, &user), FAULT_NOT_FOUND);
}

static void an_email_belongs_to_one_user(void **state)
{
        struct fixture *f = *state;
        struct user user = { .email = STR("Ada@example.org"), .name = STR("Another"), .role = ROLE_CUSTOMER, .active = true };
        struct ulid id;

        assert_int_equal(user_add(f->db, f->now, &user, STR("ada@example.org"), &id), FAULT_CONFLICT);
        assert_int_equal(user_set_email(f->db, f->agent, user.email, STR("ada@example.org")), FAULT_CONFLICT);
        assert_int_equal(user_set_email(f->db, f->agent, STR("hopper@example.org"), STR("hopper@example.org")), 0);
        assert_int_equal(user_find_by_email(f->db, STR("hopper@example.org"), &f->arena, &user), 0);
        assert_true(ulid_eq(user.id, f->agent));
}

static void users_are_listed_page_by_page_each_once(void **state)
{
        struct fixture *f = *state;
        struct ulid after = { 0 };
        size_t n, seen = 0;
        struct user *users;

        for (;;) {
                assert_int_equal(user_list(f->db, after, 2, &f->arena, &users, &n), 0);
                if (n == 0)
                        break;
                assert_true(ulid_cmp(users[0].id, after) > 0);
                after = users[n - 1].id;
                seen += n;
        }
        assert_int_equal(seen, 3);
}

static void a_follower_learns_each_change_of_a_person_once_and_of_an_email_never(void **state)
{
        struct fixture *f = *state;
        struct people_follow_result page, again;
        struct user user;

        assert_int_equal(user_changes(f->db, 0, 262144, &f->arena, &page), 0);
        assert_int_equal(page.items.n, 3);
        assert_int_equal(page.head, 3);
        assert_int_equal(user_changes(f->db, page.head, 262144, &f->arena, &again), 0);
        assert_int_equal(again.items.n, 0);

        assert_int_equal(user_set_email(f->db, f->agent, STR("x@example.org"), STR("x@example.org")), 0);
        assert_int_equal(user_changes(f->db, page.head, 262144, &f->arena, &again), 0);
        assert_int_equal(again.items.n, 0);

        assert_int_equal(user_find(f->db, f->customer, &f->arena, &user), 0);
        user.role = ROLE_AGENT;
        assert_int_equal(user_set_person(f->db, f->now, &user), 0);
        user.name = STR("Linus T.");
        assert_int_equal(user_set_person(f->db, f->now, &user), 0);
        assert_int_equal(user_changes(f->db, page.head, 262144, &f->arena, &again), 0);
        assert_int_equal(again.items.n, 1);
        assert_int_equal(again.head, 5);
        assert_true(str_is(again.items.items[0].person.name, "Linus T."));
        assert_int_equal(again.items.items[0].person.role, ROLE_AGENT);
        assert_false(ulid_eq(again.items.items[0].op_id, page.items.items[2].op_id));
}

static void a_small_page_of_changes_leaves_the_rest_for_the_next_one(void **state)
{
        struct fixture *f = *state;
        struct people_follow_result page;
        int64_t after = 0;

        for (int i = 1; i <= 3; i++) {
                assert_int_equal(user_changes(f->db, after, 1, &f->arena, &page), 0);
                assert_int_equal(page.items.n, 1);
                assert_int_equal(page.head, i);
                after = page.head;
        }
}

static void a_follower_of_another_database_gets_everything(void **state)
{
        struct fixture *f = *state;
        struct people_follow_result page;

        assert_int_equal(user_changes(f->db, 1000, 262144, &f->arena, &page), 0);
        assert_int_equal(page.items.n, 3);
        assert_int_equal(page.head, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE_TEST(a_user_is_found_by_id_and_by_email_in_any_case),
                FIXTURE_TEST(an_email_belongs_to_one_user),
                FIXTURE_TEST(users_are_listed_page_by_page_each_once),
                FIXTURE_TEST(a_follower_learns_each_change_of_a_person_once_and_of_an_email_never),
                FIXTURE_TEST(a_small_page_of_changes_leaves_the_rest_for_the_next_one),
                FIXTURE_TEST(a_follower_of_another_database_gets_everything),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
