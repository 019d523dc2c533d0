#include "smtp.h"
#include "curl_loop.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
        struct smtp *smtp;
        struct ulid mail;
        CURL *easy;
        struct curl_slist *recipients;
        char *message;
        size_t n, at;
};

struct smtp {
        struct curl_loop *curl;
        smtp_done_fn *done;
        void *data;
        struct transfer *transfers[SMTP_PARALLEL];
        size_t n;
};

static void transfer_free(struct transfer *t)
{
        if (t->easy) {
                curl_loop_remove(t->smtp->curl, t->easy);
                curl_easy_cleanup(t->easy);
        }
        curl_slist_free_all(t->recipients);
        free(t->message);
        free(t);
}

static size_t read_message(char *buffer, size_t size, size_t n, void *data)
{
        struct transfer *t = data;
        size_t left = t->n - t->at, room = size * n, part = left < room ? left : room;

        memcpy(buffer, t->message + t->at, part);
        t->at += part;
        return part;
}

/* What became of a mail, from how the conversation ended. */
static enum mail_outcome outcome_of(const struct transfer *t, CURLcode code, long reply)
{
        if (code == CURLE_OK)
                return MAIL_OUTCOME_SENT;
        if (reply < 500 || reply > 599)
                return MAIL_OUTCOME_DEFERRED;
        /* curl says SEND_ERROR where MAIL, RCPT or DATA was refused, and WEIRD_SERVER_REPLY where the text was; or the greeting, which is
         * no word about this mail. */
        if (code == CURLE_SEND_ERROR || (code == CURLE_WEIRD_SERVER_REPLY && t->at > 0))
                return MAIL_OUTCOME_FAILED;
        return MAIL_OUTCOME_DEFERRED;
}

static void finish(void *data, CURL *easy, CURLcode code)
{
        struct smtp *smtp = data;
        enum mail_outcome outcome;
        struct transfer *t;
        struct ulid mail;
        long reply = 0;
        size_t i = 0;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
        outcome = outcome_of(t, code, reply);
        mail = t->mail;
        while (smtp->transfers[i] != t)
                i++;
        smtp->transfers[i] = smtp->transfers[--smtp->n];
        transfer_free(t);
        smtp->done(smtp->data, mail, outcome, reply > 0 && reply < 1000 ? (int)reply : -(int)code);
}

int smtp_new(struct loop *loop, smtp_done_fn *done, void *data, struct smtp **ret)
{
        struct smtp *smtp = calloc(1, sizeof(*smtp));
        int r;

        if (!smtp)
                return -ENOMEM;
        smtp->done = done;
        smtp->data = data;
        r = curl_loop_new(loop, finish, smtp, &smtp->curl);
        if (r)
                free(smtp);
        else
                *ret = smtp;
        return r;
}

void smtp_free(struct smtp *smtp)
{
        if (!smtp)
                return;
        while (smtp->n > 0)
                transfer_free(smtp->transfers[--smtp->n]);
        curl_loop_free(smtp->curl);
        free(smtp);
}

size_t smtp_busy(const struct smtp *smtp)
{
        return smtp->n;
}

/* curl copies texts, but wants them with a NUL. */
static CURLcode set_text(CURL *easy, CURLoption option, struct str text)
{
        char *copy = strndup(text.p, text.n);
        CURLcode code = copy ? curl_easy_setopt(easy, option, copy) : CURLE_OUT_OF_MEMORY;

        free(copy);
        return code;
}

static CURLcode set_options(struct transfer *t, const struct smtp_server *server, const struct smtp_mail *mail)
{
        char *to = strndup(mail->to.p, mail->to.n);
        CURLcode code = CURLE_OK;
        CURL *e = t->easy;

        t->recipients = to ? curl_slist_append(NULL, to) : NULL;
        free(to);
        if (!t->recipients)
                return CURLE_OUT_OF_MEMORY;
        curl_easy_setopt(e, CURLOPT_PRIVATE, t);
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        curl_easy_setopt(e, CURLOPT_PROXY, "");
        curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)SMTP_TIMEOUT_S);
        curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)SMTP_CONNECT_TIMEOUT_S);
        curl_easy_setopt(e, CURLOPT_MAIL_RCPT, t->recipients);
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, read_message);
        curl_easy_setopt(e, CURLOPT_READDATA, t);
        curl_easy_setopt(e, CURLOPT_USE_SSL, server->starttls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
        code = set_text(e, CURLOPT_URL, server->url);
        if (code == CURLE_OK)
                code = set_text(e, CURLOPT_MAIL_FROM, mail->from);
        if (code == CURLE_OK && server->ca_file.n > 0)
                code = set_text(e, CURLOPT_CAINFO, server->ca_file);
        if (code == CURLE_OK && server->user.n > 0)
                code = set_text(e, CURLOPT_USERNAME, server->user);
        if (code == CURLE_OK && server->user.n > 0)
                code = set_text(e, CURLOPT_PASSWORD, server->password);
        return code;
}

int smtp_send(struct smtp *smtp, const struct smtp_server *server, const struct smtp_mail *mail)
{
        struct transfer *t;

        if (smtp->n == SMTP_PARALLEL)
                return -EBUSY;
        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->smtp = smtp;
        t->mail = mail->id;
        t->easy = curl_easy_init();
        t->message = malloc(mail->message.n);
        t->n = mail->message.n;
        if (t->message)
                memcpy(t->message, mail->message.p, t->n);
        if (!t->easy || !t->message || set_options(t, server, mail) != CURLE_OK ||
            curl_loop_add(smtp->curl, t->easy)) {
                transfer_free(t);
                return -ENOMEM;
        }
        smtp->transfers[smtp->n++] = t;
        return 0;
}
