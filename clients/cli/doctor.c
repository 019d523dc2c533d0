#include "doctor.h"

#include "file.h"
#include "init.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MB = 1000 * 1000, DISK_LEAST_MB = 256, BACKUP_BESIDE_MB = 64, FULL_PERCENT = 90 };

static void find(struct doctor *d, enum finding_level level, struct str about, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void find(struct doctor *d, enum finding_level level, struct str about, const char *format, ...)
{
        char text[401];
        va_list args;

        if (d->n == DOCTOR_FINDINGS_MAX)
                return;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        d->items[d->n++] = (struct finding){ .level = (int)level, .about = arena_str(d->arena, about), .text = arena_str(d->arena, str_of(text)) };
}

/* ---- figures ---- */

static const struct process_stats *process_of(const struct vitals *v, const char *service)
{
        for (size_t i = 0; i < v->n; i++)
                if (v->of[i].up && str_is(v->of[i].service, service))
                        return &v->of[i];
        return NULL;
}

static bool has_label(const struct figure_sample *s, const char *name, const char *value)
{
        for (size_t i = 0; i < s->labels.n; i++)
                if (str_is(s->labels.items[i].name, name) && str_is(s->labels.items[i].value, value))
                        return true;
        return false;
}

/* All its samples together, or those with the label; 0 where there is none. */
static int64_t value(const struct process_stats *p, const char *figure, const char *label, const char *of)
{
        int64_t sum = 0;

        for (size_t i = 0; p && i < p->figures.n; i++)
                for (size_t k = 0; k < p->figures.items[i].samples.n; k++)
                        if (str_is(p->figures.items[i].name, figure) && (!label || has_label(&p->figures.items[i].samples.items[k], label, of)))
                                sum += p->figures.items[i].samples.items[k].value;
        return sum;
}

static bool is_full(int64_t n, int64_t of)
{
        return of > 0 && n >= of / 100 * FULL_PERCENT;
}

/* ---- what they tell ---- */

static void hear_process(struct doctor *d, const struct process_stats *p)
{
        struct str name = vitals_name(p, d->arena);
        int64_t faults = value(p, "rpc_calls_total", "result", "Internal") + value(p, "jsonrpc_calls_total", "result", "Internal");
        int64_t fds = value(p, "process_open_fds", NULL, NULL), fds_most = value(p, "process_max_fds", NULL, NULL);
        int64_t clients = value(p, "connections", NULL, NULL), clients_most = value(p, "connections_max", NULL, NULL);

        if (!p->up) {
                find(d, FINDING_LEVEL_FAILURE, name, "does not answer: `systemctl status assist-%.*s`, `journalctl -eu assist-%.*s`", STR_ARG(name), STR_ARG(name));
                return;
        }
        if (!str_is(p->version, ASSIST_VERSION))
                find(d, FINDING_LEVEL_WARNING, name, "runs version %.*s, and this is %s: `systemctl restart assist-%.*s`", STR_ARG(p->version), ASSIST_VERSION, STR_ARG(name));
        if (faults)
                find(d, FINDING_LEVEL_WARNING, name, "has failed %lld times by a fault of its own: `journalctl -u assist-%.*s -p err`", (long long)faults, STR_ARG(name));
        if (is_full(fds, fds_most))
                find(d, FINDING_LEVEL_WARNING, name, "has %lld of %lld descriptors open: raise LimitNOFILE= in a drop-in", (long long)fds, (long long)fds_most);
        if (is_full(clients, clients_most))
                find(d, FINDING_LEVEL_WARNING, name, "has %lld of %lld connections: start another, `systemctl start assist-gateway@2`", (long long)clients,
                     (long long)clients_most);
}

static void hear_processes(struct doctor *d, const struct vitals *v)
{
        size_t before = d->n, gateways = 0;

        for (size_t i = 0; i < v->n; i++) {
                hear_process(d, &v->of[i]);
                gateways += v->of[i].up && str_is(v->of[i].service, "gateway");
        }
        if (process_of(v, "identity") && !gateways)
                find(d, FINDING_LEVEL_FAILURE, STR("gateway"), "none runs, so nobody can come in: `systemctl start assist-gateway@1`");
        if (process_of(v, "identity") && !process_of(v, "courier"))
                find(d, FINDING_LEVEL_FAILURE, STR("courier"), "is not heard of, so no mail leaves: `systemctl start assist-courier`");
        if (d->n == before)
                find(d, FINDING_LEVEL_GOOD, STR("services"), "all %zu answer", v->n);
}

static void hear_overlay(struct doctor *d, const struct vitals *v)
{
        const struct process_stats *p = process_of(v, "mycelium-supervisor");

        if (p && value(p, "overlay_state", "state", "up"))
                find(d, FINDING_LEVEL_GOOD, STR("overlay"), "%.*s", STR_ARG(p->status));
        else if (p)
                find(d, FINDING_LEVEL_FAILURE, STR("overlay"), "the desk can't be reached: %.*s", STR_ARG(p->status));
}

static void hear_disk(struct doctor *d, const struct vitals *v)
{
        const struct process_stats *p = process_of(v, "store");
        int64_t left = value(p, "disk_free_bytes", NULL, NULL) / MB, wanted = 2 * value(p, "database_bytes", NULL, NULL) / MB + BACKUP_BESIDE_MB;

        if (!p)
                return;
        if (left < DISK_LEAST_MB)
                find(d, FINDING_LEVEL_FAILURE, STR("disk"), "%lld MB are left for store; with none, nothing can be written: make room, or it a larger disk", (long long)left);
        else if (left < wanted)
                find(d, FINDING_LEVEL_WARNING, STR("disk"), "%lld MB are left for store, and a backup wants %lld: make room", (long long)left, (long long)wanted);
        else
                find(d, FINDING_LEVEL_GOOD, STR("disk"), "%lld MB are left for store", (long long)left);
}

static void hear_backups(struct doctor *d, const struct vitals *v, int64_t now_ms)
{
        const struct process_stats *p = process_of(v, "store");
        int64_t at = value(p, "backup_timestamp_seconds", NULL, NULL) * 1000, hours = (now_ms - at) / (60 * 60 * 1000);

        if (!p)
                return;
        if (!at)
                find(d, FINDING_LEVEL_WARNING, STR("backups"), "none was made yet: `assistctl backup`, and `systemctl start assist-backup.timer` for one each night");
        else if (now_ms - at > DOCTOR_BACKUP_MS)
                find(d, FINDING_LEVEL_WARNING, STR("backups"), "the last one was made %lld hours ago: `journalctl -u assist-backup`, `systemctl status assist-backup.timer`",
                     (long long)hours);
        else
                find(d, FINDING_LEVEL_GOOD, STR("backups"), "the last one was made %lld hours ago", (long long)hours);
}

static void hear_mails(struct doctor *d, const struct vitals *v)
{
        const struct process_stats *p = process_of(v, "identity");
        int64_t n = value(p, "outbox_waiting", NULL, NULL), us = value(p, "outbox_oldest_seconds", NULL, NULL);

        if (p && n && us > DOCTOR_MAIL_US)
                find(d, FINDING_LEVEL_WARNING, STR("mails"), "%lld wait, the oldest for %lld minutes, so its code is over: `assistctl outbox`, `journalctl -eu assist-courier`",
                     (long long)n, (long long)(us / 1000000 / 60));
        else if (p)
                find(d, FINDING_LEVEL_GOOD, STR("mails"), "%lld wait to be sent", (long long)n);
}

/* Those that follow the log. */
static void hear_followers(struct doctor *d, const struct vitals *v)
{
        const struct process_stats *store = process_of(v, "store"), *fanout = process_of(v, "fanout");
        int64_t behind = value(store, "search_behind", NULL, NULL), lag = value(store, "log_head", NULL, NULL) - value(fanout, "log_position", NULL, NULL);

        if (behind > DOCTOR_BEHIND_OPS)
                find(d, FINDING_LEVEL_WARNING, STR("search"), "%lld ops are not in the index of texts yet, so searches wait: it goes on by itself; `assistctl top` shows how fast",
                     (long long)behind);
        if (store && fanout && lag > DOCTOR_BEHIND_OPS)
                find(d, FINDING_LEVEL_WARNING, STR("live"), "live events lag by %lld ops: `journalctl -eu assist-fanout`", (long long)lag);
}

void doctor_hear(struct doctor *d, const struct vitals *vitals, int64_t now_ms)
{
        hear_processes(d, vitals);
        hear_overlay(d, vitals);
        hear_followers(d, vitals);
        hear_mails(d, vitals);
        hear_disk(d, vitals);
        hear_backups(d, vitals, now_ms);
}

/* ---- what lies here ---- */

static void look_at_key(struct doctor *d, struct operator *o, const struct init_key *key)
{
        const char *path = init_key_path(o, key), *name = arena_format(&o->arena, "%s/%s", key->service, key->name).p;
        struct stat st;

        if (lstat(path, &st))
                find(d, FINDING_LEVEL_FAILURE, str_of(name), "%s: %s: restore it from a backup; `assistctl project init` makes a new one where there is none", path,
                     strerror(errno));
        else if (!S_ISREG(st.st_mode) || st.st_size < 64)
                find(d, FINDING_LEVEL_FAILURE, str_of(name), "%s is no key of 64 hexadecimal digits: restore it from a backup", path);
        else if (st.st_mode & 077)
                find(d, FINDING_LEVEL_FAILURE, str_of(name), "%s can be read by others: `chmod 600 %s`", path, path);
}

void doctor_look(struct doctor *d, struct operator *o)
{
        static const char *const services[] = { "store", "identity" };
        size_t before = d->n;

        for (size_t i = 0; i < INIT_KEYS; i++)
                look_at_key(d, o, &init_keys[i]);
        if (d->n == before)
                find(d, FINDING_LEVEL_GOOD, STR("keys"), "all are there, and nobody else can read them");
        for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
                struct stat st;

                if (lstat(operator_state(o, services[i], FILE_RESTORING), &st) == 0)
                        find(d, FINDING_LEVEL_FAILURE, str_of(services[i]), "a restore was not finished, so it does not start: `assistctl restore FOLDER --replace` again");
        }
}

/* ---- the command ---- */

/* How many are not good. */
static size_t wrong_of(const struct doctor *d)
{
        size_t wrong = 0;

        for (size_t i = 0; i < d->n; i++)
                wrong += d->items[i].level != FINDING_LEVEL_GOOD;
        return wrong;
}

static void tell(const struct doctor *d)
{
        static const char *const levels[] = { [FINDING_LEVEL_GOOD] = "good", [FINDING_LEVEL_WARNING] = "WARNING", [FINDING_LEVEL_FAILURE] = "FAILURE" };

        for (size_t i = 0; i < d->n; i++) {
                const struct finding *f = &d->items[i];

                printf("%-7s  %-20.*s  %.*s\n", levels[f->level], STR_ARG(f->about), STR_ARG(f->text));
        }
        printf("%s\n", wrong_of(d) ? "What is not good says what to do." : "All is well.");
}

int run_doctor(struct operator *o, int argc, char **argv)
{
        struct doctor d = { .arena = &o->arena };
        struct vitals vitals = { .n = 0 };
        struct vitals_from from;
        int r;

        (void)argv;
        if (argc) {
                fprintf(stderr, "assistctl: doctor takes no arguments\n");
                return EXIT_USAGE;
        }
        r = vitals_open(o, &from);
        if (r) {
                fprintf(stderr, "assistctl: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        vitals_take(&from, &o->arena, &vitals);
        doctor_look(&d, o);
        doctor_hear(&d, &vitals, clock_now_ms(&clock_system));
        vitals_close(&from);
        if (o->json)
                operator_print(o, &schema_type_diagnosis, &(struct diagnosis){ .findings = { d.items, d.n } });
        else
                tell(&d);
        return wrong_of(&d) ? EXIT_FAILURE : 0;
}
