/* A command in the writer's transaction: its op id checked, its effects appended to the log and folded. */
#pragma once
#include "entry.h"
#include "store.h"

enum { TX_REQUEST_BYTES = 16 };

struct tx {
        struct store *store;
        struct db *db;
        struct arena *arena;
        struct caller actor;
        struct ulid op_id;
        struct ulid on_behalf_of;
        struct ulid *ticket;      /* of the call, for its line in the log; NULL where there is none */
        uint32_t n;               /* effects so far */
        uint64_t hlc;             /* of the last one */
        uint8_t request[TX_REQUEST_BYTES]; /* the first bytes of the command's hash */
        bool has_request;
        struct buf body, record;  /* of the effect being written; the memory is kept from command to command */
};

/* Begins what the call asks. *ret_again: this very command was accepted before, so only answer what it made, as the caller may see
 * it now. Conflict where the op id is another command's or another actor's, of which nothing is told. */
int tx_begin(struct store *s, struct call *c, struct tx **ret, bool *ret_again);
/* Begins what no caller asked for. -EEXIST where op_id was accepted before. */
int tx_begin_system(struct store *s, struct arena *arena, struct ulid op_id, struct tx **ret);

/* Appends one effect and folds it. body: the kind's struct; its salts are made here. audience: the ticket or user that the
 * kind's scope asks for, NULL for the others. hlc: 0 for now. ret_id, where not NULL: the id of what it creates. */
struct effect {
        const struct schema_op *kind;
        const void *body;
        struct ulid target;
        const struct ulid *audience;
        const struct op_base *base;
        size_t n_base;
        uint64_t hlc;
};
int tx_append(struct tx *tx, const struct effect *effect);
/* The id of what the next effect will create. Conflict is for the caller to find: ids may be taken. */
struct ulid tx_next_id(const struct tx *tx);

/* The position after this command, in the arena. */
struct str tx_cursor(struct tx *tx);
