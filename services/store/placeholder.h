/* Placeholders in texts: {ticket.number}, ... stand for what they are called; {{ is a brace. Pure: nothing is looked up. */
#pragma once
#include "str.h"

enum placeholder { PLACEHOLDER_NUMBER, PLACEHOLDER_SUBJECT, PLACEHOLDER_REQUESTER, PLACEHOLDER_AGENT, PLACEHOLDER_PROJECT, PLACEHOLDERS };

struct placeholder_fault {
        size_t column;          /* 1..: the character where it begins */
        char reason[200];
};

/* text: valid UTF-8. What is in braces and looks like a name must be one of ours; else braces are themselves. 0, or -EINVAL and *fault. */
int placeholder_check(struct str text, struct placeholder_fault *fault);
/* Of a text that was checked. */
void placeholder_fill(struct str text, const struct str values[PLACEHOLDERS], struct buf *out);
