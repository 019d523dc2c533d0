/* The one codec: descriptors in, msgpack or JSON out, and back, every limit checked before memory is taken.
 *
 * msgpack: a struct is an array of its fields in schema order; absent is nil; a shorter array leaves the rest absent, a longer
 * one is from a newer peer and its tail is skipped. ulids and bytes are bin, enums are their value's text, so that values may be
 * added anywhere. JSON: a struct is an object; absent is left out; ulids are 26 characters, bytes base64url, enums text.
 * Unknown JSON members are ignored, but must be well-formed; a known member twice is an error.
 *
 * Decoded strings point into the input (JSON strings with escapes: into the arena). Lists and structs lie in the arena.
 * Readers return 0, -EBADMSG for what is not msgpack or JSON at all, -EINVAL for what is not as the schema says; then *error is
 * filled (when not NULL) and *ret partly written: do not use it. */
#pragma once
#include "arena.h"
#include "schema.h"

enum { CODEC_DEPTH = 32 };

struct codec_error {
        char field[96];    /* "attachments[3]", "subject"; empty: the message as a whole */
        char reason[160];  /* what is wrong, and what would be right */
};

int msgpack_read(const struct schema_struct *type, struct str in, struct arena *arena, void *ret, struct codec_error *error);
void msgpack_write(const struct schema_struct *type, const void *value, struct buf *out);

int json_read(const struct schema_struct *type, struct str in, struct arena *arena, void *ret, struct codec_error *error);
void json_write(const struct schema_struct *type, const void *value, struct buf *out);

/* The items of a JSON array, each as its own text; -E2BIG past max. The array lies in the arena, the texts in the input. */
int json_split(struct str in, struct arena *arena, size_t max, struct str **ret_items, size_t *ret_n, struct codec_error *error);

/* Limits and required fields of a struct that was built by hand; for results and events in tests, and parameters of clients. */
int schema_check(const struct schema_struct *type, const void *value, struct codec_error *error);

/* One msgpack value at a time, for the few messages that no schema describes (RPC envelopes, op records).
 * Readers advance *in past the value; -EBADMSG where the next value is another one. */
void msgpack_put_array(struct buf *out, uint32_t n);
void msgpack_put_nil(struct buf *out);
void msgpack_put_bool(struct buf *out, bool v);
void msgpack_put_int(struct buf *out, int64_t v);
void msgpack_put_str(struct buf *out, struct str s);
void msgpack_put_bin(struct buf *out, const void *bytes, size_t n);
int msgpack_get_array(struct str *in, uint32_t *ret_n);  /* n is at most the bytes that are left */
bool msgpack_get_nil(struct str *in);                    /* takes it if it is nil */
int msgpack_get_bool(struct str *in, bool *ret);
int msgpack_get_int(struct str *in, int64_t *ret);
int msgpack_get_str(struct str *in, struct str *ret);    /* points into the input */
int msgpack_get_bin(struct str *in, struct str *ret);    /* likewise */
int msgpack_skip(struct str *in);                        /* one value of any shape, to CODEC_DEPTH */

/* The struct's value at *in, advancing it: for a typed value inside an envelope. */
int msgpack_read_next(const struct schema_struct *type, struct str *in, struct arena *arena, void *ret, struct codec_error *error);

/* The pieces of an op body. Where a field is SCHEMA_PERSONAL, msgpack_write_committed writes the 32 bytes that `commit` answers
 * for (field index, its text) instead of the text; absent stays nil. msgpack_read_committed asks `text` for it: 0 and the
 * text, or -ENOENT where it was redacted, which leaves an optional field absent and another one empty. */
struct codec_commit {
        void (*commit)(void *data, unsigned field, struct str text, uint8_t ret_commitment[32]);
        int (*text)(void *data, unsigned field, const uint8_t commitment[32], struct str *ret_text);
        void *data;
};
void msgpack_write_committed(const struct schema_struct *type, const void *value, const struct codec_commit *c, struct buf *out);
int msgpack_read_committed(const struct schema_struct *type, struct str in, const struct codec_commit *c, struct arena *arena,
                           void *ret, struct codec_error *error);

/* JSON text. json_string writes quotes and escapes. */
void json_string(struct buf *out, struct str s);
