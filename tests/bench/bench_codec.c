/* JSON to a struct to msgpack, beside a parser that does nothing with what it reads. */
#include "bench.h"
#include "codec.h"
#include "schema/ticket.h"

#include <yajl/yajl_parse.h>

static const char text[] =
        "{\"subject\":\"The printer on the second floor prints only blank pages\",\"body\":\"Since this morning, every page that I print "
                                   "comes out blank. I have changed the toner and restarted it twice; the test page of its own menu is fine.\\n\\nThe "
                                   "queue shows the jobs as done. Others on the floor have the same. It is the one beside the kitchen, with the label "
                                   "P2-07, and the driver was updated last week by the man who also set up the new scanner.\",\"priority\":\"high\","
                                   "\"tags\":[\"printer\",\"second floor\",\"hardware\"],\"op_id\":\"01J9ZQ4T7QK5V0X2M3N4P5R6S7\"}";

enum { CHUNK = 200 };

struct codec {
        struct arena arena;
        struct buf out;
};

static void through(void *data)
{
        struct codec *c = data;
        struct codec_error error;

        for (int i = 0; i < CHUNK; i++) {
                struct ticket_create ticket = { 0 };

                if (json_read(schema_method_ticket_create.params, str_of(text), &c->arena, &ticket, &error))
                        bench_fail("%s %s", error.field, error.reason);
                buf_clear(&c->out);
                msgpack_write(schema_method_ticket_create.params, &ticket, &c->out);
                arena_reset(&c->arena);
        }
}

static int take(void *data) { (void)data; return 1; }
static int take_string(void *data, const unsigned char *p, size_t n) { (void)data; (void)p; (void)n; return 1; }

static void bare(void *data)
{
        static const yajl_callbacks callbacks = { .yajl_null = take, .yajl_string = take_string, .yajl_start_map = take, .yajl_map_key = take_string,
                                                  .yajl_end_map = take, .yajl_start_array = take, .yajl_end_array = take };

        (void)data;
        for (int i = 0; i < CHUNK; i++) {
                yajl_handle h = yajl_alloc(&callbacks, NULL, NULL);

                if (yajl_parse(h, (const unsigned char *)text, sizeof(text) - 1) != yajl_status_ok || yajl_complete_parse(h) != yajl_status_ok)
                        bench_fail("yajl does not take the text");
                yajl_free(h);
        }
}

void bench_codec(void)
{
        struct codec codec = { 0 };
        struct subject s[] = { { .name = "yajl's bare SAX pass", .chunk = bare, .operations = CHUNK },
                               { .name = "JSON to struct to msgpack, ticket.create", .chunk = through, .data = &codec, .operations = CHUNK } };

        subjects_measure(s, 2, 300);
        report_title("codec");
        report_subject(&s[0]);
        report_subject(&s[1]);
        report_cost(&s[1], &s[0], 2);
        subject_deinit(&s[0]);
        subject_deinit(&s[1]);
        arena_deinit(&codec.arena);
        buf_deinit(&codec.out);
}
