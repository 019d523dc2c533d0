/* The supervisor as a process under a root of its own, followed over its socket. The program is the test itself, called again. */
#pragma once
#include "supervisor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM_DEADLINE_S = 90 };

struct room {
        char root[64], path[128];
        pid_t pid;
        struct loop *loop;
        struct rpc_peers peers;
        struct rpc_client *client;
        struct arena arena;
        struct fault fault;     /* of the last pubkey() */
};

static inline void settings(struct room *r, const char *overlay)
{
        char path[96];
        FILE *f;

        snprintf(path, sizeof(path), "%s/etc/assist.conf", r->root);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "[project]\ndevelopment = yes\n[overlay]\n%s\n", overlay);
        fclose(f);
}

static inline void spawn(struct room *r)
{
        char log[96];

        snprintf(log, sizeof(log), "%s/log", r->root);
        r->pid = fork();
        if (r->pid == 0) {
                int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                dup2(fd, STDERR_FILENO);
                execl("/proc/self/exe", "supervisor", "serve", "--root", r->root, (char *)NULL);
                _exit(127);
        }
}

static inline int end(struct room *r, int signal)
{
        int status;

        kill(r->pid, signal);
        waitpid(r->pid, &status, 0);
        r->pid = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int enter(void **state)
{
        struct room *r = calloc(1, sizeof(*r));
        char command[96];

        log_open("test", LOG_LEVEL_ERROR);
        strcpy(r->root, "/tmp/supervisor_test.XXXXXX");
        if (!mkdtemp(r->root))
                return -1;
        snprintf(command, sizeof(command), "mkdir %s/etc", r->root);
        if (system(command))
                return -1;
        settings(r, "driver = loopback");
        snprintf(r->path, sizeof(r->path), "%s/run/assist-mycelium-supervisor/rpc.sock", r->root);
        rpc_peers_load(true, &r->peers);
        r->loop = loop_new(&clock_system);
        *state = r;
        return rpc_client_new(r->loop, &(struct rpc_client_options){ r->path, SCHEMA_PEER_SUPERVISOR, &r->peers }, &r->client);
}

static inline int leave(void **state)
{
        struct room *r = *state;
        char command[96];

        if (r->pid > 0)
                end(r, SIGKILL);
        rpc_client_free(r->client);
        loop_free(r->loop);
        arena_deinit(&r->arena);
        snprintf(command, sizeof(command), "rm -rf %s", r->root);
        free(r);
        return system(command);
}

static inline struct overlay_follow_result follow(struct room *r, int64_t after)
{
        struct overlay_follow_result ret = { 0 };
        struct rpc_request request = { .method = &schema_method_overlay_follow,
                                       .params = &(struct overlay_follow){ .after = after, .max_bytes = 4096 } };

        assert_int_equal(rpc_call_wait(r->client, &request, &r->arena, &ret, NULL), 0);
        return ret;
}

static inline int pubkey(struct room *r, const char *address, struct overlay_pubkey_result *ret)
{
        struct rpc_request request = { .method = &schema_method_overlay_pubkey,
                                       .params = &(struct overlay_pubkey){ str_of(address) } };

        r->fault = (struct fault){ 0 };
        return rpc_call_wait(r->client, &request, &r->arena, ret, &r->fault);
}

/* Waits until the condition holds. */
#define UNTIL(condition)                                                                                                 \
        do {                                                                                                             \
                int64_t until_us_ = clock_steady_us(&clock_system) + ROOM_DEADLINE_S * INT64_C(1000000);                 \
                while (!(condition)) {                                                                                   \
                        if (clock_steady_us(&clock_system) > until_us_)                                                  \
                                fail_msg("not within %d s: %s", ROOM_DEADLINE_S, #condition);                            \
                        usleep(10000);                                                                                   \
                }                                                                                                        \
        } while (0)

/* What is published, once it is in this state and, where expected, has an interface. */
static inline struct overlay overlay_in(struct room *r, enum overlay_state state, bool interface)
{
        int64_t until_us = clock_steady_us(&clock_system) + ROOM_DEADLINE_S * INT64_C(1000000);
        struct overlay_follow_result f = follow(r, 0);

        while (f.overlay.state != (int)state || (f.overlay.ifindex != 0) != interface) {
                if (clock_steady_us(&clock_system) > until_us)
                        fail_msg("it stays %s, index %d", schema_enum_overlay_state.values[f.overlay.state], (int)f.overlay.ifindex);
                f = follow(r, f.head);
        }
        return f.overlay;
}

/* A file under the root; NULL takes it away. */
static inline void put(struct room *r, const char *name, const void *bytes, size_t n)
{
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", r->root, name);
        if (!bytes) {
                unlink(path);
                return;
        }
        f = fopen(path, "we");
        assert_non_null(f);
        fwrite(bytes, 1, n, f);
        fclose(f);
}

static inline void put_text(struct room *r, const char *name, const char *text)
{
        put(r, name, text, text ? strlen(text) : 0);
}

/* Empty where there is no such file; until the next get(). */
static inline struct str get(struct room *r, const char *name)
{
        char path[128];
        static char text[1 << 20];
        size_t n = 0;
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", r->root, name);
        f = fopen(path, "re");
        if (f) {
                n = fread(text, 1, sizeof(text) - 1, f);
                fclose(f);
        }
        text[n] = '\0';
        return (struct str){ text, n };
}

static inline size_t lines(struct room *r, const char *name)
{
        struct str s = get(r, name);
        size_t n = 0;

        for (size_t i = 0; i < s.n; i++)
                n += s.p[i] == '\n';
        return n;
}

static inline bool logged(struct room *r, const char *text)
{
        return strstr(get(r, "log").p, text) != NULL;
}

/* The most memory that it had at once. */
static inline long peak_kib(pid_t pid)
{
        char path[64], line[256];
        long kib = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                sscanf(line, "VmHWM: %ld", &kib);
        if (f)
                fclose(f);
        return kib;
}
