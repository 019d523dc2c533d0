#include "bench.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <netinet/tcp.h>

enum { FAN_MAX = 1024 };

static const char nginx[] = "/usr/sbin/nginx", nchan[] = "/usr/lib/nginx/modules/ngx_nchan_module.so";
static const char mosquitto[] = "/usr/sbin/mosquitto", nats[] = "/usr/sbin/nats-server";

static int listen_any(uint16_t *ret_port)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(a);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
                bench_fail("no listening socket on 127.0.0.1");
        *ret_port = ntohs(a.sin_port);
        return fd;
}

static pid_t child(struct raw *raw)
{
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid < 0)
                bench_fail("fork failed");
        if (pid == 0)
                prctl(PR_SET_PDEATHSIG, SIGKILL);
        else
                raw->children[raw->n_children++] = pid;
        return pid;
}

/* One read, one write: requests of this benchmark come whole. */
static void echo_one(int fd)
{
        char in[65536], out[66000], *body;
        ssize_t n = read(fd, in, sizeof(in) - 1);
        size_t size;
        int head;

        if (n <= 0) {
                close(fd);
                return;
        }
        in[n] = '\0';
        body = strstr(in, "\r\n\r\n");
        if (!body)
                bench_fail("a request that did not come whole");
        body += 4;
        size = (size_t)(in + n - body);
        head = snprintf(out, sizeof(out), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", size);
        memcpy(out + head, body, size);
        if (write(fd, out, (size_t)head + size) < 0)
                close(fd);
}

static _Noreturn void serve_echo(int listener)
{
        int epoll = epoll_create1(0), one = 1;
        struct epoll_event events[128], e = { .events = EPOLLIN, .data.fd = listener };

        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
        for (;;) {
                int n = epoll_wait(epoll, events, 128, -1);

                for (int i = 0; i < n; i++) {
                        if (events[i].data.fd != listener) {
                                echo_one(events[i].data.fd);
                                continue;
                        }
                        e.data.fd = accept(listener, NULL, NULL);
                        setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                        epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
                }
        }
}

static _Noreturn void serve_ping(int fd)
{
        char b[4096];
        ssize_t n;

        while ((n = recv(fd, b, sizeof(b), 0)) > 0)
                if (send(fd, b, (size_t)n, 0) < 0)
                        break;
        _exit(0);
}

static _Noreturn void serve_req(const char *url)
{
        nng_socket s;
        nng_msg *m;

        if (nng_rep0_open(&s) || nng_listen(s, url, NULL, 0))
                _exit(1);
        while (nng_recvmsg(s, &m, 0) == 0 && nng_sendmsg(s, m, 0) == 0)
                ;
        _exit(0);
}

/* The least that a message to many can cost: a write for each. */
static _Noreturn void serve_fan(int listener, int control)
{
        int epoll = epoll_create1(0), subscribers[FAN_MAX], n = 0, one = 1;
        struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
        char message[65536];

        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
        e.data.fd = control;
        epoll_ctl(epoll, EPOLL_CTL_ADD, control, &e);
        while (epoll_wait(epoll, &e, 1, -1) > 0) {
                ssize_t bytes;

                if (e.data.fd == listener) {
                        subscribers[n] = accept(listener, NULL, NULL);
                        setsockopt(subscribers[n++], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                        continue;
                }
                bytes = recv(control, message, sizeof(message), 0);
                if (bytes <= 1) {       /* those who were there are to go */
                        while (n)
                                close(subscribers[--n]);
                        if (send(control, "", 1, 0) != 1)
                                _exit(1);
                        continue;
                }
                for (int i = 0; i < n; i++)
                        if (write(subscribers[i], message, (size_t)bytes) != bytes)
                                _exit(1);
        }
        _exit(0);
}

static void start_fan(struct raw *raw)
{
        int pair[2], listener = listen_any(&raw->fan_out.port);

        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
                bench_fail("no socket pair");
        raw->fan = pair[0];
        raw->fan_out.pid = child(raw);
        if (raw->fan_out.pid == 0)
                serve_fan(listener, pair[1]);
        close(listener);
        close(pair[1]);
}

/* A program with a configuration file of ours, listening at a free port, where it is installed. */
static void start_rival(struct raw *raw, const char *program, const char *needs, const char *name, const char *option, const char *format,
                        struct raw_rival *ret)
{
        char path[128], log[128];
        FILE *f;

        if (access(program, X_OK) < 0 || access(needs, R_OK) < 0)
                return;
        close(listen_any(&ret->port));
        snprintf(path, sizeof(path), "%s/%s.conf", raw->folder, name);
        snprintf(log, sizeof(log), "%s/%s.log", raw->folder, name);
        f = fopen(path, "w");
        fprintf(f, format, ret->port, raw->folder);
        fclose(f);
        ret->pid = child(raw);
        if (ret->pid == 0) {
                if (!freopen(log, "w", stdout) || !freopen(log, "w", stderr))
                        _exit(1);
                execl(program, program, option, path, (char *)NULL);
                _exit(1);
        }
}

static void start_rivals(struct raw *raw)
{
        static const char nchan_conf[] =
                "load_module /usr/lib/nginx/modules/ngx_nchan_module.so;\ndaemon off; master_process off; pid nchan.pid; error_log /dev/null;\n"
                "worker_rlimit_nofile 4096;\nevents { worker_connections 4096; }\n"
                "http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:%d;\n"
                "location /pub { nchan_publisher; nchan_channel_id c; nchan_message_buffer_length 1; }\n"
                "location /sub { nchan_subscriber websocket; nchan_channel_id c; nchan_subscriber_first_message newest; } root %s; } }\n";

        start_rival(raw, nginx, nchan, "nchan", "-c", nchan_conf, &raw->nchan);
        start_rival(raw, mosquitto, mosquitto, "mosquitto", "-c",
                    "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n# %s\n", &raw->mqtt);
        start_rival(raw, nats, nats, "nats", "-c", "port: %d\nhost: 127.0.0.1\n# %s\n", &raw->nats);
}

static void start_nginx(struct raw *raw)
{
        char path[128];
        FILE *f;

        if (access(nginx, X_OK) < 0)
                return;
        close(listen_any(&raw->nginx_port)); /* a free one */
        snprintf(path, sizeof(path), "%s/file", raw->folder);
        f = fopen(path, "w");
        fprintf(f, "%0150d\n", 0);
        fclose(f);
        snprintf(path, sizeof(path), "%s/nginx.conf", raw->folder);
        f = fopen(path, "w");
        fprintf(f, "daemon off; master_process off; pid %s/nginx.pid; error_log /dev/null;\nevents { }\n"
                   "http { access_log off; keepalive_requests 100000000; open_file_cache max=10; client_body_temp_path %s/b; proxy_temp_path %s/p;"
                   " fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n"
                   "server { listen 127.0.0.1:%d; root %s; } }\n",
                raw->folder, raw->folder, raw->folder, raw->folder, raw->folder, raw->folder, raw->nginx_port, raw->folder);
        fclose(f);
        if (child(raw) == 0) {
                execl(nginx, nginx, "-c", path, "-e", "/dev/null", "-p", raw->folder, (char *)NULL);
                _exit(1);
        }
}

void raw_start(struct raw *raw)
{
        int listener, pair[2];

        *raw = (struct raw){ 0 };
        strcpy(raw->folder, "/tmp/assist-bench-XXXXXX");
        if (!mkdtemp(raw->folder) || chmod(raw->folder, 0755) < 0)
                bench_fail("no folder in /tmp");
        snprintf(raw->req_url, sizeof(raw->req_url), "ipc://%s/rep.sock", raw->folder);
        snprintf(raw->rpc_path, sizeof(raw->rpc_path), "%s/rpc.sock", raw->folder);
        listener = listen_any(&raw->echo_port);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
                bench_fail("no socket pair");
        raw->ping = pair[0];
        if (child(raw) == 0)
                serve_echo(listener);
        if (child(raw) == 0)
                serve_ping(pair[1]);
        if (child(raw) == 0)
                serve_req(raw->req_url);
        if (child(raw) == 0)
                raw_serve_rpc(raw->rpc_path);
        start_nginx(raw);
        start_fan(raw);
        start_rivals(raw);
        close(listener);
        close(pair[1]);
}

void raw_stop(struct raw *raw)
{
        char command[128];

        for (int i = 0; i < raw->n_children; i++) {
                kill(raw->children[i], SIGKILL);
                waitpid(raw->children[i], NULL, 0);
        }
        close(raw->ping);
        close(raw->fan);
        snprintf(command, sizeof(command), "rm -rf '%s'", raw->folder);
        if (system(command) != 0)
                fprintf(stderr, "%s stays\n", raw->folder);
}
