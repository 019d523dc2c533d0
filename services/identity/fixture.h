/* A temporary identity.db with an admin, an agent and a customer, and a clock in the test's hand. */
#pragma once
#include "database.h"
#include "email.h"
#include "fault.h"
#include "user.h"
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
        char directory[64], path[96];
        struct db *db;
        struct arena arena;
        uint8_t key[DATABASE_KEY_BYTES];
        int64_t now;
        struct ulid admin, agent, customer;
};

static inline void fixture_open(struct fixture *f)
{
        assert_int_equal(database_open(f->path, &f->db), 0);
        assert_int_equal(database_key(f->db, f->key), 0);
}

static inline struct ulid fixture_user(struct fixture *f, const char *email, const char *name, int role)
{
        struct user user = { .name = str_of(name), .role = role, .active = true };
        struct str key;
        struct ulid id;

        assert_int_equal(email_normalize(str_of(email), &f->arena, &user.email, &key), 0);
        assert_int_equal(user_add(f->db, f->now, &user, key, &id), 0);
        return id;
}

static inline int fixture_setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        *state = f;
        snprintf(f->directory, sizeof(f->directory), "/tmp/assist-identity-test-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        snprintf(f->path, sizeof(f->path), "%s/identity.db", f->directory);
        f->now = 1780000000000;
        fixture_open(f);
        f->admin = fixture_user(f, "ada@example.org", "Ada", ROLE_ADMIN);
        f->agent = fixture_user(f, "grace@example.org", "Grace", ROLE_AGENT);
        f->customer = fixture_user(f, "linus@example.org", "Linus", ROLE_CUSTOMER);
        return 0;
}

/* As after a kill: nothing but the file survives. */
static inline void fixture_restart(struct fixture *f)
{
        uint8_t before[DATABASE_KEY_BYTES];

        memcpy(before, f->key, sizeof(before));
        db_close(f->db);
        memset(f->key, 0, sizeof(f->key));
        fixture_open(f);
        assert_memory_equal(f->key, before, sizeof(before));
}

static inline int fixture_teardown(void **state)
{
        static const char *const suffixes[] = { "", "-wal", "-shm" };
        struct fixture *f = *state;
        char path[128];

        db_close(f->db);
        for (size_t i = 0; i < 3; i++) {
                snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
                unlink(path);
        }
        rmdir(f->directory);
        arena_deinit(&f->arena);
        free(f);
        return 0;
}

static inline int64_t fixture_count(struct fixture *f, const char *sql)
{
        sqlite3_stmt *q;
        int64_t n;

        assert_int_equal(sqlite3_prepare_v2(db_handle(f->db), sql, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        n = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
        return n;
}

#define NO_KEY STR("")  /* of a device whose driver has none */
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
