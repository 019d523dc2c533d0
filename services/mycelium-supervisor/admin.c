#include "admin.h"
#include "endpoint.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct admin {
        int fd;
        struct loop_io *io;
        struct loop_timer *timer;
        int error;              /* of the connect, told from the loop */
        struct buf question, reply;
        size_t sent;
        admin_done_fn *done;
        void *data;
};

void admin_cancel(struct admin *a)
{
        if (!a)
                return;
        loop_io_free(a->io);
        loop_timer_free(a->timer);
        if (a->fd >= 0)
                close(a->fd);
        buf_deinit(&a->question);
        buf_deinit(&a->reply);
        free(a);
}

static void finish(struct admin *a, int error)
{
        struct buf reply = a->reply;
        admin_done_fn *done = a->done;
        void *data = a->data;

        a->reply = (struct buf){ 0 };
        admin_cancel(a);
        /* a Unix socket that is not there is as good as one that nobody listens at */
        done(data, error == -ENOENT ? -ECONNREFUSED : error, buf_view(&reply));
        buf_deinit(&reply);
}

static void on_timer(void *data)
{
        struct admin *a = data;

        finish(a, a->error ? a->error : -ETIMEDOUT);
}

/* 0 when all is sent, -EAGAIN while the socket takes no more. */
static int send_rest(struct admin *a)
{
        ssize_t n;

        if (a->sent == a->question.n)
                return 0;       /* or none was to be */
        n = send(a->fd, a->question.p + a->sent, a->question.n - a->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        a->sent += (size_t)n;
        if (a->sent < a->question.n)
                return -EAGAIN;
        loop_io_events(a->io, EPOLLIN);
        return 0;
}

/* 0 at the end of the reply, -EAGAIN before. */
static int receive(struct admin *a)
{
        for (;;) {
                ssize_t n = recv(a->fd, buf_reserve(&a->reply, 4096), 4096, MSG_DONTWAIT);

                if (n <= 0)
                        return n < 0 ? -errno : 0;
                a->reply.n += (size_t)n;
                if (a->reply.n > ADMIN_REPLY_MAX)
                        return -EMSGSIZE;
        }
}

static void on_io(void *data, uint32_t events)
{
        struct admin *a = data;
        int r = 0, error;
        socklen_t n = sizeof(error);

        if ((events & EPOLLERR) && getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0)
                r = -error;
        if (!r)
                r = send_rest(a);
        if (!r && a->question.n)
                r = receive(a);
        if (r != -EAGAIN && r != -EINTR)
                finish(a, r);
}

int admin_ask(struct loop *loop, struct str endpoint, const char *question, admin_done_fn *done, void *data, struct admin **ret)
{
        struct sockaddr_storage address;
        struct admin *a;
        socklen_t n;

        if (endpoint_parse(endpoint, &address, &n))
                return -EINVAL;
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        *a = (struct admin){ .done = done, .data = data, .fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
        a->timer = loop_timer_new(loop, on_timer, a);
        if (question)
                buf_format(&a->question, "%s\n", question);
        if (a->fd < 0 || (connect(a->fd, (const struct sockaddr *)&address, n) < 0 && errno != EINPROGRESS))
                a->error = -errno;
        else
                a->io = loop_io_new(loop, a->fd, EPOLLIN | EPOLLOUT, on_io, a);
        loop_timer_set(a->timer, a->error ? 0 : ADMIN_TIMEOUT_MS * 1000);
        *ret = a;
        return 0;
}
