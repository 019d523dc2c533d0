/* The HTTP side of a WebSocket's beginning (RFC 6455, section 4.1), without sockets. The server's proof that it read our key
 * (Sec-WebSocket-Accept) is not looked at: what it guards against, caches and servers that know no WebSockets, can't answer 101 here. */
#pragma once
#include "private.h"

enum { UPGRADE_ANSWER_MAX = 16384 };

struct upgrade {
        struct buf in;             /* all that came */
        size_t head;               /* the length of the answer's head; 0: it is not whole yet */
        size_t whole;              /* and with its body: what is behind it belongs to the WebSocket */
        int status;
        int64_t retry_after_ms;    /* 0: it does not say */
};

/* cursor: to go on from, or empty; of characters that need no escape. */
void upgrade_request(const struct assist *a, struct str cursor, struct buf *ret);

/* The bytes that buf_reserve(&u->in) made room for have come. 0: more must; 1: the answer is whole; -EPROTO: this is no HTTP. */
int upgrade_take(struct upgrade *u, size_t n);
void upgrade_deinit(struct upgrade *u);
