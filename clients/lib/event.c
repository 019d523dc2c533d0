#include "private.h"

#include <errno.h>

int assist_event_read(const struct event *event, struct arena *arena, const struct schema_event **ret_type, void **ret_data)
{
        const struct schema_event *type = schema_event_find(event->type);
        void *data;

        if (!type) {
                *ret_type = NULL;
                return 0;
        }
        data = arena_zalloc(arena, type->data->size + 1);
        if (json_read(type->data, arena_str(arena, event->data), arena, data, NULL))
                return -EBADMSG;
        *ret_type = type;
        *ret_data = data;
        return 0;
}
