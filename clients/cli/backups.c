/* The backups that lie in a folder. */
#include "backup.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAMAGED ".damaged"
enum { ABOUT_BYTES_MAX = 1024 * 1024, NAME_BYTES = 24 };

const char *backup_path(struct operator *o, const char *folder, const char *name)
{
        return arena_format(&o->arena, "%s/%s", folder, name).p;
}

int backup_read(struct operator *o, const char *folder, struct backup *ret)
{
        int fd = file_open(AT_FDCWD, backup_path(o, folder, "backup.json"));
        struct codec_error error;
        struct stat st;
        char *text;
        ssize_t n;

        if (fd < 0)
                return fd == -ENOTDIR ? -ENOENT : fd;
        n = fstat(fd, &st) || st.st_size > ABOUT_BYTES_MAX ? -1 : st.st_size;
        text = arena_alloc(&o->arena, (size_t)(n < 0 ? 1 : n + 1));
        if (n >= 0)
                n = read(fd, text, (size_t)n);
        close(fd);
        if (n < 0)
                return -EBADMSG;
        return json_read(&schema_type_backup, (struct str){ text, (size_t)n }, &o->arena, ret, &error) ? -EBADMSG : 0;
}

/* "2026-11-22T01-24-57.123Z": they sort by age. */
static bool is_time(const char *name)
{
        static const char form[] = "dddd-dd-ddTdd-dd-dd.dddZ";

        for (int i = 0; i < NAME_BYTES; i++)
                if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
                        return false;
        return true;
}

static int is_name(const struct dirent *entry)
{
        return is_time(entry->d_name) && !entry->d_name[NAME_BYTES];
}

static int is_damaged(const struct dirent *entry)
{
        return is_time(entry->d_name) && strcmp(entry->d_name + NAME_BYTES, DAMAGED) == 0;
}

const char *backups_name(struct operator *o, int64_t at, bool sound)
{
        time_t seconds = (time_t)(at / 1000);
        char text[NAME_BYTES + 1];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(text, sizeof(text), "%Y-%m-%dT%H-%M-%S", &tm);
        return arena_format(&o->arena, "%s.%03dZ%s", text, (int)(at % 1000), sound ? "" : DAMAGED).p;
}

const char *backups_usual(struct operator *o)
{
        return operator_path(o, "%s", o->root ? "/backups" : "/var/backups/assist");
}

/* Names, the oldest first, in the operator's arena. */
static int names(struct operator *o, const char *into, int (*wanted)(const struct dirent *entry), struct str **ret, size_t *ret_n)
{
        struct dirent **entries = NULL;
        int n = scandir(into, &entries, wanted, alphasort);

        if (n < 0 && errno != ENOENT)
                return backup_failed("read", into, -errno);
        *ret_n = n < 0 ? 0 : (size_t)n;
        *ret = arena_array(&o->arena, *ret_n + 1, sizeof(**ret));
        for (size_t i = 0; i < *ret_n; i++) {
                (*ret)[i] = arena_str(&o->arena, str_of(entries[i]->d_name));
                free(entries[i]);
        }
        free(entries);
        return 0;
}

int backups_list(struct operator *o, const char *into, struct backup_list *ret)
{
        struct str *found = NULL;
        size_t n = 0;
        int r = names(o, into, is_name, &found, &n), e;

        *ret = (struct backup_list){ 0 };
        if (!r)
                r = names(o, into, is_damaged, &ret->damaged.items, &ret->damaged.n);
        if (r)
                return r;
        ret->items.items = arena_array(&o->arena, n + 1, sizeof(*ret->items.items));
        for (size_t i = 0; i < n; i++) {
                struct backup *one = &ret->items.items[ret->items.n];

                e = backup_read(o, backup_path(o, into, found[i].p), one);
                if (!e) {
                        one->name = found[i];
                        ret->items.n++;
                } else if (e != -ENOENT) {
                        backup_failed("read", backup_path(o, into, found[i].p), e);
                }
        }
        return 0;
}

static int remove_one(struct operator *o, const char *into, const char *name)
{
        const char *path = backup_path(o, into, name);
        int r = file_remove(path);

        return r ? backup_failed("remove", path, r) : 0;
}

int backups_forget(struct operator *o, const char *into, uint64_t keep, const char *own)
{
        struct backup_list found;
        uint64_t others = 0;
        int r = backups_list(o, into, &found);

        for (size_t i = found.items.n; i-- > 0 && !r;)
                if (strcmp(found.items.items[i].name.p, own) != 0 && ++others >= keep)
                        r = remove_one(o, into, found.items.items[i].name.p);
        return r;
}

int backups_forget_damaged(struct operator *o, const char *into, const char *own)
{
        struct str *found = NULL;
        size_t n = 0;
        int r = names(o, into, is_damaged, &found, &n);

        for (size_t i = 0; !r && i < n; i++)
                if (strcmp(found[i].p, own) != 0)
                        r = remove_one(o, into, found[i].p);
        return r;
}

int run_backup_list(struct operator *o, int argc, char **argv)
{
        const char *into = argc ? argv[argc - 1] : backups_usual(o);
        struct backup_list found;
        int r;

        if (argc && (argc != 2 || strcmp(argv[0], "--in") != 0 || !*into)) {
                fprintf(stderr, "assistctl: backup list [--in DIR]\n");
                return EXIT_USAGE;
        }
        r = backups_list(o, into, &found);
        if (r)
                return r;
        if (o->json || found.items.n)
                operator_print(o, &schema_type_backup_list, &found);
        else
                printf("There is no backup in %s.\n", into);
        for (size_t i = 0; i < found.damaged.n && !o->json; i++)
                printf("Not whole: %s\n", backup_path(o, into, found.damaged.items[i].p));
        return 0;
}
