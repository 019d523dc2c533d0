#include "replica/register.h"
#include <string.h>

/* The entry of a stamp; made where it is missing. */
static struct register_entry *entry_of(struct register_state *r, struct arena *arena, struct stamp stamp)
{
        size_t low = 0, high = r->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int c = stamp_cmp(r->entries[middle].stamp, stamp);

                if (c == 0)
                        return &r->entries[middle];
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (r->n == r->capacity) {
                size_t capacity = r->capacity ? r->capacity * 2 : 8;
                struct register_entry *grown = arena_array(arena, capacity, sizeof(*grown));

                if (r->n)
                        memcpy(grown, r->entries, r->n * sizeof(*grown));
                r->entries = grown;
                r->capacity = capacity;
        }
        memmove(r->entries + low + 1, r->entries + low, (r->n - low) * sizeof(*r->entries));
        r->entries[low] = (struct register_entry){ .stamp = stamp };
        r->n++;
        return &r->entries[low];
}

void register_apply(struct register_state *r, struct arena *arena, struct stamp stamp, const struct stamp *base, size_t n_base,
                    struct str value)
{
        struct register_entry *e = entry_of(r, arena, stamp);

        if (!e->written) {
                e->written = true;
                e->value = arena_str(arena, value);
        }
        for (size_t i = 0; i < n_base; i++)
                if (stamp_cmp(base[i], stamp) < 0)
                        entry_of(r, arena, base[i])->covered = true;
}

const struct register_entry *register_shown(const struct register_state *r)
{
        for (size_t i = r->n; i-- > 0;)
                if (r->entries[i].written)
                        return &r->entries[i];
        return NULL;
}

size_t register_heads(const struct register_state *r, const struct register_entry **ret_heads, size_t max)
{
        size_t n = 0;

        for (size_t i = r->n; i-- > 0;) {
                if (!r->entries[i].written || r->entries[i].covered)
                        continue;
                if (n < max)
                        ret_heads[n] = &r->entries[i];
                n++;
        }
        return n;
}

bool register_may_undo(const struct register_state *r, struct stamp undone)
{
        const struct register_entry *shown = register_shown(r);

        return shown && stamp_eq(shown->stamp, undone);
}

uint64_t register_accept(struct hlc *hlc, const struct clock *clock, const struct stamp *shown, const struct stamp *base, size_t n_base,
                         uint64_t client, bool *ret_concurrent)
{
        bool concurrent = shown != NULL;
        uint64_t past = 0;

        for (size_t i = 0; i < n_base; i++) {
                if (base[i].hlc > past)
                        past = base[i].hlc;
                if (shown && stamp_eq(base[i], *shown))
                        concurrent = false;
        }
        *ret_concurrent = concurrent;
        if (!concurrent)
                return hlc_after(hlc, clock, past);
        return hlc_clamp(client, past < HLC_MAX ? past + 1 : HLC_MAX, hlc_now(hlc, clock));
}
