/* An index without the places of words, asked this way, finds what one finds that has them. */
#include "search_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct room {
        sqlite3 *sqlite;
        struct arena arena;
        uint64_t random;
};

static void run(struct room *room, const char *sql)
{
        if (sqlite3_exec(room->sqlite, sql, NULL, NULL, NULL))
                fail_msg("%s", sqlite3_errmsg(room->sqlite));
}

static int setup(void **state)
{
        static struct room room;

        room = (struct room){ .random = 42 };
        assert_int_equal(sqlite3_open(":memory:", &room.sqlite), 0);
        run(&room, "CREATE TABLE content (id INTEGER PRIMARY KEY, text TEXT);"
                   "CREATE VIRTUAL TABLE placed USING fts5(text, content = 'content', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2');"
                   "CREATE VIRTUAL TABLE bare USING fts5(text, content = 'content', content_rowid = 'id', detail = 'none',"
                   "  tokenize = 'unicode61 remove_diacritics 2');");
        *state = &room;
        return 0;
}

static int teardown(void **state)
{
        struct room *room = *state;

        sqlite3_close(room->sqlite);
        arena_deinit(&room->arena);
        return 0;
}

static void text_add(struct room *room, struct str text)
{
        sqlite3_stmt *q;

        assert_int_equal(sqlite3_prepare_v2(room->sqlite, "INSERT INTO content(text) VALUES(?1)", -1, &q, NULL), 0);
        sqlite3_bind_text(q, 1, text.p, (int)text.n, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(q), SQLITE_DONE);
        sqlite3_finalize(q);
}

static void texts_index(struct room *room)
{
        run(room, "INSERT INTO placed(placed) VALUES('rebuild'); INSERT INTO bare(bare) VALUES('rebuild');");
}

/* "3 7 ": the texts that one of the tables finds; match: whose phrases they must have. */
static const char *found(struct room *room, const char *sql, struct str expression, struct search_match *match)
{
        struct buf out = { 0 };
        const char *ids;
        sqlite3_stmt *q;
        int rc;

        assert_int_equal(sqlite3_prepare_v2(room->sqlite, sql, -1, &q, NULL), 0);
        sqlite3_bind_text(q, 1, expression.p, (int)expression.n, SQLITE_STATIC);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
                struct str text = { (const char *)sqlite3_column_text(q, 1), (size_t)sqlite3_column_bytes(q, 1) };

                if (!match || search_match_holds(match, text))
                        buf_format(&out, "%d ", sqlite3_column_int(q, 0));
        }
        if (rc != SQLITE_DONE)
                fail_msg("%.*s: %s", STR_ARG(expression), sqlite3_errmsg(room->sqlite));
        sqlite3_finalize(q);
        ids = arena_str(&room->arena, buf_view(&out)).p;
        buf_deinit(&out);
        return ids;
}

/* The ids that both find. */
static const char *ask(struct room *room, const char *text)
{
        struct search_query query;
        struct search_fault fault;
        struct search_match match;
        struct buf placed = { 0 };
        const char *by_place, *bare;

        if (search_query_parse(str_of(text), &query, &fault))
                fail_msg("%s: %s", text, fault.reason);
        for (size_t i = 0; i < query.n_terms; i++) {
                buf_text(&placed, i ? " AND " : "");
                search_quote(query.terms[i].text, &placed);
                buf_text(&placed, query.terms[i].prefix ? "*" : "");
        }
        assert_int_equal(search_match_init(room->sqlite, query.terms, query.n_terms, &room->arena, &match), 0);
        by_place = found(room, "SELECT rowid, '' FROM placed WHERE placed MATCH ?1 ORDER BY rowid", buf_view(&placed), NULL);
        bare = found(room, "SELECT rowid, text FROM bare WHERE bare MATCH ?1 ORDER BY rowid", match.expression, &match);
        if (strcmp(by_place, bare) != 0)
                fail_msg("%s: [%s] by their places, [%s] without (%.*s)", text, by_place, bare, STR_ARG(match.expression));
        search_match_deinit(&match);
        buf_deinit(&placed);
        return bare;
}

static void asks(struct room *room, const char *text, const char *expression, size_t phrases)
{
        struct search_query query;
        struct search_fault fault;
        struct search_match match;

        assert_int_equal(search_query_parse(str_of(text), &query, &fault), 0);
        assert_int_equal(search_match_init(room->sqlite, query.terms, query.n_terms, &room->arena, &match), 0);
        assert_string_equal(match.expression.p, expression);
        assert_int_equal(match.n_phrases, phrases);
        search_match_deinit(&match);
}

static void nothing_that_is_typed_is_syntax_of_the_index(void **state)
{
        struct room *room = *state;

        asks(room, "printer", "\"printer\"", 0);
        asks(room, "  blank\tpage ", "\"blank\" AND \"page\"", 0);
        asks(room, "\"blank page\" ton*", "\"blank\" AND \"page\" AND \"ton\"*", 1);
        asks(room, "a OR b) NEAR(c NOT d", "\"a\" AND \"OR\" AND \"b\" AND \"NEAR\" AND \"c\" AND \"NOT\" AND \"d\"", 1);
        asks(room, "\"tag:vpn\" \"-x\"", "\"tag\" AND \"vpn\" AND \"x\"", 1);
        asks(room, "x{text}^ Über", "\"x\" AND \"text\" AND \"Über\"", 1);
        asks(room, "e-mai*", "\"e\" AND \"mai\"*", 1);
        asks(room, "–", "\"–\"", 0);
        asks(room, SEARCH_TICKET_MARK "ab", "\"" SEARCH_TICKET_MARK "ab\"", 1);
}

static void phrases_are_found_where_their_words_stand_in_a_row(void **state)
{
        struct room *room = *state;
        static const char *const texts[] = {
                "The blank page", "The page is blank", "blank, blank – page!", "BLANK\npage and e-mail to ann@example.org", "mail to e@ann.example",
                "Très étrange: 100.5.2", "100 5 2", "a a a b", "a a b a b c", "", "…", "blank blank blank",
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                text_add(room, str_of(texts[i]));
        texts_index(room);
        assert_string_equal(ask(room, "\"blank page\""), "1 3 4 ");
        assert_string_equal(ask(room, "\"blank blank page\""), "3 ");
        assert_string_equal(ask(room, "\"page blank\""), "");
        assert_string_equal(ask(room, "e-mail"), "4 ");
        assert_string_equal(ask(room, "e-mai*"), "4 ");
        assert_string_equal(ask(room, "ann@exam*"), "4 5 ");
        assert_string_equal(ask(room, "ann@example.org blank"), "4 ");
        assert_string_equal(ask(room, "\"tres ETRANGE\" 100.5"), "6 ");
        assert_string_equal(ask(room, "100.5.2"), "6 7 ");
        assert_string_equal(ask(room, "\"a a b\""), "8 9 ");
        assert_string_equal(ask(room, "\"a b\" \"b c\""), "9 ");
        assert_string_equal(ask(room, "\"a b c\" \"a a b\""), "9 ");
        assert_string_equal(ask(room, "…"), "");
        assert_string_equal(ask(room, "… page"), "");
}

static struct str random_text(struct room *room, size_t most)
{
        static const char *const pieces[] = { "a", "b", "ab", "aba", "é", "e", "É", " ", " ", " ", "-", "–", ".", "a b", "7", "中", "\xcc\x81", SEARCH_TICKET_MARK };
        struct buf out = { 0 };
        struct str text;

        for (size_t n = 1 + room->random % most; n-- > 0;) {
                room->random ^= room->random << 13;
                room->random ^= room->random >> 7;
                room->random ^= room->random << 17;
                buf_text(&out, pieces[room->random % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        text = arena_str(&room->arena, buf_view(&out));
        buf_deinit(&out);
        return text;
}

static void random_terms_find_the_same_texts_either_way(void **state)
{
        struct room *room = *state;
        int some = 0;

        for (int i = 0; i < 300; i++)
                text_add(room, random_text(room, 24));
        texts_index(room);
        for (int i = 0; i < 3000; i++) {
                struct search_query query;
                struct search_fault fault;
                const char *text = arena_format(&room->arena, i % 2 ? "\"%s\"" : i % 4 ? "%s*" : "%s", random_text(room, 9).p).p;

                if (!search_query_parse(str_of(text), &query, &fault))
                        some += *ask(room, text) != '\0';
                if (i % 50 == 0)
                        arena_reset(&room->arena);
        }
        assert_true(some > 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(nothing_that_is_typed_is_syntax_of_the_index),
                TEST(phrases_are_found_where_their_words_stand_in_a_row),
                TEST(random_terms_find_the_same_texts_either_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
