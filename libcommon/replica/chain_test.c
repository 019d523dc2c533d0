#include "replica/chain.h"
#include "replica/golden.h"
#include "replica/hlc.h"
#include <errno.h>
#include <sodium.h>

struct fixture {
        uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES], secret_key[CHAIN_SECRET_KEY_BYTES], seed[32];
        struct chain start, chain;
        struct op ops[3];
        struct buf records[3];
        struct arena arena;
};

static struct ulid ulid_from(const char *text)
{
        struct ulid id;

        assert_int_equal(ulid_parse(str_of(text), &id), 0);
        return id;
}

/* The three ops that docs/log.md shows: every member used, hardly any used, and one that follows. */
static int setup(void **state)
{
        static struct op_base base[2];
        struct fixture *f = calloc(1, sizeof(*f));

        *state = f;
        for (size_t i = 0; i < sizeof(f->seed); i++)
                f->seed[i] = (uint8_t)i;
        crypto_sign_seed_keypair(f->public_key, f->secret_key, f->seed);
        chain_init(&f->start, f->public_key);
        f->chain = f->start;
        base[0] = (struct op_base){ STR("state"), { hlc_of(1780000000000, 1), ulid_from("01KQ8X3V00CCCCCCCCCCCCCCCC"), 0 } };
        base[1] = (struct op_base){ STR("assignee"), { hlc_of(1779999999999, 65535), ulid_from("01KQ8X3V00DDDDDDDDDDDDDDDD"), 2 } };
        f->ops[0] = (struct op){
                .op_id = ulid_from("01KQ8X3V00AAAAAAAAAAAAAAAA"),
                .n = 1,
                .hlc = hlc_of(1780000000123, 7),
                .base = base,
                .n_base = 2,
                .actor = ulid_from("01KQ8X3V00EEEEEEEEEEEEEEEE"),
                .device = STR("loopback:127.0.0.2"),
                .device_seq = 300,
                .on_behalf_of = ulid_from("01KQ8X3V00FFFFFFFFFFFFFFFF"),
                .kind = STR("ticket.set"),
                .target = ulid_from("01KQ8X3V00GGGGGGGGGGGGGGGG"),
                .body = STR("\x92\xc0\xa6solved"),
        };
        f->ops[1] = (struct op){ .op_id = ulid_from("01KQ8X3V00BBBBBBBBBBBBBBBB"), .hlc = hlc_of(1780000000124, 0), .kind = STR("timer.fire") };
        f->ops[2] = (struct op){ .op_id = ulid_from("01KQ8X3V00HHHHHHHHHHHHHHHH"), .hlc = hlc_of(1780000000124, 1), .kind = STR("person.set") };
        for (size_t i = 0; i < 3; i++)
                chain_append(&f->chain, &f->ops[i], &f->records[i]);
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        for (size_t i = 0; i < 3; i++)
                buf_deinit(&f->records[i]);
        arena_deinit(&f->arena);
        free(f);
        return 0;
}

static void the_document_has_these_very_bytes(void **state)
{
        struct fixture *f = *state;
        struct checkpoint c;

        assert_golden("seed", f->seed, sizeof(f->seed));
        assert_golden("public_key", f->public_key, sizeof(f->public_key));
        assert_golden("origin", f->start.origin, sizeof(f->start.origin));
        assert_golden("genesis", f->start.head, sizeof(f->start.head));
        assert_golden("record_1", f->records[0].p, f->records[0].n);
        assert_golden("hash_1", f->ops[0].hash, OP_HASH_BYTES);
        assert_golden("record_2", f->records[1].p, f->records[1].n);
        assert_golden("hash_2", f->ops[1].hash, OP_HASH_BYTES);
        f->chain = f->start;
        f->chain.seq = 2;
        memcpy(f->chain.head, f->ops[1].hash, OP_HASH_BYTES);
        checkpoint_sign(&f->chain, 1780000600000, f->secret_key, &c);
        assert_golden("checkpoint_2", c.signature, sizeof(c.signature));
}

static void a_chain_is_followed_from_its_genesis_or_from_any_stored_position(void **state)
{
        struct fixture *f = *state;
        struct chain chain = f->start;
        struct op op;

        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(chain_follow(&chain, buf_view(&f->records[i]), &f->arena, &op), 0);
                assert_memory_equal(op.hash, f->ops[i].hash, OP_HASH_BYTES);
        }
        assert_memory_equal(&chain, &f->chain, sizeof(chain));
        chain_init(&chain, f->public_key);
        chain.seq = 2;
        memcpy(chain.head, f->ops[1].hash, OP_HASH_BYTES);
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[2]), &f->arena, &op), 0);
}

static void a_gap_a_repetition_and_a_foreign_op_break_the_chain_and_leave_it_where_it_was(void **state)
{
        struct fixture *f = *state;
        struct chain chain = f->start, other;
        uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES] = { 1 };
        struct buf foreign = { 0 };
        struct op op = f->ops[0];

        chain_init(&other, public_key);
        chain_append(&other, &op, &foreign);
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[1]), &f->arena, &op), -EILSEQ);
        assert_int_equal(chain_follow(&chain, buf_view(&foreign), &f->arena, &op), -EILSEQ);
        assert_memory_equal(&chain, &f->start, sizeof(chain));
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[0]), &f->arena, &op), 0);
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[0]), &f->arena, &op), -EILSEQ);
        buf_deinit(&foreign);
}

static void an_op_that_was_changed_breaks_the_chain_at_the_next_one(void **state)
{
        struct fixture *f = *state;
        struct chain chain = f->start;
        struct op op;

        f->records[0].p[f->records[0].n - 1] ^= 1; /* of its body: still a record */
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[0]), &f->arena, &op), 0);
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[1]), &f->arena, &op), -EILSEQ);
        f->records[1].p[0] = 0;
        assert_int_equal(chain_follow(&chain, buf_view(&f->records[1]), &f->arena, &op), -EBADMSG);
}

static void a_checkpoint_holds_for_its_own_key_and_its_own_words_only(void **state)
{
        struct fixture *f = *state;
        uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES], secret_key[CHAIN_SECRET_KEY_BYTES], seed[32] = { 9 };
        struct checkpoint c, changed;

        checkpoint_sign(&f->chain, 1780000600000, f->secret_key, &c);
        assert_int_equal(c.seq, 3);
        assert_int_equal(checkpoint_verify(&c, f->public_key), 0);
        crypto_sign_seed_keypair(public_key, secret_key, seed);
        assert_int_equal(checkpoint_verify(&c, public_key), -EBADMSG);
        changed = c;
        changed.seq++;
        assert_int_equal(checkpoint_verify(&changed, f->public_key), -EBADMSG);
        changed = c;
        changed.at++;
        assert_int_equal(checkpoint_verify(&changed, f->public_key), -EBADMSG);
        changed = c;
        changed.head[0] ^= 1;
        assert_int_equal(checkpoint_verify(&changed, f->public_key), -EBADMSG);
        /* Signed by another key in this origin's name. */
        checkpoint_sign(&f->chain, 1780000600000, secret_key, &changed);
        assert_int_equal(checkpoint_verify(&changed, public_key), -EBADMSG);
        assert_int_equal(checkpoint_verify(&changed, f->public_key), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_document_has_these_very_bytes, setup, teardown),
                cmocka_unit_test_setup_teardown(a_chain_is_followed_from_its_genesis_or_from_any_stored_position, setup, teardown),
                cmocka_unit_test_setup_teardown(a_gap_a_repetition_and_a_foreign_op_break_the_chain_and_leave_it_where_it_was, setup, teardown),
                cmocka_unit_test_setup_teardown(an_op_that_was_changed_breaks_the_chain_at_the_next_one, setup, teardown),
                cmocka_unit_test_setup_teardown(a_checkpoint_holds_for_its_own_key_and_its_own_words_only, setup, teardown),
        };

        if (sodium_init() < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
