/* A database that was restored from a backup goes on under another instance: a new key beside an old log. */
#include "position.h"
#include "schema/log.h"
#include "schema/personal.h"
#include "schema/read.h"
#include "store_room.h"
#include "tx.h"

/* ---- backups ---- */

static void copy_in(struct room *room, const char *from, const char *to)
{
        char command[256];

        snprintf(command, sizeof(command), "cp '%s/%s' '%s/%s'", room->folder, from, room->folder, to);
        assert_int_equal(system(command), 0);
}

static void backup(struct room *room)
{
        room_close(room);
        copy_in(room, "store.db", "copy.db");
        assert_int_equal(room_open_vfs(room, NULL), 0);
}

static void restore(struct room *room)
{
        room_close(room);
        copy_in(room, "copy.db", "store.db");
        room->instance++;
        assert_int_equal(room_open_vfs(room, NULL), 0);
}

static int64_t told_by(struct room *room, const char *sql)
{
        struct db *db;
        int64_t n;

        assert_int_equal(db_open(arena_format(&room->arena, "%s/store.db", room->folder).p, DB_READ_ONLY, NULL, &store_migrations, &db), 0);
        assert_int_equal(db_int(db, &n, sql, ""), 0);
        db_close(db);
        return n;
}

/* The op at a position: on the loop, as followers read. */
static struct op op_at(struct room *room, int64_t seq)
{
        struct log_entry e;

        assert_int_equal(log_entry_at(room->store->follow_db, seq, &room->arena, &e), 0);
        return e.op;
}

static struct ulid grown(struct room *room, int replies)
{
        struct ulid ticket = room_ticket(room, ALICE, "History").id;

        for (int i = 0; i < replies; i++)
                assert_int_equal(room_reply(room, ALICE, ticket, "Words", NULL), 0);
        return ticket;
}

/* ---- going on ---- */

static void the_log_goes_on_where_it_was_and_a_chain_of_its_own_begins(void **state)
{
        struct room *room = *state;
        struct ulid ticket = grown(room, 5);
        int64_t before, number = room_ticket(room, BOB, "The last one").number;
        uint8_t first[OP_ORIGIN_BYTES];
        struct op last, begin, next;

        memcpy(first, room->store->origin, sizeof(first));
        backup(room);
        before = room->store->head;
        last = op_at(room, before);
        room_ticket(room, BOB, "In the future that is lost");
        room->now_ms -= 60000; /* the clock of the new machine is behind */
        restore(room);
        assert_memory_not_equal(room->store->origin, first, sizeof(first));
        assert_int_equal(room->store->others, before);
        assert_int_equal(room->store->head, before + 1);
        begin = op_at(room, before + 1);
        assert_true(str_is(begin.kind, "instance.begin") && begin.origin_seq == 1);
        assert_memory_equal(begin.origin, room->store->origin, sizeof(begin.origin));
        assert_true(begin.hlc > last.hlc);

        assert_int_equal(room_ticket(room, ALICE, "Behind it").number, number + 1);
        assert_int_equal(room_reply(room, ALICE, ticket, "More words", NULL), 0);
        next = op_at(room, before + 2);
        assert_int_equal(next.origin_seq, 2);
        assert_true(next.hlc > begin.hlc);
        room_proof(room);

        restore(room); /* the same backup once more: a third one */
        assert_int_equal(room->store->others, before);
        room_ticket(room, ALICE, "Behind it, again");
        backup(room);
        restore(room);
        room_ticket(room, ALICE, "A third writer's");
        assert_int_equal(told_by(room, "SELECT count(*) FROM instance"), 3);
        assert_int_equal(op_at(room, room->store->head).origin_seq, room->store->chain.seq);
        room_proof(room);
}

static void a_start_without_a_restore_changes_nothing(void **state)
{
        struct room *room = *state;
        struct project_info_result info;
        struct str key;
        int64_t head;

        grown(room, 2);
        key = arena_bytes(&room->arena, room->store->public_key, sizeof(room->store->public_key));
        backup(room);
        restore(room);
        head = room->store->head;
        backup(room);
        assert_int_equal(room->store->head, head);
        assert_int_equal(room->store->hlc.last, (uint64_t)told_by(room, "SELECT max(hlc) FROM chain"));
        assert_int_equal(room_call(room, STRANGER, &schema_method_project_info, &(struct project_info){ 0 }, &info), 0);
        assert_true(str_eq(info.value.key, key)); /* clients know the desk by it */
        room_proof(room);
}

static void an_instance_that_is_known_and_wrote_nothing_names_what_it_finds_too(void **state)
{
        uint8_t seed[32] = { 1, 1 }, public_key[CHAIN_PUBLIC_KEY_BYTES], secret_key[CHAIN_SECRET_KEY_BYTES];
        struct room *room = *state;
        struct chain chain;

        grown(room, 2);
        crypto_sign_seed_keypair(public_key, secret_key, seed);
        chain_init(&chain, public_key);
        assert_int_equal(db_do(room->store->writer.db, "INSERT INTO instance(origin, public_key) VALUES(?1, ?2)", "bb",
                               (struct str){ (const char *)chain.origin, sizeof(chain.origin) }, (struct str){ (const char *)public_key, sizeof(public_key) }), 0);
        room_close(room);
        room->instance = 1;
        assert_int_equal(room_open_vfs(room, NULL), 0);
        assert_memory_equal(room->store->origin, chain.origin, sizeof(chain.origin));
        assert_true(str_is(op_at(room, room->store->head).kind, "instance.begin"));
        grown(room, 2);
        room_proof(room);
}

/* The log and what the chains say of its length, before a restore and after. */
static void a_log_that_is_shorter_or_longer_than_its_chains_is_refused(void **state)
{
        static const char *const damages[] = { "DELETE FROM op WHERE seq = (SELECT max(seq) FROM op)",
                                               "INSERT INTO op SELECT max(seq) + 1, x'00', 0, scope, audience, NULL, record FROM op",
                                               "DELETE FROM chain WHERE seq = (SELECT min(seq) FROM chain)" };
        struct room *room = *state;

        for (int restored = 0; restored < 3; restored++) {
                grown(room, 3);
                backup(room);
                for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
                        room_close(room);
                        room_tamper(room, damages[i]);
                        room->instance += restored == 2; /* it is found out by who has just been given it, too */
                        assert_int_equal(room_open_vfs(room, NULL), -EBADMSG);
                        store_close(room->store);
                        free(room->store);
                        room->store = NULL;
                        room->instance -= restored == 2;
                        copy_in(room, "copy.db", "store.db");
                        assert_int_equal(room_open_vfs(room, NULL), 0);
                }
                restore(room);
        }
}

/* ---- verify ---- */

static void what_was_changed_is_found_in_each_instance_s_part(void **state)
{
        static const struct {
                const char *sql, *words;
        } changes[] = {
                { "UPDATE op SET record = (SELECT record FROM op WHERE seq = 7) WHERE seq = 8", "op 8: its record, or a text of it, is not what its hash says" },
                { "UPDATE op SET record = (SELECT record FROM op o WHERE o.seq = op.seq - 1) WHERE seq = (SELECT max(seq) - 1 FROM op)",
                  "is not what its hash says" },
                { "UPDATE op SET op_id = CAST(substr(op_id, 1, 8) || zeroblob(8) AS BLOB) WHERE seq = 9", "op 9: its record, or a text of it, is not what its hash says" },
                { "UPDATE op SET audience = randomblob(16) WHERE seq = 9", "op 9: its record, or a text of it, is not what its hash says" },
                { "UPDATE op_name SET name = randomblob(16) WHERE length(name) = 16", "op 1: the key of the instance that wrote it" },
                { "DELETE FROM op_name", "op 1: its record is damaged" },
                { "UPDATE checkpoint SET signature = zeroblob(64) WHERE origin = (SELECT origin FROM instance WHERE n = 1)", "signature is not good" },
                { "UPDATE checkpoint SET signature = zeroblob(64) WHERE origin = (SELECT origin FROM instance WHERE n = 2)", "signature is not good" },
                { "UPDATE checkpoint SET at = at + 1 WHERE origin = (SELECT origin FROM instance WHERE n = 2)", "signature is not good" },
                { "UPDATE chain SET seq = seq + 1 WHERE origin = (SELECT origin FROM instance WHERE n = 1)", "the log ends with its op" },
                { "DELETE FROM op WHERE seq >= (SELECT max(seq) - 20 FROM op) AND seq > (SELECT seq FROM chain WHERE origin ="
                  "  (SELECT origin FROM instance WHERE n = 1)); DELETE FROM instance WHERE n = 2", "the log ends here, by its chains at" },
                { "DELETE FROM instance WHERE n = 1", "op 1: the key of the instance that wrote it" },
                { "DELETE FROM instance WHERE n = 2", "is not known" },
                { "UPDATE instance SET public_key = zeroblob(32) WHERE n = 1", "op 1: the key of the instance that wrote it" },
                { "UPDATE instance SET public_key = x'00'", "is not known" },
        };
        struct room *room = *state;
        struct verified got;

        grown(room, STORE_CHECKPOINT_OPS);
        backup(room);
        restore(room);
        got = room_verify(room); /* what the former one had not signed yet, too */
        assert_true(got.sound && got.checkpoints >= 2);
        assert_int_equal(got.signed_ops, got.ops);
        grown(room, 3);
        backup(room);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
                room_tamper(room, changes[i].sql);
                room_is_told(room, changes[i].words);
                room_close(room);
                copy_in(room, "copy.db", "store.db");
                assert_int_equal(room_open_vfs(room, NULL), 0);
        }
        room_proof(room);
}

/* The last op that the former instance wrote was vouched for by none of its own signatures. */
static void what_was_cut_off_the_former_instance_s_end_is_missed_by_the_next(void **state)
{
        struct room *room = *state;

        grown(room, 3);
        backup(room);
        restore(room);
        grown(room, 3);
        room_records_whole(room, room->store->writer.db);
        room_proof(room);
        room_tamper(room, "DELETE FROM op WHERE seq = (SELECT seq FROM chain WHERE origin = (SELECT origin FROM instance WHERE n = 1));"
                     "UPDATE op SET seq = -(seq - 1) WHERE seq > (SELECT seq FROM chain WHERE origin = (SELECT origin FROM instance WHERE n = 1));"
                     "UPDATE op SET seq = -seq WHERE seq < 0;"
                     "UPDATE chain SET seq = seq - 1 WHERE origin = (SELECT origin FROM instance WHERE n = 1);");
        room_is_told(room, "does not name the op before");
}

/* ---- cursors ---- */

static struct str cursor_at(struct room *room, int64_t seq)
{
        struct str cursor;

        assert_int_equal(position_cursor_at(room->store, room->store->follow_db, seq, &room->arena, &cursor), 0);
        return cursor;
}

static enum position_verdict verdict(struct room *room, struct str cursor, int64_t *ret_seq)
{
        return (enum position_verdict)position_read(room->store, room->store->follow_db, cursor, ret_seq);
}

static struct op_since_result since(struct room *room, struct str cursor)
{
        struct op_since_result got;

        assert_int_equal(room_call(room, AGNES, &schema_method_op_since, &(struct op_since){ .cursor = cursor, .max_bytes = 262144 }, &got), 0);
        return got;
}

static void a_cursor_of_before_stands_where_it_stood_unless_its_future_is_lost(void **state)
{
        struct room *room = *state;
        struct str zero, early, head, lost;
        int64_t before, seq = -1;

        grown(room, 5);
        backup(room);
        before = room->store->head;
        zero = cursor_at(room, 0);
        early = cursor_at(room, 3);
        head = cursor_at(room, before);
        grown(room, 5);
        lost = cursor_at(room, before + 1);
        restore(room);
        grown(room, 5);
        assert_true(verdict(room, zero, &seq) == POSITION_GOOD && seq == 0);
        assert_true(verdict(room, early, &seq) == POSITION_GOOD && seq == 3);
        assert_true(verdict(room, head, &seq) == POSITION_GOOD && seq == before);
        assert_int_equal(verdict(room, lost, &seq), POSITION_LOST);
        assert_true(verdict(room, cursor_at(room, before + 1), &seq) == POSITION_GOOD && seq == before + 1);
        assert_true(verdict(room, cursor_at(room, 0), &seq) == POSITION_GOOD && seq == 0);

        restore(room); /* and what was written between the two is another future that is lost */
        assert_true(verdict(room, head, &seq) == POSITION_GOOD && seq == before);
        assert_int_equal(verdict(room, lost, &seq), POSITION_LOST);
        grown(room, 5);
        head = cursor_at(room, before);
        lost = cursor_at(room, before + 2);
        restore(room); /* of whom the log says nothing any more */
        assert_true(verdict(room, head, &seq) == POSITION_GOOD && seq == before);
        assert_int_equal(verdict(room, lost, &seq), POSITION_LOST);
}

static void who_reads_on_by_a_cursor_of_before_begins_anew(void **state)
{
        struct room *room = *state;
        struct op_since_result got = { 0 };
        struct str head, lost;

        grown(room, 5);
        backup(room);
        head = cursor_at(room, room->store->head);
        grown(room, 5);
        lost = cursor_at(room, room->store->head);
        restore(room);
        room_ticket(room, ALICE, "Behind it");
        for (int i = 0; i < 2; i++) {
                got = since(room, i ? lost : head);
                assert_int_equal(got.mode, SINCE_MODE_RESET);
                assert_true(str_is(got.reason, "the server was restored from a backup"));
                assert_true(str_eq(got.to, cursor_at(room, room->store->head)));
        }
        room_ticket(room, ALICE, "And on");
        got = since(room, got.to);
        assert_int_equal(got.mode, SINCE_MODE_REPLAY);
        assert_int_equal(got.events.n, 2);
}

static void a_change_says_what_was_seen_by_a_cursor_of_before(void **state)
{
        struct room *room = *state;
        struct ulid ticket = grown(room, 1);
        struct ticket now;
        struct str head;

        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_priority = true, .priority = PRIORITY_HIGH }, NULL), 0);
        backup(room);
        head = cursor_at(room, room->store->head);
        restore(room);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_priority = true, .priority = PRIORITY_LOW, .has_seen = true,
                                                                    .seen = head }, &now), 0);
        assert_int_equal(now.priority, PRIORITY_LOW);
        assert_int_equal(now.conflicts.n, 0);
}

/* ---- by chance ---- */

enum { STEPS = 200, OPS_MAX = 2000, PLACES = 60 };

/* The log as it should be: the hash of each op. */
struct future {
        int64_t head;
        uint8_t hash[OPS_MAX][OP_HASH_BYTES];
};

struct place {
        struct str cursor;
        int64_t seq;
        uint8_t hash[OP_HASH_BYTES];
};

/* What was there is there; and what was written since. */
static void read_on(struct room *room, struct future *f)
{
        int64_t head = room->store->head;

        assert_true(head < OPS_MAX && head >= f->head);
        for (int64_t seq = 1; seq <= head; seq++) {
                struct op op = op_at(room, seq);

                if (seq <= f->head)
                        assert_memory_equal(op.hash, f->hash[seq], CURSOR_HASH_BYTES);
                memcpy(f->hash[seq], op.hash, OP_HASH_BYTES);
        }
        f->head = head;
}

static void places_check(struct room *room, const struct future *f, const struct place *places, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                bool there = places[i].seq <= f->head && memcmp(places[i].hash, f->hash[places[i].seq], CURSOR_HASH_BYTES) == 0;
                int64_t seq = -1;

                assert_int_equal(verdict(room, places[i].cursor, &seq), there ? POSITION_GOOD : POSITION_LOST);
                assert_true(!there || seq == places[i].seq);
        }
}

static void something(struct room *room, struct ulid ticket)
{
        switch (room_random(room) % 4) {
        case 0:
                room_ticket(room, BOB, "Another one");
                return;
        case 1:
                assert_int_equal(room_note(room, AGNES, ticket, "Between us", NULL), 0);
                return;
        case 2:
                assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_priority = true,
                                                                            .priority = (int)(room_random(room) % 3) }, NULL), 0);
                return;
        default:
                assert_int_equal(room_reply(room, ALICE, ticket, "Words", NULL), 0);
        }
}

static void whenever_it_is_restored_what_was_there_stays_and_what_was_lost_is_known(void **state)
{
        struct room *room = *state;
        struct future *now = calloc(1, sizeof(*now)), *kept = calloc(1, sizeof(*kept));
        struct ulid ticket = room_ticket(room, ALICE, "History").id;
        struct place places[PLACES];
        size_t n = 0, restores = 0;

        read_on(room, now);
        backup(room);
        *kept = *now;
        for (int step = 0; step < STEPS; step++) {
                room->now_ms += (int64_t)(room_random(room) % 2000) - 900;
                if (room_random(room) % 20 == 0) {
                        backup(room);
                        *kept = *now;
                } else if (room_random(room) % 10 == 0) {
                        restore(room);
                        *now = *kept;
                        restores++;
                } else if (room_random(room) % 12 == 0) {
                        room_close(room); /* as it is */
                        assert_int_equal(room_open_vfs(room, NULL), 0);
                } else {
                        something(room, ticket);
                }
                read_on(room, now);
                if (room_random(room) % 2) {
                        struct place *place = &places[n < PLACES ? n++ : room_random(room) % PLACES];

                        place->seq = 1 + (int64_t)(room_random(room) % (uint64_t)now->head);
                        place->cursor = cursor_at(room, place->seq);
                        memcpy(place->hash, now->hash[place->seq], OP_HASH_BYTES);
                }
                places_check(room, now, places, n);
        }
        assert_true(restores > 10 && n == PLACES);
        room_proof(room);
        free(now);
        free(kept);
}

/* ---- what is users' own ---- */

static struct comment read_by(struct room *room, enum who who, struct ulid ticket)
{
        struct comment comment;

        assert_int_equal(room_reply(room, ALICE, ticket, "Look", &comment), 0);
        assert_int_equal(room_call(room, who, &schema_method_read_mark,
                                   &(struct read_mark){ .ticket = ticket, .comment = comment.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct read_mark_result){ 0 }), 0);
        return comment;
}

static struct personal_follow_result own(struct room *room, int64_t after)
{
        struct personal_follow_result got;

        assert_int_equal(room_call(room, OPERATOR, &schema_method_personal_follow,
                                   &(struct personal_follow){ .has_after = true, .after = after, .max_bytes = 262144 }, &got), 0);
        return got;
}

static void no_change_of_users_own_has_a_number_that_a_lost_one_had(void **state)
{
        struct room *room = *state;
        struct ulid ticket = grown(room, 1);
        struct personal_follow_result got;
        int64_t lost[2];

        read_by(room, AGNES, ticket);
        backup(room);
        for (int i = 0; i < 2; i++) {
                for (int n = 0; n < 3; n++)
                        read_by(room, AGNES, ticket);
                lost[i] = room->store->personal_head;
                room->now_ms += 1000;
                restore(room);
        }
        read_by(room, ARTHUR, ticket);
        assert_true(lost[0] < lost[1]);
        for (int i = 0; i < 2; i++) {
                got = own(room, lost[i]);
                assert_int_equal(got.items.n, 1);
                assert_true(ulid_eq(got.items.items[0].user, room->users[ARTHUR]));
                assert_int_equal(got.head, room->store->personal_head);
        }
        backup(room); /* and a start keeps them */
        assert_int_equal(own(room, got.head - 1).items.n, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_log_goes_on_where_it_was_and_a_chain_of_its_own_begins, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_start_without_a_restore_changes_nothing, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_instance_that_is_known_and_wrote_nothing_names_what_it_finds_too, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_log_that_is_shorter_or_longer_than_its_chains_is_refused, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_changed_is_found_in_each_instance_s_part, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_was_cut_off_the_former_instance_s_end_is_missed_by_the_next, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_cursor_of_before_stands_where_it_stood_unless_its_future_is_lost, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(who_reads_on_by_a_cursor_of_before_begins_anew, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_change_says_what_was_seen_by_a_cursor_of_before, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(whenever_it_is_restored_what_was_there_stays_and_what_was_lost_is_known, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(no_change_of_users_own_has_a_number_that_a_lost_one_had, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
