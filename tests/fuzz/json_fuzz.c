/* Any bytes as JSON of any described struct. What is accepted is JSON to jansson too, keeps the limits, and comes out of write
 * and read, and of msgpack, as it went in. Where nothing is described, so that only syntax counts, jansson must agree both ways. */
#include "codec.h"
#include "described.h"
#include "json_oracle.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static void syntax(struct str in, enum verdict oracle, struct arena *arena)
{
        static const struct schema_struct nothing = { .name = "", .doc = "", .size = 1 };
        struct codec_error error = { 0 };
        char unused;
        bool accepted = json_read(&nothing, in, arena, &unused, &error) == 0;

        if (oracle != NO_OPINION && !(!accepted && strstr(error.reason, "too deep")))
                expect(accepted == (oracle == ACCEPTED));
}

static void round_trip(const struct schema_struct *type, struct str in, enum verdict oracle, struct arena *arena)
{
        void *value = arena_zalloc(arena, type->size), *again = arena_zalloc(arena, type->size);
        struct buf first = { 0 }, second = { 0 }, packed = { 0 };
        struct codec_error error = { 0 };

        if (json_read(type, in, arena, value, &error) == 0) {
                expect(oracle != REFUSED);
                expect(schema_check(type, value, NULL) == 0);
                json_write(type, value, &first);
                expect(json_oracle(buf_view(&first)) != REFUSED);
                expect(json_read(type, buf_view(&first), arena, again, NULL) == 0);
                json_write(type, again, &second);
                expect(str_eq(buf_view(&first), buf_view(&second)));
                msgpack_write(type, value, &packed);
                expect(msgpack_read(type, buf_view(&packed), arena, again, NULL) == 0);
                buf_clear(&second);
                json_write(type, again, &second);
                expect(str_eq(buf_view(&first), buf_view(&second)));
        } else {
                expect(error.reason[0] != '\0');
        }
        buf_deinit(&packed);
        buf_deinit(&second);
        buf_deinit(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str in = { (const char *)data, size };
        struct arena arena = { 0 };
        const struct schema_struct *type = described_by(&in);
        enum verdict oracle = json_oracle(in);

        syntax(in, oracle, &arena);
        round_trip(type, in, oracle, &arena);
        arena_deinit(&arena);
        return 0;
}
