#include "mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_mail(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');

        return entry->d_name[0] != '.' && dot && strcmp(dot, ".eml") == 0;
}

/* Names are ULIDs, so they sort by age. */
static int newest_first(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*b)->d_name, (*a)->d_name);
}

static int spool(struct operator *o, struct dirent ***ret_entries)
{
        const char *folder = operator_state(o, "courier", "mail");
        int n = scandir(folder, ret_entries, is_mail, newest_first);

        if (n < 0 && errno != ENOENT)
                fprintf(stderr, "assistctl: %s: %s\n", folder, strerror(errno));
        return n < 0 ? 0 : n;
}

static void header(FILE *f, const char *name, char *value, size_t size)
{
        char line[1000];
        size_t n = strlen(name);

        rewind(f);
        snprintf(value, size, "-");
        while (fgets(line, sizeof(line), f) && line[0] != '\r' && line[0] != '\n')
                if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
                        line[strcspn(line, "\r\n")] = '\0';
                        snprintf(value, size, "%s", line + n + 1 + strspn(line + n + 1, " "));
                        return;
                }
}

int mailbox_list(struct operator *o)
{
        struct dirent **entries = NULL;
        int n = spool(o, &entries);

        printf("%-32s  %-40s  %s\n", "FILE", "TO", "SUBJECT");
        for (int i = 0; i < n; i++) {
                char path[600], to[256], subject[256];
                FILE *f;

                snprintf(path, sizeof(path), "%s/%s", operator_state(o, "courier", "mail"), entries[i]->d_name);
                f = fopen(path, "r");
                if (f) {
                        header(f, "To", to, sizeof(to));
                        header(f, "Subject", subject, sizeof(subject));
                        printf("%-32s  %-40s  %s\n", entries[i]->d_name, to, subject);
                        fclose(f);
                }
                free(entries[i]);
        }
        free(entries);
        return 0;
}

int mailbox_print(struct operator *o, const char *which)
{
        struct dirent **entries = NULL;
        int n = spool(o, &entries), status = EXIT_NOT_FOUND;
        char path[600], piece[4096];
        size_t got;

        for (int i = 0; i < n; i++) {
                if (status == EXIT_NOT_FOUND && (strcmp(which, "last") == 0 || strcmp(which, entries[i]->d_name) == 0)) {
                        FILE *f;

                        snprintf(path, sizeof(path), "%s/%s", operator_state(o, "courier", "mail"), entries[i]->d_name);
                        f = fopen(path, "r");
                        while (f && (got = fread(piece, 1, sizeof(piece), f)) > 0)
                                fwrite(piece, 1, got, stdout);
                        if (f)
                                fclose(f);
                        status = f ? 0 : EXIT_FAILURE;
                }
                free(entries[i]);
        }
        free(entries);
        if (status == EXIT_NOT_FOUND)
                fprintf(stderr, "assistctl: there is no mail \"%s\"; `assistctl mail list` has what there is\n", which);
        return status;
}
