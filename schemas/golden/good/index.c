/* Made from all schemas: everything by name. */
#include "libcommon/schema.h"
#include "schema/desk.h"
#include "schema/people.h"

const struct schema_method *const schema_methods[] = {
        &schema_method_desk_describe,
        &schema_method_person_get,
        &schema_method_thread_create,
        &schema_method_thread_find,
        &schema_method_thread_follow,
        &schema_method_thread_mail,
        &schema_method_thread_set,
        &schema_method_thread_touch,
        NULL,
};

const struct schema_event *const schema_events[] = {
        &schema_event_person_changed,
        &schema_event_thread_replied,
        &schema_event_thread_watched,
        NULL,
};

const struct schema_op *const schema_ops[] = {
        &schema_op_desk_set,
        &schema_op_person_set,
        &schema_op_ticket_create,
        &schema_op_ticket_subject,
        NULL,
};

const struct schema_error *const schema_errors[] = {
        &schema_error_conflict,
        &schema_error_not_found,
        NULL,
};

const struct schema_struct *const schema_types[] = {
        &schema_type_person,
        &schema_type_reply,
        &schema_type_thread,
        NULL,
};

const struct schema_enum *const schema_enums[] = {
        &schema_enum_role,
        NULL,
};
