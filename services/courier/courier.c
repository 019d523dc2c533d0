#include "courier.h"
#include "log_messages.h"
#include "message.h"
#include "schema/identity.h"
#include "smtp.h"
#include "spool.h"
#include "stats.h"
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_AGAIN_US = 1000 * 1000, OUTBOX_BYTES = 256 * 1024 };

/* A mail that was taken from the outbox, until identity knows what became of it. */
struct job {
        struct courier *courier;
        struct mail mail;               /* its texts lie in the arena */
        struct arena arena;
        bool sending, decided;
        enum mail_outcome outcome;
        int status;
        struct loop_timer *again;       /* to report once more */
        struct job *next;
};

struct courier {
        struct service *service;
        struct rpc_client *identity;
        struct follower *outbox;
        int64_t after;
        struct smtp *smtp;
        const char *folder;             /* for mails where there is no server */
        struct arena secrets;
        struct str password;
        struct job *jobs;               /* oldest first */
        struct arena stats;             /* of what it tells of itself */
        bool draining;
        int64_t sent, deferred, failed; /* since start */
};

static void send_next(struct courier *c);

static void job_free(struct job *job)
{
        rpc_cancel(job->courier->identity, job);
        loop_timer_free(job->again);
        arena_deinit(&job->arena);
        free(job);
}

static void job_done(struct job *job)
{
        struct job **at = &job->courier->jobs;

        while (*at != job)
                at = &(*at)->next;
        *at = job->next;
        job_free(job);
}

static void job_report(struct job *job);

static void on_report_again(void *data)
{
        job_report(data);
}

static void on_reported(void *data, const struct rpc_reply *reply)
{
        struct job *job = data;

        if (reply->code == 0 || reply->code == FAULT_NOT_FOUND)
                job_done(job);
        else
                loop_timer_set(job->again, REPORT_AGAIN_US); /* else it would be sent twice */
}

static void job_report(struct job *job)
{
        const struct outbox_done params = { .mail = job->mail.id, .outcome = (int)job->outcome, .status = job->status };
        const struct rpc_request request = { .method = &schema_method_outbox_done, .params = &params };

        if (rpc_call(job->courier->identity, &request, on_reported, job) < 0)
                loop_timer_set(job->again, REPORT_AGAIN_US);
}

static void job_decide(struct job *job, enum mail_outcome outcome, int status)
{
        struct courier *c = job->courier;
        char id[ULID_TEXT + 1];

        job->sending = false;
        job->decided = true;
        job->outcome = outcome;
        job->status = status;
        ulid_text(job->mail.id, id);
        if (job->mail.to.n > 0) {
                c->sent += outcome == MAIL_OUTCOME_SENT;
                c->deferred += outcome == MAIL_OUTCOME_DEFERRED;
                c->failed += outcome == MAIL_OUTCOME_FAILED;
                if (outcome == MAIL_OUTCOME_SENT)
                        log_info("mail %s: sent, code %d", id, status);
                else
                        log_write(LOG_LEVEL_WARNING, outcome == MAIL_OUTCOME_FAILED ? LOG_MAIL_REFUSED : LOG_MAIL_PUT_OFF,
                                  "mail %s: %s, code %d, attempt %lld", id, schema_enum_mail_outcome.values[outcome], status,
                                  (long long)job->mail.attempt + 1);
                service_status(c->service);
        }
        job_report(job);
}

static void on_smtp(void *data, struct ulid mail, enum mail_outcome outcome, int status)
{
        struct courier *c = data;

        for (struct job *job = c->jobs; job; job = job->next)
                if (job->sending && ulid_eq(job->mail.id, mail)) {
                        job_decide(job, outcome, status);
                        break;
                }
        send_next(c);
}

/* Into the folder, or on its way by SMTP. */
static void job_send(struct job *job)
{
        struct courier *c = job->courier;
        const struct settings *s = &c->service->settings;
        struct buf message = { 0 };
        int r;

        message_write(&(struct message){
                .id = job->mail.id,
                .from = s->mail_from,
                .to = job->mail.to,
                .subject = job->mail.subject,
                .body = job->mail.body,
                .at = clock_now_ms(c->service->clock),
        }, &message);
        if (s->smtp_url.n == 0) {
                r = spool_write(c->folder, job->mail.id, buf_view(&message));
                if (r < 0)
                        log_error("can't write into %s: %s", c->folder, strerror(-r));
                job_decide(job, r < 0 ? MAIL_OUTCOME_DEFERRED : MAIL_OUTCOME_SENT, 0);
        } else {
                const struct smtp_server server = { s->smtp_url, s->smtp_user, c->password, s->smtp_ca_file, s->smtp_starttls };
                const struct smtp_mail mail = { job->mail.id, message_address(s->mail_from), job->mail.to, buf_view(&message) };

                job->sending = true;
                r = smtp_send(c->smtp, &server, &mail);
                if (r < 0)
                        job_decide(job, MAIL_OUTCOME_DEFERRED, 0);
        }
        sodium_memzero(message.p, message.n);
        buf_deinit(&message);
}

static void send_next(struct courier *c)
{
        struct job *job, *next;

        for (job = c->jobs; job && !c->draining && smtp_busy(c->smtp) < SMTP_PARALLEL; job = next) {
                next = job->next;
                if (!job->sending && !job->decided)
                        job_send(job);
        }
}

static void take_mail(struct courier *c, const struct mail *mail)
{
        struct job **at = &c->jobs, *job;

        for (; *at; at = &(*at)->next)
                if (ulid_eq((*at)->mail.id, mail->id))
                        return; /* its lease ended while it waits here */
        job = calloc(1, sizeof(*job));
        if (!job)
                return; /* its lease will end */
        job->courier = c;
        job->mail.id = mail->id;
        job->mail.attempt = mail->attempt;
        job->mail.to = arena_str(&job->arena, mail->to);
        job->mail.subject = arena_str(&job->arena, mail->subject);
        job->mail.body = arena_str(&job->arena, mail->body);
        job->again = loop_timer_new(c->service->loop, on_report_again, job);
        *at = job;
        if (mail->to.n == 0)
                job_decide(job, MAIL_OUTCOME_SENT, 0); /* a decoy */
}

static int64_t in_hand(const struct courier *c)
{
        int64_t jobs = 0;

        for (const struct job *job = c->jobs; job; job = job->next)
                jobs++;
        return jobs;
}

/* There is no socket to ask it at: it says so when it asks. */
static struct process_stats *tell(struct courier *c)
{
        const int64_t mails[] = { c->sent, c->deferred, c->failed };
        struct process_stats *told;
        struct figure *outcomes;
        struct stats stats;

        arena_reset(&c->stats);
        told = stats_begin(&stats, &c->stats, c->service);
        outcomes = stats_figure(&stats, FIGURE_KIND_COUNTER, "mails_total", "Attempts to send a mail.", 3);
        for (int i = 0; i < 3; i++)
                stats_sample(&stats, outcomes, mails[i], "outcome", schema_enum_mail_outcome.values[i], NULL);
        stats_gauge(&stats, "mails_in_hand", "Mails that were taken from the outbox, and not yet reported.", in_hand(c));
        return told;
}

static void ask_outbox(void *data, void *params)
{
        struct courier *c = data;

        *(struct outbox_follow *)params = (struct outbox_follow){ .after = c->after, .max_bytes = OUTBOX_BYTES, .stats = tell(c) };
}

static void on_outbox(void *data, const void *result)
{
        const struct outbox_follow_result *r = result;
        struct courier *c = data;

        c->after = r->head;
        for (size_t i = 0; i < r->items.n && !c->draining; i++)
                take_mail(c, &r->items.items[i]);
        send_next(c);
}

/* That identity is away is nothing to tell: it comes back. */
static void on_outbox_failed(void *data, int code)
{
        (void)data;
        if (code != FAULT_UNAVAILABLE)
                log_error("identity refuses to show its outbox: %s", fault_name(code));
}

static int load_password(struct courier *c)
{
        c->password = STR("");
        if (c->service->settings.smtp_user.n == 0)
                return 0;
        arena_reset(&c->secrets);
        return service_secret_text(c->service, "smtp-password", &c->secrets, &c->password);
}

static void courier_reload(void *data)
{
        if (load_password(data) < 0)
                log_error("mails can't be sent: the credential smtp-password is missing");
}

static int courier_start(struct service *service, void **ret_data)
{
        struct courier *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        *ret_data = c;
        c->service = service;
        c->folder = service_state(service, "mail");
        r = load_password(c);
        if (r == 0)
                r = smtp_new(service->loop, on_smtp, c, &c->smtp);
        if (r == 0)
                r = service_client(service, "identity", SCHEMA_PEER_IDENTITY, &c->identity);
        if (r == 0)
                r = follower_new(service->loop, &(struct follower_options){
                        .client = c->identity,
                        .method = &schema_method_outbox_follow,
                        .ask = ask_outbox,
                        .take = on_outbox,
                        .failed = on_outbox_failed,
                        .data = c,
                }, &c->outbox);
        return r;
}

/* What was not begun is given out again; what was begun is finished and reported. */
static void courier_drain(void *data)
{
        struct courier *c = data;
        struct job **at = &c->jobs, *job;

        c->draining = true;
        follower_free(c->outbox);
        c->outbox = NULL;
        while ((job = *at)) {
                if (job->sending || job->decided) {
                        at = &job->next;
                        continue;
                }
                *at = job->next;
                job_free(job);
        }
}

static bool courier_drained(void *data)
{
        const struct courier *c = data;

        return !c->jobs;
}

static void courier_stop(void *data)
{
        struct courier *c = data;
        struct job *job;

        follower_free(c->outbox);
        smtp_free(c->smtp);
        while ((job = c->jobs)) {
                c->jobs = job->next;
                job_free(job);
        }
        rpc_client_free(c->identity);
        if (c->password.n > 0)
                sodium_memzero((char *)(uintptr_t)c->password.p, c->password.n);
        arena_deinit(&c->secrets);
        arena_deinit(&c->stats);
        free(c);
}

static void courier_status(void *data, struct buf *out)
{
        const struct courier *c = data;

        buf_format(out, "%s; %lld sent, %lld put off, %lld refused", c->service->settings.smtp_url.n > 0 ? "by SMTP" : "into a folder",
                   (long long)c->sent, (long long)c->deferred, (long long)c->failed);
}

static void courier_sums(void *data, struct past_sums *ret)
{
        const struct courier *c = data;

        ret->calls = (uint64_t)(c->sent + c->deferred + c->failed);
        ret->failed = (uint64_t)(c->deferred + c->failed);
        ret->counted = "mails_total";
        ret->waiting = (uint64_t)in_hand(c);
        ret->waits = "mails_in_hand";
}

const struct service_type courier_service = {
        .name = "courier",
        .peer = SCHEMA_PEER_COURIER,
        .start = courier_start,
        .reload = courier_reload,
        .drain = courier_drain,
        .drained = courier_drained,
        .stop = courier_stop,
        .status = courier_status,
        .sums = courier_sums,
};
