#include "published.h"
#include <stdlib.h>
#include <string.h>

/* ---- reading the text ---- */

/* "kind name attributes", and the indented lines below. */
struct block {
        struct str kind, name, attributes, members;
};

static struct str take_line(struct str *text)
{
        return str_cut(text, '\n');
}

static bool next_block(struct str *text, struct block *ret)
{
        struct str line = { 0 };

        while (text->n && !line.n)
                line = take_line(text);
        if (!line.n)
                return false;
        ret->kind = str_cut(&line, ' ');
        ret->name = str_cut(&line, ' ');
        ret->attributes = line;
        ret->members = (struct str){ text->p, 0 };
        while (str_starts(*text, "  ")) {
                take_line(text);
                ret->members.n = (size_t)(text->p - ret->members.p);
        }
        return true;
}

static bool find_block(struct str text, const struct block *like, struct block *ret)
{
        struct block block;

        while (next_block(&text, &block)) {
                if (!str_eq(block.kind, like->kind) || !str_eq(block.name, like->name))
                        continue;
                *ret = block;
                return true;
        }
        return false;
}

/* "  param subject string range=1..200 optional" */
struct member {
        struct str word, name, type, attributes;
};

/* The next member that begins with this word. */
static bool next_member(struct str *members, const char *word, struct member *ret)
{
        while (members->n) {
                struct str line = str_trim(take_line(members));

                ret->word = str_cut(&line, ' ');
                if (!str_is(ret->word, word))
                        continue;
                ret->name = str_cut(&line, ' ');
                ret->type = str_cut(&line, ' ');
                ret->attributes = line;
                return true;
        }
        return false;
}

static bool find_member(struct str members, const char *word, struct str name)
{
        struct member m;

        while (next_member(&members, word, &m))
                if (str_eq(m.name, name))
                        return true;
        return false;
}

/* What stands behind "key=", or the key itself where it stands alone; empty where it doesn't. */
static struct str attribute(struct str attributes, const char *key)
{
        while (attributes.n) {
                struct str value = str_cut(&attributes, ' '), name = str_cut(&value, '=');

                if (str_is(name, key))
                        return value.n ? value : name;
        }
        return (struct str){ 0 };
}

static bool has(struct str attributes, const char *key)
{
        return attribute(attributes, key).n > 0;
}

/* Of "-5..20"; numbers as published_write has written them. */
static void range_of(struct str attributes, const char *key, long long *ret_min, long long *ret_max)
{
        struct str range = attribute(attributes, key);
        char text[64] = "0..0", *end;

        if (range.n && range.n < sizeof(text)) {
                memcpy(text, range.p, range.n);
                text[range.n] = '\0';
        }
        *ret_min = strtoll(text, &end, 10);
        *ret_max = strtoll(end + strspn(end, "."), NULL, 10);
}

/* ---- the rules ---- */

enum direction { IN = 1, OUT = 2 };

struct comparison {
        const struct block *block;
        const char *word;    /* "param" */
        unsigned directions; /* enum direction */
        struct buf *problems;
};

static void problem(const struct comparison *c, const struct member *m, const char *what)
{
        buf_format(c->problems, "%.*s %.*s: %s '%.*s' %s\n", STR_ARG(c->block->kind), STR_ARG(c->block->name), c->word,
                   STR_ARG(m->name), what);
}

static bool may_be_absent(const struct member *m)
{
        return has(m->attributes, "optional") || has(m->attributes, "nullable");
}

static void compare_range(const struct comparison *c, const struct member *old, const struct member *now, const char *key)
{
        long long old_min, old_max, min, max;

        range_of(old->attributes, key, &old_min, &old_max);
        range_of(now->attributes, key, &min, &max);
        if (c->directions & IN && (min > old_min || max < old_max))
                problem(c, now, "takes less than it did; widen its range again");
        if (c->directions & OUT && (min < old_min || max > old_max))
                problem(c, now, "answers more than clients were told; narrow its range again, or add a field");
}

static void compare_field(const struct comparison *c, const struct member *old, const struct member *now)
{
        bool needed = !may_be_absent(now) && !has(now->attributes, "default");
        struct str old_default = attribute(old->attributes, "default");

        if (!str_eq(old->type, now->type)) {
                problem(c, now, "has another type; add a field of that type instead");
                return;
        }
        compare_range(c, old, now, "range");
        compare_range(c, old, now, "items");
        if (c->directions & IN && needed && (may_be_absent(old) || old_default.n))
                problem(c, now, "was not needed before; make it optional again");
        if (c->directions & IN && has(old->attributes, "nullable") && !has(now->attributes, "nullable"))
                problem(c, now, "took null before; make it nullable again");
        if (c->directions & IN && old_default.n && !str_eq(old_default, attribute(now->attributes, "default")))
                problem(c, now, "had another default; put that back");
        if (c->directions & OUT && !may_be_absent(old) && may_be_absent(now))
                problem(c, now, "was always there before; make it so again");
        if (c->directions & OUT && !has(old->attributes, "nullable") && has(now->attributes, "nullable"))
                problem(c, now, "was never null before; make it so again");
        if (has(old->attributes, "personal") != has(now->attributes, "personal"))
                problem(c, now, "is personal or was; the log holds it in the other way for ever, add a field instead");
}

/* Each field still has its place, since services read it from there; what comes behind is new. */
static void compare_fields(const struct comparison *c, struct str old_members, struct str now_members)
{
        struct str rest = now_members;
        struct member old, now;

        while (next_member(&old_members, c->word, &old)) {
                if (!next_member(&rest, c->word, &now) || !str_eq(old.name, now.name)) {
                        problem(c, &old, find_member(now_members, c->word, old.name) ? "has moved; add new ones at the end"
                                                                                     : "is gone; put it back, unused ones too");
                        return;
                }
                compare_field(c, &old, &now);
        }
        while (c->directions & IN && next_member(&rest, c->word, &now))
                if (!may_be_absent(&now) && !has(now.attributes, "default"))
                        problem(c, &now, "is new, so older clients don't send it; make it optional or give it a default");
}

static int role_rank(struct str role)
{
        static const char *const roles[] = { "anyone", "stranger", "customer", "agent", "admin" };
        int rank = 0;

        while (rank < 5 && !str_is(role, roles[rank]))
                rank++;
        return rank;
}

static void compare_method(const struct block *old, const struct block *now, struct buf *problems)
{
        struct comparison params = { old, "param", IN, problems }, result = { old, "result", OUT, problems };
        struct str name = old->name;

        if (role_rank(attribute(now->attributes, "role")) > role_rank(attribute(old->attributes, "role")))
                buf_format(problems, "method %.*s: asks for a greater role than before; add another method\n", STR_ARG(name));
        if (!str_eq(attribute(now->attributes, "via"), attribute(old->attributes, "via")))
                buf_format(problems, "method %.*s: has another route; add another method\n", STR_ARG(name));
        if (has(now->attributes, "mutates") != has(old->attributes, "mutates"))
                buf_format(problems, "method %.*s: 'mutates' has come or gone; add another method\n", STR_ARG(name));
        compare_fields(&params, old->members, now->members);
        compare_fields(&result, old->members, now->members);
}

static void compare_block(const struct block *old, const struct block *now, struct buf *problems)
{
        struct comparison fields = { old, "field", 0, problems };
        struct str values = old->members;
        struct member value;

        if (str_is(old->kind, "method")) {
                compare_method(old, now, problems);
                return;
        }
        if (str_is(old->kind, "error") && !str_eq(old->attributes, now->attributes))
                buf_format(problems, "error %.*s: has another code; put %.*s back\n", STR_ARG(old->name), STR_ARG(old->attributes));
        if (!str_eq(attribute(old->attributes, "audience"), attribute(now->attributes, "audience")))
                buf_format(problems, "%.*s %.*s: has another audience; add another %.*s\n", STR_ARG(old->kind), STR_ARG(old->name),
                           STR_ARG(old->kind));
        while (next_member(&values, "value", &value))
                if (!find_member(now->members, "value", value.name))
                        buf_format(problems, "enum %.*s: value '%.*s' is gone; put it back\n", STR_ARG(old->name), STR_ARG(value.name));
        if (str_is(old->kind, "op") || has(old->attributes, "in"))
                fields.directions |= IN;
        if (str_is(old->kind, "event") || has(old->attributes, "out"))
                fields.directions |= OUT;
        compare_fields(&fields, old->members, now->members);
}

void published_compare(struct str before, struct str now, struct buf *problems)
{
        struct block old, new;

        while (next_block(&before, &old)) {
                if (find_block(now, &old, &new))
                        compare_block(&old, &new, problems);
                else if (!str_is(old.kind, "type") && !str_is(old.kind, "enum") && !has(old.attributes, "deprecated"))
                        buf_format(problems, "%.*s %.*s: is gone; put it back%s\n", STR_ARG(old.kind), STR_ARG(old.name),
                                   str_is(old.kind, "method") ? ", and mark it 'deprecated' for one release first" : "");
        }
}
