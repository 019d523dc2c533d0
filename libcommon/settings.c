#include "settings.h"
#include "endpoint.h"
#include "log.h"
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum kind { BOOL, NUMBER, TEXT, CHOICE };

static const char *const level_names[] = { "error", "warning", "notice", "info", "debug", NULL };
static const int level_values[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
static const char *const driver_names[] = { "mycelium", "yggdrasil", "loopback", NULL };
static const int driver_values[] = { OVERLAY_MYCELIUM, OVERLAY_YGGDRASIL, OVERLAY_LOOPBACK };

struct key {
        const char *section, *name, *doc, *standard;  /* standard: what holds where no file says otherwise */
        enum kind kind;
        size_t offset;
        int64_t min, max;                /* of a number */
        const char *const *names;        /* of a choice, and what each stands for */
        const int *values;
        bool (*check)(struct str value);  /* of a text, and what would be right */
        const char *right;
};

/* ---- what a text must be ---- */

static bool is_endpoint(struct str value)
{
        struct sockaddr_storage address;
        socklen_t n;

        return endpoint_parse(value, &address, &n) == 0;
}

static bool is_local_port(struct str value)
{
        return !memmem(value.p, value.n, "://", 3) && is_endpoint(value);
}

static bool is_path(struct str value)
{
        return value.n > 1 && value.p[0] == '/';
}

static bool is_interface(struct str value)
{
        return value.n > 0 && value.n < IF_NAMESIZE && !memchr(value.p, '/', value.n) && !memchr(value.p, ' ', value.n) && value.p[0] != '-';
}

/* They become arguments of a program: none may look like a flag. */
static bool are_peers(struct str value)
{
        while (value.n) {
                struct str peer = str_trim(str_cut(&value, ' '));

                if (peer.n && (!memmem(peer.p, peer.n, "://", 3) || peer.p[0] < 'a' || peer.p[0] > 'z'))
                        return false;
        }
        return true;
}

/* "https://shop.example" or "http://192.0.2.1:8080": a browser takes no IPv6 address there. They become part of a header. */
static bool is_web_origin(struct str origin)
{
        struct str rest = origin, scheme = str_cut(&rest, ':'), host, port;
        uint64_t n;

        if ((!str_is(scheme, "http") && !str_is(scheme, "https")) || !str_starts(rest, "//"))
                return false;
        port = (struct str){ rest.p + 2, rest.n - 2 };
        host = str_cut(&port, ':');
        for (size_t i = 0; i < host.n; i++)
                if (!(host.p[i] >= 'a' && host.p[i] <= 'z') && !(host.p[i] >= '0' && host.p[i] <= '9') && host.p[i] != '.' && host.p[i] != '-')
                        return false;
        if (host.n == 0 || origin.p[origin.n - 1] == ':')
                return false;
        return !port.n || (!str_u64(port, &n) && n > 0 && n <= 65535);
}

static bool are_web_origins(struct str value)
{
        while (value.n) {
                struct str origin = str_trim(str_cut(&value, ' '));

                if (origin.n && !is_web_origin(origin))
                        return false;
        }
        return true;
}

#define AT(member) offsetof(struct settings, member)
static const struct key keys[] = {
        { "project", "development", "one uid for all, the loopback driver, no systemd; never in production", "no", BOOL,
          AT(development) },
        { "log", "level", "the least important thing that is logged: error, warning, notice, info or debug", "info", CHOICE,
          AT(log_level), .names = level_names, .values = level_values },
        { "overlay", "driver", "the network that devices are known by: mycelium, yggdrasil, or loopback (in development)", "mycelium",
          CHOICE, AT(driver), .names = driver_names, .values = driver_values },
        { "overlay", "loopback_address", "our own address with the loopback driver", "127.0.0.1", TEXT, AT(loopback_address) },
        { "overlay", "jsonrpc", "where mycelium's daemon answers JSON-RPC", "127.0.0.1:8990", TEXT, AT(overlay_jsonrpc),
          .check = is_local_port, .right = "an address of this machine and a port, like 127.0.0.1:8990" },
        { "overlay", "rest", "where it answers REST, which is asked where JSON-RPC is not answered", "127.0.0.1:8989", TEXT, AT(overlay_rest),
          .check = is_local_port, .right = "an address of this machine and a port, like 127.0.0.1:8989" },
        { "overlay", "admin", "yggdrasil's admin socket", "unix:///var/run/yggdrasil.sock", TEXT, AT(overlay_admin),
          .check = is_endpoint, .right = "a socket of this machine, like unix:///run/yggdrasil.sock or tcp://127.0.0.1:9001" },
        { "overlay", "start", "have a mycelium daemon started where none runs: assist-mycelium.service, or, without systemd, `program`", "yes",
          BOOL, AT(overlay_start) },
        { "overlay", "program", "the mycelium daemon, where we start it ourselves", "/usr/bin/mycelium", TEXT, AT(overlay_program),
          .check = is_path, .right = "an absolute path" },
        { "overlay", "tun_name", "what the interface of a daemon that we start is called", "mycelium", TEXT, AT(overlay_tun_name),
          .check = is_interface, .right = "a name of 1 to 15 characters, without spaces and slashes" },
        { "overlay", "peers", "the peers of a daemon that we start, like tcp://192.0.2.1:9651, separated by spaces", "", TEXT, AT(overlay_peers),
          .check = are_peers, .right = "a list of addresses like tcp://192.0.2.1:9651 or quic://[2001:db8::1]:9651, separated by spaces" },
        { "gateway", "port", "where the gateway listens", "7272", NUMBER, AT(port), 1, 65535 },
        { "gateway", "hosts", "names that requests may be addressed to beside our address, separated by spaces", "", TEXT, AT(hosts) },
        { "gateway", "embed_origins", "web origins that may embed the help page, separated by spaces", "", TEXT, AT(embed_origins),
          .check = are_web_origins, .right = "a list of origins like https://shop.example or http://192.0.2.1:8080, separated by spaces" },
        { "gateway", "device_rate", "requests that one device may make in a minute", "1200", NUMBER, AT(device_rate), 1, 1000000 },
        { "gateway", "user_rate", "requests that one user may make in a minute, on all devices", "2400", NUMBER, AT(user_rate), 1,
          1000000 },
        { "gateway", "admissions", "WebSockets that may begin in a second; the rest are told when to come back", "1000", NUMBER, AT(admissions), 1,
          1000000 },
        { "store", "blob_bytes_max", "the largest attachment, in bytes", "26214400", NUMBER, AT(blob_bytes_max), 1,
          INT64_C(1) << 32 },
        { "mail", "smtp_url", "the mail server: smtp://host:port or smtps://host:port; empty: mails are put in a folder", "", TEXT,
          AT(smtp_url) },
        { "mail", "smtp_user", "who we log in as there; the password is the credential smtp-password", "", TEXT, AT(smtp_user) },
        { "mail", "smtp_ca_file", "the certificates to trust; empty: the system's", "", TEXT, AT(smtp_ca_file) },
        { "mail", "smtp_starttls", "refuse to send over a connection that is not encrypted", "yes", BOOL, AT(smtp_starttls) },
        { "mail", "mail_from", "the sender of our mails", "Support <support@localhost>", TEXT, AT(mail_from) },
        { "metrics", "port", "where /metrics is to be had, on 127.0.0.1, without systemd; with it, assist-metrics.socket says so", "9472", NUMBER,
          AT(metrics_port), 1, 65535 },
};
enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

/* ---- values ---- */

static int set_bool(bool *at, const char *value)
{
        static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

        for (int i = 0; i < 4; i++) {
                if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
                        *at = strcasecmp(value, yes[i]) == 0;
                        return 0;
                }
        }
        return -EINVAL;
}

static int set_choice(const struct key *k, int *at, const char *value)
{
        for (int i = 0; k->names[i]; i++) {
                if (strcmp(value, k->names[i]) == 0) {
                        *at = k->values[i];
                        return 0;
                }
        }
        return -EINVAL;
}

static int set_number(const struct key *k, int64_t *at, const char *value)
{
        uint64_t n;

        if (str_u64(str_of(value), &n) || n > INT64_MAX || (int64_t)n < k->min || (int64_t)n > k->max)
                return -EINVAL;
        *at = (int64_t)n;
        return 0;
}

static int set_text(const struct key *k, struct arena *arena, struct str *at, const char *value)
{
        struct str s = str_of(value);

        if (str_utf8_length(s) < 0)
                return -EINVAL;
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
                        return -EINVAL;
        if (k->check && !k->check(s))
                return -EINVAL;
        *at = arena_str(arena, s);
        return 0;
}

static int set(const struct key *k, struct arena *arena, struct settings *s, const char *value)
{
        void *at = (char *)s + k->offset;

        switch (k->kind) {
        case BOOL:
                return set_bool(at, value);
        case NUMBER:
                return set_number(k, at, value);
        case TEXT:
                return set_text(k, arena, at, value);
        case CHOICE:
                return set_choice(k, at, value);
        }
        return -EINVAL;
}

static void say_what_would_be_right(const struct key *k, char *reason, size_t size)
{
        int n;

        switch (k->kind) {
        case BOOL:
                snprintf(reason, size, "it is yes or no");
                break;
        case NUMBER:
                snprintf(reason, size, "it is a number from %lld to %lld", (long long)k->min, (long long)k->max);
                break;
        case TEXT:
                snprintf(reason, size, "it is %s", k->right ? k->right : "one line of UTF-8 text");
                break;
        case CHOICE:
                n = snprintf(reason, size, "it is one of");
                for (int i = 0; k->names[i]; i++)
                        n += snprintf(reason + n, size - (size_t)n, "%s %s", i ? "," : "", k->names[i]);
                break;
        }
}

/* ---- names ---- */

/* Edits between two words (Levenshtein 1966), for words of up to 63 characters. */
static int distance(const char *a, const char *b)
{
        int row[64], la = (int)strlen(a), lb = (int)strlen(b);

        if (la > 63 || lb > 63)
                return 64;
        for (int j = 0; j <= lb; j++)
                row[j] = j;
        for (int i = 1; i <= la; i++) {
                int corner = row[0];

                row[0] = i;
                for (int j = 1; j <= lb; j++) {
                        int best = corner + (a[i - 1] != b[j - 1]);

                        corner = row[j];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        row[j] = best;
                }
        }
        return row[lb];
}

static const struct key *key_find(const char *section, const char *name)
{
        for (int i = 0; i < N_KEYS; i++)
                if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

static const struct key *nearest(const char *section, const char *name)
{
        const struct key *best = NULL;
        int best_distance = 1000;

        for (int i = 0; i < N_KEYS; i++) {
                int d = 2 * distance(name, keys[i].name) + distance(section, keys[i].section);

                if (d < best_distance) {
                        best_distance = d;
                        best = &keys[i];
                }
        }
        return best;
}

/* ---- files ---- */

struct reading {
        FILE *file;
        int line;
        struct arena *arena;
        struct settings *settings;
        struct settings_error *error;
        bool failed;
};

static void fail(struct reading *r, const char *section, const char *name, const char *reason)
{
        if (r->failed)
                return;         /* the first one is told */
        r->failed = true;
        r->error->line = r->line;
        snprintf(r->error->key, sizeof(r->error->key), "%s%s%s", section, *section && *name ? "." : "", name);
        snprintf(r->error->reason, sizeof(r->error->reason), "%s", reason);
}

/* inih takes an indented line for more of the value before it, and the rest of a long line for a line of its own. We want neither. */
static char *read_line(char *line, int size, void *data)
{
        struct reading *r = data;
        size_t blank;

        if (!fgets(line, size, r->file))
                return NULL;
        r->line++;
        if (!strchr(line, '\n') && !feof(r->file)) {
                fail(r, "", "", "the line is too long");
                return NULL;
        }
        blank = strspn(line, " \t");
        memmove(line, line + blank, strlen(line + blank) + 1);
        return line;
}

static int on_value(void *data, const char *section, const char *name, const char *value)
{
        struct reading *r = data;
        const struct key *k = key_find(section, name);
        char reason[sizeof(r->error->reason)];

        if (!k) {
                k = nearest(section, name);
                snprintf(reason, sizeof(reason), *section ? "there is no such key; the nearest is %s in [%s]"
                                                          : "it stands before any section; the nearest is %s in [%s]",
                         k->name, k->section);
                fail(r, section, name, reason);
                return 0;
        }
        if (set(k, r->arena, r->settings, value)) {
                say_what_would_be_right(k, reason, sizeof(reason));
                fail(r, section, name, reason);
                return 0;
        }
        return 1;
}

static int read_file(const char *path, struct arena *arena, struct settings *s, struct settings_error *error)
{
        struct reading r = { .arena = arena, .settings = s, .error = error };
        int line;

        *error = (struct settings_error){ 0 };
        snprintf(error->file, sizeof(error->file), "%s", path);
        r.file = fopen(path, "re");
        if (!r.file && errno == ENOENT)
                return 0;
        if (!r.file) {
                snprintf(error->reason, sizeof(error->reason), "it can't be read: %s", strerror(errno));
                return -EINVAL;
        }
        line = ini_parse_stream(read_line, &r, on_value, &r);
        fclose(r.file);
        if (line > 0 && (!r.failed || line < error->line)) {
                error->line = line;
                error->key[0] = 0;
                snprintf(error->reason, sizeof(error->reason), "a line is [section], key = value, or begins with # or ;");
                r.failed = true;
        }
        return r.failed ? -EINVAL : 0;
}

static int is_conf(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name);

        return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int read_folder(const char *path, struct arena *arena, struct settings *s, struct settings_error *error)
{
        struct dirent **names;
        int n = scandir(path, &names, is_conf, alphasort), r = 0;

        if (n < 0 && errno != ENOENT) {
                *error = (struct settings_error){ 0 };
                snprintf(error->file, sizeof(error->file), "%s", path);
                snprintf(error->reason, sizeof(error->reason), "it can't be read: %s", strerror(errno));
                return -EINVAL;
        }
        for (int i = 0; i < n; i++) {
                struct str file = arena_format(arena, "%s/%s", path, names[i]->d_name);

                if (!r)
                        r = read_file(file.p, arena, s, error);
                free(names[i]);
        }
        if (n >= 0)
                free(names);
        return r;
}

int settings_load(const char *dir, struct arena *arena, struct settings *ret, struct settings_error *error)
{
        struct settings s = { 0 };
        int r;

        for (int i = 0; i < N_KEYS; i++)
                set(&keys[i], arena, &s, keys[i].standard);
        r = read_file(arena_format(arena, "%s/assist.conf", dir).p, arena, &s, error);
        if (!r)
                r = read_folder(arena_format(arena, "%s/assist.conf.d", dir).p, arena, &s, error);
        if (!r)
                *ret = s;
        return r;
}

/* ---- printing ---- */

static void print_value(const struct key *k, const struct settings *s, struct buf *out)
{
        const void *at = (const char *)s + k->offset;

        switch (k->kind) {
        case BOOL:
                buf_text(out, *(const bool *)at ? "yes" : "no");
                break;
        case NUMBER:
                buf_format(out, "%lld", (long long)*(const int64_t *)at);
                break;
        case TEXT:
                buf_str(out, *(const struct str *)at);
                break;
        case CHOICE:
                for (int i = 0; k->names[i]; i++)
                        if (k->values[i] == *(const int *)at)
                                buf_text(out, k->names[i]);
                break;
        }
}

void settings_print(const struct settings *settings, struct buf *out)
{
        const char *section = "";

        for (int i = 0; i < N_KEYS; i++) {
                const struct key *k = &keys[i];

                if (strcmp(section, k->section) != 0)
                        buf_format(out, "%s[%s]\n", *section ? "\n" : "", k->section);
                section = k->section;
                buf_format(out, "# %s\n%s = ", k->doc, k->name);
                if (settings)
                        print_value(k, settings, out);
                else
                        buf_text(out, k->standard);
                buf_char(out, '\n');
        }
}
