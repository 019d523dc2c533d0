/* A bar on the terminal of who waits for something long: how much is done, and when it will be. Where stdout is no terminal there is none. */
#pragma once
#include <stdint.h>
#include <time.h>

struct progress {
        struct timespec began;
};

void progress_begin(struct progress *p);
int64_t progress_elapsed_ms(const struct progress *p);
/* what: said behind the bar, "1200 tickets". */
void progress_show(const struct progress *p, uint64_t done, uint64_t of, const char *what);
void progress_clear(void);
