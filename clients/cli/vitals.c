#include "vitals.h"

#include "schema/identity.h"
#include "schema/live.h"
#include "schema/overlay.h"
#include "schema/project.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

static const struct {
        const struct schema_method *method;
        const char *process;
} asked[VITALS_SERVICES] = {
        { &schema_method_supervisor_stats, "mycelium-supervisor" },
        { &schema_method_identity_stats, "identity" },
        { &schema_method_store_stats, "store" },
        { &schema_method_fanout_stats, "fanout" },
};

int vitals_open(struct operator *o, struct vitals_from *ret)
{
        int r = 0;

        *ret = (struct vitals_from){ 0 };
        for (int i = 0; i < VITALS_SERVICES && !r; i++)
                r = operator_client(o, asked[i].method->service, &ret->clients[i]);
        return r;
}

void vitals_close(struct vitals_from *from)
{
        for (int i = 0; i < VITALS_SERVICES; i++)
                rpc_client_free(from->clients[i]);
}

void vitals_take(struct vitals_from *from, struct arena *arena, struct vitals *ret)
{
        ret->n = 0;
        for (int i = 0; i < VITALS_SERVICES; i++) {
                struct process_stats away = { .service = str_of(asked[i].process) };
                struct stats_list said = { 0 };
                const char nothing = 0;

                if (rpc_call_wait(from->clients[i], &(struct rpc_request){ .method = asked[i].method, .params = &nothing,
                                                                           .timeout_ms = PATIENCE_MS }, arena, &said, NULL)) {
                        said.processes.items = &away;
                        said.processes.n = 1;
                }
                for (size_t k = 0; k < said.processes.n; k++)
                        ret->of[ret->n++] = said.processes.items[k];
        }
        ret->at_us = clock_steady_us(&clock_system);
}

struct str vitals_name(const struct process_stats *process, struct arena *arena)
{
        return process->instance.n ? arena_format(arena, "%.*s@%.*s", STR_ARG(process->service), STR_ARG(process->instance))
                                   : process->service;
}

static void put_line(const struct process_stats *p, struct arena *arena, struct buf *out)
{
        struct str name = vitals_name(p, arena);

        buf_format(out, "assist-%-20.*s ", STR_ARG(name));
        if (p->up) {
                buf_text(out, "since ");
                show_value(schema_field_find(&schema_type_process_stats, "started_at"), p, out);
                buf_text(out, "  ");
                show_value(schema_field_find(&schema_type_process_stats, "status"), p, out);
        } else {
                buf_text(out, "does not answer");
        }
        buf_char(out, '\n');
}

int run_status(struct operator *o, int argc, char **argv)
{
        struct vitals_from from;
        struct vitals vitals = { .n = 0 };
        struct buf out = { 0 };
        int r, status = 0;

        (void)argv;
        if (argc) {
                fprintf(stderr, "assistctl: status takes no arguments\n");
                return EXIT_USAGE;
        }
        r = vitals_open(o, &from);
        if (r) {
                fprintf(stderr, "assistctl: %s\n", strerror(-r));
                status = EXIT_FAILURE;
        } else {
                vitals_take(&from, &o->arena, &vitals);
        }
        for (size_t i = 0; i < vitals.n; i++) {
                if (!vitals.of[i].up)
                        status = EXIT_AWAY;
                if (!o->json) {
                        put_line(&vitals.of[i], &o->arena, &out);
                        continue;
                }
                json_write(&schema_type_process_stats, &vitals.of[i], &out);
                buf_char(&out, '\n');
        }
        fwrite(out.p, 1, out.n, stdout);
        buf_deinit(&out);
        vitals_close(&from);
        return status;
}
