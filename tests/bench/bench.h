/* What the benchmarks share: the report, and the desk of real processes that they measure. */
#pragma once
#include "desk.h"
#include "raw.h"
#include "samples.h"

enum { BENCH_IN_FLIGHT = 64 };

/* ---- the report ---- */

void report_title(const char *title);
void report_subject(const struct subject *s);
/* s costs so many times what limit costs: at most `target` is wanted (0: no target). */
void report_cost(const struct subject *s, const struct subject *limit, double target);
/* s does so many times what limit does in the same time: at least `target` is wanted. */
void report_rate(const struct subject *s, const struct subject *limit, double target);
void report_figure(const char *what, double value, const char *unit, double target);

/* ---- what is measured ---- */

void bench_codec(void);
void bench_http(const struct desk *desk, const struct raw *raw);
void bench_rpc(const struct raw *raw);
void bench_store(const struct desk *desk);
void bench_reads(const struct desk *desk, const struct raw *raw);
void bench_idle(const struct desk *desk);
void bench_fan(const struct desk *desk, const struct raw *raw);
/* tickets: how many, in digits. */
void bench_large(struct desk *desk, const char *tickets);
void bench_live(struct desk *desk, const struct raw *raw);

_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
