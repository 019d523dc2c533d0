#include "instance.h"

#include "personal.h"
#include "position.h"
#include "schema/log.h"
#include "tx.h"

#include <errno.h>
#include <string.h>

static struct str us(const struct store *s)
{
        return (struct str){ (const char *)s->origin, sizeof(s->origin) };
}

static int chain_load(struct store *s)
{
        struct db *db = s->writer.db;
        sqlite3_stmt *q;
        int r;

        chain_init(&s->chain, s->public_key);
        memcpy(s->origin, s->chain.origin, sizeof(s->origin));
        q = db_query(db, "SELECT seq, head FROM chain WHERE origin = ?1", "b", us(s));
        r = db_step(db, q);
        if (r > 0) {
                s->chain.seq = db_column_int(q, 0);
                memcpy(s->chain.head, db_column_str(q, 1).p, OP_HASH_BYTES);
        }
        db_done(q);
        return r < 0 ? r : 0;
}

int instance_load(struct store *s)
{
        struct db *db = s->writer.db;
        int64_t head, chained, hlc;
        int r = chain_load(s);

        if (!r)
                r = db_int(db, &head, "SELECT coalesce(max(seq), 0) FROM op", "");
        if (!r)
                r = db_int(db, &chained, "SELECT coalesce(sum(seq), 0) FROM chain", "");
        if (!r)
                r = db_int(db, &hlc, "SELECT coalesce(max(hlc), 0) FROM chain", "");
        if (!r)
                r = db_int(db, &s->checkpoint_seq, "SELECT coalesce(max(seq), 0) FROM checkpoint WHERE origin = ?1", "b", us(s));
        if (r)
                return r;
        if (head != chained) {
                log_error("store.db is damaged: its log ends at %lld, by its chains at %lld; restore the last backup", (long long)head,
                          (long long)chained);
                return -EBADMSG;
        }
        s->others = head - s->chain.seq;
        s->hlc.last = (uint64_t)hlc;
        s->checkpoint_at = clock_now_ms(s->service->clock);
        s->head = head;
        return 0;
}

/* The hash of the last op that others wrote: where its chain ends. */
static int others_head(struct store *s, uint8_t ret[OP_HASH_BYTES])
{
        struct arena arena = { 0 };
        struct log_entry last;
        int r = log_entry_at(s->writer.db, s->others, &arena, &last);
        sqlite3_stmt *q;

        arena_deinit(&arena);
        if (r)
                return r;
        q = db_query(s->writer.db, "SELECT head FROM chain WHERE origin = ?1", "b", (struct str){ (const char *)last.op.origin, OP_ORIGIN_BYTES });
        r = db_step(s->writer.db, q);
        if (r <= 0)
                return r ? r : -EBADMSG;
        r = db_column_str(q, 0).n == OP_HASH_BYTES ? 0 : -EBADMSG;
        if (!r)
                memcpy(ret, db_column_str(q, 0).p, OP_HASH_BYTES);
        db_done(q);
        return r;
}

/* Behind what others wrote. */
static int begin_behind(struct store *s)
{
        int64_t now = clock_now_ms(s->service->clock);
        uint8_t head[OP_HASH_BYTES];
        struct op_instance_begin body = { { (const char *)head, sizeof(head) } };
        struct tx *tx;
        int r = others_head(s, head);

        if (!r)
                r = tx_begin_system(s, &s->writer.arena, ulid_new(now), &tx);
        if (!r)
                r = tx_append(tx, &(struct effect){ .kind = &schema_op_instance_begin, .body = &body });
        arena_reset(&s->writer.arena);
        if (!r)
                r = personal_restored(s);
        if (!r)
                r = instance_save(s);
        if (r)
                return r;
        s->checkpoint_at = now - STORE_CHECKPOINT_MS; /* nobody else will sign what they wrote last */
        return instance_checkpoint(s);
}

static int enter(struct store *s, bool behind)
{
        struct db *db = s->writer.db;
        int r = db_begin(db);

        if (!r)
                r = db_do(db, "INSERT OR IGNORE INTO instance(origin, public_key) VALUES(?1, ?2)", "bb", us(s),
                          (struct str){ (const char *)s->public_key, sizeof(s->public_key) });
        if (!r && behind)
                r = begin_behind(s);
        if (!r)
                r = db_commit(db);
        if (r) {
                db_rollback(db);
                return r;
        }
        if (behind)
                log_notice("the log was restored from a backup: behind op %lld it is written by a new instance", (long long)s->others);
        s->head = store_position(s);
        s->personal_head = s->personal_seq;
        return 0;
}

static int project_key_load(struct store *s)
{
        sqlite3_stmt *q = db_query(s->writer.db, "SELECT public_key FROM instance ORDER BY n LIMIT 1", "");
        int r = db_step(s->writer.db, q);

        if (r > 0 && db_column_str(q, 0).n == sizeof(s->project_key))
                memcpy(s->project_key, db_column_str(q, 0).p, sizeof(s->project_key));
        db_done(q);
        return r < 0 ? r : 0;
}

int instance_enter(struct store *s)
{
        bool behind = s->others > 0 && s->chain.seq == 0;
        int64_t known;
        int r = db_int(s->writer.db, &known, "SELECT count(*) FROM instance WHERE origin = ?1", "b", us(s));

        if (!r && (behind || !known))
                r = enter(s, behind);
        return r ? r : project_key_load(s);
}

int instance_save(struct store *s)
{
        return db_do(s->writer.db, "INSERT INTO chain(origin, seq, head, hlc) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                                   " seq = excluded.seq, head = excluded.head, hlc = excluded.hlc",
                     "bibi", us(s), s->chain.seq, (struct str){ (const char *)s->chain.head, OP_HASH_BYTES }, (int64_t)s->hlc.last);
}

int instance_checkpoint(struct store *s)
{
        int64_t now = clock_now_ms(s->service->clock);
        struct checkpoint cp;

        if (s->chain.seq == s->checkpoint_seq ||
            (s->chain.seq - s->checkpoint_seq < STORE_CHECKPOINT_OPS && now - s->checkpoint_at < STORE_CHECKPOINT_MS))
                return 0;
        checkpoint_sign(&s->chain, now, s->secret_key, &cp);
        s->checkpoint_seq = cp.seq;
        s->checkpoint_at = now;
        return db_do(s->writer.db, "INSERT INTO checkpoint(origin, seq, head, at, signature) VALUES(?1, ?2, ?3, ?4, ?5)", "bibib", us(s), cp.seq,
                     (struct str){ (const char *)cp.head, sizeof(cp.head) }, cp.at, (struct str){ (const char *)cp.signature, sizeof(cp.signature) });
}
