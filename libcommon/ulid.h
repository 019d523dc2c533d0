/* ULIDs (github.com/ulid/spec): 48 bits of ms since the Unix epoch, 80 random bits; text is 26 Crockford base32
 * characters. Ours are read case-insensitively, written in upper case, and compared as bytes. */
#pragma once
#include "str.h"

enum { ULID_TEXT = 26 };

struct ulid {
        uint8_t b[16];
};

struct ulid ulid_new(int64_t now_ms);                      /* randomness from libsodium */
struct ulid ulid_of(int64_t now_ms, const uint8_t random[10]);
int64_t ulid_time_ms(struct ulid id);
bool ulid_eq(struct ulid a, struct ulid b);
int ulid_cmp(struct ulid a, struct ulid b);
bool ulid_is_zero(struct ulid id);
void ulid_text(struct ulid id, char ret_text[ULID_TEXT + 1]);
int ulid_parse(struct str text, struct ulid *ret);         /* -EINVAL; the first character is at most '7' */
