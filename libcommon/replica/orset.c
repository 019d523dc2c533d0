#include "replica/orset.h"
#include <string.h>

static int entry_cmp(const struct orset_entry *e, struct str element, struct ulid add)
{
        int r = str_cmp(e->element, element);

        return r ? r : ulid_cmp(e->add, add);
}

/* Where (element, add) is or belongs. */
static size_t position_of(const struct orset *s, struct str element, struct ulid add)
{
        size_t low = 0, high = s->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (entry_cmp(&s->entries[middle], element, add) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct orset_entry *entry_of(struct orset *s, struct arena *arena, struct str element, struct ulid add)
{
        size_t at = position_of(s, element, add);

        if (at < s->n && entry_cmp(&s->entries[at], element, add) == 0)
                return &s->entries[at];
        if (s->n == s->capacity) {
                size_t capacity = s->capacity ? s->capacity * 2 : 8;
                struct orset_entry *grown = arena_array(arena, capacity, sizeof(*grown));

                if (s->n)
                        memcpy(grown, s->entries, s->n * sizeof(*grown));
                s->entries = grown;
                s->capacity = capacity;
        }
        memmove(s->entries + at + 1, s->entries + at, (s->n - at) * sizeof(*s->entries));
        s->entries[at] = (struct orset_entry){ .element = arena_str(arena, element), .add = add };
        s->n++;
        return &s->entries[at];
}

void orset_add(struct orset *s, struct arena *arena, struct str element, struct ulid op_id)
{
        entry_of(s, arena, element, op_id)->added = true;
}

void orset_remove(struct orset *s, struct arena *arena, struct str element, const struct ulid *adds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                entry_of(s, arena, element, adds[i])->removed = true;
}

bool orset_has(const struct orset *s, struct str element)
{
        return orset_adds(s, element, NULL, 0) > 0;
}

size_t orset_adds(const struct orset *s, struct str element, struct ulid *ret_adds, size_t max)
{
        size_t n = 0;

        for (size_t i = position_of(s, element, (struct ulid){ 0 }); i < s->n && str_eq(s->entries[i].element, element); i++) {
                if (!s->entries[i].added || s->entries[i].removed)
                        continue;
                if (n < max)
                        ret_adds[n] = s->entries[i].add;
                n++;
        }
        return n;
}

size_t orset_elements(const struct orset *s, struct str *ret_elements, size_t max)
{
        struct str last = { 0 };
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++) {
                const struct orset_entry *e = &s->entries[i];

                if (!e->added || e->removed || (n > 0 && str_eq(e->element, last)))
                        continue;
                if (n < max)
                        ret_elements[n] = e->element;
                last = e->element;
                n++;
        }
        return n;
}
