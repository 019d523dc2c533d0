/* A database that an older program made goes on as if this one had made it. */
#include "schema/field.h"
#include "schema/search.h"
#include "store_room.h"

/* Texts had keys of their own, and the index of texts a table with each one's op and entity. */
enum { TEXTS_BY_OP = 16 };
static const char texts_by_op[] =
        ROOM_COMMENTS_BY_OP
        "CREATE TABLE old_text (op_id BLOB NOT NULL, n INTEGER NOT NULL, field INTEGER NOT NULL, salt BLOB NOT NULL, text BLOB NOT NULL,"
        "  PRIMARY KEY(op_id, n, field)) WITHOUT ROWID;"
        "INSERT INTO old_text SELECT o.op_id, o.n, t.id & 63, t.salt, t.text FROM op_text t JOIN op o ON o.seq = t.id >> 6;"
        "CREATE TABLE old_search (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, ticket BLOB NOT NULL, entity BLOB, op_id BLOB NOT NULL,"
        "  n INTEGER NOT NULL, field INTEGER NOT NULL);"
        "INSERT INTO old_search SELECT s.id, s.source, s.ticket, coalesce(s.field, (SELECT id FROM comment c WHERE c.op_id = m.op_id AND c.n = m.n),"
        "    (SELECT id FROM note c WHERE c.op_id = m.op_id AND c.n = m.n)), o.op_id, o.n, s.text & 63"
        "  FROM search_text s JOIN op m ON m.seq = s.id JOIN op o ON o.seq = s.text >> 6;"
        "DROP VIEW search_content; DROP TABLE op_text; DROP TABLE search_text; DROP TABLE instance; DROP TABLE backup; DROP TABLE op_name;"
        "ALTER TABLE old_text RENAME TO op_text; ALTER TABLE old_search RENAME TO search_text;"
        "CREATE INDEX search_text_by_op ON search_text(op_id, n);"
        "CREATE VIEW search_content AS SELECT s.id AS id, CAST(t.text AS TEXT) AS text, hex(s.ticket) AS ticket"
        "  FROM search_text s JOIN op_text t ON t.op_id = s.op_id AND t.n = s.n AND t.field = s.field;";

/* The index of texts had the places of words, and a column for the word of a ticket. */
enum { WORDS_BY_PLACE = 22 };
#define BY_PLACE(table, notes)                                                                                         \
        "DROP TABLE " table "_words; DROP TABLE " table ";"                                                            \
        "CREATE VIRTUAL TABLE " table " USING fts5(text, ticket, content = 'search_content', content_rowid = 'id',"    \
        "  tokenize = 'unicode61 remove_diacritics 2');"                                                               \
        "INSERT INTO " table "(rowid, text, ticket) SELECT c.id, c.text, c.ticket FROM search_content c JOIN search_text s ON s.id = c.id"    \
        "  WHERE (s.source IN (2, 4)) = " notes ";"                                                                    \
        "CREATE VIRTUAL TABLE " table "_words USING fts5vocab(" table ", col);"
static const char words_by_place[] =
        ROOM_COMMENTS_BY_OP
        "DROP VIEW search_content;"
        "CREATE VIEW search_content AS SELECT s.id AS id, CAST(t.text AS TEXT) AS text, hex(s.ticket) AS ticket"
        "  FROM search_text s JOIN op_text t ON t.id = s.text;"
        BY_PLACE("search_public", "0") BY_PLACE("search_notes", "1")
        "INSERT INTO position(name, after) VALUES('scrub search_notes', 1);";

static void go_back(struct room *room, const char *sql, int version)
{
        struct db *db;

        room_records_whole(room, room->store->writer.db);
        room_close(room);
        assert_int_equal(db_open(arena_format(&room->arena, "%s/store.db", room->folder).p, 0, NULL, &store_migrations, &db), 0);
        assert_int_equal(db_begin(db), 0);
        if (db_run(db, sql))
                fail_msg("%s", db_error(db));
        assert_int_equal(db_run(db, arena_format(&room->arena, "PRAGMA user_version = %d", version).p), 0);
        assert_int_equal(db_commit(db), 0);
        db_close(db);
        assert_int_equal(room_open_vfs(room, NULL), 0);
}

static struct ulid search(struct room *room, const char *words, size_t n)
{
        struct ticket_search_result got;

        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &(struct ticket_search){ .query = str_of(words), .limit = 10 }, &got), 0);
        assert_int_equal(got.items.n, n);
        return n && got.items.items[0].has_comment ? got.items.items[0].comment : (struct ulid){ 0 };
}

static void edit(struct room *room, struct ulid comment, const char *body)
{
        struct comment_edit params = { .comment = comment, .body = str_of(body), .has_op_id = true, .op_id = room_id(room) };

        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_edit, &params, &(struct comment_edit_result){ 0 }), 0);
}

static void redact(struct room *room, struct ulid comment)
{
        struct comment_redact params = { .comment = comment, .has_op_id = true, .op_id = room_id(room) };

        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact, &params, &(struct comment_redact_result){ 0 }), 0);
}

static void texts_of_before_are_found_edited_and_redacted(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Toner").id, first = op_entity(ticket, 1);
        struct field_save field = { .name = STR("Room"), .key = STR("room"), .kind = FIELD_KIND_TEXT, .has_op_id = true, .op_id = room_id(room) };
        struct field_save_result made;
        struct comment plain, edited, note, gone;
        struct field_change change;

        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &field, &made), 0);
        change = (struct field_change){ made.field.field, SCHEMA_PRESENT, STR("basement") };
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_fields = true, .fields = { &change, 1 } }, NULL), 0);
        assert_int_equal(room_reply(room, ALICE, ticket, "cartridge", &plain), 0);
        assert_int_equal(room_reply(room, ALICE, ticket, "misspelt", &edited), 0);
        assert_int_equal(room_reply(room, ALICE, ticket, "password", &gone), 0);
        assert_int_equal(room_note(room, AGNES, ticket, "vendor", &note), 0);
        edit(room, edited.id, "corrected");
        redact(room, gone.id);
        search(room, "cartridge", 1);

        go_back(room, texts_by_op, TEXTS_BY_OP);
        assert_true(ulid_eq(search(room, "cartridge", 1), plain.id));
        assert_true(ulid_eq(search(room, "corrected", 1), edited.id));
        assert_true(ulid_eq(search(room, "vendor", 1), note.id));
        search(room, "toner", 1);
        search(room, "basement", 1);
        search(room, "field.room:basement", 1);
        search(room, "misspelt", 0);
        search(room, "password", 0);
        edit(room, plain.id, "drum");
        redact(room, edited.id);
        redact(room, first);
        change.value = STR("attic");
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = ticket, .has_fields = true, .fields = { &change, 1 } }, NULL), 0);
        assert_true(ulid_eq(search(room, "drum", 1), plain.id));
        search(room, "cartridge", 0);
        search(room, "corrected", 0);
        search(room, "help", 0);
        search(room, "basement", 0);
        search(room, "attic", 1);
        room_proof(room);
}

static void an_index_of_before_is_made_anew_behind_the_start(void **state)
{
        struct room *room = *state;
        struct ulid ticket = room_ticket(room, ALICE, "Toner").id;
        struct comment comment, note;

        assert_int_equal(room_reply(room, ALICE, ticket, "the cartridge is blank", &comment), 0);
        assert_int_equal(room_note(room, AGNES, ticket, "ask the vendor", &note), 0);
        search(room, "toner", 1);
        go_back(room, words_by_place, WORDS_BY_PLACE);
        assert_int_equal(room_reply(room, ALICE, ticket, "an okapi", NULL), 0);
        assert_true(ulid_eq(search(room, "\"cartridge is\"", 1), comment.id));
        assert_true(ulid_eq(search(room, "\"the vendor\"", 1), note.id));
        search(room, "okapi", 1);
        assert_false(room->store->search.stained);
        edit(room, comment.id, "the drum");
        search(room, "cartridge", 0);
        search(room, "drum", 1);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(texts_of_before_are_found_edited_and_redacted, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(an_index_of_before_is_made_anew_behind_the_start, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
