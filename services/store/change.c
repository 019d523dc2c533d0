#include "change.h"

#include "definition.h"
#include "field.h"
#include "person.h"
#include "position.h"
#include "reopen.h"
#include "state.h"
#include "team.h"

#include <errno.h>

int tag_append(struct tx *tx, struct ulid ticket, struct str tag)
{
        struct op_tag_add body = { .ticket = ticket, .tag = tag };

        return tx_append(tx, &(struct effect){ .kind = &schema_op_tag_add, .body = &body, .target = ticket, .audience = &ticket });
}

int tags_check(struct call *c, const char *field, const struct str *tags, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct str rest = tags[i], part = str_cut(&rest, ',');

                if (part.n != tags[i].n || str_trim(tags[i]).n != tags[i].n)
                        return call_invalid(c, field, "tag %zu has a comma or white space at an end; leave it out", i + 1);
        }
        return 0;
}

int change_allowed(struct change *h)
{
        const struct ticket_set *in = h->in;
        const char *field = in->has_subject         ? "subject"
                            : in->has_priority      ? "priority"
                            : in->has_assignee      ? "assignee"
                            : in->has_type          ? "type"
                            : in->has_team          ? "team"
                            : in->has_wake_at       ? "wake_at"
                            : in->has_label         ? "label"
                            : in->has_add_tags      ? "add_tags"
                            : in->has_remove_tags   ? "remove_tags"
                            : in->has_add_watchers  ? "add_watchers"
                                                    : in->has_remove_watchers ? "remove_watchers" : NULL;
        bool late = false;
        int r;

        if (caller_is_agent(&h->tx->actor))
                return 0;
        if (field)
                return call_invalid(h->c, field, "may be set by agents only; leave it out");
        if (in->has_state && in->state != TICKET_STATE_OPEN && in->state != TICKET_STATE_SOLVED && in->state != TICKET_STATE_CLOSED)
                return call_invalid(h->c, "state", "may be set to open, solved or closed by customers");
        r = in->has_state && in->state != TICKET_STATE_CLOSED ? reopen_is_late(h->tx->store, &h->row, &late) : 0;
        return r || !late ? r : call_invalid(h->c, "state", "was closed %d days ago or longer: reply, and a follow-up is filed", REOPEN_DAYS);
}

static int set_register(struct change *h, enum register_field field, const struct schema_op *kind, const void *body)
{
        struct accepted a;
        int r = registers_accept(h->tx, h->row.id, field, ticket_created_stamp(&h->row), h->seen, h->in->has_made_at ? h->in->made_at : 0, &a);

        if (r)
                return r;
        return tx_append(h->tx, &(struct effect){ .kind = kind, .body = body, .target = h->row.id,
                                                  .audience = kind->audience == SCHEMA_TO_TICKET ? &h->row.id : NULL,
                                                  .base = a.base, .n_base = a.n_base, .hlc = a.hlc });
}

int change_register(struct change *h, enum register_field field, bool same, const struct schema_op *kind, const void *body)
{
        bool change = !same || h->seen >= 0;
        int r = change ? 0 : registers_conflict(h->tx->db, h->row.id, field, &change);

        return r || !change ? r : set_register(h, field, kind, body);
}

/* Whether an id that may be none is the one that the row has. */
static bool same_id(bool has, struct ulid id, bool row_has, struct ulid row_id)
{
        return has == row_has && (!has || ulid_eq(id, row_id));
}

static int assign(struct change *h, bool some, struct ulid who)
{
        return change_register(h, REGISTER_ASSIGNEE, same_id(some, who, h->row.has_assignee, h->row.assignee), &schema_op_ticket_assignee,
                               &(struct op_ticket_assignee){ .ticket = h->row.id, .has_assignee = some, .assignee = who });
}

static int change_assignee(struct change *h)
{
        bool some = h->in->has_assignee == SCHEMA_PRESENT, known = true;
        int r = some ? person_may(h->tx->db, h->in->assignee, SCHEMA_ROLE_AGENT, &known) : 0;

        if (!r && !known)
                r = call_invalid(h->c, "assignee", "must be an active agent");
        return r ? r : assign(h, some, h->in->assignee);
}

/* A team that rotates gives what is nobody's to the next of its members. */
static int give_to_team(struct change *h, bool some, struct ulid team)
{
        struct ulid who;
        int r;

        r = change_register(h, REGISTER_TEAM, same_id(some, team, h->row.has_team, h->row.team), &schema_op_ticket_team,
                            &(struct op_ticket_team){ .ticket = h->row.id, .has_team = some, .team = team });
        if (r || !some || h->in->has_assignee || h->row.has_assignee)
                return r;
        r = team_turn(h->tx, team, &who);
        return r ? (r == -ENOENT ? 0 : r) : assign(h, true, who);
}

static int change_team(struct change *h)
{
        bool some = h->in->has_team == SCHEMA_PRESENT;
        int r = some ? definition_check(h->tx, h->c, "team", &schema_op_team_set, h->in->team) : 0;

        return r ? r : give_to_team(h, some, h->in->team);
}

/* A type may say whose work it is. */
static int change_type(struct change *h)
{
        bool some = h->in->has_type == SCHEMA_PRESENT;
        struct ulid team;
        int r = some ? definition_check(h->tx, h->c, "type", &schema_op_type_set, h->in->type) : 0;

        if (!r)
                r = change_register(h, REGISTER_TYPE, same_id(some, h->in->type, h->row.has_type, h->row.type), &schema_op_ticket_type,
                                    &(struct op_ticket_type){ .ticket = h->row.id, .has_type = some, .type = h->in->type });
        if (r || !some || h->in->has_team || h->row.has_team)
                return r;
        r = type_team(h->tx, h->in->type, &team);
        return r ? (r == -ENOENT ? 0 : r) : give_to_team(h, true, team);
}

int change_registers(struct change *h)
{
        const struct ticket_set *in = h->in;
        struct ulid id = h->row.id;
        int r = 0;

        if (in->has_subject)
                r = set_register(h, REGISTER_SUBJECT, &schema_op_ticket_subject,
                                 &(struct op_ticket_subject){ .ticket = id, .subject = in->subject });
        if (!r)
                r = state_change(h);
        if (!r && in->has_priority)
                r = change_register(h, REGISTER_PRIORITY, h->row.priority == in->priority, &schema_op_ticket_priority,
                                    &(struct op_ticket_priority){ .ticket = id, .priority = in->priority });
        if (!r && in->has_assignee)
                r = change_assignee(h);
        if (!r && in->has_type)
                r = change_type(h);
        return r || !in->has_team ? r : change_team(h);
}

static int has_member(struct change *h, enum member_kind kind, struct str element, bool *ret)
{
        struct ulid *adders;
        size_t n;
        int r = member_adders(h->tx->db, h->row.id, kind, element, &h->c->arena, &adders, &n);

        *ret = n > 0;
        return r;
}

int change_tags(struct change *h)
{
        const struct ticket_set *in = h->in;
        struct str *tags;
        struct ulid *adders;
        size_t n, n_tags;
        bool there;
        int r = 0;

        if (in->has_add_tags) {
                r = tags_check(h->c, "add_tags", in->add_tags.items, in->add_tags.n);
                if (!r)
                        r = member_list(h->tx->db, h->row.id, MEMBER_TAG, &h->c->arena, &tags, &n_tags);
                if (!r && n_tags + in->add_tags.n > TICKET_TAGS_MAX)
                        r = call_too_large(h->c, TICKET_TAGS_MAX, "a ticket has at most %d tags", TICKET_TAGS_MAX);
        }
        for (size_t i = 0; in->has_add_tags && i < in->add_tags.n && !r; i++) {
                r = has_member(h, MEMBER_TAG, in->add_tags.items[i], &there);
                if (!r && !there)
                        r = tag_append(h->tx, h->row.id, in->add_tags.items[i]);
        }
        for (size_t i = 0; in->has_remove_tags && i < in->remove_tags.n && !r; i++) {
                struct op_tag_remove body = { .ticket = h->row.id, .tag = in->remove_tags.items[i] };

                r = member_adders(h->tx->db, h->row.id, MEMBER_TAG, body.tag, &h->c->arena, &adders, &n);
                body.saw.items = adders;
                body.saw.n = n;
                if (!r && n)
                        r = tx_append(h->tx, &(struct effect){ .kind = &schema_op_tag_remove, .body = &body, .target = h->row.id,
                                                               .audience = &h->row.id });
        }
        return r;
}

/* A customer who begins or ceases to watch begins or ceases to see the ticket: they are told in the same breath. */
static int tell_access(struct change *h, struct ulid user, bool gained)
{
        struct op_access_gained body = { .user = user, .ticket = h->row.id }; /* both kinds have this shape */
        bool agent;
        int r = person_may(h->tx->db, user, SCHEMA_ROLE_AGENT, &agent);

        if (r || agent || ulid_eq(user, h->row.requester))
                return r;
        return tx_append(h->tx, &(struct effect){ .kind = gained ? &schema_op_access_gained : &schema_op_access_lost, .body = &body,
                                                  .target = h->row.id, .audience = &user });
}

int change_watchers(struct change *h)
{
        const struct ticket_set *in = h->in;
        struct str *watchers;
        struct ulid *adders;
        size_t n, n_watchers;
        bool known, there;
        int r = 0;

        if (in->has_add_watchers) {
                r = member_list(h->tx->db, h->row.id, MEMBER_WATCHER, &h->c->arena, &watchers, &n_watchers);
                if (!r && n_watchers + in->add_watchers.n > TICKET_WATCHERS_MAX)
                        r = call_too_large(h->c, TICKET_WATCHERS_MAX, "a ticket has at most %d watchers", TICKET_WATCHERS_MAX);
        }
        for (size_t i = 0; in->has_add_watchers && i < in->add_watchers.n && !r; i++) {
                struct op_watcher_add body = { .ticket = h->row.id, .user = in->add_watchers.items[i] };
                struct str element = { (const char *)body.user.b, sizeof(body.user.b) };

                r = person_may(h->tx->db, body.user, SCHEMA_ROLE_CUSTOMER, &known);
                if (!r && !known)
                        r = call_invalid(h->c, "add_watchers", "item %zu is nobody who is active here", i + 1);
                if (!r)
                        r = has_member(h, MEMBER_WATCHER, element, &there);
                if (r || there)
                        continue;
                r = tx_append(h->tx, &(struct effect){ .kind = &schema_op_watcher_add, .body = &body, .target = h->row.id,
                                                       .audience = &h->row.id });
                if (!r)
                        r = tell_access(h, body.user, true);
        }
        for (size_t i = 0; in->has_remove_watchers && i < in->remove_watchers.n && !r; i++) {
                struct op_watcher_remove body = { .ticket = h->row.id, .user = in->remove_watchers.items[i] };

                r = member_adders(h->tx->db, h->row.id, MEMBER_WATCHER, (struct str){ (const char *)body.user.b, sizeof(body.user.b) },
                                  &h->c->arena, &adders, &n);
                body.saw.items = adders;
                body.saw.n = n;
                if (r || !n)
                        continue;
                r = tx_append(h->tx, &(struct effect){ .kind = &schema_op_watcher_remove, .body = &body, .target = h->row.id,
                                                       .audience = &h->row.id });
                if (!r)
                        r = tell_access(h, body.user, false);
        }
        return r;
}

/* The log's position that the writer of a change had seen: all of it where they don't say. */
int seen_position(struct store *s, struct call *c, bool has_seen, struct str seen, int64_t *ret)
{
        int r;

        *ret = -1;
        if (!has_seen)
                return 0;
        r = position_read(s, s->writer.db, seen, ret);
        if (r == POSITION_FORGED)
                return call_invalid(c, "seen", "must be a cursor that this server gave");
        if (r > 0) /* of a future that is lost: then nothing of this log need have been seen */
                *ret = 0;
        return r < 0 ? r : 0;
}

int ticket_change(struct tx *tx, struct call *c, const struct ticket_set *in)
{
        struct change h = { .tx = tx, .c = c, .in = in };
        int r;

        r = found(c, ticket_find_visible(tx->db, &tx->actor, in->ticket, &h.row));
        if (!r)
                r = change_allowed(&h);
        if (!r)
                r = seen_position(tx->store, c, in->has_seen, in->seen, &h.seen);
        if (!r)
                r = change_registers(&h);
        if (!r)
                r = change_tags(&h);
        if (!r)
                r = change_watchers(&h);
        return r || !in->has_fields ? r : fields_change(tx, c, &h.row, h.seen, in->fields.items, in->fields.n);
}
