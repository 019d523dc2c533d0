/* The live side's rules, as clients/live_machine.script tells them, which holds every client to the same. live_machine_random_test.c throws all of them
 * together. */
#include "live_machine_room.h"

#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 512, STORIES_MAX = 100, WORDS_MAX = 8 };

static const char script_path[] = "clients/live_machine.script";

struct story {
        char name[LINE_MAX_BYTES];
        long at;                /* in the file: the first line behind the name */
        long line;
};

/* A line's words, cut from a copy of it, and the line behind the first one as it is. */
struct step {
        char copy[LINE_MAX_BYTES];
        char *words[WORDS_MAX];
        const char *rest;
};

static void step_split(struct step *s, const char *line)
{
        size_t n = 0;

        memset(s, 0, sizeof(*s));
        snprintf(s->copy, sizeof(s->copy), "%s", line);
        s->rest = strchr(line, ' ');
        s->rest = s->rest ? s->rest + 1 : "";
        for (char *word = strtok(s->copy, " "); word && n < WORDS_MAX; word = strtok(NULL, " "))
                s->words[n++] = word;
}

static const char *cursor_of(const char *word)
{
        return !strcmp(word, "-") ? "" : word;
}

static void say_frame(struct room *r, const struct step *s)
{
        struct buf events = { 0 }, text = { 0 };

        for (size_t i = 3; i < WORDS_MAX && s->words[i]; i++)
                buf_format(&events, "%s{\"type\":\"%s\",\"op_id\":\"01J00000000000000000000000\",\"actor\":\"01J00000000000000000000000\",\"at\":1,\"data\":{}}",
                           i > 3 ? "," : "", s->words[i]);
        buf_format(&text, "{\"from\":\"%s\",\"to\":\"%s\",\"events\":[%.*s]%s}", s->words[1], s->words[2], STR_ARG(buf_view(&events)),
                   !strcmp(s->words[0], "page") ? ",\"more\":true" : "");
        live_machine_heard(&r->m);
        live_machine_message(&r->m, buf_view(&text));
        buf_deinit(&events);
        buf_deinit(&text);
}

static void say_hello(struct room *r, const struct step *s)
{
        char text[LINE_MAX_BYTES];

        snprintf(text, sizeof(text), "{\"type\":\"hello\",\"session\":\"01J00000000000000000000000\",\"mode\":\"%s\",\"cursor\":\"%s\"%s%s%s}", s->words[1], s->words[2],
                 s->words[3] ? ",\"role\":\"" : "", s->words[3] ? s->words[3] : "", s->words[3] ? "\"" : "");
        hear(r, text);
}

static const char *over_name(int code)
{
        switch (code) {
        case FAULT_UNAUTHENTICATED:
                return "unauthenticated";
        case FAULT_FORBIDDEN:
                return "forbidden";
        case FAULT_INVALID_PARAMS:
                return "invalid";
        case -EPROTO:
                return "protocol";
        default:
                return "otherwise";
        }
}

/* An action in the script's words. */
static void action_say(const struct live_action *a, char *text, size_t n)
{
        switch (a->what) {
        case LIVE_NOTHING:
                snprintf(text, n, "nothing");
                break;
        case LIVE_CONNECT:
                snprintf(text, n, a->renew ? "renew" : "connect");
                break;
        case LIVE_DROP:
                snprintf(text, n, "drop");
                break;
        case LIVE_CONNECTED:
                snprintf(text, n, "connected");
                break;
        case LIVE_SEND:
                snprintf(text, n, "send %.*s", STR_ARG(a->text));
                break;
        case LIVE_RESET:
                snprintf(text, n, "reset %.*s", STR_ARG(a->text));
                break;
        case LIVE_EVENT:
                snprintf(text, n, "event %.*s", STR_ARG(a->event->type));
                break;
        case LIVE_OVER:
                snprintf(text, n, "over %s", over_name(a->code));
                break;
        }
}

static void wait_ms(struct room *r, int64_t ms)
{
        r->now_us += ms * 1000;
        live_machine_tick(&r->m);
}

static bool step_run(struct room *r, const struct step *s, char *did, size_t n)
{
        const char *verb = s->words[0];

        if (!strcmp(verb, ">")) {
                struct live_action a = live_machine_next(&r->m);

                action_say(&a, did, n);
                return !strcmp(did, s->rest);
        } else if (!strcmp(verb, "start")) {
                live_machine_deinit(&r->m);
                return live_machine_init(&r->m, &r->clock, longest, str_of(cursor_of(s->words[1]))) == 0;
        } else if (!strcmp(verb, "accepted")) {
                live_machine_accepted(&r->m);
        } else if (!strcmp(verb, "heard")) {
                live_machine_heard(&r->m);
        } else if (!strcmp(verb, "refused")) {
                live_machine_refused(&r->m, atoi(s->words[1]), atoll(s->words[2]));
        } else if (!strcmp(verb, "unreachable")) {
                live_machine_unreachable(&r->m, atoll(s->words[1]));
        } else if (!strcmp(verb, "closed")) {
                live_machine_closed(&r->m, atoi(s->words[1]));
        } else if (!strcmp(verb, "hello")) {
                say_hello(r, s);
        } else if (!strcmp(verb, "frame") || !strcmp(verb, "page")) {
                say_frame(r, s);
        } else if (!strcmp(verb, "say")) {
                hear(r, s->rest);
        } else if (!strcmp(verb, "wait")) {
                wait_ms(r, atoll(s->words[1]));
        } else if (!strcmp(verb, "pass")) {
                pass_ms(r, atoll(s->words[1]));
        } else if (!strcmp(verb, "cursor")) {
                snprintf(did, n, "%.*s", STR_ARG(buf_view(&r->m.cursor)));
                return at(r, cursor_of(s->words[1]));
        } else {
                snprintf(did, n, "there is no such step");
                return false;
        }
        return true;
}

static bool line_read(FILE *f, char *line)
{
        if (!fgets(line, LINE_MAX_BYTES, f))
                return false;
        assert_non_null(strchr(line, '\n'));
        line[strcspn(line, "\n")] = 0;
        return true;
}

static void runs_as_the_script_says(void **state)
{
        const struct story *story = *state;
        FILE *f = fopen(script_path, "r");
        char line[LINE_MAX_BYTES], did[LINE_MAX_BYTES * 2] = "";
        void *entered = NULL;
        struct step s;

        assert_non_null(f);
        assert_int_equal(fseek(f, story->at, SEEK_SET), 0);
        enter(&entered);
        for (long n = story->line; line_read(f, line) && strncmp(line, "story ", 6); n++) {
                if (!line[0])
                        continue;
                step_split(&s, line);
                if (!step_run(entered, &s, did, sizeof(did)))
                        fail_msg("%s:%ld: \"%s\", but: %s", script_path, n + 1, line, did);
        }
        leave(&entered);
        fclose(f);
}

int main(void)
{
        static struct story stories[STORIES_MAX];
        static struct CMUnitTest tests[STORIES_MAX];
        FILE *f = fopen(script_path, "r");
        char line[LINE_MAX_BYTES];
        size_t n = 0;

        if (!f) {
                perror(script_path);
                return EXIT_FAILURE;
        }
        for (long at = 0; line_read(f, line); at++) {
                if (strncmp(line, "story ", 6) || n == STORIES_MAX)
                        continue;
                stories[n] = (struct story){ .at = ftell(f), .line = at + 1 };
                snprintf(stories[n].name, sizeof(stories[n].name), "%s", line + 6);
                tests[n] = (struct CMUnitTest){ .name = stories[n].name, .test_func = runs_as_the_script_says, .initial_state = &stories[n] };
                n++;
        }
        fclose(f);
        return _cmocka_run_group_tests("live machine", tests, n, NULL, NULL);
}
