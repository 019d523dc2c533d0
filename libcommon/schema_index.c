/* Look-ups in the tables of tables, which the schema compiler writes. */
#include "schema.h"

/* The tables are sorted by name and begin with it, whatever they describe. */
struct named {
        const char *name;
};

static const void *find(const void *table, size_t n, struct str name)
{
        const struct named *const *entries = table;
        size_t low = 0;

        while (low < n) {
                size_t middle = low + (n - low) / 2;
                int r = str_cmp(name, str_of(entries[middle]->name));

                if (!r)
                        return entries[middle];
                if (r < 0)
                        n = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

static size_t count(const void *table)
{
        const void *const *entries = table;
        size_t n = 0;

        while (entries[n])
                n++;
        return n;
}

const struct schema_method *schema_method_find(struct str name)
{
        return find(schema_methods, count(schema_methods), name);
}

const struct schema_event *schema_event_find(struct str name)
{
        return find(schema_events, count(schema_events), name);
}

const struct schema_op *schema_op_find(struct str name)
{
        return find(schema_ops, count(schema_ops), name);
}

const struct schema_error *schema_error_by_code(int code)
{
        for (size_t i = 0; schema_errors[i]; i++)
                if (schema_errors[i]->code == code)
                        return schema_errors[i];
        return NULL;
}
