/* Invented words for invented tickets: the same for the same random numbers. */
#pragma once
#include "str.h"

struct seed_random {
        uint64_t state;         /* xorshift64*; never 0 */
};

uint64_t seed_next(struct seed_random *random);
/* 0 to n - 1. */
size_t seed_below(struct seed_random *random, size_t n);

void seed_subject(struct seed_random *random, struct buf *out);
/* A few sentences, now and then with a list, a quotation or lines of a log. */
void seed_question(struct seed_random *random, struct buf *out);
void seed_answer(struct seed_random *random, struct buf *out);
/* What a customer says to an answer. */
void seed_reaction(struct seed_random *random, struct buf *out);
void seed_note(struct seed_random *random, struct buf *out);
const char *seed_tag(struct seed_random *random);
