/* Made from desk.schema. */
#pragma once
#include "libcommon/schema.h"
#include "schema/people.h"

struct reply;
struct thread;

struct reply {
        struct str body;
        struct str key;
        bool has_at;
        int64_t at;
        struct thread *thread;
        int has_wake_at; /* enum schema_presence */
        int64_t wake_at;
        int has_role; /* enum schema_presence */
        int role;
        bool urgent;
        int64_t limit;
        int64_t shift;
};

struct thread {
        struct ulid id;
        int64_t number;
        int64_t balance;
        int64_t opened_at;
        struct reply first;
        struct reply *newest;
        struct {
                struct reply *items;
                size_t n;
        } replies;
        struct thread *parent;
        struct person *owner;
        struct {
                struct str *items;
                size_t n;
        } tags;
        bool has_lines;
        struct {
                struct str *items;
                size_t n;
        } lines;
        struct {
                int64_t *items;
                size_t n;
        } numbers;
        struct {
                int *items;
                size_t n;
        } roles;
        struct {
                bool *items;
                size_t n;
        } flags;
        struct str extra;
        bool has_small;
        struct str small;
};

struct thread_create {
        bool has_op_id;
        struct ulid op_id;
        struct str subject;
        struct str body;
};

struct thread_create_result {
        struct thread value;
        struct ulid op_id;
        bool has_cursor;
        struct str cursor;
};

struct thread_set {
        bool has_op_id;
        struct ulid op_id;
        struct ulid id;
        bool has_subject;
        struct str subject;
        int to;
};

struct thread_set_result {
        struct ulid op_id;
        bool has_cursor;
        struct str cursor;
        bool changed;
};

struct thread_touch {
        bool has_op_id;
        struct ulid op_id;
        struct ulid id;
};

struct thread_touch_result {
        struct ulid op_id;
        bool has_cursor;
        struct str cursor;
};

struct thread_follow {
        int64_t after;
        int64_t max_bytes;
};

struct thread_follow_result {
        int64_t head;
        struct {
                struct thread *items;
                size_t n;
        } threads;
};

struct thread_mail {
        char unused;
};

struct thread_mail_result {
        char unused;
};

struct thread_find {
        char unused;
};

struct thread_find_result {
        struct reply value;
};

struct desk_describe {
        char unused;
};

struct desk_describe_result {
        struct str document;
};

struct event_thread_replied {
        struct ulid thread;
        struct reply reply;
};

struct event_thread_watched {
        char unused;
};

struct op_ticket_create {
        int64_t number;
};

struct op_ticket_subject {
        struct ulid ticket;
        struct str subject;
        bool has_key;
        struct str key;
};

struct op_desk_set {
        struct str name;
};

extern const struct schema_struct schema_type_thread;
extern const struct schema_struct schema_type_reply;
extern const struct schema_error schema_error_not_found;
extern const struct schema_error schema_error_conflict;
extern const struct schema_method schema_method_thread_create;
extern const struct schema_method schema_method_thread_set;
extern const struct schema_method schema_method_thread_touch;
extern const struct schema_method schema_method_thread_follow;
extern const struct schema_method schema_method_thread_mail;
extern const struct schema_method schema_method_thread_find;
extern const struct schema_method schema_method_desk_describe;
extern const struct schema_event schema_event_thread_replied;
extern const struct schema_event schema_event_thread_watched;
extern const struct schema_op schema_op_ticket_create;
extern const struct schema_op schema_op_ticket_subject;
extern const struct schema_op schema_op_desk_set;
