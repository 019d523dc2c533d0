#include "frame.h"

#include "codec.h"
#include "ws.h"

#include <stdlib.h>
#include <string.h>

static const char before_from[] = "{\"from\":\"", before_to[] = "\",\"to\":\"";

static struct frame *frame_new(const struct buf *text)
{
        uint8_t head[WS_HEAD_MAX];
        size_t head_n = ws_frame_head(text->n, head);
        struct frame *f = malloc(sizeof(*f) + head_n + text->n);

        if (!f)
                abort();
        *f = (struct frame){ .refs = 1, .n = head_n + text->n };
        memcpy(f->bytes, head, head_n);
        memcpy(f->bytes + head_n, text->p, text->n);
        return f;
}

struct frame *frame_of_op(const struct event *event, const char cursor[CURSOR_TEXT])
{
        struct buf text = { 0 };
        struct frame *f;

        buf_text(&text, before_from);
        buf_add(&text, cursor, CURSOR_TEXT);    /* holds the place */
        buf_text(&text, before_to);
        buf_add(&text, cursor, CURSOR_TEXT);
        buf_text(&text, "\",\"events\":[");
        json_write(&schema_type_event, event, &text);
        buf_text(&text, "]}");
        f = frame_new(&text);
        f->from = f->bytes + (f->n - text.n) + strlen(before_from);
        f->to = f->from + CURSOR_TEXT + strlen(before_to);
        buf_deinit(&text);
        return f;
}

struct frame *frame_ephemeral(const struct event *event)
{
        struct buf text = { 0 };
        struct frame *f;

        buf_text(&text, "{\"events\":[");
        json_write(&schema_type_event, event, &text);
        buf_text(&text, "]}");
        f = frame_new(&text);
        buf_deinit(&text);
        return f;
}

void frame_unref(struct frame *f)
{
        if (f && --f->refs == 0)
                free(f);
}
