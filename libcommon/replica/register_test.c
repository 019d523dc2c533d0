#include "replica/register.h"
#include "replica/dice.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { FIVE_MINUTES_MS = 5 * 60 * 1000, WRITES_MAX = 24, WRITERS = 3, INSTANCES = 2 };

struct write {
        struct stamp stamp, base[WRITES_MAX];
        size_t n_base;
        struct str value;
        char text[24];
};

static int64_t wall_ms(void *data)
{
        return *(int64_t *)data;
}

static struct clock clock_of(int64_t *ms)
{
        return (struct clock){ .now_ms = wall_ms, .steady_us = wall_ms, .data = ms };
}

static void apply(struct register_state *r, struct arena *arena, const struct write *w)
{
        register_apply(r, arena, w->stamp, w->base, w->n_base, w->value);
}

static void assert_same(const struct register_state *a, const struct register_state *b)
{
        assert_int_equal(a->n, b->n);
        for (size_t i = 0; i < a->n; i++) {
                assert_true(stamp_eq(a->entries[i].stamp, b->entries[i].stamp));
                assert_int_equal(a->entries[i].written, b->entries[i].written);
                assert_int_equal(a->entries[i].covered, b->entries[i].covered);
                assert_true(str_eq(a->entries[i].value, b->entries[i].value));
        }
}

/* The definition, without any state: a head is a write that no other one's smaller base names. */
static bool is_head(const struct write *writes, size_t n, struct stamp stamp)
{
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < writes[i].n_base; j++)
                        if (stamp_eq(writes[i].base[j], stamp) && stamp_cmp(stamp, writes[i].stamp) < 0)
                                return false;
        return true;
}

static void assert_as_defined(const struct register_state *r, const struct write *writes, size_t n)
{
        const struct register_entry *heads[WRITES_MAX], *shown = register_shown(r);
        size_t n_heads = register_heads(r, heads, WRITES_MAX), expected = 0;

        assert_non_null(shown);
        for (size_t i = 0; i < n; i++) {
                assert_true(stamp_cmp(writes[i].stamp, shown->stamp) <= 0);
                expected += is_head(writes, n, writes[i].stamp);
        }
        assert_int_equal(n_heads, expected);
        assert_ptr_equal(heads[0], shown);
        for (size_t i = 0; i < n_heads; i++)
                assert_true(is_head(writes, n, heads[i]->stamp));
}

/* Two instances accept writes of three writers whose clocks are up to five minutes wrong and whose view may be old, and tell each
 * other now and then: what they accept, in any order and with repetition, gives one register. */
static size_t make_history(struct dice *d, struct arena *arena, struct write writes[WRITES_MAX])
{
        int64_t ms = 1780000000000;
        struct clock clock = clock_of(&ms);
        struct hlc hlc[INSTANCES] = { 0 };
        struct register_state at[INSTANCES] = { 0 }, seen[WRITERS] = { 0 };
        size_t told[INSTANCES] = { 0 }, n = 1 + dice_below(d, WRITES_MAX);
        int64_t skew[WRITERS] = { 0, FIVE_MINUTES_MS, -FIVE_MINUTES_MS };

        for (size_t i = 0; i < n; i++) {
                size_t here = dice_below(d, INSTANCES), writer = dice_below(d, WRITERS);
                struct write *w = &writes[i];
                const struct register_entry *heads[WRITES_MAX], *shown;
                struct stamp shown_stamp;
                bool concurrent, knew = false;
                size_t n_heads;

                if (dice_below(d, 3) == 0) /* the other instance's writes arrive */
                        for (; told[here] < i; told[here]++)
                                apply(&at[here], arena, &writes[told[here]]);
                if (dice_below(d, 2) == 0) { /* the writer looks */
                        seen[writer] = (struct register_state){ 0 };
                        for (size_t j = 0; j < at[here].n; j++) {
                                const struct register_entry *e = &at[here].entries[j];

                                if (e->written)
                                        register_apply(&seen[writer], arena, e->stamp, NULL, 0, e->value);
                        }
                }
                n_heads = register_heads(&seen[writer], heads, WRITES_MAX);
                w->n_base = n_heads == 0 ? 0 : dice_below(d, 2) ? 1 : n_heads; /* over the shown one, or resolving all */
                for (size_t j = 0; j < w->n_base; j++)
                        w->base[j] = heads[j]->stamp;
                ms += (int64_t)dice_below(d, 3) * (int64_t)dice_below(d, 100000) - 1000;
                shown = register_shown(&at[here]);
                if (shown)
                        shown_stamp = shown->stamp;
                for (size_t j = 0; shown && j < w->n_base; j++)
                        knew = knew || stamp_eq(w->base[j], shown_stamp);
                w->stamp.hlc = register_accept(&hlc[here], &clock, shown ? &shown_stamp : NULL, w->base, w->n_base,
                                               hlc_of(ms + skew[writer], 0), &concurrent);
                w->stamp.op_id = dice_ulid(d, ms);
                w->stamp.n = 0;
                snprintf(w->text, sizeof(w->text), "%zu", i);
                w->value = str_of(w->text);
                assert_int_equal(concurrent, shown && !knew);
                for (size_t j = 0; j < w->n_base; j++)
                        assert_true(stamp_cmp(w->base[j], w->stamp) < 0);
                apply(&at[here], arena, w);
                /* Whoever knew what is shown wins, whatever the clocks. */
                if (!concurrent)
                        assert_true(stamp_eq(register_shown(&at[here])->stamp, w->stamp));
        }
        return n;
}

static void any_order_and_repetition_of_writes_gives_one_register(void **state)
{
        struct dice d = dice_new("register");
        struct write writes[WRITES_MAX];
        struct arena arena = { 0 };

        (void)state;
        for (int round = 0; round < 3000; round++) {
                struct register_state first = { 0 };
                size_t n = make_history(&d, &arena, writes), order[3 * WRITES_MAX];

                for (size_t i = 0; i < n; i++)
                        apply(&first, &arena, &writes[i]);
                assert_as_defined(&first, writes, n);
                for (int again = 0; again < 4; again++) {
                        struct register_state other = { 0 };
                        size_t total = n + dice_below(&d, 2 * n);

                        for (size_t i = 0; i < total; i++)
                                order[i] = i < n ? i : dice_below(&d, n);
                        dice_shuffle(&d, order, total);
                        for (size_t i = 0; i < total; i++)
                                apply(&other, &arena, &writes[order[i]]);
                        assert_same(&first, &other);
                }
                arena_reset(&arena);
        }
        arena_deinit(&arena);
}

/* Bases that no honest instance would write: in circles, of the future, of nothing. */
static void hostile_bases_still_give_one_register_that_shows_a_head(void **state)
{
        struct dice d = dice_new("register, hostile");
        struct arena arena = { 0 };

        (void)state;
        for (int round = 0; round < 2000; round++) {
                struct write writes[8] = { 0 };
                size_t order[16];
                struct register_state first = { 0 }, other = { 0 };

                for (size_t i = 0; i < 8; i++) {
                        writes[i].stamp = (struct stamp){ .hlc = dice_below(&d, 4), .op_id = { .b = { [15] = (uint8_t)i } } };
                        writes[i].value = STR("x");
                }
                for (size_t i = 0; i < 8; i++)
                        for (; writes[i].n_base < dice_below(&d, 4); writes[i].n_base++)
                                writes[i].base[writes[i].n_base] = dice_below(&d, 5) ? writes[dice_below(&d, 8)].stamp : (struct stamp){ .hlc = 2 };
                for (size_t i = 0; i < 16; i++)
                        order[i] = i % 8;
                dice_shuffle(&d, order, 16);
                for (size_t i = 0; i < 8; i++)
                        apply(&first, &arena, &writes[i]);
                for (size_t i = 0; i < 16; i++)
                        apply(&other, &arena, &writes[order[i]]);
                assert_same(&first, &other);
                assert_as_defined(&first, writes, 8);
                arena_reset(&arena);
        }
        arena_deinit(&arena);
}

struct fixture {
        struct arena arena;
        struct register_state r;
        struct hlc hlc;
        int64_t ms;
        struct clock clock;
        uint8_t next;
};

/* Accepts a write at the fixture's instance and applies it. */
static struct stamp write_value(struct fixture *f, const char *value, const struct stamp *base, size_t n_base, int64_t client_ms,
                                bool *ret_concurrent)
{
        const struct register_entry *shown = register_shown(&f->r);
        struct stamp shown_stamp = shown ? shown->stamp : (struct stamp){ 0 }, s = { .op_id = { .b = { ++f->next } } };
        bool concurrent;

        s.hlc = register_accept(&f->hlc, &f->clock, shown ? &shown_stamp : NULL, base, n_base, hlc_of(client_ms, 0), &concurrent);
        register_apply(&f->r, &f->arena, s, base, n_base, str_of(value));
        if (ret_concurrent)
                *ret_concurrent = concurrent;
        return s;
}

static void fixture_init(struct fixture *f)
{
        *f = (struct fixture){ .ms = 1780000000000 };
        f->clock = clock_of(&f->ms);
}

static void assert_shows(const struct fixture *f, const char *value)
{
        assert_true(str_is(register_shown(&f->r)->value, value));
}

static void a_writer_who_saw_the_value_wins_with_a_clock_five_minutes_behind(void **state)
{
        struct fixture f;
        struct stamp a;
        bool concurrent;

        (void)state;
        fixture_init(&f);
        a = write_value(&f, "open", NULL, 0, f.ms + FIVE_MINUTES_MS, &concurrent);
        assert_false(concurrent);
        write_value(&f, "solved", &a, 1, f.ms - FIVE_MINUTES_MS, &concurrent);
        assert_false(concurrent);
        assert_shows(&f, "solved");
        assert_int_equal(register_heads(&f.r, NULL, 0), 1);
        arena_deinit(&f.arena);
}

static void a_concurrent_write_with_the_older_clock_loses_and_leaves_a_conflict(void **state)
{
        struct fixture f;
        struct stamp a, b;
        bool concurrent;

        (void)state;
        fixture_init(&f);
        a = write_value(&f, "open", NULL, 0, f.ms, NULL);
        f.ms += 1000;
        b = write_value(&f, "solved", &a, 1, f.ms, NULL);
        f.ms += 1000;
        write_value(&f, "pending", &a, 1, f.ms - FIVE_MINUTES_MS, &concurrent);
        assert_true(concurrent);
        assert_shows(&f, "solved");
        assert_int_equal(register_heads(&f.r, NULL, 0), 2);
        assert_true(register_may_undo(&f.r, b));
        arena_deinit(&f.arena);
}

static void a_concurrent_write_from_the_future_counts_as_now(void **state)
{
        struct fixture f;
        struct stamp a, c;
        bool concurrent;

        (void)state;
        fixture_init(&f);
        a = write_value(&f, "open", NULL, 0, f.ms, NULL);
        f.ms += 1000;
        write_value(&f, "solved", &a, 1, f.ms, NULL);
        f.ms += 1000;
        c = write_value(&f, "pending", &a, 1, f.ms + FIVE_MINUTES_MS, &concurrent);
        assert_true(concurrent);
        assert_int_equal(hlc_ms(c.hlc), f.ms);
        assert_shows(&f, "pending");
        arena_deinit(&f.arena);
}

static void a_write_over_both_heads_resolves_the_conflict(void **state)
{
        struct fixture f;
        struct stamp a, both[2];
        bool concurrent;

        (void)state;
        fixture_init(&f);
        a = write_value(&f, "open", NULL, 0, f.ms, NULL);
        both[0] = write_value(&f, "solved", &a, 1, f.ms, NULL);
        both[1] = write_value(&f, "pending", &a, 1, f.ms - 1, NULL);
        assert_int_equal(register_heads(&f.r, NULL, 0), 2);
        write_value(&f, "closed", both, 2, 0, &concurrent);
        assert_false(concurrent);
        assert_shows(&f, "closed");
        assert_int_equal(register_heads(&f.r, NULL, 0), 1);
        arena_deinit(&f.arena);
}

static void an_edit_of_the_shown_value_alone_leaves_the_conflict_open(void **state)
{
        struct fixture f;
        struct stamp a, b;

        (void)state;
        fixture_init(&f);
        a = write_value(&f, "open", NULL, 0, f.ms, NULL);
        b = write_value(&f, "solved", &a, 1, f.ms, NULL);
        write_value(&f, "pending", &a, 1, f.ms - 1, NULL);
        write_value(&f, "closed", &b, 1, f.ms, NULL);
        assert_shows(&f, "closed");
        assert_int_equal(register_heads(&f.r, NULL, 0), 2);
        arena_deinit(&f.arena);
}

static void an_undo_is_allowed_only_while_the_register_bears_the_undone_stamp(void **state)
{
        struct fixture f;
        struct stamp a, b, c;

        (void)state;
        fixture_init(&f);
        assert_false(register_may_undo(&f.r, (struct stamp){ 0 }));
        a = write_value(&f, "open", NULL, 0, f.ms, NULL);
        b = write_value(&f, "solved", &a, 1, f.ms, NULL);
        assert_false(register_may_undo(&f.r, a));
        assert_true(register_may_undo(&f.r, b));
        c = write_value(&f, "open", &b, 1, f.ms, NULL); /* the undo: a new write */
        assert_shows(&f, "open");
        assert_false(register_may_undo(&f.r, b));
        assert_true(register_may_undo(&f.r, c));
        arena_deinit(&f.arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_order_and_repetition_of_writes_gives_one_register),
                cmocka_unit_test(hostile_bases_still_give_one_register_that_shows_a_head),
                cmocka_unit_test(a_writer_who_saw_the_value_wins_with_a_clock_five_minutes_behind),
                cmocka_unit_test(a_concurrent_write_with_the_older_clock_loses_and_leaves_a_conflict),
                cmocka_unit_test(a_concurrent_write_from_the_future_counts_as_now),
                cmocka_unit_test(a_write_over_both_heads_resolves_the_conflict),
                cmocka_unit_test(an_edit_of_the_shown_value_alone_leaves_the_conflict_open),
                cmocka_unit_test(an_undo_is_allowed_only_while_the_register_bears_the_undone_stamp),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
