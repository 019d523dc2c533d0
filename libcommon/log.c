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

/* One record's fields: as journald wants them, and by the same walk as the words that end a line. */
struct record {
        struct iovec fields[FIELDS_MAX];
        char text[FIELDS_MAX][FIELD_MAX_BYTES];
        int n;
        char *line;
        size_t used;
};

static void add(struct record *r, const char *name, const char *word, struct str value)
{
        int n = snprintf(r->text[r->n], FIELD_MAX_BYTES, "%s=%.*s", name, STR_ARG(value));

        r->fields[r->n].iov_base = r->text[r->n];
        r->fields[r->n].iov_len = n < FIELD_MAX_BYTES ? (size_t)n : FIELD_MAX_BYTES - 1;
        r->n++;
        if (word && r->used < LINE_MAX_BYTES)
                r->used += (size_t)snprintf(r->line + r->used, LINE_MAX_BYTES - r->used, " %s=%.*s", word, STR_ARG(value));
        if (r->used >= LINE_MAX_BYTES)
                r->used = LINE_MAX_BYTES - 1;
}

static void add_id(struct record *r, const char *name, const char *word, struct ulid id)
{
        char text[ULID_TEXT + 1];

        if (ulid_is_zero(id))
                return;
        ulid_text(id, text);
        add(r, name, word, str_of(text));
}

static void add_context(struct record *r, const struct log_context *c)
{
        char number[24];

        if (c->request.n > 0)
                add(r, "ASSIST_REQUEST", "request", c->request);
        if (c->client_request.n > 0)
                add(r, "ASSIST_CLIENT_REQUEST", "client_request", c->client_request);
        if (c->method.n > 0)
                add(r, "ASSIST_METHOD", NULL, c->method);  /* a line's message begins with it */
        add_id(r, "ASSIST_USER", "user", c->user);
        add_id(r, "ASSIST_TICKET", "ticket", c->ticket);
        if (c->duration_us > 0) {
                snprintf(number, sizeof(number), "%lld", (long long)c->duration_us);
                add(r, "ASSIST_DURATION_US", "us", str_of(number));
        }
}

static const char *level_word(enum log_level level)
{
        static const char *const words[] = { "error", "warning", "notice", "info", "debug" };

        return words[level - LOG_LEVEL_ERROR];
}

static size_t begin_line(char *line, enum log_level level)
{
        struct timespec now;
        struct tm tm;
        size_t n;

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        n = strftime(line, LINE_MAX_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
        n += (size_t)snprintf(line + n, LINE_MAX_BYTES - n, ".%03ldZ %s %s: ", now.tv_nsec / 1000000, service_name,
                              level_word(level));
        return n;
}

void log_write(enum log_level level, const char *message_id, const char *format, ...)
{
        char line[LINE_MAX_BYTES + 1], message[LINE_MAX_BYTES], priority[2] = { (char)('0' + level), 0 };
        struct record r = { .line = line };
        int error = errno;      /* a caller may log before it looks at errno */
        va_list args;
        int n;

        if (!log_enabled(level))
                return;
        n = snprintf(message, sizeof(message), "MESSAGE=");
        va_start(args, format);
        n += vsnprintf(message + n, sizeof(message) - (size_t)n, format, args);
        va_end(args);
        if (n >= (int)sizeof(message))
                n = (int)sizeof(message) - 1;

        r.used = begin_line(line, level);
        r.used += (size_t)snprintf(line + r.used, LINE_MAX_BYTES - r.used, "%s", message + strlen("MESSAGE="));
        if (r.used >= LINE_MAX_BYTES)
                r.used = LINE_MAX_BYTES - 1;
        r.fields[r.n++] = (struct iovec){ message, (size_t)n };
        add(&r, "PRIORITY", NULL, str_of(priority));
        add(&r, "SYSLOG_IDENTIFIER", NULL, str_of(identifier));
        if (message_id)
                add(&r, "MESSAGE_ID", NULL, str_of(message_id));
        if (thread_context)
                add_context(&r, thread_context);

        if (native && sd_journal_sendv(r.fields, r.n) == 0) {
                errno = error;
                return;
        }
        /* A line is one line, whatever a message quotes. */
        for (size_t i = 0; i < r.used; i++)
                if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
                        line[i] = '?';
        line[r.used++] = '\n';
        if (write(STDERR_FILENO, line, r.used) < 0)
                return;         /* nobody is left to tell */
        errno = error;
}
