/* A job: what takes longer than a call may (rebuild, verify, backup), on a thread of its own, one at a time. It reads the log in slices, so that it
 * holds no old pages of the database for long, and nothing waits for it. It changes nothing of the desk, and is forgotten when store ends. */
#pragma once
#include "arena.h"
#include "loop.h"
#include "schema/job.h"
#include <pthread.h>
#include <stdatomic.h>

struct store;
struct db;

enum { JOB_SLICE_OPS = 1024 };

struct job {
        struct store *store;
        pthread_mutex_t mutex;
        pthread_t thread;               /* under the mutex, as what follows, but the arena */
        bool joinable;
        bool closed;                    /* none is begun any more */
        struct store_job told;          /* id zero: there was none yet */
        struct rebuilt rebuilt;         /* what told points to once it ended, with texts in the arena; before, its thread's */
        struct verified verified;
        struct backed_up backed_up;
        struct str why;                 /* likewise: what it could not go on for, where its error alone does not say */
        struct arena arena;
        _Atomic bool stop;
        _Atomic int step;
        _Atomic int64_t ops, of_ops;
        struct loop_work ended;
        _Atomic bool ending;            /* ended is posted */
};

void job_init(struct job *job, struct store *s);
/* Ends the one that runs, if any, and lets none begin: at once, without waiting for it. */
void job_close(struct job *job);
/* One of this kind; JOB_ANY: of any. */
enum { JOB_ANY = -1 };
bool job_is_running(struct job *job, int kind);
void job_deinit(struct job *job);       /* waits for it, a fraction of a second */

/* ---- for what it does, on its thread ---- */

void job_step(struct job *job, enum job_step step, int64_t of_ops);
/* 0, or -ECANCELED: asked between slices. */
int job_goes_on(const struct job *job);
/* From now on what this connection does ends with an error once the job is to stop. */
void job_interrupts(struct job *job, struct db *db);

/* 0, or a negative errno, any where the job is to stop. What they answer lies in the job's arena. grows: others write to it meanwhile; else it may
 * be a copy. */
int rebuild_run(struct job *job, struct db *db, bool grows, struct rebuilt *ret);
int verify_run(struct job *job, struct db *db, struct verified *ret);
/* Removes what a rebuild leaves that was killed. */
void rebuild_clean(const struct store *s);
