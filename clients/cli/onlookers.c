#include "onlookers.h"

static const struct viewer *find(const struct viewer *people, size_t n, struct ulid user)
{
        for (size_t i = 0; i < n; i++)
                if (ulid_eq(people[i].user, user))
                        return &people[i];
        return NULL;
}

static const char *doing_words(int activity)
{
        return activity == ACTIVITY_TYPING ? "is typing…" : "is drafting…";
}

static void say(struct buf *out, struct str name, const char *words, const char *end)
{
        buf_str(out, name);
        buf_char(out, ' ');
        buf_text(out, words);
        buf_text(out, end);
}

void onlookers_take(struct onlookers *o, const struct viewer *people, size_t n, struct ulid me, bool doing, onlookers_name_fn *name, void *data,
                    struct buf *lines)
{
        struct onlookers now = { 0 };

        for (size_t i = 0; i < n && now.n < ONLOOKERS_MAX; i++)
                if (!ulid_eq(people[i].user, me))
                        now.items[now.n++] = people[i];
        for (size_t i = 0; i < o->n; i++)
                if (!find(now.items, now.n, o->items[i].user))
                        say(lines, name(data, o->items[i].user), "is gone.", "\n");
        for (size_t i = 0; i < now.n; i++) {
                const struct viewer *before = find(o->items, o->n, now.items[i].user), *v = &now.items[i];

                if (!before)
                        say(lines, name(data, v->user), "is looking.", "\n");
                if (doing && v->activity > (before ? before->activity : ACTIVITY_VIEWING)) /* back from typing to its draft is no news */
                        say(lines, name(data, v->user), doing_words(v->activity), "\n");
        }
        *o = now;
}

void onlookers_still(struct onlookers *o)
{
        for (size_t i = 0; i < o->n; i++)
                o->items[i].activity = ACTIVITY_VIEWING;
}

void onlookers_doing(const struct onlookers *o, onlookers_name_fn *name, void *data, struct buf *out)
{
        for (size_t i = 0; i < o->n; i++)
                if (o->items[i].activity != ACTIVITY_VIEWING)
                        say(out, name(data, o->items[i].user), doing_words(o->items[i].activity), i + 1 < o->n ? "  " : "");
}
