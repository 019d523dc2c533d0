/* Comments that are on disk when they are answered. */
#include "bench.h"
#include "flood.h"
#include "plain.h"
#include "schema/comment.h"
#include "web.h"

#include <stdio.h>

enum { CHUNK = 4 * BENCH_IN_FLIGHT };

static const char words[] = "The toner is new, the test page is fine, and still every page that comes out of it is blank; what now?";

void bench_store(const struct desk *desk)
{
        struct comment_add params = { .ticket = desk->ticket, .body = str_of(words), .has_op_id = true };
        struct flood flood = { .method = &schema_method_comment_add, .params = &params, .op_id = &params.op_id, .caller = desk->sealed,
                               .chunk = CHUNK };
        struct arena arena = { 0 };
        struct plain by_64, by_one;
        char ticket[ULID_TEXT + 1];
        struct web web;
        struct subject s[] = {
                { .name = "SQLite alone, 64 comments a commit", .chunk = plain_chunk, .data = &by_64, .operations = BENCH_IN_FLIGHT },
                { .name = "SQLite alone, one comment a commit", .chunk = plain_chunk, .data = &by_one, .operations = 1 },
                { .name = "comment.add in store, 64 in flight", .chunk = flood_chunk, .data = &flood, .operations = CHUNK },
                { .name = "comment.add by HTTP, 64 connections", .chunk = web_chunk, .data = &web, .operations = CHUNK },
        };

        ulid_text(desk->ticket, ticket);
        plain_open(&by_64, arena_format(&arena, "%s/by_64.db", desk->root).p, BENCH_IN_FLIGHT);
        plain_open(&by_one, arena_format(&arena, "%s/by_one.db", desk->root).p, 1);
        flood_open(&flood, arena_format(&arena, "%s/run/assist-store/rpc.sock", desk->root).p, SCHEMA_PEER_STORE);
        web_open(&web, desk->port, BENCH_IN_FLIGHT,
                 desk_call(desk, NULL, &arena, "comment.add",
                           arena_format(&arena, "{\"ticket\":\"%s\",\"body\":\"%s\"}", ticket, words).p), CHUNK);
        subjects_measure(s, 4, 60);
        report_title("durable comments");
        for (int i = 0; i < 4; i++) {
                report_subject(&s[i]);
                if (i == 2) {
                        report_rate(&s[2], &s[0], 0.5);
                        report_rate(&s[2], &s[1], 8);
                }
        }
        report_rate(&s[3], &s[0], 0.4);
        report_rate(&s[3], &s[2], 0);
        flood_close(&flood);
        web_close(&web);
        plain_close(&by_64);
        plain_close(&by_one);
        for (int i = 0; i < 4; i++)
                subject_deinit(&s[i]);
        arena_deinit(&arena);
}
