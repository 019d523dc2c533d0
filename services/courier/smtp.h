/* Sends mails by SMTP (libcurl) on the service's own loop, a few at a time.
 *
 * A permanent refusal of a mail is one by reply 5xx to its sender, recipient or text. All else (no connection, no TLS, a
 * refused password, 4xx) is our side's or will pass: the mail is to be tried again. */
#pragma once
#include "loop.h"
#include "schema/identity.h"

enum { SMTP_PARALLEL = 4, SMTP_TIMEOUT_S = 60, SMTP_CONNECT_TIMEOUT_S = 10 };

/* Where to send by. Only read while smtp_send runs. */
struct smtp_server {
        struct str url;         /* smtp://host:port, smtps://host:port */
        struct str user;        /* empty: no authentication */
        struct str password;
        struct str ca_file;     /* empty: the system's certificates */
        bool starttls;          /* refuse to send without TLS */
};

struct smtp_mail {
        struct ulid id;
        struct str from, to;    /* addresses */
        struct str message;     /* as message_write made it */
};

/* status: the last SMTP reply's code; where there was none, a negative curl code. */
typedef void smtp_done_fn(void *data, struct ulid mail, enum mail_outcome outcome, int status);

struct smtp;
int smtp_new(struct loop *loop, smtp_done_fn *done, void *data, struct smtp **ret);
void smtp_free(struct smtp *smtp);      /* what is under way is broken off, without a word */
size_t smtp_busy(const struct smtp *smtp);

/* done is called once, never before smtp_send returned. At most SMTP_PARALLEL at a time: -EBUSY. */
int smtp_send(struct smtp *smtp, const struct smtp_server *server, const struct smtp_mail *mail);
