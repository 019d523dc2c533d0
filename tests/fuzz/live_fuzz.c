/* Any desk, as libassist's live side hears it: a line each, whose first letter says what happens ('m' a message, 'c' closed, 'r' refused,
 * 'u' unreachable, 't' so many s pass; 'h' all that follows is the HTTP answer). Whatever it says, the machine comes to rest, its cursor and what it sends are
 * well-formed, and what it waits for lies ahead. */
#include "clients/lib/live_machine.h"
#include "clients/lib/upgrade.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t now_us;

static int64_t held_us(void *data)
{
        (void)data;
        return now_us;
}

static uint32_t half(uint32_t below)
{
        return below / 2;
}

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static bool is_plain(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
                        return false;
        return true;
}

/* All that is to be done, until there is nothing. */
static void rest(struct live_machine *m, size_t bytes)
{
        struct live_action action = { 0 };
        struct live_request said;
        struct arena arena = { 0 };
        size_t n = 0;

        do {
                action = live_machine_next(m);
                if (action.what == LIVE_SEND)
                        expect(!json_read(&schema_type_live_request, action.text, &arena, &said, NULL));
                expect(is_plain(buf_view(&m->cursor)) && m->cursor.n <= LIVE_CURSOR_MAX);
                expect(++n <= bytes + 16);
        } while (action.what != LIVE_NOTHING);
        expect(!live_machine_busy(m));
        arena_deinit(&arena);
}

static void answer(struct str bytes)
{
        struct upgrade u = { 0 };
        int r = 0;

        while (!r && bytes.n) {
                size_t n = bytes.n < 7 ? bytes.n : 7;

                memcpy(buf_reserve(&u.in, n), bytes.p, n);
                bytes = (struct str){ bytes.p + n, bytes.n - n };
                r = upgrade_take(&u, n);
        }
        expect(r != 1 || (u.whole <= u.in.n && u.status >= 100 && u.retry_after_ms >= 0));
        upgrade_deinit(&u);
}

static void happen(struct live_machine *m, struct str line)
{
        uint64_t n = 0;
        char what = line.p[0];

        line = (struct str){ line.p + 1, line.n - 1 };
        str_u64(line, &n);
        switch (what) {
        case 'm':
                live_machine_message(m, line);
                break;
        case 'c':
                live_machine_closed(m, (int)(n % 5000));
                break;
        case 'r':
                live_machine_refused(m, (int)(n % 600), (int64_t)(n & INT32_MAX));
                break;
        case 'u':
                live_machine_unreachable(m, (int64_t)(n & INT32_MAX));
                break;
        case 't':
                now_us += (int64_t)(n % 1000) * 1000000;
                live_machine_tick(m);
                break;
        default:
                live_machine_accepted(m);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str rest_of = { (const char *)data, size };
        const struct clock clock = { .steady_us = held_us };
        struct live_machine m;

        now_us = 1;
        expect(!live_machine_init(&m, &clock, half, (struct str){ 0 }));
        live_machine_tick(&m);
        rest(&m, 0);
        while (rest_of.n) {
                struct str all = rest_of, line = str_cut(&rest_of, '\n');

                if (str_starts(line, "h")) {
                        answer((struct str){ all.p + 1, all.n - 1 });
                        break;
                }
                if (line.n)
                        happen(&m, line);
                rest(&m, size);
                expect(live_machine_due_us(&m) <= now_us + LIVE_AFTER_MAX_MS * INT64_C(1000) || live_machine_due_us(&m) == INT64_MAX);
        }
        live_machine_deinit(&m);
        return 0;
}
