#include "operator.h"

#include "show.h"
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *operator_path(struct operator *o, const char *format, ...)
{
        struct buf b = { 0 };
        const char *path;
        va_list args;

        if (o->root)
                buf_text(&b, o->root);
        va_start(args, format);
        buf_vformat(&b, format, args);
        va_end(args);
        path = arena_str(&o->arena, buf_view(&b)).p;
        buf_deinit(&b);
        return path;
}

const char *operator_state(struct operator *o, const char *service, const char *file)
{
        return o->root ? operator_path(o, "/state/%s/%s", service, file) : operator_path(o, "/var/lib/assist-%s/%s", service, file);
}

int operator_open(struct operator *o, const char *root)
{
        struct settings_error e;
        int r;

        log_open("assistctl", LOG_LEVEL_ERROR);
        o->root = root;
        if (settings_load(operator_path(o, root ? "/etc" : "/etc/assist"), &o->arena, &o->settings, &e)) {
                fprintf(stderr, "assistctl: %s:%d: %s%s%s\n", e.file, e.line, e.key, *e.key ? ": " : "", e.reason);
                return EXIT_FAILURE;
        }
        r = rpc_peers_load(o->settings.development, &o->peers);
        o->loop = loop_new(&clock_system);
        if (r || !o->loop) {
                fprintf(stderr, "assistctl: %s\n", strerror(r ? -r : errno));
                return EXIT_FAILURE;
        }
        return 0;
}

int operator_check(const struct operator *o)
{
        if (rpc_peers_of(&o->peers, geteuid()) & SCHEMA_PEER_OPERATOR)
                return 0;
        fprintf(stderr, "assistctl: you must be root to operate this desk%s\n",
                o->root ? ", or the user it runs as" : "; try --root DIR for another one");
        return EXIT_DENIED;
}

void operator_close(struct operator *o)
{
        loop_free(o->loop);
        arena_deinit(&o->arena);
}

int operator_client(struct operator *o, const char *service, struct rpc_client **ret)
{
        static const struct {
                const char *service, *process;
                unsigned peer;
        } processes[] = {
                { "store", "store", SCHEMA_PEER_STORE }, { "identity", "identity", SCHEMA_PEER_IDENTITY },
                { "fanout", "fanout", SCHEMA_PEER_FANOUT }, { "supervisor", "mycelium-supervisor", SCHEMA_PEER_SUPERVISOR },
        };
        size_t i = 0;

        while (strcmp(processes[i].service, service) != 0)
                i++;    /* the schema compiler knows no other */
        return rpc_client_new(o->loop, &(struct rpc_client_options){
                .path = operator_path(o, "%s/assist-%s/rpc.sock", "/run", processes[i].process), .service = processes[i].peer,
                .peers = &o->peers }, ret);
}

int operator_try(struct operator *o, const struct schema_method *method, void *params, int64_t timeout_ms, void *result,
                 struct fault *ret_fault)
{
        struct rpc_client *client;
        int r;

        if (method->params_op_id >= 0) {
                const struct schema_field *f = &method->params->fields[method->params_op_id];

                if (schema_presence(f, params) != SCHEMA_PRESENT) {
                        *(bool *)((char *)params + f->has_offset) = true;
                        *(struct ulid *)schema_at(f, params) = ulid_new(clock_now_ms(&clock_system));
                }
        }
        r = operator_client(o, method->service, &client);
        if (r)
                return r;
        r = rpc_call_wait(client, &(struct rpc_request){ .method = method, .params = params, .timeout_ms = timeout_ms }, &o->arena, result,
                          ret_fault);
        rpc_client_free(client);
        return r;
}

int operator_call(struct operator *o, const struct schema_method *method, void *params, int64_t timeout_ms, void *result)
{
        struct fault fault = { 0 };
        int r = operator_try(o, method, params, timeout_ms, result, &fault);

        if (!r)
                return 0;
        if (r < 0)
                fprintf(stderr, "assistctl: %s: %s\n", method->name, strerror(-r));
        else if (r == FAULT_UNAVAILABLE && !fault.has_reason)
                fprintf(stderr, "assistctl: assist-%s does not answer; is it running?\n", method->service);
        else
                fprintf(stderr, "assistctl: %s: %s%s%.*s%s%.*s\n", method->name, fault_name(r), fault.has_field ? ": " : "",
                        STR_ARG(fault.field), fault.has_reason ? fault.has_field ? " " : ": " : "", STR_ARG(fault.reason));
        return exit_status(r);
}

const char *operator_shown(struct operator *o, struct str text)
{
        struct buf b = { 0 };
        const char *shown;

        show_text(text, false, &b);
        shown = arena_str(&o->arena, buf_view(&b)).p;
        buf_deinit(&b);
        return shown;
}

void operator_print(struct operator *o, const struct schema_struct *type, const void *result)
{
        struct buf out = { 0 };

        if (o->json) {
                json_write(type, result, &out);
                buf_char(&out, '\n');
        } else {
                show_result(type, result, terminal_width(), &out);
        }
        fwrite(out.p, 1, out.n, stdout);
        buf_deinit(&out);
}
