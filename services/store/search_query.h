/* What is typed to search: `printer "blank page" ton* state:open assignee:me -tag:vpn field.room:12 created:>2026-01-01`.
 *
 * Pure: nothing is looked up. Words, phrases and prefixes become quoted strings of FTS5's language, so nothing that a user writes is
 * ever read as its syntax. All of it must hold; a filter is negated by `-`. Days are UTC. */
#pragma once
#include "str.h"

enum {
        SEARCH_TERMS_MAX = 16,
        SEARCH_PREFIXES_MAX = 4,
        SEARCH_PREFIX_MIN = 3,          /* characters before the `*`: a shorter one stands for too many words */
        SEARCH_TAGS_MAX = 8,
        SEARCH_FIELDS_MAX = 8,
};

struct search_term {
        struct str text;                /* a word, a phrase, or with prefix the beginning of a word */
        bool prefix;
};

struct search_person {
        enum { SEARCH_ANYBODY, SEARCH_ME, SEARCH_NOBODY, SEARCH_SOMEBODY } who;
        bool negated;
        struct str name;                /* of somebody, or their id */
        size_t column;                  /* of the filter */
};

/* Something that the project defines: a type, a team. */
struct search_named {
        enum { SEARCH_ANY, SEARCH_NONE, SEARCH_NAMED } which;
        bool negated;
        struct str name;                /* or its id */
        size_t column;
};

/* A custom field's value. */
struct search_field {
        struct str key, value;
        char compares;                  /* '=', '<' or '>' */
        bool negated;
        size_t column;
};

struct search_range {
        int64_t from_ms, until_ms;      /* from <= t < until */
};

struct search_query {
        struct search_term terms[SEARCH_TERMS_MAX];
        size_t n_terms, n_prefixes;
        struct {
                struct str text;
                bool negated;
        } tags[SEARCH_TAGS_MAX];
        size_t n_tags;
        uint64_t states, priorities;    /* bits of those that fit */
        struct search_person assignee, requester;
        struct search_range created, changed;
        struct search_named type, team, label;
        struct {
                enum { SEARCH_EITHER, SEARCH_SNOOZED, SEARCH_AWAKE } which;
                bool given;
                size_t column;
        } snoozed;
        struct search_field fields[SEARCH_FIELDS_MAX];
        size_t n_fields;
};

struct search_fault {
        size_t column;                  /* 1..: the character where it is */
        char reason[200];               /* what would be right */
};

/* text: valid UTF-8; what is read points into it. 0, or -EINVAL and *fault. */
int search_query_parse(struct str text, struct search_query *ret, struct search_fault *fault);
/* A part of a word as the index has them; beyond ASCII it says itself what is one. */
bool search_is_letter(char c);
/* A text as a string of FTS5. */
void search_quote(struct str text, struct buf *out);
