/* What the commands of `assist` share. */
#pragma once
#include "clients/lib/assist.h"
#include "exit_status.h"
#include "flags.h"

struct person;
struct ticket_get_result;

struct cli {
        struct assist *a;
        bool json;
        const char *project;
        struct arena arena;
        struct arena people_arena; /* of what follows, which outlives what one event needed */
        struct person *people;     /* those whom the caller may know; fetched when a name is first needed */
        size_t n_people;
        bool people_fetched;
        const struct schema_method *method; /* whose flags the command takes */
};

/* Says what went wrong, in a line that says what to do; the exit status for it. */
int cli_failed(struct cli *cli, const struct assist_error *error);
void cli_waiting(void *cli);  /* says that the desk is being waited for: a struct assist_options' waiting */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Calls; 0 or an exit status, having said why. */
int cli_call(struct cli *cli, const struct schema_method *method, void *params, void *result);
void cli_print(struct cli *cli, const struct schema_struct *type, const void *result);

/* flags_read, where names stand for ids: people's, those of what the project defines, tickets' numbers. 0, or an exit status, having said why. */
int cli_flags(struct cli *cli, const struct schema_struct *type, int argc, char **argv, const char *const *positional, void *ret);

/* "#42", "42" or a ULID. */
int cli_ticket_get(struct cli *cli, const char *text, struct ticket_get_result *ret);
int cli_ticket(struct cli *cli, const char *text, struct ulid *ret);
/* Somebody by their name, whatever the case, or "me": 0, or -EINVAL and *error. */
int cli_person(struct cli *cli, struct str name, struct ulid *ret, struct flags_error *error);
/* A person's name, or the end of their id. */
struct str cli_name(struct cli *cli, struct ulid person);
void cli_names_changed(struct cli *cli); /* they are fetched again when one is needed */
/* "3 min ago", "2026-11-21 04:05". */
struct str cli_time(struct cli *cli, int64_t at_ms);
/* "tomorrow 9:00" to ms: 0 or an exit status, having said how times are written. gone: it may be over. */
int cli_when(const char *text, bool gone, int64_t *ret_ms);
/* The text to write: given, or "-" for standard input, or nothing given: $EDITOR on a terminal, else standard input. begun: what the editor
 * begins with, or empty. */
int cli_text(struct cli *cli, const char *given, struct str begun, const char *about, struct str *ret);

/* Takes a flag with a value out of the arguments; the value or NULL. */
const char *cli_take(int *argc, char **argv, const char *flag);
/* Takes a flag without one. */
bool cli_take_flag(int *argc, char **argv, const char *flag);

/* Ctrl-C is how what goes on for ever is ended, and ends well. */
void cli_until_interrupted(void);

/* The commands; each gets the arguments behind its own words. */
int run_enroll(struct cli *cli, int argc, char **argv);
int run_whoami(struct cli *cli, int argc, char **argv);
int run_ticket_new(struct cli *cli, int argc, char **argv);
int run_ticket_list(struct cli *cli, int argc, char **argv);
int run_ticket_show(struct cli *cli, int argc, char **argv);
int run_ticket_reply(struct cli *cli, int argc, char **argv);
int run_ticket_note(struct cli *cli, int argc, char **argv);
int run_ticket_close(struct cli *cli, int argc, char **argv);
int run_ticket_history(struct cli *cli, int argc, char **argv);
int run_ticket_set(struct cli *cli, int argc, char **argv);
int run_snooze(struct cli *cli, int argc, char **argv);
int run_snooze_end(struct cli *cli, int argc, char **argv);
int run_snooze_list(struct cli *cli, int argc, char **argv);
int run_ticket_link(struct cli *cli, int argc, char **argv);
int run_ticket_unlink(struct cli *cli, int argc, char **argv);
int run_view_list(struct cli *cli, int argc, char **argv);
int run_next(struct cli *cli, int argc, char **argv);
int run_mentions(struct cli *cli, int argc, char **argv);
int run_ticket_edit(struct cli *cli, int argc, char **argv);
int run_ticket_merge(struct cli *cli, int argc, char **argv);
int run_ticket_split(struct cli *cli, int argc, char **argv);
int run_macro_run(struct cli *cli, int argc, char **argv);
int run_bulk(struct cli *cli, int argc, char **argv);
int run_undo(struct cli *cli, int argc, char **argv);
int run_search(struct cli *cli, int argc, char **argv);
int run_attach(struct cli *cli, int argc, char **argv);
int run_attachment_get(struct cli *cli, int argc, char **argv);
int run_watch(struct cli *cli, int argc, char **argv);
