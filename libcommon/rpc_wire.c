#include "rpc_wire.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Request ids go to logs and to people: nothing but letters, digits and . _ - */
static bool is_request_id(struct str s)
{
        if (s.n > RPC_REQUEST_MAX)
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !memchr("._-", s.p[i], 3))
                        return false;
        return true;
}

static int bad(const char **ret_reason, const char *reason)
{
        *ret_reason = reason;
        return -EBADMSG;
}

int rpc_envelope_read(struct str in, struct rpc_envelope *ret, const char **ret_reason)
{
        struct rpc_envelope e = { 0 };
        struct str s;
        int64_t version;
        uint32_t n;

        *ret = e;
        if (msgpack_get_array(&in, &n) || n != 7)
                return bad(ret_reason, "a call is an array of 7");
        if (msgpack_get_int(&in, &version) || version != RPC_VERSION)
                return bad(ret_reason, "the version of a call is 1");
        if (msgpack_get_str(&in, &e.method) || e.method.n == 0)
                return bad(ret_reason, "the method is a name");
        if (msgpack_get_str(&in, &s) || s.n == 0 || !is_request_id(s))
                return bad(ret_reason, "the request id has 1 to 64 of A-Z a-z 0-9 . _ -");
        e.request = s;
        ret->method = e.method;
        ret->request = e.request;
        if (!msgpack_get_nil(&in) && (msgpack_get_str(&in, &e.client_request) || !is_request_id(e.client_request)))
                return bad(ret_reason, "the client's request id has at most 64 of A-Z a-z 0-9 . _ -");
        if (msgpack_get_int(&in, &e.deadline_ms) || e.deadline_ms < 0 || e.deadline_ms > RPC_TIMEOUT_MAX_MS)
                return bad(ret_reason, "the deadline is 0 to 60000 ms");
        if (!msgpack_get_nil(&in) && (msgpack_get_bin(&in, &e.caller) || e.caller.n == 0))
                return bad(ret_reason, "the caller is sealed bytes");
        e.params = in;
        *ret = e;
        return 0;
}

static void put_str_or_nil(struct buf *out, struct str s)
{
        if (s.n > 0)
                msgpack_put_str(out, s);
        else
                msgpack_put_nil(out);
}

void rpc_envelope_write(const struct rpc_envelope *e, struct buf *out)
{
        msgpack_put_array(out, 7);
        msgpack_put_int(out, RPC_VERSION);
        msgpack_put_str(out, e->method);
        msgpack_put_str(out, e->request);
        put_str_or_nil(out, e->client_request);
        msgpack_put_int(out, e->deadline_ms);
        if (e->caller.n > 0)
                msgpack_put_bin(out, e->caller.p, e->caller.n);
        else
                msgpack_put_nil(out);
}

void rpc_reply_write_head(int code, struct buf *out)
{
        msgpack_put_array(out, 3);
        msgpack_put_int(out, RPC_VERSION);
        msgpack_put_int(out, code);
}

int rpc_reply_read_head(struct str *message, int *ret_code)
{
        int64_t version, code;
        uint32_t n;

        if (msgpack_get_array(message, &n) || n != 3 || msgpack_get_int(message, &version) || version != RPC_VERSION ||
            msgpack_get_int(message, &code) || code < 0 || code > INT32_MAX)
                return -EBADMSG;
        *ret_code = (int)code;
        return 0;
}

int rpc_address(const char *path, struct sockaddr_un *ret)
{
        if (strlen(path) > RPC_PATH_MAX)
                return -ENAMETOOLONG;
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        strcpy(ret->sun_path, path);
        return 0;
}

uid_t rpc_peer_uid(int fd)
{
        struct ucred peer;
        socklen_t n = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 ? peer.uid : (uid_t)-1;
}
