/* What both halves of the codec share: where in a message we are, and whether a value keeps its limits. */
#pragma once
#include "codec.h"

/* One step of the way to a value; on the stack of whoever descends. index < 0: a member, not an item. */
struct codec_path {
        const struct codec_path *up;
        const char *name;
        int64_t index;
};

/* Fills *error (NULL is fine) and returns -EINVAL. */
int codec_fail(struct codec_error *error, const struct codec_path *path, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* Fills error->field alone. */
void codec_locate(struct codec_error *error, const struct codec_path *path);

/* One value against its field's limits, lists' own length apart. 0 or -EINVAL with *error. */
int codec_check_int(const struct schema_field *f, int64_t v, const struct codec_path *path, struct codec_error *error);
int codec_check_str(const struct schema_field *f, struct str s, const struct codec_path *path, struct codec_error *error);
int codec_check_count(const struct schema_field *f, size_t n, const struct codec_path *path, struct codec_error *error);
int codec_unknown_value(const struct schema_field *f, struct str s, const struct codec_path *path, struct codec_error *error);

static inline bool schema_is_list(const struct schema_field *f)
{
        return f->flags & (SCHEMA_LIST | SCHEMA_SET);
}

/* Sets presence, where the field has a place for it. */
void codec_set_presence(const struct schema_field *f, void *base, enum schema_presence presence);
/* What an absent field becomes: its default, or absent; -EINVAL where it is required. */
int codec_absent(const struct schema_field *f, void *base, const struct codec_path *path, struct codec_error *error);
