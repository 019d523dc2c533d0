#include "search_query.h"

#include "day.h"
#include "schema/ticket.h"

#include <errno.h>
#include <stdio.h>

struct parser {
        struct str all, rest;
        struct search_query *query;
        struct search_fault *fault;
};

/* The character that this is in. */
static size_t column_of(const struct parser *p, const char *at)
{
        size_t column = 1;

        for (const char *c = p->all.p; c < at; c++)
                column += ((unsigned char)*c & 0xc0) != 0x80;
        return column;
}

static int bad(struct parser *p, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int bad(struct parser *p, const char *at, const char *format, ...)
{
        va_list args;

        p->fault->column = column_of(p, at);
        va_start(args, format);
        vsnprintf(p->fault->reason, sizeof(p->fault->reason), format, args);
        va_end(args);
        return -EINVAL;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool search_is_letter(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool has_letter(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (search_is_letter(s.p[i]))
                        return true;
        return false;
}

static void skip(struct parser *p, size_t n)
{
        p->rest = (struct str){ p->rest.p + n, p->rest.n - n };
}

/* Up to white space, or between quotation marks. */
static int take(struct parser *p, struct str *ret, bool *ret_quoted)
{
        const char *open = p->rest.p;
        size_t n = 0;

        *ret_quoted = p->rest.n && *open == '"';
        if (*ret_quoted) {
                skip(p, 1);
                while (n < p->rest.n && p->rest.p[n] != '"')
                        n++;
                if (n == p->rest.n)
                        return bad(p, open, "this quotation mark is not closed: write \" at the end of the phrase");
                *ret = (struct str){ p->rest.p, n };
                skip(p, n + 1);
                if (p->rest.n && !is_space(*p->rest.p) && *p->rest.p != '*')
                        return bad(p, p->rest.p, "a space is missing after the quotation mark");
                return 0;
        }
        while (n < p->rest.n && !is_space(p->rest.p[n])) {
                if (p->rest.p[n] == '"')
                        return bad(p, p->rest.p + n, "a space is missing before the quotation mark");
                n++;
        }
        *ret = (struct str){ p->rest.p, n };
        skip(p, n);
        return 0;
}

/* ---- words ---- */

static int term(struct parser *p)
{
        struct search_query *query = p->query;
        const char *at = p->rest.p;
        struct search_term t = { 0 };
        bool quoted;
        int r = take(p, &t.text, &quoted);

        if (r)
                return r;
        if (quoted && p->rest.n && *p->rest.p == '*')
                return bad(p, p->rest.p, "a phrase can't be a beginning: put * behind a word without quotation marks");
        if (!quoted && t.text.n > 1 && t.text.p[t.text.n - 1] == '*') {
                t.prefix = true;
                t.text.n--;
        }
        for (size_t i = 0; !quoted && i < t.text.n; i++)
                if (t.text.p[i] == '*')
                        return bad(p, t.text.p + i, "* stands at the end of a word, for any ending");
        if (!has_letter(t.text))
                return bad(p, at, "is no word: write one with a letter or digit");
        if (t.prefix && str_utf8_length(t.text) < SEARCH_PREFIX_MIN)
                return bad(p, at, "is too short a beginning: write %d characters or more before *", SEARCH_PREFIX_MIN);
        if (t.prefix && query->n_prefixes++ == SEARCH_PREFIXES_MAX)
                return bad(p, at, "is one beginning too many: %d at most", SEARCH_PREFIXES_MAX);
        if (query->n_terms == SEARCH_TERMS_MAX)
                return bad(p, at, "is one word too many: %d words and phrases at most", SEARCH_TERMS_MAX);
        query->terms[query->n_terms++] = t;
        return 0;
}

/* ---- filters ---- */

struct filter {
        const char *at;         /* where it begins */
        struct str name, value;
        bool negated;
};

static int filter_value(struct parser *p, const struct filter *f, const struct schema_enum *values, uint64_t *fit)
{
        char all[120];
        size_t n = 0;

        for (int i = 0; i < values->n; i++) {
                if (str_is(f->value, values->values[i])) {
                        *fit &= f->negated ? ~(UINT64_C(1) << i) : UINT64_C(1) << i;
                        return 0;
                }
                n += (size_t)snprintf(all + n, n < sizeof(all) ? sizeof(all) - n : 0, "%s%s", i ? ", " : "", values->values[i]);
        }
        return bad(p, f->value.p, "must be one of %s", all);
}

static int filter_person(struct parser *p, const struct filter *f, struct search_person *person)
{
        if (person->who != SEARCH_ANYBODY)
                return bad(p, f->at, "is given twice: write one %.*s", STR_ARG(f->name));
        person->negated = f->negated;
        person->name = f->value;
        person->column = column_of(p, f->value.p);
        person->who = str_is(f->value, "me") ? SEARCH_ME : str_is(f->value, "nobody") ? SEARCH_NOBODY : SEARCH_SOMEBODY;
        return 0;
}

static int filter_time(struct parser *p, const struct filter *f, struct search_range *range)
{
        char sign = f->value.p[0];
        bool open = sign == '>' || sign == '<';
        struct str day = open ? (struct str){ f->value.p + 1, f->value.n - 1 } : f->value;
        int64_t at;

        if (f->negated)
                return bad(p, f->at, "a time can't be negated: turn < and > around");
        if (!day_read(day, &at))
                return bad(p, day.p, "must be a day, as in %.*s:>2026-01-31, or with < for before it", STR_ARG(f->name));
        if (sign != '<' && at > range->from_ms)
                range->from_ms = at;
        if (sign == '<' && at < range->until_ms)
                range->until_ms = at;
        if (!open && at + DAY_MS < range->until_ms)
                range->until_ms = at + DAY_MS;
        return 0;
}

static int filter_tag(struct parser *p, const struct filter *f)
{
        struct search_query *query = p->query;

        if (query->n_tags == SEARCH_TAGS_MAX)
                return bad(p, f->at, "is one tag too many: %d at most", SEARCH_TAGS_MAX);
        query->tags[query->n_tags].text = f->value;
        query->tags[query->n_tags++].negated = f->negated;
        return 0;
}

static int filter_named(struct parser *p, const struct filter *f, struct search_named *named)
{
        if (named->which != SEARCH_ANY)
                return bad(p, f->at, "is given twice: write one %.*s", STR_ARG(f->name));
        *named = (struct search_named){ str_is(f->value, "none") ? SEARCH_NONE : SEARCH_NAMED, f->negated, f->value, column_of(p, f->value.p) };
        return 0;
}

static int filter_snoozed(struct parser *p, const struct filter *f)
{
        bool yes = str_is(f->value, "yes"), any = str_is(f->value, "any");

        if (p->query->snoozed.given)
                return bad(p, f->at, "is given twice: write one snoozed");
        if ((!yes && !any && !str_is(f->value, "no")) || (any && f->negated))
                return bad(p, f->value.p, "must be yes, no or any");
        p->query->snoozed.which = any ? SEARCH_EITHER : yes != f->negated ? SEARCH_SNOOZED : SEARCH_AWAKE;
        p->query->snoozed.given = true;
        p->query->snoozed.column = column_of(p, f->at);
        return 0;
}

static int filter_field(struct parser *p, const struct filter *f, struct str key)
{
        struct search_query *query = p->query;
        bool ordered = *f->value.p == '<' || *f->value.p == '>';
        struct str value = { f->value.p + ordered, f->value.n - ordered };

        if (!key.n)
                return bad(p, f->at, "a key is missing: write field.KEY:VALUE");
        if (!value.n)
                return bad(p, value.p, "a value is missing after %c", *f->value.p);
        if (query->n_fields == SEARCH_FIELDS_MAX)
                return bad(p, f->at, "is one field too many: %d at most", SEARCH_FIELDS_MAX);
        query->fields[query->n_fields++] = (struct search_field){ key, value, ordered ? *f->value.p : '=', f->negated, column_of(p, f->at) };
        return 0;
}

static int filter(struct parser *p, struct filter *f)
{
        struct str rest = f->name;
        struct search_query *query = p->query;
        bool quoted;
        int r = take(p, &f->value, &quoted);

        if (r)
                return r;
        if (quoted && p->rest.n && *p->rest.p == '*')
                return bad(p, p->rest.p, "a space is missing after the quotation mark");
        if (!f->value.n)
                return bad(p, f->value.p, "a value is missing after %.*s:", STR_ARG(f->name));
        if (str_is(f->name, "state"))
                return filter_value(p, f, &schema_enum_ticket_state, &query->states);
        if (str_is(f->name, "priority"))
                return filter_value(p, f, &schema_enum_priority, &query->priorities);
        if (str_is(f->name, "assignee"))
                return filter_person(p, f, &query->assignee);
        if (str_is(f->name, "requester"))
                return filter_person(p, f, &query->requester);
        if (str_is(f->name, "tag"))
                return filter_tag(p, f);
        if (str_is(f->name, "created"))
                return filter_time(p, f, &query->created);
        if (str_is(f->name, "changed"))
                return filter_time(p, f, &query->changed);
        if (str_is(f->name, "type"))
                return filter_named(p, f, &query->type);
        if (str_is(f->name, "team"))
                return filter_named(p, f, &query->team);
        if (str_is(f->name, "label"))
                return filter_named(p, f, &query->label);
        if (str_is(f->name, "snoozed"))
                return filter_snoozed(p, f);
        if (str_is(str_cut(&rest, '.'), "field"))
                return filter_field(p, f, rest);
        return bad(p, f->at, "there is no filter %.*s; there are state, priority, assignee, requester, type, team, label, snoozed, tag, created, changed "
                             "and field.KEY; put \" around what is none", f->name.n > 30 ? 30 : (int)f->name.n, f->name.p);
}

/* ASCII letters up to a colon, for a field its key behind them: a filter's name, or 0. */
static size_t name_length(struct str s)
{
        size_t n = 0;

        while (n < s.n && ((s.p[n] >= 'a' && s.p[n] <= 'z') || (s.p[n] >= 'A' && s.p[n] <= 'Z')))
                n++;
        if (n < s.n && s.p[n] == '.' && str_is((struct str){ s.p, n }, "field"))
                do
                        n++;
                while (n < s.n && (search_is_letter(s.p[n]) || s.p[n] == '_'));
        return n < s.n && s.p[n] == ':' ? n : 0;
}

static int part(struct parser *p)
{
        struct filter f = { .at = p->rest.p, .negated = *p->rest.p == '-' };
        size_t n = name_length((struct str){ p->rest.p + f.negated, p->rest.n - f.negated });

        if (!n && f.negated)
                return bad(p, f.at, "only a filter can be negated, as in -tag:vpn; put \" around what begins with -");
        if (!n)
                return term(p);
        f.name = (struct str){ p->rest.p + f.negated, n };
        skip(p, f.negated + n + 1);
        return filter(p, &f);
}

int search_query_parse(struct str text, struct search_query *ret, struct search_fault *fault)
{
        struct search_query query = { .states = UINT64_MAX, .priorities = UINT64_MAX, .created.until_ms = INT64_MAX, .changed.until_ms = INT64_MAX };
        struct parser p = { .all = text, .rest = text, .query = &query, .fault = fault };
        bool empty = true;

        for (size_t i = 0; i < text.n; i++)
                if (((unsigned char)text.p[i] < ' ' && !is_space(text.p[i])) || text.p[i] == 0x7f)
                        return bad(&p, text.p + i, "is a control character: leave it out");
        for (;;) {
                while (p.rest.n && is_space(*p.rest.p))
                        skip(&p, 1);
                if (!p.rest.n)
                        break;
                if (part(&p))
                        return -EINVAL;
                empty = false;
        }
        if (empty)
                return bad(&p, text.p, "is empty: write words to look for, or a filter such as state:open");
        *ret = query;
        return 0;
}

void search_quote(struct str text, struct buf *out)
{
        buf_char(out, '"');
        for (size_t i = 0; i < text.n; i++) {
                if (text.p[i] == '"')
                        buf_char(out, '"');
                buf_char(out, text.p[i]);
        }
        buf_char(out, '"');
}
