#include "described.h"

static const struct schema_struct *named(struct str name)
{
        const struct schema_method *method = schema_method_find(name);
        const struct schema_event *event = schema_event_find(name);
        const struct schema_op *op = schema_op_find(name);

        if (method || event || op)
                return method ? method->params : event ? event->data : op->body;
        for (size_t i = 0; schema_types[i]; i++)
                if (str_is(name, schema_types[i]->name))
                        return schema_types[i];
        return NULL;
}

const struct schema_struct *described_by(struct str *in)
{
        struct str name = str_cut(in, '\n');
        const struct schema_struct *type = named(name);
        size_t n = 0;

        while (schema_methods[n])
                n++;
        return type ? type : schema_methods[name.n ? (unsigned char)name.p[0] % n : 0]->result;
}
