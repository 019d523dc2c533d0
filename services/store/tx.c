#include "tx.h"

#include "fold.h"
#include "position.h"
#include "record.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

static struct tx *tx_reset(struct store *s, struct arena *arena, struct ulid op_id)
{
        *s->tx = (struct tx){ .store = s, .db = s->writer.db, .arena = arena, .op_id = op_id, .body = s->tx->body, .record = s->tx->record };
        return s->tx;
}

/* What a command is, whoever's schema wrote it: its method and the members given, as JSON, which names them. */
static void request_hash(const struct call *c, struct tx *tx)
{
        uint8_t hash[crypto_generichash_BYTES];
        struct buf *json = &tx->body;

        buf_clear(json);
        buf_text(json, c->method->name);
        buf_char(json, ' ');
        json_write(c->method->params, c->params, json);
        crypto_generichash(hash, sizeof(hash), (const uint8_t *)json->p, json->n, NULL, 0);
        memcpy(tx->request, hash, sizeof(tx->request));
}

int tx_begin(struct store *s, struct call *c, struct tx **ret, bool *ret_again)
{
        struct tx *tx = tx_reset(s, &c->arena, c->op_id);
        struct log_entry before;
        struct str request;
        sqlite3_stmt *q;
        int r;

        tx->actor = store_actor(c);
        tx->ticket = &c->ticket;
        tx->has_request = true;
        request_hash(c, tx);
        *ret = tx;
        *ret_again = false;
        q = db_query(tx->db, "SELECT " LOG_COLUMNS ", request FROM op WHERE op_id = ?1 AND n = 0", "u", tx->op_id);
        r = db_step(tx->db, q);
        if (r <= 0)
                return r;
        request = db_column_str(q, LOG_COLUMN_RECORD + 1);
        r = log_entry_read(tx->db, q, tx->arena, &before);
        if (!r) {
                *ret_again = true;
                /* the first versions stored more of the hash */
                if (!ulid_eq(before.op.actor, tx->actor.user) || request.n < TX_REQUEST_BYTES || memcmp(request.p, tx->request, TX_REQUEST_BYTES) != 0)
                        r = call_conflict(c, "this op_id was used for something else; make a new one");
        }
        db_done(q);
        return r;
}

int tx_begin_system(struct store *s, struct arena *arena, struct ulid op_id, struct tx **ret)
{
        struct tx *tx = tx_reset(s, arena, op_id);
        int64_t seq;
        int r;

        r = db_int(tx->db, &seq, "SELECT seq FROM op WHERE op_id = ?1 AND n = 0", "u", op_id);
        if (r != -ENOENT)
                return r ? r : -EEXIST;
        *ret = tx;
        return 0;
}

struct ulid tx_next_id(const struct tx *tx)
{
        return op_entity(tx->op_id, tx->n);
}

struct str tx_cursor(struct tx *tx)
{
        return position_cursor(tx->store, store_position(tx->store), tx->store->chain.head, tx->arena);
}

static void salt_take(struct store *s, uint8_t ret[OP_SALT_BYTES])
{
        if (!s->n_salts) {
                randombytes_buf(s->salts, sizeof(s->salts));
                s->n_salts = STORE_SALTS;
        }
        s->n_salts--;
        memcpy(ret, s->salts[s->n_salts], OP_SALT_BYTES);
        sodium_memzero(s->salts[s->n_salts], OP_SALT_BYTES);
}

/* The personal texts of the op being written: each gets a salt, and a row of its own. */
struct texts {
        struct tx *tx;
        int r;
        struct record_texts known;
};

static void text_commit(void *data, unsigned field, struct str text, uint8_t ret_commitment[32])
{
        struct texts *texts = data;
        struct tx *tx = texts->tx;
        struct record_text *known = &texts->known.items[texts->known.n++];
        uint8_t salt[OP_SALT_BYTES];

        assert(field < LOG_TEXT_FIELDS && texts->known.n <= LOG_TEXT_FIELDS);
        salt_take(tx->store, salt);
        op_commitment(salt, text, ret_commitment);
        known->field = field;
        memcpy(known->commitment, ret_commitment, OP_HASH_BYTES);
        if (!texts->r)
                texts->r = db_do(tx->db, "INSERT INTO op_text(id, salt, text) VALUES(?1, ?2, ?3)", "ibb",
                                 log_text_id(store_position(tx->store) + 1, field), (struct str){ (const char *)salt, sizeof(salt) }, text);
}

/* What agents alone are told of a ticket: by it the op is found again. Zero: it is about none. */
static struct ulid ticket_of(const struct effect *effect)
{
        const struct schema_field *f = schema_field_find(effect->kind->body, "ticket");

        return f && f->kind == SCHEMA_ULID ? *(const struct ulid *)schema_at(f, effect->body) : (struct ulid){ 0 };
}

/* Puts an op and its record in the log; fold_apply does the rest. request: the hash of its command, or NULL. */
static int log_insert(struct db *db, const struct log_entry *e, struct str record, const struct str *request)
{
        return db_do(db, "INSERT INTO op(seq, op_id, n, scope, audience, request, record) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                     "iuiiUBb", e->seq, e->op.op_id, (int64_t)e->op.n, (int64_t)e->scope,
                     ulid_is_zero(e->audience) ? NULL : &e->audience, request, record);
}

int tx_append(struct tx *tx, const struct effect *effect)
{
        struct store *s = tx->store;
        struct texts texts = { .tx = tx };
        struct codec_commit commit = { .commit = text_commit, .data = &texts };
        struct log_entry e = { .scope = (int)effect->kind->audience, .kind = effect->kind };
        struct str request = { (const char *)tx->request, sizeof(tx->request) };
        int r;

        buf_clear(&tx->body);
        buf_clear(&tx->record);
        msgpack_write_committed(effect->kind->body, effect->body, &commit, &tx->body);
        if (effect->audience)
                e.audience = *effect->audience;
        else if (effect->kind->audience == SCHEMA_TO_AGENTS)
                e.audience = ticket_of(effect);
        if (tx->ticket && effect->kind->audience == SCHEMA_TO_TICKET)
                *tx->ticket = e.audience;
        e.op = (struct op){
                .op_id = tx->op_id,
                .n = tx->n,
                .hlc = effect->hlc ? effect->hlc : hlc_now(&s->hlc, s->service->clock),
                .base = effect->base,
                .n_base = effect->n_base,
                .actor = tx->actor.user,
                .device = tx->actor.device,
                .on_behalf_of = tx->on_behalf_of,
                .kind = str_of(effect->kind->name),
                .target = effect->target,
                .body = buf_view(&tx->body),
        };
        r = texts.r;
        if (!r) {
                chain_append(&s->chain, &e.op, &tx->record);
                e.seq = e.op.seq = store_position(s);
                buf_clear(&tx->record);
                r = record_pack(tx->db, &e, &texts.known, &tx->record);
        }
        if (!r)
                r = log_insert(tx->db, &e, buf_view(&tx->record), tx->n == 0 && tx->has_request ? &request : NULL);
        if (!r) {
                fresh_append(&s->fresh, &e);
                r = fold_apply(tx->db, &e, effect->body);
        }
        tx->n++;
        tx->hlc = e.op.hlc;
        return r;
}
