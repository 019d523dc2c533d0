#include "search_filter.h"

#include "codec.h"
#include "definition.h"
#include "person.h"
#include "schema/field.h"
#include "schema/label.h"
#include "schema/team.h"
#include "schema/type.h"

#include <errno.h>

static void tags_json(const struct search_query *query, bool negated, struct buf *out)
{
        const char *separator = "[";

        for (size_t i = 0; i < query->n_tags; i++) {
                if (query->tags[i].negated != negated)
                        continue;
                buf_text(out, separator);
                json_string(out, query->tags[i].text);
                separator = ",";
        }
        buf_text(out, *separator == '[' ? "[]" : "]");
}

static void fields_json(const struct search_query *query, const struct search_names *names, struct buf *out)
{
        buf_char(out, '[');
        for (size_t i = 0; i < query->n_fields; i++) {
                const struct search_field *f = &query->fields[i];

                buf_text(out, i ? ",[\"" : "[\"");
                buf_hex(out, names->fields[i].b, sizeof(names->fields[i].b));
                buf_format(out, "\",\"%c\",", f->compares);
                json_string(out, f->value);
                buf_format(out, ",%d,%d]", names->numbers[i], f->negated);
        }
        buf_char(out, ']');
}

static int64_t by_person(const struct search_person *person)
{
        return person->who == SEARCH_ANYBODY ? 0 : 1 + person->negated;
}

static int64_t by_name(const struct search_named *named)
{
        return named->which == SEARCH_ANY ? 0 : 1 + named->negated;
}

static int64_t hlc_bound(int64_t ms)
{
        return ms == INT64_MAX ? INT64_MAX : (int64_t)hlc_of(ms, 0);
}

static struct str kept(struct buf *b, struct arena *arena)
{
        struct str s = arena_str(arena, buf_view(b));

        buf_deinit(b);
        return s;
}

void search_filter_init(const struct search_query *query, const struct search_names *names, bool agent, struct arena *arena,
                        struct search_filter *ret)
{
        struct buf tags = { 0 }, not_tags = { 0 }, fields = { 0 };

        tags_json(query, false, &tags);
        tags_json(query, true, &not_tags);
        fields_json(query, names, &fields);
        *ret = (struct search_filter){
                .states = (int64_t)query->states,
                .priorities = (int64_t)query->priorities,
                .created_from = hlc_bound(query->created.from_ms),
                .created_until = hlc_bound(query->created.until_ms),
                .changed_from = hlc_bound(query->changed.from_ms),
                .changed_until = hlc_bound(query->changed.until_ms),
                .by_assignee = by_person(&query->assignee),
                .assignee = query->assignee.who == SEARCH_NOBODY ? NULL : &names->assignee,
                .by_requester = by_person(&query->requester),
                .requester = query->requester.who == SEARCH_NOBODY ? NULL : &names->requester,
                .tags = kept(&tags, arena),
                .not_tags = kept(&not_tags, arena),
                .by_type = by_name(&query->type),
                .type = query->type.which == SEARCH_NAMED ? &names->type : NULL,
                .by_team = by_name(&query->team),
                .team = query->team.which == SEARCH_NAMED ? &names->team : NULL,
                .fields = kept(&fields, arena),
                .agent = agent,
                .by_label = by_name(&query->label),
                .label = query->label.which == SEARCH_NAMED ? &names->label : NULL,
                .snoozed = query->snoozed.which,
                .caller = &names->caller,
        };
}

int search_query_invalid(struct call *c, size_t column, const char *reason)
{
        return call_invalid(c, "query", "column %zu: %s", column, reason);
}

/* Whom a filter means. Customers give ids: a name would tell them who is here. */
static int somebody(struct db *db, struct call *c, const struct caller *caller, const struct search_person *person, bool staff, struct ulid *ret)
{
        bool several;
        int r;

        if (person->who == SEARCH_ME)
                *ret = caller->user;
        if (person->who != SEARCH_SOMEBODY || !ulid_parse(person->name, ret))
                return 0;
        if (!caller_is_agent(caller))
                return search_query_invalid(c, person->column, "must be me, nobody or an id");
        r = person_named(db, person->name, staff, ret, &several);
        if (r == -ENOENT)
                return search_query_invalid(c, person->column, staff ? "is no agent's name; write me, nobody, a name or an id"
                                                              : "is nobody's name; write me, a name or an id");
        return !r && several ? search_query_invalid(c, person->column, "is the name of several: write an id") : r;
}

/* Which type or team a filter means. */
static int named(struct db *db, struct call *c, const struct schema_op *kind, const struct search_named *filter, struct ulid *ret)
{
        int r;

        if (filter->which != SEARCH_NAMED || !ulid_parse(filter->name, ret))
                return 0;
        r = definition_named(db, kind, NULL, filter->name, ret);
        return r == -ENOENT ? search_query_invalid(c, filter->column, "there is none of this name; write a name, an id or none") : r;
}

/* Customers are not told of teams, nor of hidden fields. */
static int fields_find(struct db *db, struct call *c, bool agent, const struct search_query *query, struct search_names *ret)
{
        const struct op_field_set *fields;
        struct schema_list all;
        int r = query->n_fields ? definition_list(db, &schema_op_field_set, NULL, &c->arena, &all) : 0;

        for (size_t i = 0; i < query->n_fields && !r; i++) {
                const struct search_field *filter = &query->fields[i];
                size_t k = 0;

                fields = all.items;
                while (k < all.n && (!str_eq(fields[k].key, filter->key) || (!agent && fields[k].access == FIELD_ACCESS_HIDDEN)))
                        k++;
                if (k == all.n)
                        return search_query_invalid(c, filter->column, "there is no field with this key; field.list has them");
                if (filter->compares != '=' && fields[k].kind != FIELD_KIND_NUMBER && fields[k].kind != FIELD_KIND_DATE)
                        return search_query_invalid(c, filter->column, "only numbers and dates compare by < and >");
                ret->fields[i] = fields[k].field;
                ret->numbers[i] = fields[k].kind == FIELD_KIND_NUMBER;
        }
        return r;
}

int search_names_find(struct db *db, struct call *c, const struct caller *caller, const struct search_query *query, struct search_names *ret)
{
        int r = somebody(db, c, caller, &query->assignee, true, &ret->assignee);

        ret->caller = caller->user;
        if (!r)
                r = somebody(db, c, caller, &query->requester, false, &ret->requester);
        if (!r && query->team.which != SEARCH_ANY && !caller_is_agent(caller))
                r = search_query_invalid(c, query->team.column, "is a filter for agents; leave it out");
        if (!r && query->snoozed.given && !caller_is_agent(caller))
                r = search_query_invalid(c, query->snoozed.column, "is a filter for agents; leave it out");
        if (!r)
                r = named(db, c, &schema_op_team_set, &query->team, &ret->team);
        if (!r)
                r = named(db, c, &schema_op_label_set, &query->label, &ret->label);
        if (!r)
                r = named(db, c, &schema_op_type_set, &query->type, &ret->type);
        return r ? r : fields_find(db, c, caller_is_agent(caller), query, ret);
}
