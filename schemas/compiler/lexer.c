#include "lexer.h"
#include <ctype.h>
#include <string.h>

/* The bytes of the UTF-8 character that starts at p, or 0 where it is malformed. */
static size_t utf8_bytes(const unsigned char *p, size_t n)
{
        uint32_t point, least;
        size_t more;

        if (p[0] < 0x80)
                return 1;
        if (p[0] >= 0xc2 && p[0] <= 0xdf) {
                more = 1;
                point = p[0] & 0x1f;
                least = 0x80;
        } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
                more = 2;
                point = p[0] & 0x0f;
                least = 0x800;
        } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
                more = 3;
                point = p[0] & 0x07;
                least = 0x10000;
        } else {
                return 0;
        }
        if (n <= more)
                return 0;
        for (size_t i = 1; i <= more; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                point = point << 6 | (p[i] & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
                return 0;
        return more + 1;
}

static char peek(const struct lexer *lexer, size_t ahead)
{
        return lexer->i + ahead < lexer->file->n ? lexer->file->text[lexer->i + ahead] : '\0';
}

static void advance(struct lexer *lexer, size_t n)
{
        lexer->i += n;
        lexer->column += (int)n;
}

static struct position here(const struct lexer *lexer)
{
        return (struct position){ lexer->file, lexer->line, lexer->column };
}

static bool is_name(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

/* From here to the end of the line, checked; the column counts characters. */
static void line_rest(struct lexer *lexer, size_t *ret_start, size_t *ret_n)
{
        size_t start = lexer->i;

        while (lexer->i < lexer->file->n && peek(lexer, 0) != '\n') {
                const unsigned char *p = (const unsigned char *)lexer->file->text + lexer->i;
                size_t n = utf8_bytes(p, lexer->file->n - lexer->i);
                struct position at = here(lexer);

                if (n == 0)
                        report(lexer->program, &at, "this is not UTF-8; save the file as UTF-8");
                else if ((*p < ' ' && *p != '\t') || *p == 0x7f)
                        report(lexer->program, &at, "a control character (0x%02x) in a comment; remove it", *p);
                if (lexer->program->error)
                        break;
                lexer->i += n;
                lexer->column++;
        }
        *ret_start = start;
        *ret_n = lexer->i - start;
}

static void skip_blanks(struct lexer *lexer)
{
        size_t start, n;

        for (;;) {
                char c = peek(lexer, 0);

                if (lexer->i >= lexer->file->n || lexer->program->error)
                        return;
                if (c == '\n') {
                        lexer->i++;
                        lexer->line++;
                        lexer->column = 1;
                        lexer->first = true;
                } else if (c == ' ' || c == '\t') {
                        advance(lexer, 1);
                } else if (c == '#' && peek(lexer, 1) != '#') {
                        line_rest(lexer, &start, &n);
                } else {
                        return;
                }
        }
}

static void take_doc(struct lexer *lexer, struct token *token)
{
        size_t start, n;
        const char *text;

        advance(lexer, 2);
        line_rest(lexer, &start, &n);
        text = lexer->file->text + start;
        while (n && (*text == ' ' || *text == '\t')) {
                text++;
                n--;
        }
        while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
                n--;
        token->kind = TOKEN_DOC;
        token->text = pool_text(&lexer->program->pool, text, n);
}

static void take_name(struct lexer *lexer, struct token *token)
{
        size_t start = lexer->i;

        while (is_name(peek(lexer, 0)) || (peek(lexer, 0) == '.' && is_name(peek(lexer, 1))))
                advance(lexer, 1);
        if (lexer->i - start > NAME_MAX_BYTES)
                report(lexer->program, &token->at, "a name of %zu characters; write at most %d", lexer->i - start, NAME_MAX_BYTES);
        token->kind = TOKEN_NAME;
        token->text = pool_text(&lexer->program->pool, lexer->file->text + start, lexer->i - start);
}

static void take_number(struct lexer *lexer, struct token *token)
{
        size_t start = lexer->i;
        bool negative = peek(lexer, 0) == '-';
        int64_t number = 0;

        if (negative)
                advance(lexer, 1);
        token->kind = TOKEN_NUMBER;
        for (; isdigit((unsigned char)peek(lexer, 0)); advance(lexer, 1)) {
                number = 10 * number + (peek(lexer, 0) - '0');
                if (number > NUMBER_MAX) {
                        report(lexer->program, &token->at, "a number beyond 2^53 - 1; write at most 9007199254740991");
                        return;
                }
        }
        token->number = negative ? -number : number;
        while (peek(lexer, 0) == '.' && isdigit((unsigned char)peek(lexer, 1))) {
                token->kind = TOKEN_VERSION;
                for (advance(lexer, 1); isdigit((unsigned char)peek(lexer, 0));)
                        advance(lexer, 1);
        }
        if (is_name(peek(lexer, 0))) {
                struct position at = here(lexer);

                report(lexer->program, &at, "'%c' in a number; write a blank between a number and a name", peek(lexer, 0));
        }
        token->text = pool_text(&lexer->program->pool, lexer->file->text + start, lexer->i - start);
}

static void take_sign(struct lexer *lexer, struct token *token)
{
        static const struct {
                const char *text;
                enum token_kind kind;
        } signs[] = {
                { "..", TOKEN_RANGE }, { "->", TOKEN_ARROW }, { "{", TOKEN_OPEN }, { "}", TOKEN_CLOSE },
                { "<", TOKEN_LESS }, { ">", TOKEN_GREATER }, { ",", TOKEN_COMMA },
        };
        char c = peek(lexer, 0);

        for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
                if (c != signs[i].text[0] || (signs[i].text[1] && peek(lexer, 1) != signs[i].text[1]))
                        continue;
                token->kind = signs[i].kind;
                token->text = signs[i].text;
                advance(lexer, strlen(signs[i].text));
                return;
        }
        if (c == '\r')
                report(lexer->program, &token->at, "a carriage return; save the file with plain line ends");
        else if (isprint((unsigned char)c))
                report(lexer->program, &token->at, "'%c' means nothing here; names have letters, digits and _", c);
        else
                report(lexer->program, &token->at, "byte 0x%02x outside a comment; write ASCII here", (unsigned char)c);
}

void lexer_next(struct lexer *lexer)
{
        struct token token = { .kind = TOKEN_END };

        skip_blanks(lexer);
        token.at = here(lexer);
        token.first = lexer->first;
        lexer->first = false;
        if (lexer->i < lexer->file->n && !lexer->program->error) {
                char c = peek(lexer, 0);

                if (c == '#')
                        take_doc(lexer, &token);
                else if (isdigit((unsigned char)c) || (c == '-' && isdigit((unsigned char)peek(lexer, 1))))
                        take_number(lexer, &token);
                else if (is_name(c))
                        take_name(lexer, &token);
                else
                        take_sign(lexer, &token);
        }
        if (lexer->program->error)
                token.kind = TOKEN_END;
        lexer->token = token;
}

void lexer_init(struct lexer *lexer, struct program *program, const struct file *file)
{
        *lexer = (struct lexer){ .program = program, .file = file, .line = 1, .column = 1, .first = true };
        lexer_next(lexer);
}
