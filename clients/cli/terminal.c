#include "terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of stdout as it was when it was first asked for: a pager in between changes nothing. */
static struct {
        bool known, is, styled;
        size_t width;
        pid_t pager;
} terminal;

static void look(void)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
        struct winsize size;

        if (terminal.known)
                return;
        terminal.known = true;
        terminal.is = isatty(STDOUT_FILENO);
        terminal.styled = terminal.is && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
        terminal.width = terminal.is && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

const char *terminal_style(enum style style)
{
        static const char *const codes[] = { "\033[0m", "\033[1m", "\033[2m", "\033[1;31m", "\033[33m", "\033[30;43m" };

        look();
        return terminal.styled ? codes[style] : "";
}

size_t terminal_width(void)
{
        look();
        return terminal.width;
}

static void page_end(void)
{
        fclose(stdout);
        while (waitpid(terminal.pager, NULL, 0) < 0)
                ;
}

void terminal_page(void)
{
        const char *pager = getenv("PAGER");
        int ends[2];

        look();
        if (!terminal.is || terminal.pager || (pager && !*pager) || pipe(ends))
                return;
        setenv("LESS", "FRX", 0);
        terminal.pager = fork();
        if (terminal.pager < 0) {
                close(ends[0]);
                close(ends[1]);
                terminal.pager = 0;
                return;
        }
        if (terminal.pager == 0) {
                dup2(ends[0], STDIN_FILENO);
                close(ends[0]);
                close(ends[1]);
                execlp("/bin/sh", "sh", "-c", pager ? pager : "less 2>/dev/null || cat", (char *)NULL);
                _exit(127);
        }
        close(ends[0]);
        fflush(stdout);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[1]);
        signal(SIGPIPE, SIG_IGN); /* who has read enough leaves */
        atexit(page_end);
}
