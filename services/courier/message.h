/* A mail as RFC 5322 has it: plain text in UTF-8, lines end in CRLF. */
#pragma once
#include "str.h"
#include "ulid.h"

struct message {
        struct ulid id;         /* of its Message-ID: the same at every attempt */
        struct str from;        /* "Support <support@example.org>", or the address alone */
        struct str to;          /* an address */
        struct str subject, body;
        int64_t at;
};

void message_write(const struct message *message, struct buf *out);

/* The part between < and >, or all of it. */
struct str message_address(struct str mailbox);
