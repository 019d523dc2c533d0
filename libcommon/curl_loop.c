#include "curl_loop.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct curl_loop {
        struct loop *loop;
        struct loop_timer *timer;
        CURLM *multi;
        curl_loop_fn *done;
        void *data;
};

/* One of curl's sockets, watched. */
struct watch {
        struct curl_loop *curl;
        struct loop_io *io;
        curl_socket_t fd;
};

static void step(struct curl_loop *c, curl_socket_t fd, int events)
{
        int running, left;
        CURLMsg *m;

        curl_multi_socket_action(c->multi, fd, events, &running);
        while ((m = curl_multi_info_read(c->multi, &left))) {
                CURL *easy = m->easy_handle;
                CURLcode code = m->data.result;

                if (m->msg != CURLMSG_DONE)
                        continue;
                curl_multi_remove_handle(c->multi, easy);
                c->done(c->data, easy, code);
        }
}

static void on_io(void *data, uint32_t events)
{
        struct watch *w = data;

        step(w->curl, w->fd, (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                             (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static void on_timer(void *data)
{
        step(data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *data)
{
        struct curl_loop *c = data;

        (void)multi;
        if (timeout_ms < 0)
                loop_timer_stop(c->timer);
        else
                loop_timer_set(c->timer, timeout_ms * 1000);
        return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
        struct curl_loop *c = data;
        struct watch *w = socket_data;
        uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

        (void)easy;
        if (what == CURL_POLL_REMOVE) {
                if (w) {
                        loop_io_free(w->io);
                        free(w);
                }
                curl_multi_assign(c->multi, fd, NULL);
                return 0;
        }
        if (w) {
                loop_io_events(w->io, events);
                return 0;
        }
        w = calloc(1, sizeof(*w));
        if (!w)
                return -1;
        w->curl = c;
        w->fd = fd;
        w->io = loop_io_new(c->loop, fd, events, on_io, w);
        if (!w->io) {
                free(w);
                return -1;
        }
        curl_multi_assign(c->multi, fd, w);
        return 0;
}

int curl_loop_new(struct loop *loop, curl_loop_fn *done, void *data, struct curl_loop **ret)
{
        struct curl_loop *c;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return -ENOMEM;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (struct curl_loop){ .loop = loop, .done = done, .data = data, .multi = curl_multi_init() };
        c->timer = loop_timer_new(loop, on_timer, c);
        if (!c->multi) {
                curl_loop_free(c);
                return -ENOMEM;
        }
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
        curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
        curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
        *ret = c;
        return 0;
}

void curl_loop_free(struct curl_loop *c)
{
        if (!c)
                return;
        if (c->multi)
                curl_multi_cleanup(c->multi);
        loop_timer_free(c->timer);
        free(c);
}

int curl_loop_add(struct curl_loop *c, CURL *easy)
{
        return curl_multi_add_handle(c->multi, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void curl_loop_remove(struct curl_loop *c, CURL *easy)
{
        curl_multi_remove_handle(c->multi, easy);
}
