/* For tests: a store on a temporary folder, behind its real socket, with a clock in the test's hand and people of every role. */
#pragma once
#include "change.h"
#include "comment.h"
#include "person.h"
#include "record.h"
#include "store.h"
#include "upload.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Who speaks. The indexes of room.users. */
enum who { ALICE, BOB, AGNES, ARTHUR, ADMIN, OPERATOR, STRANGER, WHO_MAX };

struct room {
        char folder[64];
        int64_t now_ms;
        struct clock clock;
        struct service service;
        struct store *store;
        struct rpc_client *client;
        struct ulid users[WHO_MAX];
        struct arena arena;
        struct fault fault;
        uint64_t random;           /* a xorshift state: tests are the same each time */
        uint8_t instance;          /* whose key the store has: 0 the first one's */
};

static inline int64_t room_now(void *data)
{
        return ((struct room *)data)->now_ms;
}

static inline int64_t room_steady(void *data)
{
        (void)data;
        return clock_steady_us(&clock_system);
}

static inline uint64_t room_random(struct room *room)
{
        room->random ^= room->random << 13;
        room->random ^= room->random >> 7;
        return room->random ^= room->random << 17;
}

static inline enum schema_role room_role(enum who who)
{
        static const enum schema_role roles[] = { SCHEMA_ROLE_CUSTOMER, SCHEMA_ROLE_CUSTOMER, SCHEMA_ROLE_AGENT, SCHEMA_ROLE_AGENT,
                                                  SCHEMA_ROLE_ADMIN, SCHEMA_ROLE_ADMIN, SCHEMA_ROLE_STRANGER };

        return roles[who];
}

/* The answer's code; *result is the method's struct, in the room's arena until the next room_reset. */
static inline int room_call(struct room *room, enum who who, const struct schema_method *method, const void *params, void *result)
{
        struct buf sealed = { 0 };
        struct caller caller = { .user = room->users[who], .device = STR("loopback:127.0.0.2"), .role = room_role(who),
                                 .expires_at = room->now_ms + 600000 };
        struct rpc_request request = { .method = method, .params = params, .request = STR("test") };
        int r;

        if (who != OPERATOR) {
                caller_seal(room->store->caller_key, &caller, &sealed);
                request.caller = buf_view(&sealed);
        }
        r = rpc_call_wait(room->client, &request, &room->arena, result, &room->fault);
        buf_deinit(&sealed);
        return r;
}

/* What is due by the room's clock happens. */
static inline void room_due(struct room *room)
{
        struct due *due = &room->store->due;

        due->firing = true;
        due->task = (struct task){ .run = due_fire, .done = due_fired };
        queue_task(&room->store->writer.queue, &due->task);
        while (due->firing)
                loop_dispatch(room->service.loop, 100);
        assert_false(due->failed);
}

static inline struct ulid room_id(struct room *room)
{
        return ulid_new(room->now_ms);
}

/* Ends the store; its client stays, and finds the next one at the same place. */
static inline void room_close(struct room *room)
{
        if (room->store) {
                rpc_server_stop(room->store->server);
                feed_deinit(&room->store->feed);
                feed_deinit(&room->store->personal_feed);
                feed_deinit(&room->store->job_feed);
                store_close(room->store);
                rpc_server_free(room->store->server);
                loop_dispatch(room->service.loop, 0); /* what its writer posted last */
                free(room->store);
        }
        room->store = NULL;
}

static inline void room_refused(void *data, const struct call *c, int r)
{
        access_result(data, c, r);
}

static inline int room_open_vfs(struct room *room, const char *vfs)
{
        struct store *s = room->store = calloc(1, sizeof(*s));
        const char *path = arena_format(&room->service.arena, "%s/rpc.sock", room->folder).p;
        uint8_t seed[32] = { 1, room->instance };
        int r;

        s->service = &room->service;
        s->vfs = vfs;
        memset(s->caller_key, 2, 32);
        grant_key_init(&s->grant_key, s->caller_key);
        cursor_key_init(&s->cursor_key, (const uint8_t[CURSOR_SECRET_BYTES]){ 3 });
        memset(s->link_key, 4, 32);
        crypto_sign_seed_keypair(s->public_key, s->secret_key, seed);
        r = store_open(s, room->folder);
        if (r)
                return r;
        assert_int_equal(feed_init(&s->feed, room->service.loop), 0);
        assert_int_equal(feed_init(&s->personal_feed, room->service.loop), 0);
        assert_int_equal(feed_init(&s->job_feed, room->service.loop), 0);
        assert_int_equal(rpc_server_new(room->service.loop, &(struct rpc_server_options){ .path = path, .handlers = store_handlers, .data = s,
                                                                                          .route = store_route, .peers = &room->service.peers,
                                                                                          .caller_key = s->caller_key, .clock = &room->clock },
                                        &s->server), 0);
        rpc_server_on_refused(s->server, room_refused);
        if (!room->client)
                assert_int_equal(rpc_client_new(room->service.loop, &(struct rpc_client_options){ .path = path, .service = SCHEMA_PEER_STORE,
                                                                                          .peers = &room->service.peers }, &room->client), 0);
        return 0;
}

/* People as identity would tell of them. */
struct room_person {
        struct task task;
        struct room *room;
        enum who who;
        const char *name;
        bool active;
        enum schema_role role;
        _Atomic int done;
};

static inline int room_person_log(struct task *task)
{
        struct room_person *p = (struct room_person *)task;

        return person_log(p->room->store, &p->room->store->writer.arena, ulid_new(p->room->now_ms), p->room->users[p->who], str_of(p->name),
                          p->role == SCHEMA_ROLE_ADMIN ? ROLE_ADMIN : p->role == SCHEMA_ROLE_AGENT ? ROLE_AGENT : ROLE_CUSTOMER, p->active);
}

static inline void room_person_done(struct task *task, int r)
{
        struct room_person *p = (struct room_person *)task;

        p->done = r ? -1 : 1;
}

static inline void room_person(struct room *room, enum who who, const char *name, enum schema_role role, bool active)
{
        struct room_person p = { .task = { .run = room_person_log, .done = room_person_done }, .room = room, .who = who, .name = name,
                                 .role = role, .active = active };

        queue_task(&room->store->writer.queue, &p.task);
        while (!p.done) /* the writer's thread says when */
                sched_yield();
        assert_int_equal(p.done, 1);
}

/* All but the store: what a process of its own needs to work on the same folder. */
static inline struct room *room_new(const char *folder)
{
        struct room *room = calloc(1, sizeof(*room));

        assert_true(sodium_init() >= 0);
        log_level(LOG_LEVEL_ERROR);
        room->random = 88172645463325252;
        room->now_ms = 1790000000000;
        room->clock = (struct clock){ room_now, room_steady, room };
        snprintf(room->folder, sizeof(room->folder), "%s", folder);
        room->service = (struct service){ .name = "store", .clock = &room->clock, .loop = loop_new(&room->clock),
                                          .settings = { .blob_bytes_max = 26214400 } };
        assert_int_equal(rpc_peers_load(true, &room->service.peers), 0);
        for (enum who who = ALICE; who <= ADMIN; who++)
                room->users[who] = ulid_of(room->now_ms, (const uint8_t[10]){ 'u', (uint8_t)who });
        return room;
}

static inline void room_people(struct room *room)
{
        static const char *const names[] = { "Alice", "Bob", "Agnes", "Arthur", "Ada" };

        for (enum who who = ALICE; who <= ADMIN; who++)
                room_person(room, who, names[who], room_role(who), true);
}

static inline int room_setup_vfs(void **state, const char *vfs)
{
        char folder[] = "/tmp/assist-store-XXXXXX";
        struct room *room;

        assert_non_null(mkdtemp(folder));
        *state = room = room_new(folder);
        assert_int_equal(room_open_vfs(room, vfs), 0);
        room_people(room);
        return 0;
}

static inline int room_setup(void **state)
{
        return room_setup_vfs(state, NULL);
}

static inline int room_teardown(void **state)
{
        struct room *room = *state;
        char command[128];

        room_close(room);
        rpc_client_free(room->client);
        loop_free(room->service.loop);
        arena_deinit(&room->service.arena);
        arena_deinit(&room->arena);
        snprintf(command, sizeof(command), "rm -rf '%s'", room->folder);
        assert_int_equal(system(command), 0);
        free(room);
        return 0;
}

/* No statement that a thread of the store ever ran may walk through a table that grows: it is found by an index, or it ends early. */
struct room_plans {
        struct task task;
        struct db *db;
        int walks;
        _Atomic bool done;
};

static inline bool room_walks(const char *plan, const char *sql)
{
        static const char *const growing[] = { "op", "o", "op_text", "ticket", "t", "register", "member", "m", "comment", "note", "attachment", "read_mark",
                                               "draft", "search_text", "s", "field_value", "v", "upload", "snooze", "z", "due", "access_audit" };
        size_t n = 0;

        if (strncmp(plan, "SCAN ", 5) != 0 || strstr(sql, "LIMIT") || strstr(sql, "FROM ticket_count t"))
                return false;
        plan += 5;
        while (n < sizeof(growing) / sizeof(growing[0]) &&
               (strncmp(plan, growing[n], strlen(growing[n])) != 0 || (plan[strlen(growing[n])] && plan[strlen(growing[n])] != ' ')))
                n++;
        return n < sizeof(growing) / sizeof(growing[0]);
}

static inline int room_plans_look(struct task *task)
{
        struct room_plans *p = (struct room_plans *)task;
        sqlite3 *db = db_handle(p->db);

        for (sqlite3_stmt *q = sqlite3_next_stmt(db, NULL), *plan; q; q = sqlite3_next_stmt(db, q)) {
                char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(q));

                if (sqlite3_stmt_isexplain(q) || sqlite3_prepare_v2(db, sql, -1, &plan, NULL) != SQLITE_OK) {
                        sqlite3_free(sql);
                        continue;
                }
                while (sqlite3_step(plan) == SQLITE_ROW) {
                        const char *detail = (const char *)sqlite3_column_text(plan, 3);

                        if (!room_walks(detail, sqlite3_sql(q)))
                                continue;
                        print_error("%s: %s\n", detail, sqlite3_sql(q));
                        p->walks++;
                }
                sqlite3_finalize(plan);
                sqlite3_free(sql);
        }
        return 0;
}

static inline void room_plans_done(struct task *task, int r)
{
        (void)r;
        ((struct room_plans *)task)->done = true;
}

static inline void room_plans(struct room *room)
{
        struct worker *workers[] = { &room->store->writer, &room->store->reader, &room->store->files };

        for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
                struct room_plans p = { .task = { .run = room_plans_look, .done = room_plans_done }, .db = workers[i]->db };

                queue_task(&workers[i]->queue, &p.task);
                while (!p.done)
                        sched_yield();
                assert_int_equal(p.walks, 0);
        }
}

/* Begins it, and follows it to its end. */
static inline struct store_job room_job(struct room *room, const struct schema_method *method)
{
        struct store_job_follow_result at;
        struct store_rebuild_result begun; /* of either */

        assert_int_equal(room_call(room, OPERATOR, method, &(struct store_rebuild){ 0 }, &begun), 0);
        do
                assert_int_equal(room_call(room, OPERATOR, &schema_method_store_job_follow,
                                           &(struct store_job_follow){ .has_job = true, .job = begun.value.id }, &at), 0);
        while (at.value.state == JOB_STATE_RUNNING);
        return at.value;
}

static inline struct rebuilt room_rebuild(struct room *room)
{
        struct store_job job = room_job(room, &schema_method_store_rebuild);

        assert_non_null(job.rebuilt);
        return *job.rebuilt;
}

static inline struct verified room_verify(struct room *room)
{
        struct store_job job = room_job(room, &schema_method_store_verify);

        assert_non_null(job.verified);
        return *job.verified;
}

/* Behind the log's back, while the room is closed. */
static inline void room_tamper(struct room *room, const char *sql)
{
        struct db *db;

        assert_int_equal(db_open(arena_format(&room->arena, "%s/store.db", room->folder).p, 0, NULL, &store_migrations, &db), 0);
        if (db_run(db, sql))
                fail_msg("%s", db_error(db));
        db_close(db);
}

/* Comments as they were while they named their op by its id. */
#define ROOM_BY_OP(table)                                                                                              \
        "ALTER TABLE " table " ADD COLUMN op_id BLOB; ALTER TABLE " table " ADD COLUMN n INTEGER NOT NULL DEFAULT 0;"   \
        "UPDATE " table " SET op_id = o.op_id, n = o.n FROM op o WHERE o.seq = " table ".seq;"                         \
        "ALTER TABLE " table " DROP COLUMN seq;"
#define ROOM_COMMENTS_BY_OP ROOM_BY_OP("comment") ROOM_BY_OP("note")

/* What the instance of this origin begins with. */
static inline void room_genesis(struct db *db, const uint8_t origin[OP_ORIGIN_BYTES], uint8_t ret[OP_HASH_BYTES])
{
        sqlite3_stmt *q = db_query(db, "SELECT public_key FROM instance WHERE origin = ?1", "b", (struct str){ (const char *)origin, OP_ORIGIN_BYTES });
        struct chain chain;

        assert_int_equal(db_step(db, q), 1);
        chain_init(&chain, (const uint8_t *)db_column_str(q, 0).p);
        memcpy(ret, chain.head, OP_HASH_BYTES);
        db_done(q);
}

/* The log as the first versions stored it: each record whole. */
static inline void room_records_whole(struct room *room, struct db *db)
{
        uint8_t prev[OP_HASH_BYTES];
        struct buf whole = { 0 };
        struct log_entry e;

        for (int64_t seq = 1; seq <= room->store->head; seq++) {
                sqlite3_stmt *q = db_query(db, "SELECT " LOG_COLUMNS " FROM op WHERE seq = ?1", "i", seq);

                assert_int_equal(db_step(db, q), 1);
                assert_int_equal(log_entry_read_whole(db, q, &room->arena, &e), 0);
                db_done(q);
                if (e.op.origin_seq == 1)
                        room_genesis(db, e.op.origin, prev);
                memcpy(e.op.prev_hash, prev, sizeof(prev));
                buf_clear(&whole);
                op_encode(&e.op, &whole);
                op_hash(buf_view(&whole), prev);
                assert_memory_equal(prev, e.op.hash, RECORD_HASH_BYTES);
                assert_int_equal(db_do(db, "UPDATE op SET record = ?2 WHERE seq = ?1", "ib", seq, buf_view(&whole)), 0);
        }
        buf_deinit(&whole);
}

/* The first thing that verify finds has these words. */
static inline void room_is_told(struct room *room, const char *words)
{
        struct verified got = room_verify(room);

        assert_false(got.sound);
        assert_true(got.problems.n > 0);
        if (!memmem(got.problems.items[0].p, got.problems.items[0].n, words, strlen(words)))
                fail_msg("%.*s", STR_ARG(got.problems.items[0]));
}

/* What every story ends with: the log folds to the very tables, and its chain is whole. */
static inline void room_proof(struct room *room)
{
        struct rebuilt rebuilt;
        struct verified verified;

        room_plans(room);
        rebuilt = room_rebuild(room);
        for (size_t i = 0; i < rebuilt.differences.n; i++)
                print_error("rebuild: %.*s\n", STR_ARG(rebuilt.differences.items[i]));
        assert_true(rebuilt.equal);
        verified = room_verify(room);
        for (size_t i = 0; i < verified.problems.n; i++)
                print_error("verify: %.*s\n", STR_ARG(verified.problems.items[i]));
        assert_true(verified.sound);
        assert_int_equal(rebuilt.ops, verified.ops);
}

/* ---- short ways to say what stories are made of ---- */

static inline struct ticket room_ticket(struct room *room, enum who who, const char *subject)
{
        struct ticket_create_result made;

        assert_int_equal(room_call(room, who, &schema_method_ticket_create,
                                   &(struct ticket_create){ .subject = str_of(subject), .body = STR("Please help."), .has_op_id = true,
                                                            .op_id = room_id(room) }, &made), 0);
        return made.value;
}

static inline int room_reply(struct room *room, enum who who, struct ulid ticket, const char *body, struct comment *ret)
{
        struct comment_add_result made;
        int r = room_call(room, who, &schema_method_comment_add,
                          &(struct comment_add){ .ticket = ticket, .body = str_of(body), .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r && ret)
                *ret = made.comment;
        return r;
}

static inline int room_note(struct room *room, enum who who, struct ulid ticket, const char *body, struct comment *ret)
{
        struct note_add_result made;
        int r = room_call(room, who, &schema_method_note_add,
                          &(struct note_add){ .ticket = ticket, .body = str_of(body), .has_op_id = true, .op_id = room_id(room) }, &made);

        if (!r && ret)
                *ret = made.comment;
        return r;
}

static inline int room_get(struct room *room, enum who who, struct ulid ticket, struct ticket *ret, struct str *ret_cursor)
{
        struct ticket_get_result got;
        int r = room_call(room, who, &schema_method_ticket_get, &(struct ticket_get){ .has_ticket = true, .ticket = ticket }, &got);

        if (!r) {
                *ret = got.ticket;
                if (ret_cursor)
                        *ret_cursor = got.cursor;
        }
        return r;
}

static inline int room_set(struct room *room, enum who who, struct ticket_set set, struct ticket *ret)
{
        struct ticket_set_result made;
        int r;

        if (!set.has_op_id)
                set.op_id = room_id(room);
        set.has_op_id = true;
        r = room_call(room, who, &schema_method_ticket_set, &set, &made);
        if (!r && ret)
                *ret = made.value;
        return r;
}
