#include "thread.h"

#include <errno.h>

int thread_branched(struct db *db, struct ulid ticket, bool *ret)
{
        int64_t branched = 0;
        int r = db_int(db, &branched, "SELECT branched FROM ticket WHERE id = ?1", "u", ticket);

        *ret = branched;
        return r == -ENOENT ? 0 : r;
}

#define COUNT(table, sees) THREAD_OF(sees) "SELECT count(*) FROM (" THREAD_ROWS("deleted", table, sees) ") WHERE NOT deleted"
#define NEWEST(sees) THREAD_OF(sees) "SELECT id FROM (" THREAD_ROWS("id, created", "comment", sees) ") ORDER BY created DESC, id DESC LIMIT 1"

int thread_sum(struct db *db, const struct caller *caller, struct ulid ticket, struct thread_sum *ret)
{
        static const char *const count[] = { COUNT("comment", THREAD_SEES_OWN), COUNT("comment", THREAD_SEES_ALL) };
        static const char *const newest[] = { NEWEST(THREAD_SEES_OWN), NEWEST(THREAD_SEES_ALL) };
        bool agent = caller_is_agent(caller);
        sqlite3_stmt *q;
        int r;

        *ret = (struct thread_sum){ 0 };
        r = db_int(db, &ret->comments, count[agent], "uu", ticket, caller->user);
        if (!r && agent)
                r = db_int(db, &ret->notes, COUNT("note", THREAD_SEES_ALL), "uu", ticket, caller->user);
        if (r)
                return r;
        q = db_query(db, newest[agent], "uu", ticket, caller->user);
        r = db_step(db, q);
        if (r <= 0)
                return r;
        ret->has_newest = true;
        ret->newest = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

#define HAS(table, sees) THREAD_OF(sees) "SELECT 1 FROM (" THREAD_ROWS("id", table, sees) ") WHERE id = ?3"

int thread_has(struct db *db, const struct caller *caller, struct ulid ticket, bool internal, struct ulid comment, bool *ret)
{
        static const char *const has[2][2] = { { HAS("comment", THREAD_SEES_OWN), HAS("comment", THREAD_SEES_ALL) },
                                               { HAS("note", THREAD_SEES_OWN), HAS("note", THREAD_SEES_ALL) } };
        int64_t one;
        int r = db_int(db, &one, has[internal][caller_is_agent(caller)], "uuu", ticket, caller->user, comment);

        *ret = !r;
        return r == -ENOENT ? 0 : r;
}

int thread_root(struct db *db, struct ulid ticket, struct ulid *ret)
{
        sqlite3_stmt *q = db_query(db, "WITH RECURSIVE up(id) AS (SELECT ?1 UNION SELECT t.merged_into FROM up CROSS JOIN ticket t ON t.id = up.id"
                                       "   WHERE t.merged_into IS NOT NULL)"
                                       " SELECT up.id FROM up CROSS JOIN ticket t ON t.id = up.id ORDER BY t.merged_into IS NOT NULL, up.id LIMIT 1",
                                   "u", ticket);
        int r = db_step(db, q);

        if (r <= 0)
                return r ? r : -ENOENT;
        *ret = db_column_ulid(q, 0);
        db_done(q);
        return 0;
}

int thread_tickets(struct db *db, struct ulid ticket, int64_t *ret)
{
        return db_int(db, ret, THREAD_OF(THREAD_SEES_ALL) "SELECT count(*) FROM thread", "uu", ticket, ticket);
}
