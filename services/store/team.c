#include "team.h"

#include "definition.h"
#include "person.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct team) == sizeof(struct op_team_set) && sizeof(struct ticket_type) == sizeof(struct op_type_set),
               "a team and a type look as their ops do");

static size_t member_index(const struct op_team_set *team, struct ulid who)
{
        size_t i = 0;

        while (i < team->members.n && !ulid_eq(team->members.items[i], who))
                i++;
        return i;
}

int team_turn(struct tx *tx, struct ulid team, struct ulid *ret)
{
        struct op_team_set body = { 0 };
        struct ulid last = { 0 };
        sqlite3_stmt *q;
        size_t at;
        int r;

        r = definition_find(tx->db, &schema_op_team_set, team, tx->arena, &body);
        if (r || !body.rotate)
                return r ? r : -ENOENT;
        q = db_query(tx->db, "SELECT member FROM turn WHERE team = ?1", "u", team);
        r = db_step(tx->db, q);
        if (r < 0)
                return r;
        if (r > 0)
                last = db_column_ulid(q, 0);
        db_done(q);
        at = member_index(&body, last); /* who left the team had the last turn: from the first one on */
        for (size_t i = 1; i <= body.members.n; i++) {
                struct ulid next = body.members.items[(at == body.members.n ? i - 1 : at + i) % body.members.n];
                bool may;

                r = person_may(tx->db, next, SCHEMA_ROLE_AGENT, &may);
                if (r)
                        return r;
                if (!may)
                        continue;
                *ret = next;
                return db_do(tx->db, "INSERT INTO turn(team, member) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET member = excluded.member", "uu",
                             team, next);
        }
        return -ENOENT;
}

int type_team(struct tx *tx, struct ulid type, struct ulid *ret)
{
        struct op_type_set body = { 0 };
        bool usable;
        int r = definition_find(tx->db, &schema_op_type_set, type, tx->arena, &body);

        if (r || !body.has_team)
                return r ? r : -ENOENT;
        r = definition_usable(tx->db, &schema_op_team_set, body.team, &usable);
        if (r || !usable)
                return r ? r : -ENOENT;
        *ret = body.team;
        return 0;
}

static int members_check(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct op_team_set *team = body;

        (void)params;
        for (size_t i = 0; i < team->members.n; i++) {
                bool may;
                int r;

                if (member_index(team, team->members.items[i]) != i)
                        return call_invalid(c, "members", "item %zu is there twice; leave it out", i + 1);
                r = person_may(tx->db, team->members.items[i], SCHEMA_ROLE_AGENT, &may);
                if (r)
                        return r;
                if (!may)
                        return call_invalid(c, "members", "item %zu must be an active agent", i + 1);
        }
        return 0;
}

int store_on_team_save(struct store *s, struct call *c, const struct team_save *in, struct team_save_result *ret)
{
        struct op_team_set body = { .name = in->name, .members = { in->members.items, in->members.n }, .rotate = in->rotate,
                                    .retired = in->retired };

        return definition_handle(s, c, &(struct definition_saving){ &schema_op_team_set, in->has_team ? &in->team : NULL, &body, members_check }, &ret->team,
                                 &ret->has_cursor, &ret->cursor);
}

int store_on_team_list(struct store *s, struct call *c, const struct team_list *in, struct team_list_result *ret)
{
        (void)in;
        return definition_list(store_db(s, c), &schema_op_team_set, NULL, &c->arena, (struct schema_list *)&ret->items);
}

static int team_check(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct op_type_set *type = body;

        (void)params;
        return type->has_team ? definition_check(tx, c, "team", &schema_op_team_set, type->team) : 0;
}

int store_on_type_save(struct store *s, struct call *c, const struct type_save *in, struct type_save_result *ret)
{
        struct op_type_set body = { .name = in->name, .has_team = in->has_team, .team = in->team, .retired = in->retired };

        return definition_handle(s, c, &(struct definition_saving){ &schema_op_type_set, in->has_type ? &in->type : NULL, &body, team_check }, &ret->type,
                                 &ret->has_cursor, &ret->cursor);
}

/* Which team has it is the agents' affair. */
int store_on_type_list(struct store *s, struct call *c, const struct type_list *in, struct type_list_result *ret)
{
        struct caller caller = store_actor(c);
        struct schema_list all;
        int r = definition_list(store_db(s, c), &schema_op_type_set, NULL, &c->arena, &all);

        (void)in;
        if (r)
                return r;
        ret->items.items = all.items;
        ret->items.n = all.n;
        for (size_t i = 0; i < all.n && !caller_is_agent(&caller); i++)
                ret->items.items[i].has_team = false;
        return 0;
}
