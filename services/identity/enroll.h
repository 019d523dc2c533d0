/* Enrolments: a device asks to be bound to an email; a code goes there by mail; the same device brings it back.
 *
 * An email that nobody has gets a row, a code and a (decoy) mail too, so that the work and the answer tell nothing. Limits count
 * these rows, and never void what was issued. All run in the caller's transaction. */
#pragma once
#include "arena.h"
#include "database.h"

enum {
        ENROLL_CODE = 8,                        /* Crockford base32 characters */
        ENROLL_LIFE_MS = 15 * 60 * 1000,
        ENROLL_TRIES = 5,
        ENROLL_WINDOW_MS = 60 * 60 * 1000,      /* in which the limits count */
        ENROLL_PER_EMAIL = 5,
        ENROLL_PER_DEVICE = 10,
        ENROLL_LABEL_MAX = 40,
};

/* Letters, digits, space . _ - of ASCII, at most ENROLL_LABEL_MAX. */
bool enroll_label_is_valid(struct str label);

struct enroll_request {
        struct str email, email_key;    /* as email_normalize made them */
        struct str device, device_key, label;
        struct str link;                /* "http://127.0.0.1:8080/bind#": the code is put behind it, and the label */
        bool embed;                     /* from a page that is embedded elsewhere: no link leads back there */
};
/* FAULT_RATE_LIMITED with *ret_retry_after_ms. */
int enroll_start(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, const struct enroll_request *request,
                 struct arena *arena, struct ulid *ret_id, int64_t *ret_retry_after_ms);

int enroll_expires_at(struct db *db, struct ulid id, int64_t *ret_at); /* FAULT_NOT_FOUND */

/* The characters as they were made: in upper case, I and L as 1, O as 0, spaces and hyphens gone. -EINVAL. */
int enroll_code_parse(struct str text, char ret_code[ENROLL_CODE]);

/* Binds the device. FAULT_NOT_FOUND: a wrong code, and one try less: to be committed. FAULT_EXPIRED: this device has nothing to redeem
 * (any more). FAULT_CONFLICT: bound too often. */
int enroll_redeem(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str device_key,
                  const char code[ENROLL_CODE], struct arena *arena, struct ulid *ret_binding);
