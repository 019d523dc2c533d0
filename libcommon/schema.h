/* The shape of the tables that the schema compiler writes, and look-ups in them.
 *
 * Everything that is known of a type, method, event, error or op kind stands here once; codecs, dispatch, OpenRPC, the CLI and the
 * reference pages are functions over it. All tables are constant and live as long as the program.
 *
 * How a field lies in its C struct:
 *   bool                  bool
 *   uint int time         int64_t (a uint is never negative; limits are within +-(2^53 - 1), so JavaScript reads them exactly)
 *   enum                  int, an index into the values
 *   ulid                  struct ulid
 *   string bytes json     struct str
 *   a type                the struct itself; optional: a pointer, NULL where absent
 *   list, set             struct { T *items; size_t n; }, laid out as struct schema_list
 *   optional of the rest  `bool has_x` before `x`; nullable: `int has_x`, one of enum schema_presence
 */
#pragma once
#include "str.h"
#include "ulid.h"

enum schema_kind {
        SCHEMA_BOOL,
        SCHEMA_UINT,
        SCHEMA_INT,
        SCHEMA_TIME,    /* ms since the Unix epoch */
        SCHEMA_ULID,
        SCHEMA_STRING,  /* valid UTF-8 without NUL; limits count code points */
        SCHEMA_BYTES,   /* limits count bytes; base64url in JSON */
        SCHEMA_ENUM,
        SCHEMA_STRUCT,
        SCHEMA_JSON,    /* one JSON value as text, passed on verbatim; limits count bytes */
};

enum schema_flag {
        SCHEMA_OPTIONAL = 1,
        SCHEMA_NULLABLE = 2,    /* optional, and null says "none" */
        SCHEMA_LIST = 4,
        SCHEMA_SET = 8,         /* a list without order or repetition */
        SCHEMA_PERSONAL = 16,   /* of an op: the body holds a salted commitment, the text lies apart */
        SCHEMA_MEANINGFUL = 32, /* concurrent values are a conflict that people see */
        SCHEMA_DEFAULT = 64,    /* absent means default_value */
        SCHEMA_SECRET = 128,    /* never logged, never shown by tools */
        SCHEMA_MARKDOWN = 256,  /* a string that a reader renders */
};

enum schema_presence { SCHEMA_ABSENT = 0, SCHEMA_PRESENT = 1, SCHEMA_NULL = 2 };

struct schema_list {
        void *items;
        size_t n;
};

struct schema_enum {
        const char *name;
        const char *doc;
        const char *const *values;  /* as on the wire */
        const char *const *docs;
        int n;
};

struct schema_struct;
struct schema_field {
        const char *name;
        const char *doc;
        enum schema_kind kind;
        unsigned flags;
        uint32_t offset;
        uint32_t has_offset;    /* where optional and not a struct */
        uint32_t size;          /* of one value: what a list's items are apart */
        int64_t min, max;       /* of the value, or of its length */
        uint32_t list_min, list_max;
        int64_t default_value;
        const struct schema_struct *type;   /* SCHEMA_STRUCT */
        const struct schema_enum *values;   /* SCHEMA_ENUM */
};

struct schema_struct {
        const char *name;   /* as in the schema; "" for parameters and results that are written in place */
        const char *doc;
        const struct schema_field *fields;  /* msgpack: an array in this order; new ones come last */
        uint32_t n_fields;
        uint32_t size;
};

struct schema_error {
        const char *name;
        const char *doc;
        int code;
};

/* What a caller must be, lowest first: each may do what those before it may. */
enum schema_role {
        SCHEMA_ROLE_ANYONE,    /* no session needed */
        SCHEMA_ROLE_STRANGER,  /* a session, from a device that nobody has bound */
        SCHEMA_ROLE_CUSTOMER,
        SCHEMA_ROLE_AGENT,
        SCHEMA_ROLE_ADMIN,
        SCHEMA_ROLE_NOBODY,    /* internal: only the services in `from` */
};

/* The processes that may stand at the other end of a pipe. */
enum schema_peer {
        SCHEMA_PEER_STORE = 1,
        SCHEMA_PEER_IDENTITY = 2,
        SCHEMA_PEER_FANOUT = 4,
        SCHEMA_PEER_GATEWAY = 8,
        SCHEMA_PEER_COURIER = 16,
        SCHEMA_PEER_SUPERVISOR = 32,
        SCHEMA_PEER_OPERATOR = 64,  /* root, by assistctl */
        SCHEMA_PEER_METRICS = 128,
};

struct schema_method {
        const char *name;      /* "ticket.create" */
        const char *service;   /* "store" */
        const char *doc;
        const char *rate;      /* the class of rate limit; "" where none */
        const char *via;       /* "rpc", or the gateway's route that alone reaches it: "session", "attachments", "live" */
        enum schema_role role;
        unsigned from;         /* enum schema_peer: who may call; a method with a role always has the gateway */
        bool mutates;
        bool follow;           /* may be parked by its owner */
        bool deprecated;
        const char *since;
        const struct schema_struct *params;
        const struct schema_struct *result;
        int params_op_id;      /* index in params of op_id where it mutates, else -1 */
        int result_op_id;      /* index in result of op_id where it mutates, else -1; cursor is the next one */
        const struct schema_error *const *errors;
        uint32_t n_errors;
};

/* Who sees it; the key's ticket or user is the field of that name. */
enum schema_audience { SCHEMA_TO_TICKET, SCHEMA_TO_AGENTS, SCHEMA_TO_USER, SCHEMA_TO_ALL };

struct schema_event {
        const char *name;      /* "comment.added" */
        const char *doc;
        enum schema_audience audience;
        bool ephemeral;        /* never logged, carries no cursor */
        const struct schema_struct *data;
};

struct schema_op {
        const char *name;      /* "comment.add": the kind, for ever */
        const char *doc;
        enum schema_audience audience;
        const struct schema_struct *body;
};

/* Made by the compiler from all schema files; each sorted by name, NULL-terminated. */
extern const struct schema_method *const schema_methods[];
extern const struct schema_event *const schema_events[];
extern const struct schema_op *const schema_ops[];
extern const struct schema_error *const schema_errors[];
extern const struct schema_struct *const schema_types[];
extern const struct schema_enum *const schema_enums[];

/* By name; NULL where there is none. */
const struct schema_method *schema_method_find(struct str name);
const struct schema_event *schema_event_find(struct str name);
const struct schema_op *schema_op_find(struct str name);
const struct schema_error *schema_error_by_code(int code);
int schema_enum_find(const struct schema_enum *e, struct str value); /* -1 where there is none */
const struct schema_field *schema_field_find(const struct schema_struct *type, const char *name);

/* Where a field's value lies, and its presence. */
static inline void *schema_at(const struct schema_field *f, const void *base)
{
        return (char *)(uintptr_t)base + f->offset;
}
enum schema_presence schema_presence(const struct schema_field *f, const void *base);
