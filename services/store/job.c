#include "job.h"

#include "backup.h"
#include "store.h"

#include <errno.h>
#include <string.h>

enum { INTERRUPT_STEPS = 10000 }; /* of SQLite's machine: a millisecond or less */

void job_init(struct job *job, struct store *s)
{
        *job = (struct job){ .store = s };
        pthread_mutex_init(&job->mutex, NULL);
}

/* ---- what it does ---- */

void job_step(struct job *job, enum job_step step, int64_t of_ops)
{
        job->step = (int)step;
        job->ops = 0;
        job->of_ops = of_ops;
}

int job_goes_on(const struct job *job)
{
        return job->stop ? -ECANCELED : 0;
}

static int is_to_stop(void *job)
{
        return ((struct job *)job)->stop;
}

void job_interrupts(struct job *job, struct db *db)
{
        sqlite3_progress_handler(db_handle(db), INTERRUPT_STEPS, is_to_stop, job);
}

static void wake(struct loop_work *work)
{
        struct job *job = (struct job *)((char *)work - offsetof(struct job, ended));

        job->ending = false;
        feed_wake(&job->store->job_feed);
}

static void tell(const struct job *job)
{
        const struct store_job *told = &job->told;
        const char *kind = schema_enum_job_kind.values[told->kind];
        bool good = told->rebuilt ? told->rebuilt->equal : told->verified ? told->verified->sound : told->backed_up && told->backed_up->sound;
        int64_t ops = told->rebuilt ? told->rebuilt->ops : told->verified ? told->verified->ops : told->backed_up ? told->backed_up->ops : 0;
        long long ms = (long long)(told->ended_at - told->started_at);

        if (told->state == JOB_STATE_FAILED)
                log_error("%s: %.*s", kind, STR_ARG(told->reason));
        else if (told->state == JOB_STATE_STOPPED)
                log_notice("%s: stopped after %lld ms", kind, ms);
        else
                log_notice("%s: %lld ops, %s, in %lld ms", kind, (long long)ops, good ? "as they should be" : "NOT as they should be", ms);
}

static void end(struct job *job, int r)
{
        struct store_job *told = &job->told;

        pthread_mutex_lock(&job->mutex);
        told->state = !r ? JOB_STATE_DONE : job->stop ? JOB_STATE_STOPPED : JOB_STATE_FAILED;
        told->has_ended_at = true;
        told->ended_at = clock_now_ms(job->store->service->clock);
        if (told->state == JOB_STATE_FAILED) {
                told->has_reason = true;
                told->reason = job->why.n ? job->why : str_of(strerrordesc_np(-r));
        }
        told->rebuilt = !r && told->kind == JOB_KIND_REBUILD ? &job->rebuilt : NULL;
        told->verified = !r && told->kind == JOB_KIND_VERIFY ? &job->verified : NULL;
        told->backed_up = !r && told->kind == JOB_KIND_BACKUP ? &job->backed_up : NULL;
        tell(job);
        pthread_mutex_unlock(&job->mutex);
        if (!atomic_exchange(&job->ending, true)) {
                job->ended.run = wake;
                loop_post(job->store->service->loop, &job->ended);
        }
}

static int run(struct job *job, struct db *db)
{
        switch ((enum job_kind)job->told.kind) {
        case JOB_KIND_REBUILD:
                return rebuild_run(job, db, true, &job->rebuilt);
        case JOB_KIND_VERIFY:
                return verify_run(job, db, &job->verified);
        case JOB_KIND_BACKUP:
                return backup_run(job, db, &job->backed_up);
        }
        return -EINVAL;
}

static void *job_main(void *data)
{
        struct job *job = data;
        const struct store *s = job->store;
        struct db *db;
        int r = db_open(s->path, DB_READ_ONLY, s->vfs, &store_migrations, &db);

        if (!r) {
                job_interrupts(job, db);
                r = run(job, db);
                db_close(db);
        }
        end(job, r);
        return NULL;
}

/* ---- its life ---- */

/* Under the mutex. The thread has done with it before it says that it ended. */
static void join(struct job *job)
{
        if (job->joinable)
                pthread_join(job->thread, NULL);
        job->joinable = false;
}

static int begin(struct job *job, struct call *c, enum job_kind kind)
{
        int64_t now = clock_now_ms(job->store->service->clock);
        int r;

        if (job->closed)
                return call_unavailable(c, 1000, "the service is stopping");
        if (job->joinable && job->told.state == JOB_STATE_RUNNING)
                return call_conflict(c, "a %s is under way, at %lld of %lld; store.job_follow tells how far it is, store.job_stop ends it",
                                     schema_enum_job_kind.values[job->told.kind], (long long)job->ops, (long long)job->of_ops);
        join(job);
        arena_reset(&job->arena);
        job->stop = false;
        job_step(job, JOB_STEP_LOG, job->store->head);
        job->why = (struct str){ 0 };
        job->backed_up = (struct backed_up){ 0 };
        job->rebuilt = (struct rebuilt){ 0 };
        job->verified = (struct verified){ 0 };
        job->told = (struct store_job){ .id = ulid_new(now), .kind = (int)kind, .state = JOB_STATE_RUNNING, .started_at = now };
        r = pthread_create(&job->thread, NULL, job_main, job);
        job->joinable = r == 0;
        if (r)
                job->told = (struct store_job){ 0 };
        return -r;
}

bool job_is_running(struct job *job, int kind)
{
        bool running;

        pthread_mutex_lock(&job->mutex);
        running = job->joinable && job->told.state == JOB_STATE_RUNNING && (kind == JOB_ANY || kind == job->told.kind);
        pthread_mutex_unlock(&job->mutex);
        return running;
}

void job_close(struct job *job)
{
        pthread_mutex_lock(&job->mutex);
        job->closed = true;
        job->stop = true;
        pthread_mutex_unlock(&job->mutex);
}

void job_deinit(struct job *job)
{
        if (!job->store)
                return;
        job_close(job);
        join(job);
        arena_deinit(&job->arena);
        pthread_mutex_destroy(&job->mutex);
}

/* ---- what is asked of it ---- */

static struct str *texts_copy(struct arena *arena, const struct str *from, size_t n)
{
        struct str *to = arena_array(arena, n, sizeof(*to));

        for (size_t i = 0; i < n; i++)
                to[i] = arena_str(arena, from[i]);
        return to;
}

/* Under the mutex: the next one would take the texts away. */
static void view(struct job *job, struct arena *arena, struct store_job *ret)
{
        *ret = job->told;
        ret->step = job->step;
        ret->ops = job->ops;
        ret->of_ops = job->of_ops;
        ret->reason = arena_str(arena, ret->reason);
        if (ret->rebuilt) {
                ret->rebuilt = ARENA_NEW(arena, struct rebuilt);
                *ret->rebuilt = job->rebuilt;
                ret->rebuilt->differences.items = texts_copy(arena, job->rebuilt.differences.items, job->rebuilt.differences.n);
        }
        if (ret->verified) {
                ret->verified = ARENA_NEW(arena, struct verified);
                *ret->verified = job->verified;
                ret->verified->problems.items = texts_copy(arena, job->verified.problems.items, job->verified.problems.n);
        }
        if (ret->backed_up) {
                ret->backed_up = ARENA_NEW(arena, struct backed_up);
                *ret->backed_up = job->backed_up;
                ret->backed_up->problems.items = texts_copy(arena, job->backed_up.problems.items, job->backed_up.problems.n);
        }
}

static int asked_to_begin(struct job *job, struct call *c, enum job_kind kind, struct store_job *ret)
{
        int r;

        pthread_mutex_lock(&job->mutex);
        r = begin(job, c, kind);
        if (!r)
                view(job, &c->arena, ret);
        pthread_mutex_unlock(&job->mutex);
        return r;
}

int store_on_store_rebuild(struct store *s, struct call *c, const struct store_rebuild *in, struct store_rebuild_result *ret)
{
        (void)in;
        return asked_to_begin(&s->job, c, JOB_KIND_REBUILD, &ret->value);
}

int store_on_store_verify(struct store *s, struct call *c, const struct store_verify *in, struct store_verify_result *ret)
{
        (void)in;
        return asked_to_begin(&s->job, c, JOB_KIND_VERIFY, &ret->value);
}

int store_on_store_backup(struct store *s, struct call *c, const struct store_backup *in, struct store_backup_result *ret)
{
        (void)in;
        return asked_to_begin(&s->job, c, JOB_KIND_BACKUP, &ret->value);
}

/* Under the mutex. */
static bool is_known(const struct job *job, const struct ulid *asked)
{
        return !ulid_is_zero(job->told.id) && (!asked || ulid_eq(*asked, job->told.id));
}

int store_on_store_job_get(struct store *s, struct call *c, const struct store_job_get *in, struct store_job_get_result *ret)
{
        struct job *job = &s->job;
        int r = 0;

        pthread_mutex_lock(&job->mutex);
        if (is_known(job, in->has_job ? &in->job : NULL))
                view(job, &c->arena, &ret->value);
        else
                r = call_not_found(c);
        pthread_mutex_unlock(&job->mutex);
        return r;
}

/* On the loop, as all that parks. */
int store_on_store_job_follow(struct store *s, struct call *c, const struct store_job_follow *in, struct store_job_follow_result *ret)
{
        struct job *job = &s->job;
        int r = 0;

        pthread_mutex_lock(&job->mutex);
        if (!is_known(job, in->has_job ? &in->job : NULL))
                r = call_not_found(c);
        if (!r && job->told.state == JOB_STATE_RUNNING)
                r = feed_park(&s->job_feed, c);
        if (!r)
                view(job, &c->arena, &ret->value);
        pthread_mutex_unlock(&job->mutex);
        return r;
}

int store_on_store_job_stop(struct store *s, struct call *c, const struct store_job_stop *in, struct store_job_stop_result *ret)
{
        struct job *job = &s->job;
        int r = 0;

        pthread_mutex_lock(&job->mutex);
        if (!is_known(job, &in->job)) {
                r = call_not_found(c);
        } else {
                job->stop = job->told.state == JOB_STATE_RUNNING;
                view(job, &c->arena, &ret->value);
        }
        pthread_mutex_unlock(&job->mutex);
        return r;
}
