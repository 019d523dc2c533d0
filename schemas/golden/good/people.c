/* Made from people.schema. */
#include "schema/people.h"
#include "schema/desk.h"
#include <stddef.h>

static const char *const values_of_role[] = { "customer", "agent", "admin" };
static const char *const docs_of_role[] = {
        "files tickets",
        "Works on all tickets.",
        "",
};
const struct schema_enum schema_enum_role = {
        .name = "Role",
        .doc = "What a person may do.",
        .values = values_of_role,
        .docs = docs_of_role,
        .n = 3,
};

static const struct schema_field fields_of_person[] = {
        {
                .name = "id",
                .doc = "",
                .kind = SCHEMA_ULID,
                .offset = offsetof(struct person, id),
                .size = sizeof(struct ulid),
        },
        {
                .name = "name",
                .doc = "",
                .kind = SCHEMA_STRING,
                .offset = offsetof(struct person, name),
                .size = sizeof(struct str),
                .min = 1,
                .max = 40,
        },
        {
                .name = "role",
                .doc = "",
                .kind = SCHEMA_ENUM,
                .flags = SCHEMA_DEFAULT,
                .offset = offsetof(struct person, role),
                .size = sizeof(int),
                .min = 0,
                .max = 2,
                .default_value = 0,
                .values = &schema_enum_role,
        },
        {
                .name = "phone",
                .doc = "null: has none",
                .kind = SCHEMA_STRING,
                .flags = SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                .offset = offsetof(struct person, phone),
                .has_offset = offsetof(struct person, has_phone),
                .size = sizeof(struct str),
                .min = 0,
                .max = 40,
        },
};
const struct schema_struct schema_type_person = {
        .name = "Person",
        .doc = "Somebody.\n\nA second paragraph, with \"quotes\", a \\ and two \?\?= that are no trigraph; žluťoučký.",
        .fields = fields_of_person,
        .n_fields = 4,
        .size = sizeof(struct person),
};

static const struct schema_field fields_of_event_person_changed[] = {
        {
                .name = "person",
                .doc = "",
                .kind = SCHEMA_STRUCT,
                .offset = offsetof(struct event_person_changed, person),
                .size = sizeof(struct person),
                .type = &schema_type_person,
        },
};
static const struct schema_struct struct_of_event_person_changed = {
        .name = "",
        .doc = "",
        .fields = fields_of_event_person_changed,
        .n_fields = 1,
        .size = sizeof(struct event_person_changed),
};

const struct schema_event schema_event_person_changed = {
        .name = "person.changed",
        .doc = "",
        .audience = SCHEMA_TO_USER,
        .data = &struct_of_event_person_changed,
};

static const struct schema_field fields_of_op_person_set[] = {
        {
                .name = "user",
                .doc = "",
                .kind = SCHEMA_ULID,
                .offset = offsetof(struct op_person_set, user),
                .size = sizeof(struct ulid),
        },
        {
                .name = "name",
                .doc = "",
                .kind = SCHEMA_STRING,
                .flags = SCHEMA_PERSONAL,
                .offset = offsetof(struct op_person_set, name),
                .size = sizeof(struct str),
                .min = 1,
                .max = 40,
        },
        {
                .name = "role",
                .doc = "",
                .kind = SCHEMA_ENUM,
                .flags = SCHEMA_MEANINGFUL,
                .offset = offsetof(struct op_person_set, role),
                .size = sizeof(int),
                .min = 0,
                .max = 2,
                .values = &schema_enum_role,
        },
};
static const struct schema_struct struct_of_op_person_set = {
        .name = "",
        .doc = "",
        .fields = fields_of_op_person_set,
        .n_fields = 3,
        .size = sizeof(struct op_person_set),
};

const struct schema_op schema_op_person_set = {
        .name = "person.set",
        .doc = "",
        .audience = SCHEMA_TO_USER,
        .body = &struct_of_op_person_set,
};

static const struct schema_field fields_of_person_get[] = {
        {
                .name = "id",
                .doc = "",
                .kind = SCHEMA_ULID,
                .offset = offsetof(struct person_get, id),
                .size = sizeof(struct ulid),
        },
};
static const struct schema_struct struct_of_person_get = {
        .name = "",
        .doc = "",
        .fields = fields_of_person_get,
        .n_fields = 1,
        .size = sizeof(struct person_get),
};

static const struct schema_field fields_of_person_get_result[] = {
        {
                .name = "id",
                .doc = "",
                .kind = SCHEMA_ULID,
                .offset = offsetof(struct person_get_result, value.id),
                .size = sizeof(struct ulid),
        },
        {
                .name = "name",
                .doc = "",
                .kind = SCHEMA_STRING,
                .offset = offsetof(struct person_get_result, value.name),
                .size = sizeof(struct str),
                .min = 1,
                .max = 40,
        },
        {
                .name = "role",
                .doc = "",
                .kind = SCHEMA_ENUM,
                .flags = SCHEMA_DEFAULT,
                .offset = offsetof(struct person_get_result, value.role),
                .size = sizeof(int),
                .min = 0,
                .max = 2,
                .default_value = 0,
                .values = &schema_enum_role,
        },
        {
                .name = "phone",
                .doc = "null: has none",
                .kind = SCHEMA_STRING,
                .flags = SCHEMA_OPTIONAL | SCHEMA_NULLABLE,
                .offset = offsetof(struct person_get_result, value.phone),
                .has_offset = offsetof(struct person_get_result, value.has_phone),
                .size = sizeof(struct str),
                .min = 0,
                .max = 40,
        },
};
static const struct schema_struct struct_of_person_get_result = {
        .name = "Person",
        .doc = "Somebody.\n\nA second paragraph, with \"quotes\", a \\ and two \?\?= that are no trigraph; žluťoučký.",
        .fields = fields_of_person_get_result,
        .n_fields = 4,
        .size = sizeof(struct person_get_result),
};

static const struct schema_error *const errors_of_person_get[] = {
        &schema_error_not_found,
};
const struct schema_method schema_method_person_get = {
        .name = "person.get",
        .service = "identity",
        .doc = "Who somebody is.",
        .rate = "read",
        .via = "rpc",
        .role = SCHEMA_ROLE_NOBODY,
        .from = SCHEMA_PEER_STORE | SCHEMA_PEER_GATEWAY,
        .since = "",
        .params = &struct_of_person_get,
        .result = &struct_of_person_get_result,
        .params_op_id = -1,
        .result_op_id = -1,
        .errors = errors_of_person_get,
        .n_errors = 1,
};

