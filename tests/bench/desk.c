#include "bench.h"

#include "flood.h"
#include "member.h"
#include "schema/identity.h"
#include "web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *const services[DESK_SERVICES] = { "mycelium-supervisor", "identity", "store", "fanout", "gateway", "courier" };

static void pause_ms(int ms)
{
        nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static pid_t spawn(const char *log, char *const *arguments)
{
        posix_spawn_file_actions_t actions;
        pid_t pid;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ))
                bench_fail("%s can't be started", arguments[0]);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

void desk_operate(struct desk *desk, char *const *words)
{
        char program[600], log[128], *arguments[16] = { program, (char *)"--root", desk->root };
        int n = 3, status;

        snprintf(program, sizeof(program), "%s/assistctl", desk->bin);
        snprintf(log, sizeof(log), "%s/assistctl.log", desk->root);
        while (*words)
                arguments[n++] = *words++;
        waitpid(spawn(log, arguments), &status, 0);
        if (status)
                bench_fail("assistctl failed; see %s", log);
}

static bool said_ready(const char *log)
{
        static char text[65536];
        FILE *f = fopen(log, "r");
        size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

        if (f)
                fclose(f);
        text[n] = '\0';
        return strstr(text, "ready\n");
}

static void process_start(struct desk *desk, int i)
{
        struct desk_process *p = &desk->processes[i];
        char program[600], log[128];
        double began = steady_us();

        snprintf(program, sizeof(program), "%s/assist-%s", desk->bin, services[i]);
        snprintf(log, sizeof(log), "%s/%s.log", desk->root, services[i]);
        p->service = services[i];
        p->pid = spawn(log, (char *const[]){ program, (char *)"--root", desk->root, NULL });
        while (!said_ready(log)) {
                if (steady_us() - began > 10e6)
                        bench_fail("%s is not ready; see %s", services[i], log);
                pause_ms(1);
        }
        p->ready_ms = (steady_us() - began) / 1e3;
}

static void configure(struct desk *desk)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t n = sizeof(a);
        char path[128];
        FILE *f;

        if (bind(fd, (struct sockaddr *)&a, n) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
                bench_fail("no free port");
        close(fd);
        desk->port = ntohs(a.sin_port);
        snprintf(path, sizeof(path), "%s/etc/assist.conf.d", desk->root);
        (void)mkdir(path, 0755);
        snprintf(path, sizeof(path), "%s/etc/assist.conf.d/bench.conf", desk->root);
        f = fopen(path, "w");
        if (!f)
                bench_fail("%s can't be written", path);
        fprintf(f, "[gateway]\nport = %d\ndevice_rate = 1000000\nuser_rate = 1000000\nadmissions = 1000000\n", desk->port);
        fclose(f);
}

const char *desk_socket(struct desk *desk, const char *service)
{
        return arena_format(&desk->arena, "%s/run/assist-%s/rpc.sock", desk->root, service).p;
}

struct str desk_call(const struct desk *desk, const struct member *m, struct arena *arena, const char *method, const char *params)
{
        struct str body = arena_format(arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
        const char *token = m ? m->token : desk->members[0].token;

        return web_post(arena, desk->port, "/rpc", token[0] ? token : NULL, body);
}

/* The code that was mailed to somebody, from identity's outbox, as the courier takes it. */
static struct str mailed_code(struct desk *desk, const char *email)
{
        struct outbox_follow_result mails = { 0 };
        struct outbox_done_result done;
        struct str code = { 0 };
        struct flood courier = { 0 };

        flood_open(&courier, desk_socket(desk, "identity"), SCHEMA_PEER_IDENTITY);
        flood_call(&courier, &schema_method_outbox_follow, &(struct outbox_follow){ .max_bytes = 262144 }, &desk->arena, &mails);
        for (size_t i = 0; i < mails.items.n; i++) {
                const struct mail *mail = &((struct mail *)mails.items.items)[i];
                const char *link = memmem(mail->body.p, mail->body.n, "/bind#", 6);

                if (link && str_is(mail->to, email))
                        code = (struct str){ link + 6, 8 };
                flood_call(&courier, &schema_method_outbox_done, &(struct outbox_done){ .mail = mail->id, .status = 250 }, &desk->arena, &done);
        }
        flood_close(&courier);
        if (!code.n)
                bench_fail("no code was mailed to %s", email);
        return code;
}

static void seal(struct desk *desk)
{
        struct caller caller = { .user = desk->members[0].user, .device = STR("loopback:127.0.0.2"), .role = SCHEMA_ROLE_AGENT,
                                 .expires_at = clock_now_ms(&clock_system) + 3600000 };
        uint8_t key[CALLER_KEY_BYTES];
        struct buf sealed = { 0 };
        char path[128], hex[65] = "";
        FILE *f;

        snprintf(path, sizeof(path), "%s/keys/store/caller", desk->root);
        f = fopen(path, "r");
        if (!f || !fgets(hex, sizeof(hex), f) || str_from_hex(str_of(hex), key, sizeof(key)))
                bench_fail("%s can't be read", path);
        fclose(f);
        caller_seal(key, &caller, &sealed);
        desk->sealed = arena_bytes(&desk->arena, sealed.p, sealed.n);
        buf_deinit(&sealed);
}

static void join(struct desk *desk, int i)
{
        struct member *m = &desk->members[i];

        m->address = WEB_DEVICE + (in_addr_t)i;
        snprintf(m->email, sizeof(m->email), "bench%d@example.org", i);
        desk_operate(desk, (char *const[]){ (char *)"user", (char *)"add", m->email, (char *)"--name", (char *)"Bench", (char *)"--role",
                                        (char *)"agent", NULL });
        member_ask(desk, m);
        member_bind(desk, m, mailed_code(desk, m->email));
}

void desk_start(struct desk *desk, const char *bin, int members)
{
        *desk = (struct desk){ 0 };
        snprintf(desk->bin, sizeof(desk->bin), "%s", bin);
        strcpy(desk->root, "/tmp/assist-bench-XXXXXX");
        if (!mkdtemp(desk->root))
                bench_fail("no folder in /tmp");
        desk_operate(desk, (char *const[]){ (char *)"project", (char *)"init", (char *)"--development", NULL });
        configure(desk);
        for (int i = 0; i < DESK_SERVICES - 1; i++)
                process_start(desk, i);
        for (int i = 0; i < members; i++)
                join(desk, i);
        desk->ticket = member_file(desk, &desk->members[0]);
        seal(desk);
        process_start(desk, DESK_SERVICES - 1); /* the courier last: it would have taken the mail */
}

void desk_stop(struct desk *desk)
{
        char command[128];

        for (int i = DESK_SERVICES - 1; i >= 0; i--) {
                kill(desk->processes[i].pid, SIGTERM);
                waitpid(desk->processes[i].pid, NULL, 0);
        }
        arena_deinit(&desk->arena);
        snprintf(command, sizeof(command), "rm -rf '%s'", desk->root);
        if (system(command) != 0)
                fprintf(stderr, "%s stays\n", desk->root);
}
