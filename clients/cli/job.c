/* Begins a job, or goes along with the one of the same kind that runs already, and waits for its end. Ctrl-C and SIGTERM end what it
 * began itself. */
#include "job.h"

#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTERRUPTED = 130 };     /* as shells say that Ctrl-C ended it */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
        (void)number;
        interrupted = 1;
}

struct waiting {
        struct operator *o;
        struct progress progress;
        struct store_job job;
        bool ours;
        const char *command;
};

int job_interrupted(void)
{
        return interrupted ? INTERRUPTED : 0;
}

static int follow(struct waiting *w, struct ulid *job, int *ret_code, struct fault *ret_fault)
{
        struct store_job_follow params = { .has_job = job != NULL };
        struct store_job_follow_result at;

        if (job)
                params.job = *job;
        *ret_code = operator_try(w->o, &schema_method_store_job_follow, &params, 0, &at, ret_fault);
        if (!*ret_code)
                w->job = at.value;
        return *ret_code;
}

static int wait_turn(struct waiting *w)
{
        struct fault fault = { 0 };
        struct ulid id = w->job.id;
        int code = 0;

        if (w->job.state == JOB_STATE_RUNNING)
                fprintf(stderr, "assistctl: a %s is under way: this waits for its end\n", schema_enum_job_kind.values[w->job.kind]);
        while (w->job.state == JOB_STATE_RUNNING && !interrupted && !code)
                follow(w, &id, &code, &fault);
        if (interrupted)
                fprintf(stderr, "assistctl: stopped; nothing is kept\n");
        return job_interrupted();
}

/* Ours, or the one that is in the way, where it does what we want. A backup waits: nobody takes another one's files, and it may be alone at its hour. */
static int begin(struct waiting *w, const struct schema_method *method, enum job_kind kind)
{
        void *params = arena_zalloc(&w->o->arena, method->params->size + 1);
        struct store_job *begun = arena_zalloc(&w->o->arena, method->result->size);
        struct fault fault = { 0 };
        int r = operator_try(w->o, method, params, 0, begun, &fault), seen;

        while (r == FAULT_CONFLICT && kind == JOB_KIND_BACKUP && !follow(w, NULL, &seen, &fault)) {
                if (wait_turn(w))
                        return INTERRUPTED;
                r = operator_try(w->o, method, params, 0, begun, &fault);
        }
        if (r == FAULT_CONFLICT && kind != JOB_KIND_BACKUP && !follow(w, NULL, &seen, &fault) && w->job.state == JOB_STATE_RUNNING
            && w->job.kind == (int)kind) {
                fprintf(stderr, "assistctl: one is under way already: this is how far it is\n");
                return 0;
        }
        if (r) /* once more, to say why */
                r = operator_call(w->o, method, params, 0, begun);
        if (!r) {
                w->ours = true;
                w->job = *begun;
        }
        return r;
}

static void show(const struct waiting *w)
{
        static const char *const steps[] = { [JOB_STEP_LOG] = "ops read", [JOB_STEP_INDEX] = "ops in the index of texts", [JOB_STEP_TABLES] = "tables are compared",
                                             [JOB_STEP_PAGES] = "pages copied", [JOB_STEP_FILES] = "attachments read" };
        char what[80];

        if (w->o->json)
                return;
        if (w->job.step == JOB_STEP_TABLES)
                snprintf(what, sizeof(what), "%s", steps[w->job.step]);
        else
                snprintf(what, sizeof(what), "%lld %s", (long long)w->job.ops, steps[w->job.step]);
        progress_show(&w->progress, (uint64_t)w->job.ops, (uint64_t)w->job.of_ops, what);
}

static int give_up(struct waiting *w)
{
        struct store_job_stop params = { .job = w->job.id };
        struct store_job_stop_result at;

        progress_clear();
        if (!w->ours) {
                fprintf(stderr, "assistctl: somebody else began it, so it goes on; `assistctl %s` shows it again\n", w->command);
                return INTERRUPTED;
        }
        if (w->job.kind == JOB_KIND_BACKUP) {
                operator_call(w->o, &schema_method_store_job_stop, &params, 0, &at);
                fprintf(stderr, "assistctl: stopped; nothing is kept\n");
                return INTERRUPTED;
        }
        if (operator_call(w->o, &schema_method_store_job_stop, &params, 0, &at)) {
                fprintf(stderr, "assistctl: it goes on; `assistctl %s` shows it again\n", w->command);
                return INTERRUPTED;
        }
        fprintf(stderr, "assistctl: stopped; nothing was changed\n");
        return INTERRUPTED;
}

/* Store may be started again meanwhile: then it knows of no job. */
static int wait_for_end(struct waiting *w)
{
        struct fault fault = { 0 };
        struct ulid id = w->job.id;
        int code;

        while (w->job.state == JOB_STATE_RUNNING) {
                show(w);
                if (interrupted)
                        return give_up(w);
                if (!follow(w, &id, &code, &fault))
                        continue;
                progress_clear();
                if (w->job.kind == JOB_KIND_BACKUP)
                        fprintf(stderr, "assistctl: store does not answer, or was started again; nothing is kept: begin again\n");
                else if (code == FAULT_NOT_FOUND)
                        fprintf(stderr, "assistctl: store was started again, and has forgotten it; nothing was changed: begin it again\n");
                else
                        fprintf(stderr, "assistctl: store does not answer; where it still runs, `assistctl %s` shows how far it is\n", w->command);
                return exit_status(code);
        }
        progress_clear();
        if (w->job.state == JOB_STATE_DONE)
                return 0;
        if (w->job.state == JOB_STATE_STOPPED)
                fprintf(stderr, "assistctl: it was stopped; nothing was changed\n");
        else
                fprintf(stderr, "assistctl: it could not go on: %s\n", operator_shown(w->o, w->job.reason));
        return EXIT_FAILURE;
}

int job_run(struct operator *o, const struct schema_method *method, enum job_kind kind, const char *command, struct store_job *ret)
{
        struct waiting w = { .o = o, .command = command };
        int r;

        signal(SIGINT, on_interrupt);
        signal(SIGTERM, on_interrupt);
        progress_begin(&w.progress);
        r = begin(&w, method, kind);
        if (!r)
                r = wait_for_end(&w);
        *ret = w.job;
        return r;
}

static int run(struct operator *o, int argc, const struct schema_method *method, enum job_kind kind, const char *command, struct store_job *ret)
{
        if (argc) {
                fprintf(stderr, "assistctl: %s takes nothing more\n", command);
                return EXIT_USAGE;
        }
        return job_run(o, method, kind, command, ret);
}

int run_rebuild(struct operator *o, int argc, char **argv)
{
        struct store_job job;
        int r = run(o, argc, &schema_method_store_rebuild, JOB_KIND_REBUILD, "store rebuild", &job);

        (void)argv;
        if (r)
                return r;
        operator_print(o, &schema_type_rebuilt, job.rebuilt);
        return job.rebuilt->equal ? 0 : EXIT_FAILURE;
}

int run_verify(struct operator *o, int argc, char **argv)
{
        struct store_job job;
        int r = run(o, argc, &schema_method_store_verify, JOB_KIND_VERIFY, "audit verify", &job);

        (void)argv;
        if (r)
                return r;
        operator_print(o, &schema_type_verified, job.verified);
        return job.verified->sound ? 0 : EXIT_FAILURE;
}
