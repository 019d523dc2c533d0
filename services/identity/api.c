/* Users, devices, and what others follow. */
#include "mutation.h"
#include "email.h"
#include "file.h"
#include "identity.h"
#include "outbox.h"
#include "schema/identity_handlers.h"
#include "stats.h"
#include "user.h"
#include <errno.h>
#include <sys/stat.h>

/* ---- users ---- */

static int email_of(struct call *c, struct str in, struct str *ret_email, struct str *ret_key)
{
        if (email_normalize(in, &c->arena, ret_email, ret_key) < 0)
                return call_invalid(c, "email", "must be one plain address like ada@example.org");
        return 0;
}

/* next is the last item's id where there may be more. */
static int page_after(struct call *c, bool has_after, struct str after, struct ulid *ret)
{
        *ret = (struct ulid){ 0 };
        if (has_after && ulid_parse(after, ret) < 0)
                return call_invalid(c, "after", "must be the `next` of the page before");
        return 0;
}

static struct str page_next(struct call *c, struct ulid last)
{
        char text[ULID_TEXT + 1];

        ulid_text(last, text);
        return arena_str(&c->arena, str_of(text));
}

int identity_on_user_add(struct identity *d, struct call *c, const struct user_add *in, struct user_add_result *ret)
{
        struct user user = { .name = str_trim(in->name), .role = in->role, .active = true };
        struct mutation m;
        struct str key;
        int r;

        if (user.name.n == 0)
                return call_invalid(c, "name", "must not be blank");
        r = email_of(c, in->email, &user.email, &key);
        if (r == 0)
                r = mutation_begin(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                r = mutation_end(&m, user_add(d->db, clock_now_ms(d->clock), &user, key, &m.entity));
                if (r == FAULT_CONFLICT)
                        return call_conflict(c, "there is a user with this email");
                if (r)
                        return r;
                feed_wake(&d->people);
                service_status(d->service);
        }
        return user_find(d->db, m.entity, &c->arena, &ret->value);
}

int identity_on_user_list(struct identity *d, struct call *c, const struct user_list *in, struct user_list_result *ret)
{
        struct ulid after;
        int r;

        r = page_after(c, in->has_after, in->after, &after);
        if (r == 0)
                r = user_list(d->db, after, in->limit, &c->arena, &ret->items.items, &ret->items.n);
        if (r)
                return r;
        ret->has_next = (int64_t)ret->items.n == in->limit;
        if (ret->has_next)
                ret->next = page_next(c, ret->items.items[ret->items.n - 1].id);
        return 0;
}

/* What people.follow and callers.follow tell of the change from `before` to `after`. In a mutation. */
static int change_person(struct identity *d, const struct user *before, const struct user *after, int64_t *ret_revision)
{
        bool role = before->role != after->role, active = before->active != after->active;
        int r = 0;

        if (role || active || !str_eq(before->name, after->name))
                r = user_set_person(d->db, clock_now_ms(d->clock), after);
        if (r == 0 && (role || active))
                r = callers_note(d->db, &(struct caller_change){ .has_user = true, .user = after->id, .role = !active }, ret_revision);
        return r;
}

/* Answers once every gateway is past the revision, where something was noted (else it is 0). */
static int tell_everybody(struct identity *d, struct call *c, int64_t revision)
{
        feed_wake(&d->people);
        if (revision == 0)
                return 0;
        feed_wake(&d->changes);
        return callers_wait(&d->callers, c, revision);
}

static int user_change(struct identity *d, struct call *c, const struct user_set *in, int64_t *ret_revision)
{
        struct user before, after;
        struct str key;
        int r;

        r = user_find(d->db, in->user, &c->arena, &before);
        if (r)
                return r;
        after = before;
        if (in->has_name)
                after.name = str_trim(in->name);
        if (in->has_role)
                after.role = in->role;
        if (in->has_email) {
                r = email_of(c, in->email, &after.email, &key);
                if (r == 0)
                        r = user_set_email(d->db, in->user, after.email, key);
                if (r)
                        return r;
        }
        return change_person(d, &before, &after, ret_revision);
}

int identity_on_user_set(struct identity *d, struct call *c, const struct user_set *in, struct user_set_result *ret)
{
        int64_t revision = 0;
        struct mutation m;
        int r;

        if (in->has_name && str_trim(in->name).n == 0)
                return call_invalid(c, "name", "must not be blank");
        r = mutation_begin(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                m.entity = in->user;
                r = mutation_end(&m, user_change(d, c, in, &revision));
                if (r == FAULT_CONFLICT)
                        return call_conflict(c, "there is another user with this email");
                if (r)
                        return r;
        }
        r = user_find(d->db, m.entity, &c->arena, &ret->value);
        return r ? r : tell_everybody(d, c, revision);
}

static int user_activate(struct identity *d, struct call *c, struct ulid id, bool active, int64_t *ret_revision)
{
        struct user before, after;
        int r;

        r = user_find(d->db, id, &c->arena, &before);
        if (r)
                return r;
        after = before;
        after.active = active;
        return change_person(d, &before, &after, ret_revision);
}

int identity_on_user_disable(struct identity *d, struct call *c, const struct user_disable *in, struct user_disable_result *ret)
{
        int64_t revision = 0;
        struct mutation m;
        int r;

        r = mutation_begin(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                m.entity = in->user;
                r = mutation_end(&m, user_activate(d, c, in->user, in->active, &revision));
                if (r)
                        return r;
        }
        r = user_find(d->db, m.entity, &c->arena, &ret->value);
        return r ? r : tell_everybody(d, c, revision);
}

/* ---- devices ---- */

/* Operators come without a caller. */
static bool may_see_all(const struct call *c)
{
        return !c->has_caller || c->caller.role >= SCHEMA_ROLE_ADMIN;
}

int identity_on_device_list(struct identity *d, struct call *c, const struct device_list *in, struct device_list_result *ret)
{
        struct ulid after, user = in->has_user ? in->user : c->has_caller ? c->caller.user : (struct ulid){ { 0 } };
        int r;

        if (!may_see_all(c) && !ulid_eq(user, c->caller.user))
                return call_not_found(c);
        r = page_after(c, in->has_after, in->after, &after);
        if (r == 0)
                r = binding_list(d->db, user, after, in->limit, &c->arena, &ret->items.items, &ret->items.n);
        if (r)
                return r;
        ret->has_next = (int64_t)ret->items.n == in->limit;
        if (ret->has_next)
                ret->next = page_next(c, ret->items.items[ret->items.n - 1].id);
        return 0;
}

static int device_revoke(struct identity *d, struct call *c, struct ulid id, int64_t *ret_revision)
{
        struct device device;
        int r;

        r = binding_find(d->db, id, &c->arena, &device);
        if (r)
                return r;
        if (!may_see_all(c) && !ulid_eq(device.user, c->caller.user))
                return FAULT_NOT_FOUND;
        if (device.has_revoked_at)
                return 0;
        r = binding_revoke(d->db, id, clock_now_ms(d->clock));
        if (r == 0)
                r = callers_note(d->db, &(struct caller_change){ .device = device.address, .has_owner = true, .owner = device.user,
                                                                 .about = device.address }, ret_revision);
        return r;
}

int identity_on_device_revoke(struct identity *d, struct call *c, const struct device_revoke *in, struct device_revoke_result *ret)
{
        int64_t revision = 0;
        struct mutation m;
        int r;

        r = mutation_begin(&m, d, c);
        if (r)
                return r;
        if (!m.repeated) {
                m.entity = in->device;
                r = mutation_end(&m, device_revoke(d, c, in->device, &revision));
                if (r)
                        return r;
        }
        r = binding_find(d->db, m.entity, &c->arena, &ret->value);
        return r ? r : tell_everybody(d, c, revision);
}

/* ---- what others follow ---- */

int identity_on_people_follow(struct identity *d, struct call *c, const struct people_follow *in, struct people_follow_result *ret)
{
        int r = user_changes(d->db, in->after, in->max_bytes, &c->arena, ret);

        return r == 0 && ret->items.n == 0 ? feed_park(&d->people, c) : r;
}

int identity_on_callers_follow(struct identity *d, struct call *c, const struct callers_follow *in, struct callers_follow_result *ret)
{
        int r = callers_read(d->db, in->after, &c->arena, ret);

        if (!c->parked_us)
                heard_take(&d->heard, "gateway", in->stats, c->received_us);
        if (r)
                return r;
        /* A gateway that is told to forget everything has not done so yet. */
        callers_followed(&d->callers, in->gateway, ret->reset ? 0 : in->after);
        return ret->items.n == 0 && !ret->reset ? feed_park(&d->changes, c) : 0;
}

int identity_on_outbox_follow(struct identity *d, struct call *c, const struct outbox_follow *in, struct outbox_follow_result *ret)
{
        int r = outbox_take(d->db, clock_now_ms(d->clock), in->after == 0, &c->arena, &ret->items.items, &ret->items.n);

        if (!c->parked_us)
                heard_take(&d->heard, "courier", in->stats, c->received_us);
        if (r)
                return r;
        /* Not a position but "I know what I was given": after 0 all is given again. */
        ret->head = 1;
        return ret->items.n == 0 && in->after > 0 ? feed_park(&d->outbox, c) : 0;
}

int identity_on_outbox_done(struct identity *d, struct call *c, const struct outbox_done *in, struct outbox_done_result *ret)
{
        int r = db_begin(d->db);

        (void)ret;
        if (r < 0)
                return r;
        r = outbox_decide(d->db, clock_now_ms(d->clock), in->mail, (enum mail_outcome)in->outcome, in->status);
        if (r == 0)
                r = db_commit(d->db);
        if (r)
                db_rollback(d->db);
        if (r == 0)
                service_status(d->service);
        return r == FAULT_NOT_FOUND ? call_not_found(c) : r;
}

int identity_on_outbox_list(struct identity *d, struct call *c, const struct outbox_list *in, struct outbox_list_result *ret)
{
        struct ulid before;
        int r;

        r = page_after(c, in->has_after, in->after, &before);
        if (r == 0)
                r = outbox_list(d->db, before, in->limit, &c->arena, &ret->items.items, &ret->items.n);
        if (r)
                return r;
        ret->has_next = (int64_t)ret->items.n == in->limit;
        if (ret->has_next)
                ret->next = page_next(c, ret->items.items[ret->items.n - 1].id);
        return 0;
}

static void outbox_stats(struct stats *stats, struct identity *d)
{
        int64_t oldest, n, now = clock_now_ms(d->clock);

        if (!db_int(d->db, &n, "SELECT count(*) FROM outbox WHERE outcome IS NULL", ""))
                stats_gauge(stats, "outbox_waiting", "Mails that are not sent yet.", n);
        if (!db_int(d->db, &oldest, "SELECT coalesce(min(queued_at), ?1) FROM outbox WHERE outcome IS NULL", "i", now))
                stats_gauge_us(stats, "outbox_oldest_seconds", "How long the oldest of them waits.", (now - oldest) * 1000);
}

int identity_on_identity_stats(struct identity *d, struct call *c, const struct identity_stats *in, struct identity_stats_result *ret)
{
        struct stats stats;
        struct process_stats *own = stats_begin(&stats, &c->arena, d->service);
        int64_t n;

        (void)in;
        stats_server(&stats, d->server);
        if (!db_int(d->db, &n, "SELECT count(*) FROM user WHERE active", ""))
                stats_gauge(&stats, "users", "Users who may come in.", n);
        if (!db_int(d->db, &n, "SELECT count(*) FROM binding WHERE revoked_at IS NULL", ""))
                stats_gauge(&stats, "devices", "Devices that are bound.", n);
        outbox_stats(&stats, d);
        stats_database(&stats, d->db);
        heard_list(&d->heard, c->received_us, c->has_caller, &c->arena, &ret->value.processes.items, &ret->value.processes.n);
        ret->value.processes.items[0] = *own;
        return 0;
}

int identity_on_identity_backup(struct identity *d, struct call *c, const struct identity_backup *in, struct identity_backup_result *ret)
{
        struct str file = arena_format(&c->arena, "%s/identity.db", d->backup);
        struct stat st;
        int r = file_remove(d->backup);

        (void)in;
        if (!r && mkdir(d->backup, 0700))
                r = -errno;
        if (!r)
                r = database_back_up(d->db, file.p, &ret->sound);
        if (!r && stat(file.p, &st))
                r = -errno;
        if (r)
                return r;
        ret->bytes = st.st_size;
        return 0;
}
