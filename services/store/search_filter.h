/* The filters of a query as SQL over a ticket `t`: the values ?1 to ?22 of a statement, whose own follow. */
#pragma once
#include "search_query.h"
#include "tx.h"

/* What the names in a query stand for. */
struct search_names {
        struct ulid assignee, requester;   /* where it names somebody or the caller */
        struct ulid type, team, label;     /* where it names one */
        struct ulid caller;
        struct ulid fields[SEARCH_FIELDS_MAX];
        bool numbers[SEARCH_FIELDS_MAX];   /* which of them compare as numbers */
};

/* The values, in their order; texts in the arena. */
struct search_filter {
        int64_t states, priorities, created_from, created_until, changed_from, changed_until;
        int64_t by_assignee;               /* 0: any; 1: this one; 2: any but this one. Likewise the others */
        const struct ulid *assignee;
        int64_t by_requester;
        const struct ulid *requester;
        struct str tags, not_tags;         /* JSON arrays */
        int64_t by_type;
        const struct ulid *type;
        int64_t by_team;
        const struct ulid *team;
        struct str fields;                 /* JSON: [[field, how it compares, value, 1 for a number, 1 where negated], ...] */
        int64_t agent;
        int64_t by_label;
        const struct ulid *label;
        int64_t snoozed;                   /* 0: or not; 1: by the caller; 2: not by them */
        const struct ulid *caller;
};
#define SEARCH_FILTER_TYPES "iiiiiiiUiUttiUiUtiiUiU"
#define SEARCH_FILTER_VALUES(f)                                                                                        \
        (f)->states, (f)->priorities, (f)->created_from, (f)->created_until, (f)->changed_from, (f)->changed_until,    \
        (f)->by_assignee, (f)->assignee, (f)->by_requester, (f)->requester, (f)->tags, (f)->not_tags, (f)->by_type,    \
        (f)->type, (f)->by_team, (f)->team, (f)->fields, (f)->agent, (f)->by_label,                    \
        (f)->label, (f)->snoozed, (f)->caller

/* query and names must outlive it. */
void search_filter_init(const struct search_query *query, const struct search_names *names, bool agent, struct arena *arena,
                        struct search_filter *ret);

#define SEARCH_IS_TAGGED                                                                                               \
        "EXISTS (SELECT 1 FROM member WHERE ticket = t.id AND kind = 1 AND element = CAST(value AS BLOB) AND added AND NOT removed)"
/* A value that compares as an element of ?17 says. What customers don't know of is not there for them. */
#define SEARCH_FIELD_TEXT                                                                                              \
        "(SELECT CAST(f.text AS TEXT) FROM op o CROSS JOIN op_text f ON f.id = " LOG_TEXT_ID("o", "2")        \
        " WHERE o.op_id = v.op_id AND o.n = v.n AND f.text <> x'')"
#define SEARCH_AS_NUMBER(sign) "CAST(v.value AS REAL) " sign " CAST(j.value ->> 2 AS REAL)"
#define SEARCH_HAS_FIELD                                                                                               \
        "EXISTS (SELECT 1 FROM field_value v WHERE v.ticket = t.id AND (?18 OR NOT v.internal)"                        \
        "   AND hex(v.field) = upper(j.value ->> 0) AND CASE j.value ->> 1"                                            \
        "     WHEN '=' THEN coalesce(v.value, " SEARCH_FIELD_TEXT ") = (j.value ->> 2) COLLATE NOCASE"                 \
        "     WHEN '<' THEN CASE j.value ->> 3 WHEN 1 THEN " SEARCH_AS_NUMBER("<") " ELSE v.value < (j.value ->> 2) END" \
        "     ELSE CASE j.value ->> 3 WHEN 1 THEN " SEARCH_AS_NUMBER(">") " ELSE v.value > (j.value ->> 2) END END)"

/* Those of state, priority, assignee, type and team: what ticket_count counts by. */
#define SEARCH_FITS_COUNTED                                                                                            \
        "((?1 >> t.state) & 1) AND ((?2 >> t.priority) & 1) AND (?7 = 0 OR (t.assignee IS ?8) = (?7 = 1))"             \
        " AND (?13 = 0 OR (t.type IS ?14) = (?13 = 1)) AND (?15 = 0 OR (t.team IS ?16) = (?15 = 1))"
/* All of them. changed: the column that says when it did, for this caller. */
#define SEARCH_FITS(changed)                                                                                           \
        SEARCH_FITS_COUNTED " AND t.created >= ?3 AND t.created < ?4 AND t." changed " >= ?5 AND t." changed " < ?6"   \
        " AND (?9 = 0 OR (t.requester IS ?10) = (?9 = 1))"                                                             \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?11) WHERE NOT " SEARCH_IS_TAGGED ")"                                \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?12) WHERE " SEARCH_IS_TAGGED ")"                                    \
        " AND NOT EXISTS (SELECT 1 FROM json_each(?17) j WHERE " SEARCH_HAS_FIELD " = (j.value ->> 4))"                \
        " AND (?19 = 0 OR (t.label IS ?20) = (?19 = 1))"                                                               \
        " AND (?21 = 0 OR EXISTS (SELECT 1 FROM snooze z WHERE z.user = ?22 AND z.ticket = t.id AND z.active) = (?21 = 1))"

/* Looks the query's names up. 0, or InvalidParams of field `query` that says at which column, or an error. */
int search_names_find(struct db *db, struct call *c, const struct caller *caller, const struct search_query *query, struct search_names *ret);
/* InvalidParams of field `query`. */
int search_query_invalid(struct call *c, size_t column, const char *reason);
