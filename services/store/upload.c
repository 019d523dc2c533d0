#include "upload.h"

#include "schema/comment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *upload_path(struct store *s, struct ulid id, char *buffer, size_t size)
{
        char text[ULID_TEXT + 1];

        ulid_text(id, text);
        snprintf(buffer, size, "%s/%s", s->uploads, text);
        return buffer;
}

char *blob_name(const uint8_t hash[BLOB_HASH_BYTES], char ret[BLOB_NAME_TEXT])
{
        struct buf hex = { 0 };

        buf_hex(&hex, hash, BLOB_HASH_BYTES);
        snprintf(ret, BLOB_NAME_TEXT, "%.2s/%.*s", hex.p, (int)hex.n, hex.p);
        buf_deinit(&hex);
        return ret;
}

char *blob_path(struct store *s, const uint8_t hash[BLOB_HASH_BYTES], char *buffer, size_t size)
{
        char name[BLOB_NAME_TEXT];

        snprintf(buffer, size, "%s/%s", s->blobs, blob_name(hash, name));
        return buffer;
}

int upload_find(struct db *db, struct ulid user, struct ulid id, struct arena *arena, struct upload_row *ret)
{
        sqlite3_stmt *q = db_query(db, "SELECT id, user, name, size, blob, type, used FROM upload WHERE id = ?1 AND user = ?2", "uu", id, user);
        int r = db_step(db, q);
        struct str blob;

        if (r <= 0)
                return r ? r : FAULT_NOT_FOUND;
        blob = db_column_str(q, 4);
        *ret = (struct upload_row){
                .id = db_column_ulid(q, 0),
                .user = db_column_ulid(q, 1),
                .name = arena_str(arena, db_column_str(q, 2)),
                .size = db_column_int(q, 3),
                .complete = blob.n == BLOB_HASH_BYTES,
                .type = arena_str(arena, db_column_str(q, 5)),
                .used = db_column_int(q, 6),
        };
        if (ret->complete)
                memcpy(ret->blob, blob.p, blob.n);
        db_done(q);
        return 0;
}

int upload_attach(struct tx *tx, struct call *c, struct ulid upload, bool internal, struct ulid ticket, struct ulid comment)
{
        struct op_attachment_add body; /* both kinds have this shape */
        struct upload_row row;
        int r;

        r = upload_find(tx->db, tx->actor.user, upload, tx->arena, &row);
        if (r == FAULT_NOT_FOUND)
                return call_invalid(c, "attachments", "names an upload that is not there; begin one with attachment.start");
        if (r)
                return r;
        if (!row.complete)
                return call_invalid(c, "attachments", "names an upload that is not complete yet; send the rest of it first");
        if (row.used)
                return call_invalid(c, "attachments", "names an upload that another comment has; upload the file again");
        body = (struct op_attachment_add){ .ticket = ticket, .comment = comment, .upload = upload, .name = row.name,
                                           .blob = { (const char *)row.blob, sizeof(row.blob) }, .size = row.size, .type = row.type };
        r = tx_append(tx, &(struct effect){ .kind = internal ? &schema_op_note_attachment_add : &schema_op_attachment_add, .body = &body,
                                            .target = upload, .audience = internal ? NULL : &ticket });
        return r ? r : db_do(tx->db, "UPDATE upload SET used = 1 WHERE id = ?1", "u", upload);
}

int upload_sweep(struct db *db, int64_t now_ms)
{
        return db_do(db, "DELETE FROM upload WHERE used = 0 AND started < ?1", "i", now_ms - UPLOAD_UNUSED_MS);
}
