/* Uploads: files on their way in. The partial file's size is the truth of how far one has come; the row in `upload` says whose it
 * is, and, once it is complete, which blob it became. Blobs lie under their BLAKE2b-256 in hexadecimal; two uploads of the same
 * bytes share one. */
#pragma once
#include "file.h"
#include "tx.h"

enum {
        UPLOAD_OPEN_MAX = 10,                              /* per user: begun and not complete */
        UPLOAD_UNUSED_BYTES_MAX = 250 * 1024 * 1024,       /* per user: announced and in no comment */
        UPLOAD_UNUSED_MS = 24 * 60 * 60 * 1000,            /* then an unused one goes */
        BLOB_HASH_BYTES = FILE_HASH_BYTES,
        BLOB_NAME_TEXT = 3 + 2 * BLOB_HASH_BYTES + 1,
};

struct upload_row {
        struct ulid id, user;
        struct str name, type;    /* type empty until complete */
        int64_t size;
        bool complete, used;
        uint8_t blob[BLOB_HASH_BYTES];
};
/* 0, FAULT_NOT_FOUND (also for another user's), or an error of the database. Texts in the arena. */
int upload_find(struct db *db, struct ulid user, struct ulid id, struct arena *arena, struct upload_row *ret);

/* Makes an upload part of a comment, as an effect of the command under way. A missing, foreign, incomplete or used one is InvalidParams. */
int upload_attach(struct tx *tx, struct call *c, struct ulid upload, bool internal, struct ulid ticket, struct ulid comment);

/* Removes unused uploads that are over, their partial files, and blobs that nothing names any more. On the writer, in its transaction;
 * the files go after the commit (upload_swept). */
int upload_sweep(struct db *db, int64_t now_ms);
void upload_swept(struct store *s);
/* What there is of blobs, for the figures: all at once at the start, on the file thread before it adds any; then each that is new. */
void blobs_count(struct store *s);
void blob_added(struct store *s, int64_t size);

char *upload_path(struct store *s, struct ulid id, char *buffer, size_t size);
char *blob_name(const uint8_t hash[BLOB_HASH_BYTES], char ret[BLOB_NAME_TEXT]);    /* "c0/c0ffee…": below the folder of them */
char *blob_path(struct store *s, const uint8_t hash[BLOB_HASH_BYTES], char *buffer, size_t size);
