#include "enroll.h"
#include "binding.h"
#include "callers.h"
#include "fault.h"
#include "outbox.h"
#include "user.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>

enum { CODE_HASH_BYTES = 32 };
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool enroll_label_is_valid(struct str label)
{
        for (size_t i = 0; i < label.n; i++)
                if (!((label.p[i] >= 'a' && label.p[i] <= 'z') || (label.p[i] >= 'A' && label.p[i] <= 'Z') ||
                      (label.p[i] >= '0' && label.p[i] <= '9') || (label.p[i] && strchr(" ._-", label.p[i]))))
                        return false;
        return label.n >= 1 && label.n <= ENROLL_LABEL_MAX;
}

int enroll_code_parse(struct str text, char ret_code[ENROLL_CODE])
{
        char code[ENROLL_CODE];
        size_t n = 0;

        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];

                if (c == ' ' || c == '-')
                        continue;
                if (c >= 'a' && c <= 'z')
                        c = (char)(c - 'a' + 'A');
                if (c == 'I' || c == 'L')
                        c = '1';
                if (c == 'O')
                        c = '0';
                if (n == ENROLL_CODE || c == '\0' || !strchr(alphabet, c))
                        return -EINVAL;
                code[n++] = c;
        }
        if (n != ENROLL_CODE)
                return -EINVAL;
        memcpy(ret_code, code, ENROLL_CODE);
        return 0;
}

/* Of this enrolment only: the same code elsewhere has another hash. */
static void code_hash(const uint8_t key[DATABASE_KEY_BYTES], struct ulid id, const char code[ENROLL_CODE], uint8_t ret_hash[CODE_HASH_BYTES])
{
        uint8_t in[sizeof(id.b) + ENROLL_CODE];

        memcpy(in, id.b, sizeof(id.b));
        memcpy(in + sizeof(id.b), code, ENROLL_CODE);
        crypto_generichash_blake2b_salt_personal(ret_hash, CODE_HASH_BYTES, in, sizeof(in), key, DATABASE_KEY_BYTES, NULL,
                                                 (const uint8_t *)"assist-code-1\0\0");
        sodium_memzero(in, sizeof(in));
}

/* When the limit lets another one in: the oldest of the last `limit` leaves the window. */
static int limit_check(struct db *db, sqlite3_stmt *oldest_that_counts, int64_t now_ms, int64_t *ret_retry_after_ms)
{
        int r = db_step(db, oldest_that_counts);

        if (r <= 0)
                return r;
        *ret_retry_after_ms = db_column_int(oldest_that_counts, 0) + ENROLL_WINDOW_MS - now_ms;
        db_done(oldest_that_counts);
        return FAULT_RATE_LIMITED;
}

static int check_limits(struct db *db, int64_t now_ms, const struct enroll_request *request, int64_t *ret_retry_after_ms)
{
        int64_t since = now_ms - ENROLL_WINDOW_MS;
        int r;

        r = limit_check(db,
                        db_query(db, "SELECT created_at FROM enrolment WHERE device = ? AND created_at > ? AND created_at <= ?"
                                     " ORDER BY created_at DESC LIMIT 1 OFFSET ?",
                                 "tiii", request->device, since, now_ms, (int64_t)ENROLL_PER_DEVICE - 1),
                        now_ms, ret_retry_after_ms);
        if (r)
                return r;
        return limit_check(db,
                           db_query(db, "SELECT created_at FROM enrolment WHERE email_key = ? AND created_at > ? AND created_at <= ?"
                                        " ORDER BY created_at DESC LIMIT 1 OFFSET ?",
                                    "tiii", request->email_key, since, now_ms, (int64_t)ENROLL_PER_EMAIL - 1),
                           now_ms, ret_retry_after_ms);
}

/* Opened elsewhere, it can say by which label somebody asked. */
static struct str mail_link(struct arena *arena, const struct enroll_request *request, const char code[ENROLL_CODE])
{
        struct buf b = { 0 };
        struct str ret;

        buf_format(&b, "%.*s%.*s&label=", STR_ARG(request->link), ENROLL_CODE, code);
        for (size_t i = 0; i < request->label.n; i++)
                buf_text(&b, request->label.p[i] == ' ' ? "%20" : (char[]){ request->label.p[i], '\0' });
        ret = arena_str(arena, buf_view(&b));
        sodium_memzero(b.p, b.n);
        buf_deinit(&b);
        return ret;
}

static struct str mail_text(struct arena *arena, const struct enroll_request *request, const char code[ENROLL_CODE])
{
        struct str way = STR("type this code in the page that asked for it");

        if (!request->embed)
                way = arena_format(arena,
                                   "open this link on that very device:\n"
                                   "\n"
                                   "    %.*s\n"
                                   "\n"
                                   "or type this code there",
                                   STR_ARG(mail_link(arena, request, code)));
        return arena_format(arena,
                            "Somebody, most likely you, asked to use the support desk from a device called\n"
                            "\n"
                            "    %.*s\n"
                            "\n"
                            "If it was you, %.*s:\n"
                            "\n"
                            "    %.4s-%.4s\n"
                            "\n"
                            "It is good for 15 minutes, once, and on that device only. If it was not you, there is nothing to do:\n"
                            "without the code nobody gets in.\n",
                            STR_ARG(request->label), STR_ARG(way), code, code + 4);
}

int enroll_start(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, const struct enroll_request *request,
                 struct arena *arena, struct ulid *ret_id, int64_t *ret_retry_after_ms)
{
        struct ulid id = ulid_new(now_ms);
        uint8_t hash[CODE_HASH_BYTES];
        char code[ENROLL_CODE];
        struct user user = { 0 };
        bool known;
        int r;

        r = check_limits(db, now_ms, request, ret_retry_after_ms);
        if (r)
                return r;
        r = user_find_by_email(db, request->email_key, arena, &user);
        if (r < 0)
                return r;
        known = r == 0 && user.active;

        randombytes_buf(code, sizeof(code));
        for (size_t i = 0; i < ENROLL_CODE; i++)
                code[i] = alphabet[(uint8_t)code[i] % 32];
        code_hash(key, id, code, hash);
        r = db_do(db, "UPDATE enrolment SET closed = 1 WHERE device = ? AND device_key = ? AND closed = 0", "tb", request->device,
                  request->device_key);
        if (r == 0)
                r = db_do(db, "INSERT INTO enrolment VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, 0, ?, ?)", "utttUbiibi", id, request->email_key,
                          request->device, request->label, known ? &user.id : NULL, (struct str){ (const char *)hash, sizeof(hash) }, now_ms,
                          now_ms + ENROLL_LIFE_MS, request->device_key, (int64_t)request->embed);
        if (r == 0)
                r = outbox_add(db, now_ms, &(struct outbox_mail){
                        .to = known ? user.email : STR(""),
                        .subject = STR("Your code for the support desk"),
                        .body = mail_text(arena, request, code),
                        .expires_at = now_ms + ENROLL_LIFE_MS,
                });
        sodium_memzero(code, sizeof(code));
        if (r < 0)
                return r;
        *ret_id = id;
        return 0;
}

int enroll_expires_at(struct db *db, struct ulid id, int64_t *ret_at)
{
        int r = db_int(db, ret_at, "SELECT expires_at FROM enrolment WHERE id = ?", "u", id);

        return r == -ENOENT ? FAULT_NOT_FOUND : r;
}

/* So that nobody is bound without the owner of the email knowing. */
static int tell_user(struct db *db, int64_t now_ms, struct ulid user_id, struct str label, struct arena *arena)
{
        struct user user;
        int r = user_find(db, user_id, arena, &user);

        if (r)
                return r;
        return outbox_add(db, now_ms, &(struct outbox_mail){
                .to = user.email,
                .subject = STR("A device was added to your support desk account"),
                .body = arena_format(arena,
                                     "A device called\n"
                                     "\n"
                                     "    %.*s\n"
                                     "\n"
                                     "can now use the support desk in your name. If you don't know it, remove it under Devices from one of\n"
                                     "your others, and tell your support desk.\n",
                                     STR_ARG(label)),
        });
}

int enroll_redeem(struct db *db, const uint8_t key[DATABASE_KEY_BYTES], int64_t now_ms, struct str device, struct str device_key,
                  const char code[ENROLL_CODE], struct arena *arena, struct ulid *ret_binding)
{
        uint8_t hash[CODE_HASH_BYTES];
        struct device new = { .address = device };
        struct ulid id, binding;
        struct user found;
        int64_t revision;
        sqlite3_stmt *q;
        bool right;
        int r;

        q = db_query(db,
                     "SELECT id, user, label, code_hash, embed FROM enrolment"
                     " WHERE device = ? AND device_key = ? AND closed = 0 AND expires_at > ? AND tries < ?",
                     "tbii", device, device_key, now_ms, (int64_t)ENROLL_TRIES);
        r = db_step(db, q);
        if (r <= 0)
                return r < 0 ? r : FAULT_EXPIRED;
        id = db_column_ulid(q, 0);
        new.user = db_column_ulid(q, 1);
        new.label = arena_str(arena, db_column_str(q, 2));
        new.embed = db_column_int(q, 4);
        code_hash(key, id, code, hash);
        right = sodium_memcmp(hash, db_column_str(q, 3).p, sizeof(hash)) == 0;
        db_done(q);
        if (!right || ulid_is_zero(new.user)) {
                r = db_do(db, "UPDATE enrolment SET tries = tries + 1 WHERE id = ?", "u", id);
                return r < 0 ? r : FAULT_NOT_FOUND;
        }
        r = user_find(db, new.user, arena, &found);
        if (r)
                return r;
        if (!found.active) /* since the code was sent */
                return FAULT_EXPIRED;
        r = db_do(db, "UPDATE enrolment SET closed = 1 WHERE id = ?", "u", id);
        if (r == 0)
                r = binding_add(db, now_ms, &new, device_key, &binding);
        if (r == 0)
                r = tell_user(db, now_ms, new.user, new.label, arena);
        if (r == 0)
                r = callers_note(db, &(struct caller_change){ .has_owner = true, .owner = new.user, .about = device, .bound = true }, &revision);
        if (r)
                return r;
        *ret_binding = binding;
        return 0;
}
