#include "fault.h"
#include "codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static void a_fault_survives_the_wire(void **state)
{
        struct fault in = { .has_field = true, .field = STR("subject"), .has_limit = true, .limit = 200, .has_op_id = true,
                            .has_newer = true, .newer = STR("{\"id\":1}") };
        struct fault out = { 0 };
        struct codec_error error;
        struct arena arena = { 0 };
        struct buf wire = { 0 };

        (void)state;
        memset(in.op_id.b, 7, sizeof(in.op_id.b));
        msgpack_write(&fault_type, &in, &wire);
        assert_int_equal(msgpack_read(&fault_type, buf_view(&wire), &arena, &out, &error), 0);
        assert_true(out.has_field && out.has_limit && out.has_op_id && out.has_newer);
        assert_false(out.has_reason || out.has_retry_after_ms || out.has_request);
        assert_true(str_is(out.field, "subject"));
        assert_int_equal(out.limit, 200);
        assert_true(ulid_eq(out.op_id, in.op_id));
        assert_true(str_is(out.newer, "{\"id\":1}"));
        buf_clear(&wire);
        json_write(&fault_type, &(struct fault){ .has_reason = true, .reason = STR("no") }, &wire);
        assert_string_equal(buf_z(&wire), "{\"reason\":\"no\"}");
        buf_deinit(&wire);
        arena_deinit(&arena);
}

static const int codes[] = { FAULT_PARSE, FAULT_INVALID_REQUEST, FAULT_METHOD_NOT_FOUND, FAULT_INVALID_PARAMS, FAULT_INTERNAL,
                             FAULT_UNAUTHENTICATED, FAULT_FORBIDDEN, FAULT_NOT_FOUND, FAULT_CONFLICT, FAULT_RATE_LIMITED,
                             FAULT_UNAVAILABLE, FAULT_TOO_LARGE, FAULT_EXPIRED };

static void every_code_is_the_schemas_error_of_that_name(void **state)
{
        size_t n = 0;

        (void)state;
        for (; schema_errors[n]; n++)
                assert_string_equal(fault_name(schema_errors[n]->code), schema_errors[n]->name);
        assert_int_equal(n, sizeof(codes) / sizeof(codes[0]));
        for (size_t i = 0; i < n; i++)
                assert_non_null(schema_error_by_code(codes[i]));
        assert_string_equal(fault_name(1), "Error");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_fault_survives_the_wire),
                cmocka_unit_test(every_code_is_the_schemas_error_of_that_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
