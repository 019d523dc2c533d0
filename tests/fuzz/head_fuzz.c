/* The reader of request heads: what it lets pass, h2o's own parser must take for the same request. */
#include "services/gateway/head.h"
#include <stdlib.h>
#include <sys/types.h>

enum { FIELDS = 100 };          /* as many as h2o gives it room for */

struct phr_header {
        const char *name;
        size_t name_len;
        const char *value;
        size_t value_len;
};
int phr_parse_request(const char *bytes, size_t n, const char **method, size_t *method_len, const char **path, size_t *path_len,
                      int *minor_version, struct phr_header *headers, size_t *num_headers, size_t last_len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct str bytes, const struct head *head)
{
        struct phr_header fields[FIELDS];
        size_t n = FIELDS;
        struct str method, target;
        int minor;

        if (phr_parse_request(bytes.p, bytes.n, &method.p, &method.n, &target.p, &target.n, &minor, fields, &n, 0) != (int)head->n)
                __builtin_trap();
        if (!str_eq(target, head->target))
                __builtin_trap();
        for (size_t i = 0; i < n; i++)
                if (!fields[i].name || !fields[i].name_len)     /* folded */
                        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str bytes = { (const char *)data, size };
        const char *reason = NULL;
        struct head head;
        int status = head_read(bytes, &head, &reason);

        if (!status)
                same(bytes, &head);
        else if ((status > 0) != (reason != NULL))
                __builtin_trap();
        if (!status && head_read((struct str){ bytes.p, head.n - 1 }, &head, &reason) != HEAD_MORE)
                __builtin_trap();
        return 0;
}
