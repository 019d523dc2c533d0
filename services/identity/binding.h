/* Bindings: which user a device speaks for, and the secret by which it is known. Revoking one erases its secret.
 *
 * A device is what its driver calls it ("mycelium:5a6:…::/64": so a binding counts under the driver only that it was made under) and the
 * public key behind that, empty where the driver's addresses have none: under another key it is another device, which is bound to nobody.
 *
 * Those that change something run in the caller's transaction. Texts of found bindings lie in the arena. */
#pragma once
#include "arena.h"
#include "db.h"
#include "proof.h"
#include "schema/identity.h"

enum { BINDING_PER_DEVICE_MAX = 64 };

/* Of `new`, its user, label, address and embed. FAULT_CONFLICT where the device has BINDING_PER_DEVICE_MAX live ones. */
int binding_add(struct db *db, int64_t now_ms, const struct device *new, struct str device_key, struct ulid *ret_id);

/* FAULT_NOT_FOUND */
int binding_find(struct db *db, struct ulid id, struct arena *arena, struct device *ret);

/* The secret of a binding that has not opened a session yet; FAULT_EXPIRED once it has, or is revoked. */
int binding_unused_secret(struct db *db, struct ulid id, uint8_t ret_secret[PROOF_SECRET_BYTES]);

/* The device's live binding whose secret made this proof. FAULT_UNAUTHENTICATED. Takes as long for any of its secrets as for none. */
int binding_prove(struct db *db, const uint8_t project[PROOF_PROJECT_BYTES], struct str server, struct str device, struct str device_key,
                  struct str nonce, const uint8_t proof[PROOF_BYTES], struct ulid *ret_id);

int binding_seen(struct db *db, struct ulid id, int64_t now_ms);
int binding_revoke(struct db *db, struct ulid id, int64_t now_ms);

/* Of one user, or of all where user is zero; as user_list. */
int binding_list(struct db *db, struct ulid user, struct ulid after, int64_t limit, struct arena *arena, struct device **ret_devices,
                 size_t *ret_n);
