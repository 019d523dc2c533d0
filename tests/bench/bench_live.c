/* The live side: what an idle WebSocket takes, how soon a commit is seen, and what it costs to come back. */
#include "bench.h"
#include "flood.h"
#include "schema/comment.h"
#include "schema/live.h"
#include "schema/project.h"
#include "schema/ticket.h"
#include "socket_set.h"
#include "web.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE = 10000, LATENCY_ROUNDS = 400, MANY = 1000, MISSED = 4000, REPLAYS = 12 };

/* ---- memory ---- */

static double own_bytes(const struct desk *desk, const char *service)
{
        char path[64], line[256];
        double kib = 0;
        FILE *f;

        for (int i = 0; i < DESK_SERVICES; i++)
                if (strcmp(desk->processes[i].service, service) == 0)
                        snprintf(path, sizeof(path), "/proc/%d/status", (int)desk->processes[i].pid);
        f = fopen(path, "r");
        if (!f)
                bench_fail("%s ended", service);
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, "RssAnon:", 8) == 0)
                        kib = strtod(line + 8, NULL);
        fclose(f);
        return kib * 1024;
}

static void idle_sockets(const struct desk *desk)
{
        double gateway = own_bytes(desk, "gateway"), fanout = own_bytes(desk, "fanout");
        struct socket_set set;

        socket_set_follow(&set, desk, IDLE, NULL);
        report_title("10,000 idle WebSockets");
        report_figure("memory of the gateway for each", (own_bytes(desk, "gateway") - gateway) / IDLE, "bytes", 8192);
        report_figure("memory of fanout for each", (own_bytes(desk, "fanout") - fanout) / IDLE, "bytes", 512);
        socket_set_close(&set);
}

/* ---- from commit to frame ---- */

struct writer {
        struct flood flood;
        struct comment_add comment;
        struct socket_set *set;
};

static void writer_open(struct writer *w, struct desk *desk)
{
        *w = (struct writer){ .comment = { .ticket = desk->ticket, .body = STR("It was the cable."), .has_op_id = true } };
        flood_open(&w->flood, desk_socket(desk, "store"), SCHEMA_PEER_STORE);
        w->flood.method = &schema_method_comment_add;
        w->flood.params = &w->comment;
        w->flood.op_id = &w->comment.op_id;
        w->flood.caller = desk->sealed;
        w->flood.chunk = 1;
}

static void write_and_see(void *data)
{
        struct writer *w = data;

        flood_chunk(&w->flood);
        socket_set_await(w->set, w->set->n);
}

static void commit_to_frame(struct desk *desk, const struct raw *raw)
{
        struct flood nothing;
        struct socket_set one, many;
        struct writer writer;
        struct subject s[] = {
                { .name = "an internal call, one at a time", .chunk = flood_chunk, .data = &nothing, .operations = 1 },
                { .name = "comment.add, nobody looks", .chunk = flood_chunk, .data = &writer.flood, .operations = 1 },
                { .name = "comment.add until one client has it", .chunk = write_and_see, .data = &writer, .operations = 1 },
                { .name = "comment.add until 1,000 clients have it", .chunk = write_and_see, .data = &writer, .operations = 1 },
        };
        struct subject seen = { .name = "from commit to frame" }, all = { .name = "from commit to the last of 1,000 frames" };
        struct subject each = { .name = "1,000 times what each one more takes" };

        flood_open_nothing(&nothing, raw->rpc_path, 1);
        writer_open(&writer, desk);
        subjects_measure(&s[0], 2, LATENCY_ROUNDS);
        socket_set_follow(&one, desk, 1, NULL);
        writer.set = &one;
        subjects_measure(&s[2], 1, LATENCY_ROUNDS);
        socket_set_close(&one);
        socket_set_follow(&many, desk, MANY, NULL);
        writer.set = &many;
        subjects_measure(&s[3], 1, LATENCY_ROUNDS / 4);
        socket_set_close(&many);
        seen.fast = s[2].fast - s[1].fast;
        seen.median = s[2].median - s[1].median;
        all.fast = s[3].fast - s[1].fast;
        all.median = s[3].median - s[1].median;
        each.fast = (s[3].fast - s[2].fast) / (MANY - 1) * MANY;
        each.median = (s[3].median - s[2].median) / (MANY - 1) * MANY;
        report_title("from commit to frame (the median is the p50)");
        for (int i = 0; i < 4; i++)
                report_subject(&s[i]);
        report_subject(&seen);
        report_cost(&seen, &s[0], 3);
        report_subject(&all);
        report_cost(&all, &each, 1.5);
        flood_close(&nothing);
        flood_close(&writer.flood);
        for (int i = 0; i < 4; i++)
                subject_deinit(&s[i]);
}

/* ---- coming back ---- */

struct reader {
        struct flood store, fanout;     /* clients */
        char cursor[128];               /* of before what was missed */
        struct ulid gateway;
        int64_t from;
        sqlite3 *db;
        int events;                     /* seen by the last replay */
        struct arena arena;
};

static void from_log(void *data)
{
        struct reader *r = data;
        struct op_since in = { .cursor = str_of(r->cursor), .max_bytes = 262144 };
        struct op_since_result page = { .more = true };

        arena_reset(&r->arena);
        for (r->events = 0; page.more; in.cursor = page.to) {
                flood_call(&r->store, &schema_method_op_since, &in, &r->arena, &page);
                r->events += (int)page.events.n;
        }
}

static void from_tail(void *data)
{
        struct reader *r = data;
        struct live_attach in = { .gateway = r->gateway, .session = 1, .id = r->gateway, .has_cursor = true, .cursor = str_of(r->cursor) };
        struct live_attach_result page = { .outcome = ATTACH_OUTCOME_PAGE };

        arena_reset(&r->arena);
        for (r->events = 0; page.outcome == ATTACH_OUTCOME_PAGE; in.cursor = page.cursor) {
                in.session++;
                flood_call(&r->fanout, &schema_method_live_attach, &in, &r->arena, &page);
                r->events += (int)page.events.n;
        }
        if (page.outcome != ATTACH_OUTCOME_LIVE)
                bench_fail("what was missed is not in the tail");
}

static void from_sqlite(void *data)
{
        struct reader *r = data;
        sqlite3_stmt *q;
        size_t bytes = 0;

        r->events = 0;
        if (sqlite3_prepare_v2(r->db, "SELECT seq, scope, audience, record FROM op WHERE seq > ?1 AND scope <> 2 ORDER BY seq", -1, &q, NULL))
                bench_fail("%s", sqlite3_errmsg(r->db));
        sqlite3_bind_int64(q, 1, r->from);
        while (sqlite3_step(q) == SQLITE_ROW) {
                bytes += (size_t)sqlite3_column_bytes(q, 3) + (sqlite3_column_blob(q, 3) != NULL);
                r->events++;
        }
        sqlite3_finalize(q);
        if (!bytes)
                bench_fail("an empty log");
}

static void reader_open(struct reader *r, struct desk *desk)
{
        struct ticket_get_result now;
        char path[128];
        sqlite3_stmt *q;

        *r = (struct reader){ .store.caller = desk->sealed, .fanout.caller = desk->sealed, .gateway = ulid_new(clock_now_ms(&clock_system)) };
        flood_open(&r->store, desk_socket(desk, "store"), SCHEMA_PEER_STORE);
        flood_open(&r->fanout, desk_socket(desk, "fanout"), SCHEMA_PEER_FANOUT);
        flood_call(&r->store, &schema_method_ticket_get, &(struct ticket_get){ .has_ticket = true, .ticket = desk->ticket }, &r->arena, &now);
        snprintf(r->cursor, sizeof(r->cursor), "%.*s", STR_ARG(now.cursor));
        snprintf(path, sizeof(path), "%s/state/store/store.db", desk->root);
        if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READONLY, NULL) ||
            sqlite3_prepare_v2(r->db, "SELECT max(seq) FROM op", -1, &q, NULL) || sqlite3_step(q) != SQLITE_ROW)
                bench_fail("%s: %s", path, sqlite3_errmsg(r->db));
        r->from = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
}

static void reader_close(struct reader *r)
{
        sqlite3_close(r->db);
        flood_close(&r->store);
        flood_close(&r->fanout);
        arena_deinit(&r->arena);
}

static void come_back(struct desk *desk)
{
        struct reader reader;
        struct writer writer;
        struct subject s[] = {
                { .name = "SQLite's bare scan of the log, per op", .chunk = from_sqlite, .data = &reader, .operations = MISSED },
                { .name = "a replay from the log, per event", .chunk = from_log, .data = &reader, .operations = MISSED },
                { .name = "a replay from the tail, per event", .chunk = from_tail, .data = &reader, .operations = MISSED },
        };

        reader_open(&reader, desk);
        writer_open(&writer, desk);
        writer.flood.chunk = MISSED;
        flood_chunk(&writer.flood);
        from_log(&reader);
        if (reader.events != MISSED)
                bench_fail("%d of %d events were replayed", reader.events, MISSED);
        subjects_measure(s, 3, REPLAYS);
        report_title("coming back after 4,000 comments");
        for (int i = 0; i < 3; i++)
                report_subject(&s[i]);
        report_rate(&s[1], &s[0], 0.5);
        report_rate(&s[2], &s[1], 5);
        for (int i = 0; i < 3; i++)
                subject_deinit(&s[i]);
        reader_close(&reader);
        flood_close(&writer.flood);
}

/* Calls that store has answered, but for those that wait for news and this one. */
static double store_calls(struct reader *r)
{
        struct store_stats_result result;
        double calls = 0;

        flood_call(&r->store, &schema_method_store_stats, &(struct store_stats){ 0 }, &r->arena, &result);
        for (size_t i = 0; i < result.value.processes.items[0].figures.n; i++) {
                const struct figure *f = &result.value.processes.items[0].figures.items[i];

                for (size_t k = 0; str_is(f->name, "rpc_calls_total") && k < f->samples.n; k++) {
                        struct str method = f->samples.items[k].labels.items[0].value;

                        if (!str_is(method, "ops.follow") && !str_is(method, "personal.follow") && !str_is(method, "store.stats"))
                                calls += (double)f->samples.items[k].value;
                }
        }
        return calls;
}

static void come_back_all(struct desk *desk)
{
        struct socket_set set;
        struct reader reader;
        struct writer writer;
        double before, began;

        reader_open(&reader, desk);
        writer_open(&writer, desk);
        flood_chunk(&writer.flood);
        before = store_calls(&reader);
        began = steady_us();
        socket_set_follow(&set, desk, IDLE, reader.cursor);
        socket_set_await(&set, IDLE - set.messages);
        report_title("10,000 clients come back, each missed one comment");
        report_figure("calls that store answered for them", store_calls(&reader) - before, "calls", 0.5);
        report_figure("until the last one has it, clients' time included", (steady_us() - began) / 1e6, "s", 0);
        socket_set_close(&set);
        reader_close(&reader);
        flood_close(&writer.flood);
}

void bench_live(struct desk *desk, const struct raw *raw)
{
        commit_to_frame(desk, raw);
        come_back(desk);
        idle_sockets(desk);
        come_back_all(desk);
}
