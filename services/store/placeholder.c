#include "placeholder.h"

#include <errno.h>
#include <stdio.h>

static const char *const names[PLACEHOLDERS] = {
        [PLACEHOLDER_NUMBER] = "ticket.number",
        [PLACEHOLDER_SUBJECT] = "ticket.subject",
        [PLACEHOLDER_REQUESTER] = "requester.name",
        [PLACEHOLDER_AGENT] = "agent.name",
        [PLACEHOLDER_PROJECT] = "project.name",
};

static bool is_name(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

/* The name in the braces that begin at text[at]; empty: these are no placeholder's. */
static struct str name_at(struct str text, size_t at)
{
        size_t end = at + 1;

        while (end < text.n && is_name(text.p[end]))
                end++;
        if (end == text.n || text.p[end] != '}')
                return (struct str){ 0 };
        return (struct str){ text.p + at + 1, end - at - 1 };
}

static int find(struct str name)
{
        for (int i = 0; i < PLACEHOLDERS; i++)
                if (str_is(name, names[i]))
                        return i;
        return -1;
}

static bool is_brace(struct str text, size_t at)
{
        return at + 1 < text.n && text.p[at + 1] == '{';
}

int placeholder_check(struct str text, struct placeholder_fault *fault)
{
        size_t column = 0;

        for (size_t at = 0; at < text.n; at++) {
                struct str name;

                column += ((unsigned char)text.p[at] & 0xc0) != 0x80;
                if (text.p[at] != '{')
                        continue;
                name = name_at(text, at);
                if (is_brace(text, at)) {
                        at++;
                        column++;
                } else if (name.n && find(name) < 0) {
                        fault->column = column;
                        snprintf(fault->reason, sizeof(fault->reason), "there is no {%.*s}; there are {%s}, {%s}, {%s}, {%s} and {%s}, and {{ for a brace",
                                 name.n > 40 ? 40 : (int)name.n, name.p, names[0], names[1], names[2], names[3], names[4]);
                        return -EINVAL;
                }
        }
        return 0;
}

void placeholder_fill(struct str text, const struct str values[PLACEHOLDERS], struct buf *out)
{
        for (size_t at = 0; at < text.n; at++) {
                struct str name = text.p[at] == '{' ? name_at(text, at) : (struct str){ 0 };
                int which = name.n ? find(name) : -1;

                if (text.p[at] == '{' && is_brace(text, at)) {
                        buf_char(out, '{');
                        at++;
                } else if (which >= 0) {
                        buf_str(out, values[which]);
                        at += name.n + 1;
                } else {
                        buf_char(out, text.p[at]);
                }
        }
}
