/* What a process tells of itself: figures that say what they are (schemas/stats.schema), so that a new one is added in one place, where
 * it is known, and /metrics, `assistctl top` and the rest show it. All on the loop's thread, and in an arena: names, helps and labels must
 * live as long as it does. */
#pragma once
#include "schema/stats.h"
#include "service.h"

struct stats {
        struct arena *arena;
        struct process_stats *to;
};

/* Begins with what every process can tell: who it is, its status line, version, start, processor time, memory, descriptors. The answer
 * lies in the arena; what follows is added to it. */
struct process_stats *stats_begin(struct stats *stats, struct arena *arena, struct service *service);

void stats_counter(struct stats *stats, const char *name, const char *help, int64_t value);
void stats_gauge(struct stats *stats, const char *name, const char *help, int64_t value);
void stats_gauge_us(struct stats *stats, const char *name, const char *help, int64_t us);

/* One with labels: at most `samples` values, each by stats_sample with its labels in pairs (name, value, ..., NULL). */
struct figure *stats_figure(struct stats *stats, enum figure_kind kind, const char *name, const char *help, size_t samples);
struct figure_sample *stats_sample(struct stats *stats, struct figure *figure, int64_t value, ...) __attribute__((sentinel));

/* Outcomes and durations of something: "call" makes calls_total by result, and call_seconds. */
void stats_tally(struct stats *stats, const char *name, const char *help, const struct tally *tally);
/* What a server counts, all calls that do not wait for news together: for service_type.sums. */
void stats_sums(struct past_sums *sums, const struct rpc_server *server);
/* What a server counts. */
void stats_server(struct stats *stats, const struct rpc_server *server);
/* The sizes of a database's files, and the room that is left for them. */
void stats_database(struct stats *stats, struct db *db);
