/* What the parser makes of schema files, and what the checker adds to it. Everything lies in the program's pool. */
#pragma once
#include "text.h"
#include <stdint.h>

/* Beyond these a message or a table would not fit; the README quotes them. */
#define NUMBER_MAX ((INT64_C(1) << 53) - 1)
enum {
        NAME_MAX_BYTES = 60,
        DOC_MAX_BYTES = 2000,
        FILE_MAX_BYTES = 1024 * 1024,
        BYTES_MAX = 1024 * 1024, /* of a string, bytes or json field */
        ITEMS_MAX = 65536,
        FIELDS_MAX = 100, /* the JSON reader has room for 128, and a result may gain two */
        DECLARATIONS_MAX = 4096,
};

struct position {
        const struct file *file;
        int line, column;
};

enum kind { KIND_BOOL, KIND_UINT, KIND_INT, KIND_TIME, KIND_ULID, KIND_STRING, KIND_BYTES, KIND_ENUM, KIND_STRUCT, KIND_JSON };

enum flag {
        FLAG_OPTIONAL = 1,
        FLAG_NULLABLE = 2,
        FLAG_LIST = 4,
        FLAG_SET = 8,
        FLAG_PERSONAL = 16,
        FLAG_MEANINGFUL = 32,
        FLAG_DEFAULT = 64,
        FLAG_SECRET = 128,
        FLAG_MARKDOWN = 256,
};

struct range {
        bool given, open; /* open: "A.." */
        int64_t min, max;
        struct position at;
};

/* The use of a type by a field, a list or an alias. */
struct type_use {
        const char *name;
        struct position at;
        struct range range;
        /* the checker's: */
        enum kind kind;
        bool markdown;
        const struct declaration *of; /* KIND_ENUM, KIND_STRUCT */
};

struct field {
        struct field *next;
        const char *name, *doc;
        struct position at;
        struct type_use value;
        unsigned flags;
        struct position flag_at[9]; /* by bit number */
        struct range items;         /* of a list or set */
        const char *default_name;   /* as written: a name, or NULL for a number */
        int64_t default_value;
        struct position default_at;
};

struct value {
        struct value *next;
        const char *name, *doc;
        struct position at;
};

/* A name in a list: `from a, b`, `errors A, B`, `use x`. */
struct mention {
        struct mention *next;
        const char *name;
        struct position at;
        struct file *file;            /* of a use */
        const struct declaration *of; /* of an error or a result */
};

enum declaration_kind {
        DECLARE_ALIAS,
        DECLARE_ENUM,
        DECLARE_ERROR,
        DECLARE_TYPE,
        DECLARE_METHOD,
        DECLARE_EVENT,
        DECLARE_OP,
        DECLARE_KINDS,
};

enum role { ROLE_ANYONE, ROLE_STRANGER, ROLE_CUSTOMER, ROLE_AGENT, ROLE_ADMIN, ROLE_NOBODY };
enum audience { AUDIENCE_TICKET, AUDIENCE_AGENTS, AUDIENCE_USER, AUDIENCE_ALL };
enum service { SERVICE_STORE, SERVICE_IDENTITY, SERVICE_FANOUT, SERVICE_SUPERVISOR, SERVICE_GATEWAY, SERVICES };
extern const char *const service_names[];
enum { PEER_GATEWAY = 8 };

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE }; /* of a walk that looks for circles */

struct declaration {
        struct declaration *next;
        enum declaration_kind kind;
        const char *name, *doc;
        const char *c_name; /* "ticket_state", "ticket_create" */
        struct position at;
        struct file *file;
        enum mark mark;
        struct declaration *next_type;

        struct type_use alias;
        struct value *values;         /* DECLARE_ENUM */
        int64_t code;                 /* DECLARE_ERROR */
        struct field *fields;         /* DECLARE_TYPE, the parameters of a method, the data of an event, the body of an op */

        bool has_service;             /* DECLARE_METHOD */
        enum service service;
        bool has_role;
        enum role role;
        unsigned from;
        const char *rate, *via, *since;
        bool mutates, follow, deprecated;
        struct position mutates_at, follow_at;
        struct mention *result_name;  /* of a type; else result */
        struct field *result;
        struct mention *errors;

        bool has_audience, ephemeral; /* DECLARE_EVENT, DECLARE_OP */
        enum audience audience;
};

struct file {
        struct file *next;
        const char *path, *stem;
        const char *text;
        size_t n;
        struct mention *uses;
        struct declaration *declarations, **last;
        struct declaration *types, **last_type; /* by next_type: each after those that it holds in place */
        enum mark mark;
};

/* Declarations of one kind, sorted by name. */
struct index {
        struct declaration **items;
        size_t n;
};

struct program {
        struct pool pool;
        struct file *files; /* in the order given */
        struct index by_kind[DECLARE_KINDS];
        char *error; /* the first one; NULL while all is well */
};

/* Keeps the first error only: whoever goes on after it can't hide it. `at->file` may be NULL. */
void report(struct program *program, const struct position *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* NULL where there is none. */
struct declaration *index_find(const struct index *index, const char *name);
struct declaration *type_find(const struct program *program, const char *name); /* a type, enum or alias */
struct field *field_find(struct field *fields, const char *name);
