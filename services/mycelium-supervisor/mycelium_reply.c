#include "mycelium_reply.h"
#include "codec.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { PEERS_MAX = 4096, ERROR_NO_ROUTE = -32008 };

/* ---- the daemon's own names, described ---- */

#define MEMBER(type, member, json_name, of_kind, limit)                                                          \
        { .name = json_name, .doc = "", .kind = of_kind, .flags = SCHEMA_OPTIONAL, .offset = offsetof(type, member), \
          .has_offset = offsetof(type, has_##member), .size = sizeof(((type *)0)->member), .max = limit }
#define TYPE(c_type, members) \
        { .name = "", .doc = "", .fields = members, .n_fields = sizeof(members) / sizeof(members[0]), .size = sizeof(c_type) }

struct fault_said {
        int64_t code;
};
static const struct schema_field fault_members[] = {
        { .name = "code", .doc = "", .kind = SCHEMA_INT, .offset = offsetof(struct fault_said, code), .size = sizeof(int64_t),
          .min = -(INT64_C(1) << 53) + 1, .max = (INT64_C(1) << 53) - 1 },
};
static const struct schema_struct fault_type_said = TYPE(struct fault_said, fault_members);

struct reply {
        bool has_result;
        struct str result;
        struct fault_said *error;
};
static const struct schema_field reply_members[] = {
        MEMBER(struct reply, result, "result", SCHEMA_JSON, 1 << 20),
        { .name = "error", .doc = "", .kind = SCHEMA_STRUCT, .flags = SCHEMA_OPTIONAL, .offset = offsetof(struct reply, error),
          .size = sizeof(struct fault_said), .type = &fault_type_said },
};
static const struct schema_struct reply_type = TYPE(struct reply, reply_members);

struct info {
        struct str subnet, address, key;
        bool has_subnet, has_address, has_key;
};
static const struct schema_field info_members[] = {
        MEMBER(struct info, subnet, "nodeSubnet", SCHEMA_STRING, INET6_ADDRSTRLEN + 4),
        MEMBER(struct info, address, "nodeIp", SCHEMA_STRING, INET6_ADDRSTRLEN),
        MEMBER(struct info, key, "nodePubkey", SCHEMA_STRING, 2 * MYCELIUM_KEY_BYTES),
};
static const struct schema_struct info_type = TYPE(struct info, info_members);

struct peer {
        bool has_state;
        struct str state;
};
static const struct schema_field peer_members[] = { MEMBER(struct peer, state, "connectionState", SCHEMA_STRING, 40) };
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

struct key {
        bool has_key;
        struct str key;
};
static const struct schema_field key_members[] = { MEMBER(struct key, key, "publicKey", SCHEMA_STRING, 2 * MYCELIUM_KEY_BYTES) };
static const struct schema_struct key_type = TYPE(struct key, key_members);

/* ---- reading ---- */

/* What was asked for: the whole body by REST, the reply's result by JSON-RPC. An error that the daemon gave is in *ret_code. */
static int result_of(enum mycelium_api api, struct str body, struct arena *arena, struct str *ret, int64_t *ret_code)
{
        struct reply reply = { 0 };

        *ret_code = 0;
        if (api == MYCELIUM_REST) {
                *ret = body;
                return 0;
        }
        if (json_read(&reply_type, body, arena, &reply, NULL))
                return -EBADMSG;
        if (reply.error)
                *ret_code = reply.error->code;
        if (reply.error || !reply.has_result)
                return -EBADMSG;
        *ret = reply.result;
        return 0;
}

/* An address in 400::/7. */
static int read_address(struct str text, struct in6_addr *ret)
{
        char z[INET6_ADDRSTRLEN];
        struct in6_addr a;

        if (text.n >= sizeof(z))
                return -EBADMSG;
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
        if (inet_pton(AF_INET6, z, &a) != 1 || (a.s6_addr[0] & 0xfe) != 0x04)
                return -EBADMSG;
        *ret = a;
        return 0;
}

static int read_subnet(struct str text, struct in6_addr *ret)
{
        struct str rest = text, address = str_cut(&rest, '/');

        if (!str_is(rest, "64") || read_address(address, ret))
                return -EBADMSG;
        memset(ret->s6_addr + MYCELIUM_SUBNET_BYTES, 0, MYCELIUM_SUBNET_BYTES);
        return 0;
}

static bool in_subnet(const struct in6_addr *address, const struct in6_addr *subnet)
{
        return memcmp(address->s6_addr, subnet->s6_addr, MYCELIUM_SUBNET_BYTES) == 0;
}

static const char *check_info(const struct info *said, struct mycelium_info *ret)
{
        struct in6_addr derived;

        if (!said->has_subnet || read_subnet(said->subnet, &ret->subnet))
                return "it names no network of mycelium's";
        if (said->has_address) {
                if (read_address(said->address, &ret->address) || !in_subnet(&ret->address, &ret->subnet))
                        return "its address is not in its network";
                ret->has_address = true;
        }
        if (!said->has_key)
                return NULL;
        if (str_from_hex(said->key, ret->key, sizeof(ret->key)))
                return "its public key is not one";
        mycelium_address(ret->key, &derived);
        if (!in_subnet(&derived, &ret->subnet) || (ret->has_address && !IN6_ARE_ADDR_EQUAL(&derived, &ret->address)))
                return "its address is not that of its public key";
        ret->has_key = ret->has_address = true;
        ret->address = derived;
        return NULL;
}

int mycelium_read_info(enum mycelium_api api, struct str body, struct arena *arena, struct mycelium_info *ret, const char **ret_why)
{
        struct mycelium_info info = { 0 };
        struct info said = { 0 };
        const char *why = "it is not what a mycelium daemon answers";
        struct str result;
        int64_t code;

        if (result_of(api, body, arena, &result, &code) == 0 && json_read(&info_type, result, arena, &said, NULL) == 0)
                why = check_info(&said, &info);
        if (why) {
                *ret_why = why;
                return -EBADMSG;
        }
        *ret = info;
        return 0;
}

int mycelium_read_peers(enum mycelium_api api, struct str body, struct arena *arena, size_t *ret_alive)
{
        struct peers peers = { 0 };
        struct str result;
        size_t alive = 0;
        int64_t code;

        if (result_of(api, body, arena, &result, &code))
                return -EBADMSG;
        /* the reader wants an object */
        if (json_read(&peers_type, arena_format(arena, "{\"peers\":%.*s}", STR_ARG(result)), arena, &peers, NULL))
                return -EBADMSG;
        for (size_t i = 0; i < peers.n; i++)
                alive += peers.items[i].has_state && str_is(peers.items[i].state, "alive");
        *ret_alive = alive;
        return 0;
}

int mycelium_read_key(enum mycelium_api api, struct str body, struct arena *arena, const struct in6_addr *address,
                      uint8_t ret_key[MYCELIUM_KEY_BYTES])
{
        uint8_t key[MYCELIUM_KEY_BYTES];
        struct key said = { 0 };
        struct str result;
        int64_t code;

        if (result_of(api, body, arena, &result, &code))
                return code == ERROR_NO_ROUTE ? -ENOENT : -EBADMSG;
        if (api == MYCELIUM_JSONRPC)    /* the bare string */
                result = arena_format(arena, "{\"publicKey\":%.*s}", STR_ARG(result));
        if (json_read(&key_type, result, arena, &said, NULL) || !said.has_key || str_from_hex(said.key, key, sizeof(key)))
                return -EBADMSG;
        if (!mycelium_owns(key, address))
                return -EKEYREJECTED;
        memcpy(ret_key, key, sizeof(key));
        return 0;
}
