/* Records come back from their packed form bit by bit, whatever an op is; and nothing that is damaged does harm. */
#include "record.h"
#include "codec.h"
#include "names.h"
#include "replica/dice.h"
#include "replica/hlc.h"
#include "store_room.h"

struct packed {
        struct arena arena;
        struct db *db;
        struct ulid ids[6];     /* of which the ops are made, so that they repeat */
};

static int setup(void **state)
{
        struct packed *p = calloc(1, sizeof(*p));

        *state = p;
        return db_open(":memory:", 0, NULL, &store_migrations, &p->db);
}

static int teardown(void **state)
{
        struct packed *p = *state;

        db_close(p->db);
        arena_deinit(&p->arena);
        free(p);
        return 0;
}

static struct ulid any_id(struct packed *p, struct dice *d)
{
        return dice_below(d, 5) ? p->ids[dice_below(d, 6)] : dice_ulid(d, 1780000000000);
}

static struct str any_of(struct dice *d, const char *const *of, size_t n)
{
        return str_of(of[dice_below(d, n)]);
}

/* A body with ids and commitments, and some that only look so; *ret_texts: of some commitments the texts lie in op_text. */
static struct str any_body(struct packed *p, struct dice *d, int64_t seq, struct record_texts *ret_texts)
{
        struct buf body = { 0 };
        struct str ret;

        ret_texts->n = 0;
        for (uint64_t i = 0, n = dice_below(d, 60); i < n; i++) {
                struct ulid id = any_id(p, d);
                struct record_text *text = &ret_texts->items[ret_texts->n];
                uint8_t salt[OP_SALT_BYTES];
                struct str words;

                switch (dice_below(d, 6)) {
                case 0:
                        msgpack_put_bin(&body, id.b, sizeof(id.b));
                        break;
                case 1:
                        buf_char(&body, (char)0xc4);
                        buf_char(&body, (char)dice_below(d, 40));
                        break;
                case 2:
                        if (ret_texts->n == LOG_TEXT_FIELDS)
                                break;
                        for (size_t k = 0; k < sizeof(salt); k++)
                                salt[k] = (uint8_t)dice_u64(d);
                        words = arena_format(&p->arena, "text %llu", (unsigned long long)dice_u64(d));
                        text->field = (unsigned)ret_texts->n;
                        op_commitment(salt, words, text->commitment);
                        msgpack_put_bin(&body, text->commitment, sizeof(text->commitment));
                        if (dice_below(d, 3)) {
                                assert_int_equal(db_do(p->db, "INSERT INTO op_text(id, salt, text) VALUES(?1, ?2, ?3)", "ibb", log_text_id(seq, text->field),
                                                       (struct str){ (const char *)salt, sizeof(salt) }, words), 0);
                                ret_texts->n++;
                        }
                        break;
                default:
                        buf_add(&body, id.b, dice_below(d, sizeof(id.b) + 1));
                }
        }
        ret = arena_bytes(&p->arena, body.p, body.n);
        buf_deinit(&body);
        return ret;
}

static struct log_entry any_entry(struct packed *p, struct dice *d, int64_t seq, struct record_texts *ret_texts)
{
        static const char *const kinds[] = { "comment.add", "ticket.set", "of.another.version" };
        static const char *const devices[] = { "loopback:127.0.0.2", "", "mycelium:400:1234::1" };
        static const char *const fields[] = { "state", "assignee", "field.x" };
        struct op_base *base = arena_array(&p->arena, 4, sizeof(*base));
        struct log_entry e = { .seq = seq };

        for (size_t i = 0; i < 6; i++)
                p->ids[i] = dice_below(d, 4) ? dice_ulid(d, 1780000000000 + (int64_t)i) : (struct ulid){ 0 };
        e.audience = any_id(p, d);
        e.op = (struct op){
                .origin_seq = dice_below(d, 3) ? seq : 1 + (int64_t)(dice_u64(d) >> 12),
                .op_id = any_id(p, d),
                .n = dice_below(d, 2) ? 0 : (uint32_t)dice_below(d, OP_N_MAX + 1),
                .hlc = dice_below(d, 2) ? hlc_of(1780000000000, (uint16_t)dice_u64(d)) : dice_u64(d) >> (1 + dice_below(d, 60)),
                .base = base,
                .n_base = dice_below(d, 5),
                .actor = any_id(p, d),
                .device = any_of(d, devices, 3),
                .device_seq = (int64_t)(dice_u64(d) >> (11 + dice_below(d, 53))),
                .on_behalf_of = any_id(p, d),
                .kind = any_of(d, kinds, 3),
                .target = any_id(p, d),
        };
        if (dice_below(d, 3) == 0)
                e.op.target = op_entity(e.op.op_id, e.op.n);
        for (size_t i = 0; i < e.op.n_base; i++)
                base[i] = (struct op_base){ any_of(d, fields, 3), { dice_u64(d) >> 1, any_id(p, d), (uint32_t)dice_u64(d) } };
        for (size_t i = 0; i < OP_HASH_BYTES; i++) {
                e.op.origin[i % OP_ORIGIN_BYTES] = (uint8_t)dice_below(d, 2);
                e.op.prev_hash[i] = (uint8_t)dice_u64(d);
        }
        p->ids[0] = e.audience;
        p->ids[1] = e.op.actor;
        p->ids[2] = e.op.target;
        p->ids[3] = e.op.op_id;
        e.op.body = any_body(p, d, seq, ret_texts);
        return e;
}

static void hash_it(struct log_entry *e, struct buf *record)
{
        buf_clear(record);
        op_encode(&e->op, record);
        op_hash(buf_view(record), e->op.hash);
}

/* As its row has it. */
static void place(struct packed *p, const struct log_entry *e, struct str record)
{
        assert_int_equal(db_do(p->db, "INSERT OR REPLACE INTO op(seq, op_id, n, scope, audience, record) VALUES(?1, ?2, ?3, 0, ?4, ?5)", "iuiUb", e->seq, e->op.op_id,
                               (int64_t)e->op.n, ulid_is_zero(e->audience) ? NULL : &e->audience, record), 0);
}

static int read_back(struct packed *p, int64_t seq, bool whole, struct log_entry *ret)
{
        sqlite3_stmt *q = db_query(p->db, "SELECT " LOG_COLUMNS " FROM op WHERE seq = ?1", "i", seq);
        int r;

        assert_int_equal(db_step(p->db, q), 1);
        r = whole ? log_entry_read_whole(p->db, q, &p->arena, ret) : log_entry_read(p->db, q, &p->arena, ret);
        db_done(q);
        return r;
}

static void comes_back(struct packed *p, const struct log_entry *e, struct str record)
{
        struct buf again = { 0 };
        struct log_entry back;

        assert_int_equal(read_back(p, e->seq, true, &back), 0);
        assert_memory_equal(back.op.hash, e->op.hash, record_hash_bytes(e->seq));
        memcpy(back.op.prev_hash, e->op.prev_hash, OP_HASH_BYTES);
        hash_it(&back, &again);
        assert_true(str_eq(buf_view(&again), record));
        assert_ptr_equal(back.kind, schema_op_find(e->op.kind));
        assert_int_equal(read_back(p, e->seq, false, &back), 0);
        assert_int_equal(back.op.body.n, e->op.body.n);
        buf_deinit(&again);
}

static void every_record_comes_back_and_so_it_does_once_its_texts_are_redacted(void **state)
{
        struct dice d = dice_new("record");
        struct buf record = { 0 }, packed = { 0 };
        struct packed *p = *state;
        size_t n_whole = 0, n_packed = 0;

        for (int64_t seq = 1; seq <= 3000; seq++) {
                struct record_texts texts;
                struct log_entry e = any_entry(p, &d, seq, &texts);
                uint8_t hash[RECORD_HASH_BYTES];

                hash_it(&e, &record);
                buf_clear(&packed);
                assert_int_equal(record_pack(p->db, &e, &texts, &packed), 0);
                n_whole += record.n;
                n_packed += packed.n;
                assert_true(record_is_packed(buf_view(&packed)) && !record_is_packed(buf_view(&record)));
                record_hash(buf_view(&packed), hash);
                assert_memory_equal(hash, e.op.hash, RECORD_HASH_BYTES);
                record_hash(buf_view(&record), hash);
                assert_memory_equal(hash, e.op.hash, RECORD_HASH_BYTES);
                place(p, &e, buf_view(&packed));
                comes_back(p, &e, buf_view(&record));

                assert_int_equal(record_redact(p->db, seq), 0);
                assert_int_equal(db_do(p->db, "DELETE FROM op_text", ""), 0);
                comes_back(p, &e, buf_view(&record));
                assert_int_equal(db_do(p->db, "DELETE FROM op", ""), 0);
                arena_reset(&p->arena);
        }
        print_message("records of %zu bytes, packed %zu\n", n_whole / 3000, n_packed / 3000);
        assert_true(n_packed < n_whole);
        buf_deinit(&packed);
        buf_deinit(&record);
}

/* What is read of a damaged one is within an op's limits, so that it can be written and hashed. */
static void a_damaged_record_is_refused_or_read_as_another_op(void **state)
{
        struct dice d = dice_new("damage");
        struct buf record = { 0 }, packed = { 0 };
        struct packed *p = *state;
        int refused = 0;

        for (int64_t seq = 1; seq <= 4000; seq++) {
                struct record_texts texts;
                struct log_entry e = any_entry(p, &d, seq, &texts), back;

                hash_it(&e, &record);
                buf_clear(&packed);
                assert_int_equal(record_pack(p->db, &e, &texts, &packed), 0);
                for (uint64_t i = 0, n = dice_below(&d, 4); i < n; i++)
                        packed.p[1 + dice_below(&d, packed.n - 1)] ^= (char)(1 << dice_below(&d, 8));
                if (dice_below(&d, 2))
                        packed.n -= dice_below(&d, packed.n);
                place(p, &e, buf_view(&packed));
                if (read_back(p, seq, dice_below(&d, 2), &back))
                        refused++;
                else
                        hash_it(&back, &record);
                assert_int_equal(db_do(p->db, "DELETE FROM op", ""), 0);
                assert_int_equal(db_do(p->db, "DELETE FROM op_text", ""), 0);
                arena_reset(&p->arena);
        }
        assert_in_range(refused, 500, 3500);
        buf_deinit(&packed);
        buf_deinit(&record);
}

/* ---- names ---- */

static void what_was_rolled_back_is_not_remembered(void **state)
{
        struct packed *p = *state;
        const struct name *name;
        int64_t number, other, again;

        assert_int_equal(name_number(p->db, STR(""), &number), 0);
        assert_int_equal(number, 0);
        assert_int_equal(db_begin(p->db), 0);
        assert_int_equal(name_number(p->db, STR("one"), &number), 0);
        db_rollback(p->db);
        assert_int_equal(name_find(p->db, number, &name), -ENOENT);
        assert_int_equal(name_number(p->db, STR("another"), &other), 0);
        assert_int_equal(other, number);
        assert_int_equal(name_number(p->db, STR("one"), &number), 0);
        assert_int_not_equal(other, number);

        assert_int_equal(db_begin(p->db), 0);
        assert_int_equal(db_savepoint(p->db), 0);
        assert_int_equal(name_number(p->db, STR("third"), &number), 0);
        db_savepoint_end(p->db, false);
        assert_int_equal(name_number(p->db, STR("fourth"), &again), 0);
        assert_int_equal(again, number);
        assert_int_equal(db_commit(p->db), 0);
        assert_int_equal(name_find(p->db, again, &name), 0);
        assert_true(str_is(name->bytes, "fourth"));
}

static void names_beyond_those_kept_are_found_too(void **state)
{
        struct packed *p = *state;
        const struct name *name;
        int64_t number;

        assert_int_equal(db_begin(p->db), 0);
        for (int i = 0; i < 2 * NAMES_KEPT + 7; i++) {
                assert_int_equal(name_number(p->db, arena_format(&p->arena, "device %d", i), &number), 0);
                assert_int_equal(number, i + 1);
        }
        assert_int_equal(db_commit(p->db), 0);
        for (int i = 0; i < 2 * NAMES_KEPT + 7; i += 101) {
                assert_int_equal(name_find(p->db, i + 1, &name), 0);
                assert_true(str_eq(name->bytes, arena_format(&p->arena, "device %d", i)));
                assert_int_equal(name_number(p->db, name->bytes, &number), 0);
                assert_int_equal(number, i + 1);
        }
        assert_int_equal(name_find(p->db, -1, &name), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(every_record_comes_back_and_so_it_does_once_its_texts_are_redacted, setup, teardown),
                cmocka_unit_test_setup_teardown(a_damaged_record_is_refused_or_read_as_another_op, setup, teardown),
                cmocka_unit_test_setup_teardown(what_was_rolled_back_is_not_remembered, setup, teardown),
                cmocka_unit_test_setup_teardown(names_beyond_those_kept_are_found_too, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
