/* The head of an HTTP/1.1 request (RFC 9112), read before h2o does: what it says of the message's length must be said once and
 * plainly, else two programs in a row could see different requests in the same bytes. Whatever passes here is well-formed for h2o. */
#pragma once
#include "str.h"

enum { HEAD_MAX = 16 * 1024, HEAD_FIELDS_MAX = 64, HEAD_MORE = -1 };

struct head {
        size_t n;             /* its own bytes, with the empty line */
        struct str target, authorization;
        int64_t body;         /* bytes that follow it */
};

/* 0, HEAD_MORE where the rest is still to come, or the HTTP status to refuse it with, and why. Texts point into bytes. */
int head_read(struct str bytes, struct head *ret, const char **ret_reason);
