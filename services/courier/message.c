#include "message.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
        WORD_BYTES = 39,        /* of text in one encoded word: a header line of 76 characters holds it */
        BASE64_LINE_BYTES = 57, /* 76 characters a line */
        LINE_MAX_BYTES = 998,
};

struct str message_address(struct str mailbox)
{
        const char *open = memrchr(mailbox.p, '<', mailbox.n);

        if (!open || mailbox.p[mailbox.n - 1] != '>')
                return str_trim(mailbox);
        return (struct str){ open + 1, (size_t)(mailbox.p + mailbox.n - 1 - (open + 1)) };
}

static void add_base64(struct buf *out, const char *bytes, size_t n)
{
        size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL);

        sodium_bin2base64(buf_reserve(out, size), size, (const uint8_t *)bytes, n, sodium_base64_VARIANT_ORIGINAL);
        out->n += size - 1;
}

static bool is_printable(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < 0x20 || s.p[i] > 0x7e)
                        return false;
        return true;
}

/* Header text: as it is where it is plain, else as encoded words (RFC 2047), so that not even a line break can leave its header. */
static void add_header_text(struct buf *out, struct str text)
{
        if (is_printable(text) && text.n <= 900) {
                buf_str(out, text);
                return;
        }
        while (text.n > 0) {
                size_t n = text.n < WORD_BYTES ? text.n : WORD_BYTES;

                /* A character is never cut in two. */
                while (n < text.n && n > 1 && ((uint8_t)text.p[n] & 0xc0) == 0x80)
                        n--;
                buf_text(out, "=?UTF-8?B?");
                add_base64(out, text.p, n);
                buf_text(out, "?=");
                text.p += n;
                text.n -= n;
                if (text.n > 0)
                        buf_text(out, "\r\n ");
        }
}

static void add_mailbox(struct buf *out, struct str mailbox)
{
        struct str address = message_address(mailbox), name = { mailbox.p, 0 };

        if (address.p > mailbox.p && address.p[-1] == '<')
                name = str_trim((struct str){ mailbox.p, (size_t)(address.p - 1 - mailbox.p) });
        if (name.n > 0) {
                add_header_text(out, name);
                buf_char(out, ' ');
        }
        buf_char(out, '<');
        buf_str(out, address);
        buf_char(out, '>');
}

static void add_date(struct buf *out, int64_t at)
{
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t seconds = (time_t)(at / 1000);
        struct tm t;

        gmtime_r(&seconds, &t); /* and not strftime, whose names are the locale's */
        buf_format(out, "%.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900,
                   t.tm_hour, t.tm_min, t.tm_sec);
}

/* Whether the body can go as it is: ASCII, and no line too long. */
static bool is_7bit(struct str body)
{
        size_t line = 0;

        for (size_t i = 0; i < body.n; i++) {
                line = body.p[i] == '\n' ? 0 : line + 1;
                if (line > LINE_MAX_BYTES || (body.p[i] != '\n' && body.p[i] != '\t' && (body.p[i] < 0x20 || body.p[i] > 0x7e)))
                        return false;
        }
        return true;
}

static void add_lines(struct buf *out, struct str body)
{
        while (body.n > 0) {
                buf_str(out, str_cut(&body, '\n'));
                buf_text(out, "\r\n");
        }
}

static void add_base64_lines(struct buf *out, struct str body)
{
        while (body.n > 0) {
                size_t n = body.n < BASE64_LINE_BYTES ? body.n : BASE64_LINE_BYTES;

                add_base64(out, body.p, n);
                buf_text(out, "\r\n");
                body.p += n;
                body.n -= n;
        }
}

void message_write(const struct message *message, struct buf *out)
{
        struct str domain = message_address(message->from);
        char id[ULID_TEXT + 1];
        bool plain = is_7bit(message->body);

        str_cut(&domain, '@');
        ulid_text(message->id, id);
        buf_text(out, "Date: ");
        add_date(out, message->at);
        buf_text(out, "\r\nFrom: ");
        add_mailbox(out, message->from);
        buf_text(out, "\r\nTo: ");
        add_mailbox(out, message->to);
        buf_text(out, "\r\nSubject: ");
        add_header_text(out, message->subject);
        buf_format(out, "\r\nMessage-ID: <%s@%.*s>\r\n", id, STR_ARG(domain));
        buf_text(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ");
        buf_text(out, plain ? "7bit\r\n" : "base64\r\n");
        buf_text(out, "Auto-Submitted: auto-generated\r\n\r\n"); /* RFC 3834: no out-of-office answers */
        if (plain)
                add_lines(out, message->body);
        else
                add_base64_lines(out, message->body);
}
