/* Any bytes as msgpack of any described struct: what is accepted keeps the limits and comes out of write and read as it went
 * in; what is written is one value to msgpack_skip too. */
#include "codec.h"
#include "described.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static void round_trip(const struct schema_struct *type, struct str in, struct arena *arena)
{
        void *value = arena_zalloc(arena, type->size), *again = arena_zalloc(arena, type->size);
        struct buf first = { 0 }, second = { 0 };
        struct codec_error error = { 0 };
        struct str rest;

        if (msgpack_read(type, in, arena, value, &error) == 0) {
                expect(schema_check(type, value, NULL) == 0);
                msgpack_write(type, value, &first);
                rest = buf_view(&first);
                expect(msgpack_skip(&rest) == 0 && rest.n == 0);
                expect(msgpack_read(type, buf_view(&first), arena, again, NULL) == 0);
                msgpack_write(type, again, &second);
                expect(str_eq(buf_view(&first), buf_view(&second)));
        } else {
                expect(error.reason[0] != '\0');
                rest = in;
                msgpack_skip(&rest);
        }
        buf_deinit(&second);
        buf_deinit(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str in = { (const char *)data, size };
        struct arena arena = { 0 };
        const struct schema_struct *type = described_by(&in);

        round_trip(type, in, &arena);
        arena_deinit(&arena);
        return 0;
}
