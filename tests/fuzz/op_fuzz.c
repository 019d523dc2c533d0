/* The op decoder: whatever it takes must be the one record of that op. */
#include "replica/op.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str record = { (const char *)data, size };
        struct arena arena = { 0 };
        struct buf again = { 0 };
        struct op op;

        if (op_decode(record, &arena, &op) == 0) {
                op_encode(&op, &again);
                if (!str_eq(record, buf_view(&again)))
                        __builtin_trap();
        }
        buf_deinit(&again);
        arena_deinit(&arena);
        return 0;
}
