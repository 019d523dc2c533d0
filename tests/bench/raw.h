/* The raw limits: the least that each job can cost on this machine, each a process of its own on the same core. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct raw {
        uint16_t echo_port;     /* HTTP by epoll: answers a POST's body, and does nothing else */
        uint16_t nginx_port;    /* a static file; 0 where nginx is not installed */
        int ping;               /* SEQPACKET: what is sent comes back */
        char req_url[128];      /* nng REP: likewise */
        char rpc_path[128];     /* an rpc_server whose one handler does nothing */
        int fan;                /* SEQPACKET: what is sent here is written to all who connected to fan_out */
        struct raw_rival {      /* port 0: not installed */
                uint16_t port;
                pid_t pid;
        } fan_out, nchan, mqtt, nats;
        char folder[64];
        pid_t children[12];
        int n_children;
};

/* Before this process has any thread of its own: the servers are forked. */
void raw_start(struct raw *raw);
void raw_stop(struct raw *raw);
/* The rpc server's side of bench_rpc.c; never returns. */
_Noreturn void raw_serve_rpc(const char *path);
