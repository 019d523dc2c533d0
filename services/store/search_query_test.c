/* The language of search: what is meant by what is typed, and where a mistake is. */
#include "search_query.h"

#include "schema/ticket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct search_query good(const char *text)
{
        struct search_query query;
        struct search_fault fault;

        if (search_query_parse(str_of(text), &query, &fault))
                fail_msg("%s: column %zu: %s", text, fault.column, fault.reason);
        return query;
}

static void fails(const char *text, size_t column, const char *reason)
{
        struct search_query query = { .n_tags = 77 };
        struct search_fault fault = { 0 };

        assert_int_equal(search_query_parse(str_of(text), &query, &fault), -EINVAL);
        if (fault.column != column || !strstr(fault.reason, reason))
                fail_msg("%s: column %zu: %s", text, fault.column, fault.reason);
        assert_int_equal(query.n_tags, 77);
}

static void terms_are_words_phrases_and_beginnings(void **state)
{
        struct search_query q = good("  paper \"blank page\"\tton* \"tag:vpn\" b) x{text}^");

        (void)state;
        assert_true(q.n_terms == 6 && q.n_prefixes == 1);
        assert_true(str_is(q.terms[0].text, "paper") && !q.terms[0].prefix);
        assert_true(str_is(q.terms[1].text, "blank page"));
        assert_true(str_is(q.terms[2].text, "ton") && q.terms[2].prefix);
        assert_true(str_is(q.terms[3].text, "tag:vpn") && str_is(q.terms[4].text, "b)") && str_is(q.terms[5].text, "x{text}^"));
}

static void filters_are_what_they_say(void **state)
{
        struct search_query q;

        (void)state;
        q = good("state:open priority:high -priority:low assignee:me -requester:nobody tag:vpn -tag:\"needs parts\"");
        assert_int_equal(q.n_terms, 0);
        assert_int_equal(q.states, 1 << TICKET_STATE_OPEN);
        assert_int_equal(q.priorities, 1 << PRIORITY_HIGH);
        assert_true(q.assignee.who == SEARCH_ME && !q.assignee.negated && q.requester.who == SEARCH_NOBODY && q.requester.negated);
        assert_true(q.n_tags == 2 && str_is(q.tags[0].text, "vpn") && !q.tags[0].negated);
        assert_true(str_is(q.tags[1].text, "needs parts") && q.tags[1].negated);
        assert_int_equal(good("-state:closed -state:solved").states & 0x1f, 0x1f & ~(1 << TICKET_STATE_CLOSED | 1 << TICKET_STATE_SOLVED));
        q = good("x assignee:\"Agnes Miller\"");
        assert_true(q.assignee.who == SEARCH_SOMEBODY && str_is(q.assignee.name, "Agnes Miller"));
        assert_int_equal(q.assignee.column, 13);
        q = good("type:Outage -team:none field.room:\"B 12\" -field.cost_2:>9.5");
        assert_true(q.type.which == SEARCH_NAMED && str_is(q.type.name, "Outage") && q.team.which == SEARCH_NONE && q.team.negated);
        assert_true(q.n_fields == 2 && str_is(q.fields[0].key, "room") && str_is(q.fields[0].value, "B 12") && q.fields[0].compares == '=');
        assert_true(str_is(q.fields[1].key, "cost_2") && str_is(q.fields[1].value, "9.5") && q.fields[1].compares == '>' && q.fields[1].negated);
        assert_int_equal(q.fields[1].column, 42);
}

static void days_are_whole_and_in_utc(void **state)
{
        struct search_query q = good("created:>2026-01-01 created:<2026-02-01 changed:2026-01-31");

        (void)state;
        assert_int_equal(q.created.from_ms, 1767225600000);
        assert_int_equal(q.created.until_ms, 1769904000000);
        assert_int_equal(q.changed.from_ms, 1769817600000);
        assert_int_equal(q.changed.until_ms, 1769904000000);
        assert_int_equal(good("created:2028-02-29").created.from_ms, 1835395200000);
}

static void a_mistake_is_pointed_at_and_what_is_right_is_said(void **state)
{
        (void)state;
        fails("", 1, "is empty");
        fails("   ", 1, "is empty");
        fails("printer state:opne", 15, "must be one of new, open, pending, solved, closed");
        fails("grün \"blank page", 6, "not closed");
        fails("blank\"page\"", 6, "a space is missing before");
        fails("\"blank\"page", 8, "a space is missing after");
        fails("\"blank page\"*", 13, "without quotation marks");
        fails("ab*", 1, "3 characters");
        fails("äb*", 1, "3 characters");
        fails("pri*nter", 4, "at the end of a word");
        fails("++ x", 1, "letter or digit");
        fails("*", 1, "");
        fails("x -printer", 3, "only a filter can be negated");
        fails("created:>2026-02-30", 10, "must be a day");
        fails("created:yesterday", 9, "must be a day");
        fails("-created:2026-02-01", 1, "can't be negated");
        fails("tag:", 5, "a value is missing");
        fails("field.:x", 1, "a key is missing");
        fails("field.a:<", 10, "a value is missing after <");
        fails("team:a team:b", 8, "given twice");
        fails("tag: vpn", 5, "a value is missing");
        fails("tag:\"\"", 6, "a value is missing");
        fails("https://example.org", 1, "there is no filter https");
        fails("assignee:me assignee:nobody", 13, "given twice");
        fails("a b c d e f g h i j k l m n o p q", 33, "16 words");
        fails("aaa* bbb* ccc* ddd* eee*", 21, "4 at most");
        fails("tag:a tag:b tag:c tag:d tag:e tag:f tag:g tag:h tag:i", 49, "8 at most");
        fails("a\x01", 2, "control character");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(terms_are_words_phrases_and_beginnings),
                cmocka_unit_test(filters_are_what_they_say),
                cmocka_unit_test(days_are_whole_and_in_utc),
                cmocka_unit_test(a_mistake_is_pointed_at_and_what_is_right_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
