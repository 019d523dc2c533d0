/* How a device proves its secret when it opens a session; docs/protocol.md, "Session", has the bytes. */
#pragma once
#include "str.h"

enum { PROOF_SECRET_BYTES = 32, PROOF_PROJECT_BYTES = 32, PROOF_BYTES = 32 };

/* server and device as session.nonce answered them: the project and the server are in it, so that no other project can pass
 * a proof on to this one. */
void session_proof(const uint8_t secret[PROOF_SECRET_BYTES], const uint8_t project[PROOF_PROJECT_BYTES], struct str server,
                   struct str device, struct str nonce, uint8_t ret_proof[PROOF_BYTES]);
