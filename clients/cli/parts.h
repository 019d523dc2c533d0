/* What a backup is made of, beside attachments: where each part lies in its folder, and where on this machine. */
#pragma once
#include "file.h"
#include "operator.h"

/* Who the desk is: the one key without which a backup is of no desk. */
#define PARTS_PROJECT "keys/identity/project"

struct part {
        const char *name;       /* in the backup's folder */
        const char *path;       /* here */
        const char *service;    /* whose it is; NULL: the operator's own */
};

/* Settings, keys that outlive a restore, and the overlay node's key and pins, whether they are there or not; drop-ins of the settings as there are,
 * in `folder`, or here where it is NULL. They lie in the operator's arena. */
struct parts {
        struct part items[200];
        size_t n;
};
int parts_list(struct operator *o, const char *folder, struct parts *ret); /* 0, or an exit status after having said why */
/* "store.db" and "identity.db", by the same rule. */
struct part parts_database(struct operator *o, const char *service);
/* Attachments lie as xx/HASH, where xx is how HASH begins, in a folder that may be another's: from, an fd, stays open. Makes the folder `to` and those in it,
 * and calls take for each: file is in folder, name is "xx/HASH" as it should be, data is its own. 0, or the first error. */
struct blob {
        int folder;             /* an fd */
        const char *file, *name, *to;
};
int parts_blobs(int from, const char *to, int (*take)(void *data, const struct blob *blob), void *data);
/* Whether these are the bytes that its name says. */
bool parts_blob_is(const struct blob *blob, const uint8_t hash[FILE_HASH_BYTES]);
