/* Users, devices, op ids, and what waits for gateways. */
#include "api_room.h"
#include "binding.h"

static int add_user(struct room *r, struct ulid op_id, const char *email, const char *name, struct str caller, struct user_add_result *ret)
{
        struct user_add in = { .has_op_id = true, .op_id = op_id, .email = str_of(email), .name = str_of(name), .role = ROLE_AGENT };

        return room_call(r, &schema_method_user_add, &in, caller, ret);
}

static void a_user_is_added_once_however_often_it_is_asked(void **state)
{
        struct room *r = *state;
        struct str admin = room_sealed(r, r->f->admin, SCHEMA_ROLE_ADMIN, PHONE);
        struct user_add_result first, again;
        struct ulid op = room_op(r);

        assert_int_equal(add_user(r, op, " Alan@Example.org ", "Alan", admin, &first), 0);
        assert_true(str_is(first.value.email, "Alan@example.org"));
        assert_true(ulid_eq(first.op_id, op));
        assert_int_equal(add_user(r, op, " Alan@Example.org ", "Alan", admin, &again), 0);
        assert_true(ulid_eq(again.value.id, first.value.id));
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM user"), 4);
}

static void an_op_id_with_another_request_or_actor_is_a_conflict(void **state)
{
        struct room *r = *state;
        struct str admin = room_sealed(r, r->f->admin, SCHEMA_ROLE_ADMIN, PHONE);
        struct str other = room_sealed(r, r->f->agent, SCHEMA_ROLE_ADMIN, PHONE);
        struct user_add_result out;
        struct ulid op = room_op(r);

        assert_int_equal(add_user(r, op, "alan@example.org", "Alan", admin, &out), 0);
        assert_int_equal(add_user(r, op, "alan@example.org", "Allan", admin, &out), FAULT_CONFLICT);
        assert_int_equal(add_user(r, op, "alan@example.org", "Alan", other, &out), FAULT_CONFLICT);
        assert_int_equal(add_user(r, op, "alan@example.org", "Alan", NOBODY, &out), FAULT_CONFLICT);
        assert_false(r->fault.has_newer);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM user"), 4);
}

static void a_refusal_is_not_remembered(void **state)
{
        struct room *r = *state;
        struct user_add_result out;
        struct ulid op = room_op(r);

        assert_int_equal(add_user(r, op, "ada@example.org", "Another Ada", NOBODY, &out), FAULT_CONFLICT);
        assert_int_equal(user_set_email(r->f->db, r->f->admin, STR("ada@elsewhere.org"), STR("ada@elsewhere.org")), 0);
        assert_int_equal(add_user(r, op, "ada@example.org", "Another Ada", NOBODY, &out), 0);
}

static void bad_emails_names_and_pages_are_named(void **state)
{
        struct room *r = *state;
        struct user_list_result page;
        struct user_add_result out;

        assert_int_equal(add_user(r, room_op(r), "not an email", "Alan", NOBODY, &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(r->fault.field, "email"));
        assert_int_equal(add_user(r, room_op(r), "a@b.org", "   ", NOBODY, &out), FAULT_INVALID_PARAMS);
        assert_true(str_is(r->fault.field, "name"));
        assert_int_equal(room_call(r, &schema_method_user_list, &(struct user_list){ .has_after = true, .after = STR("x"), .limit = 10 }, NOBODY,
                                   &page), FAULT_INVALID_PARAMS);
        assert_true(str_is(r->fault.field, "after"));
}

static void users_are_listed_by_pages(void **state)
{
        struct user_list in = { .limit = 2 };
        struct user_list_result page;
        struct room *r = *state;

        assert_int_equal(room_call(r, &schema_method_user_list, &in, NOBODY, &page), 0);
        assert_int_equal(page.items.n, 2);
        assert_true(page.has_next);
        in.has_after = true;
        in.after = page.next;
        assert_int_equal(room_call(r, &schema_method_user_list, &in, NOBODY, &page), 0);
        assert_int_equal(page.items.n, 1);
        assert_false(page.has_next);
}

static struct ulid bind_user(struct room *r, struct ulid user, const char *device)
{
        struct ulid id;

        assert_int_equal(binding_add(r->f->db, r->f->now, &(struct device){ .user = user, .address = str_of(device), .label = STR("A device") }, NO_KEY, &id), 0);
        return id;
}

static int revoke_device(struct room *r, struct ulid device, struct str caller, struct device_revoke_result *ret)
{
        return room_call(r, &schema_method_device_revoke,
                         &(struct device_revoke){ .has_op_id = true, .op_id = room_op(r), .device = device }, caller, ret);
}

static void devices_are_shown_to_their_owner_and_to_admins(void **state)
{
        struct room *r = *state;
        struct str customer = room_sealed(r, r->f->customer, SCHEMA_ROLE_CUSTOMER, PHONE);
        struct str agent = room_sealed(r, r->f->agent, SCHEMA_ROLE_AGENT, LAPTOP);
        struct str admin = room_sealed(r, r->f->admin, SCHEMA_ROLE_ADMIN, LAPTOP);
        struct device_list in = { .limit = 10 };
        struct device_list_result out;

        bind_user(r, r->f->customer, PHONE);
        bind_user(r, r->f->agent, LAPTOP);
        assert_int_equal(room_call(r, &schema_method_device_list, &in, customer, &out), 0);
        assert_int_equal(out.items.n, 1);
        assert_true(str_is(out.items.items[0].address, PHONE));
        assert_int_equal(room_call(r, &schema_method_device_list, &in, NOBODY, &out), 0); /* an operator */
        assert_int_equal(out.items.n, 2);
        in.has_user = true;
        in.user = r->f->customer;
        assert_int_equal(room_call(r, &schema_method_device_list, &in, agent, &out), FAULT_NOT_FOUND);
        assert_int_equal(room_call(r, &schema_method_device_list, &in, admin, &out), 0);
        assert_int_equal(out.items.n, 1);
}

static void a_device_is_revoked_by_its_owner_or_an_admin_and_nobody_else_learns_of_it(void **state)
{
        struct room *r = *state;
        struct str customer = room_sealed(r, r->f->customer, SCHEMA_ROLE_CUSTOMER, PHONE);
        struct ulid mine = bind_user(r, r->f->customer, PHONE), theirs = bind_user(r, r->f->agent, LAPTOP);
        struct device_revoke_result out;

        assert_int_equal(revoke_device(r, theirs, customer, &out), FAULT_NOT_FOUND);
        assert_int_equal(revoke_device(r, ulid_new(1), customer, &out), FAULT_NOT_FOUND);
        assert_int_equal(revoke_device(r, mine, customer, &out), 0);
        assert_true(out.value.has_revoked_at);
        assert_int_equal(revoke_device(r, theirs, NOBODY, &out), 0);
        assert_int_equal(fixture_count(r->f, "SELECT count(*) FROM binding WHERE revoked_at IS NULL"), 0);
}

/* ---- gateways ---- */

struct answer {
        bool here;
        int code;
        int64_t head;
        bool reset;
        size_t n;
        struct ulid user;
        bool role;
};

static void on_follow(void *data, const struct rpc_reply *reply)
{
        const struct callers_follow_result *result = reply->result;
        struct answer *a = data;

        *a = (struct answer){ .here = true, .code = reply->code };
        if (reply->code)
                return;
        a->head = result->head;
        a->reset = result->reset;
        a->n = result->items.n;
        if (a->n > 0) {
                a->user = result->items.items[0].user;
                a->role = result->items.items[0].role;
        }
}

static void follow(struct room *r, uint8_t gateway, int64_t after, struct answer *answer)
{
        const struct callers_follow in = { .gateway = { { gateway } }, .after = after, .max_bytes = 262144 };

        *answer = (struct answer){ 0 };
        assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &schema_method_callers_follow, .params = &in }, on_follow, answer), 0);
}

static void on_done(void *data, const struct rpc_reply *reply)
{
        *(struct answer *)data = (struct answer){ .here = true, .code = reply->code };
}

static void disable(struct room *r, struct ulid user, bool active, struct answer *answer)
{
        const struct user_disable in = { .has_op_id = true, .op_id = room_op(r), .user = user, .active = active };

        *answer = (struct answer){ 0 };
        assert_int_equal(rpc_call(r->client, &(struct rpc_request){ .method = &schema_method_user_disable, .params = &in }, on_done, answer), 0);
}

/* Steps the loop until the answer is here; false where it is not within so many ms. */
static bool arrives(struct room *r, const struct answer *answer, int64_t within_ms)
{
        int64_t until = room_steady_us(NULL) + within_ms * 1000;

        while (!answer->here && room_steady_us(NULL) < until)
                loop_dispatch(r->service.loop, 10);
        return answer->here;
}

static void a_gateway_begins_with_a_reset_and_then_hears_of_each_change(void **state)
{
        struct room *r = *state;
        struct answer followed, done;
        int64_t head;

        follow(r, 1, 0, &followed);
        assert_true(arrives(r, &followed, 5000));
        assert_true(followed.reset && followed.head > 0);
        head = followed.head;
        follow(r, 1, head, &followed);
        disable(r, r->f->customer, false, &done);
        assert_true(arrives(r, &followed, 5000));
        assert_int_equal(followed.n, 1);
        assert_true(ulid_eq(followed.user, r->f->customer));
        assert_false(followed.role || followed.reset);
        assert_int_equal(followed.head, head + 1);
        follow(r, 1, head + 100, &followed); /* of another database */
        assert_true(arrives(r, &followed, 5000));
        assert_true(followed.reset);
}

static void disabling_answers_once_every_live_gateway_has_followed(void **state)
{
        struct room *r = *state;
        struct answer first, second, done, again;

        follow(r, 1, 0, &first);
        follow(r, 2, 0, &second);
        assert_true(arrives(r, &first, 5000) && arrives(r, &second, 5000));
        follow(r, 1, first.head, &again);
        disable(r, r->f->customer, false, &done);
        assert_true(arrives(r, &again, 5000));
        assert_false(done.here);
        follow(r, 1, again.head, &first); /* one has acted on it, the other hasn't */
        assert_false(arrives(r, &done, 200));
        follow(r, 2, again.head, &second);
        assert_true(arrives(r, &done, 1000));
        assert_int_equal(done.code, 0);
}

static void a_gateway_that_hangs_delays_it_by_two_seconds_at_most(void **state)
{
        struct room *r = *state;
        struct answer followed, done;
        int64_t began;

        follow(r, 1, 0, &followed);
        assert_true(arrives(r, &followed, 5000));
        began = room_steady_us(NULL);
        disable(r, r->f->customer, false, &done);
        assert_true(arrives(r, &done, 5000));
        assert_int_equal(done.code, 0);
        assert_true(room_steady_us(NULL) - began >= CALLERS_WAIT_US);
        assert_true(room_steady_us(NULL) - began < CALLERS_LIVE_US);
}

static void without_gateways_or_where_nothing_changed_it_answers_at_once(void **state)
{
        struct room *r = *state;
        struct answer followed, done;
        int64_t began = room_steady_us(NULL);

        disable(r, r->f->customer, false, &done);
        assert_true(arrives(r, &done, 5000));
        follow(r, 1, 0, &followed);
        assert_true(arrives(r, &followed, 5000));
        disable(r, r->f->customer, false, &done); /* is disabled already */
        assert_true(arrives(r, &done, 5000));
        assert_true(room_steady_us(NULL) - began < CALLERS_WAIT_US);
}

static void a_new_role_is_told_as_such_and_a_new_name_or_email_is_not_told_at_all(void **state)
{
        struct room *r = *state;
        struct user_set in = { .has_op_id = true, .op_id = room_op(r), .user = r->f->customer, .has_name = true, .name = STR("Linus T.") };
        struct user_set_result out;
        struct answer followed;
        int64_t head;

        follow(r, 1, 0, &followed);
        assert_true(arrives(r, &followed, 5000));
        head = followed.head;
        follow(r, 1, head, &followed);
        assert_int_equal(room_call(r, &schema_method_user_set, &in, NOBODY, &out), 0);
        assert_true(str_is(out.value.name, "Linus T."));
        in = (struct user_set){ .has_op_id = true, .op_id = room_op(r), .user = r->f->customer, .has_email = true, .email = STR("l@x.org") };
        assert_int_equal(room_call(r, &schema_method_user_set, &in, NOBODY, &out), 0);
        assert_true(str_is(out.value.email, "l@x.org"));
        assert_true(arrives(r, &followed, 5000)); /* parked for its second */
        assert_int_equal(followed.n, 0);
        assert_int_equal(followed.head, head);
        follow(r, 1, head, &followed);
        in = (struct user_set){ .has_op_id = true, .op_id = room_op(r), .user = r->f->customer, .has_role = true, .role = ROLE_AGENT };
        assert_int_equal(room_call(r, &schema_method_user_set, &in, NOBODY, &out), 0);
        assert_int_equal(out.value.role, ROLE_AGENT);
        assert_true(followed.here && followed.n == 1 && followed.role);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ROOM_TEST(a_user_is_added_once_however_often_it_is_asked),
                ROOM_TEST(an_op_id_with_another_request_or_actor_is_a_conflict),
                ROOM_TEST(a_refusal_is_not_remembered),
                ROOM_TEST(bad_emails_names_and_pages_are_named),
                ROOM_TEST(users_are_listed_by_pages),
                ROOM_TEST(devices_are_shown_to_their_owner_and_to_admins),
                ROOM_TEST(a_device_is_revoked_by_its_owner_or_an_admin_and_nobody_else_learns_of_it),
                ROOM_TEST(a_gateway_begins_with_a_reset_and_then_hears_of_each_change),
                ROOM_TEST(disabling_answers_once_every_live_gateway_has_followed),
                ROOM_TEST(a_gateway_that_hangs_delays_it_by_two_seconds_at_most),
                ROOM_TEST(without_gateways_or_where_nothing_changed_it_answers_at_once),
                ROOM_TEST(a_new_role_is_told_as_such_and_a_new_name_or_email_is_not_told_at_all),
        };

        log_open("identity-test", LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
