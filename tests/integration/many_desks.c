/* many_desks FROM DESK...: follows them all on one thread, in one poll; a line for what each one tells. Ends with its input. */
#include <assist.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { DESKS_MAX = 16 };

static int take(int number, struct assist_live *live)
{
        struct assist_error error;
        const struct event *event;
        int r;

        while ((r = assist_live_process(live, &event, &error))) {
                if (r == ASSIST_LIVE_EVENT)
                        printf("%d: %.*s\n", number, STR_ARG(event->type));
                else if (r == ASSIST_LIVE_CONNECTED)
                        printf("%d: connected\n", number);
                else
                        printf("%d: %s\n", number, error.message);
                if (r < 0 || r > ASSIST_LIVE_BROKEN)
                        return r;
        }
        return fflush(stdout);
}

int main(int argc, char **argv)
{
        struct pollfd waits[DESKS_MAX + 1] = { { .fd = STDIN_FILENO, .events = POLLIN } };
        struct assist_live *lives[DESKS_MAX];
        struct assist *desks[DESKS_MAX];
        struct assist_error error;
        int n = argc - 2, r = 0;

        for (int i = 0; i < n; i++) {
                const struct assist_options options = { .from = argv[1], .project = argv[2 + i] };

                if (assist_open(&options, &desks[i], &error) || assist_live_open(desks[i], str_of(NULL), &lives[i], &error))
                        return fprintf(stderr, "%s\n", error.message), 1;
                waits[1 + i] = (struct pollfd){ .fd = assist_live_fd(lives[i]), .events = POLLIN };
        }
        while (!r && poll(waits, (nfds_t)n + 1, -1) > 0 && !waits[0].revents)
                for (int i = 0; i < n && !r; i++)
                        if (waits[1 + i].revents)
                                r = take(i, lives[i]);
        for (int i = 0; i < n; i++) {
                assist_live_close(lives[i]);
                assist_close(desks[i]);
        }
        return r ? 1 : 0;
}
