#include "show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { COLUMNS_MAX = 16, CELL_MAX = 60 };

static void (*namer)(void *data, const struct schema_field *f, struct ulid id, struct buf *out);
static void *namer_data;

void show_names(void (*name)(void *data, const struct schema_field *f, struct ulid id, struct buf *out), void *data)
{
        namer = name;
        namer_data = data;
}

static void id_put(const struct schema_field *f, struct ulid id, struct buf *out)
{
        char text[ULID_TEXT + 1];
        size_t before = out->n;

        if (namer)
                namer(namer_data, f, id, out);
        ulid_text(id, text);
        if (out->n == before)
                buf_text(out, text);
}

void show_text(struct str s, bool lines, struct buf *out)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                /* C1 controls are two bytes in UTF-8: c2 80 to c2 9f */
                if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
                        i++;
                else if (c == '\n' && lines)
                        buf_char(out, '\n');
                else if (c == '\n' || c == '\t')
                        buf_char(out, ' ');
                else if (c >= 0x20 && c != 0x7f)
                        buf_char(out, (char)c);
        }
}

static void one(const struct schema_field *f, const void *at, struct buf *out)
{
        char text[32];
        time_t seconds;
        struct tm tm;

        switch (f->kind) {
        case SCHEMA_BOOL:
                buf_text(out, *(const bool *)at ? "yes" : "no");
                return;
        case SCHEMA_UINT:
        case SCHEMA_INT:
                buf_format(out, "%" PRId64, *(const int64_t *)at);
                return;
        case SCHEMA_TIME:
                seconds = (time_t)(*(const int64_t *)at / 1000);
                localtime_r(&seconds, &tm);
                strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
                buf_text(out, text);
                return;
        case SCHEMA_ULID:
                id_put(f, *(const struct ulid *)at, out);
                return;
        case SCHEMA_ENUM:
                buf_text(out, f->values->values[*(const int *)at]);
                return;
        case SCHEMA_BYTES:
                buf_hex(out, ((const struct str *)at)->p, ((const struct str *)at)->n);
                return;
        case SCHEMA_STRING:
        case SCHEMA_JSON:
                show_text(*(const struct str *)at, f->flags & SCHEMA_MARKDOWN, out);
                return;
        case SCHEMA_STRUCT:
                json_write(f->type, at, out);
                return;
        }
}

void show_value(const struct schema_field *f, const void *base, struct buf *out)
{
        const void *at = schema_at(f, base);

        if (schema_presence(f, base) != SCHEMA_PRESENT)
                return;
        if (f->flags & SCHEMA_SECRET) {
                buf_text(out, "(secret)");
                return;
        }
        if (f->flags & (SCHEMA_LIST | SCHEMA_SET)) {
                const struct schema_list *list = at;

                for (size_t i = 0; i < list->n; i++) {
                        if (i)
                                buf_text(out, ", ");
                        one(f, (const char *)list->items + i * f->size, out);
                }
                return;
        }
        one(f, f->kind == SCHEMA_STRUCT && (f->flags & SCHEMA_OPTIONAL) ? *(void *const *)at : at, out);
}

static size_t columns_of(const struct schema_struct *item, const char *const *names, const struct schema_field *fields[COLUMNS_MAX])
{
        size_t n = 0;

        if (names) {
                for (; *names && n < COLUMNS_MAX; names++)
                        fields[n++] = schema_field_find(item, *names);
                return n;
        }
        for (uint32_t i = 0; i < item->n_fields && n < COLUMNS_MAX; i++)
                if (item->fields[i].kind != SCHEMA_STRUCT)
                        fields[n++] = &item->fields[i];
        return n;
}

static size_t cell_width(struct str s)
{
        int64_t n = str_utf8_length(s);

        return n < 0 ? s.n : (size_t)n;
}

/* s cut to so many characters, the last an ellipsis where it was longer. */
static void cell_put(struct str s, size_t width, bool last, struct buf *out)
{
        size_t have = cell_width(s), n = 0;

        if (have <= width) {
                buf_str(out, s);
                for (; !last && have < width; have++)
                        buf_char(out, ' ');
                return;
        }
        for (size_t left = width - 1; left; left--)
                for (n++; n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80; n++)
                        ;
        buf_add(out, s.p, n);
        buf_text(out, "…");
}

void show_list(const struct schema_struct *item, const struct schema_list *list, const char *const *names, size_t width, struct buf *out)
{
        const struct schema_field *fields[COLUMNS_MAX];
        size_t n = columns_of(item, names, fields), widths[COLUMNS_MAX] = { 0 }, used;
        struct buf cell = { 0 };

        for (size_t i = 0; i < n; i++) {
                widths[i] = strlen(fields[i]->name);
                for (size_t k = 0; k < list->n; k++) {
                        buf_clear(&cell);
                        show_value(fields[i], (const char *)list->items + k * item->size, &cell);
                        if (cell_width(buf_view(&cell)) > widths[i])
                                widths[i] = cell_width(buf_view(&cell));
                }
                if (widths[i] > CELL_MAX)
                        widths[i] = CELL_MAX;
        }
        do { /* the widest column gives way to the terminal */
                size_t widest = 0;

                used = n ? 2 * (n - 1) : 0;
                for (size_t i = 0; i < n; i++) {
                        used += widths[i];
                        if (widths[i] > widths[widest])
                                widest = i;
                }
                if (width && used > width && widths[widest] > 8)
                        widths[widest]--;
                else
                        break;
        } while (width && used > width);
        for (size_t i = 0; i < n; i++) {
                buf_clear(&cell);
                for (const char *p = fields[i]->name; *p; p++)
                        buf_char(&cell, (char)(*p == '_' ? ' ' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p));
                cell_put(buf_view(&cell), widths[i], i + 1 == n, out);
                buf_text(out, i + 1 == n ? "\n" : "  ");
        }
        for (size_t k = 0; k < list->n; k++) {
                for (size_t i = 0; i < n; i++) {
                        buf_clear(&cell);
                        show_value(fields[i], (const char *)list->items + k * item->size, &cell);
                        for (size_t c = 0; c < cell.n; c++)
                                if (cell.p[c] == '\n')
                                        cell.p[c] = ' ';
                        cell_put(buf_view(&cell), widths[i], i + 1 == n, out);
                        buf_text(out, i + 1 == n ? "\n" : "  ");
                }
        }
        buf_deinit(&cell);
}

void show_struct(const struct schema_struct *type, const void *value, struct buf *out)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];
                bool nested = f->kind == SCHEMA_STRUCT && !(f->flags & (SCHEMA_LIST | SCHEMA_SET));

                if (schema_presence(f, value) != SCHEMA_PRESENT)
                        continue;
                if (nested) {
                        show_struct(f->type, f->flags & SCHEMA_OPTIONAL ? *(void *const *)schema_at(f, value) : schema_at(f, value), out);
                        continue;
                }
                buf_format(out, "%-16s ", f->name);
                show_value(f, value, out);
                buf_char(out, '\n');
        }
}

void show_result(const struct schema_struct *type, const void *value, size_t width, struct buf *out)
{
        for (uint32_t i = 0; i < type->n_fields; i++) {
                const struct schema_field *f = &type->fields[i];

                if ((f->flags & (SCHEMA_LIST | SCHEMA_SET)) && f->kind == SCHEMA_STRUCT && strcmp(f->name, "items") == 0) {
                        show_list(f->type, schema_at(f, value), NULL, width, out);
                        return;
                }
        }
        show_struct(type, value, out);
}
