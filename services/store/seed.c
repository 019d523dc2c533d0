/* Invented tickets: each from random numbers of its own (seed, n), so that they may be filed in any pages and again. They are ops as all
 * others; only their times lie in the past, as if another instance had accepted them then. */
#include "comment.h"
#include "person.h"
#include "schema/comment.h"
#include "schema/seed.h"
#include "seed_text.h"
#include "ticket.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define HISTORY_MS (730 * INT64_C(86400000))
enum { IMAGES = 8, WIDTH = 48, HEIGHT = 32, HOUR_MS = 3600000, OLD_MS = 14 * 86400000 };

struct image {
        uint8_t hash[BLOB_HASH_BYTES];
        int64_t size;
};

struct seeding {
        struct store *store;
        struct call *c;
        const struct store_seed *in;
        struct image images[IMAGES];
        struct buf text;
        struct store_seed_result *ret;
};

/* One ticket under way. */
struct story {
        struct seeding *s;
        struct seed_random random;
        struct ulid ticket;
        struct caller customer, agent;
        int64_t at_ms;
        uint32_t n;                 /* commands so far */
        struct stamp state, assignee; /* of what shows */
        struct tx *tx;
};

/* ---- images ---- */

static void put_be32(uint8_t *p, uint32_t v)
{
        p[0] = (uint8_t)(v >> 24);
        p[1] = (uint8_t)(v >> 16);
        p[2] = (uint8_t)(v >> 8);
        p[3] = (uint8_t)v;
}

static void chunk(struct buf *png, const char *type, const uint8_t *data, size_t n)
{
        uint8_t word[4];
        uLong crc = crc32(crc32(0, (const Bytef *)type, 4), data, (uInt)n);

        put_be32(word, (uint32_t)n);
        buf_add(png, word, sizeof(word));
        buf_add(png, type, 4);
        buf_add(png, data, n);
        put_be32(word, (uint32_t)crc);
        buf_add(png, word, sizeof(word));
}

/* A PNG (ISO/IEC 15948) of coloured stripes, another one for each i. Not compressed: it is drawn anew by each call. */
static int image_draw(int i, struct buf *png)
{
        static const uint8_t magic[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
        uint8_t header[13] = { [8] = 8, [9] = 2 }, rows[HEIGHT * (1 + 3 * WIDTH)], packed[sizeof(rows) + 1024], *p = rows;
        uLongf n = sizeof(packed);

        put_be32(header, WIDTH);
        put_be32(header + 4, HEIGHT);
        for (int y = 0; y < HEIGHT; y++) {
                *p++ = 0;
                for (int x = 0; x < WIDTH; x++) {
                        *p++ = (uint8_t)(x * (i + 2));
                        *p++ = (uint8_t)(y * (9 - i));
                        *p++ = (uint8_t)((x / 8 + y / 8) % 2 ? 255 : i * 30);
                }
        }
        if (compress2(packed, &n, rows, sizeof(rows), Z_NO_COMPRESSION) != Z_OK)
                return -ENOMEM;
        buf_add(png, magic, sizeof(magic));
        chunk(png, "IHDR", header, sizeof(header));
        chunk(png, "IDAT", packed, n);
        chunk(png, "IEND", NULL, 0);
        return 0;
}

/* As a blob of its own, durable before any row says so. */
static int image_make(struct seeding *s, int i)
{
        struct buf png = { 0 };
        char path[512], *slash;
        int fd, r = image_draw(i, &png);
        struct stat st;

        if (r)
                return r;
        crypto_generichash(s->images[i].hash, BLOB_HASH_BYTES, (const uint8_t *)png.p, png.n, NULL, 0);
        s->images[i].size = (int64_t)png.n;
        blob_path(s->store, s->images[i].hash, path, sizeof(path));
        if (stat(path, &st) == 0 && st.st_size == s->images[i].size) {
                buf_deinit(&png);
                return 0;
        }
        slash = strrchr(path, '/');
        *slash = '\0';
        if (mkdir(path, 0700) && errno != EEXIST)
                r = -errno;
        *slash = '/';
        fd = r ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (!r && (fd < 0 || write(fd, png.p, png.n) != (ssize_t)png.n || fsync(fd)))
                r = errno ? -errno : -EIO;
        if (fd >= 0)
                close(fd);
        if (!r)
                blob_added(s->store, s->images[i].size);
        buf_deinit(&png);
        return r;
}

/* ---- a ticket's story ---- */

/* The id of its next command: the same each time. */
static struct ulid story_op_id(struct story *t)
{
        uint64_t key[3] = { (uint64_t)t->s->in->seed, t->random.state, t->n++ };
        uint8_t hash[32];

        crypto_generichash(hash, sizeof(hash), (const uint8_t *)key, sizeof(key), NULL, 0);
        return ulid_of(t->at_ms, hash);
}

/* Begins its next command, of somebody: 0, or -EEXIST. */
static int story_begin(struct story *t, const struct caller *who)
{
        int r = tx_begin_system(t->s->store, &t->s->c->arena, story_op_id(t), &t->tx);

        if (!r)
                t->tx->actor = *who;
        return r;
}

static int story_append(struct story *t, const struct schema_op *kind, const void *body, struct ulid target, const struct op_base *base)
{
        return tx_append(t->tx, &(struct effect){ .kind = kind, .body = body, .target = target,
                                                  .audience = kind->audience == SCHEMA_TO_TICKET ? &t->ticket : NULL, .base = base,
                                                  .n_base = base != NULL, .hlc = hlc_of(t->at_ms, t->tx->n) });
}

static struct stamp story_stamp(const struct story *t)
{
        return (struct stamp){ .hlc = t->tx->hlc, .op_id = t->tx->op_id, .n = t->tx->n - 1 };
}

/* Writes a register whose write that shows is *shown. */
static int story_set(struct story *t, const struct schema_op *kind, const void *body, const char *field, struct stamp *shown)
{
        struct op_base base = { .field = str_of(field), .stamp = *shown };
        int r = story_append(t, kind, body, t->ticket, &base);

        *shown = story_stamp(t);
        return r;
}

static int story_state(struct story *t, int state)
{
        return story_set(t, &schema_op_ticket_state, &(struct op_ticket_state){ .ticket = t->ticket, .state = state }, "state", &t->state);
}

static int story_image(struct story *t, struct ulid comment)
{
        static const char *const names[] = { "screen.png", "Bildschirmfoto 2026.png", "photo.png", "error.png" };
        const struct image *image = &t->s->images[seed_below(&t->random, IMAGES)];
        struct op_attachment_add body = { .ticket = t->ticket, .comment = comment, .upload = tx_next_id(t->tx),
                                          .name = str_of(names[seed_below(&t->random, 4)]), .size = image->size, .type = STR("image/png"),
                                          .blob = { (const char *)image->hash, BLOB_HASH_BYTES } };

        t->s->ret->attachments++;
        return story_append(t, &schema_op_attachment_add, &body, body.upload, NULL);
}

/* Adds what s->text says, in the command under way. */
static int story_write(struct story *t, bool note, bool image)
{
        struct op_comment_add comment = { .ticket = t->ticket, .body = buf_view(&t->s->text), .attachments = image };
        struct op_note_add inner = { .ticket = t->ticket, .body = buf_view(&t->s->text) };
        struct comment seen;
        struct ulid id = tx_next_id(t->tx);
        int r = story_append(t, note ? &schema_op_note_add : &schema_op_comment_add, note ? (const void *)&inner : &comment, id, NULL);

        t->s->ret->comments++;
        t->s->ret->bytes += (int64_t)t->s->text.n;
        if (!r && image)
                r = story_image(t, id);
        else if (!r)
                comment_as_written(t->tx, &(struct comment_new){ .ticket = t->ticket, .body = comment.body }, id, &seen);
        return r;
}

static int story_file(struct story *t, int64_t number)
{
        static const int priorities[] = { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_NORMAL, PRIORITY_NORMAL, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_URGENT };
        struct op_ticket_create body = { .number = number, .requester = t->customer.user, .priority = priorities[seed_below(&t->random, 7)] };
        struct buf *text = &t->s->text;
        int r;

        buf_clear(text);
        seed_subject(&t->random, text);
        body.subject = buf_view(text);
        t->s->ret->bytes += (int64_t)text->n;
        r = story_append(t, &schema_op_ticket_create, &body, t->ticket, NULL);
        t->state = t->assignee = story_stamp(t);
        buf_clear(text);
        seed_question(&t->random, text);
        if (!r)
                r = story_write(t, false, seed_below(&t->random, 20) == 0);
        for (size_t i = 0, n = seed_below(&t->random, 3); i < n && !r; i++)
                r = story_append(t, &schema_op_tag_add, &(struct op_tag_add){ .ticket = t->ticket, .tag = str_of(seed_tag(&t->random)) }, t->ticket, NULL);
        return r;
}

/* What somebody says next: the agent by turns, now and then a note. */
static int story_go_on(struct story *t, size_t i, bool first_answer)
{
        bool note = seed_below(&t->random, 8) == 0, agent = note || i % 2 == 0;
        struct buf *text = &t->s->text;
        int r;

        t->at_ms += 60000 + (int64_t)seed_below(&t->random, 30 * HOUR_MS);
        if (t->at_ms >= t->s->in->until_at)
                return 0;
        r = story_begin(t, agent ? &t->agent : &t->customer);
        if (r)
                return r;
        buf_clear(text);
        if (note)
                seed_note(&t->random, text);
        else if (agent)
                seed_answer(&t->random, text);
        else
                seed_reaction(&t->random, text);
        r = story_write(t, note, !note && seed_below(&t->random, 60) == 0);
        if (!r && agent && first_answer)
                r = story_set(t, &schema_op_ticket_assignee, &(struct op_ticket_assignee){ .ticket = t->ticket, .has_assignee = true,
                                                                                           .assignee = t->agent.user }, "assignee", &t->assignee);
        if (!r && agent && first_answer)
                r = story_state(t, TICKET_STATE_OPEN);
        return r;
}

/* Old ones are over, most of them. */
static int story_end(struct story *t)
{
        bool old = t->s->in->until_at - t->at_ms > OLD_MS;
        size_t chance = seed_below(&t->random, 100);
        int state = old ? (chance < 90 ? TICKET_STATE_CLOSED : chance < 97 ? TICKET_STATE_SOLVED : TICKET_STATE_PENDING)
                        : (chance < 30 ? TICKET_STATE_SOLVED : chance < 45 ? TICKET_STATE_PENDING : TICKET_STATE_OPEN);
        int r;

        t->at_ms += HOUR_MS;
        if (state == TICKET_STATE_OPEN || t->at_ms >= t->s->in->until_at)
                return 0;
        r = story_begin(t, &t->agent);
        return r ? r : story_state(t, state);
}

static int story_tell(struct seeding *s, int64_t n, int64_t number)
{
        struct story t = { .s = s, .random = { ((uint64_t)s->in->seed << 32 ^ (uint64_t)(n + 1)) * UINT64_C(11400714819323198485) | 1 } };
        size_t replies;
        int r;

        for (int i = 0; i < 4; i++)
                seed_next(&t.random);
        t.at_ms = s->in->until_at - HISTORY_MS + (int64_t)((double)HISTORY_MS * ((double)n + (double)seed_below(&t.random, 1000) / 1000) / (double)s->in->total);
        r = person_caller(s->store->writer.db, s->in->customers.items[seed_below(&t.random, s->in->customers.n)], &t.customer);
        if (!r)
                r = person_caller(s->store->writer.db, s->in->agents.items[seed_below(&t.random, s->in->agents.n)], &t.agent);
        if (r)
                return r == -ENOENT ? call_conflict(s->c, "somebody among agents and customers is not known yet; try again") : r;
        r = story_begin(&t, &t.customer);
        if (r)
                return r;
        t.ticket = t.tx->op_id;
        r = story_file(&t, number);
        replies = seed_below(&t.random, 10) + seed_below(&t.random, 10);
        for (size_t i = 0; i < replies && !r; i++)
                r = story_go_on(&t, i, i == 0);
        if (!r && replies)
                r = story_end(&t);
        s->ret->tickets += !r;
        return r;
}

int store_on_store_seed(struct store *s, struct call *c, const struct store_seed *in, struct store_seed_result *ret)
{
        struct seeding seeding = { .store = s, .c = c, .in = in, .ret = ret };
        int64_t number;
        int r = 0;

        if (in->first + in->count > in->total)
                return call_invalid(c, "total", "must be first + count at least");
        if (in->until_at < HISTORY_MS)
                return call_invalid(c, "until_at", "must be two years after 1970 at least");
        for (int i = 0; i < IMAGES && !r; i++)
                r = image_make(&seeding, i);
        if (!r)
                r = db_int(s->writer.db, &number, "SELECT coalesce(max(number), 0) FROM ticket", "");
        for (int64_t n = in->first; n < in->first + in->count && !r; n++) {
                r = story_tell(&seeding, n, number + 1);
                number += !r;
                r = r == -EEXIST ? 0 : r;
        }
        buf_deinit(&seeding.text);
        return r;
}
