#include "emit.h"

static bool serves(const struct declaration *d, enum service service)
{
        return d->kind == DECLARE_METHOD && d->service == service;
}

void emit_handler_types(struct program *program, enum service service, struct text *out)
{
        const struct index *methods = &program->by_kind[DECLARE_METHOD];
        const char *name = service_names[service];

        text_format(out, "/* Made from all schemas: what %s answers. */\n#pragma once\n#include \"libcommon/rpc.h\"\n", name);
        for (const struct file *f = program->files; f; f = f->next) {
                const struct declaration *d = f->declarations;

                while (d && !serves(d, service))
                        d = d->next;
                if (d)
                        text_format(out, "#include \"schema/%s.h\"\n", f->stem);
        }
        text_format(out, "\nstruct %s;\n\n", name);
        for (size_t i = 0; i < methods->n; i++) {
                const char *c_name = methods->items[i]->c_name;

                if (serves(methods->items[i], service))
                        text_format(out, "int %s_on_%s(struct %s *%s, struct call *c, const struct %s *in, struct %s_result *ret);\n", name,
                                    c_name, name, name, c_name, c_name);
        }
        text_format(out, "\nextern const struct rpc_handler %s_handlers[]; /* ends with a NULL method */\n", name);
}

void emit_handler_tables(struct program *program, enum service service, struct text *out)
{
        const struct index *methods = &program->by_kind[DECLARE_METHOD];
        const char *name = service_names[service];

        text_format(out, "/* Made from all schemas: what %s answers. */\n#include \"schema/%s_handlers.h\"\n", name, name);
        for (size_t i = 0; i < methods->n; i++) {
                const char *c_name = methods->items[i]->c_name;

                if (!serves(methods->items[i], service))
                        continue;
                text_format(out, "\nstatic int %s_thunk_%s(void *data, struct call *c, const void *params, void *ret)\n", name, c_name);
                text_format(out, "{\n        return %s_on_%s(data, c, params, ret);\n}\n", name, c_name);
        }
        text_format(out, "\nconst struct rpc_handler %s_handlers[] = {\n", name);
        for (size_t i = 0; i < methods->n; i++) {
                const char *c_name = methods->items[i]->c_name;

                if (serves(methods->items[i], service))
                        text_format(out, "        { &schema_method_%s, %s_thunk_%s },\n", c_name, name, c_name);
        }
        text_put(out, "        { NULL, NULL },\n};\n");
}
