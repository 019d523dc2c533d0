#include "replica/orset.h"
#include "replica/dice.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { OPS_MAX = 32, ELEMENTS = 4 };
static const char *const elements[ELEMENTS] = { "billing", "bug", "bu", "" };

struct set_op {
        bool remove;
        struct str element;
        struct ulid adds[OPS_MAX]; /* what a remove names; an add's own id */
        size_t n;
};

static void apply(struct orset *s, struct arena *arena, const struct set_op *op)
{
        if (op->remove)
                orset_remove(s, arena, op->element, op->adds, op->n);
        else
                orset_add(s, arena, op->element, op->adds[0]);
}

/* The definition: an add of it that no remove of it names. */
static bool is_present(const struct set_op *ops, size_t n, struct str element)
{
        for (size_t i = 0; i < n; i++) {
                bool named = false;

                if (ops[i].remove || !str_eq(ops[i].element, element))
                        continue;
                for (size_t j = 0; j < n; j++)
                        for (size_t k = 0; ops[j].remove && str_eq(ops[j].element, element) && k < ops[j].n; k++)
                                named = named || ulid_eq(ops[j].adds[k], ops[i].adds[0]);
                if (!named)
                        return true;
        }
        return false;
}

static void any_order_and_repetition_gives_one_set(void **state)
{
        struct dice d = dice_new("orset");
        struct arena arena = { 0 };

        (void)state;
        for (int round = 0; round < 3000; round++) {
                struct set_op ops[OPS_MAX] = { 0 };
                struct orset seen[2] = { 0 }, first = { 0 };
                size_t n = 1 + dice_below(&d, OPS_MAX - 1), order[3 * OPS_MAX], n_present = 0;
                struct str present[ELEMENTS];

                /* Two writers who see only some of what happens. */
                for (size_t i = 0; i < n; i++) {
                        size_t writer = dice_below(&d, 2);

                        ops[i].element = str_of(elements[dice_below(&d, ELEMENTS)]);
                        ops[i].n = orset_adds(&seen[writer], ops[i].element, ops[i].adds, OPS_MAX);
                        ops[i].remove = ops[i].n > 0 && dice_below(&d, 2);
                        if (!ops[i].remove) {
                                ops[i].adds[0] = dice_ulid(&d, 1);
                                ops[i].n = 1;
                        }
                        apply(&seen[writer], &arena, &ops[i]);
                        if (dice_below(&d, 2))
                                apply(&seen[!writer], &arena, &ops[i]);
                }
                for (size_t i = 0; i < n; i++)
                        apply(&first, &arena, &ops[i]);
                for (int again = 0; again < 4; again++) {
                        struct orset other = { 0 };
                        size_t total = n + dice_below(&d, 2 * n);

                        for (size_t i = 0; i < total; i++)
                                order[i] = i < n ? i : dice_below(&d, n);
                        dice_shuffle(&d, order, total);
                        for (size_t i = 0; i < total; i++)
                                apply(&other, &arena, &ops[order[i]]);
                        assert_int_equal(first.n, other.n);
                        for (size_t i = 0; i < first.n; i++) {
                                assert_true(str_eq(first.entries[i].element, other.entries[i].element));
                                assert_true(ulid_eq(first.entries[i].add, other.entries[i].add));
                                assert_int_equal(first.entries[i].added, other.entries[i].added);
                                assert_int_equal(first.entries[i].removed, other.entries[i].removed);
                        }
                }
                for (size_t i = 0; i < ELEMENTS; i++) {
                        bool is = is_present(ops, n, str_of(elements[i]));

                        assert_int_equal(orset_has(&first, str_of(elements[i])), is);
                        n_present += is;
                }
                assert_int_equal(orset_elements(&first, present, ELEMENTS), n_present);
                for (size_t i = 0; i < n_present; i++) {
                        assert_true(is_present(ops, n, present[i]));
                        if (i > 0)
                                assert_true(str_cmp(present[i - 1], present[i]) < 0);
                }
                arena_reset(&arena);
        }
        arena_deinit(&arena);
}

static void a_remove_that_arrives_before_its_add_still_removes_it(void **state)
{
        struct ulid add = { .b = { 1 } };
        struct arena arena = { 0 };
        struct orset s = { 0 };

        (void)state;
        orset_remove(&s, &arena, STR("bug"), &add, 1);
        assert_false(orset_has(&s, STR("bug")));
        orset_add(&s, &arena, STR("bug"), add);
        assert_false(orset_has(&s, STR("bug")));
        arena_deinit(&arena);
}

static void an_add_that_the_remover_did_not_see_survives(void **state)
{
        struct ulid seen = { .b = { 1 } }, unseen = { .b = { 2 } }, left;
        struct arena arena = { 0 };
        struct orset s = { 0 };

        (void)state;
        orset_add(&s, &arena, STR("bug"), seen);
        orset_add(&s, &arena, STR("bug"), unseen);
        orset_remove(&s, &arena, STR("bug"), &seen, 1);
        assert_true(orset_has(&s, STR("bug")));
        assert_int_equal(orset_adds(&s, STR("bug"), &left, 1), 1);
        assert_true(ulid_eq(left, unseen));
        arena_deinit(&arena);
}

static void one_command_may_add_two_elements_with_one_op_id(void **state)
{
        struct ulid id = { .b = { 1 } };
        struct arena arena = { 0 };
        struct orset s = { 0 };

        (void)state;
        orset_add(&s, &arena, STR("bug"), id);
        orset_add(&s, &arena, STR("billing"), id);
        orset_remove(&s, &arena, STR("bug"), &id, 1);
        assert_false(orset_has(&s, STR("bug")));
        assert_true(orset_has(&s, STR("billing")));
        arena_deinit(&arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_order_and_repetition_gives_one_set),
                cmocka_unit_test(a_remove_that_arrives_before_its_add_still_removes_it),
                cmocka_unit_test(an_add_that_the_remover_did_not_see_survives),
                cmocka_unit_test(one_command_may_add_two_elements_with_one_op_id),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
