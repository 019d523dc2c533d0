/* Parts of a file, as HTTP names them (RFC 9110, sections 14.2 and 14.4). */
#pragma once
#include "str.h"

struct range {
        int64_t first, last;   /* both included */
        int64_t total;         /* of the file */
};

/* "bytes 0-1023/4096"; -EINVAL for everything else, "*" included. */
int content_range_parse(struct str text, struct range *ret);

enum range_verdict {
        RANGE_WHOLE,           /* none was asked for, or something that we need not understand: several, another unit */
        RANGE_PART,
        RANGE_OUTSIDE,         /* 416 */
};
enum range_verdict range_parse(struct str text, int64_t size, struct range *ret);
