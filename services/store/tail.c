#include "tail.h"

#include "tx.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

struct tail_slot {
        struct log_entry entry;  /* seq 0: empty */
        bool shown;              /* comment is filled; its body is below */
        struct comment comment;
        char body[TAIL_BODY_MAX];
};

int tail_init(struct tail *tail)
{
        tail->slots = calloc(TAIL_OPS, sizeof(*tail->slots));
        if (!tail->slots)
                return -ENOMEM;
        pthread_mutex_init(&tail->mutex, NULL);
        return 0;
}

void tail_deinit(struct tail *tail)
{
        if (!tail->slots)
                return;
        pthread_mutex_destroy(&tail->mutex);
        free(tail->slots);
}

static struct tail_slot *slot_of(struct tail *tail, int64_t seq)
{
        return &tail->slots[seq % TAIL_OPS];
}

/* Of the ops on comments, what does not add one may change how one looks. */
static bool may_change(const struct schema_op *kind)
{
        struct str name = str_of(kind->name);

        return kind != &schema_op_comment_add && kind != &schema_op_note_add && (str_starts(name, "comment.") || str_starts(name, "note."));
}

void tail_append(struct tail *tail, const struct log_entry *e)
{
        struct tail_slot *slot = slot_of(tail, e->seq);

        pthread_mutex_lock(&tail->mutex);
        if (may_change(e->kind))
                sodium_memzero(tail->slots, TAIL_OPS * sizeof(*tail->slots));
        slot->entry = *e;
        slot->entry.op = (struct op){ .op_id = e->op.op_id, .n = e->op.n, .hlc = e->op.hlc, .actor = e->op.actor };
        memcpy(slot->entry.op.hash, e->op.hash, sizeof(slot->entry.op.hash));
        slot->shown = false;
        pthread_mutex_unlock(&tail->mutex);
}

void tail_show(struct tail *tail, int64_t seq, const struct comment *comment)
{
        struct tail_slot *slot = slot_of(tail, seq);

        if (comment->body.n > TAIL_BODY_MAX)
                return;
        pthread_mutex_lock(&tail->mutex);
        slot->comment = *comment;
        slot->comment.body.p = memcpy(slot->body, comment->body.p, comment->body.n);
        slot->shown = true;
        pthread_mutex_unlock(&tail->mutex);
}

bool tail_find(struct tail *tail, int64_t seq, struct arena *arena, struct log_entry *ret_entry, struct comment *ret_comment)
{
        const struct tail_slot *slot = slot_of(tail, seq);
        bool found;

        pthread_mutex_lock(&tail->mutex);
        found = slot->shown && slot->entry.seq == seq;
        if (found) {
                *ret_entry = slot->entry;
                *ret_comment = slot->comment;
                ret_comment->body = arena_str(arena, slot->comment.body);
        }
        pthread_mutex_unlock(&tail->mutex);
        return found;
}
