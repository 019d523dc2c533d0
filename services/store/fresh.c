#include "fresh.h"

#include "tx.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

struct fresh_slot {
        struct log_entry entry;  /* seq 0: empty */
        bool shown;              /* comment is filled; its body is below */
        struct comment comment;
        char body[FRESH_BODY_MAX];
};

int fresh_init(struct fresh *fresh)
{
        fresh->slots = calloc(FRESH_OPS, sizeof(*fresh->slots));
        if (!fresh->slots)
                return -ENOMEM;
        pthread_mutex_init(&fresh->mutex, NULL);
        return 0;
}

void fresh_deinit(struct fresh *fresh)
{
        if (!fresh->slots)
                return;
        pthread_mutex_destroy(&fresh->mutex);
        free(fresh->slots);
}

static struct fresh_slot *slot_of(struct fresh *fresh, int64_t seq)
{
        return &fresh->slots[seq % FRESH_OPS];
}

/* Of the ops on comments, what does not add one may change how one looks. */
static bool may_change(const struct schema_op *kind)
{
        struct str name = str_of(kind->name);

        return kind != &schema_op_comment_add && kind != &schema_op_note_add && (str_starts(name, "comment.") || str_starts(name, "note."));
}

void fresh_append(struct fresh *fresh, const struct log_entry *e)
{
        struct fresh_slot *slot = slot_of(fresh, e->seq);

        pthread_mutex_lock(&fresh->mutex);
        if (may_change(e->kind))
                sodium_memzero(fresh->slots, FRESH_OPS * sizeof(*fresh->slots));
        slot->entry = *e;
        slot->entry.op = (struct op){ .op_id = e->op.op_id, .n = e->op.n, .hlc = e->op.hlc, .actor = e->op.actor };
        memcpy(slot->entry.op.hash, e->op.hash, sizeof(slot->entry.op.hash));
        slot->shown = false;
        pthread_mutex_unlock(&fresh->mutex);
}

void fresh_show(struct fresh *fresh, int64_t seq, const struct comment *comment)
{
        struct fresh_slot *slot = slot_of(fresh, seq);

        if (comment->body.n > FRESH_BODY_MAX)
                return;
        pthread_mutex_lock(&fresh->mutex);
        slot->comment = *comment;
        slot->comment.body.p = memcpy(slot->body, comment->body.p, comment->body.n);
        slot->shown = true;
        pthread_mutex_unlock(&fresh->mutex);
}

bool fresh_find(struct fresh *fresh, int64_t seq, struct arena *arena, struct log_entry *ret_entry, struct comment *ret_comment)
{
        const struct fresh_slot *slot = slot_of(fresh, seq);
        bool found;

        pthread_mutex_lock(&fresh->mutex);
        found = slot->shown && slot->entry.seq == seq;
        if (found) {
                *ret_entry = slot->entry;
                *ret_comment = slot->comment;
                ret_comment->body = arena_str(arena, slot->comment.body);
        }
        pthread_mutex_unlock(&fresh->mutex);
        return found;
}
