/* A large desk: seeded, listed by views, searched, folded anew. What lists and searches cost beyond their SQL, run bare on the same file. */
#include "bench.h"
#include "plain.h"
#include "rows.h"
#include "services/store/listing.h"
#include "services/store/search_find.h"
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 20, COMMENTS_A_COMMIT = 256, ROWS_A_COMMENT = 5 /* in all tables, nearly */ };

struct bare {
        struct db *db;
        struct caller caller;
        struct arena arena;
        const char *query;
        enum view_order order;
};

static void tickets_view(struct bare *b, struct ulid ticket)
{
        struct ticket_row row;
        struct ticket view;

        if (ticket_find(b->db, ticket, &row) || ticket_view(b->db, &b->caller, &row, &b->arena, &view))
                bench_fail("a ticket can't be read");
}

static void list_chunk(void *data)
{
        struct bare *b = data;
        struct call c = { 0 };
        struct page pages[PAGE + 1];
        struct listing listing;
        size_t n;

        if (db_run(b->db, "BEGIN") || listing_init(b->db, &c, &b->caller, str_of(b->query), b->order, &listing) ||
            listing_page(b->db, &listing, listing_begin(b->order), PAGE + 1, &b->arena, pages, &n))
                bench_fail("%s can't be listed", b->query);
        for (size_t i = 0; i < n && i < PAGE; i++)
                tickets_view(b, pages[i].id);
        db_run(b->db, "COMMIT");
        arena_reset(&b->arena);
}

static void search_chunk(void *data)
{
        struct bare *b = data;
        struct search_query query;
        struct search_fault fault;
        struct search_names names = { 0 };
        struct search_wanted wanted = { .query = &query, .names = &names, .from = SEARCH_BEGIN, .limit = PAGE, SEARCH_BOUNDS };
        struct search_hit hits[PAGE];
        struct search_place next;
        size_t n;

        if (search_query_parse(str_of(b->query), &query, &fault) || db_run(b->db, "BEGIN") ||
            search_find(b->db, &b->caller, &wanted, &b->arena, hits, &n, &next))
                bench_fail("%s can't be searched", b->query);
        for (size_t i = 0; i < n; i++)
                tickets_view(b, hits[i].ticket);
        db_run(b->db, "COMMIT");
        arena_reset(&b->arena);
}

/* A figure of `name` in the JSON that assistctl printed last. */
static double told(const struct desk *desk, const char *name)
{
        char path[128], text[4096] = "";
        double value = -1;
        FILE *f;

        snprintf(path, sizeof(path), "%s/assistctl.log", desk->root);
        f = fopen(path, "r");
        if (f) {
                if (fseek(f, -(long)sizeof(text) + 1, SEEK_END))
                        rewind(f);
                text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
                fclose(f);
        }
        for (char *next = strstr(text, name); next; next = strstr(next + 1, name))
                value = strtod(next + strlen(name), NULL);
        if (value < 0)
                bench_fail("assistctl told no %s", name);
        return value;
}

static double megabytes(const char *path)
{
        struct stat st;

        return stat(path, &st) ? 0 : (double)st.st_size / 1e6;
}

static double peak_megabytes(const struct desk *desk)
{
        char path[64], line[256];
        double kib = 0;
        FILE *f;

        for (int i = 0; i < DESK_SERVICES; i++)
                if (strcmp(desk->processes[i].service, "store") == 0)
                        snprintf(path, sizeof(path), "/proc/%d/status", (int)desk->processes[i].pid);
        f = fopen(path, "r");
        while (f && fgets(line, sizeof(line), f))
                if (strncmp(line, "VmHWM:", 6) == 0)
                        kib = strtod(line + 6, NULL);
        if (f)
                fclose(f);
        return kib / 1024;
}

static void compare(const struct desk *desk, struct bare *bare, const char *method, void (*chunk)(void *data), const char *params, const char *name)
{
        struct web reader;
        char bare_name[100];
        struct arena arena = { 0 };
        struct subject s[] = {
                { .name = bare_name, .chunk = chunk, .data = bare, .operations = 1 },
                { .name = name, .chunk = web_chunk, .data = &reader, .operations = 1 },
        };

        snprintf(bare_name, sizeof(bare_name), "its SQL alone: %s", bare->query);
        web_open(&reader, desk->port, 1, desk_call(desk, NULL, &arena, method, params), 1);
        subjects_measure(s, 2, 300);
        report_subject(&s[0]);
        report_subject(&s[1]);
        report_cost(&s[1], &s[0], 3);
        web_close(&reader);
        subject_deinit(&s[0]);
        subject_deinit(&s[1]);
        arena_deinit(&arena);
}

static void lists(const struct desk *desk, struct bare *bare)
{
        static const struct {
                const char *query, *order_name;
                enum view_order order;
        } views[] = {
                { "-state:solved -state:closed assignee:nobody", "urgent", VIEW_ORDER_URGENT },
                { "-state:solved -state:closed tag:vpn", "waiting", VIEW_ORDER_WAITING },
                { "state:closed tag:café", "changed", VIEW_ORDER_CHANGED },
                { "priority:high", "created", VIEW_ORDER_CREATED },
        };

        for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
                bare->query = views[i].query;
                bare->order = views[i].order;
                compare(desk, bare, "ticket.list", list_chunk,
                        arena_format(&bare->arena, "{\"query\":\"%s\",\"order\":\"%s\",\"limit\":%d}", views[i].query, views[i].order_name, PAGE).p,
                        "ticket.list by HTTP");
        }
}

static void searches(const struct desk *desk, struct bare *bare)
{
        static const char *const queries[] = { "umlauts", "proxy certificate state:closed", "calendar -tag:vpn" };

        for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
                bare->query = queries[i];
                compare(desk, bare, "ticket.search", search_chunk,
                        arena_format(&bare->arena, "{\"query\":\"%s\",\"limit\":%d}", queries[i], PAGE).p, "ticket.search by HTTP");
        }
}

/* `rows` of something took us, where SQLite alone took limit_us to write what they are in the database. */
static void rate(const char *name, double us, const char *limit_name, double limit_us, double rows, double target)
{
        struct subject s = { .name = name, .fast = us / rows, .median = us / rows };
        struct subject limit = { .name = limit_name, .fast = limit_us / rows, .median = limit_us / rows };

        report_subject(&s);
        report_rate(&s, &limit, target);
}

/* Comments of two short rows each, which no search finds. */
static void plain_measure(const struct desk *desk, struct subject *ret)
{
        struct plain plain;
        char path[128];

        snprintf(path, sizeof(path), "%s/by_256.db", desk->root);
        plain_open(&plain, path, COMMENTS_A_COMMIT);
        *ret = (struct subject){ .name = "SQLite alone, a bare row each, 256 a commit", .chunk = plain_chunk, .data = &plain, .operations = COMMENTS_A_COMMIT };
        subjects_measure(ret, 1, 60);
        report_subject(ret);
        plain_close(&plain);
}

void bench_large(struct desk *desk, const char *tickets)
{
        static const char alone[] = "SQLite alone, the same rows, 256 comments a commit";
        char *const seed[] = { (char *)"--json", (char *)"seed", (char *)"--tickets", (char *)tickets, NULL };
        char *const rebuild[] = { (char *)"--json", (char *)"store", (char *)"rebuild", NULL };
        struct bare bare = { .caller = { .user = desk->members[0].user, .role = SCHEMA_ROLE_AGENT } };
        double began, seeded_us, rebuilt_us, alone_us, bytes, rows, ops;
        struct subject plain;
        char path[128], copy[128];

        report_title("a large desk");
        plain_measure(desk, &plain);
        began = steady_us();
        desk_operate(desk, seed);
        seeded_us = steady_us() - began;
        bytes = told(desk, "\"bytes\":");
        rows = told(desk, "\"comments\":") + told(desk, "\"tickets\":");
        snprintf(path, sizeof(path), "%s/state/store/store.db", desk->root);
        if (db_open(path, DB_READ_ONLY, NULL, &store_migrations, &bare.db))
                bench_fail("the desk's database can't be read");
        lists(desk, &bare);
        searches(desk, &bare);
        began = steady_us();
        desk_operate(desk, rebuild);
        rebuilt_us = steady_us() - began;
        ops = told(desk, "\"ops\":");
        snprintf(copy, sizeof(copy), "%s/copy.db", desk->root);
        alone_us = rows_write(bare.db, copy, COMMENTS_A_COMMIT * ROWS_A_COMMENT);
        rate("seeding, a ticket or comment", seeded_us, alone, alone_us, rows, 0.3);
        rate("the same, of less", seeded_us, plain.name, plain.median * rows, rows, 0);
        rate("rebuild, an op", rebuilt_us, alone, alone_us, ops, 0.3);
        report_figure("comments and notes", rows, "", 0);
        report_figure("store's memory, at most", peak_megabytes(desk), "MiB", 200);
        report_figure("database, of the bytes of its texts", megabytes(path) / (bytes / 1e6), "x", 2.5);
        db_close(bare.db);
        subject_deinit(&plain);
        arena_deinit(&bare.arena);
}
