/* Sessions: a nonce, a proof, a token. All three are stateless: a MAC says that they are ours, so any number of strangers costs
 * nothing. docs/protocol.md, "Session", has what clients see of them. */
#pragma once
#include "arena.h"
#include "database.h"
#include "schema/identity.h"

enum {
        SESSION_NONCE_BYTES = 56,
        SESSION_NONCE_LIFE_MS = 60 * 1000,
        SESSION_TOKEN_LIFE_MS = 12 * 60 * 60 * 1000,
        SESSION_SEAL_LIFE_MS = 10 * 60 * 1000,
        SESSION_CLOCK_BACK_MS = 60 * 1000,      /* by so much the clock may be set back without ending what was given out */
};

void session_nonce(const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, uint8_t ret_nonce[SESSION_NONCE_BYTES]);
/* Whether this device was given it. 0, FAULT_UNAUTHENTICATED, or FAULT_EXPIRED. */
int session_nonce_check(const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str nonce);

struct session {
        int64_t expires_at;
        struct ulid binding;    /* zero: a stranger */
        struct user user;
        bool embed;             /* of a page that is embedded elsewhere, by the token or the binding */
};
/* What its caller may do: as the user, or, embedded, as a customer. */
int session_role(const struct session *session);

/* A token for this device and the session's binding, as base64url. */
struct str session_token(const uint8_t key[DATABASE_KEY_BYTES], int64_t expires_at, struct str device, const struct session *session,
                         struct arena *arena);
/* Who that is now: 0; FAULT_UNAUTHENTICATED where the token isn't ours, is another device's, is over, was revoked, or is
 * of a user who may not sign in. A stranger has no user. */
int session_find(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str token,
                 struct arena *arena, struct session *ret);
/* The session of a binding; likewise. */
int session_of_binding(struct db *db, struct ulid binding, struct arena *arena, struct session *ret);
