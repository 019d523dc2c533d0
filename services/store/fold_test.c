/* Any order and any repetition of accepted ops folds to the same tables. The history is a random one, of writers who have
 * seen different parts of it, accepted by a real store. */
#include "audit.h"
#include "fold.h"
#include "schema/link.h"
#include "schema/macro.h"
#include "schema/merge.h"
#include "schema/undo.h"
#include "store_room.h"
#include "schema/label.h"
#include "schema/team.h"

enum { COMMANDS = 250, ORDERS = 12, TICKETS = 5, COMMENTS = 64, CURSORS = 32, TEAMS = 3, LABELS = 2 };

struct history {
        struct ulid tickets[TICKETS], comments[COMMENTS], notes[COMMENTS];
        struct ulid teams[TEAMS], labels[LABELS], field;
        bool has_field;
        size_t n_tickets, n_comments, n_notes, n_cursors, n_teams, n_labels;
        char cursors[CURSORS][64];
        struct ulid macro;
        bool has_macro;
};

static struct str random_seen(struct room *room, struct history *h, bool *ret_has)
{
        *ret_has = h->n_cursors && room_random(room) % 2;
        return *ret_has ? str_of(h->cursors[room_random(room) % h->n_cursors]) : STR("");
}

/* A new one, or another name, or who is in it. */
static void random_team(struct room *room, struct history *h)
{
        static const char *const names[] = { "Network", "Accounts", "Printers" };
        bool is_new = h->n_teams < TEAMS;
        struct team_save team = { .has_team = !is_new, .team = h->teams[room_random(room) % TEAMS], .name = str_of(names[room_random(room) % 3]),
                                  .members = { &room->users[AGNES], room_random(room) % 3 }, .rotate = room_random(room) % 2, .has_op_id = true,
                                  .op_id = room_id(room) };
        struct team_save_result made;

        if (!room_call(room, ADMIN, &schema_method_team_save, &team, &made) && is_new)
                h->teams[h->n_teams++] = made.team.team;
}

/* One that customers now know of, now not. */
static void random_field(struct room *room, struct history *h)
{
        struct field_save field = { .has_field = h->has_field, .field = h->field, .name = STR("Cost"), .key = STR("cost"), .kind = FIELD_KIND_NUMBER,
                                    .access = (int)(room_random(room) % 3), .has_op_id = true, .op_id = room_id(room) };
        struct field_save_result made;

        assert_int_equal(room_call(room, ADMIN, &schema_method_field_save, &field, &made), 0);
        h->field = made.field.field;
        h->has_field = true;
}

static void labels_make(struct room *room, struct history *h)
{
        static const char *const names[LABELS] = { "Waiting for the vendor", "Fixed" };

        for (; h->n_labels < LABELS; h->n_labels++) {
                struct label_save label = { .name = str_of(names[h->n_labels]), .state = h->n_labels ? TICKET_STATE_SOLVED : TICKET_STATE_PENDING,
                                            .has_op_id = true, .op_id = room_id(room) };
                struct label_save_result made;

                assert_int_equal(room_call(room, ADMIN, &schema_method_label_save, &label, &made), 0);
                h->labels[h->n_labels] = made.label.label;
        }
}

static void random_link(struct room *room, struct history *h)
{
        struct link_add add = { .ticket = h->tickets[room_random(room) % h->n_tickets], .kind = (int)(room_random(room) % 8),
                                .other = h->tickets[room_random(room) % h->n_tickets], .has_op_id = true, .op_id = room_id(room) };
        struct link_remove cut = { .ticket = add.ticket, .kind = add.kind, .other = add.other, .has_op_id = true, .op_id = add.op_id };

        if (room_random(room) % 2)
                room_call(room, AGNES, &schema_method_link_add, &add, &(struct link_add_result){ 0 });
        else
                room_call(room, AGNES, &schema_method_link_remove, &cut, &(struct link_remove_result){ 0 });
}

/* Or their last command is undone. */
static void random_merge(struct room *room, struct history *h)
{
        struct ticket_merge merge = { .ticket = h->tickets[room_random(room) % h->n_tickets], .into = h->tickets[room_random(room) % h->n_tickets],
                                      .has_op_id = true, .op_id = room_id(room) };
        struct ticket_split split = { .ticket = merge.ticket, .subject = STR("Split off"), .has_op_id = true, .op_id = merge.op_id };
        struct command_undo undo = { .has_op_id = true, .op_id = merge.op_id };
        struct ulid *pool = room_random(room) % 3 ? h->comments : h->notes;
        size_t n = pool == h->comments ? h->n_comments : h->n_notes;

        switch (room_random(room) % 3) {
        case 0:
                room_call(room, AGNES, &schema_method_ticket_merge, &merge, &(struct ticket_merge_result){ 0 });
                break;
        case 1:
                split.comments.items = &pool[n ? room_random(room) % n : 0];
                split.comments.n = n > 0;
                for (size_t i = 0; n && i < h->n_tickets; i++) { /* the one that it shows on, of which nobody keeps account here */
                        split.ticket = h->tickets[i];
                        room_call(room, AGNES, &schema_method_ticket_split, &split, &(struct ticket_split_result){ 0 });
                }
                break;
        default:
                room_call(room, room_random(room) % 2 ? AGNES : ARTHUR, &schema_method_command_undo, &undo, &(struct command_undo_result){ 0 });
                break;
        }
}

/* A new one, or another batch under the same name, and then it runs. */
static void random_macro(struct room *room, struct history *h, struct ulid ticket)
{
        struct str tag = STR("vpn");
        struct macro_save save = { .has_macro = h->has_macro, .macro = h->macro, .name = STR("Random"), .has_state = true,
                                   .state = (int)(room_random(room) % 5), .has_assign = room_random(room) % 2, .assign = (int)(room_random(room) % 2),
                                   .has_add_tags = room_random(room) % 2, .add_tags = { &tag, 1 }, .has_note = room_random(room) % 3 == 0,
                                   .note = STR("{agent.name}"), .has_op_id = true, .op_id = room_id(room) };
        struct macro_run run = { .ticket = ticket, .has_op_id = true, .op_id = room_id(room) };
        struct macro_save_result made;

        assert_int_equal(room_call(room, ADMIN, &schema_method_macro_save, &save, &made), 0);
        h->macro = run.macro = made.macro.macro;
        h->has_macro = true;
        room_call(room, AGNES, &schema_method_macro_run, &run, &(struct macro_run_result){ 0 });
}

/* One command of somebody; refusals are fine, they leave no op. */
static void random_command(struct room *room, struct history *h)
{
        enum who who = (enum who)(room_random(room) % (ADMIN + 1));
        struct ulid ticket = h->tickets[h->n_tickets ? room_random(room) % h->n_tickets : 0];
        struct ulid people[1] = { room->users[room_random(room) % (ADMIN + 1)] };
        static const char *const tag_names[] = { "vpn", "mail", "printer" };
        struct str tags[1] = { str_of(tag_names[room_random(room) % 3]) };
        struct ticket_set set = { .ticket = ticket };
        struct comment comment;
        struct ticket now;
        struct str cursor;
        int r;

        room->now_ms += room_random(room) % 50 ? (int64_t)(room_random(room) % 3000) : (int64_t)15 * 24 * 60 * 60 * 1000; /* now and then too late */
        switch (room_random(room) % 21) {
        case 0:
                if (h->n_tickets < TICKETS)
                        h->tickets[h->n_tickets++] = room_ticket(room, ALICE, "Random").id;
                break;
        case 1:
        case 2:
                if (h->n_comments < COMMENTS && !room_reply(room, who, ticket, "words for @Agnes and @Bob", &comment))
                        h->comments[h->n_comments++] = comment.id;
                break;
        case 3:
                if (h->n_notes < COMMENTS && !room_note(room, who, ticket, "secret words, @Arthur", &comment))
                        h->notes[h->n_notes++] = comment.id;
                break;
        case 4:
                if (h->n_comments) {
                        struct comment_edit edit = { .comment = h->comments[room_random(room) % h->n_comments], .body = STR("edited"),
                                                     .has_op_id = true, .op_id = room_id(room), .has_made_at = true,
                                                     .made_at = room->now_ms - (int64_t)(room_random(room) % 600000) + 300000 };

                        edit.seen = random_seen(room, h, &edit.has_seen);
                        room_call(room, ADMIN, &schema_method_comment_edit, &edit, &(struct comment_edit_result){ 0 });
                }
                break;
        case 5:
                if (h->n_comments)
                        room_call(room, ADMIN, &schema_method_comment_delete,
                                  &(struct comment_delete){ .comment = h->comments[room_random(room) % h->n_comments], .has_op_id = true,
                                                            .op_id = room_id(room) }, &(struct comment_delete_result){ 0 });
                break;
        case 6:
                if (room_random(room) % 4 == 0 && h->n_notes)
                        room_call(room, ADMIN, &schema_method_comment_redact,
                                  &(struct comment_redact){ .comment = h->notes[room_random(room) % h->n_notes], .has_op_id = true,
                                                            .op_id = room_id(room) }, &(struct comment_redact_result){ 0 });
                if (room_random(room) % 4 == 0 && h->n_comments)
                        room_call(room, ADMIN, &schema_method_comment_redact,
                                  &(struct comment_redact){ .comment = h->comments[room_random(room) % h->n_comments], .has_op_id = true,
                                                            .op_id = room_id(room) }, &(struct comment_redact_result){ 0 });
                break;
        case 7:
                room_due(room);
                r = room_get(room, AGNES, ticket, &now, &cursor);
                if (!r && h->n_cursors < CURSORS)
                        memcpy(h->cursors[h->n_cursors++], cursor.p, cursor.n);
                break;
        case 8:
                random_team(room, h);
                random_field(room, h);
                break;
        case 9:
        case 10:
                random_link(room, h);
                break;
        case 11:
        case 12:
        case 13:
                random_merge(room, h);
                break;
        case 14:
                random_macro(room, h, ticket);
                break;
        default:
                set.seen = random_seen(room, h, &set.has_seen);
                set.has_made_at = room_random(room) % 2;
                set.made_at = room->now_ms - (int64_t)(room_random(room) % 600000) + 300000; /* clocks 5 minutes apart */
                set.has_state = room_random(room) % 3 == 0;
                set.state = (int)(room_random(room) % 5);
                set.has_wake_at = set.has_state && set.state == TICKET_STATE_PENDING && room_random(room) % 2 ? SCHEMA_PRESENT : SCHEMA_ABSENT;
                set.wake_at = room->now_ms + 1 + (int64_t)(room_random(room) % 60000);
                set.has_label = h->n_labels && !set.has_state && room_random(room) % 4 == 0 ? SCHEMA_PRESENT : SCHEMA_ABSENT;
                set.label = h->labels[h->n_labels ? room_random(room) % h->n_labels : 0];
                set.has_priority = room_random(room) % 3 == 0;
                set.priority = (int)(room_random(room) % 4);
                set.has_subject = room_random(room) % 5 == 0;
                set.subject = STR("Another subject");
                set.has_assignee = room_random(room) % 4 == 0 ? SCHEMA_PRESENT : room_random(room) % 6 == 0 ? SCHEMA_NULL : SCHEMA_ABSENT;
                set.assignee = room->users[AGNES + room_random(room) % 2];
                set.has_team = h->n_teams && room_random(room) % 4 == 0 ? SCHEMA_PRESENT : room_random(room) % 9 == 0 ? SCHEMA_NULL : SCHEMA_ABSENT;
                set.team = h->teams[h->n_teams ? room_random(room) % h->n_teams : 0];
                set.has_type = room_random(room) % 9 == 0 ? SCHEMA_NULL : SCHEMA_ABSENT;
                set.has_fields = h->has_field && room_random(room) % 3 == 0;
                set.fields.items = (struct field_change[]){ { h->field, room_random(room) % 3 ? SCHEMA_PRESENT : SCHEMA_NULL, STR("12.50") } };
                set.fields.n = 1;
                set.has_add_tags = room_random(room) % 3 == 0;
                set.add_tags.items = tags;
                set.add_tags.n = 1;
                set.has_remove_tags = !set.has_add_tags && room_random(room) % 3 == 0;
                set.remove_tags.items = tags;
                set.remove_tags.n = 1;
                set.has_add_watchers = room_random(room) % 5 == 0;
                set.add_watchers.items = people;
                set.add_watchers.n = 1;
                set.has_remove_watchers = !set.has_add_watchers && room_random(room) % 5 == 0;
                set.remove_watchers.items = people;
                set.remove_watchers.n = 1;
                room_set(room, AGNES + (enum who)(room_random(room) % 2), set, NULL);
                break;
        }
        arena_reset(&room->arena);
}

/* Every personal field gets a text again, so that it shows which ones the fold deletes, in whatever order. */
static void texts_invent(struct db *db, const struct log_entry *e)
{
        for (uint32_t i = 0; e->kind && i < e->kind->body->n_fields; i++)
                if (e->kind->body->fields[i].flags & SCHEMA_PERSONAL)
                        assert_int_equal(db_do(db, "INSERT INTO op_text(id, salt, text) VALUES(?1, x'00', x'41')", "i", log_text_id(e->seq, i)), 0);
}

static void fold_in_order(struct db *db, struct arena *arena, const struct log_entry *entries, const size_t *order, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct log_entry *e = &entries[order[i]];
                void *body = arena_zalloc(arena, e->kind->body->size);

                assert_int_equal(log_entry_body(db, e, arena, body), 0);
                assert_int_equal(fold_apply(db, e, body), 0);
        }
}

static struct db *fresh(struct room *room, const struct log_entry *entries, size_t n, const char *name)
{
        struct db *db;

        assert_int_equal(db_open(arena_format(&room->arena, "%s/%s", room->folder, name).p, DB_FLEETING, NULL, &store_migrations, &db), 0);
        assert_int_equal(db_begin(db), 0);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(log_place(db, &entries[i]), 0);
                texts_invent(db, &entries[i]);
        }
        return db;
}

static void any_order_and_repetition_of_ops_folds_to_the_same_tables(void **state)
{
        struct room *room = *state;
        struct history history = { 0 };
        struct log_entry *entries;
        struct db *mine, *other;
        struct report report;
        size_t n = 0, *order;
        sqlite3_stmt *q;
        int64_t count;

        labels_make(room, &history);
        history.tickets[history.n_tickets++] = room_ticket(room, ALICE, "First").id;
        for (int i = 0; i < COMMANDS; i++)
                random_command(room, &history);
        room_proof(room);

        assert_int_equal(db_int(room->store->follow_db, &count, "SELECT count(*) FROM op", ""), 0);
        entries = arena_array(&room->arena, (size_t)count, sizeof(*entries));
        order = arena_array(&room->arena, 2 * (size_t)count, sizeof(*order));
        q = db_query(room->store->follow_db, "SELECT " LOG_COLUMNS " FROM op ORDER BY seq", "");
        while (db_step(room->store->follow_db, q) > 0)
                assert_int_equal(log_entry_read(room->store->follow_db, q, &room->arena, &entries[n++]), 0);
        assert_int_equal(n, count);
        for (size_t i = 0; i < n; i++)
                order[i] = i;
        mine = fresh(room, entries, n, "in-order.db");
        fold_in_order(mine, &room->arena, entries, order, n);
        report_init(&report, &room->arena);
        for (int k = 0; k < ORDERS; k++) {
                size_t m = n;

                for (size_t i = 0; i < n; i++) /* some of them twice */
                        if (room_random(room) % 3 == 0)
                                order[m++] = i;
                for (size_t i = m; i > 1; i--) {
                        size_t j = room_random(room) % i, swap = order[j];

                        order[j] = order[i - 1];
                        order[i - 1] = swap;
                }
                other = fresh(room, entries, n, arena_format(&room->arena, "order-%d.db", k).p);
                fold_in_order(other, &room->arena, entries, order, m);
                assert_int_equal(tables_compare(mine, other, &report), 0);
                for (size_t i = 0; i < report.n; i++)
                        print_error("order %d: %.*s\n", k, STR_ARG(report.items[i]));
                assert_int_equal(report.n, 0);
                assert_int_equal(db_commit(other), 0);
                db_close(other);
                for (size_t i = 0; i < n; i++)
                        order[i] = i;
        }
        assert_int_equal(db_commit(mine), 0);
        db_close(mine);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(any_order_and_repetition_of_ops_folds_to_the_same_tables, room_setup, room_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
