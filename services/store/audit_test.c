/* What the log says of itself, and what was changed behind its back. */
#include "audit.h"
#include "store_room.h"

static struct ulid grown(struct room *room)
{
        struct ulid ticket = room_ticket(room, ALICE, "History").id;

        for (int i = 0; i < STORE_CHECKPOINT_OPS; i++) {
                assert_int_equal(room_reply(room, ALICE, ticket, "Words", NULL), 0);
                arena_reset(&room->arena);
        }
        return ticket;
}

static void a_sound_log_says_how_far_it_is_signed_redacted_or_not(void **state)
{
        struct room *room = *state;
        struct ulid ticket = grown(room);
        struct verified got = room_verify(room);
        struct comment_redact redact = { .comment = op_entity(ticket, 1), .has_op_id = true, .op_id = room_id(room) };

        assert_true(got.sound && got.checkpoints >= 1 && got.signed_ops >= STORE_CHECKPOINT_OPS && got.signed_ops <= got.ops);
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &redact, &(struct comment_redact_result){ 0 }), 0);
        assert_int_equal(room_verify(room).ops, got.ops + 1);
        room_proof(room);
}

static void a_text_that_was_exchanged_is_found(void **state)
{
        struct room *room = *state;

        room_ticket(room, ALICE, "Mine");
        room_tamper(room, "UPDATE op_text SET text = CAST('Yours' AS BLOB) WHERE text = CAST('Mine' AS BLOB)");
        room_is_told(room, "its record, or a text of it, is not what its hash says");
}

static void of_whole_records_it_is_found_which_text_was_exchanged(void **state)
{
        struct room *room = *state;

        room_ticket(room, ALICE, "Mine");
        room_records_whole(room, room->store->writer.db);
        room_proof(room);
        room_tamper(room, "UPDATE op_text SET text = CAST('Yours' AS BLOB) WHERE text = CAST('Mine' AS BLOB)");
        room_is_told(room, "is not what was committed to");
}

/* Written by hand: the record names what it commits to itself, as after a redaction, and a text stands there that is not it. */
static void a_text_behind_a_record_that_names_its_commitment_is_looked_at(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Mine").id;
        struct comment_redact redact = { .has_op_id = true, .op_id = room_id(room) };
        struct comment comment;

        assert_int_equal(room_reply(room, ALICE, ticket, "A password", &comment), 0);
        redact.comment = comment.id;
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &redact, &(struct comment_redact_result){ 0 }), 0);
        room_proof(room);
        room_tamper(room, "INSERT INTO op_text SELECT (max(seq) - 1) << 6 | 1, zeroblob(32), CAST('Forged' AS BLOB) FROM op");
        room_is_told(room, "the text of field 1 is not what was committed to");
        room_tamper(room, "UPDATE op_text SET salt = x'00' WHERE text = CAST('Forged' AS BLOB)");
        room_is_told(room, "the salt of field 1 has not 32 bytes");
}

static void what_is_left_is_redacted_where_a_text_is_lost(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Mine").id;
        struct comment_redact redact = { .has_op_id = true, .op_id = room_id(room) };
        struct comment_edit edit = { .body = STR("A second password"), .has_op_id = true, .op_id = room_id(room) };
        struct comment comment;
        int64_t left;

        assert_int_equal(room_reply(room, ADMIN, ticket, "A password", &comment), 0);
        edit.comment = redact.comment = comment.id;
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_edit, &edit, &(struct comment_edit_result){ 0 }), 0);
        assert_int_equal(db_run(room->store->writer.db, "DELETE FROM op_text WHERE text = CAST('A password' AS BLOB)"), 0);
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &redact, &(struct comment_redact_result){ 0 }), 0);
        assert_int_equal(db_int(room->store->follow_db, &left, "SELECT count(*) FROM op_text WHERE instr(text, 'password')", ""), 0);
        assert_int_equal(left, 0);
        room_is_told(room, "a text that it committed to is lost");
}

static void a_text_that_is_lost_is_missed_and_what_is_behind_it_is_looked_at(void **state)
{
        struct room *room = *state;
        struct verified got;

        room_ticket(room, ALICE, "Mine");
        grown(room);
        room_ticket(room, BOB, "Yours");
        room_tamper(room, "DELETE FROM op_text WHERE text = CAST('Mine' AS BLOB); UPDATE op_text SET text = x'' WHERE text = CAST('Yours' AS BLOB)");
        got = room_verify(room);
        assert_int_equal(got.problems.n, 2);
        assert_non_null(memmem(got.problems.items[0].p, got.problems.items[0].n, "a text that it committed to is lost", 35));
        assert_non_null(memmem(got.problems.items[1].p, got.problems.items[1].n, "is not what its hash says", 25));
        assert_int_equal(got.ops, room->store->head);
}

#define CHANGE "UPDATE op SET record = (SELECT record FROM op o WHERE o.seq = op.seq - 1) WHERE seq = (SELECT max(seq) - 1 FROM op)"

static void a_record_that_was_changed_is_found(void **state)
{
        struct room *room = *state;

        room_ticket(room, ALICE, "Mine");
        room_tamper(room, CHANGE);
        room_is_told(room, "its record, or a text of it, is not what its hash says");
}

static void a_whole_record_that_was_changed_breaks_the_chain(void **state)
{
        struct room *room = *state;

        room_ticket(room, ALICE, "Mine");
        room_records_whole(room, room->store->writer.db);
        room_tamper(room, CHANGE);
        room_is_told(room, "the chain breaks here");
}

static void a_signature_that_was_changed_is_found(void **state)
{
        struct room *room = *state;

        grown(room);
        room_tamper(room, "UPDATE checkpoint SET signature = zeroblob(64)");
        room_is_told(room, "signature is not good");
        room_tamper(room, "UPDATE checkpoint SET signature = x'00'");
        room_is_told(room, "signature is not good");
}

static void a_log_that_was_cut_off_is_found(void **state)
{
        struct room *room = *state;

        grown(room);
        room_tamper(room, "DELETE FROM op WHERE seq = (SELECT max(seq) FROM op)");
        room_is_told(room, "the log ends with its op");
        room_tamper(room, "DELETE FROM op WHERE seq >= (SELECT max(seq) FROM checkpoint); DELETE FROM chain");
        room_is_told(room, "but a checkpoint vouches for");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_sound_log_says_how_far_it_is_signed_redacted_or_not, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_text_that_was_exchanged_is_found, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(of_whole_records_it_is_found_which_text_was_exchanged, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_text_behind_a_record_that_names_its_commitment_is_looked_at, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_left_is_redacted_where_a_text_is_lost, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_text_that_is_lost_is_missed_and_what_is_behind_it_is_looked_at, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_record_that_was_changed_is_found, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_whole_record_that_was_changed_breaks_the_chain, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_signature_that_was_changed_is_found, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_log_that_was_cut_off_is_found, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
