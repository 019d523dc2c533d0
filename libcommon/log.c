#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, FIELD_MAX_BYTES = 320, FIELDS_MAX = 12 };

static char identifier[64] = "assist";
static const char *service_name = "assist";
static enum log_level level_shown = LOG_LEVEL_INFO;
static bool native;
static _Thread_local const struct log_context *thread_context;

/* systemd names the journal's end of our stderr; where stderr was redirected since, it does not match and we write lines. */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *service, enum log_level level)
{
        snprintf(identifier, sizeof(identifier), "assist-%s", service);
        service_name = identifier + strlen("assist-");
        level_shown = level;
        native = stderr_is_journal();
}

void log_level(enum log_level level)
{
        __atomic_store_n(&level_shown, level, __ATOMIC_RELAXED);
}

bool log_enabled(enum log_level level)
{
        return level <= __atomic_load_n(&level_shown, __ATOMIC_RELAXED);
}

void log_context(const struct log_context *context)
{
        thread_context = context;
}

/* Text in a room of fixed size; what does not fit is cut. A request that changes something writes a line: so no printf. */
struct text {
        char *p;
        size_t n, room;
};

static void put(struct text *t, struct str s)
{
        size_t n = s.n < t->room - t->n ? s.n : t->room - t->n;

        memcpy(t->p + t->n, s.p, n);
        t->n += n;
}

/* With zeros before it, where it has fewer digits. */
static void put_number(struct text *t, uint64_t v, size_t digits)
{
        char number[20];
        size_t at = sizeof(number);

        do {
                number[--at] = (char)('0' + v % 10);
                v /= 10;
        } while (v || sizeof(number) - at < digits);
        put(t, (struct str){ number + at, sizeof(number) - at });
}

/* A record's fields, by their names in the journal; in a line, where they have one, by a word. */
struct record {
        struct field {
                struct str name, word, value;
        } fields[FIELDS_MAX];
        size_t n;
        char user[ULID_TEXT + 1], ticket[ULID_TEXT + 1], duration[20];
};

static void add(struct record *r, struct str name, struct str word, struct str value)
{
        if (value.n)
                r->fields[r->n++] = (struct field){ name, word, value };
}

static void add_id(struct record *r, struct str name, struct str word, struct ulid id, char text[ULID_TEXT + 1])
{
        if (ulid_is_zero(id))
                return;
        ulid_text(id, text);
        add(r, name, word, (struct str){ text, ULID_TEXT });
}

static void add_context(struct record *r, const struct log_context *c)
{
        struct text duration = { .p = r->duration, .room = sizeof(r->duration) };

        add(r, STR("ASSIST_REQUEST="), STR(" request="), c->request);
        add(r, STR("ASSIST_CLIENT_REQUEST="), STR(" client_request="), c->client_request);
        add(r, STR("ASSIST_METHOD="), STR(""), c->method);        /* a line's message begins with it */
        add_id(r, STR("ASSIST_USER="), STR(" user="), c->user, r->user);
        add_id(r, STR("ASSIST_TICKET="), STR(" ticket="), c->ticket, r->ticket);
        if (c->duration_us > 0)
                put_number(&duration, (uint64_t)c->duration_us, 1);
        add(r, STR("ASSIST_DURATION_US="), STR(" us="), (struct str){ duration.p, duration.n });
}

static bool journal_send(enum log_level level, const char *message_id, struct str message, struct record *r)
{
        char bytes[LINE_MAX_BYTES + FIELDS_MAX * FIELD_MAX_BYTES], priority[1] = { (char)('0' + level) };
        struct text t = { .p = bytes };
        struct iovec parts[FIELDS_MAX + 1];

        add(r, STR("PRIORITY="), STR(""), (struct str){ priority, 1 });
        add(r, STR("SYSLOG_IDENTIFIER="), STR(""), str_of(identifier));
        add(r, STR("MESSAGE_ID="), STR(""), str_of(message_id));
        t.room = LINE_MAX_BYTES;
        put(&t, STR("MESSAGE="));
        put(&t, message);
        parts[0] = (struct iovec){ bytes, t.n };
        for (size_t i = 0; i < r->n; i++) {
                char *start = bytes + t.n;

                t.room = t.n + FIELD_MAX_BYTES;
                put(&t, r->fields[i].name);
                put(&t, r->fields[i].value);
                parts[i + 1] = (struct iovec){ start, (size_t)(bytes + t.n - start) };
        }
        return sd_journal_sendv(parts, (int)r->n + 1) == 0;
}

/* "2026-01-31T12:34:56.789Z"; a second's own part is made once. */
static void put_time(struct text *t)
{
        static _Thread_local struct {
                time_t second;
                char text[19];
        } last;
        struct timespec now;
        struct tm tm;

        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec != last.second) {
                struct text second = { .p = last.text, .room = sizeof(last.text) };

                gmtime_r(&now.tv_sec, &tm);
                put_number(&second, (uint64_t)tm.tm_year + 1900, 4);
                put(&second, STR("-"));
                put_number(&second, (uint64_t)tm.tm_mon + 1, 2);
                put(&second, STR("-"));
                put_number(&second, (uint64_t)tm.tm_mday, 2);
                put(&second, STR("T"));
                put_number(&second, (uint64_t)tm.tm_hour, 2);
                put(&second, STR(":"));
                put_number(&second, (uint64_t)tm.tm_min, 2);
                put(&second, STR(":"));
                put_number(&second, (uint64_t)tm.tm_sec, 2);
                last.second = now.tv_sec;
        }
        put(t, (struct str){ last.text, sizeof(last.text) });
        put(t, STR("."));
        put_number(t, (uint64_t)now.tv_nsec / 1000000, 3);
        put(t, STR("Z "));
}

static void line_write(enum log_level level, struct str message, const struct record *r)
{
        static const char *const words[] = { " error: ", " warning: ", " notice: ", " info: ", " debug: " };
        char line[LINE_MAX_BYTES];
        struct text t = { .p = line, .room = sizeof(line) - 1 };

        put_time(&t);
        put(&t, str_of(service_name));
        put(&t, str_of(words[level - LOG_LEVEL_ERROR]));
        put(&t, message);
        for (size_t i = 0; i < r->n; i++) {
                if (!r->fields[i].word.n)
                        continue;
                put(&t, r->fields[i].word);
                put(&t, r->fields[i].value);
        }
        /* A line is one line, whatever a message quotes. */
        for (size_t i = 0; i < t.n; i++)
                if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
                        line[i] = '?';
        line[t.n++] = '\n';
        if (write(STDERR_FILENO, line, t.n) < 0)
                return; /* nobody is left to tell */
}

void log_write(enum log_level level, const char *message_id, const char *format, ...)
{
        int n, error = errno;   /* a caller may log before it looks at errno */
        char message[LINE_MAX_BYTES];
        struct record r;
        struct str said;
        va_list args;

        if (!log_enabled(level))
                return;
        va_start(args, format);
        n = vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        said = (struct str){ message, n < 0 ? 0 : n < (int)sizeof(message) ? (size_t)n : sizeof(message) - 1 };
        r.n = 0;
        if (thread_context)
                add_context(&r, thread_context);
        if (!native || !journal_send(level, message_id, said, &r))
                line_write(level, said, &r);
        errno = error;
}
