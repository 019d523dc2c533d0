#include "store.h"

#include "backup.h"
#include "draft.h"
#include "person.h"
#include "schema/attachment.h"
#include "schema/audit.h"
#include "schema/job.h"
#include "schema/log.h"
#include "schema/personal.h"
#include "schema/project.h"
#include "schema/search.h"
#include "snooze.h"
#include "stats.h"
#include "tx.h"
#include "upload.h"
#include "writer.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HOUSEKEEPING_US = 10 * 60 * 1000000 };

struct caller store_actor(const struct call *c)
{
        if (c->has_caller)
                return c->caller;
        return (struct caller){ .device = STR("operator"), .role = SCHEMA_ROLE_ADMIN };
}

bool caller_is_agent(const struct caller *caller)
{
        return caller->role == SCHEMA_ROLE_AGENT || caller->role == SCHEMA_ROLE_ADMIN;
}

bool caller_is_admin(const struct caller *caller)
{
        return caller->role == SCHEMA_ROLE_ADMIN;
}

static bool on_files(const struct schema_method *m)
{
        return m == &schema_method_attachment_write || m == &schema_method_attachment_status || m == &schema_method_attachment_read;
}

/* How something was: not to be waited for by those who ask how it is. */
static bool is_past(const struct call *c)
{
        const struct ticket_get *get = c->params;
        const struct comment_list *list = c->params;

        _Static_assert(sizeof(struct note_list) == sizeof(struct comment_list), "notes are listed as comments are");
        if (c->method == &schema_method_ticket_get)
                return get->has_at || get->has_at_cursor;
        return (c->method == &schema_method_comment_list || c->method == &schema_method_note_list) && (list->has_at || list->has_at_cursor);
}

/* What it answers depends on the index of texts, which is brought up to date first. */
static bool on_search(const struct schema_method *m)
{
        return m == &schema_method_ticket_search || m == &schema_method_ticket_similar || m == &schema_method_store_rebuild;
}

struct db *store_db(struct store *s, const struct call *c)
{
        if (c->method->mutates)
                return s->writer.db;
        return on_files(c->method) ? s->files.db : is_past(c) ? s->past.db : s->reader.db;
}

static bool on_loop(const struct schema_method *m)
{
        return m->follow || m == &schema_method_store_stats || m == &schema_method_store_verify || m == &schema_method_store_backup
                || m == &schema_method_store_job_get || m == &schema_method_store_job_stop;
}

bool store_route(void *data, struct call *c)
{
        struct store *s = data;
        struct queue *queue;

        if (on_loop(c->method))
                return false;
        queue = c->method->mutates ? &s->writer.queue : on_files(c->method) ? &s->files.queue
                : is_past(c) ? &s->past.queue : &s->reader.queue;
        if (c->method == &schema_method_audit_access)
                access_then(s, c, queue);
        else if (on_search(c->method))
                search_then(s, c, queue);
        else
                queue_call(queue, c);
        return true;
}

/* Reader, file and past threads: one read transaction around what waits, so that each batch sees one state. */
static void *reading_main(void *worker)
{
        struct worker *w = worker;
        struct call *calls, *next;
        struct task *tasks;

        while (queue_take(&w->queue, STORE_BATCH_MAX, -1, &calls, &tasks)) {
                int begun = db_run(w->db, "BEGIN");

                for (; calls; calls = next) {
                        int r;

                        next = calls->next;
                        r = begun ? begun : call_execute(calls);
                        access_result(w->store, calls, r);
                        if (r != CALL_PARKED)
                                call_answer(calls, r);
                }
                for (struct task *t = tasks, *next_task; t; t = next_task) {
                        next_task = t->next;
                        t->done(t, t->run(t));
                }
                if (!begun)
                        db_run(w->db, "COMMIT");
        }
        return NULL;
}

static int worker_open(struct store *s, struct worker *w, int flags)
{
        w->store = s;
        queue_init(&w->queue);
        return db_open(s->path, flags, s->vfs, &store_migrations, &w->db);
}

static int worker_start(struct worker *w, void *(*main)(void *))
{
        int r = pthread_create(&w->thread, NULL, main, w);

        w->started = r == 0;
        return -r;
}

/* Does what is left, then ends. */
static void worker_stop(struct worker *w)
{
        if (!w->store)
                return;
        queue_close(&w->queue);
        if (w->started)
                pthread_join(w->thread, NULL);
        queue_deinit(&w->queue);
        arena_deinit(&w->arena);
}

static const char *folder_make(struct store *s, const char *folder, const char *name)
{
        const char *path = arena_format(&s->writer.arena, "%s/%s", folder, name).p;

        (void)mkdir(path, 0700); /* there already, or the first use says why not */
        return strdup(path);
}

int store_open(struct store *s, const char *folder)
{
        int r;

        s->path = strdup(arena_format(&s->writer.arena, "%s/store.db", folder).p);
        s->blobs = folder_make(s, folder, "blobs");
        s->uploads = folder_make(s, folder, "uploads");
        s->tx = calloc(1, sizeof(*s->tx));
        arena_reset(&s->writer.arena);
        if (!s->path || !s->blobs || !s->uploads || !s->tx || fresh_init(&s->fresh) || access_init(&s->access))
                return -ENOMEM;
        job_init(&s->job, s);
        rebuild_clean(s);
        backup_clean(s);
        r = worker_open(s, &s->writer, 0);
        if (r == -EPROTO)
                log_error("store.db was made by a newer version: nothing was touched; install that version or restore a backup");
        if (!r)
                r = worker_open(s, &s->reader, DB_READ_ONLY);
        if (!r)
                r = worker_open(s, &s->files, DB_READ_ONLY);
        if (!r)
                r = worker_open(s, &s->past, DB_READ_ONLY);
        if (!r)
                r = db_open(s->path, DB_READ_ONLY, s->vfs, &store_migrations, &s->follow_db);
        if (!r)
                r = writer_load(s);
        if (!r)
                r = worker_start(&s->writer, writer_main);
        if (!r)
                r = worker_start(&s->reader, reading_main);
        if (!r)
                r = worker_start(&s->files, reading_main);
        return r ? r : worker_start(&s->past, reading_main);
}

void store_close(struct store *s)
{
        job_deinit(&s->job);
        worker_stop(&s->files); /* it hands calls to the writer */
        worker_stop(&s->writer);
        worker_stop(&s->reader);
        worker_stop(&s->past);
        if (s->writer.db && s->access.kept)
                access_finish(s);
        db_close(s->follow_db);
        db_close(s->reader.db);
        db_close(s->files.db);
        db_close(s->past.db);
        db_close(s->then);
        db_close(s->writer.db); /* last: what can write takes the WAL in, and removes it */
        if (s->tx) {
                buf_deinit(&s->tx->body);
                buf_deinit(&s->tx->record);
        }
        free(s->tx);
        fresh_deinit(&s->fresh);
        access_deinit(&s->access);
        free((char *)s->path);
        free((char *)s->blobs);
        free((char *)s->uploads);
}

/* ---- housekeeping: unused uploads, files that nothing names, old drafts, ended snoozes ---- */

struct sweep {
        struct task task;
        struct store *store;
};

static int sweep_rows(struct task *task)
{
        struct store *s = ((struct sweep *)task)->store;
        int64_t now = clock_now_ms(s->service->clock);
        int r = upload_sweep(s->writer.db, now);

        if (!r)
                r = draft_sweep(s->writer.db, now);
        if (!r)
                r = snooze_sweep(s->writer.db, now);
        return r ? r : access_sweep(s->writer.db, now);
}

static int sweep_files(struct task *task)
{
        upload_swept(((struct sweep *)task)->store);
        return 0;
}

static void sweep_done(struct task *task, int r)
{
        (void)r;
        free(task);
}

static void sweep_rows_done(struct task *task, int r)
{
        struct store *s = ((struct sweep *)task)->store;

        if (r) {
                free(task);
                return;
        }
        task->run = sweep_files;
        task->done = sweep_done;
        queue_task(&s->files.queue, task);
}

static void housekeeping(void *data)
{
        struct store *s = data;
        struct sweep *sweep = calloc(1, sizeof(*sweep));

        if (!sweep)
                abort();
        *sweep = (struct sweep){ .task = { .run = sweep_rows, .done = sweep_rows_done }, .store = s };
        queue_task(&s->writer.queue, &sweep->task);
        loop_timer_set(s->housekeeping, HOUSEKEEPING_US);
}

static int count_blobs(struct task *task)
{
        blobs_count(((struct sweep *)task)->store);
        return 0;
}

static void housekeeping_start(struct store *s)
{
        struct sweep *count = calloc(1, sizeof(*count));

        if (!count)
                abort();
        *count = (struct sweep){ .task = { .run = count_blobs, .done = sweep_done }, .store = s };
        queue_task(&s->files.queue, &count->task);
        s->housekeeping = loop_timer_new(s->service->loop, housekeeping, s);
        loop_timer_set(s->housekeeping, HOUSEKEEPING_US);
}

/* ---- the service ---- */

static int secrets(struct service *service, struct store *s)
{
        uint8_t seed[32], cursor[CURSOR_SECRET_BYTES];
        int r;

        r = service_secret(service, "instance", seed);
        if (!r)
                r = service_secret(service, "caller", s->caller_key);
        if (!r)
                grant_key_init(&s->grant_key, s->caller_key);
        if (!r)
                r = service_secret(service, "cursor", cursor);
        if (!r)
                cursor_key_init(&s->cursor_key, cursor);
        if (!r)
                r = service_secret(service, "link", s->link_key);
        if (!r)
                crypto_sign_seed_keypair(s->public_key, s->secret_key, seed);
        sodium_memzero(seed, sizeof(seed));
        sodium_memzero(cursor, sizeof(cursor));
        return r;
}

/* By role, before it ran. */
static void refused(void *data, const struct call *c, int r)
{
        access_result(data, c, r);
}

static int start(struct service *service, void **ret_data)
{
        struct store *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        *ret_data = s;
        s->service = service;
        r = secrets(service, s);
        if (r)
                return r;
        r = store_open(s, service_state(service, ""));
        if (r) {
                log_error("store.db can't be opened: %s", strerrordesc_np(-r));
                return r;
        }
        r = feed_init(&s->feed, service->loop);
        if (!r)
                r = feed_init(&s->personal_feed, service->loop);
        if (!r)
                r = feed_init(&s->job_feed, service->loop);
        if (!r)
                r = service_client(service, "identity", SCHEMA_PEER_IDENTITY, &s->identity);
        if (!r)
                r = people_start(s);
        if (!r)
                r = service_server(service, store_handlers, s, store_route, s->caller_key, &s->server);
        if (r)
                return r;
        housekeeping_start(s);
        rpc_server_on_refused(s->server, refused);
        r = access_start(s);
        return r ? r : due_start(s);
}

static void drain(void *data)
{
        struct store *s = data;

        rpc_server_stop(s->server);
        feed_drain(&s->feed);
        feed_drain(&s->personal_feed);
        feed_drain(&s->job_feed);
        job_close(&s->job);
}

static bool drained(void *data)
{
        return rpc_server_busy(((struct store *)data)->server) == 0;
}

static void stop(void *data)
{
        struct store *s = data;

        if (!s)
                return;
        if (s->feed.loop)
                feed_deinit(&s->feed);
        if (s->personal_feed.loop)
                feed_deinit(&s->personal_feed);
        if (s->job_feed.loop)
                feed_deinit(&s->job_feed);
        follower_free(s->people);
        loop_timer_free(s->people_timer);
        rpc_client_free(s->identity);
        loop_timer_free(s->housekeeping);
        due_stop(s);
        access_stop(s);
        store_close(s);
        rpc_server_free(s->server);
        sodium_memzero(s->secret_key, sizeof(s->secret_key));
        free(s);
}

static void status(void *data, struct buf *out)
{
        struct store *s = data;

        buf_format(out, "%lld ops in the log%s", (long long)s->head, job_is_running(&s->job, JOB_ANY) ? ", a rebuild, verify or backup is under way" : "");
}

const char *store_waiting(struct store *s, int thread, int64_t *ret)
{
        struct {
                const char *name;
                struct queue *queue;
        } queues[] = { { "writer", &s->writer.queue }, { "reader", &s->reader.queue }, { "files", &s->files.queue }, { "past", &s->past.queue } };

        if ((size_t)thread >= sizeof(queues) / sizeof(queues[0]))
                return NULL;
        *ret = (int64_t)queue_depth(queues[thread].queue);
        return queues[thread].name;
}

static void sums(void *data, struct past_sums *ret)
{
        struct store *s = data;
        int64_t n;

        stats_sums(ret, s->server);
        ret->waits = "queue_calls";
        for (int i = 0; store_waiting(s, i, &n); i++)
                ret->waiting += (uint64_t)n;
}

const struct service_type store_service = {
        .name = "store",
        .peer = SCHEMA_PEER_STORE,
        .start = start,
        .drain = drain,
        .drained = drained,
        .stop = stop,
        .status = status,
        .sums = sums,
};
