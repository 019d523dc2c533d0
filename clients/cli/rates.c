#include "rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

static const struct figure *find_figure(const struct process_stats *p, struct str name)
{
        for (size_t i = 0; p && i < p->figures.n; i++)
                if (str_eq(p->figures.items[i].name, name))
                        return &p->figures.items[i];
        return NULL;
}

/* Whether b has a's labels; those called `but` left out in both. */
static bool same_labels(const struct figure_sample *a, const struct figure_sample *b, const char *but)
{
        size_t i = 0, k = 0;

        for (;; i++, k++) {
                while (i < a->labels.n && str_is(a->labels.items[i].name, but))
                        i++;
                while (k < b->labels.n && str_is(b->labels.items[k].name, but))
                        k++;
                if (i == a->labels.n || k == b->labels.n)
                        return i == a->labels.n && k == b->labels.n;
                if (!str_eq(a->labels.items[i].name, b->labels.items[k].name) || !str_eq(a->labels.items[i].value, b->labels.items[k].value))
                        return false;
        }
}

static const struct figure_sample *find_sample(const struct figure *f, const struct figure_sample *like, const char *but)
{
        for (size_t i = 0; f && i < f->samples.n; i++)
                if (same_labels(&f->samples.items[i], like, but))
                        return &f->samples.items[i];
        return NULL;
}

static struct str label(const struct figure_sample *s, const char *name)
{
        for (size_t i = 0; i < s->labels.n; i++)
                if (str_is(s->labels.items[i].name, name))
                        return s->labels.items[i].value;
        return (struct str){ 0 };
}

/* The same run of the same process. */
static const struct process_stats *find_before(const struct vitals *before, const struct process_stats *p)
{
        for (size_t i = 0; i < before->n; i++) {
                const struct process_stats *q = &before->of[i];

                if (str_eq(q->service, p->service) && str_eq(q->instance, p->instance))
                        return q->up && q->started_at == p->started_at ? q : NULL;
        }
        return NULL;
}

/* ---- one process ---- */

struct looking {
        struct rates *rates;
        struct arena *arena;
        const struct process_stats *was, *is;
        struct str name;
        double seconds;                 /* between the two; those who are only heard of have a rhythm of their own */
};

static double scale(const struct figure *f)
{
        return f->unit == FIGURE_UNIT_MICROSECONDS ? 1e-6 : 1;
}

/* How much it grew. What was not there before began at 0. */
static int64_t grown(const struct looking *l, const struct figure *f, const struct figure_sample *s)
{
        const struct figure_sample *old;

        if (!l->was)
                return 0;
        old = find_sample(find_figure(l->was, f->name), s, "");
        return s->value - (old ? old->value : 0);
}

static double single(const struct looking *l, const char *name, bool per_s)
{
        const struct figure *f = find_figure(l->is, str_of(name));

        if (!f || !f->samples.n)
                return 0;
        return scale(f) * (per_s ? (double)grown(l, f, f->samples.items) / l->seconds : (double)f->samples.items[0].value);
}

/* "rpc_calls_total" -> "rpc_call_seconds" */
static const struct figure *times_of(const struct looking *l, const struct figure *calls)
{
        size_t n = calls->name.n > strlen("s_total") ? calls->name.n - strlen("s_total") : 0;

        return find_figure(l->is, arena_format(l->arena, "%.*s_seconds", (int)n, calls->name.p));
}

static void add_times(const struct looking *l, const struct figure *calls, const struct figure_sample *s, struct rates_work *work)
{
        const struct figure *times = times_of(l, calls);
        const struct figure_sample *is, *was;
        int64_t n = 0, up_to = 0, counts[32];
        size_t i;

        if (!times)
                return;
        is = find_sample(times, s, "result");
        was = find_sample(find_figure(l->was, times->name), s, "result");
        if (!is)
                return;
        for (i = 0; i < is->buckets.n; i++) {
                counts[i] = is->buckets.items[i] - (was && i < was->buckets.n ? was->buckets.items[i] : 0);
                n += counts[i];
        }
        if (n <= 0)
                return;
        for (i = 0; i < is->buckets.n && (up_to += counts[i]) * 100 < n * 95; i++)
                ;
        work->timed = true;
        work->mean_s = scale(times) * (double)(is->value - (was ? was->value : 0)) / (double)n;
        work->most_s = i < times->bounds.n ? scale(times) * (double)times->bounds.items[i] : INFINITY;
}

/* Samples that differ in their result alone are one piece of work; the first of them makes the row. */
static void add_work(const struct looking *l, const struct figure *f)
{
        for (size_t i = 0; i < f->samples.n; i++) {
                const struct figure_sample *s = &f->samples.items[i];
                struct rates_work *work = &l->rates->work[l->rates->n_work];
                int64_t all = 0, failed = 0;

                if (find_sample(f, s, "result") != s)
                        continue;
                for (size_t k = i; k < f->samples.n; k++) {
                        const struct figure_sample *one = &f->samples.items[k];
                        int64_t n = same_labels(one, s, "result") ? grown(l, f, one) : 0;

                        all += n;
                        failed += str_is(label(one, "result"), "ok") ? 0 : n;
                }
                if (all <= 0)
                        continue;
                *work = (struct rates_work){ .process = l->name, .what = label(s, "method"), .per_s = (double)all / l->seconds,
                                             .failed_per_s = (double)failed / l->seconds };
                if (!work->what.n)
                        work->what = (struct str){ f->name.p, f->name.n - strlen("_total") };
                add_times(l, f, s, work);
                l->rates->n_work++;
        }
}

static struct str series(const struct looking *l, const struct figure *f, const struct figure_sample *s)
{
        struct buf b = { 0 };
        struct str r;

        buf_str(&b, f->name);
        for (size_t i = 0; i < s->labels.n; i++) {
                buf_char(&b, i ? ',' : '{');
                buf_format(&b, "%.*s=%.*s", STR_ARG(s->labels.items[i].name), STR_ARG(s->labels.items[i].value));
        }
        if (s->labels.n)
                buf_char(&b, '}');
        r = arena_str(l->arena, buf_view(&b));
        buf_deinit(&b);
        return r;
}

static void add_figure(const struct looking *l, const struct figure *f)
{
        for (size_t i = 0; i < f->samples.n; i++) {
                const struct figure_sample *s = &f->samples.items[i];
                bool counter = f->kind == FIGURE_KIND_COUNTER;

                l->rates->figures[l->rates->n_figures++] = (struct rates_figure){
                        .process = l->name, .name = series(l, f, s), .counter = counter, .value = scale(f) * (double)s->value,
                        .per_s = counter ? scale(f) * (double)grown(l, f, s) / l->seconds : 0,
                };
        }
}

static void add_process(const struct looking *l)
{
        const struct process_stats *p = l->is;

        l->rates->processes[l->rates->n_processes++] = (struct rates_process){
                .told = p, .name = l->name, .cpu = single(l, "process_cpu_seconds_total", true),
                .memory_bytes = single(l, "process_resident_memory_bytes", false), .descriptors = single(l, "process_open_fds", false),
        };
        for (size_t i = 0; i < p->figures.n; i++) {
                const struct figure *f = &p->figures.items[i];

                if (f->kind == FIGURE_KIND_HISTOGRAM || str_starts(f->name, "process_"))
                        continue;
                if (f->kind == FIGURE_KIND_COUNTER && f->samples.n && label(f->samples.items, "result").n)
                        add_work(l, f);
                else
                        add_figure(l, f);
        }
}

static int more_often(const void *a, const void *b)
{
        const struct rates_work *x = a, *y = b;

        return x->per_s < y->per_s ? 1 : x->per_s > y->per_s ? -1 : str_cmp(x->what, y->what);
}

void rates_of(const struct vitals *before, const struct vitals *now, struct arena *arena, struct rates *ret)
{
        size_t samples = 0;

        for (size_t i = 0; i < now->n; i++)
                for (size_t k = 0; k < now->of[i].figures.n; k++)
                        samples += now->of[i].figures.items[k].samples.n;
        *ret = (struct rates){
                .processes = arena_array(arena, now->n, sizeof(*ret->processes)),
                .work = arena_array(arena, samples + 1, sizeof(*ret->work)),
                .figures = arena_array(arena, samples, sizeof(*ret->figures)),
        };
        for (size_t i = 0; i < now->n; i++) {
                const struct process_stats *p = &now->of[i];
                struct looking l = { .rates = ret, .arena = arena, .was = find_before(before, p), .is = p, .name = vitals_name(p, arena) };

                l.seconds = l.was ? (double)(p->told_at - l.was->told_at) * 1e-3 : 0;
                if (l.seconds <= 0) {   /* nothing new was told, or its clock was set */
                        l.was = NULL;
                        l.seconds = 1;
                }
                add_process(&l);
        }
        qsort(ret->work, ret->n_work, sizeof(*ret->work), more_often);
}
