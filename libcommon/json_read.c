/* The reading half of JSON: yajl's SAX events go straight into the struct that a descriptor describes.
 *
 * What yajl leaves open is checked here: depth, members twice, strict UTF-8 (it takes overlong forms), NUL, and that numbers are
 * whole and within 64 bits; what it wrongly takes for JSON, json_yajl.c finds. */
#include "codec_check.h"
#include "json_yajl.h"

#include <errno.h>
#include <string.h>

enum { FIELDS_MAX = 128 };

/* An object being read, or the list that is its current member. */
struct frame {
        const struct schema_struct *type;
        void *base;
        const struct schema_field *field; /* the current member; NULL where unknown */
        uint32_t expected;                /* members mostly come in schema order */
        uint64_t seen[FIELDS_MAX / 64];
        bool in_list;
        char *items;
        size_t n, capacity;
};

struct reader {
        yajl_handle yajl;
        struct str in;
        struct arena *arena;
        struct codec_error *error;
        int top;            /* -1: before and after the root */
        int depth;          /* open brackets of any kind */
        int skipping;       /* of these, those inside a value that is ignored or taken verbatim */
        bool verbatim;
        size_t start;       /* of the verbatim value */
        size_t end;         /* of the last token */
        int r;
        struct frame frames[CODEC_DEPTH];
};

/* Something is wrong with the value being read, and *error says what: adds where. The path lies in the frames. */
static int located(struct reader *r)
{
        struct codec_path steps[2 * CODEC_DEPTH];
        const struct codec_path *path = NULL;

        for (int i = 0; i <= r->top; i++) {
                const struct frame *f = &r->frames[i];
                struct codec_path *member = &steps[2 * i], *item = &steps[2 * i + 1];

                if (!f->field)
                        break;
                *member = (struct codec_path){ path, f->field->name, -1 };
                *item = (struct codec_path){ member, NULL, (int64_t)f->n };
                path = f->in_list ? item : member;
        }
        codec_locate(r->error, path);
        r->r = -EINVAL;
        return 0;
}

static int wrong(struct reader *r, const char *reason)
{
        codec_fail(r->error, NULL, "%s", reason);
        return located(r);
}

/* Then it is no JSON, whatever it was to be. */
static int not_utf8(struct reader *r)
{
        wrong(r, "has text that is not valid UTF-8");
        r->r = -EBADMSG;
        return 0;
}

static size_t value_start(const struct reader *r)
{
        size_t at = r->end;

        while (at < r->in.n && memchr(" \t\r\n,:", r->in.p[at], 6))
                at++;
        return at;
}

static int token(struct reader *r, int go_on)
{
        r->end = yajl_get_bytes_consumed(r->yajl);
        return go_on;
}

/* Where the next value goes: NULL, with r->r set, where there is no room. */
static void *slot(struct reader *r)
{
        struct frame *f = &r->frames[r->top];
        void *at = schema_at(f->field, f->base);

        if (!f->in_list) {
                if (f->field->kind == SCHEMA_STRUCT && (f->field->flags & SCHEMA_OPTIONAL) && !schema_is_list(f->field))
                        return *(void **)at = arena_zalloc(r->arena, f->field->type->size);
                return at;
        }
        if (f->n == f->field->list_max) {
                f->in_list = false; /* it is the list that is wrong, not an item */
                codec_check_count(f->field, f->n + 1, NULL, r->error);
                located(r);
                return NULL;
        }
        if (f->n == f->capacity) {
                char *more;

                f->capacity = f->capacity ? 2 * f->capacity : 8;
                more = arena_array(r->arena, f->capacity, f->field->size);
                if (f->n)
                        memcpy(more, f->items, f->n * f->field->size);
                f->items = more;
        }
        return f->items + f->n * f->field->size;
}

/* The value in the slot is whole. */
static int took(struct reader *r)
{
        struct frame *f = &r->frames[r->top];

        if (f->in_list)
                f->n++;
        else
                codec_set_presence(f->field, f->base, SCHEMA_PRESENT);
        return token(r, 1);
}

/* True where the value is nobody's: skipped, or of an unknown member. */
static bool ignored(struct reader *r)
{
        return r->skipping || (r->top >= 0 && !r->frames[r->top].field);
}

static const char *wanted(const struct schema_field *f, bool in_list)
{
        if (schema_is_list(f) && !in_list)
                return "must be an array";
        switch (f->kind) {
        case SCHEMA_BOOL:
                return "must be true or false";
        case SCHEMA_UINT:
        case SCHEMA_INT:
                return "must be a whole number";
        case SCHEMA_TIME:
                return "must be a time, in ms since 1970";
        case SCHEMA_ULID:
                return "must be a ULID of 26 characters";
        case SCHEMA_BYTES:
                return "must be a string in base64url without padding";
        case SCHEMA_STRUCT:
                return "must be an object";
        case SCHEMA_STRING:
        case SCHEMA_ENUM:
        case SCHEMA_JSON:
                break;
        }
        return "must be a string";
}

/* The field that a scalar of this kind may fill now; NULL with r->r set where it is the wrong thing. */
static const struct schema_field *scalar(struct reader *r, bool fits(enum schema_kind kind))
{
        const struct frame *f;

        if (r->top < 0) {
                wrong(r, "must be an object");
                return NULL;
        }
        f = &r->frames[r->top];
        if ((!schema_is_list(f->field) || f->in_list) && fits(f->field->kind))
                return f->field;
        wrong(r, wanted(f->field, f->in_list));
        return NULL;
}

static int take_verbatim(struct reader *r, size_t start)
{
        size_t end = yajl_get_bytes_consumed(r->yajl);
        struct str *at = slot(r), text = { r->in.p + start, end - start };
        const struct schema_field *field = r->frames[r->top].field;

        if (!at)
                return 0;
        *at = text;
        if (codec_check_str(field, text, NULL, r->error))
                return located(r);
        return took(r);
}

static bool takes_verbatim(const struct reader *r)
{
        const struct frame *f = r->top >= 0 ? &r->frames[r->top] : NULL;

        return f && f->field && f->field->kind == SCHEMA_JSON && (!schema_is_list(f->field) || f->in_list);
}

static int on_null(void *data)
{
        struct reader *r = data;
        struct frame *f;

        if (ignored(r))
                return token(r, 1);
        if (takes_verbatim(r))
                return take_verbatim(r, value_start(r));
        if (r->top < 0)
                return wrong(r, "must be an object");
        f = &r->frames[r->top];
        if (f->in_list || !(f->field->flags & (SCHEMA_OPTIONAL | SCHEMA_NULLABLE | SCHEMA_DEFAULT)))
                return wrong(r, wanted(f->field, f->in_list));
        if (f->field->flags & SCHEMA_NULLABLE)
                codec_set_presence(f->field, f->base, SCHEMA_NULL);
        else /* as if it were not there */
                codec_absent(f->field, f->base, NULL, NULL);
        return token(r, 1);
}

static bool fits_bool(enum schema_kind kind)
{
        return kind == SCHEMA_BOOL;
}

static int on_boolean(void *data, int value)
{
        struct reader *r = data;
        bool *at;

        if (ignored(r))
                return token(r, 1);
        if (takes_verbatim(r))
                return take_verbatim(r, value_start(r));
        if (!scalar(r, fits_bool) || !(at = slot(r)))
                return 0;
        *at = value;
        return took(r);
}

static bool fits_number(enum schema_kind kind)
{
        return kind == SCHEMA_UINT || kind == SCHEMA_INT || kind == SCHEMA_TIME;
}

static int number_parse(struct str s, int64_t *ret)
{
        bool negative = s.n && s.p[0] == '-';
        uint64_t v;
        int r;

        if (negative)
                s = (struct str){ s.p + 1, s.n - 1 };
        r = str_u64(s, &v);
        if (!r && v > (uint64_t)INT64_MAX)
                r = -ERANGE;
        if (r)
                return r;
        *ret = negative ? -(int64_t)v : (int64_t)v;
        return 0;
}

static int on_number(void *data, const char *text, size_t n)
{
        struct reader *r = data;
        const struct schema_field *field;
        int64_t *at, v;
        int e;

        if (ignored(r))
                return token(r, 1);
        if (takes_verbatim(r))
                return take_verbatim(r, value_start(r));
        field = scalar(r, fits_number);
        if (!field || !(at = slot(r)))
                return 0;
        e = number_parse((struct str){ text, n }, &v);
        if (e)
                return wrong(r, e == -ERANGE ? "is too large a number" : "must be a whole number");
        *at = v;
        if (codec_check_int(field, v, NULL, r->error))
                return located(r);
        return took(r);
}

static bool fits_string(enum schema_kind kind)
{
        return kind == SCHEMA_STRING || kind == SCHEMA_BYTES || kind == SCHEMA_ULID || kind == SCHEMA_ENUM;
}

static int on_string(void *data, const unsigned char *text, size_t n)
{
        struct reader *r = data;
        struct str s = { (const char *)text, n };
        const struct schema_field *field;
        void *at;
        int v;

        if (ignored(r) || takes_verbatim(r)) {
                if (str_utf8_length(s) < 0)
                        return not_utf8(r);
                return ignored(r) ? token(r, 1) : take_verbatim(r, value_start(r));
        }
        field = scalar(r, fits_string);
        if (!field || !(at = slot(r)))
                return 0;
        switch (field->kind) {
        case SCHEMA_ULID:
                if (ulid_parse(s, at))
                        return wrong(r, wanted(field, true));
                return took(r);
        case SCHEMA_ENUM:
                v = schema_enum_find(field->values, s);
                if (v < 0) {
                        codec_unknown_value(field, s, NULL, r->error);
                        return located(r);
                }
                *(int *)at = v;
                return took(r);
        case SCHEMA_BYTES: {
                char *bytes = arena_alloc(r->arena, n + 1);

                if (str_from_base64url(s, bytes, n, &s.n))
                        return wrong(r, wanted(field, true));
                s.p = bytes;
                break;
        }
        default:
                if (s.p < r->in.p || s.p >= r->in.p + r->in.n) /* it had escapes: yajl's buffer is not ours */
                        s = arena_str(r->arena, s);
                break;
        }
        if (codec_check_str(field, s, NULL, r->error))
                return located(r);
        *(struct str *)at = s;
        return took(r);
}

static int deeper(struct reader *r)
{
        if (++r->depth > CODEC_DEPTH)
                return wrong(r, "is nested too deep; at most 32 levels");
        return 1;
}

/* An object or array begins that is not described here. */
static bool begins_apart(struct reader *r)
{
        if (r->skipping) {
                r->skipping++;
                return true;
        }
        if (!ignored(r) && !takes_verbatim(r))
                return false;
        r->verbatim = !ignored(r);
        r->start = value_start(r);
        r->skipping = 1;
        return true;
}

/* 1 or 0 as yajl wants it; -1 where the bracket closes something that is described. */
static int ends_apart(struct reader *r)
{
        r->depth--;
        if (!r->skipping)
                return -1;
        if (--r->skipping == 0 && r->verbatim) {
                r->verbatim = false;
                return take_verbatim(r, r->start);
        }
        return token(r, 1);
}

static void frame_push(struct reader *r, const struct schema_struct *type, void *base)
{
        r->frames[++r->top] = (struct frame){ .type = type, .base = base };
        memset(base, 0, type->size);
}

static int on_map_start(void *data)
{
        struct reader *r = data;
        struct frame *f;
        void *at;

        if (!deeper(r))
                return 0;
        if (begins_apart(r))
                return token(r, 1);
        if (r->top < 0) { /* the root: its frame was prepared */
                r->top = 0;
                if (!r->frames[0].type)
                        return wrong(r, "must be an array");
                return token(r, 1);
        }
        f = &r->frames[r->top];
        if (f->field->kind != SCHEMA_STRUCT || (schema_is_list(f->field) && !f->in_list))
                return wrong(r, wanted(f->field, f->in_list));
        at = slot(r);
        if (!at)
                return 0;
        frame_push(r, f->field->type, at);
        return token(r, 1);
}

static int on_map_key(void *data, const unsigned char *text, size_t n)
{
        struct reader *r = data;
        struct str key = { (const char *)text, n };
        struct frame *f;
        uint32_t i;

        if (str_utf8_length(key) < 0)
                return not_utf8(r);
        if (r->skipping)
                return token(r, 1);
        f = &r->frames[r->top];
        f->field = NULL;
        for (uint32_t k = 0; k < f->type->n_fields; k++) {
                i = f->expected + k < f->type->n_fields ? f->expected + k : f->expected + k - f->type->n_fields;
                if (!str_is(key, f->type->fields[i].name))
                        continue;
                f->field = &f->type->fields[i];
                f->expected = i + 1 < f->type->n_fields ? i + 1 : 0;
                if (f->seen[i / 64] >> (i % 64) & 1)
                        return wrong(r, "is there twice");
                f->seen[i / 64] |= UINT64_C(1) << (i % 64);
                break;
        }
        return token(r, 1);
}

static int on_map_end(void *data)
{
        struct reader *r = data;
        int apart = ends_apart(r);
        struct frame *f;

        if (apart >= 0)
                return apart;
        f = &r->frames[r->top];
        for (uint32_t i = 0; i < f->type->n_fields; i++) {
                const struct schema_field *field = &f->type->fields[i];

                if (f->seen[i / 64] >> (i % 64) & 1)
                        continue;
                f->field = field;
                if (codec_absent(field, f->base, NULL, r->error))
                        return located(r);
        }
        if (--r->top < 0)
                return token(r, 1);
        return took(r);
}

static int on_array_start(void *data)
{
        struct reader *r = data;
        struct frame *f;

        if (!deeper(r))
                return 0;
        if (begins_apart(r))
                return token(r, 1);
        if (r->top < 0) {
                if (r->frames[0].type)
                        return wrong(r, "must be an object");
                r->top = 0;
                r->frames[0].in_list = true;
                return token(r, 1);
        }
        f = &r->frames[r->top];
        if (!schema_is_list(f->field) || f->in_list)
                return wrong(r, wanted(f->field, f->in_list));
        f->in_list = true;
        f->items = NULL;
        f->n = f->capacity = 0;
        return token(r, 1);
}

static int on_array_end(void *data)
{
        struct reader *r = data;
        int apart = ends_apart(r);
        struct schema_list *list;
        struct frame *f;

        if (apart >= 0)
                return apart;
        f = &r->frames[r->top];
        f->in_list = false;
        list = schema_at(f->field, f->base);
        list->items = f->items;
        list->n = f->n;
        if (codec_check_count(f->field, f->n, NULL, r->error))
                return located(r);
        if (!f->type) /* the root of json_split */
                r->top = -1;
        else
                codec_set_presence(f->field, f->base, SCHEMA_PRESENT);
        return token(r, 1);
}

static int parse(struct reader *r)
{
        static const yajl_callbacks callbacks = {
                on_null, on_boolean, NULL, NULL, on_number, on_string, on_map_start, on_map_key, on_map_end, on_array_start, on_array_end,
        };
        yajl_alloc_funcs memory = json_yajl_memory(r->arena);
        yajl_status status;

        r->top = -1;
        r->yajl = yajl_alloc(&callbacks, &memory, r);
        yajl_config(r->yajl, yajl_dont_validate_strings, 1);
        status = yajl_parse(r->yajl, (const unsigned char *)r->in.p, r->in.n);
        if (status == yajl_status_ok)
                status = yajl_complete_parse(r->yajl);
        if (r->r)
                return r->r;
        if (status != yajl_status_ok || !json_yajl_right(r->in, r->end)) {
                codec_fail(r->error, NULL, "is not JSON, near byte %zu", yajl_get_bytes_consumed(r->yajl));
                return -EBADMSG;
        }
        return 0;
}

/* Frames but the first are made when they are pushed: there are many, and few are used. */
static void reader_init(struct reader *r, struct str in, struct arena *arena, struct codec_error *error, struct frame root)
{
        memset(r, 0, offsetof(struct reader, frames));
        r->in = in;
        r->arena = arena;
        r->error = error;
        r->frames[0] = root;
}

int json_read(const struct schema_struct *type, struct str in, struct arena *arena, void *ret, struct codec_error *error)
{
        struct reader r;

        reader_init(&r, in, arena, error, (struct frame){ .type = type, .base = ret });
        memset(ret, 0, type->size);
        return parse(&r);
}

int json_split(struct str in, struct arena *arena, size_t max, struct str **ret_items, size_t *ret_n, struct codec_error *error)
{
        struct schema_list list = { 0 };
        struct schema_field items = { .name = "", .kind = SCHEMA_JSON, .flags = SCHEMA_LIST, .size = sizeof(struct str),
                                      .max = INT64_MAX, .list_max = (uint32_t)max };
        struct reader r;
        int e;

        reader_init(&r, in, arena, error, (struct frame){ .base = &list, .field = &items });
        e = parse(&r);
        if (e)
                return e;
        *ret_items = list.items;
        *ret_n = list.n;
        return 0;
}
