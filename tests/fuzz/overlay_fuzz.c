/* Any bytes as what an overlay's daemon answers. The first one says to which question. What is believed must agree with itself. */
#include "services/mycelium-supervisor/mycelium_reply.h"
#include "services/mycelium-supervisor/yggdrasil_reply.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static void info(enum mycelium_api api, struct str body, struct arena *arena)
{
        struct mycelium_info said;
        const char *why = NULL;

        if (mycelium_read_info(api, body, arena, &said, &why)) {
                expect(why != NULL);
                return;
        }
        expect((said.subnet.s6_addr[0] & 0xfe) == 4);
        expect(!said.has_key || (said.has_address && mycelium_owns(said.key, &said.address)));
        expect(!said.has_address || memcmp(said.address.s6_addr, said.subnet.s6_addr, MYCELIUM_SUBNET_BYTES) == 0);
}

static void key(enum mycelium_api api, struct str body, struct arena *arena)
{
        static const struct in6_addr address = { .s6_addr = { 0x05, 0xa6, 0xf0, 0xc6, 0xf3, 0x65, 0x17, 0x7d } };
        uint8_t found[MYCELIUM_KEY_BYTES];

        if (mycelium_read_key(api, body, arena, &address, found) == 0)
                expect(mycelium_owns(found, &address));
}

static void yggdrasil(struct str body, struct arena *arena)
{
        struct yggdrasil_self self;

        if (yggdrasil_read_self(body, arena, &self) == 0)
                expect(self.address.s6_addr[0] == 2 && self.subnet.s6_addr[0] == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str body = { (const char *)data + 1, size - 1 };
        struct arena arena = { 0 };
        size_t n;

        if (size == 0)
                return 0;
        switch (data[0] % 8) {
        case 0: case 1:
                info((enum mycelium_api)(data[0] % 2), body, &arena);
                break;
        case 2: case 3:
                if (mycelium_read_peers((enum mycelium_api)(data[0] % 2), body, &arena, &n) == 0)
                        expect(n <= size / 20);
                break;
        case 4: case 5:
                key((enum mycelium_api)(data[0] % 2), body, &arena);
                break;
        case 6:
                yggdrasil(body, &arena);
                break;
        case 7:
                if (yggdrasil_read_peers(body, &arena, &n) == 0)
                        expect(n <= size / 2);
                break;
        }
        arena_deinit(&arena);
        return 0;
}
