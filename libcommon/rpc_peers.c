#include "rpc.h"
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum { NOBODY_UID = 65534 };  /* also what every stranger's uid looks like from inside a user namespace */

/* By bit number of enum schema_peer. */
static const char *const users[] = {
        "assist-store", "assist-identity", "assist-fanout", "assist-gateway",
        "assist-courier", "assist-mycelium-supervisor", "root", "assist-metrics",
};

int rpc_peers_load(bool development, struct rpc_peers *ret)
{
        struct rpc_peers p = { .development = development };

        for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
                const struct passwd *user;

                errno = 0;
                user = getpwnam(users[i]);
                if (!user && errno && errno != ENOENT && errno != ESRCH)
                        return -errno;
                p.uid[i] = user ? user->pw_uid : (uid_t)-1;
        }
        *ret = p;
        return 0;
}

unsigned rpc_peers_of(const struct rpc_peers *peers, uid_t uid)
{
        unsigned bits = 0;

        if (uid == (uid_t)-1 || uid == NOBODY_UID)
                return 0;
        for (unsigned i = 0; i < sizeof(peers->uid) / sizeof(peers->uid[0]); i++)
                if (peers->uid[i] == uid)
                        bits |= 1u << i;
        if (peers->development && uid == geteuid())
                bits |= (1u << (sizeof(peers->uid) / sizeof(peers->uid[0]))) - 1;
        return bits;
}
