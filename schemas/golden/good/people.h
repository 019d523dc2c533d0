/* Made from people.schema. */
#pragma once
#include "libcommon/schema.h"

enum role {
        ROLE_CUSTOMER,
        ROLE_AGENT,
        ROLE_ADMIN,
};

struct person;

struct person {
        struct ulid id;
        struct str name;
        int role;
        int has_phone; /* enum schema_presence */
        struct str phone;
};

struct event_person_changed {
        struct person person;
};

struct op_person_set {
        struct ulid user;
        struct str name;
        int role;
};

struct person_get {
        struct ulid id;
};

struct person_get_result {
        struct person value;
};

extern const struct schema_enum schema_enum_role;
extern const struct schema_struct schema_type_person;
extern const struct schema_event schema_event_person_changed;
extern const struct schema_op schema_op_person_set;
extern const struct schema_method schema_method_person_get;
