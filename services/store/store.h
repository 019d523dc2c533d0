/* The store: the project's log, the tables folded from it, and its attachments.
 *
 * Threads: the loop (transport, followers, timers); the writer, which alone writes store.db and owns the chain; the reader; the file
 * thread (attachments); the past thread (how something was). Each but the loop takes calls from a queue of its own, and has its
 * own connection. A job (rebuild, verify) has a thread while it runs. What they share is below, marked with who touches it. */
#pragma once
#include "access.h"
#include "cursor.h"
#include "due.h"
#include "fresh.h"
#include "grant.h"
#include "job.h"
#include "queue.h"
#include "replica/chain.h"
#include "replica/hlc.h"
#include "schema/store_handlers.h"
#include "search_upkeep.h"
#include "service.h"

enum {
        STORE_BATCH_MAX = 256,            /* commands in one commit */
        STORE_CHECKPOINT_OPS = 256,
        STORE_CHECKPOINT_MS = 10 * 60 * 1000,
        STORE_SALTS = 64,                 /* made by one system call */
};

/* A thread of the store, and what it works with. */
struct worker {
        struct store *store;
        pthread_t thread;
        bool started;
        struct queue queue;
        struct db *db;
        struct arena arena;               /* for work that is no call's */
};

struct tx;
struct store {
        struct service *service;
        struct rpc_server *server;
        struct rpc_client *identity;
        struct follower *people;          /* loop; NULL while a page is being logged */
        struct loop_timer *people_timer;  /* loop */
        struct feed feed;                 /* loop: those who follow the log */
        struct feed personal_feed;        /* loop: those who follow what is users' own */
        struct feed job_feed;             /* loop: those who wait for the job */
        struct job job;                   /* has its own lock */
        struct db *follow_db;             /* loop */
        struct arena follow_arena;        /* loop */
        struct loop_timer *housekeeping;  /* loop */
        struct due due;                   /* each member says whose it is */
        struct access access;             /* likewise */
        struct fresh fresh;               /* writer, loop: has its own lock */
        struct loop_work woken;           /* writer to loop: a head moved on */
        _Atomic bool waking;

        struct worker writer, reader, files, past;
        struct chain chain;               /* writer: our own ops; others is how many are before them */
        struct hlc hlc;                   /* writer */
        int64_t checkpoint_seq, checkpoint_at; /* writer */
        struct tx *tx;                    /* writer: of the command under way */
        uint8_t salts[STORE_SALTS][OP_SALT_BYTES]; /* writer: random bytes; those behind n_salts were used and are gone */
        size_t n_salts;                   /* writer */
        int64_t runs;                     /* writer: of batches, those that were run again included */
        bool broken;                      /* writer: the transaction is gone */
        _Atomic bool scrub;               /* written by the writer: redacted texts are still in the WAL */

        struct db *then;                  /* past thread: tickets as they were, in memory; NULL until one is asked for */
        enum { SNOOZES_UNKNOWN, SNOOZES_NONE, SNOOZES_SOME } snoozes; /* writer: whether any ticket may be put aside */
        int64_t personal_seq;             /* writer: of the newest change, committed or not */

        _Atomic int64_t head;             /* the log's last committed position */
        _Atomic int64_t personal_head;    /* of the last committed change of what is users' own */
        _Atomic int64_t commits, ops;     /* since start */
        struct tally committing;          /* noted by the writer */
        struct search_upkeep search;
        _Atomic int64_t blob_files, blob_bytes; /* written by the file thread, and by the writer that invents images */

        /* constant after start */
        int64_t others;                   /* ops in the log that instances before us wrote: it was restored since */
        uint8_t project_key[CHAIN_PUBLIC_KEY_BYTES]; /* of the first one */
        uint8_t origin[OP_ORIGIN_BYTES];
        uint8_t public_key[CHAIN_PUBLIC_KEY_BYTES], secret_key[CHAIN_SECRET_KEY_BYTES];
        uint8_t caller_key[32], link_key[32];
        struct cursor_key cursor_key;
        struct grant_key grant_key;
        const char *path, *blobs, *uploads;
        const char *vfs;                  /* NULL but in tests */
};

extern const struct service_type store_service;
/* How many calls wait for a thread, by its name; NULL behind the last. */
const char *store_waiting(struct store *s, int thread, int64_t *ret);
extern const struct db_migrations store_migrations;

/* The parts of a store without the service around it: what tests of its tables use, too. Files lie in the folder. */
int store_open(struct store *s, const char *folder);
void store_close(struct store *s);
/* Hands a call to the thread whose work it is; called on a transport thread. */
bool store_route(void *data, struct call *c);

/* The position in the log of the newest op, committed or not. On the writer. */
static inline int64_t store_position(const struct store *s)
{
        return s->others + s->chain.seq;
}

/* Who acts: the caller, or for an operator's call the system itself as an admin. */
struct caller store_actor(const struct call *c);
bool caller_is_agent(const struct caller *caller);
bool caller_is_admin(const struct caller *caller);

/* The connection that this call's thread reads with. */
struct db *store_db(struct store *s, const struct call *c);
