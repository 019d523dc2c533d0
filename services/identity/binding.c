#include "binding.h"
#include "fault.h"
#include <sodium.h>
#include <string.h>

#define COLUMNS "id, user, label, device, bound_at, seen_at, revoked_at, embed"

static void binding_read(sqlite3_stmt *q, struct arena *arena, struct device *ret)
{
        *ret = (struct device){
                .id = db_column_ulid(q, 0),
                .user = db_column_ulid(q, 1),
                .label = arena_str(arena, db_column_str(q, 2)),
                .address = arena_str(arena, db_column_str(q, 3)),
                .bound_at = db_column_int(q, 4),
                .has_seen_at = !db_column_is_null(q, 5),
                .seen_at = db_column_int(q, 5),
                .has_revoked_at = !db_column_is_null(q, 6),
                .revoked_at = db_column_int(q, 6),
                .embed = db_column_int(q, 7),
        };
}

int binding_add(struct db *db, int64_t now_ms, const struct device *new, struct str device_key, struct ulid *ret_id)
{
        struct ulid id = ulid_new(now_ms);
        uint8_t secret[PROOF_SECRET_BYTES];
        int64_t live;
        int r;

        r = db_int(db, &live, "SELECT count(*) FROM binding WHERE device = ? AND revoked_at IS NULL", "t", new->address);
        if (r < 0)
                return r;
        if (live >= BINDING_PER_DEVICE_MAX)
                return FAULT_CONFLICT;
        randombytes_buf(secret, sizeof(secret));
        r = db_do(db, "INSERT INTO binding VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?)", "uuttbibi", id, new->user, new->address, new->label,
                  (struct str){ (const char *)secret, sizeof(secret) }, now_ms, device_key, (int64_t)new->embed);
        sodium_memzero(secret, sizeof(secret));
        if (r < 0)
                return r;
        *ret_id = id;
        return 0;
}

int binding_find(struct db *db, struct ulid id, struct arena *arena, struct device *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT " COLUMNS " FROM binding WHERE id = ?", "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r < 0 ? r : FAULT_NOT_FOUND;
        binding_read(q, arena, ret);
        db_done(q);
        return 0;
}

int binding_unused_secret(struct db *db, struct ulid id, uint8_t ret_secret[PROOF_SECRET_BYTES])
{
        sqlite3_stmt *q = db_query(db, "SELECT secret FROM binding WHERE id = ? AND seen_at IS NULL AND revoked_at IS NULL", "u", id);
        int r = db_step(db, q);

        if (r <= 0)
                return r < 0 ? r : FAULT_EXPIRED;
        memcpy(ret_secret, db_column_str(q, 0).p, PROOF_SECRET_BYTES);
        db_done(q);
        return 0;
}

int binding_prove(struct db *db, const uint8_t project[PROOF_PROJECT_BYTES], struct str server, struct str device, struct str device_key,
                  struct str nonce, const uint8_t proof[PROOF_BYTES], struct ulid *ret_id)
{
        uint8_t expected[PROOF_BYTES];
        struct ulid found = { 0 };
        sqlite3_stmt *q;
        int r;

        q = db_query(db, "SELECT id, secret FROM binding WHERE device = ? AND device_key = ? AND revoked_at IS NULL", "tb", device, device_key);
        while ((r = db_step(db, q)) > 0) {
                struct str secret = db_column_str(q, 1);

                session_proof((const uint8_t *)secret.p, project, server, device, nonce, expected);
                if (sodium_memcmp(expected, proof, PROOF_BYTES) == 0)
                        found = db_column_ulid(q, 0);
        }
        if (r < 0)
                return r;
        if (ulid_is_zero(found))
                return FAULT_UNAUTHENTICATED;
        *ret_id = found;
        return 0;
}

int binding_seen(struct db *db, struct ulid id, int64_t now_ms)
{
        return db_do(db, "UPDATE binding SET seen_at = ? WHERE id = ?", "iu", now_ms, id);
}

int binding_revoke(struct db *db, struct ulid id, int64_t now_ms)
{
        return db_do(db, "UPDATE binding SET revoked_at = ?, secret = NULL WHERE id = ? AND revoked_at IS NULL", "iu", now_ms, id);
}

int binding_list(struct db *db, struct ulid user, struct ulid after, int64_t limit, struct arena *arena, struct device **ret_devices,
                 size_t *ret_n)
{
        struct device *devices = arena_array(arena, (size_t)limit, sizeof(*devices));
        sqlite3_stmt *q;
        size_t n = 0;
        int r;

        if (ulid_is_zero(user))
                q = db_query(db, "SELECT " COLUMNS " FROM binding WHERE id > ? ORDER BY id LIMIT ?", "ui", after, limit);
        else
                q = db_query(db, "SELECT " COLUMNS " FROM binding WHERE user = ? AND id > ? ORDER BY id LIMIT ?", "uui", user, after, limit);
        while ((r = db_step(db, q)) > 0)
                binding_read(q, arena, &devices[n++]);
        if (r < 0)
                return r;
        *ret_devices = devices;
        *ret_n = n;
        return 0;
}
