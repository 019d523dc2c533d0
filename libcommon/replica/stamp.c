#include "replica/stamp.h"
#include "replica/hlc.h"
#include <errno.h>
#include <string.h>

int stamp_cmp(struct stamp a, struct stamp b)
{
        int r;

        if (a.hlc != b.hlc)
                return a.hlc < b.hlc ? -1 : 1;
        r = ulid_cmp(a.op_id, b.op_id);
        if (r)
                return r;
        return (a.n > b.n) - (a.n < b.n);
}

bool stamp_eq(struct stamp a, struct stamp b)
{
        return stamp_cmp(a, b) == 0;
}

void stamp_pack(struct stamp stamp, uint8_t ret_bytes[STAMP_BYTES])
{
        for (int i = 0; i < 8; i++)
                ret_bytes[i] = (uint8_t)(stamp.hlc >> (56 - 8 * i));
        memcpy(ret_bytes + 8, stamp.op_id.b, sizeof(stamp.op_id.b));
        for (int i = 0; i < 4; i++)
                ret_bytes[24 + i] = (uint8_t)(stamp.n >> (24 - 8 * i));
}

int stamp_unpack(struct str bytes, struct stamp *ret)
{
        const uint8_t *p = (const uint8_t *)bytes.p;
        struct stamp stamp = { 0 };

        if (bytes.n != STAMP_BYTES || p[0] & 0x80) /* above HLC_MAX */
                return -EBADMSG;
        for (int i = 0; i < 8; i++)
                stamp.hlc = stamp.hlc << 8 | p[i];
        memcpy(stamp.op_id.b, p + 8, sizeof(stamp.op_id.b));
        for (int i = 0; i < 4; i++)
                stamp.n = stamp.n << 8 | p[24 + i];
        *ret = stamp;
        return 0;
}
