#include "init.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what, const char *path)
{
        fprintf(stderr, "assistctl: can't %s %s: %s\n", what, path, strerror(errno));
        return EXIT_FAILURE;
}

static int make_folder(const char *path, mode_t mode)
{
        if (mkdir(path, mode) && errno != EEXIST)
                return failed("make", path);
        return 0;
}

/* Services may write in folders of keys and state: what a link there names, and a file that has another name elsewhere, stays whose it is. */
static int give(const char *path, uid_t uid, gid_t gid)
{
        int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), r = -1;
        struct stat st;

        if (fd < 0)
                return -1;
        if (fstat(fd, &st))
                r = -1;
        else if (S_ISLNK(st.st_mode) || (!S_ISDIR(st.st_mode) && st.st_nlink > 1))
                errno = S_ISLNK(st.st_mode) ? ELOOP : EMLINK;
        else
                r = fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
        close(fd);
        return r;
}

int init_hand_over(const char *service, const char *path, bool callers)
{
        char name[64];
        const struct passwd *user;
        const struct group *group;
        gid_t gid;

        snprintf(name, sizeof(name), "assist-%s", service);
        user = geteuid() == 0 ? getpwnam(name) : NULL;
        if (!user)
                return 0;
        gid = user->pw_gid;
        snprintf(name, sizeof(name), "assist-%s-callers", strcmp(service, "mycelium-supervisor") == 0 ? "supervisor" : service);
        group = callers ? getgrnam(name) : NULL;
        if (group)
                gid = group->gr_gid;
        return give(path, user->pw_uid, gid) ? failed("hand over", path) : 0;
}

static int write_new(const char *path, const char *text, size_t n, mode_t mode)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

        if (fd < 0)
                return errno == EEXIST ? 0 : failed("make", path);
        if (write(fd, text, n) != (ssize_t)n || fsync(fd)) {
                close(fd);
                unlink(path);
                return failed("write", path);
        }
        close(fd);
        return 0;
}

/* A key of 32 bytes: made, or as it was made before. */
static int make_key(struct operator *o, const struct init_key *key, uint8_t bytes[32])
{
        const char *path = init_key_path(o, key);
        struct buf hex = { 0 };
        char text[66] = "";
        int fd, r;

        buf_hex(&hex, bytes, 32);
        buf_char(&hex, '\n');
        r = write_new(path, hex.p, hex.n, 0600);
        sodium_memzero(hex.p, hex.n);
        buf_deinit(&hex);
        if (r)
                return r;
        fd = file_open(AT_FDCWD, path);
        if (fd < 0) {
                errno = -fd;
                return failed("read", path);
        }
        r = read(fd, text, 65) < 64 || str_from_hex((struct str){ text, 64 }, bytes, 32);
        close(fd);
        if (r) {
                fprintf(stderr, "assistctl: %s is not 64 hexadecimal digits: restore it from a backup\n", path);
                return EXIT_FAILURE;
        }
        return init_hand_over(key->service, path, false);
}

static int folders(struct operator *o)
{
        static const char *const services[] = { "store", "identity", "fanout", "gateway", "courier", "mycelium-supervisor" };
        int r = 0;

        if (o->root) {
                static const char *const tops[] = { "", "/etc", "/run", "/state", "/keys" };

                for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]) && !r; i++)
                        r = make_folder(operator_path(o, "%s", tops[i]), 0755);
        } else {
                r = make_folder("/etc/assist", 0755);
                if (!r)
                        r = make_folder("/etc/assist/keys", 0755);
        }
        for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && !r; i++) {
                const char *keys = operator_path(o, o->root ? "/keys/%s" : "/etc/assist/keys/%s", services[i]);

                r = make_folder(keys, 0700);
                if (!r)
                        r = init_hand_over(services[i], keys, false);
                if (r || !o->root) /* elsewhere systemd makes the others */
                        continue;
                r = make_folder(operator_path(o, "/state/%s", services[i]), 0700);
                if (!r)
                        r = init_hand_over(services[i], operator_path(o, "/state/%s", services[i]), false);
                if (!r)
                        r = make_folder(operator_path(o, "/run/assist-%s", services[i]), 0750);
                if (!r)
                        r = init_hand_over(services[i], operator_path(o, "/run/assist-%s", services[i]), true);
        }
        return r;
}

const struct init_key init_keys[INIT_KEYS] = {
        { "store", "instance" }, { "identity", "project" }, /* of the one before */
        { "store", "caller" }, { "identity", "caller" }, { "fanout", "caller" }, /* who open a sealed caller */
        { "store", "cursor" }, { "fanout", "cursor" }, /* who write cursors */
        { "store", "link" },
};

const char *init_key_path(struct operator *o, const struct init_key *key)
{
        return operator_path(o, o->root ? "/keys/%s/%s" : "/etc/assist/keys/%s/%s", key->service, key->name);
}

static int keys(struct operator *o)
{
        uint8_t bytes[32], public_key[32], secret_key[64];
        int r = 0;

        for (size_t i = 0; i < INIT_KEYS && !r; i++) {
                if (strcmp(init_keys[i].name, "project") == 0) {
                        crypto_sign_seed_keypair(public_key, secret_key, bytes);
                        memcpy(bytes, public_key, sizeof(bytes));
                } else if (i == 0 || strcmp(init_keys[i].name, init_keys[i - 1].name) != 0) {
                        randombytes_buf(bytes, sizeof(bytes));
                }
                r = make_key(o, &init_keys[i], bytes); /* as it was made before, where it was: then the next one of its name is that, too */
        }
        sodium_memzero(bytes, sizeof(bytes));
        sodium_memzero(secret_key, sizeof(secret_key));
        return r;
}

int init_project(struct operator *o, bool development)
{
        const char *conf = operator_path(o, o->root ? "/etc/assist.conf" : "/etc/assist/assist.conf");
        struct settings settings = { 0 };
        struct buf text = { 0 };
        int r;

        if (sodium_init() < 0)
                return EXIT_FAILURE;
        r = folders(o);
        if (r)
                return r;
        settings = o->settings;
        settings.development = development || settings.development;
        if (development)
                settings.driver = OVERLAY_LOOPBACK;
        settings_print(&settings, &text);
        r = write_new(conf, text.p, text.n, 0644);
        buf_deinit(&text);
        return r ? r : keys(o);
}
