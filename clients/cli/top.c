#include "top.h"

#include "rates.h"
#include "show.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { LOOK_EVERY_US = 1000 * 1000 };

struct top {
        struct operator *o;
        struct vitals_from from;
        struct vitals looks[2];         /* in turns */
        struct arena arenas[2];
        int now;                        /* which one is the newest */
        bool live;                      /* on a terminal */
        bool over;
        struct termios before;
};

/* ---- the terminal ---- */

static void on_key(void *data, uint32_t events)
{
        struct top *t = data;
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);

        (void)events;
        if (n == 0 || (n == 1 && (c == 'q' || c == 'Q' || c == 3)))
                t->over = true;
}

static void on_signal(void *data, int which)
{
        (void)which;
        ((struct top *)data)->over = true;
}

/* The page goes to a screen of its own; what was there before comes back. */
static void terminal_take(struct top *t)
{
        struct termios raw;

        tcgetattr(STDIN_FILENO, &t->before);
        raw = t->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        fputs("\x1b[?1049h\x1b[?25l", stdout);
}

static void terminal_give_back(struct top *t)
{
        fputs("\x1b[?25h\x1b[?1049l", stdout);
        fflush(stdout);
        tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
}

/* 0: it does not say. */
static size_t terminal_lines(void)
{
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

/* ---- looking ---- */

static void look(struct top *t)
{
        t->now = !t->now;
        arena_reset(&t->arenas[t->now]);
        vitals_take(&t->from, &t->arenas[t->now], &t->looks[t->now]);
}

/* The keys are heard meanwhile. */
static void wait_for_the_next(struct top *t)
{
        int64_t until = t->looks[t->now].at_us + LOOK_EVERY_US, left;

        while (!t->over && (left = until - clock_steady_us(&clock_system)) > 0)
                loop_dispatch(t->o->loop, (int)(left / 1000) + 1);
}

static void print(struct top *t)
{
        struct rates rates;
        struct buf out = { 0 };
        size_t lines = terminal_lines();

        rates_of(&t->looks[!t->now], &t->looks[t->now], &t->arenas[t->now], &rates);
        if (t->o->json) {
                rates_json(&rates, &out);
        } else if (t->live) {
                fputs("\x1b[H\x1b[J", stdout);
                rates_text(&rates, lines > 1 ? lines - 1 : lines, terminal_width(), &out);
                buf_text(&out, "once a second; q ends it");
        } else {
                rates_text(&rates, 0, terminal_width(), &out);
        }
        fwrite(out.p, 1, out.n, stdout);
        fflush(stdout);
        buf_deinit(&out);
}

static void watch(struct top *t, bool once)
{
        look(t);
        do {
                wait_for_the_next(t);
                if (t->over)
                        break;
                look(t);
                print(t);
        } while (!once && !t->over && !ferror(stdout));
}

int run_top(struct operator *o, int argc, char **argv)
{
        bool once = argc == 1 && strcmp(argv[0], "--once") == 0;
        struct loop_io *keys = NULL;
        struct top *t;
        int r;

        if (argc && !once) {
                fprintf(stderr, "assistctl: top takes --once or nothing\n");
                return EXIT_USAGE;
        }
        t = calloc(1, sizeof(*t));
        if (!t)
                abort();
        t->o = o;
        t->live = !once && !o->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
        r = vitals_open(o, &t->from);
        if (!r)
                r = loop_signal(o->loop, SIGINT, on_signal, t);
        if (!r)
                r = loop_signal(o->loop, SIGTERM, on_signal, t);
        if (r) {
                fprintf(stderr, "assistctl: %s\n", strerror(-r));
        } else {
                if (t->live) {
                        keys = loop_io_new(o->loop, STDIN_FILENO, EPOLLIN, on_key, t);
                        terminal_take(t);
                }
                watch(t, once);
                if (t->live)
                        terminal_give_back(t);
        }
        loop_io_free(keys);
        vitals_close(&t->from);
        arena_deinit(&t->arenas[0]);
        arena_deinit(&t->arenas[1]);
        free(t);
        return r ? EXIT_FAILURE : 0;
}
