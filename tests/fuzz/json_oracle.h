/* What jansson makes of a text. Apart, because its json_string is not ours. */
#pragma once
#include "str.h"

enum verdict { REFUSED, ACCEPTED, NO_OPINION };

/* Whether it is one JSON object; no opinion where jansson has limits of its own. */
enum verdict json_oracle(struct str in);
