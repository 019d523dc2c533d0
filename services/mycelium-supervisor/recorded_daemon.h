/* A stand-in for mycelium's daemon: its flags, its key file, a real TUN interface, and the answers of each release; or of no daemon at all.
 *
 * What it does is read from files in the folder RECORDED, at each request:
 *   release   0.5.0, 0.5.4 or 0.7.8: the fields it has
 *   apis      jsonrpc, rest or both: where it listens (read at its start)
 *   tun       no: it makes no interface (read at its start)
 *   alive     how many peers it has
 *   behave    "", or what is wrong with it: see answer()
 * It writes there its pid (daemon.pid), a line for each start (starts), one for each request (requests). SIGHUP makes the interface anew, SIGUSR1
 * takes it away. It ends by itself, in case its test does not end it. */
#pragma once
#include "mycelium.h"
#include "str.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

enum { RECORDED_LIFE_S = 300 };

#define RECORDED_OTHER_KEY "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define RECORDED_OTHER "520:c662:fd00:9e92:5d99:34ed:ab8:82ab"

struct recorded {
        uint8_t secret[32], key[32];
        struct in6_addr address;
        const char *tun_name;
        int tun, jsonrpc, rest;
};

static volatile sig_atomic_t recorded_signal;

static inline void recorded_on_signal(int s)
{
        recorded_signal = s;
}

static inline FILE *recorded_open(const char *name, const char *mode)
{
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", getenv("RECORDED"), name);
        return fopen(path, mode);
}

/* The file's first word. */
static inline const char *recorded_word(const char *name)
{
        static char text[64];
        FILE *f = recorded_open(name, "re");

        text[0] = '\0';
        if (f) {
                if (fscanf(f, "%63s", text) != 1)
                        text[0] = '\0';
                fclose(f);
        }
        return text;
}

static inline void recorded_note(const char *name, const char *line)
{
        FILE *f = recorded_open(name, "ae");

        if (f) {
                fprintf(f, "%s\n", line);
                fclose(f);
        }
}

static inline void recorded_die(const char *what)
{
        perror(what);
        exit(1);
}

/* ---- the interface ---- */

/* As in the kernel's headers, which don't go with libc's. */
struct recorded_in6_ifreq {
        struct in6_addr address;
        uint32_t prefix;
        int index;
};

static inline void recorded_tun(struct recorded *d)
{
        struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
        struct recorded_in6_ifreq address = { .address = d->address, .prefix = 64 };
        int s = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        strncpy(request.ifr_name, d->tun_name, sizeof(request.ifr_name) - 1);
        d->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        if (d->tun < 0 || ioctl(d->tun, TUNSETIFF, &request) < 0 || ioctl(s, SIOCGIFINDEX, &request) < 0)
                recorded_die("tun");
        address.index = request.ifr_ifindex;
        if (ioctl(s, SIOCSIFADDR, &address) < 0 || ioctl(s, SIOCGIFFLAGS, &request) < 0)
                recorded_die("address");
        request.ifr_flags |= IFF_UP;
        if (ioctl(s, SIOCSIFFLAGS, &request) < 0)
                recorded_die("up");
        close(s);
}

/* ---- what it says ---- */

static inline void recorded_hex(const uint8_t key[32], char ret[65])
{
        for (int i = 0; i < 32; i++)
                snprintf(ret + 2 * i, 3, "%02x", key[i]);
}

static inline void recorded_info(const struct recorded *d, char *ret, size_t size)
{
        char address[INET6_ADDRSTRLEN], subnet[INET6_ADDRSTRLEN], key[65];
        const char *release = recorded_word("release");
        struct in6_addr net = d->address;
        int n;

        memset(net.s6_addr + 8, 0, 8);
        inet_ntop(AF_INET6, &d->address, address, sizeof(address));
        inet_ntop(AF_INET6, &net, subnet, sizeof(subnet));
        recorded_hex(d->key, key);
        n = snprintf(ret, size, "{\"nodeSubnet\":\"%s/64\"", subnet);
        if (strcmp(release, "0.7.8") == 0)
                n += snprintf(ret + n, size - (size_t)n, ",\"nodeIp\":\"%s\"", address);
        if (strcmp(release, "0.5.0") != 0)
                n += snprintf(ret + n, size - (size_t)n, ",\"nodePubkey\":\"%s\"", key);
        if (strcmp(release, "0.7.8") == 0)
                n += snprintf(ret + n, size - (size_t)n, ",\"nodeStartTime\":1780000000");
        snprintf(ret + n, size - (size_t)n, "}");
}

static inline void recorded_peers(char *ret, size_t size)
{
        int alive = atoi(recorded_word("alive")), n = snprintf(ret, size, "[{\"type\":\"static\",\"connectionState\":\"connecting\"}");

        while (alive-- > 0)
                n += snprintf(ret + n, size - (size_t)n, ",{\"type\":\"static\",\"connectionState\":\"alive\",\"txBytes\":1}");
        snprintf(ret + n, size - (size_t)n, "]");
}

/* A whole answer, closed behind it. */
static inline void recorded_say(int fd, int status, const char *type, const char *body)
{
        dprintf(fd, "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, type, strlen(body), body);
}

static inline void recorded_result(int fd, bool rpc, const char *result)
{
        char body[4096];

        snprintf(body, sizeof(body), rpc ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}" : "%s", result);
        recorded_say(fd, 200, "application/json", body);
}

/* A key that was asked for: of the one other node there is. */
static inline void recorded_key(int fd, bool rpc, const char *request, const struct recorded *d)
{
        const char *behave = recorded_word("behave");
        char key[65], body[128];

        recorded_hex(d->key, key);
        if (strcmp(behave, "noroute") == 0 || !strstr(request, RECORDED_OTHER)) {
                if (rpc)
                        recorded_say(fd, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32008,\"message\":\"no\"}}");
                else
                        recorded_say(fd, 404, "text/plain", "");
                return;
        }
        /* lies: what a neighbour can make it say */
        snprintf(body, sizeof(body), rpc ? "\"%s\"" : "{\"publicKey\":\"%s\"}", strcmp(behave, "lies") == 0 ? key : RECORDED_OTHER_KEY);
        recorded_result(fd, rpc, body);
}

static inline void recorded_flood(int fd, const char *head, const char *piece)
{
        dprintf(fd, "%s", head);
        while (write(fd, piece, strlen(piece)) > 0)     /* until the other end has enough */
                ;
}

/* False where the request gets none, and stays. */
static inline bool recorded_answer(int fd, bool rpc, const char *request, const struct recorded *d)
{
        const char *behave = recorded_word("behave");
        char body[4096];

        if (strcmp(behave, "silent") == 0)
                return false;
        if (strcmp(behave, "close") == 0)
                return true;
        if (strcmp(behave, "html") == 0)
                recorded_say(fd, 200, "text/html", "<html><body>It works!</body></html>");
        else if (strcmp(behave, "fails") == 0)
                recorded_say(fd, 500, "application/json", "{}");
        else if (strcmp(behave, "redirects") == 0)
                dprintf(fd, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:8989/api/v1/admin\r\nContent-Length: 0\r\n\r\n");
        else if (strcmp(behave, "short") == 0)
                dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"result\":{");
        else if (strcmp(behave, "noise") == 0)
                dprintf(fd, "\x16\x03\x01\x02\xff\xff\x80\r\n\r\n\r\n");
        else if (strcmp(behave, "long") == 0)
                recorded_flood(fd, "HTTP/1.1 200 OK\r\n\r\n", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
        else if (strcmp(behave, "long-head") == 0)
                recorded_flood(fd, "HTTP/1.1 200 OK\r\n", "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
        else if (strcmp(behave, "long-chunk") == 0)
                recorded_flood(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        else if (rpc && !strcasestr(request, "\r\nContent-Type: application/json\r\n"))
                recorded_say(fd, 415, "text/plain", "");
        else if (strstr(request, "getPublicKeyFromIp") || strstr(request, " /api/v1/pubkey/"))
                recorded_key(fd, rpc, request, d);
        else if (strstr(request, "getPeers") || strstr(request, "GET /api/v1/admin/peers "))
                recorded_peers(body, sizeof(body)), recorded_result(fd, rpc, body);
        else if (strstr(request, "getInfo") || strstr(request, "GET /api/v1/admin "))
                recorded_info(d, body, sizeof(body)), recorded_result(fd, rpc, body);
        else
                recorded_say(fd, 404, "text/plain", "");
        return true;
}

/* ---- how it runs ---- */

static inline int recorded_listen(const char *endpoint)
{
        struct sockaddr_in in = { .sin_family = AF_INET };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        in.sin_port = htons((uint16_t)atoi(strchr(endpoint, ':') + 1));
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, (const struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 16) < 0)
                recorded_die("listen");
        return fd;
}

static inline void recorded_serve(const struct recorded *d, int listener)
{
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char request[8192] = "";
        const char *end = NULL;
        size_t n = 0, body = 0;
        ssize_t got;

        if (fd < 0)
                return;
        while ((!(end = strstr(request, "\r\n\r\n")) || request + n < end + 4 + body) && n < sizeof(request) - 1) {
                const char *length;

                got = read(fd, request + n, sizeof(request) - 1 - n);
                if (got <= 0)
                        break;
                n += (size_t)got;
                request[n] = '\0';
                length = strcasestr(request, "\r\nContent-Length: ");
                body = length ? (size_t)atoi(length + 18) : 0;
        }
        recorded_note("requests", listener == d->jsonrpc && end ? end + 4 : strtok(request, "\r\n"));
        if (recorded_answer(fd, listener == d->jsonrpc, request, d))
                close(fd);      /* else it stays, as long as we do */
}

static inline void recorded_load_key(struct recorded *d, const char *path)
{
        FILE *f = fopen(path, "re");

        if (f && fread(d->secret, 1, 32, f) == 32) {
                fclose(f);
        } else {                /* as the real one */
                if (getrandom(d->secret, 32, 0) != 32 || !(f = fopen(path, "we")))
                        recorded_die(path);
                fwrite(d->secret, 1, 32, f);
                fclose(f);
        }
        crypto_scalarmult_base(d->key, d->secret);
        mycelium_address(d->key, &d->address);
}

static inline int recorded_main(int argc, char **argv)
{
        static const struct option options[] = {
                { "tun-name", required_argument, NULL, 't' }, { "api-addr", required_argument, NULL, 'r' },
                { "jsonrpc-addr", required_argument, NULL, 'j' }, { "log-format", required_argument, NULL, 'l' },
                { "peers", required_argument, NULL, 'p' }, { 0 },
        };
        const char *key = NULL, *jsonrpc = NULL, *rest = NULL;
        struct sigaction on_signal = { .sa_handler = recorded_on_signal };      /* without SA_RESTART: poll ends */
        struct recorded d = { .tun_name = "mycelium", .tun = -1, .jsonrpc = -1, .rest = -1 };
        char pid[16];
        FILE *f;
        int o;

        while ((o = getopt_long(argc, argv, "k:", options, NULL)) != -1) {
                switch (o) {
                case 'k': key = optarg; break;
                case 't': d.tun_name = optarg; break;
                case 'r': rest = optarg; break;
                case 'j': jsonrpc = optarg; break;
                case 'l': case 'p': break;
                default: return 2;
                }
        }
        if (!key || !jsonrpc || !rest)
                return 2;
        alarm(RECORDED_LIFE_S);
        signal(SIGPIPE, SIG_IGN);
        sigaction(SIGHUP, &on_signal, NULL);
        sigaction(SIGUSR1, &on_signal, NULL);
        recorded_load_key(&d, key);
        if (strcmp(recorded_word("tun"), "no") != 0)
                recorded_tun(&d);
        if (strcmp(recorded_word("apis"), "rest") != 0)
                d.jsonrpc = recorded_listen(jsonrpc);
        if (strcmp(recorded_word("apis"), "jsonrpc") != 0)
                d.rest = recorded_listen(rest);
        snprintf(pid, sizeof(pid), "%d", (int)getpid());
        recorded_note("starts", pid);
        f = recorded_open("daemon.pid", "we");
        fputs(pid, f);
        fclose(f);
        for (;;) {
                struct pollfd fds[] = { { .fd = d.jsonrpc, .events = POLLIN }, { .fd = d.rest, .events = POLLIN } };

                poll(fds, 2, -1);
                if (recorded_signal && d.tun >= 0) {
                        close(d.tun);
                        d.tun = -1;
                }
                if (recorded_signal == SIGHUP)
                        recorded_tun(&d);
                recorded_signal = 0;
                for (int i = 0; i < 2; i++)
                        if (fds[i].revents & POLLIN)
                                recorded_serve(&d, fds[i].fd);
        }
}
