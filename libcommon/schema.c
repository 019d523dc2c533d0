#include "schema.h"

#include <string.h>

int schema_enum_find(const struct schema_enum *e, struct str value)
{
        for (int i = 0; i < e->n; i++)
                if (str_is(value, e->values[i]))
                        return i;
        return -1;
}

const struct schema_field *schema_field_find(const struct schema_struct *type, const char *name)
{
        for (uint32_t i = 0; i < type->n_fields; i++)
                if (strcmp(type->fields[i].name, name) == 0)
                        return &type->fields[i];
        return NULL;
}

enum schema_presence schema_presence(const struct schema_field *f, const void *base)
{
        const char *has = (const char *)base + f->has_offset;

        if (f->flags & SCHEMA_NULLABLE)
                return (enum schema_presence)*(const int *)has;
        if (!(f->flags & SCHEMA_OPTIONAL))
                return SCHEMA_PRESENT;
        if (f->kind == SCHEMA_STRUCT && !(f->flags & (SCHEMA_LIST | SCHEMA_SET)))
                return *(void *const *)schema_at(f, base) ? SCHEMA_PRESENT : SCHEMA_ABSENT;
        return *(const bool *)has ? SCHEMA_PRESENT : SCHEMA_ABSENT;
}
