/* Rates for people and for programs. */
#include "rates.h"
#include "show.h"

#include <math.h>
#include <string.h>

/* ---- JSON ---- */

static void member(struct buf *out, const char *name, struct str value)
{
        buf_format(out, "\"%s\":", name);
        json_string(out, value);
        buf_char(out, ',');
}

void rates_json(const struct rates *rates, struct buf *out)
{
        buf_text(out, "{\"processes\":[");
        for (size_t i = 0; i < rates->n_processes; i++) {
                const struct rates_process *p = &rates->processes[i];

                buf_text(out, i ? ",{" : "{");
                member(out, "process", p->name);
                member(out, "status", p->told->status);
                buf_format(out, "\"up\":%s,\"cpu\":%.4f,\"memory_bytes\":%.0f,\"descriptors\":%.0f}", p->told->up ? "true" : "false", p->cpu,
                           p->memory_bytes, p->descriptors);
        }
        buf_text(out, "],\"work\":[");
        for (size_t i = 0; i < rates->n_work; i++) {
                const struct rates_work *w = &rates->work[i];

                buf_text(out, i ? ",{" : "{");
                member(out, "process", w->process);
                member(out, "what", w->what);
                buf_format(out, "\"per_s\":%.3f,\"failed_per_s\":%.3f", w->per_s, w->failed_per_s);
                if (w->timed)
                        buf_format(out, ",\"mean_s\":%.6f", w->mean_s);
                if (w->timed && isfinite(w->most_s))
                        buf_format(out, ",\"p95_s\":%.6f", w->most_s);
                buf_char(out, '}');
        }
        buf_text(out, "],\"figures\":[");
        for (size_t i = 0; i < rates->n_figures; i++) {
                const struct rates_figure *f = &rates->figures[i];

                buf_text(out, i ? ",{" : "{");
                member(out, "process", f->process);
                member(out, "name", f->name);
                buf_format(out, "\"value\":%.6g", f->value);
                if (f->counter)
                        buf_format(out, ",\"per_s\":%.3f", f->per_s);
                buf_char(out, '}');
        }
        buf_text(out, "]}\n");
}

/* ---- text ---- */

/* Lines that are cut to the width of the terminal, as many as there is room for. */
struct sheet {
        struct buf *out, line;
        size_t lines, columns;
        bool full;                      /* a limit was given, and is reached */
};

static void line_end(struct sheet *s)
{
        struct str line = buf_view(&s->line);
        size_t columns = 0, n = 0;

        if (!s->full) {
                while (n < line.n && (!s->columns || columns < s->columns)) {
                        columns++;
                        for (n++; n < line.n && ((unsigned char)line.p[n] & 0xc0) == 0x80; n++)
                                ;
                }
                buf_add(s->out, line.p, n);
                buf_char(s->out, '\n');
                s->full = s->lines && --s->lines == 0;
        }
        buf_clear(&s->line);
}

static void put_bytes(double bytes, struct buf *out)
{
        static const char *const units[] = { "B  ", "KiB", "MiB", "GiB", "TiB" };
        int i = 0;

        for (; bytes >= 1024 && i < 4; i++)
                bytes /= 1024;
        buf_format(out, "%4.*f %s", bytes < 10 && i ? 1 : 0, bytes, units[i]);
}

static void put_time(double s, struct buf *out)
{
        if (!isfinite(s))
                buf_format(out, "%9s", "longer");
        else if (s < 1e-3)
                buf_format(out, "%6.0f µs", s * 1e6);
        else if (s < 1)
                buf_format(out, "%6.1f ms", s * 1e3);
        else
                buf_format(out, "%6.1f s ", s);
}

static void put_processes(const struct rates *rates, struct sheet *s)
{
        buf_format(&s->line, "%-20s %6s  %8s  %5s  %s", "PROCESS", "CPU", "MEMORY", "FILES", "SAYS");
        line_end(s);
        for (size_t i = 0; i < rates->n_processes; i++) {
                const struct rates_process *p = &rates->processes[i];

                buf_format(&s->line, "%-20.*s ", STR_ARG(p->name));
                if (p->told->up) {
                        buf_format(&s->line, "%5.1f%%  ", p->cpu * 100);
                        put_bytes(p->memory_bytes, &s->line);
                        buf_format(&s->line, "  %5.0f  ", p->descriptors);
                        show_value(schema_field_find(&schema_type_process_stats, "status"), p->told, &s->line);
                } else {
                        buf_text(&s->line, "does not answer");
                }
                line_end(s);
        }
}

static void put_work(const struct rates *rates, struct sheet *s)
{
        buf_format(&s->line, "%-20s %-24s %8s  %8s  %9s  %9s", "PROCESS", "WORK", "EACH S", "FAILED", "MEAN", "95 % IN");
        line_end(s);
        for (size_t i = 0; i < rates->n_work; i++) {
                const struct rates_work *w = &rates->work[i];

                buf_format(&s->line, "%-20.*s %-24.*s %8.1f  %8.1f", STR_ARG(w->process), STR_ARG(w->what), w->per_s, w->failed_per_s);
                if (w->timed) {
                        buf_text(&s->line, "  ");
                        put_time(w->mean_s, &s->line);
                        buf_text(&s->line, "  ");
                        put_time(w->most_s, &s->line);
                }
                line_end(s);
        }
}

/* What is 0 is left out: it is what most of them are, and should be. */
static void put_figures(const struct rates *rates, struct sheet *s)
{
        buf_format(&s->line, "%-20s %-44s %14s  %8s", "PROCESS", "FIGURE", "VALUE", "EACH S");
        line_end(s);
        for (size_t i = 0; i < rates->n_figures; i++) {
                const struct rates_figure *f = &rates->figures[i];

                if (f->counter ? f->per_s == 0 : f->value == 0)
                        continue;
                buf_format(&s->line, "%-20.*s %-44.*s %14.*f", STR_ARG(f->process), STR_ARG(f->name), f->value == floor(f->value) ? 0 : 3, f->value);
                if (f->counter)
                        buf_format(&s->line, "  %8.1f", f->per_s);
                line_end(s);
        }
}

void rates_text(const struct rates *rates, size_t lines, size_t columns, struct buf *out)
{
        struct sheet s = { .out = out, .lines = lines, .columns = columns };

        put_processes(rates, &s);
        line_end(&s);
        put_work(rates, &s);
        line_end(&s);
        put_figures(rates, &s);
        buf_deinit(&s.line);
}
