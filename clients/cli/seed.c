#include "seed.h"

#include "progress.h"
#include "schema/identity.h"
#include "schema/seed.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
        PAGE = 200,             /* tickets in one call, as many as it takes */
        AGENTS = 12,
        TICKETS_A_CUSTOMER = 20,
        CUSTOMERS_MAX = 2000,
        TICKETS_MAX = 1000000,
        PATIENCE_MS = 30000,    /* for people to be known */
        DAY_MS = 86400000,
};

static const char *const first_names[] = {
        "Ann", "Ben", "Chloé", "Dmitri", "Esther", "Fatima", "Giorgio", "Hana", "Ines", "Jürgen", "Kofi", "Léa", "Mateo", "Nadia", "Olu", "Priya", "Quentin",
        "Rosa", "Sven", "Tomás", "Ulla", "Vera", "Wei", "Ximena", "Yuki", "Zoë", "Amir", "Bojana", "Carlos", "Dana", "Emil", "Freya",
};
static const char *const last_names[] = {
        "Abt", "Bakker", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanov", "Jensen", "Kowalski", "Lindqvist", "Müller", "Nguyen",
        "O'Brien", "Pereira", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Varga", "Weber", "Xu", "Yıldız", "Zimmermann", "Adeyemi", "Blanc", "Chen",
        "Dupont", "Evans", "Ferrari",
};
enum { FIRST = sizeof(first_names) / sizeof(first_names[0]), LAST = sizeof(last_names) / sizeof(last_names[0]) };

struct seeding {
        struct operator *o;
        uint64_t seed, tickets;
        struct store_seed page;
        struct ulid people[AGENTS + CUSTOMERS_MAX];
        struct store_seed_result sum;
        struct progress progress;
        int tenths;             /* said so far, where nobody watches */
};

/* The same for the same seed: so a second run adds nobody. */
static struct ulid person_op_id(uint64_t seed, size_t i)
{
        uint64_t key[2] = { seed, i };
        uint8_t hash[16];

        crypto_generichash(hash, sizeof(hash), (const uint8_t *)key, sizeof(key), NULL, 0);
        return ulid_of(1, hash);
}

static int person_add(struct seeding *s, size_t i, bool agent, struct ulid *ret)
{
        const char *first = first_names[i % FIRST], *last = last_names[(i / FIRST + i * 7) % LAST];
        struct user_add params = { .role = agent ? ROLE_AGENT : ROLE_CUSTOMER, .has_op_id = true, .op_id = person_op_id(s->seed, i) };
        struct user_add_result made;
        int r;

        params.email = arena_format(&s->o->arena, "person-%llu-%zu@seed.example", (unsigned long long)s->seed, i);
        params.name = i < FIRST * LAST ? arena_format(&s->o->arena, "%s %s", first, last) : arena_format(&s->o->arena, "%s %s %zu", first, last, i / (FIRST * LAST) + 1);
        r = operator_call(s->o, &schema_method_user_add, &params, 0, &made);
        if (!r)
                *ret = made.value.id;
        return r;
}

static int people_add(struct seeding *s, size_t customers)
{
        int r = 0;

        for (size_t i = 0; i < AGENTS + customers && !r; i++) {
                r = person_add(s, i, i < AGENTS, &s->people[i]);
                if (i % 100 == 0)
                        arena_reset(&s->o->arena);
        }
        s->page.agents.items = s->people;
        s->page.agents.n = AGENTS;
        s->page.customers.items = s->people + AGENTS;
        s->page.customers.n = customers;
        return r;
}

static void show(struct seeding *s, uint64_t done)
{
        int tenths = (int)(done * 10 / s->tickets);
        char what[80];

        snprintf(what, sizeof(what), "%llu tickets, %lld comments", (unsigned long long)done, (long long)s->sum.comments);
        if (isatty(STDOUT_FILENO)) {
                progress_show(&s->progress, done, s->tickets, what);
        } else if (tenths > s->tenths) {
                printf("%d %%: %s\n", tenths * 10, what);
                fflush(stdout);
        }
        s->tenths = tenths;
}

/* One page. Store learns of people from identity, which takes a moment. */
static int page_file(struct seeding *s)
{
        struct store_seed_result made;
        struct progress since;
        struct fault fault = { 0 };
        int r;

        progress_begin(&since);
        while ((r = operator_try(s->o, &schema_method_store_seed, &s->page, 0, &made, &fault)) == FAULT_CONFLICT && progress_elapsed_ms(&since) < PATIENCE_MS)
                nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
        if (r) { /* once more, to say why */
                r = operator_call(s->o, &schema_method_store_seed, &s->page, 0, &made);
                if (r)
                        return r;
        }
        s->sum.tickets += made.tickets;
        s->sum.comments += made.comments;
        s->sum.attachments += made.attachments;
        s->sum.bytes += made.bytes;
        return 0;
}

static int pages_file(struct seeding *s)
{
        int r = 0;

        progress_begin(&s->progress);
        for (uint64_t done = 0; done < s->tickets && !r; done += (uint64_t)s->page.count) {
                s->page.first = (int64_t)done;
                s->page.count = (int64_t)(s->tickets - done < PAGE ? s->tickets - done : PAGE);
                r = page_file(s);
                arena_reset(&s->o->arena);
                if (!r && !s->o->json)
                        show(s, done + (uint64_t)s->page.count);
        }
        return r;
}

static int arguments(int argc, char **argv, struct seeding *s)
{
        bool given = false;

        for (int i = 0; i < argc; i++) {
                uint64_t *to = strcmp(argv[i], "--tickets") == 0 ? &s->tickets : strcmp(argv[i], "--seed") == 0 ? &s->seed : NULL;

                if (!to || i + 1 == argc || str_u64(str_of(argv[++i]), to))
                        return -1;
                given |= to == &s->tickets;
        }
        return given && s->tickets && s->tickets <= TICKETS_MAX && s->seed <= INT32_MAX ? 0 : -1;
}

int run_seed(struct operator *o, int argc, char **argv)
{
        struct seeding s = { .o = o, .seed = 1 };
        uint64_t customers;
        int64_t ms;
        int r;

        if (arguments(argc, argv, &s)) {
                fprintf(stderr, "assistctl: seed --tickets N [--seed S]; N is 1 to %d\n", TICKETS_MAX);
                return EXIT_USAGE;
        }
        customers = s.tickets / TICKETS_A_CUSTOMER + 5;
        s.page.seed = (int64_t)s.seed;
        s.page.total = (int64_t)s.tickets;
        s.page.until_at = (int64_t)time(NULL) * 1000 / DAY_MS * DAY_MS; /* the midnight before: the same all day */
        r = people_add(&s, customers < CUSTOMERS_MAX ? (size_t)customers : CUSTOMERS_MAX);
        if (!r)
                r = pages_file(&s);
        if (r)
                return r;
        ms = progress_elapsed_ms(&s.progress);
        if (o->json) {
                operator_print(o, schema_method_store_seed.result, &s.sum);
                return 0;
        }
        progress_clear();
        printf("%lld tickets, %lld comments and notes, %lld images, %.1f MB of text, in %lld.%lld s.\n", (long long)s.sum.tickets,
               (long long)s.sum.comments, (long long)s.sum.attachments, (double)s.sum.bytes / 1e6, (long long)(ms / 1000),
               (long long)(ms % 1000 / 100));
        return 0;
}
