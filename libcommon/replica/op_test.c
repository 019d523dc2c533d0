#include "replica/op.h"
#include "codec.h"
#include "replica/dice.h"
#include "replica/golden.h"
#include "replica/hlc.h"
#include <errno.h>

static struct str any_text(struct dice *d, struct arena *arena, const char *of, size_t min, size_t max)
{
        size_t n = min + dice_below(d, max - min + 1), n_of = strlen(of);
        char *p = arena_alloc(arena, n + 1);

        for (size_t i = 0; i < n; i++)
                p[i] = of[dice_below(d, n_of)];
        return (struct str){ p, n };
}

static struct op any_op(struct dice *d, struct arena *arena)
{
        static const char name[] = "abz09_.", device[] = "loopback:127.0.0.2~!/";
        const struct ulid nobody = { { 0 } };
        struct op_base *base = arena_array(arena, 4, sizeof(*base));
        struct op op = {
                .origin_seq = 1 + (int64_t)(dice_u64(d) >> (11 + dice_below(d, 53))) % 9007199254740991,
                .op_id = dice_ulid(d, 1780000000000),
                .n = (uint32_t)dice_below(d, OP_N_MAX + 1),
                .hlc = dice_u64(d) >> (1 + dice_below(d, 60)),
                .base = base,
                .n_base = dice_below(d, 5),
                .actor = dice_below(d, 4) ? dice_ulid(d, 5) : nobody,
                .device = any_text(d, arena, device, 0, OP_DEVICE_MAX),
                .device_seq = (int64_t)(dice_u64(d) >> (11 + dice_below(d, 53))),
                .on_behalf_of = dice_below(d, 2) ? dice_ulid(d, 6) : nobody,
                .kind = any_text(d, arena, name, 1, OP_NAME_MAX),
                .target = dice_below(d, 4) ? dice_ulid(d, 7) : nobody,
                .body = any_text(d, arena, "\x90\xff text", 0, 70000 >> dice_below(d, 17)),
        };

        for (size_t i = 0; i < op.n_base; i++) {
                base[i].field = any_text(d, arena, name, 1, 2);
                base[i].stamp = (struct stamp){ .hlc = dice_u64(d) >> 1, .op_id = dice_ulid(d, 8), .n = (uint32_t)dice_u64(d) };
        }
        for (size_t i = 0; i < OP_HASH_BYTES; i++) {
                op.origin[i % OP_ORIGIN_BYTES] = (uint8_t)dice_u64(d);
                op.prev_hash[i] = (uint8_t)dice_u64(d);
        }
        return op;
}

static void every_op_comes_back_from_its_record(void **state)
{
        struct dice d = dice_new("op");
        struct arena arena = { 0 };
        struct buf record = { 0 }, again = { 0 };

        (void)state;
        for (int i = 0; i < 5000; i++) {
                struct op op = any_op(&d, &arena), back;
                uint8_t hash[OP_HASH_BYTES];

                buf_clear(&record);
                buf_clear(&again);
                op_encode(&op, &record);
                assert_int_equal(op_decode(buf_view(&record), &arena, &back), 0);
                assert_memory_equal(back.origin, op.origin, OP_ORIGIN_BYTES);
                assert_int_equal(back.origin_seq, op.origin_seq);
                assert_true(stamp_eq(op_stamp(&back), op_stamp(&op)));
                assert_true(ulid_eq(back.actor, op.actor) && ulid_eq(back.on_behalf_of, op.on_behalf_of) && ulid_eq(back.target, op.target));
                assert_true(str_eq(back.device, op.device) && str_eq(back.kind, op.kind) && str_eq(back.body, op.body));
                assert_int_equal(back.device_seq, op.device_seq);
                assert_memory_equal(back.prev_hash, op.prev_hash, OP_HASH_BYTES);
                assert_true(back.n_base <= op.n_base);
                for (size_t j = 0; j < op.n_base; j++) {
                        bool found = false;

                        for (size_t k = 0; k < back.n_base; k++)
                                found = found || (str_eq(back.base[k].field, op.base[j].field) && stamp_eq(back.base[k].stamp, op.base[j].stamp));
                        assert_true(found);
                }
                op_hash(buf_view(&record), hash);
                assert_memory_equal(back.hash, hash, OP_HASH_BYTES);
                op_encode(&back, &again);
                assert_true(str_eq(buf_view(&record), buf_view(&again)));
                arena_reset(&arena);
        }
        buf_deinit(&again);
        buf_deinit(&record);
        arena_deinit(&arena);
}

static void bases_given_in_any_order_and_twice_make_one_record(void **state)
{
        struct op_base base[4] = {
                { STR("state"), { .hlc = 9 } }, { STR("assignee"), { .hlc = 7 } }, { STR("state"), { .hlc = 8 } }, { STR("state"), { .hlc = 9 } }
        }, sorted[3] = { base[1], base[2], base[0] };
        struct op a = { .origin_seq = 1, .kind = STR("ticket.set"), .base = base, .n_base = 4 }, b = a;
        struct buf ra = { 0 }, rb = { 0 };

        (void)state;
        b.base = sorted;
        b.n_base = 3;
        op_encode(&a, &ra);
        op_encode(&b, &rb);
        assert_true(str_eq(buf_view(&ra), buf_view(&rb)));
        buf_deinit(&ra);
        buf_deinit(&rb);
}

/* Bytes flipped, cut, doubled: a record that still decodes is another op with another hash, and the only record of that op. */
static void a_changed_record_never_has_the_hash_of_the_first(void **state)
{
        struct dice d = dice_new("op, changed");
        struct arena arena = { 0 };
        struct buf record = { 0 }, again = { 0 };
        int decoded = 0;

        (void)state;
        for (int i = 0; i < 20000; i++) {
                struct op op = any_op(&d, &arena), back;
                uint8_t hash[OP_HASH_BYTES];
                struct str changed;
                char *p;

                op.body.n = op.body.n > 100 ? 100 : op.body.n;
                buf_clear(&record);
                op_encode(&op, &record);
                op_hash(buf_view(&record), hash);
                p = malloc(record.n + 1); /* its own block, so that a sanitizer sees a read past the end */
                changed = (struct str){ p, record.n };
                memcpy(p, record.p, record.n);
                switch (dice_below(&d, 4)) {
                case 0:
                        changed.n = dice_below(&d, record.n);
                        p = realloc(p, changed.n ? changed.n : 1);
                        changed.p = p;
                        break;
                case 1:
                        p[changed.n++] = (char)dice_u64(&d);
                        break;
                default:
                        p[dice_below(&d, dice_below(&d, 2) ? record.n : 40)] ^= (char)(1 + dice_below(&d, 255));
                }
                if (op_decode(changed, &arena, &back) == 0) {
                        decoded++;
                        assert_memory_not_equal(back.hash, hash, OP_HASH_BYTES);
                        buf_clear(&again);
                        op_encode(&back, &again);
                        assert_true(str_eq(changed, buf_view(&again)));
                }
                free(p);
                arena_reset(&arena);
        }
        assert_true(decoded > 1000); /* else this test looked at nothing */
        buf_deinit(&again);
        buf_deinit(&record);
        arena_deinit(&arena);
}

static void assert_refused(struct str record)
{
        struct arena arena = { 0 };
        struct op op;

        assert_int_equal(op_decode(record, &arena, &op), -EBADMSG);
        arena_deinit(&arena);
}

/* The record of a small op, its first bytes replaced. */
static void assert_replaced_refused(size_t at, const char *bytes, size_t n, size_t replaced)
{
        struct op op = { .origin_seq = 1, .kind = STR("a") };
        struct buf record = { 0 }, changed = { 0 };

        op_encode(&op, &record);
        buf_add(&changed, record.p, at);
        buf_add(&changed, bytes, n);
        buf_add(&changed, record.p + at + replaced, record.n - at - replaced);
        assert_refused(buf_view(&changed));
        buf_deinit(&changed);
        buf_deinit(&record);
}

static void what_op_encode_would_not_have_written_is_refused(void **state)
{
        struct op op = { .origin_seq = 1, .kind = STR("a") }, back;
        struct arena arena = { 0 };
        struct buf record = { 0 };
        enum { VERSION_AT = 1, SEQ_AT = 20, N_AT = 39, HLC_AT = 40, BASE_AT = 41, ACTOR_AT = 42, DEVICE_AT = 43, KIND_AT = 46 };

        (void)state;
        op_encode(&op, &record);
        assert_int_equal(op_decode(buf_view(&record), &arena, &back), 0);
        assert_int_equal((uint8_t)record.p[SEQ_AT], 1);
        assert_int_equal((uint8_t)record.p[BASE_AT], 0x90);
        assert_memory_equal(record.p + KIND_AT, "\xa1" "a", 2);

        assert_refused((struct str){ NULL, 0 });
        assert_replaced_refused(0, "\x9e", 1, 1);                           /* fourteen members */
        assert_replaced_refused(0, "\xdc\x00\x0f", 3, 1);                   /* a long array header */
        assert_replaced_refused(VERSION_AT, "\x02", 1, 1);
        assert_replaced_refused(SEQ_AT, "\x00", 1, 1);                      /* they count from 1 */
        assert_replaced_refused(SEQ_AT, "\xcc\x01", 2, 1);                  /* one in two bytes */
        assert_replaced_refused(SEQ_AT, "\xff", 1, 1);
        assert_replaced_refused(SEQ_AT, "\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 9, 1); /* 2^53 */
        assert_replaced_refused(N_AT, "\xce\x00\x01\x00\x00", 5, 1);        /* 65536 */
        assert_replaced_refused(HLC_AT, "\xff", 1, 1);
        assert_replaced_refused(HLC_AT, "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9, 1);
        assert_replaced_refused(BASE_AT, "\xdd\x7f\xff\xff\xff", 5, 1);     /* more bases than bytes */
        assert_replaced_refused(BASE_AT, "\xdc\x00\x41", 3, 1);
        assert_replaced_refused(BASE_AT, "\x91\x91\xa1" "a", 4, 1);
        assert_replaced_refused(ACTOR_AT, "\xc4\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, 1); /* zero is written as nil */
        assert_replaced_refused(ACTOR_AT, "\xc4\x01\x01", 3, 1);
        assert_replaced_refused(DEVICE_AT, "\xa1 ", 2, 1);
        assert_replaced_refused(DEVICE_AT, "\xa1\x7f", 2, 1);
        assert_replaced_refused(KIND_AT, "\xa0", 1, 2);
        assert_replaced_refused(KIND_AT, "\xa1" "A", 2, 2);
        buf_deinit(&record);
        arena_deinit(&arena);
}

static void the_nth_entity_of_a_command_has_its_time_and_an_id_of_its_own(void **state)
{
        struct ulid op_id, second, third;

        (void)state;
        assert_int_equal(ulid_parse(STR("01KQ8X3V00AAAAAAAAAAAAAAAA"), &op_id), 0);
        second = op_entity(op_id, 1);
        third = op_entity(op_id, 2);
        assert_true(ulid_eq(op_entity(op_id, 0), op_id));
        assert_int_equal(ulid_time_ms(second), ulid_time_ms(op_id));
        assert_false(ulid_eq(second, third) || ulid_eq(second, op_id));
        assert_golden("entity_0", op_id.b, 16);
        assert_golden("entity_1", second.b, 16);
        assert_golden("entity_2", third.b, 16);
}

static void a_commitment_depends_on_salt_and_text(void **state)
{
        uint8_t salt[OP_SALT_BYTES], a[OP_HASH_BYTES], b[OP_HASH_BYTES];

        (void)state;
        for (size_t i = 0; i < sizeof(salt); i++)
                salt[i] = (uint8_t)(0x40 + i);
        op_commitment(salt, STR("The printer is on fire"), a);
        assert_golden("salt", salt, sizeof(salt));
        assert_golden("commitment", a, sizeof(a));
        op_commitment(salt, STR(""), b);
        assert_golden("commitment_of_nothing", b, sizeof(b));
        salt[0] ^= 1;
        op_commitment(salt, STR("The printer is on fire"), b);
        assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_op_comes_back_from_its_record),
                cmocka_unit_test(bases_given_in_any_order_and_twice_make_one_record),
                cmocka_unit_test(a_changed_record_never_has_the_hash_of_the_first),
                cmocka_unit_test(what_op_encode_would_not_have_written_is_refused),
                cmocka_unit_test(the_nth_entity_of_a_command_has_its_time_and_an_id_of_its_own),
                cmocka_unit_test(a_commitment_depends_on_salt_and_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
