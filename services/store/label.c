#include "label.h"

#include "definition.h"

#include <errno.h>

_Static_assert(sizeof(struct label) == sizeof(struct op_label_set), "a label looks as its op does");

int label_state(struct tx *tx, struct call *c, struct ulid label, int *ret)
{
        struct op_label_set body = { 0 };
        int r = definition_find(tx->db, &schema_op_label_set, label, tx->arena, &body);

        if (r == -ENOENT || (!r && body.retired))
                return call_invalid(c, "label", "must be a label that is not retired; label.list has them");
        if (!r)
                *ret = body.state;
        return r;
}

/* Tickets that have it stay where they are. */
static int state_keep(struct tx *tx, struct call *c, const void *params, const void *body)
{
        const struct label_save *in = params;
        struct op_label_set before = { 0 };
        int r = in->has_label ? definition_find(tx->db, &schema_op_label_set, in->label, tx->arena, &before) : -ENOENT;

        (void)body;
        if (!r && before.state != in->state)
                return call_invalid(c, "state", "must stay %s: retire the label, and make a new one", schema_enum_ticket_state.values[before.state]);
        return r == -ENOENT ? 0 : r;
}

int store_on_label_save(struct store *s, struct call *c, const struct label_save *in, struct label_save_result *ret)
{
        struct op_label_set body = { .name = in->name, .state = in->state, .retired = in->retired };

        return definition_handle(s, c, &(struct definition_saving){ &schema_op_label_set, in->has_label ? &in->label : NULL, &body, state_keep }, &ret->label,
                                 &ret->has_cursor, &ret->cursor);
}

int store_on_label_list(struct store *s, struct call *c, const struct label_list *in, struct label_list_result *ret)
{
        (void)in;
        return definition_list(store_db(s, c), &schema_op_label_set, NULL, &c->arena, (struct schema_list *)&ret->items);
}
