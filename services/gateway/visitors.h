/* Who the callers are, as identity said: by token and the address that it came from. A caller stays good while its seal does
 * (10 min), even while identity is away; from 5 min on it is asked for again in the background. What identity reports as changed is
 * forgotten at once. */
#pragma once
#include "gateway.h"
#include <uthash.h>

enum {
        VISITORS_MAX = 65536,
        VISITOR_REFRESH_US = 5 * 60 * 1000 * 1000,
};

struct visitor {
        uint8_t key[32];             /* hash of token and address */
        struct buf token, sealed;
        char address[INET6_ADDRSTRLEN];
        char device[DEVICE_MAX + 1];
        enum schema_role role;
        bool has_user;
        struct ulid user;
        int64_t expires_at;          /* of the seal */
        int64_t fetched_us;
        bool known;                  /* identity has answered once */
        bool forgotten;              /* not in the table any more */
        struct resolving *resolving; /* under way */
        unsigned refs;
        UT_hash_handle hh;
};

struct visitors;
struct visitors *visitors_new(struct gateway *g);
void visitors_free(struct visitors *visitors);
int visitors_follow(struct visitors *visitors);  /* begins to follow identity; 0 or -errno */

/* Where a token comes from. */
struct visit {
        struct str address;
        struct str device;      /* is charged with a session where identity must be asked; empty: nobody is */
        struct str request;     /* may be empty */
        struct visitor *last;   /* who came the same way before, or NULL: mostly it is them again */
};

/* code 0 and a visitor, which is yours only while you hold a reference; or a fault. Perhaps before this returns. */
typedef void visitor_fn(void *data, int code, const struct fault *fault, struct visitor *visitor);
void visitors_find(struct visitors *visitors, struct str token, const struct visit *visit, visitor_fn *done, void *data);
void visitors_cancel(struct visitors *visitors, const void *data);   /* whoever waits with this data is not told; visitors NULL is fine */
void visitors_forget(struct visitors *visitors, struct visitor *v);
size_t visitors_count(const struct visitors *visitors);

struct visitor *visitor_ref(struct visitor *v);
void visitor_unref(struct visitor *v);           /* NULL is fine */
