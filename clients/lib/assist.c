#include "private.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int assist_fail(struct assist_error *error, int code, const char *format, ...)
{
        va_list args;

        *error = (struct assist_error){ .code = code };
        va_start(args, format);
        vsnprintf(error->message, sizeof(error->message), format, args);
        va_end(args);
        return code;
}

/* "ADDRESS", "ADDRESS:PORT", "[IPV6]:PORT", or an IPv6 address alone. */
static int project_parse(struct assist *a, const char *project, struct assist_error *error)
{
        const char *colon = strchr(project, ':'), *last = strrchr(project, ':'), *bracket = strchr(project, ']');
        struct str address = str_of(project), port = { 0 };
        bool six = project[0] == '[';
        uint64_t n = ASSIST_PORT;

        if (six && bracket) {
                address = (struct str){ project + 1, (size_t)(bracket - project - 1) };
                if (bracket[1] == ':')
                        port = str_of(bracket + 2);
        } else if (colon && colon == last) {
                address.n = (size_t)(colon - project);
                port = str_of(colon + 1);
        } else if (colon) {
                six = true;
        }
        if (!address.n || address.n >= sizeof(a->address) || (port.p && (str_u64(port, &n) || n == 0 || n > 65535)))
                return assist_fail(error, -EINVAL, "\"%s\" is no desk's address; write ADDRESS or ADDRESS:PORT", project);
        snprintf(a->address, sizeof(a->address), "%.*s", STR_ARG(address));
        snprintf(a->host, sizeof(a->host), six ? "[%.*s]" : "%.*s", STR_ARG(address));
        a->port = (int)n;
        return 0;
}

int assist_open(const struct assist_options *options, struct assist **ret, struct assist_error *error)
{
        struct assist *a = calloc(1, sizeof(*a));
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        int r;

        if (!a)
                abort();
        if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT)) {
                free(a);
                return assist_fail(error, -ENOSYS, "this machine has no randomness");
        }
        r = project_parse(a, options->project, error);
        if (r) {
                free(a);
                return r;
        }
        snprintf(a->from, sizeof(a->from), "%s", options->from ? options->from : "");
        a->waiting = options->waiting;
        a->waiting_data = options->data;
        if (options->state)
                snprintf(a->state, sizeof(a->state), "%s", options->state);
        else if (state && *state)
                snprintf(a->state, sizeof(a->state), "%s/assist", state);
        else
                snprintf(a->state, sizeof(a->state), "%s/.local/state/assist", home ? home : ".");
        a->curl = curl_easy_init();
        if (!a->curl)
                abort();
        *ret = a;
        return 0;
}

void assist_close(struct assist *a)
{
        if (!a)
                return;
        curl_easy_cleanup(a->curl);
        arena_deinit(&a->arena);
        sodium_memzero(a->secret, sizeof(a->secret));
        sodium_memzero(a->token, sizeof(a->token));
        free(a);
}
