/* What operators read: journald's native protocol under systemd (fields, MESSAGE_ID), one plain line on stderr elsewhere.
 *
 * Never log personal text or secrets: no subject, body, file name, email, token, code, address book. Ids are fine.
 * A fault is logged once, by the one that handles it. */
#pragma once
#include "str.h"
#include "ulid.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* What the thread works on; each field is empty or zero where unknown. Becomes ASSIST_REQUEST=, ASSIST_CLIENT_REQUEST=, ... */
struct log_context {
        struct str request, client_request, method;
        struct ulid user, ticket;
        int64_t duration_us; /* written where > 0 */
};

/* service: "store"; becomes SYSLOG_IDENTIFIER assist-store. Goes native where JOURNAL_STREAM names our stderr. */
void log_open(const char *service, enum log_level level);
void log_level(enum log_level level);
bool log_enabled(enum log_level level);

/* The context of this thread until replaced; NULL for none. Points to the caller's memory. */
void log_context(const struct log_context *context);

/* message_id: 32 hex characters of units/assist.catalog, or NULL for a message without explanation. */
void log_write(enum log_level level, const char *message_id, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) do { if (log_enabled(LOG_LEVEL_DEBUG)) log_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__); } while (0)
