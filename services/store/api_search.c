/* The methods that search. */
#include "comment.h"
#include "definition.h"
#include "person.h"
#include "position.h"
#include "schema/field.h"
#include "schema/search.h"
#include "schema/team.h"
#include "schema/type.h"
#include "search_find.h"
#include "ticket.h"

#include <errno.h>

static int query_invalid(struct call *c, size_t column, const char *reason)
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
                return query_invalid(c, person->column, "must be me, nobody or an id");
        r = person_named(db, person->name, staff, ret, &several);
        if (r == -ENOENT)
                return query_invalid(c, person->column, staff ? "is no agent's name; write me, nobody, a name or an id"
                                                              : "is nobody's name; write me, a name or an id");
        return !r && several ? query_invalid(c, person->column, "is the name of several: write an id") : r;
}

/* Which type or team a filter means. */
static int named(struct db *db, struct call *c, const struct schema_op *kind, const struct search_named *filter, struct ulid *ret)
{
        int r;

        if (filter->which != SEARCH_NAMED || !ulid_parse(filter->name, ret))
                return 0;
        r = definition_named(db, kind, filter->name, ret);
        return r == -ENOENT ? query_invalid(c, filter->column, "there is none of this name; write a name, an id or none") : r;
}

/* Customers are not told of teams, nor of hidden fields. */
static int fields_find(struct db *db, struct call *c, bool agent, const struct search_query *query, struct search_wanted *ret)
{
        const struct op_field_set *fields;
        struct schema_list all;
        int r = query->n_fields ? definition_list(db, &schema_op_field_set, &c->arena, &all) : 0;

        for (size_t i = 0; i < query->n_fields && !r; i++) {
                const struct search_field *filter = &query->fields[i];
                size_t k = 0;

                fields = all.items;
                while (k < all.n && (!str_eq(fields[k].key, filter->key) || (!agent && fields[k].access == FIELD_ACCESS_HIDDEN)))
                        k++;
                if (k == all.n)
                        return query_invalid(c, filter->column, "there is no field with this key; field.list has them");
                if (filter->compares != '=' && fields[k].kind != FIELD_KIND_NUMBER && fields[k].kind != FIELD_KIND_DATE)
                        return query_invalid(c, filter->column, "only numbers and dates compare by < and >");
                ret->fields[i] = fields[k].field;
                ret->numbers[i] = fields[k].kind == FIELD_KIND_NUMBER;
        }
        return r;
}

static int after_read(struct store *s, struct db *db, struct call *c, const struct ticket_search *in, int64_t *ret)
{
        int r;

        *ret = INT64_MAX;
        r = in->has_after ? position_read(s, db, in->after, ret) : POSITION_GOOD;
        return r > POSITION_GOOD ? call_invalid(c, "after", "must be the `next` of the page before") : r;
}

int store_on_ticket_search(struct store *s, struct call *c, const struct ticket_search *in, struct ticket_search_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct search_query query;
        struct search_fault fault;
        struct search_wanted wanted = { .query = &query, .limit = (size_t)in->limit };
        struct search_hit *hits = arena_array(&c->arena, wanted.limit, sizeof(*hits));
        int64_t next;
        size_t n;
        int r;

        if (search_query_parse(in->query, &query, &fault))
                return query_invalid(c, fault.column, fault.reason);
        r = somebody(db, c, &caller, &query.assignee, true, &wanted.assignee);
        if (!r)
                r = somebody(db, c, &caller, &query.requester, false, &wanted.requester);
        if (!r && query.team.which != SEARCH_ANY && !caller_is_agent(&caller))
                r = query_invalid(c, query.team.column, "is a filter for agents; leave it out");
        if (!r)
                r = named(db, c, &schema_op_team_set, &query.team, &wanted.team);
        if (!r)
                r = named(db, c, &schema_op_type_set, &query.type, &wanted.type);
        if (!r)
                r = fields_find(db, c, caller_is_agent(&caller), &query, &wanted);
        if (!r)
                r = after_read(s, db, c, in, &wanted.after);
        if (!r)
                r = search_find(db, &caller, &wanted, &c->arena, hits, &n, &next);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, n, sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++) {
                struct found *found = &ret->items.items[ret->items.n++];
                struct ticket_row row;

                found->snippet = hits[i].snippet;
                found->has_comment = !ulid_is_zero(hits[i].entity);
                found->comment = hits[i].entity;
                r = ticket_find(db, hits[i].ticket, &row);
                if (!r)
                        r = ticket_view(db, &caller, &row, &c->arena, &found->ticket);
        }
        ret->has_next = next != 0;
        return r || !next ? r : position_cursor_at(s, db, next, &c->arena, &ret->next);
}

static int similar_view(struct db *db, const struct caller *caller, const struct search_like *like, const struct str *words, struct arena *arena,
                        struct similar *ret)
{
        struct ticket_row row;
        int r = ticket_find(db, like->ticket, &row);

        ret->shared.items = arena_array(arena, SEARCH_SHARED_MAX, sizeof(*ret->shared.items));
        for (int i = 0; i < SEARCH_SHARED_MAX; i++)
                if (like->shared >> i & 1)
                        ret->shared.items[ret->shared.n++] = words[i];
        return r ? r : ticket_view(db, caller, &row, arena, &ret->ticket);
}

int store_on_ticket_similar(struct store *s, struct call *c, const struct ticket_similar *in, struct ticket_similar_result *ret)
{
        struct caller caller = store_actor(c);
        struct db *db = store_db(s, c);
        struct search_like *likes = arena_array(&c->arena, (size_t)in->limit, sizeof(*likes));
        struct str words[SEARCH_SHARED_MAX], next;
        struct comment *first;
        struct ticket_row row;
        struct ticket ticket;
        size_t n;
        int r;

        r = ticket_find_visible(db, &caller, in->ticket, &row);
        if (r)
                return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
        r = ticket_view(db, &caller, &row, &c->arena, &ticket);
        if (!r)
                r = comment_page(db, false, in->ticket, &(struct page){ 0 }, 1, &c->arena, &first, &n, &next);
        if (!r)
                r = search_alike(db, in->ticket, ticket.subject, n ? first->body : (struct str){ 0 }, &c->arena, (size_t)in->limit, likes, &n, words);
        if (r)
                return r;
        ret->items.items = arena_array(&c->arena, n, sizeof(*ret->items.items));
        for (size_t i = 0; i < n && !r; i++)
                r = similar_view(db, &caller, &likes[i], words, &c->arena, &ret->items.items[ret->items.n++]);
        return r;
}
