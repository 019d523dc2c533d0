/* Follows a desk, and prints what happens there.
 *
 *     cc -o follow follow.c $(pkg-config --cflags --libs assist)
 *     ./follow 127.0.0.1:7272 [FROM [CURSOR]]
 *
 * The device must be bound: `assist --project 127.0.0.1:7272 enroll YOUR@EMAIL` does it, and its secret is found where `assist` keeps it.
 * It waits in a loop of its own, as a program does that has other things to wait for, and ends when its input does: with the cursor
 * to go on from, so that the next run misses nothing. */
#include <assist.h>
#include <schema/comment.h>
#include <schema/project.h>
#include <schema/ticket.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Texts of others, as this is an example, go to the terminal as they are; `assist` leaves control characters out. */
static void event_print(const struct event *event, struct arena *arena)
{
        const struct schema_event *type;
        void *data;

        if (assist_event_read(event, arena, &type, &data)) {
                fprintf(stderr, "the desk's %.*s is not as its schema says\n", STR_ARG(event->type));
        } else if (type == &schema_event_ticket_created) {
                const struct event_ticket_created *e = data;

                printf("#%lld is new: %.*s\n", (long long)e->ticket.number, STR_ARG(e->ticket.subject));
        } else if (type == &schema_event_comment_added) {
                const struct event_comment_added *e = data;

                printf("somebody wrote: %.*s\n", STR_ARG(e->comment.body));
        } else {
                printf("%.*s\n", STR_ARG(event->type)); /* there are more, in the reference; and newer ones than this program */
        }
}

/* Takes all that there is; 0, or what makes going on useless. */
static int take(struct assist_live *live, struct arena *arena)
{
        struct assist_error error;
        const struct event *event;

        for (;;) {
                int r = assist_live_process(live, &event, &error);

                switch (r) {
                case ASSIST_LIVE_NOTHING:
                        return fflush(stdout);
                case ASSIST_LIVE_EVENT:
                        arena_reset(arena);
                        event_print(event, arena);
                        break;
                case ASSIST_LIVE_CONNECTED:
                        printf("connected\n");
                        break;
                case ASSIST_LIVE_RESET:
                        printf("fetch what you show again: %s\n", error.message);
                        break;
                case ASSIST_LIVE_BROKEN:
                        printf("%s; connecting again\n", error.message);
                        break;
                default:
                        fprintf(stderr, "%s\n", error.message);
                        return r;
                }
        }
}

int main(int argc, char **argv)
{
        const struct assist_options options = { .project = argc > 1 ? argv[1] : "127.0.0.1", .from = argc > 2 ? argv[2] : NULL,
                                                .state = getenv("ASSIST_STATE") };
        struct project_info_result project;
        struct project_info nothing = { 0 };
        struct assist_error error;
        struct assist_live *live = NULL;
        struct arena arena = { 0 };
        struct assist *desk = NULL;
        struct pollfd waits[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };
        char ignored[512];
        int r;

        r = assist_open(&options, &desk, &error);
        if (!r)
                r = assist_call(desk, &schema_method_project_info, &nothing, &arena, &project, &error); /* waits for the answer */
        if (!r) {
                printf("%.*s, version %.*s\n", STR_ARG(project.value.name), STR_ARG(project.value.version));
                r = assist_live_open(desk, str_of(argc > 3 ? argv[3] : NULL), &live, &error);
        }
        if (r) {
                fprintf(stderr, "%s\n", error.message);
        } else {
                waits[1] = (struct pollfd){ .fd = assist_live_fd(live), .events = POLLIN };
                while (!(r = take(live, &arena)) && poll(waits, 2, -1) >= 0)
                        if (waits[0].revents && read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0)
                                break;
                if (assist_live_cursor(live).n)
                        printf("go on from %.*s\n", STR_ARG(assist_live_cursor(live)));
        }
        assist_live_close(live);
        assist_close(desk);
        arena_deinit(&arena);
        return r ? 1 : 0;
}
