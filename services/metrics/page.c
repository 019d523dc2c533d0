#include "page.h"
#include <string.h>

/* [a-zA-Z_][a-zA-Z0-9_]*: colons are for names that people make */
static bool is_name(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
                        return false;
        }
        return s.n > 0;
}

static void put_escaped(struct str s, bool quotes, struct buf *out)
{
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\n') {
                        buf_text(out, "\\n");
                        continue;
                }
                if (s.p[i] == '\\' || (quotes && s.p[i] == '"'))
                        buf_char(out, '\\');
                buf_char(out, s.p[i]);
        }
}

static void put_label(const char *name, struct str value, struct buf *out)
{
        buf_text(out, name);
        buf_text(out, "=\"");
        put_escaped(value, true, out);
        buf_char(out, '"');
}

/* Without rounding: as many digits as there are. */
static void put_value(int64_t v, enum figure_unit unit, struct buf *out)
{
        uint64_t n = v < 0 ? -(uint64_t)v : (uint64_t)v;
        size_t end;

        if (unit != FIGURE_UNIT_MICROSECONDS) {
                buf_int(out, v);
                return;
        }
        buf_format(out, "%s%llu", v < 0 ? "-" : "", (unsigned long long)(n / 1000000));
        if (n % 1000000 == 0)
                return;
        buf_format(out, ".%06llu", (unsigned long long)(n % 1000000));
        for (end = out->n; out->p[end - 1] == '0'; end--)
                ;
        out->n = end;
}

/* assist_NAME SUFFIX {service="...",...,le="..."} without the value */
static void put_series(const struct process_stats *p, struct str name, const char *suffix, const struct figure_sample *s, struct buf *out)
{
        buf_text(out, "assist_");
        buf_str(out, name);
        buf_text(out, suffix);
        buf_char(out, '{');
        put_label("service", p->service, out);
        if (p->instance.n) {
                buf_char(out, ',');
                put_label("instance", p->instance, out);
        }
        for (size_t i = 0; s && i < s->labels.n; i++) {
                const struct figure_label *label = &s->labels.items[i];

                if (!is_name(label->name))
                        continue;
                buf_char(out, ',');
                buf_str(out, label->name);
                put_label("", label->value, out);
        }
}

static void put_histogram(const struct process_stats *p, const struct figure *f, const struct figure_sample *s, struct buf *out)
{
        enum figure_unit unit = (enum figure_unit)f->unit;
        int64_t n = 0;

        for (size_t i = 0; i < s->buckets.n; i++) {
                n += s->buckets.items[i];
                put_series(p, f->name, "_bucket", s, out);
                buf_text(out, ",le=\"");
                if (i < f->bounds.n)
                        put_value(f->bounds.items[i], unit, out);
                else
                        buf_text(out, "+Inf");
                buf_text(out, "\"} ");
                buf_int(out, n);
                buf_char(out, '\n');
        }
        put_series(p, f->name, "_sum", s, out);
        buf_text(out, "} ");
        put_value(s->value, unit, out);
        buf_char(out, '\n');
        put_series(p, f->name, "_count", s, out);
        buf_format(out, "} %lld\n", (long long)n);
}

static void put_samples(const struct process_stats *p, const struct figure *f, struct buf *out)
{
        for (size_t i = 0; i < f->samples.n; i++) {
                const struct figure_sample *s = &f->samples.items[i];

                if (f->kind == FIGURE_KIND_HISTOGRAM) {
                        if (s->buckets.n == f->bounds.n + 1)
                                put_histogram(p, f, s, out);
                        continue;
                }
                put_series(p, f->name, "", s, out);
                buf_text(out, "} ");
                put_value(s->value, (enum figure_unit)f->unit, out);
                buf_char(out, '\n');
        }
}

static void put_head(struct str name, struct str help, const char *kind, struct buf *out)
{
        buf_format(out, "# HELP assist_%.*s ", STR_ARG(name));
        put_escaped(help, false, out);
        buf_format(out, "\n# TYPE assist_%.*s %s\n", STR_ARG(name), kind);
}

static const struct figure *find(const struct process_stats *p, struct str name)
{
        for (size_t i = 0; i < p->figures.n; i++)
                if (str_eq(p->figures.items[i].name, name))
                        return &p->figures.items[i];
        return NULL;
}

static bool seen_before(const struct process_stats *processes, const struct process_stats *p, const struct figure *f)
{
        if (find(p, f->name) != f)
                return true;
        for (; processes < p; processes++)
                if (find(processes, f->name))
                        return true;
        return false;
}

static void put_up(const struct process_stats *processes, size_t n, struct buf *out)
{
        put_head(STR("up"), STR("Whether the process answered, or was heard of in the last seconds."), "gauge", out);
        for (size_t i = 0; i < n; i++) {
                put_series(&processes[i], STR("up"), "", NULL, out);
                buf_format(out, "} %d\n", processes[i].up);
        }
        put_head(STR("build_info"), STR("The version of what runs."), "gauge", out);
        for (size_t i = 0; i < n; i++) {
                if (!processes[i].up)
                        continue;
                put_series(&processes[i], STR("build_info"), "", NULL, out);
                buf_char(out, ',');
                put_label("version", processes[i].version, out);
                buf_text(out, "} 1\n");
        }
}

void page_write(const struct process_stats *processes, size_t n, struct buf *out)
{
        put_up(processes, n, out);
        for (const struct process_stats *p = processes; p < processes + n; p++)
                for (size_t i = 0; i < p->figures.n; i++) {
                        const struct figure *f = &p->figures.items[i];

                        if (!is_name(f->name) || seen_before(processes, p, f))
                                continue;
                        put_head(f->name, f->help, schema_enum_figure_kind.values[f->kind], out);
                        for (const struct process_stats *q = p; q < processes + n; q++) {
                                const struct figure *same = find(q, f->name);

                                if (same && same->kind == f->kind)
                                        put_samples(q, same, out);
                        }
                }
}
