#include "heard.h"
#include <string.h>

static const char *const services[] = { "gateway", "courier", "mycelium-supervisor" };
enum { SERVICES = sizeof(services) / sizeof(services[0]), SUPERVISOR = SERVICES - 1 };

void heard_deinit(struct heard *heard)
{
        for (size_t i = 0; i < heard->n; i++)
                buf_deinit(&heard->of[i].stats);
}

static struct heard_of *place_of(struct heard *heard, const char *service, struct str instance)
{
        struct heard_of *oldest = heard->of;

        for (size_t i = 0; i < heard->n; i++) {
                struct heard_of *h = &heard->of[i];

                if (strcmp(h->service, service) == 0 && str_is(instance, h->instance))
                        return h;
                if (h->at_us < oldest->at_us)
                        oldest = h;
        }
        return heard->n < HEARD_MAX ? &heard->of[heard->n++] : oldest;
}

void heard_take(struct heard *heard, const char *service, const struct process_stats *stats, int64_t now_us)
{
        struct heard_of *h;

        if (!stats || stats->instance.n >= sizeof(h->instance))
                return;
        h = place_of(heard, service, stats->instance);
        h->service = service;
        memcpy(h->instance, stats->instance.p, stats->instance.n);
        h->instance[stats->instance.n] = '\0';
        h->at_us = now_us;
        buf_clear(&h->stats);
        msgpack_write(&schema_type_process_stats, stats, &h->stats);
        if (h->stats.n > HEARD_BYTES_MAX)
                buf_deinit(&h->stats);
}

static bool was_heard(const struct heard *heard, const char *service)
{
        for (size_t i = 0; i < heard->n; i++)
                if (strcmp(heard->of[i].service, service) == 0)
                        return true;
        return false;
}

void heard_list(const struct heard *heard, int64_t now_us, bool supervisor, struct arena *arena, struct process_stats **ret_list, size_t *ret_n)
{
        struct process_stats *list = arena_array(arena, 1 + heard->n + SERVICES, sizeof(*list)), *at = list + 1;

        for (size_t i = 0; i < heard->n; i++) {
                const struct heard_of *h = &heard->of[i];

                if (!supervisor && strcmp(h->service, services[SUPERVISOR]) == 0)
                        continue;
                if (now_us - h->at_us > HEARD_SILENT_US ||
                    msgpack_read(&schema_type_process_stats, buf_view(&h->stats), arena, at, NULL))
                        *at = (struct process_stats){ 0 };
                at->service = str_of(h->service);
                at->instance = str_of(h->instance);
                at++;
        }
        for (int i = 0; i < (supervisor ? SERVICES : SUPERVISOR); i++)
                if (!was_heard(heard, services[i]))
                        *at++ = (struct process_stats){ .service = str_of(services[i]) };
        *ret_list = list;
        *ret_n = (size_t)(at - list);
}
