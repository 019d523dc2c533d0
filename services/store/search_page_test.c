/* Pages of what is found: together they are what one statement over both indexes finds, and each takes what a page takes, whatever else there is. */
#include "store_room.h"

#include "schema/search.h"
#include "search_find.h"

enum { TICKETS = 40, TEXTS = 300, ALL_MAX = TICKETS + 1 };

static const char *const words[] = { "printer", "paper", "tunnel", "invoice", "umlaut" };

static void random_desk(struct room *room)
{
        struct ulid tickets[TICKETS];

        for (int i = 0; i < TICKETS; i++) {
                tickets[i] = room_ticket(room, i % 3 ? ALICE : BOB, words[room_random(room) % 5]).id;
                if (room_random(room) % 3 == 0)
                        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = tickets[i], .has_state = true,
                                                                                    .state = TICKET_STATE_SOLVED }, NULL), 0);
        }
        for (int i = 0; i < TEXTS; i++) {
                const char *body = arena_format(&room->arena, "%s %s", words[room_random(room) % 5], words[room_random(room) % 5]).p;
                struct ulid ticket = tickets[room_random(room) % TICKETS];

                if (room_random(room) % 2)
                        assert_int_equal(room_note(room, AGNES, ticket, body, NULL), 0);
                else
                        assert_int_equal(room_reply(room, AGNES, ticket, body, NULL), 0);
        }
}

/* The index has taken in all. */
static struct db *reading(struct room *room)
{
        struct ticket_search_result found;
        struct db *db;

        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &(struct ticket_search){ .query = STR("nothing"), .limit = 1 }, &found), 0);
        assert_int_equal(db_open(room->store->path, DB_READ_ONLY, NULL, &store_migrations, &db), 0);
        return db;
}

static size_t page(struct room *room, struct db *db, enum who who, const char *text, int64_t after, size_t limit, struct search_hit *ret, int64_t *ret_next)
{
        struct caller caller = { .user = room->users[who], .role = room_role(who) };
        struct search_query query;
        struct search_fault fault;
        struct search_names names = { 0 };
        struct search_wanted wanted = { .query = &query, .names = &names, .after = after, .limit = limit };
        size_t n;

        assert_int_equal(search_query_parse(str_of(text), &query, &fault), 0);
        assert_int_equal(search_find(db, &caller, &wanted, &room->arena, ret, &n, ret_next), 0);
        return n;
}

/* Said once more, and plainly: each ticket by its newest text. */
static size_t expected(struct db *db, const char *match, const char *phrase, bool solved, struct search_hit *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT max(s.id), s.ticket FROM search_text s JOIN ticket t ON t.id = s.ticket WHERE (?2 = 0 OR t.state = ?2)"
                                       " AND s.id IN (SELECT rowid FROM search_public WHERE search_public MATCH ?1"
                                       "   UNION ALL SELECT rowid FROM search_notes WHERE search_notes MATCH ?1)"
                                       " AND (SELECT instr(text, ?3) FROM search_content WHERE id = s.id) GROUP BY s.ticket ORDER BY 1 DESC",
                                   "tit", str_of(match), (int64_t)(solved ? TICKET_STATE_SOLVED : 0), str_of(phrase));
        size_t n = 0;

        while (db_step(db, q) > 0)
                ret[n++] = (struct search_hit){ .id = db_column_int(q, 0), .ticket = db_column_ulid(q, 1) };
        return n;
}

static void all_pages_are_what_one_statement_finds(void **state)
{
        static const struct {
                const char *query, *match, *phrase;
                bool solved;
        } asked[] = {
                { "printer", "printer", "", false }, { "paper state:solved", "paper", "", true }, { "pri*", "pri*", "", false },
                { "printer paper", "printer AND paper", "", false }, { "\"paper tunnel\"", "paper AND tunnel", "paper tunnel", false },
                { "tunnel-invoice", "tunnel AND invoice", "tunnel invoice", false }, { "umlaut state:solved", "umlaut", "", true },
                { "unheard", "unheard", "", false },
        };
        struct room *room = *state;
        struct db *db;

        random_desk(room);
        db = reading(room);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                struct search_hit all[ALL_MAX] = { 0 }, hits[ALL_MAX];
                size_t n_all = expected(db, asked[i].match, asked[i].phrase, asked[i].solved, all);

                assert_int_equal(n_all > 3, strcmp(asked[i].query, "unheard") != 0);
                for (size_t limit = 1; limit <= TICKETS; limit += 1 + limit / 2) {
                        int64_t after = INT64_MAX;
                        size_t at = 0;

                        do {
                                size_t n = page(room, db, AGNES, asked[i].query, after, limit, hits, &after);

                                assert_true(n == limit || !after);
                                for (size_t k = 0; k < n; k++, at++) {
                                        assert_true(at < n_all);
                                        assert_int_equal(hits[k].id, all[at].id);
                                        assert_memory_equal(&hits[k].ticket, &all[at].ticket, sizeof(struct ulid));
                                }
                        } while (after);
                        assert_int_equal(at, n_all);
                }
                arena_reset(&room->arena);
        }
        db_close(db);
        room_proof(room);
}

/* What SQLite's machine did since the last time, in the statements that make the rows; none of any kind sorts. */
static int64_t steps_taken(struct db *db)
{
        int64_t steps = 0;

        for (sqlite3_stmt *q = sqlite3_next_stmt(db_handle(db), NULL); q; q = sqlite3_next_stmt(db_handle(db), q)) {
                if (strstr(sqlite3_sql(q), "snippet("))
                        steps += sqlite3_stmt_status(q, SQLITE_STMTSTATUS_VM_STEP, 1);
                assert_int_equal(sqlite3_stmt_status(q, SQLITE_STMTSTATUS_SORT, 1), 0);
        }
        return steps;
}

static void a_page_takes_as_long_whatever_lies_behind_it(void **state)
{
        struct room *room = *state;
        int64_t next, first[2], second[2];
        struct search_hit hits[10];

        for (int i = 0; i < 2; i++) {
                struct db *db;

                for (int k = 0; k < (i ? 300 : 30); k++) {
                        struct ulid ticket = room_ticket(room, ALICE, "A word that all have").id;

                        assert_int_equal(room_note(room, AGNES, ticket, "They have this word, too", NULL), 0);
                        arena_reset(&room->arena);
                }
                db = reading(room);
                assert_int_equal(page(room, db, AGNES, "word", INT64_MAX, 10, hits, &next), 10);
                first[i] = steps_taken(db);
                assert_int_equal(page(room, db, AGNES, "word", next, 10, hits, &next), 10);
                second[i] = steps_taken(db);
                db_close(db);
        }
        assert_true(first[0] > 0 && second[0] > 0);
        assert_int_equal(first[1], first[0]);
        assert_int_equal(second[1], second[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(all_pages_are_what_one_statement_finds, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_page_takes_as_long_whatever_lies_behind_it, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
