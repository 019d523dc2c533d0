#include "canned.h"

#include "change.h"
#include "definition.h"
#include "person.h"
#include "placeholder.h"

#include <errno.h>

enum { BODY_MAX = 65536 }; /* characters of a comment; here bytes, which are more */

_Static_assert(sizeof(struct canned_reply) == sizeof(struct op_reply_set), "a canned reply looks as its op does");

int canned_check(struct call *c, const char *field, struct str text)
{
        struct placeholder_fault fault;

        return placeholder_check(text, &fault) ? call_invalid(c, field, "column %zu: %s", fault.column, fault.reason) : 0;
}

static int name_find(struct db *db, struct ulid user, struct arena *arena, struct str *ret)
{
        struct person person;
        int r = person_find(db, user, arena, &person);

        *ret = r ? STR("") : person.name;
        return r == -ENOENT ? 0 : r;
}

static int project_name(struct db *db, struct arena *arena, struct str *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT name FROM project", "");
        int r = db_step(db, q);

        *ret = STR("");
        if (r <= 0)
                return r;
        *ret = arena_str(arena, db_column_str(q, 0));
        db_done(q);
        return 0;
}

int canned_fill(struct db *db, struct call *c, struct ulid agent, const struct ticket_row *row, struct str text, struct str *ret)
{
        struct arena *arena = &c->arena;
        struct str values[PLACEHOLDERS] = { [PLACEHOLDER_NUMBER] = arena_format(arena, "%lld", (long long)row->number) };
        struct buf out = { 0 };
        int r = ticket_subject_text(db, row, arena, &values[PLACEHOLDER_SUBJECT]);

        if (!r)
                r = name_find(db, row->requester, arena, &values[PLACEHOLDER_REQUESTER]);
        if (!r)
                r = name_find(db, agent, arena, &values[PLACEHOLDER_AGENT]);
        if (!r)
                r = project_name(db, arena, &values[PLACEHOLDER_PROJECT]);
        if (r)
                return r;
        placeholder_fill(text, values, &out);
        if (out.n > BODY_MAX)
                r = call_too_large(c, BODY_MAX, "with its placeholders filled in it is too long for a comment");
        else
                *ret = arena_str(arena, buf_view(&out));
        buf_deinit(&out);
        return r;
}

static int room_check(struct tx *tx, struct call *c, const struct reply_save *in)
{
        size_t bytes = in->text.n;
        struct schema_list all;
        int r = definition_list(tx->db, &schema_op_reply_set, NULL, tx->arena, &all);

        for (size_t i = 0; i < all.n && !r; i++) {
                const struct op_reply_set *other = &((const struct op_reply_set *)all.items)[i];

                if (!in->has_reply || !ulid_eq(other->reply, in->reply))
                        bytes += other->text.n;
        }
        if (r || bytes <= CANNED_BYTES_MAX)
                return r;
        return call_too_large(c, CANNED_BYTES_MAX, "all canned replies together have at most %d bytes; shorten one that is retired", CANNED_BYTES_MAX);
}

static int reply_check(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct reply_save *in = params;
        int r = canned_check(c, "text", in->text);

        (void)body;
        return r ? r : room_check(tx, c, in);
}

int store_on_reply_save(struct store *s, struct call *c, const struct reply_save *in, struct reply_save_result *ret)
{
        struct op_reply_set body = { .name = in->name, .text = in->text, .retired = in->retired };

        return definition_handle(s, c, &(struct definition_saving){ &schema_op_reply_set, in->has_reply ? &in->reply : NULL, &body, reply_check }, &ret->reply,
                                 &ret->has_cursor, &ret->cursor);
}

int store_on_reply_list(struct store *s, struct call *c, const struct reply_list *in, struct reply_list_result *ret)
{
        (void)in;
        return definition_list(store_db(s, c), &schema_op_reply_set, NULL, &c->arena, (struct schema_list *)&ret->items);
}

int store_on_reply_render(struct store *s, struct call *c, const struct reply_render *in, struct reply_render_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct op_reply_set reply = { 0 };
        struct ticket_row row;
        int r = found(c, ticket_find_visible(db, &caller, in->ticket, &row));

        if (r)
                return r;
        r = definition_find(db, &schema_op_reply_set, in->reply, &c->arena, &reply);
        if (r)
                return r == -ENOENT ? call_not_found(c) : r;
        return canned_fill(db, c, caller.user, &row, reply.text, &ret->body);
}
