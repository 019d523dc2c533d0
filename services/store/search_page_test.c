/* Pages of what is found: together they are what one statement over both indexes finds, and each takes what a page takes, whatever else there is. */
#include "store_room.h"

#include "schema/search.h"
#include "search_find.h"

enum { TICKETS = 40, TEXTS = 300, ALL_MAX = TICKETS + 1, MANY = SEARCH_READ_MAX + 50 };

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

static size_t page_of(struct room *room, struct db *db, enum who who, const char *text, const struct search_wanted *page, struct search_hit *ret,
                      struct search_place *ret_next)
{
        struct caller caller = { .user = room->users[who], .role = room_role(who) };
        struct search_query query;
        struct search_fault fault;
        struct search_names names = { 0 };
        struct search_wanted wanted = *page;
        size_t n;

        wanted.query = &query;
        wanted.names = &names;
        assert_int_equal(search_query_parse(str_of(text), &query, &fault), 0);
        assert_int_equal(search_find(db, &caller, &wanted, &room->arena, ret, &n, ret_next), 0);
        return n;
}

static size_t page(struct room *room, struct db *db, enum who who, const char *text, struct search_place from, size_t limit, struct search_hit *ret,
                   struct search_place *ret_next)
{
        return page_of(room, db, who, text, &(struct search_wanted){ .from = from, .limit = limit, SEARCH_BOUNDS }, ret, ret_next);
}

static const struct asked {
        const char *query, *match, *phrase;
        bool solved;
} asked[] = {
        { "printer", "printer", "", false }, { "paper state:solved", "paper", "", true }, { "pri*", "pri*", "", false },
        { "printer paper", "printer AND paper", "", false }, { "\"paper tunnel\"", "paper AND tunnel", "paper tunnel", false },
        { "tunnel-invoice", "tunnel AND invoice", "tunnel invoice", false }, { "umlaut state:solved", "umlaut", "", true },
        { "unheard", "unheard", "", false },
};

/* Said once more, and plainly: each ticket by its newest text. */
static size_t expected(struct db *db, const struct asked *query, const struct ulid *requester, struct search_hit *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT max(s.id), s.ticket FROM search_text s JOIN ticket t ON t.id = s.ticket WHERE (?2 = 0 OR t.state = ?2)"
                                       " AND (?4 IS NULL OR (t.requester = ?4 AND s.source <> 2))"
                                       " AND s.id IN (SELECT rowid FROM search_public WHERE search_public MATCH ?1"
                                       "   UNION ALL SELECT rowid FROM search_notes WHERE search_notes MATCH ?1)"
                                       " AND (SELECT instr(text, ?3) FROM search_content WHERE id = s.id) GROUP BY s.ticket ORDER BY 1 DESC",
                                   "titU", str_of(query->match), (int64_t)(query->solved ? TICKET_STATE_SOLVED : 0), str_of(query->phrase), requester);
        size_t n = 0;

        while (db_step(db, q) > 0)
                ret[n++] = (struct search_hit){ .id = db_column_int(q, 0), .ticket = db_column_ulid(q, 1) };
        return n;
}

static void all_pages_are_what_one_statement_finds(void **state)
{
        struct room *room = *state;
        struct db *db;

        random_desk(room);
        db = reading(room);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
                struct search_hit all[ALL_MAX] = { 0 }, hits[ALL_MAX];
                size_t n_all = expected(db, &asked[i], NULL, all);

                assert_int_equal(n_all > 3, strcmp(asked[i].query, "unheard") != 0);
                for (size_t limit = 1; limit <= TICKETS; limit += 1 + limit / 2) {
                        struct search_place at_page = SEARCH_BEGIN;
                        size_t at = 0;

                        do {
                                size_t n = page(room, db, AGNES, asked[i].query, at_page, limit, hits, &at_page);

                                assert_true(n == limit || !at_page.below);
                                for (size_t k = 0; k < n; k++, at++) {
                                        assert_true(at < n_all);
                                        assert_int_equal(hits[k].id, all[at].id);
                                        assert_memory_equal(&hits[k].ticket, &all[at].ticket, sizeof(struct ulid));
                                }
                        } while (at_page.below);
                        assert_int_equal(at, n_all);
                }
                arena_reset(&room->arena);
        }
        db_close(db);
        room_proof(room);
}

/* Whatever a page may look at, and whoever asks. */
static void small_pages_are_what_one_statement_finds(void **state)
{
        static const enum who askers[] = { AGNES, ALICE };
        struct room *room = *state;
        size_t some = 0;
        struct db *db;

        random_desk(room);
        db = reading(room);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]) * 2; i++) {
                enum who who = askers[i % 2];
                struct search_hit all[ALL_MAX] = { 0 }, hits[ALL_MAX];
                size_t n_all = expected(db, &asked[i / 2], who == ALICE ? &room->users[ALICE] : NULL, all);

                for (int rows_max = 2; rows_max < 40; rows_max += 1 + rows_max / 3) {
                        struct search_wanted wanted = { .from = SEARCH_BEGIN, .limit = 1 + room_random(room) % 5, .rows_max = rows_max, .read_max = rows_max };
                        size_t at = 0;

                        do {
                                size_t n = page_of(room, db, who, asked[i / 2].query, &wanted, hits, &wanted.from);

                                for (size_t k = 0; k < n; k++, at++) {
                                        assert_true(at < n_all);
                                        assert_int_equal(hits[k].id, all[at].id);
                                        assert_int_equal(hits[k].snippet.n > 0, 1);
                                }
                        } while (wanted.from.below);
                        assert_int_equal(at, n_all);
                        some += n_all;
                        arena_reset(&room->arena);
                }
        }
        assert_true(some > 100);
        db_close(db);
}

/* What SQLite's machine did since the last time, in the statements that ask the index; none of them sorts. */
static int64_t steps_taken(struct db *db)
{
        int64_t steps = 0;

        for (sqlite3_stmt *q = sqlite3_next_stmt(db_handle(db), NULL); q; q = sqlite3_next_stmt(db_handle(db), q)) {
                if (!strstr(sqlite3_sql(q), "MATCH"))
                        continue;
                steps += sqlite3_stmt_status(q, SQLITE_STMTSTATUS_VM_STEP, 1);
                assert_int_equal(sqlite3_stmt_status(q, SQLITE_STMTSTATUS_SORT, 1), 0);
        }
        return steps;
}

static void a_page_takes_as_long_whatever_lies_behind_it(void **state)
{
        struct room *room = *state;
        int64_t first[2], second[2];
        struct search_place next;
        struct search_hit hits[10];

        for (int i = 0; i < 2; i++) {
                struct db *db;

                for (int k = 0; k < (i ? 300 : 30); k++) {
                        struct ulid ticket = room_ticket(room, ALICE, "A word that all have").id;

                        assert_int_equal(room_note(room, AGNES, ticket, "They have this word, too", NULL), 0);
                        arena_reset(&room->arena);
                }
                db = reading(room);
                assert_int_equal(page(room, db, AGNES, "word", SEARCH_BEGIN, 10, hits, &next), 10);
                first[i] = steps_taken(db);
                assert_int_equal(page(room, db, AGNES, "word", next, 10, hits, &next), 10);
                second[i] = steps_taken(db);
                db_close(db);
        }
        assert_true(first[0] > 0 && second[0] > 0);
        assert_int_equal(first[1], first[0]);
        assert_int_equal(second[1], second[0]);
}

static int64_t texts_read(struct db *db)
{
        int64_t texts = 0;

        for (sqlite3_stmt *q = sqlite3_next_stmt(db_handle(db), NULL); q; q = sqlite3_next_stmt(db_handle(db), q))
                if (strstr(sqlite3_sql(q), "FROM search_content WHERE id"))
                        texts += sqlite3_stmt_status(q, SQLITE_STMTSTATUS_RUN, 1);
        return texts;
}

static void replies(struct room *room, struct ulid ticket, const char *body, int n)
{
        for (int i = 0; i < n; i++) {
                assert_int_equal(room_reply(room, ALICE, ticket, body, NULL), 0);
                arena_reset(&room->arena);
        }
}

/* A ticket that has more texts of each kind than a page reads. */
static struct ulid long_ticket(struct room *room, int newest_with)
{
        struct ulid own = room_ticket(room, ALICE, "Printer").id;

        replies(room, own, "x y", MANY);
        replies(room, own, "y x", MANY);
        replies(room, own, "x y", newest_with);
        return own;
}

/* In pages of one hit. */
static void each_is_told_once(struct room *room, struct db *db, enum who who, struct ulid own, struct ulid other, int pages_max)
{
        struct search_place next = SEARCH_BEGIN;
        struct ulid told[2];
        size_t n_told = 0;

        texts_read(db);
        for (int pages = 0; next.below; pages++) {
                struct search_hit hits[1];
                size_t n = page(room, db, who, "\"x y\"", next, 1, hits, &next);

                assert_true(pages < pages_max && n_told + n <= 2);
                assert_in_range(texts_read(db), 1, SEARCH_READ_MAX);
                if (n)
                        told[n_told++] = hits[0].ticket;
        }
        assert_int_equal(n_told, 2);
        assert_true(ulid_eq(told[0], own) && ulid_eq(told[1], other));
}

static int64_t alike_steps(struct room *room, struct db *db, const char *subject)
{
        struct search_like likes[1];
        struct str shared[SEARCH_SHARED_MAX];
        size_t n;

        steps_taken(db);
        assert_int_equal(search_alike(db, (struct ulid){ 0 }, str_of(subject), STR(""), &room->arena, 1, likes, &n, shared), 0);
        assert_int_equal(n, 0);
        return steps_taken(db);
}

static void best_reads(struct room *room, struct db *db, const char *text, int64_t texts)
{
        struct search_names names = { 0 };
        struct search_query query;
        struct search_wanted wanted = { .query = &query, .names = &names, .limit = 1, SEARCH_BOUNDS };
        struct search_fault fault;
        struct search_hit hits[1];
        size_t n;

        assert_int_equal(search_query_parse(str_of(text), &query, &fault), 0);
        texts_read(db);
        assert_int_equal(search_find_best(db, &wanted, &room->arena, hits, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(texts_read(db), texts);
}

static void what_is_read_for_a_phrase_is_bounded(void **state)
{
        struct room *room = *state;
        struct ulid other = room_ticket(room, ALICE, "x y").id, own = long_ticket(room, 1);
        struct db *db = reading(room);

        each_is_told_once(room, db, ALICE, own, other, 8);
        each_is_told_once(room, db, AGNES, own, other, 8);
        best_reads(room, db, "\"x x\"", SEARCH_READ_MAX);
        assert_true(alike_steps(room, db, "x–x y–y x–x–x y–y–y") < 2 * alike_steps(room, db, "x–x"));
        db_close(db);
}

/* Each page that comes to one of the older texts must read all the newer ones again, and ends meanwhile. */
static void a_page_goes_on_where_the_one_before_stopped_to_look_back(void **state)
{
        struct room *room = *state;
        struct ulid other = room_ticket(room, ALICE, "x y").id, own = long_ticket(room, 0);
        struct db *db = reading(room);
        struct ticket_search in = { .query = STR("\"x y\""), .limit = 1 };
        int64_t numbers[2] = { 0 };
        size_t n = 0;

        each_is_told_once(room, db, ALICE, own, other, 12);
        db_close(db);
        do { /* by the method's cursors, too */
                struct ticket_search_result found = { 0 };

                assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &in, &found), 0);
                assert_true(n + found.items.n <= 2);
                if (found.items.n)
                        numbers[n++] = found.items.items[0].ticket.number;
                in.has_after = found.has_next;
                in.after = arena_str(&room->arena, found.next);
        } while (in.has_after);
        assert_true(n == 2 && numbers[0] == 2 && numbers[1] == 1);
        in = (struct ticket_search){ .query = in.query, .limit = 1, .has_after = true, .after = STR("elsewhere") };
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &in, &(struct ticket_search_result){ 0 }), FAULT_INVALID_PARAMS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(all_pages_are_what_one_statement_finds, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(small_pages_are_what_one_statement_finds, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(what_is_read_for_a_phrase_is_bounded, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_page_goes_on_where_the_one_before_stopped_to_look_back, room_setup, room_teardown),
                cmocka_unit_test_setup_teardown(a_page_takes_as_long_whatever_lies_behind_it, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
