/* `--field value` by descriptors: a command line becomes a method's parameters, checked as those of any other caller.
 *
 * --add-tags is add_tags; a list's flag is repeated; a bool's may stand alone; `--assignee none` is null where that means something;
 * `--body -` reads standard input. */
#pragma once
#include "codec.h"

struct flags_error {
        char text[300];     /* what is wrong, and what would be right */
};

/* What stands for an id in a flag's value: 0 and the id, or -EINVAL and *error. It is asked for what is none itself. */
struct flags_names {
        int (*find)(void *data, const struct schema_field *f, struct str value, struct ulid *ret, struct flags_error *error);
        void *data;
};

/* Takes argv[0..argc) whole: 0 and *ret filled, or -EINVAL. positional: names of fields that plain arguments fill in order, NULL at the
 * end; the last one, where it is a list, takes all that are left. Texts lie in the arena. names: NULL where only ids will do. */
int flags_read(const struct schema_struct *type, int argc, char **argv, const char *const *positional, const struct flags_names *names,
               struct arena *arena, void *ret, struct flags_error *error);

/* "  --subject TEXT    1 to 200 characters ..." a line each, for --help. */
void flags_help(const struct schema_struct *type, struct buf *out);

/* How many of the arguments are these words ("ticket new"); 0: it is another command. */
int flags_words(const char *words, int argc, char **argv);
