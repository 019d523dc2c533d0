/* The examples of the specification, word for word, against a server that knows the methods they name. */
#include "jsonrpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
        const char *method, *params, *result;
} scripted[] = {
        { "subtract", "[42, 23]", "19" },
        { "subtract", "[23, 42]", "-19" },
        { "subtract", "{\"subtrahend\": 23, \"minuend\": 42}", "19" },
        { "subtract", "{\"minuend\": 42, \"subtrahend\": 23}", "19" },
        { "sum", "[1,2,4]", "7" },
        { "subtract", "[42,23]", "19" },
        { "get_data", "", "[\"hello\", 5]" },
        { "update", "[1,2,3,4,5]", "null" },
        { "notify_hello", "[7]", "null" },
        { "notify_sum", "[1,2,4]", "null" },
};

static const char *answer(const struct jsonrpc_call *call)
{
        for (size_t i = 0; i < sizeof(scripted) / sizeof(scripted[0]); i++)
                if (str_is(call->method, scripted[i].method) && str_is(call->params, scripted[i].params))
                        return scripted[i].result;
        return NULL;
}

/* A result of any shape: what jsonrpc_write_result does for a schema's type. */
static void write_scripted(struct buf *out, struct str id, const char *result)
{
        buf_format(out, "{\"jsonrpc\":\"2.0\",\"result\":%s,\"id\":%.*s}", result, STR_ARG(id));
}

static void serve(const char *request, struct buf *out)
{
        struct jsonrpc_request in;
        struct arena arena = { 0 };
        bool any = false;

        jsonrpc_read(str_of(request), &arena, &in);
        for (size_t i = 0; i < in.n; i++) {
                const struct jsonrpc_call *call = &in.calls[i];
                const char *result = call->code ? NULL : answer(call);

                if (call->notification)
                        continue;
                if (in.batch)
                        buf_char(out, any ? ',' : '[');
                any = true;
                if (result)
                        write_scripted(out, call->id, result);
                else
                        jsonrpc_write_error(out, call->id, call->code ? call->code : FAULT_METHOD_NOT_FOUND, NULL);
        }
        if (any && in.batch)
                buf_char(out, ']');
        arena_deinit(&arena);
}

/* Both without the spaces that the specification has between tokens. */
static void without_spaces(const char *text, struct buf *out)
{
        bool quoted = false;

        for (const char *p = text; *p; p++) {
                if (*p == '"')
                        quoted = !quoted;
                if (quoted || !strchr(" \n", *p))
                        buf_char(out, *p);
        }
}

static void exchange(const char *request, const char *reply)
{
        struct buf got = { 0 }, compact = { 0 }, expected = { 0 };

        serve(request, &got);
        without_spaces(buf_z(&got), &compact);
        without_spaces(reply, &expected);
        assert_string_equal(buf_z(&compact), buf_z(&expected));
        buf_deinit(&got);
        buf_deinit(&compact);
        buf_deinit(&expected);
}

static void rpc_call_with_positional_parameters(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42, 23], \"id\": 1}",
                 "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 1}");
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [23, 42], \"id\": 2}",
                 "{\"jsonrpc\": \"2.0\", \"result\": -19, \"id\": 2}");
}

static void rpc_call_with_named_parameters(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": {\"subtrahend\": 23, \"minuend\": 42}, \"id\": 3}",
                 "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 3}");
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": {\"minuend\": 42, \"subtrahend\": 23}, \"id\": 4}",
                 "{\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": 4}");
}

static void a_notification(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"update\", \"params\": [1,2,3,4,5]}", "");
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"foobar\"}", "");
}

static void rpc_call_of_non_existent_method(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"foobar\", \"id\": \"1\"}",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32601, \"message\": \"Method not found\"}, \"id\": \"1\"}");
}

static void rpc_call_with_invalid_json(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \"message\": \"Parse error\"}, \"id\": null}");
}

static void rpc_call_with_invalid_request_object(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"2.0\", \"method\": 1, \"params\": \"bar\"}",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": null}");
}

static void rpc_call_batch_invalid_json(void **state)
{
        (void)state;
        exchange("[\n  {\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [1,2,4], \"id\": \"1\"},\n  {\"jsonrpc\": \"2.0\", \"method\"\n]",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32700, \"message\": \"Parse error\"}, \"id\": null}");
}

static void rpc_call_with_an_empty_array(void **state)
{
        (void)state;
        exchange("[]", "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": null}");
}

#define INVALID "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": null}"

static void rpc_call_with_an_invalid_batch(void **state)
{
        (void)state;
        exchange("[1]", "[" INVALID "]");
        exchange("[1,2,3]", "[" INVALID "," INVALID "," INVALID "]");
}

static void rpc_call_batch(void **state)
{
        (void)state;
        exchange("[{\"jsonrpc\": \"2.0\", \"method\": \"sum\", \"params\": [1,2,4], \"id\": \"1\"},"
                 " {\"jsonrpc\": \"2.0\", \"method\": \"notify_hello\", \"params\": [7]},"
                 " {\"jsonrpc\": \"2.0\", \"method\": \"subtract\", \"params\": [42,23], \"id\": \"2\"},"
                 " {\"foo\": \"boo\"},"
                 " {\"jsonrpc\": \"2.0\", \"method\": \"foo.get\", \"params\": {\"name\": \"myself\"}, \"id\": \"5\"},"
                 " {\"jsonrpc\": \"2.0\", \"method\": \"get_data\", \"id\": \"9\"}]",
                 "[{\"jsonrpc\": \"2.0\", \"result\": 7, \"id\": \"1\"},"
                 " {\"jsonrpc\": \"2.0\", \"result\": 19, \"id\": \"2\"},"
                 " {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": null},"
                 " {\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32601, \"message\": \"Method not found\"}, \"id\": \"5\"},"
                 " {\"jsonrpc\": \"2.0\", \"result\": [\"hello\", 5], \"id\": \"9\"}]");
}

static void rpc_call_batch_of_only_notifications(void **state)
{
        (void)state;
        exchange("[{\"jsonrpc\": \"2.0\", \"method\": \"notify_sum\", \"params\": [1,2,4]},"
                 " {\"jsonrpc\": \"2.0\", \"method\": \"notify_hello\", \"params\": [7]}]", "");
}

static void ids_come_back_as_they_were_sent(void **state)
{
        static const char *const ids[] = { "\"\"", "null", "0", "-7", "9007199254740993", "\"\\u00e9\\\"\"" };
        char request[200], reply[200];

        (void)state;
        for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
                snprintf(request, sizeof(request), "{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"params\":[1,2,4],\"id\":%s}", ids[i]);
                snprintf(reply, sizeof(reply), "{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":%s}", ids[i]);
                exchange(request, reply);
        }
        exchange("{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"id\":{}}", INVALID);
        exchange("{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"id\":true}", INVALID);
}

static void a_batch_has_at_most_fifty_calls(void **state)
{
        struct jsonrpc_request in;
        struct arena arena = { 0 };
        struct buf b = { 0 };

        (void)state;
        for (int n = 50; n <= 51; n++) {
                buf_clear(&b);
                for (int i = 0; i < n; i++)
                        buf_format(&b, "%c{\"jsonrpc\":\"2.0\",\"method\":\"sum\",\"id\":%d}", i ? ',' : '[', i);
                buf_char(&b, ']');
                jsonrpc_read(buf_view(&b), &arena, &in);
                assert_int_equal(in.n, n == 50 ? 50 : 1);
                assert_int_equal(in.calls[0].code, n == 50 ? 0 : FAULT_INVALID_REQUEST);
        }
        buf_deinit(&b);
        arena_deinit(&arena);
}

static void versions_other_than_two_are_refused(void **state)
{
        (void)state;
        exchange("{\"jsonrpc\": \"1.0\", \"method\": \"sum\", \"id\": 1}",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": 1}");
        exchange("{\"method\": \"sum\", \"id\": 1}",
                 "{\"jsonrpc\": \"2.0\", \"error\": {\"code\": -32600, \"message\": \"Invalid Request\"}, \"id\": 1}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rpc_call_with_positional_parameters),
                cmocka_unit_test(rpc_call_with_named_parameters),
                cmocka_unit_test(a_notification),
                cmocka_unit_test(rpc_call_of_non_existent_method),
                cmocka_unit_test(rpc_call_with_invalid_json),
                cmocka_unit_test(rpc_call_with_invalid_request_object),
                cmocka_unit_test(rpc_call_batch_invalid_json),
                cmocka_unit_test(rpc_call_with_an_empty_array),
                cmocka_unit_test(rpc_call_with_an_invalid_batch),
                cmocka_unit_test(rpc_call_batch),
                cmocka_unit_test(rpc_call_batch_of_only_notifications),
                cmocka_unit_test(ids_come_back_as_they_were_sent),
                cmocka_unit_test(a_batch_has_at_most_fifty_calls),
                cmocka_unit_test(versions_other_than_two_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
