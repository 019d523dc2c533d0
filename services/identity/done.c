#include "done.h"
#include "fault.h"
#include <sodium.h>
#include <string.h>

void done_hash(struct str method, struct str raw_params, uint8_t ret_request[DONE_REQUEST_BYTES])
{
        crypto_generichash_blake2b_state state;

        crypto_generichash_blake2b_init(&state, NULL, 0, DONE_REQUEST_BYTES);
        crypto_generichash_blake2b_update(&state, (const uint8_t *)method.p, method.n);
        crypto_generichash_blake2b_update(&state, (const uint8_t *)"", 1); /* method names hold no NUL */
        crypto_generichash_blake2b_update(&state, (const uint8_t *)raw_params.p, raw_params.n);
        crypto_generichash_blake2b_final(&state, ret_request, DONE_REQUEST_BYTES);
}

int done_find(struct db *db, const struct done *done, struct ulid *ret_entity)
{
        sqlite3_stmt *q = db_query(db, "SELECT actor, request, entity FROM op_done WHERE op_id = ?", "u", done->op_id);
        struct str request;
        int r = db_step(db, q);

        if (r <= 0)
                return r < 0 ? r : FAULT_NOT_FOUND;
        request = db_column_str(q, 1);
        if (str_eq(db_column_str(q, 0), done->actor) && request.n == DONE_REQUEST_BYTES &&
            memcmp(request.p, done->request, DONE_REQUEST_BYTES) == 0)
                *ret_entity = db_column_ulid(q, 2);
        else
                r = FAULT_CONFLICT;
        db_done(q);
        return r == FAULT_CONFLICT ? r : 0;
}

int done_put(struct db *db, const struct done *done, struct ulid entity)
{
        return db_do(db, "INSERT INTO op_done VALUES (?, ?, ?, ?)", "utbu", done->op_id, done->actor,
                     (struct str){ (const char *)done->request, DONE_REQUEST_BYTES }, entity);
}
