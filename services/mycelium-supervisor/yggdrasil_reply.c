#include "yggdrasil_reply.h"
#include "codec.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { PEERS_MAX = 4096, KEY_BYTES = 32 };

/* ---- the daemon's own names, described ---- */

#define TEXT(type, member, json_name, limit)                                                                      \
        { .name = json_name, .doc = "", .kind = SCHEMA_STRING, .offset = offsetof(type, member), .size = sizeof(struct str), .max = limit }
#define TYPE(c_type, members) \
        { .name = "", .doc = "", .fields = members, .n_fields = sizeof(members) / sizeof(members[0]), .size = sizeof(c_type) }

struct self {
        struct str key, address, subnet;
};
static const struct schema_field self_members[] = {
        TEXT(struct self, key, "key", 2 * KEY_BYTES),
        TEXT(struct self, address, "address", INET6_ADDRSTRLEN),
        TEXT(struct self, subnet, "subnet", INET6_ADDRSTRLEN + 4),
};
static const struct schema_struct self_type = TYPE(struct self, self_members);

/* 0.4 lists connected peers alone; 0.5 others too, and says which are up. */
struct peer {
        bool has_up, up;
};
static const struct schema_field peer_members[] = {
        { .name = "up", .doc = "", .kind = SCHEMA_BOOL, .flags = SCHEMA_OPTIONAL, .offset = offsetof(struct peer, up),
          .has_offset = offsetof(struct peer, has_up), .size = sizeof(bool) },
};
static const struct schema_struct peer_type = TYPE(struct peer, peer_members);

struct peers {
        struct peer *items;
        size_t n;
};
static const struct schema_field peers_members[] = {
        { .name = "peers", .doc = "", .kind = SCHEMA_STRUCT, .flags = SCHEMA_LIST, .size = sizeof(struct peer), .list_max = PEERS_MAX,
          .type = &peer_type },
};
static const struct schema_struct peers_type = TYPE(struct peers, peers_members);

struct reply {
        struct str status, response;
};
static const struct schema_field reply_members[] = {
        TEXT(struct reply, status, "status", 40),
        { .name = "response", .doc = "", .kind = SCHEMA_JSON, .offset = offsetof(struct reply, response), .size = sizeof(struct str), .max = 1 << 20 },
};
static const struct schema_struct reply_type = TYPE(struct reply, reply_members);

/* ---- reading ---- */

static int response_of(struct str reply, const struct schema_struct *type, struct arena *arena, void *ret)
{
        struct reply r;

        if (json_read(&reply_type, reply, arena, &r, NULL) || !str_is(r.status, "success") || json_read(type, r.response, arena, ret, NULL))
                return -EBADMSG;
        return 0;
}

static bool read_address(struct str text, uint8_t first, struct in6_addr *ret)
{
        char z[INET6_ADDRSTRLEN];

        if (text.n >= sizeof(z))
                return false;
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
        return inet_pton(AF_INET6, z, ret) == 1 && ret->s6_addr[0] == first;
}

int yggdrasil_read_self(struct str reply, struct arena *arena, struct yggdrasil_self *ret)
{
        struct yggdrasil_self self;
        struct str subnet;
        struct self said;

        if (response_of(reply, &self_type, arena, &said))
                return -EBADMSG;
        subnet = str_cut(&said.subnet, '/');
        if (!str_is(said.subnet, "64") || !read_address(subnet, 0x03, &self.subnet) || !read_address(said.address, 0x02, &self.address) ||
            str_from_hex(said.key, self.key, sizeof(self.key)))
                return -EBADMSG;
        *ret = self;
        return 0;
}

int yggdrasil_read_peers(struct str reply, struct arena *arena, size_t *ret_n)
{
        struct peers peers;
        size_t n = 0;

        if (response_of(reply, &peers_type, arena, &peers))
                return -EBADMSG;
        for (size_t i = 0; i < peers.n; i++)
                n += !peers.items[i].has_up || peers.items[i].up;
        *ret_n = n;
        return 0;
}
