#include "field.h"

#include "day.h"
#include "definition.h"
#include "registers.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(struct field) == sizeof(struct op_field_set) && sizeof(struct op_ticket_field) == sizeof(struct op_ticket_inner_field),
               "a field looks as its op does, and an inner one's value as another's");

enum { FIELD_TEXT = 2, FIELD_DIGITS_MAX = 15, FIELDS_MAX = 100 }; /* the index of `text` in the ops; of a ticket */

/* ---- values ---- */

struct ulid field_entity(struct ulid ticket, struct ulid field)
{
        uint8_t both[2 * sizeof(ticket.b)];
        struct ulid entity;

        memcpy(both, ticket.b, sizeof(ticket.b));
        memcpy(both + sizeof(ticket.b), field.b, sizeof(field.b));
        crypto_generichash(entity.b, sizeof(entity.b), both, sizeof(both), NULL, 0);
        return entity;
}

int field_fold(struct db *db, const struct op *op, const struct op_ticket_field *body, bool internal)
{
        struct ulid entity = field_entity(body->ticket, body->field);
        struct stamp shown;
        sqlite3_stmt *q;
        int r;

        r = registers_write(db, entity, REGISTER_FIELD, op, 'n', 0, NULL);
        if (!r)
                r = registers_shown(db, entity, REGISTER_FIELD, &shown, &q);
        if (r)
                return r;
        db_done(q);
        if (stamp_cmp(shown, op_stamp(op)) != 0)
                return 0; /* the one that shows was folded before */
        q = db_query(db, "INSERT INTO field_value(ticket, field, internal, value, op_id, n) VALUES(?1, ?2, ?3, CAST(?4 AS TEXT), ?5, ?6)"
                         " ON CONFLICT DO UPDATE SET internal = excluded.internal, value = excluded.value, op_id = excluded.op_id, n = excluded.n",
                     "uuiBui", body->ticket, body->field, (int64_t)internal, body->has_value ? &body->value : NULL, op->op_id, (int64_t)op->n);
        return db_step(db, q);
}

/* A row of "SELECT value, op_id, n ...": 0, or -ENOENT where there is no value. */
static int value_read(struct db *db, sqlite3_stmt *q, struct arena *arena, struct str *ret)
{
        struct str text;
        int r;

        if (!db_column_is_null(q, 0)) {
                *ret = arena_str(arena, db_column_str(q, 0));
                return 0;
        }
        r = log_text(db, db_column_ulid(q, 1), (uint32_t)db_column_int(q, 2), FIELD_TEXT, arena, &text);
        if (!r && !text.n)
                r = -ENOENT;
        if (!r)
                *ret = text;
        return r;
}

int field_values(struct db *db, struct ulid ticket, bool agent, struct arena *arena, struct field_value **ret, size_t *ret_n)
{
        sqlite3_stmt *q = db_query(db, "SELECT value, op_id, n, field FROM field_value WHERE ticket = ?1 AND (NOT internal OR ?2)", "ui", ticket,
                                   (int64_t)agent);
        struct field_value *items = NULL;
        size_t n = 0;
        int r;

        while ((r = db_step(db, q)) > 0) {
                struct str value;

                r = value_read(db, q, arena, &value);
                if (r == -ENOENT)
                        continue;
                if (r || n == DEFINITIONS_MAX)
                        break;
                if (!items)
                        items = arena_array(arena, DEFINITIONS_MAX, sizeof(*items));
                items[n++] = (struct field_value){ db_column_ulid(q, 3), value };
        }
        db_done(q);
        *ret = items;
        *ret_n = n;
        return r < 0 ? r : 0;
}

int field_value(struct db *db, struct ulid ticket, struct ulid field, bool internal, struct arena *arena, struct str *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT value, op_id, n FROM field_value WHERE ticket = ?1 AND field = ?2 AND internal = ?3", "uui",
                                   ticket, field, (int64_t)internal);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        r = value_read(db, q, arena, ret);
        db_done(q);
        return r;
}

/* ---- what is right ---- */

/* A decimal number as it is kept: without zeros that say nothing. False where it is none. */
static bool number_read(struct str s, struct arena *arena, struct str *ret)
{
        bool negative = s.n && *s.p == '-';
        size_t whole = 0, part = 0, digits;
        struct str in = { s.p + negative, s.n - negative };

        while (whole < in.n && in.p[whole] >= '0' && in.p[whole] <= '9')
                whole++;
        if (whole < in.n && in.p[whole] == '.')
                while (whole + 1 + part < in.n && in.p[whole + 1 + part] >= '0' && in.p[whole + 1 + part] <= '9')
                        part++;
        digits = whole + part;
        if (!whole || digits > FIELD_DIGITS_MAX || in.n != whole + (part ? 1 + part : 0))
                return false;
        while (whole > 1 && *in.p == '0') {
                in.p++;
                whole--;
        }
        while (part && in.p[whole + part] == '0')
                part--;
        in.n = whole + (part ? 1 + part : 0);
        *ret = str_is(in, "0") ? in : arena_format(arena, "%s%.*s", negative ? "-" : "", STR_ARG(in));
        return true;
}

static bool is_choice(const struct op_field_set *field, struct str value)
{
        for (size_t i = 0; i < field->choices.n; i++)
                if (str_eq(field->choices.items[i], value))
                        return true;
        return false;
}

/* The value as it is kept; else what would be right. */
static const char *value_check(const struct op_field_set *field, struct str value, struct arena *arena, struct str *ret)
{
        int64_t day;

        *ret = value;
        switch (field->kind) {
        case FIELD_KIND_NUMBER:
                return number_read(value, arena, ret) ? NULL : "must be a decimal number of up to 15 digits, as in -12.5";
        case FIELD_KIND_CHOICE:
                return is_choice(field, value) ? NULL : "must be one of its choices; field.list has them";
        case FIELD_KIND_DATE:
                return day_read(value, &day) ? NULL : "must be a day, as in 2026-01-31";
        case FIELD_KIND_BOOL:
                return str_is(value, "true") || str_is(value, "false") ? NULL : "must be true or false";
        default:
                return str_trim(value).n ? NULL : "is white space alone; null takes the value away";
        }
}

/* ---- changes ---- */

static int change_append(struct tx *tx, const struct ticket_row *row, int64_t seen, const struct op_field_set *field, bool inner,
                         const struct str *value)
{
        bool text = field->kind == FIELD_KIND_TEXT;
        struct op_ticket_field body = { .ticket = row->id, .field = field->field, .text = value && text ? *value : STR(""),
                                        .has_value = value && !text, .value = value && !text ? *value : STR("") };
        struct accepted a;
        int r = registers_accept(tx, field_entity(row->id, field->field), REGISTER_FIELD, ticket_created_stamp(row), seen, 0, &a);

        return r ? r : tx_append(tx, &(struct effect){ .kind = inner ? &schema_op_ticket_inner_field : &schema_op_ticket_field,
                                                       .body = &body, .target = row->id, .audience = inner ? NULL : &row->id,
                                                       .base = a.base, .n_base = a.n_base, .hlc = a.hlc });
}

static int field_change(struct tx *tx, struct call *c, const struct ticket_row *row, int64_t seen, const struct field_change *change, size_t i)
{
        bool agent = caller_is_agent(&tx->actor), some = change->has_value == SCHEMA_PRESENT, inner;
        struct op_field_set field = { 0 };
        struct str value, was, was_public;
        const char *wrong;
        int known, r;

        r = definition_find(tx->db, &schema_op_field_set, change->field, tx->arena, &field);
        if (r && r != -ENOENT)
                return r;
        if (r || (!agent && field.access == FIELD_ACCESS_HIDDEN))
                return call_invalid(c, "fields", "item %zu: `field` must be a field's id; field.list has them", i + 1);
        if (!agent && field.access != FIELD_ACCESS_WRITE)
                return call_invalid(c, "fields", "item %zu: %.*s may be set by agents only; leave it out", i + 1, STR_ARG(field.name));
        if (!some && change->has_value != SCHEMA_NULL)
                return call_invalid(c, "fields", "item %zu: `value` is missing; null takes it away", i + 1);
        if (some && field.retired)
                return call_invalid(c, "fields", "item %zu: %.*s is retired and gets no new values", i + 1, STR_ARG(field.name));
        wrong = some ? value_check(&field, change->value, tx->arena, &value) : NULL;
        if (wrong)
                return call_invalid(c, "fields", "item %zu: %.*s %s", i + 1, STR_ARG(field.name), wrong);
        inner = field.access == FIELD_ACCESS_HIDDEN;
        r = field_value(tx->db, row->id, field.field, inner, tx->arena, &was);
        if (r && r != -ENOENT)
                return r;
        known = inner ? field_value(tx->db, row->id, field.field, false, tx->arena, &was_public) : -ENOENT;
        if (known && known != -ENOENT)
                return known;
        if (seen < 0 && known && (r ? !some : some && str_eq(value, was)))
                return 0; /* it is so already */
        r = known ? 0 : change_append(tx, row, seen, &field, false, NULL); /* what customers know is taken from them first */
        return r ? r : change_append(tx, row, seen, &field, inner, some ? &value : NULL);
}

int fields_change(struct tx *tx, struct call *c, const struct ticket_row *row, int64_t seen, const struct field_change *changes, size_t n)
{
        int64_t count = 0;
        int r = 0;

        for (size_t i = 0; i < n && !r; i++)
                r = field_change(tx, c, row, seen, &changes[i], i);
        if (!r && n)
                r = db_int(tx->db, &count, "SELECT count(*) FROM field_value WHERE ticket = ?1", "u", row->id);
        if (!r && n && count > FIELDS_MAX)
                r = call_too_large(c, FIELDS_MAX, "a ticket has values of at most %d fields", FIELDS_MAX);
        return r;
}

/* ---- definitions ---- */

static bool key_ok(struct str key)
{
        for (size_t i = 0; i < key.n; i++)
                if (!(key.p[i] >= 'a' && key.p[i] <= 'z') && !(key.p[i] >= '0' && key.p[i] <= '9') && key.p[i] != '_')
                        return false;
        return true;
}

static int choices_check(struct call *c, const struct op_field_set *field)
{
        if ((field->kind == FIELD_KIND_CHOICE) != (field->choices.n > 0))
                return call_invalid(c, "choices", field->choices.n ? "are for the kind choice; leave them out" : "are missing: a choice needs one at least");
        for (size_t i = 0; i < field->choices.n; i++)
                for (size_t k = 0; k < i; k++)
                        if (str_eq(field->choices.items[i], field->choices.items[k]))
                                return call_invalid(c, "choices", "item %zu is there twice; leave it out", i + 1);
        return 0;
}

/* Against the field as it was, and all the others. */
static int field_check(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct op_field_set *field = body;
        bool is_new = !((const struct field_save *)params)->has_field;
        const struct op_field_set *others;
        struct schema_list all;
        int r;

        if (!key_ok(field->key))
                return call_invalid(c, "key", "must be lower-case letters, digits and _");
        r = choices_check(c, field);
        if (!r)
                r = definition_list(tx->db, &schema_op_field_set, NULL, tx->arena, &all);
        if (r)
                return r;
        others = all.items;
        for (size_t i = 0; i < all.n; i++) {
                bool same = !is_new && ulid_eq(others[i].field, field->field);

                if (same && !str_eq(others[i].key, field->key))
                        return call_invalid(c, "key", "must stay %.*s", STR_ARG(others[i].key));
                if (same && others[i].kind != field->kind)
                        return call_invalid(c, "kind", "must stay %s: make another field", schema_enum_field_kind.values[others[i].kind]);
                if (!same && str_eq(others[i].key, field->key))
                        return call_conflict(c, "the key is another field's; choose a new one");
        }
        return 0;
}

int store_on_field_save(struct store *s, struct call *c, const struct field_save *in, struct field_save_result *ret)
{
        struct op_field_set body = { .field = in->field, .name = in->name, .key = in->key, .kind = in->kind, .access = in->access,
                                     .retired = in->retired };

        if (in->has_choices) {
                body.choices.items = in->choices.items;
                body.choices.n = in->choices.n;
        }
        return definition_handle(s, c, &(struct definition_saving){ &schema_op_field_set, in->has_field ? &in->field : NULL, &body, field_check }, &ret->field,
                                 &ret->has_cursor, &ret->cursor);
}

int store_on_field_list(struct store *s, struct call *c, const struct field_list *in, struct field_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct schema_list all;
        struct field *fields;
        int r = definition_list(store_db(s, c), &schema_op_field_set, NULL, &c->arena, &all);

        (void)in;
        if (r)
                return r;
        fields = all.items;
        ret->items.items = fields;
        for (size_t i = 0; i < all.n; i++)
                if (fields[i].access != FIELD_ACCESS_HIDDEN || caller_is_agent(&caller))
                        fields[ret->items.n++] = fields[i];
        return 0;
}
