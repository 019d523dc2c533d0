#include "cli.h"

#include "clock.h"
#include "schema/person.h"
#include "schema/ticket.h"
#include "show.h"
#include "terminal.h"
#include "when.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int cli_failed(struct cli *cli, const struct assist_error *error)
{
        int status = exit_status(error->code);

        if (error->code == FAULT_UNAUTHENTICATED)
                fprintf(stderr, "assist: this device is not bound at %s; bind it: assist enroll YOUR@EMAIL\n", cli->project);
        else if (error->code == FAULT_FORBIDDEN)
                fprintf(stderr, "assist: you may not do that: %s\n", error->message);
        else if (error->code == FAULT_INVALID_PARAMS)
                fprintf(stderr, "assist: %s%s\n", error->field[0] ? "--" : "", error->message);
        else if (status == EXIT_NOT_FOUND)
                fprintf(stderr, "assist: there is no such thing, or it is not yours to see\n");
        else if (status == EXIT_AWAY)
                fprintf(stderr, "assist: %s; try again in a while\n", error->message);
        else if (status == EXIT_FAILURE && error->request[0])
                fprintf(stderr, "assist: %s; the operator can look up request %s\n", error->message, error->request);
        else
                fprintf(stderr, "assist: %s\n", error->message);
        if (error->newer.n)
                fprintf(stderr, "assist: what is newer: %.*s\n", STR_ARG(error->newer));
        return status;
}

void cli_waiting(void *data)
{
        const struct cli *cli = data;

        fprintf(stderr, "assist: %s does not answer; trying again for %d s\n", cli->project,
                (ASSIST_PATIENCE_MS - ASSIST_SILENCE_MS) / 1000);
}

int cli_usage(const char *format, ...)
{
        va_list args;

        fputs("assist: ", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        return EXIT_USAGE;
}

int cli_call(struct cli *cli, const struct schema_method *method, void *params, void *result)
{
        struct assist_error error;
        int r = assist_call(cli->a, method, params, &cli->arena, result, &error);

        return r ? cli_failed(cli, &error) : 0;
}

void cli_print(struct cli *cli, const struct schema_struct *type, const void *result)
{
        struct buf out = { 0 };

        if (cli->json) {
                json_write(type, result, &out);
                buf_char(&out, '\n');
        } else {
                show_result(type, result, terminal_width(), &out);
        }
        fwrite(out.p, 1, out.n, stdout);
        buf_deinit(&out);
}

int cli_ticket_get(struct cli *cli, const char *text, struct ticket_get_result *ret)
{
        struct ticket_get params = { 0 };
        uint64_t number;

        if (ulid_parse(str_of(text), &params.ticket) == 0) {
                params.has_ticket = true;
        } else if (!str_u64(str_of(text[0] == '#' ? text + 1 : text), &number) && number && number <= INT64_MAX / 2) {
                params.has_number = true;
                params.number = (int64_t)number;
        } else {
                return cli_usage("\"%s\" is no ticket; write its number (42 or #42) or its id", text);
        }
        return cli_call(cli, &schema_method_ticket_get, &params, ret);
}

int cli_ticket(struct cli *cli, const char *text, struct ulid *ret)
{
        struct ticket_get_result got;
        int r;

        if (ulid_parse(str_of(text), ret) == 0)
                return 0;
        r = cli_ticket_get(cli, text, &got);
        if (!r)
                *ret = got.ticket.id;
        return r;
}

static void people_fetch(struct cli *cli)
{
        struct person_list params = { .limit = 200 };
        struct person_list_result page;
        struct assist_error error;

        cli->people_fetched = true;
        do {
                struct person *more;

                if (assist_call(cli->a, &schema_method_person_list, &params, &cli->people_arena, &page, &error))
                        return; /* ids will have to do */
                more = arena_array(&cli->people_arena, cli->n_people + page.items.n, sizeof(*more));
                if (cli->n_people)
                        memcpy(more, cli->people, cli->n_people * sizeof(*more));
                if (page.items.n)
                        memcpy(more + cli->n_people, page.items.items, page.items.n * sizeof(*more));
                cli->people = more;
                cli->n_people += page.items.n;
                params.has_after = page.has_next;
                params.after = page.next;
        } while (page.has_next);
}

static int me_find(struct cli *cli, struct ulid *ret, struct flags_error *error)
{
        struct assist_identity me;
        struct assist_error why;

        if (assist_identify(cli->a, &me, &why) || !me.bound) {
                snprintf(error->text, sizeof(error->text), "who is \"me\"? bind this device: assist enroll YOUR@EMAIL");
                return -EINVAL;
        }
        *ret = me.user;
        return 0;
}

int cli_person(struct cli *cli, struct str name, struct ulid *ret, struct flags_error *error)
{
        size_t n = 0;

        if (str_is(name, "me"))
                return me_find(cli, ret, error);
        if (!cli->people_fetched)
                people_fetch(cli);
        for (size_t i = 0; i < cli->n_people; i++) {
                if (cli->people[i].name.n != name.n || strncasecmp(cli->people[i].name.p, name.p, name.n) != 0)
                        continue;
                *ret = cli->people[i].id;
                n++;
        }
        if (n == 1)
                return 0;
        snprintf(error->text, sizeof(error->text), n ? "\"%.*s\" is the name of several: write an id (assist call person.list)"
                                                     : "\"%.*s\" is nobody's name here; assist call person.list has those who are", STR_ARG(name));
        return -EINVAL;
}

struct str cli_name(struct cli *cli, struct ulid person)
{
        char id[ULID_TEXT + 1];

        if (ulid_is_zero(person))
                return STR("the desk");
        if (!cli->people_fetched)
                people_fetch(cli);
        for (size_t i = 0; i < cli->n_people; i++)
                if (ulid_eq(cli->people[i].id, person) && cli->people[i].name.n)
                        return cli->people[i].name;
        ulid_text(person, id);
        return arena_format(&cli->arena, "…%s", id + ULID_TEXT - 6);
}

void cli_names_changed(struct cli *cli)
{
        cli->people_fetched = false;
        cli->n_people = 0;
        arena_reset(&cli->people_arena);
}

struct str cli_time(struct cli *cli, int64_t at_ms)
{
        int64_t age = clock_now_ms(&clock_system) - at_ms;
        time_t seconds = (time_t)(at_ms / 1000);
        char text[32];
        struct tm tm;

        if (age >= 0 && age < 60000)
                return STR("just now");
        if (age >= 0 && age < 3600000)
                return arena_format(&cli->arena, "%d min ago", (int)(age / 60000));
        localtime_r(&seconds, &tm);
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
        return arena_str(&cli->arena, str_of(text));
}

int cli_when(const char *text, bool gone, int64_t *ret_ms)
{
        if (!when_parse(str_of(text), clock_now_ms(&clock_system), gone ? WHEN_GONE : WHEN_TO_COME, ret_ms))
                return 0;
        return cli_usage("\"%s\" is no time; write " WHEN_EXAMPLES, text);
}

static int read_all(struct cli *cli, FILE *f, struct str *ret)
{
        struct buf all = { 0 };
        size_t n;

        while ((n = fread(buf_reserve(&all, 65536), 1, 65536, f)) > 0)
                all.n += n;
        *ret = str_trim(arena_str(&cli->arena, buf_view(&all)));
        buf_deinit(&all);
        return ferror(f) ? EXIT_FAILURE : 0;
}

static int edit(struct cli *cli, const char *editor, struct str begun, const char *about, struct str *ret)
{
        char path[] = "/tmp/assist-XXXXXX.md";
        int fd = mkstemps(path, 3), status = 0, r;
        FILE *f;
        pid_t pid;

        if (fd < 0)
                return cli_usage("no file to write in: %s", strerror(errno));
        dprintf(fd, "%.*s\n\n<!-- %s. What stands in this remark is not sent. -->\n", STR_ARG(begun), about);
        close(fd);
        pid = fork();
        if (pid == 0) {
                execlp("/bin/sh", "sh", "-c", "exec $0 \"$1\"", editor, path, (char *)NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
                unlink(path);
                return cli_usage("the editor (%s) failed; set EDITOR, or give the text", editor);
        }
        f = fopen(path, "r");
        r = f ? read_all(cli, f, ret) : EXIT_FAILURE;
        if (f)
                fclose(f);
        unlink(path);
        if (!r && ret->p) {
                const char *remark = memmem(ret->p, ret->n, "<!--", 4);

                if (remark)
                        *ret = str_trim((struct str){ ret->p, (size_t)(remark - ret->p) });
        }
        return r;
}

int cli_text(struct cli *cli, const char *given, struct str begun, const char *about, struct str *ret)
{
        const char *editor = getenv("EDITOR");
        int r = 0;

        if (given && strcmp(given, "-") != 0)
                *ret = str_of(given);
        else if (given || !isatty(STDIN_FILENO))
                r = read_all(cli, stdin, ret);
        else if (editor && *editor)
                r = edit(cli, editor, begun, about, ret);
        else
                return cli_usage("the text is missing; give it, or pipe it in, or set EDITOR");
        if (!r && !ret->n)
                return cli_usage("the text is empty: nothing was sent");
        return r;
}

const char *cli_take(int *argc, char **argv, const char *flag)
{
        size_t n = strlen(flag);

        for (int i = 0; i < *argc && argv[i]; i++) {
                const char *value = NULL;
                int used = 0;

                if (strcmp(argv[i], flag) == 0 && i + 1 < *argc) {
                        value = argv[i + 1];
                        used = 2;
                } else if (strncmp(argv[i], flag, n) == 0 && argv[i][n] == '=') {
                        value = argv[i] + n + 1;
                        used = 1;
                }
                if (!value)
                        continue;
                memmove(argv + i, argv + i + used, (size_t)(*argc - i - used) * sizeof(*argv));
                *argc -= used;
                return value;
        }
        return NULL;
}

bool cli_take_flag(int *argc, char **argv, const char *flag)
{
        for (int i = 0; i < *argc; i++) {
                if (strcmp(argv[i], flag) != 0)
                        continue;
                memmove(argv + i, argv + i + 1, (size_t)(*argc - i - 1) * sizeof(*argv));
                --*argc;
                return true;
        }
        return false;
}

static bool on_terminal;

static void on_interrupt(int signal)
{
        static const char erase[] = "\r\033[K";

        (void)signal;
        if (on_terminal && write(STDOUT_FILENO, erase, sizeof(erase) - 1) < 0)
                _exit(EXIT_FAILURE);
        _exit(EXIT_SUCCESS);
}

void cli_until_interrupted(void)
{
        on_terminal = isatty(STDOUT_FILENO);
        signal(SIGINT, on_interrupt);
        signal(SIGTERM, on_interrupt);
}
