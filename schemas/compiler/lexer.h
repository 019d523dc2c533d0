/* Schema text as tokens. After the first error, and after the end, every token is TOKEN_END: a parser unwinds by itself. */
#pragma once
#include "ast.h"

enum token_kind {
        TOKEN_END,
        TOKEN_NAME,   /* letters, digits and _, parts joined by dots: "ticket.create" */
        TOKEN_NUMBER, /* a whole number, perhaps with a minus sign */
        TOKEN_VERSION, /* "0.2", "1.0.3" */
        TOKEN_DOC,    /* ## to the end of the line; text is without the marks and blanks around it */
        TOKEN_RANGE,  /* .. */
        TOKEN_ARROW,  /* -> */
        TOKEN_OPEN,
        TOKEN_CLOSE,
        TOKEN_LESS,
        TOKEN_GREATER,
        TOKEN_COMMA,
};

struct token {
        enum token_kind kind;
        const char *text; /* in the pool; what stands there, for every kind but TOKEN_END */
        int64_t number;
        struct position at;
        bool first; /* of its line */
};

struct lexer {
        struct program *program;
        const struct file *file;
        size_t i;
        int line, column;
        bool first;
        struct token token; /* the one to look at */
};

void lexer_init(struct lexer *lexer, struct program *program, const struct file *file); /* token is the first one */
void lexer_next(struct lexer *lexer);
