/* Email addresses, as users are keyed by them. */
#pragma once
#include "arena.h"

/* Trimmed, its domain in lower case; the key is wholly in lower case, since people don't remember which letters they capitalized.
 * ASCII of the plain form local@domain only: no quotes, no comments, nothing that a mail's header could mistake for
 * more than one address. -EINVAL for all else. Both lie in the arena. */
int email_normalize(struct str in, struct arena *arena, struct str *ret_email, struct str *ret_key);
