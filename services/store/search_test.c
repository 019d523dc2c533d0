/* What is found, by whom, and what is not any more; each story ends with the index being what the log makes of it. */
#include "store_room.h"

#include "schema/search.h"
#include "search_match.h"

static struct ticket_search_result search(struct room *room, enum who who, const char *query)
{
        struct ticket_search_result found = { 0 };
        int r = room_call(room, who, &schema_method_ticket_search, &(struct ticket_search){ .query = str_of(query), .limit = 20 }, &found);

        if (r)
                fail_msg("%s: %d: %.*s", query, r, STR_ARG(room->fault.reason));
        return found;
}

/* The numbers of the tickets found, in order, as "3 1". */
static void finds(struct room *room, enum who who, const char *query, const char *numbers)
{
        struct ticket_search_result found = search(room, who, query);
        struct buf all = { 0 };

        for (size_t i = 0; i < found.items.n; i++)
                buf_format(&all, "%s%lld", i ? " " : "", (long long)found.items.items[i].ticket.number);
        if (strcmp(buf_z(&all), numbers) != 0 || found.has_next)
                fail_msg("%s: found %s, not %s", query, buf_z(&all), numbers);
        buf_deinit(&all);
}

static void refuses(struct room *room, enum who who, const char *query, const char *reason)
{
        struct ticket_search_result found;

        assert_int_equal(room_call(room, who, &schema_method_ticket_search, &(struct ticket_search){ .query = str_of(query), .limit = 20 }, &found),
                         FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "query"));
        if (!strstr(arena_str(&room->arena, room->fault.reason).p, reason))
                fail_msg("%s: %.*s", query, STR_ARG(room->fault.reason));
}

static void edit(struct room *room, enum who who, struct ulid comment, const char *body)
{
        assert_int_equal(room_call(room, who, &schema_method_comment_edit,
                                   &(struct comment_edit){ .comment = comment, .body = str_of(body), .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_edit_result){ 0 }), 0);
}

static void redact(struct room *room, struct ulid comment)
{
        assert_int_equal(room_call(room, ADMIN, &schema_method_comment_redact,
                                   &(struct comment_redact){ .comment = comment, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_redact_result){ 0 }), 0);
}

static void words_are_found_where_they_are_as_they_come_and_go(void **state)
{
        struct room *room = *state;
        struct ticket printer = room_ticket(room, ALICE, "The Drücker burns"), vpn = room_ticket(room, BOB, "No tunnel");
        struct ticket_search_result found;
        struct comment comment;

        assert_int_equal(room_reply(room, ALICE, printer.id, "Every page stays blank, très étrange", &comment), 0);
        finds(room, AGNES, "drucker", "1");
        finds(room, AGNES, "\"blank tres\"", "1");
        finds(room, AGNES, "\"tres blank\"", "");
        finds(room, AGNES, "etran* PAGE", "1");
        finds(room, AGNES, "help", "2 1");
        finds(room, AGNES, "drucker blank", ""); /* not in one text */
        finds(room, ALICE, "help", "1");
        found = search(room, ALICE, "blank");
        assert_true(found.items.n == 1 && found.items.items[0].has_comment && ulid_eq(found.items.items[0].comment, comment.id));
        assert_true(str_is(found.items.items[0].snippet, "Every page stays blank, très étrange"));
        edit(room, ALICE, comment.id, "Every page is black");
        finds(room, AGNES, "blank", "");
        finds(room, AGNES, "black", "1");
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = vpn.id, .has_subject = true, .subject = STR("The VPN is down") }, NULL), 0);
        finds(room, BOB, "tunnel", "");
        finds(room, BOB, "vpn", "2");
        assert_false(search(room, BOB, "vpn").items.items[0].has_comment);
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_delete,
                                   &(struct comment_delete){ .comment = comment.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_delete_result){ 0 }), 0);
        finds(room, AGNES, "black", "");
        room_proof(room);
}

static void customers_find_what_is_theirs_or_watched_and_notes_are_nowhere(void **state)
{
        struct room *room = *state;
        struct ticket alice = room_ticket(room, ALICE, "Zebra one"), bob = room_ticket(room, BOB, "Zebra two");
        struct ticket_search_result found;

        assert_int_equal(room_note(room, AGNES, alice.id, "a zebra, again a quagga", NULL), 0);
        finds(room, AGNES, "zebra", "1 2");
        finds(room, AGNES, "quagga", "1");
        finds(room, ALICE, "zebra", "1");
        finds(room, ALICE, "quagga", "");
        finds(room, ALICE, "state:new", "1");
        finds(room, ALICE, "changed:>2030-01-01", "");
        found = search(room, ALICE, "zebra");
        assert_false(found.items.items[0].has_comment || found.items.items[0].ticket.has_notes);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = bob.id, .has_add_watchers = true,
                                                                    .add_watchers = { &room->users[ALICE], 1 } }, NULL), 0);
        finds(room, ALICE, "zebra", "2 1");
        finds(room, ALICE, "requester:me", "1");
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = bob.id, .has_remove_watchers = true,
                                                                    .remove_watchers = { &room->users[ALICE], 1 } }, NULL), 0);
        finds(room, ALICE, "zebra", "1");
        refuses(room, ALICE, "assignee:Agnes", "column 10: must be me, nobody or an id");
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_similar, &(struct ticket_similar){ .ticket = alice.id, .limit = 5 },
                                   &(struct ticket_similar_result){ 0 }), FAULT_FORBIDDEN);
        room_proof(room);
}

static void filters_narrow_and_all_must_hold(void **state)
{
        struct room *room = *state;
        struct str vpn = STR("vpn"), parts = STR("needs \"parts\"");
        struct ticket one, two, three;

        one = room_ticket(room, ALICE, "Question");
        room->now_ms += 24 * 60 * 60 * 1000; /* 2026-09-22 */
        two = room_ticket(room, ALICE, "Question");
        three = room_ticket(room, BOB, "Question");
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = one.id, .has_add_tags = true, .add_tags = { &vpn, 1 },
                                                                    .has_assignee = SCHEMA_PRESENT, .assignee = room->users[AGNES] }, NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = two.id, .has_add_tags = true, .add_tags = { &parts, 1 },
                                                                    .has_priority = true, .priority = PRIORITY_HIGH }, NULL), 0);
        assert_int_equal(room_set(room, AGNES, (struct ticket_set){ .ticket = three.id, .has_state = true, .state = TICKET_STATE_OPEN }, NULL), 0);
        for (int words = 0; words < 2; words++) {
                static const struct {
                        const char *filters, *numbers;
                } cases[] = {
                        { "-state:closed", "3 2 1" }, { "state:open", "3" },         { "-state:open", "2 1" },
                        { "assignee:me", "1" },       { "assignee:agnes", "1" },     { "assignee:nobody", "3 2" },
                        { "-assignee:me", "3 2" },    { "requester:Alice", "2 1" },  { "-requester:alice", "3" },
                        { "priority:high", "2" },     { "tag:vpn", "1" },            { "-tag:vpn", "3 2" },
                        { "tag:vpn -tag:vpn", "" },   { "state:open state:new", "" }, { "created:<2026-09-22", "1" },
                        { "created:>2026-09-22", "3 2" }, { "created:2026-09-21", "1" }, { "changed:<2026-09-22", "" },
                        { "assignee:agnes tag:vpn created:2026-09-21 state:new", "1" },
                };

                for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                        char query[120];

                        snprintf(query, sizeof(query), "%s%s", words ? "question " : "", cases[i].filters);
                        finds(room, AGNES, query, cases[i].numbers);
                }
        }
        refuses(room, AGNES, "question assignee:Alice", "column 19: is no agent's name");
        refuses(room, AGNES, "question stat:open", "column 10: there is no filter stat");
        room_person(room, ARTHUR, "Agnes", SCHEMA_ROLE_AGENT, true);
        refuses(room, AGNES, "assignee:agnes", "several");
        room_proof(room);
}

static void pages_go_on_and_no_ticket_comes_twice(void **state)
{
        struct room *room = *state;
        struct ticket_search in = { .query = STR("walrus"), .limit = 2 };
        struct ticket_search_result page;
        struct ticket tickets[5];
        int64_t numbers[6];
        size_t n = 0;

        for (int i = 0; i < 5; i++)
                tickets[i] = room_ticket(room, ALICE, "A walrus");
        for (int i = 0; i < 10; i++)
                assert_int_equal(room_reply(room, AGNES, tickets[i % 5].id, "which walrus?", NULL), 0);
        assert_int_equal(room_note(room, AGNES, tickets[0].id, "this walrus", NULL), 0);
        for (enum who who = ALICE; who <= AGNES; who += AGNES - ALICE, n = 0) {
                in.has_after = false;
                do {
                        assert_int_equal(room_call(room, who, &schema_method_ticket_search, &in, &page), 0);
                        for (size_t i = 0; i < page.items.n; i++)
                                numbers[n++] = page.items.items[i].ticket.number;
                        in.has_after = page.has_next;
                        in.after = page.next;
                } while (page.has_next && n < 5);
                assert_int_equal(n, 5);
                for (int i = 0; i < 5; i++)
                        for (int k = 0; k < i; k++)
                                assert_int_not_equal(numbers[i], numbers[k]);
                assert_int_equal(numbers[0], who == ALICE ? 5 : 1);
        }
        in.has_after = true;
        in.after = STR("42");
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &in, &page), FAULT_INVALID_PARAMS);
        assert_true(str_is(room->fault.field, "after"));
}

static void words_with_signs_are_phrases_on_each_page(void **state)
{
        struct room *room = *state;
        struct ticket_search in = { .query = STR("ann@example.org"), .limit = 1 };
        struct ticket_search_result page;
        struct ticket tickets[3];

        for (int i = 0; i < 3; i++) {
                tickets[i] = room_ticket(room, ALICE, "Mail");
                assert_int_equal(room_reply(room, ALICE, tickets[i].id, "from ann@example.org it comes", NULL), 0);
        }
        assert_int_equal(room_reply(room, ALICE, tickets[1].id, "org ann: an example", NULL), 0);        /* the newest with its words */
        assert_int_equal(room_note(room, AGNES, tickets[0].id, "org example ann", NULL), 0);
        finds(room, AGNES, "ann@example.org", "3 2 1");
        finds(room, ALICE, "ann@example.org", "3 2 1");
        finds(room, AGNES, "\"example org it\" com*", "3 2 1");
        finds(room, AGNES, "example-i*", "");
        page = search(room, AGNES, "ann@example.org -requester:Bob");
        assert_true(str_is(page.items.items[0].snippet, "from ann@example.org it comes"));
        assert_int_equal(room_note(room, AGNES, tickets[2].id, "to bob@example.net", NULL), 0);
        assert_true(str_is(search(room, AGNES, "bob@example.net").items.items[0].snippet, "to bob@example.net"));
        finds(room, BOB, "ann@example.org", "");
        for (int64_t number = 3; number >= 1; number--) {
                assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &in, &page), 0);
                assert_true(page.items.n == 1 && page.items.items[0].ticket.number == number && page.has_next == (number > 1));
                in.has_after = true;
                in.after = page.next;
        }
        in = (struct ticket_search){ .query = STR("example-org"), .limit = 10, .order = SEARCH_ORDER_BEST };
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &in, &page), 0);
        assert_int_equal(page.items.n, 3);
}

/* Its word for a ticket can be typed, by who knows how. */
static void a_text_with_the_word_of_another_ticket_is_none_of_its_texts(void **state)
{
        struct room *room = *state;
        struct ticket alice = room_ticket(room, ALICE, "A walrus"), bob = room_ticket(room, BOB, "Question");
        struct buf word = { 0 };
        struct ticket_search in = { .query = STR("walrus"), .limit = 1 };
        struct ticket_search_result page;

        search_ticket_word(alice.id, &word);
        finds(room, AGNES, buf_z(&word), "");
        assert_int_equal(room_reply(room, BOB, bob.id, arena_format(&room->arena, "%s walrus", buf_z(&word)).p, NULL), 0);
        finds(room, AGNES, buf_z(&word), "2");
        finds(room, AGNES, arena_format(&room->arena, "%.5s*", buf_z(&word)).p, "2");
        finds(room, ALICE, buf_z(&word), "");
        finds(room, ALICE, "walrus", "1");
        for (int64_t number = 2; number >= 1; number--) {
                assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &in, &page), 0);
                assert_true(page.items.n == 1 && page.items.items[0].ticket.number == number);
                in.has_after = page.has_next;
                in.after = page.next;
        }
        buf_deinit(&word);
        room_proof(room);
}

/* The writer's thread says when. */
static void await_clean(struct room *room)
{
        while (room->store->search.stained || room->store->scrub)
                sched_yield();
}

static void redacted_words_are_in_no_file_though_they_were_edited_quoted_and_deleted(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Words");
        struct comment edited, deleted, note;
        char command[160];

        assert_int_equal(room_reply(room, ALICE, ticket.id, "my xylophonist4711 is here", &edited), 0);
        assert_int_equal(room_reply(room, ALICE, ticket.id, "> my xylophonist4711\n\nthe xylophonist4713", &deleted), 0);
        assert_int_equal(room_note(room, AGNES, ticket.id, "she said xylophonist4714", &note), 0);
        finds(room, ALICE, "xylophonist4711", "1");
        finds(room, AGNES, "xylo*", "1");
        edit(room, ALICE, edited.id, "my xylophonist4712");
        finds(room, ALICE, "xylophonist4712", "1");
        assert_int_equal(room_call(room, ALICE, &schema_method_comment_delete,
                                   &(struct comment_delete){ .comment = deleted.id, .has_op_id = true, .op_id = room_id(room) },
                                   &(struct comment_delete_result){ 0 }), 0);
        finds(room, ALICE, "xylophonist4713", "");
        redact(room, edited.id);
        finds(room, ALICE, "xylo*", "");
        redact(room, note.id);
        redact(room, deleted.id);
        finds(room, AGNES, "xylo*", "");
        finds(room, AGNES, "help", "1");
        room_proof(room);
        await_clean(room);
        /* FTS5 keeps a word without what it has in common with the one before: some of it is enough */
        snprintf(command, sizeof(command), "! grep -arqi 'lophonist' '%s'", room->folder);
        assert_int_equal(system(command), 0);
        room_close(room);
        assert_int_equal(system(command), 0);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        finds(room, AGNES, "help", "1");
        room_proof(room);
}

/* Many texts that are in no table: the index alone is large. */
static int enlarge(struct task *task)
{
        enum { TEXTS = 4000, WORDS = 30 };
        struct room *room = ((struct room_person *)task)->room;
        struct buf text = { 0 };
        int r = 0;

        for (int i = 0; i < TEXTS && !r; i++) {
                buf_clear(&text);
                for (int k = 0; k < WORDS; k++)
                        buf_format(&text, "w%llu ", (unsigned long long)(room_random(room) % 20000));
                r = db_do(room->store->writer.db, "INSERT INTO search_public(rowid, text, ticket) VALUES(?1, ?2, '')", "it", (int64_t)1000000 + i,
                          buf_view(&text));
        }
        buf_deinit(&text);
        return r;
}

static void a_redaction_is_finished_beside_commands_and_over_a_new_start(void **state)
{
        struct room *room = *state;
        struct room_person p = { .task = { .run = enlarge, .done = room_person_done }, .room = room };
        struct ticket ticket = room_ticket(room, ALICE, "Words");
        struct comment comment;
        char command[160];

        queue_task(&room->store->writer.queue, &p.task);
        while (!p.done)
                sched_yield();
        assert_int_equal(room_reply(room, ALICE, ticket.id, "my xylophonist4711 is here", &comment), 0);
        finds(room, ALICE, "xylophonist4711", "1");
        redact(room, comment.id);
        finds(room, ALICE, "xylo*", "");                         /* at once */
        assert_int_equal(room_reply(room, ALICE, ticket.id, "an okapi", NULL), 0);
        room_close(room);                                        /* wherever it is */
        assert_int_equal(room_open_vfs(room, NULL), 0);
        finds(room, ALICE, "okapi", "1");                        /* waits for it, and is taken in behind it */
        await_clean(room);
        snprintf(command, sizeof(command), "! grep -arqi 'lophonist' '%s'", room->folder);
        assert_int_equal(system(command), 0);
        finds(room, ALICE, "w1", "");                            /* of no ticket of hers */
}

static void similar_tickets_share_rare_words(void **state)
{
        struct room *room = *state;
        struct ticket_similar_result found;
        struct ticket ticket;

        room_ticket(room, BOB, "The tuba in hall seven squeaks");
        room_ticket(room, BOB, "A tuba needs valves");
        room_ticket(room, BOB, "Something else");
        room_ticket(room, BOB, "Two here and one there");
        ticket = room_ticket(room, ALICE, "My tuba squeaks: one–two");  /* with a dash that the index takes for none of its letters */
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_similar, &(struct ticket_similar){ .ticket = ticket.id, .limit = 2 }, &found), 0);
        assert_int_equal(found.items.n, 2);
        assert_int_equal(found.items.items[0].ticket.number, 1);
        assert_true(found.items.items[0].shared.n >= 2 && str_is(found.items.items[0].shared.items[0], "squeaks"));
        assert_int_equal(found.items.items[1].ticket.number, 2);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_similar, &(struct ticket_similar){ .ticket = room_id(room), .limit = 2 }, &found),
                         FAULT_NOT_FOUND);
}

/* The writer begins by itself, and goes on where it was after a new start. */
static void the_index_keeps_up_in_batches_and_over_a_new_start(void **state)
{
        struct room *room = *state;
        struct ticket ticket = room_ticket(room, ALICE, "Many words");

        for (int i = 0; i < SEARCH_LAG + 10; i++)
                assert_int_equal(room_reply(room, AGNES, ticket.id, i == 3 ? "an okapi" : "words", NULL), 0);
        while (!room->store->search.indexed) /* the writer's thread says when */
                sched_yield();
        assert_int_equal(room_reply(room, AGNES, ticket.id, "a gnu", NULL), 0);
        assert_true(room->store->search.indexed < room->store->head);
        room_close(room);
        assert_int_equal(room_open_vfs(room, NULL), 0);
        finds(room, ALICE, "okapi", "1");
        finds(room, ALICE, "gnu", "1");
        assert_int_equal(room->store->search.indexed, room->store->head);
        room_proof(room);
}

static int forge_word(struct task *task)
{
        return db_do(((struct room_person *)task)->room->store->writer.db,
                     "INSERT INTO search_public(rowid, text, ticket) VALUES(1000, 'forged', '')", "");
}

static int forge_text(struct task *task)
{
        return db_do(((struct room_person *)task)->room->store->writer.db, "INSERT INTO search_notes(rowid, text, ticket) VALUES(1001, '', '')", "");
}

static void rebuild_tells_of_an_index_that_is_not_what_the_log_says(void **state)
{
        static const struct {
                int (*run)(struct task *task);
                const char *said;
        } forged[] = { { forge_text, "search_notes its texts and words: count is not" }, { forge_word, "search_public forged: term is not" } };
        struct room *room = *state;
        struct rebuilt rebuilt;

        room_ticket(room, ALICE, "Words");
        room_proof(room);
        for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
                struct room_person p = { .task = { .run = forged[i].run, .done = room_person_done }, .room = room };

                queue_task(&room->store->writer.queue, &p.task);
                while (!p.done)
                        sched_yield();
                rebuilt = room_rebuild(room);
                assert_false(rebuilt.equal);
                if (!str_starts(rebuilt.differences.items[0], forged[i].said))
                        fail_msg("%.*s", STR_ARG(rebuilt.differences.items[0]));
        }
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
static void the_best_comes_first_for_agents(void **state)
{
        struct room *room = *state;
        struct ticket_search search = { .query = STR("zeppelin"), .limit = 10, .order = SEARCH_ORDER_BEST };
        struct ticket_search_result found;
        size_t at[3] = { 9, 9, 9 };
        struct ulid thrice = room_ticket(room, ALICE, "s").id, once = room_ticket(room, ALICE, "s").id, note = room_ticket(room, ALICE, "s").id;

        assert_int_equal(room_reply(room, AGNES, thrice, "A zeppelin, the zeppelin, all of my zeppelin", NULL), 0);
        assert_int_equal(room_note(room, AGNES, note, "Somewhere in this note of many words, which go on and on, there is a zeppelin; and then there are more words still", NULL), 0);
        assert_int_equal(room_reply(room, AGNES, once, "We have seen no zeppelin since last week, and nobody else has either, I am afraid", NULL), 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(room_reply(room, AGNES, room_ticket(room, BOB, "Other").id, "Something else altogether", NULL), 0);
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &search, &found), 0);
        assert_int_equal(found.items.n, 3);
        assert_false(found.has_next);
        for (size_t i = 0; i < 3; i++)
                at[ulid_eq(found.items.items[i].ticket.id, thrice) ? 0 : ulid_eq(found.items.items[i].ticket.id, once) ? 1 : 2] = i;
        assert_true(at[0] < at[1]);
        assert_true(at[0] + at[1] + at[2] == 3);
        search.limit = 1;
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &search, &found), 0);
        assert_int_equal(found.items.n, 1);
        assert_int_equal(room_call(room, ALICE, &schema_method_ticket_search, &search, &found), FAULT_INVALID_PARAMS);
        search.query = STR("state:new");
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &search, &found), FAULT_INVALID_PARAMS);
        search.query = STR("zeppelin -state:new -state:open");
        assert_int_equal(room_call(room, AGNES, &schema_method_ticket_search, &search, &found), 0);
        assert_int_equal(found.items.n, 0);
        room_proof(room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(words_are_found_where_they_are_as_they_come_and_go),
                STORY(customers_find_what_is_theirs_or_watched_and_notes_are_nowhere),
                STORY(filters_narrow_and_all_must_hold),
                STORY(pages_go_on_and_no_ticket_comes_twice),
                STORY(words_with_signs_are_phrases_on_each_page),
                STORY(a_text_with_the_word_of_another_ticket_is_none_of_its_texts),
                STORY(redacted_words_are_in_no_file_though_they_were_edited_quoted_and_deleted),
                STORY(a_redaction_is_finished_beside_commands_and_over_a_new_start),
                STORY(similar_tickets_share_rare_words),
                STORY(the_index_keeps_up_in_batches_and_over_a_new_start),
                STORY(rebuild_tells_of_an_index_that_is_not_what_the_log_says),
                cmocka_unit_test_setup_teardown(the_best_comes_first_for_agents, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
