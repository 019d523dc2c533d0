/* When something was written, for ever and everywhere: (hlc, op_id, n), a total order. Two writes never bear the same one, because
 * (op_id, n) is unique.
 *
 * Packed: hlc and n as big-endian numbers around the op_id, 28 bytes that compare (memcmp, SQLite's BLOB order) as stamps do. */
#pragma once
#include "ulid.h"

enum { STAMP_BYTES = 28 };

struct stamp {
        uint64_t hlc;
        struct ulid op_id;
        uint32_t n;
};

int stamp_cmp(struct stamp a, struct stamp b);
bool stamp_eq(struct stamp a, struct stamp b);
void stamp_pack(struct stamp stamp, uint8_t ret_bytes[STAMP_BYTES]);
int stamp_unpack(struct str bytes, struct stamp *ret); /* -EBADMSG: another length, or an hlc past HLC_MAX */
