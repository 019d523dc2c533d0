#include "parser.h"
#include "lexer.h"
#include <ctype.h>
#include <string.h>

enum spelling { LOWER, CAMEL, DOTTED };

static bool is(const struct lexer *l, enum token_kind kind)
{
        return l->token.kind == kind;
}

static bool is_word(const struct lexer *l, const char *word)
{
        return is(l, TOKEN_NAME) && strcmp(l->token.text, word) == 0;
}

/* What stands at the token, for messages. */
static const char *found(const struct lexer *l)
{
        if (is(l, TOKEN_END))
                return "the end of the file";
        if (is(l, TOKEN_DOC))
                return "documentation (##)";
        return pool_format(&l->program->pool, "'%s'", l->token.text);
}

static void expected(struct lexer *l, const char *what)
{
        report(l->program, &l->token.at, "%s where %s should stand", found(l), what);
        l->token.kind = TOKEN_END;
}

static bool take(struct lexer *l, enum token_kind kind, const char *what)
{
        if (!is(l, kind)) {
                expected(l, what);
                return false;
        }
        lexer_next(l);
        return true;
}

static bool spelled(const char *name, enum spelling spelling)
{
        bool dot = false;

        if (spelling == CAMEL ? !isupper((unsigned char)*name) : !islower((unsigned char)*name))
                return false;
        for (const char *p = name; *p; p++) {
                if (*p == '.') {
                        dot = true;
                        if (!islower((unsigned char)p[1]))
                                return false;
                } else if (spelling == CAMEL ? *p == '_' : isupper((unsigned char)*p)) {
                        return false;
                }
        }
        return dot == (spelling == DOTTED);
}

static const char *take_name(struct lexer *l, enum spelling spelling, const char *what, struct position *ret_at)
{
        static const char *const rules[] = {
                "small letters, digits and _, as in 'ticket_id'",
                "words with a capital letter each, as in 'TicketState'",
                "a group, a dot and a verb, as in 'ticket.create'",
        };
        const char *name = l->token.text;

        *ret_at = l->token.at;
        if (is(l, TOKEN_NAME) && !spelled(name, spelling))
                report(l->program, &l->token.at, "'%s' is not how %s is spelled; write %s", name, what, rules[spelling]);
        return take(l, TOKEN_NAME, what) ? name : "";
}

static const char *join_docs(struct lexer *l, const char *before, const char *doc, const struct position *at)
{
        const char *glue = *before == '\0' ? "" : *doc == '\0' ? "\n\n" : before[strlen(before) - 1] == '\n' ? "" : " ";
        const char *joined = pool_format(&l->program->pool, "%s%s%s", before, glue, doc);

        if (strlen(joined) > DOC_MAX_BYTES)
                report(l->program, at, "documentation of %zu bytes; write at most %d, and the rest into docs/", strlen(joined),
                       DOC_MAX_BYTES);
        return l->program->error ? "" : joined;
}

/* The doc lines before something; an empty line of them parts paragraphs. */
static const char *take_docs(struct lexer *l)
{
        const char *doc = "";

        for (; is(l, TOKEN_DOC); lexer_next(l))
                doc = join_docs(l, doc, l->token.text, &l->token.at);
        return doc;
}

/* The doc at the end of the line of what was just read. */
static void take_doc_behind(struct lexer *l, const char **doc)
{
        if (is(l, TOKEN_DOC) && !l->token.first) {
                *doc = join_docs(l, *doc, l->token.text, &l->token.at);
                lexer_next(l);
        }
}

static struct range take_range(struct lexer *l)
{
        struct range range = { .at = l->token.at };

        if (!is(l, TOKEN_NUMBER) || l->token.first)
                return range;
        range.given = true;
        range.min = l->token.number;
        lexer_next(l);
        if (!take(l, TOKEN_RANGE, "'..' of a range, as in '1..200',"))
                return range;
        if (is(l, TOKEN_NUMBER) && !l->token.first) {
                range.max = l->token.number;
                lexer_next(l);
        } else {
                range.open = true;
        }
        return range;
}

static struct type_use take_type(struct lexer *l, const char *what)
{
        struct type_use use = { .name = l->token.text, .at = l->token.at };

        if (!take(l, TOKEN_NAME, what))
                use.name = "";
        use.range = take_range(l);
        return use;
}

static void take_list(struct lexer *l, struct field *field, unsigned flag)
{
        lexer_next(l);
        field->flags |= flag;
        if (!take(l, TOKEN_LESS, "'<' and the type of the items, as in 'list<ulid> 0..10',"))
                return;
        if (is_word(l, "list") || is_word(l, "set")) {
                report(l->program, &l->token.at, "a list of lists; write a type that holds the inner list");
                l->token.kind = TOKEN_END;
                return;
        }
        field->value = take_type(l, "the type of the items");
        take(l, TOKEN_GREATER, "'>' behind the type of the items");
        field->items = take_range(l);
}

static void take_default(struct lexer *l, struct field *field)
{
        field->default_at = l->token.at;
        if (is(l, TOKEN_NUMBER))
                field->default_value = l->token.number;
        else
                field->default_name = l->token.text;
        if (is(l, TOKEN_NUMBER) || is(l, TOKEN_NAME))
                lexer_next(l);
        else
                expected(l, "the default's value");
}

static const struct {
        const char *name;
        int bit;
} flags[] = { { "optional", 0 }, { "nullable", 1 }, { "personal", 4 }, { "meaningful", 5 }, { "default", 6 }, { "secret", 7 } };
enum { FLAGS = sizeof(flags) / sizeof(*flags) };

static bool is_flag(const struct lexer *l)
{
        for (int i = 0; i < FLAGS; i++)
                if (is_word(l, flags[i].name))
                        return true;
        return false;
}

/* Whether the name at the token begins the line's next field: a type stands behind it. */
static bool starts_field(const struct lexer *l)
{
        struct lexer ahead = *l;

        if (!is(l, TOKEN_NAME) || is_flag(l))
                return false;
        lexer_next(&ahead);
        return is(&ahead, TOKEN_NAME) && !ahead.token.first && !is_flag(&ahead);
}

static void take_flag(struct lexer *l, struct field *field)
{
        struct nearest nearest = { .wanted = l->token.text };
        struct position at = l->token.at;

        for (int i = 0; i < FLAGS; i++) {
                if (!is_word(l, flags[i].name)) {
                        nearest_try(&nearest, flags[i].name);
                        continue;
                }
                if (field->flags & 1U << flags[i].bit)
                        report(l->program, &at, "'%s' twice; write it once", flags[i].name);
                field->flags |= 1U << flags[i].bit;
                field->flag_at[flags[i].bit] = at;
                lexer_next(l);
                if (flags[i].bit == 6)
                        take_default(l, field);
                return;
        }
        if (nearest.name)
                report(l->program, &at, "unknown flag '%s'; write '%s'", nearest.wanted, nearest.name);
        else
                report(l->program, &at, "unknown flag '%s'; a flag is optional, nullable, default, personal, meaningful or secret",
                       nearest.wanted);
        l->token.kind = TOKEN_END;
}

static struct field *take_field(struct lexer *l, const char *doc)
{
        struct field *field = pool_new(&l->program->pool, sizeof(*field));

        field->doc = doc;
        field->name = take_name(l, LOWER, "a field's name", &field->at);
        if (l->token.first && !is(l, TOKEN_END))
                report(l->program, &field->at, "field '%s' without a type; write one behind it, as in '%s string 1..200'", field->name,
                       field->name);
        if (is_word(l, "list"))
                take_list(l, field, FLAG_LIST);
        else if (is_word(l, "set"))
                take_list(l, field, FLAG_LIST | FLAG_SET);
        else
                field->value = take_type(l, "a type");
        while (is(l, TOKEN_NAME) && !l->token.first && !starts_field(l))
                take_flag(l, field);
        take_doc_behind(l, &field->doc);
        if (!l->token.first && !is(l, TOKEN_NAME) && !is(l, TOKEN_CLOSE) && !is(l, TOKEN_END))
                expected(l, "a flag, the next field or the end of the line");
        return field;
}

static void doc_of_nothing(struct lexer *l, const struct position *at)
{
        report(l->program, at, "documentation of nothing; write it before what it describes, or as a remark with one #");
}

/* After the last item, docs have nothing to describe. */
static void end_of_block(struct lexer *l, const char *doc, const struct position *doc_at, const struct position *open)
{
        if (is(l, TOKEN_END))
                report(l->program, open, "'{' without its '}'; write it where the block ends");
        else if (*doc)
                doc_of_nothing(l, doc_at);
        take(l, TOKEN_CLOSE, "'}'");
}

static struct field *take_fields(struct lexer *l)
{
        struct field *fields = NULL, **last = &fields;
        struct position open = l->token.at, doc_at;
        const char *doc = "";
        int n = 0;

        if (!take(l, TOKEN_OPEN, "'{'"))
                return NULL;
        for (;;) {
                doc_at = l->token.at;
                doc = take_docs(l);
                if (is(l, TOKEN_CLOSE) || is(l, TOKEN_END))
                        break;
                *last = take_field(l, doc);
                if (++n > FIELDS_MAX)
                        report(l->program, &(*last)->at, "more than %d fields; write types of their own for parts of it", FIELDS_MAX);
                last = &(*last)->next;
        }
        end_of_block(l, doc, &doc_at, &open);
        return fields;
}

static struct mention *take_mention(struct lexer *l, const char *what)
{
        struct mention *mention = pool_new(&l->program->pool, sizeof(*mention));

        mention->name = l->token.text;
        mention->at = l->token.at;
        if (!take(l, TOKEN_NAME, what))
                mention->name = "";
        return mention;
}

static struct mention *take_mentions(struct lexer *l, const char *what)
{
        struct mention *mentions, **last = &mentions;

        for (;;) {
                *last = take_mention(l, what);
                last = &(*last)->next;
                if (!is(l, TOKEN_COMMA))
                        break;
                lexer_next(l);
        }
        return mentions;
}

/* Which of the words stands at the token; takes it. */
static int take_choice(struct lexer *l, const char *what, const char *const *words, int n)
{
        struct nearest nearest = { .wanted = l->token.text };
        struct text all = { 0 };

        if (!is(l, TOKEN_NAME)) {
                expected(l, what);
                return 0;
        }
        for (int i = 0; i < n; i++) {
                if (is_word(l, words[i])) {
                        lexer_next(l);
                        return i;
                }
                nearest_try(&nearest, words[i]);
        }
        for (int i = 0; i < n; i++)
                text_format(&all, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", words[i]);
        if (nearest.name)
                report(l->program, &l->token.at, "unknown %s '%s'; write '%s'", what, nearest.wanted, nearest.name);
        else
                report(l->program, &l->token.at, "unknown %s '%s'; write %s", what, nearest.wanted, all.p);
        text_deinit(&all);
        l->token.kind = TOKEN_END;
        return 0;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__ }), (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static unsigned take_from(struct lexer *l)
{
        unsigned from = 0;

        for (;;) {
                struct position at = l->token.at;
                unsigned bit = 1U << take_choice(l, "caller", WORDS("store", "identity", "fanout", "gateway", "courier", "supervisor",
                                                                    "operator", "metrics"));

                if (from & bit)
                        report(l->program, &at, "a caller twice; write it once");
                from |= bit;
                if (!is(l, TOKEN_COMMA))
                        return from;
                lexer_next(l);
        }
}

static const char *take_version(struct lexer *l)
{
        const char *version = l->token.text;

        if (!is(l, TOKEN_NUMBER) && !is(l, TOKEN_VERSION)) {
                expected(l, "a version, as in '0.2',");
                return "";
        }
        lexer_next(l);
        return version;
}

enum attribute { ATTR_SERVICE, ATTR_ROLE, ATTR_FROM, ATTR_RATE, ATTR_VIA, ATTR_MUTATES, ATTR_FOLLOW, ATTR_SINCE, ATTR_DEPRECATED,
                 ATTR_AUDIENCE, ATTR_EPHEMERAL };

static void take_attribute(struct lexer *l, struct declaration *d, enum attribute attribute, const struct position *at)
{
        static const char *const vias[] = { "rpc", "session", "attachments", "live" };
        struct position name_at;

        switch (attribute) {
        case ATTR_SERVICE:
                d->service = (enum service)take_choice(l, "service", service_names, SERVICES);
                break;
        case ATTR_ROLE:
                d->role = (enum role)take_choice(l, "role", WORDS("anyone", "stranger", "customer", "agent", "admin"));
                break;
        case ATTR_FROM:
                d->from = take_from(l);
                break;
        case ATTR_RATE:
                d->rate = take_name(l, LOWER, "a rate's name", &name_at);
                break;
        case ATTR_VIA:
                d->via = vias[take_choice(l, "route", vias, 4)];
                break;
        case ATTR_MUTATES:
                d->mutates = true;
                d->mutates_at = *at;
                break;
        case ATTR_FOLLOW:
                d->follow = true;
                d->follow_at = *at;
                break;
        case ATTR_SINCE:
                d->since = take_version(l);
                break;
        case ATTR_DEPRECATED:
                d->deprecated = true;
                break;
        case ATTR_AUDIENCE:
                d->audience = (enum audience)take_choice(l, "audience", WORDS("ticket", "agents", "user", "all"));
                break;
        case ATTR_EPHEMERAL:
                d->ephemeral = true;
                break;
        }
}

static void take_attributes(struct lexer *l, struct declaration *d)
{
        static const struct {
                const char *name;
                unsigned kinds;
        } attributes[] = {
                [ATTR_SERVICE] = { "service", 1 << DECLARE_METHOD },       [ATTR_ROLE] = { "role", 1 << DECLARE_METHOD },
                [ATTR_FROM] = { "from", 1 << DECLARE_METHOD },             [ATTR_RATE] = { "rate", 1 << DECLARE_METHOD },
                [ATTR_VIA] = { "via", 1 << DECLARE_METHOD },               [ATTR_MUTATES] = { "mutates", 1 << DECLARE_METHOD },
                [ATTR_FOLLOW] = { "follow", 1 << DECLARE_METHOD },         [ATTR_SINCE] = { "since", 1 << DECLARE_METHOD },
                [ATTR_DEPRECATED] = { "deprecated", 1 << DECLARE_METHOD },
                [ATTR_AUDIENCE] = { "audience", 1 << DECLARE_EVENT | 1 << DECLARE_OP },
                [ATTR_EPHEMERAL] = { "ephemeral", 1 << DECLARE_EVENT },
        };
        const int n = sizeof(attributes) / sizeof(*attributes);
        unsigned seen = 0;

        while (is(l, TOKEN_NAME)) {
                struct nearest nearest = { .wanted = l->token.text };
                struct position at = l->token.at;
                int i;

                for (i = 0; i < n; i++) {
                        if (!(attributes[i].kinds & 1U << d->kind))
                                continue;
                        if (is_word(l, attributes[i].name))
                                break;
                        nearest_try(&nearest, attributes[i].name);
                }
                if (i == n) {
                        if (nearest.name)
                                report(l->program, &at, "unknown attribute '%s'; write '%s'", nearest.wanted, nearest.name);
                        else
                                report(l->program, &at, "unknown attribute '%s'; write %s", nearest.wanted, d->kind == DECLARE_METHOD ?
                                       "service, role, from, rate, via, mutates, follow, since or deprecated, then '{'" :
                                       d->kind == DECLARE_EVENT ? "audience or ephemeral, then '{'" : "audience, then '{'");
                        l->token.kind = TOKEN_END;
                        return;
                }
                if (seen & 1U << i)
                        report(l->program, &at, "'%s' twice; write it once", attributes[i].name);
                seen |= 1U << i;
                lexer_next(l);
                take_attribute(l, d, (enum attribute)i, &at);
        }
        d->has_role = seen & 1U << ATTR_ROLE;
        d->has_audience = seen & 1U << ATTR_AUDIENCE;
        d->has_service = seen & 1U << ATTR_SERVICE;
}

static void take_values(struct lexer *l, struct declaration *d)
{
        struct value **last = &d->values;
        struct position open = l->token.at, doc_at;
        const char *doc = "";

        if (!take(l, TOKEN_OPEN, "'{'"))
                return;
        for (;;) {
                struct value *value;

                doc_at = l->token.at;
                doc = take_docs(l);
                if (is(l, TOKEN_CLOSE) || is(l, TOKEN_END))
                        break;
                value = pool_new(&l->program->pool, sizeof(*value));
                value->doc = doc;
                value->name = take_name(l, LOWER, "a value of an enum", &value->at);
                take_doc_behind(l, &value->doc);
                *last = value;
                last = &value->next;
        }
        end_of_block(l, doc, &doc_at, &open);
}

static void take_answer(struct lexer *l, struct declaration *d)
{
        if (is(l, TOKEN_ARROW)) {
                lexer_next(l);
                if (is(l, TOKEN_OPEN))
                        d->result = take_fields(l);
                else
                        d->result_name = take_mention(l, "the result's type, or its fields in '{' and '}',");
        }
        if (is_word(l, "errors")) {
                lexer_next(l);
                d->errors = take_mentions(l, "an error's name");
        }
}

static void take_declaration(struct lexer *l, struct file *file, enum declaration_kind kind, const char *doc)
{
        static const struct {
                enum spelling spelling;
                const char *what;
        } names[DECLARE_KINDS] = {
                [DECLARE_ALIAS] = { LOWER, "an alias' name" },      [DECLARE_ENUM] = { CAMEL, "an enum's name" },
                [DECLARE_ERROR] = { CAMEL, "an error's name" },     [DECLARE_TYPE] = { CAMEL, "a type's name" },
                [DECLARE_METHOD] = { DOTTED, "a method's name" },   [DECLARE_EVENT] = { DOTTED, "an event's name" },
                [DECLARE_OP] = { DOTTED, "an op's name" },
        };
        struct declaration *d = pool_new(&l->program->pool, sizeof(*d));

        lexer_next(l);
        *d = (struct declaration){ .kind = kind, .doc = doc, .file = file, .rate = "", .via = "rpc", .since = "" };
        d->name = take_name(l, names[kind].spelling, names[kind].what, &d->at);
        d->c_name = name_snake(&l->program->pool, d->name);
        switch (kind) {
        case DECLARE_ALIAS:
                d->alias = take_type(l, "the type that the alias stands for");
                break;
        case DECLARE_ENUM:
                take_values(l, d);
                break;
        case DECLARE_ERROR:
                d->code = l->token.number;
                take(l, TOKEN_NUMBER, "the error's code, as in 'error NotFound 32003',");
                break;
        case DECLARE_TYPE:
                d->fields = take_fields(l);
                break;
        default:
                take_attributes(l, d);
                d->fields = take_fields(l);
                if (kind == DECLARE_METHOD)
                        take_answer(l, d);
        }
        *file->last = d;
        file->last = &d->next;
}

static void take_top(struct lexer *l, struct file *file)
{
        static const char *const words[] = { "alias", "enum", "error", "type", "method", "event", "op", "use" };
        struct position doc_at = l->token.at;
        const char *doc = take_docs(l);
        struct nearest nearest = { .wanted = l->token.text };

        if (is(l, TOKEN_END)) {
                if (*doc)
                        doc_of_nothing(l, &doc_at);
                return;
        }
        if (!l->token.first) {
                expected(l, "the end of the line");
                return;
        }
        if (is_word(l, "use")) {
                struct mention **last = &file->uses;

                if (*doc)
                        report(l->program, &doc_at, "documentation before 'use'; write it as a remark with one #");
                lexer_next(l);
                while (*last)
                        last = &(*last)->next;
                *last = take_mentions(l, "the name of a schema file, without '.schema',");
                return;
        }
        for (int i = 0; is(l, TOKEN_NAME) && i < 8; i++) {
                if (i < DECLARE_KINDS && is_word(l, words[i])) {
                        take_declaration(l, file, (enum declaration_kind)i, doc);
                        return;
                }
                nearest_try(&nearest, words[i]);
        }
        if (is(l, TOKEN_NAME) && nearest.name)
                report(l->program, &l->token.at, "unknown declaration '%s'; write '%s'", nearest.wanted, nearest.name);
        expected(l, "alias, enum, error, type, method, event, op or use");
}

void parse(struct program *program, struct file *file)
{
        struct lexer lexer;

        file->last = &file->declarations;
        lexer_init(&lexer, program, file);
        while (lexer.token.kind != TOKEN_END)
                take_top(&lexer, file);
}
