#include "plain.h"

#include "bench.h"

#include <sodium.h>
#include <string.h>

static const char tables[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
        "CREATE TABLE op (seq INTEGER PRIMARY KEY, op_id BLOB NOT NULL, n INTEGER NOT NULL, scope INTEGER NOT NULL, audience BLOB,"
        " request BLOB, record BLOB NOT NULL);"
        "CREATE UNIQUE INDEX op_by_id ON op(op_id, n);"
        "CREATE INDEX op_by_audience ON op(scope, audience);"
        "CREATE TABLE ticket (id BLOB PRIMARY KEY, changed INTEGER NOT NULL, comments INTEGER NOT NULL, newest_comment BLOB) WITHOUT ROWID;"
        "CREATE INDEX ticket_by_changed ON ticket(changed);"
        "CREATE TABLE comment (id BLOB PRIMARY KEY, ticket BLOB NOT NULL, author BLOB, created INTEGER NOT NULL, body BLOB NOT NULL)"
        " WITHOUT ROWID;"
        "CREATE INDEX comment_by_ticket ON comment(ticket, created, id);"
        "INSERT INTO ticket VALUES(x'01', 0, 0, NULL)";

static void must(struct plain *p, int rc)
{
        if (rc != SQLITE_OK && rc != SQLITE_DONE)
                bench_fail("SQLite: %s", sqlite3_errmsg(p->db));
}

void plain_open(struct plain *p, const char *path, int chunk)
{
        *p = (struct plain){ .chunk = chunk };
        must(p, sqlite3_open_v2(path, &p->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
        must(p, sqlite3_exec(p->db, tables, NULL, NULL, NULL));
        must(p, sqlite3_prepare_v2(p->db, "INSERT INTO op VALUES(?1, ?2, 0, 0, x'01', ?3, ?4)", -1, &p->op, NULL));
        must(p, sqlite3_prepare_v2(p->db, "INSERT INTO comment VALUES(?1, x'01', x'02', ?2, ?3)", -1, &p->comment, NULL));
        must(p, sqlite3_prepare_v2(p->db, "UPDATE ticket SET changed = ?1, comments = comments + 1, newest_comment = ?2 WHERE id = x'01'", -1,
                                   &p->ticket, NULL));
}

void plain_close(struct plain *p)
{
        sqlite3_finalize(p->op);
        sqlite3_finalize(p->comment);
        sqlite3_finalize(p->ticket);
        sqlite3_close(p->db);
}

static void run(struct plain *p, sqlite3_stmt *q)
{
        must(p, sqlite3_step(q));
        sqlite3_reset(q);
}

static void comment_add(struct plain *p)
{
        char record[300], body[120];
        uint8_t id[16];

        randombytes_buf(id, sizeof(id));
        p->seq++;
        for (int i = 0; i < 6; i++)     /* as a ULID has it: time first */
                id[i] = (uint8_t)(p->seq >> (8 * (5 - i)));
        memset(record, 'r', sizeof(record));
        memset(body, 'b', sizeof(body));
        sqlite3_bind_int64(p->op, 1, p->seq);
        sqlite3_bind_blob(p->op, 2, id, sizeof(id), SQLITE_STATIC);
        sqlite3_bind_blob(p->op, 3, record, 32, SQLITE_STATIC);
        sqlite3_bind_blob(p->op, 4, record, sizeof(record), SQLITE_STATIC);
        run(p, p->op);
        sqlite3_bind_blob(p->comment, 1, id, sizeof(id), SQLITE_STATIC);
        sqlite3_bind_int64(p->comment, 2, p->seq);
        sqlite3_bind_blob(p->comment, 3, body, sizeof(body), SQLITE_STATIC);
        run(p, p->comment);
        sqlite3_bind_int64(p->ticket, 1, p->seq);
        sqlite3_bind_blob(p->ticket, 2, id, sizeof(id), SQLITE_STATIC);
        run(p, p->ticket);
}

void plain_chunk(void *plain)
{
        struct plain *p = plain;

        must(p, sqlite3_exec(p->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
        for (int i = 0; i < p->chunk; i++)
                comment_add(p);
        must(p, sqlite3_exec(p->db, "COMMIT", NULL, NULL, NULL));
}
