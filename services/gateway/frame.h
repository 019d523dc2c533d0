/* What goes to many WebSockets: built once, header and all. In a frame of the log only `from` is each session's own: it has a place of its
 * own, so one piece of memory is written to one socket after the other. */
#pragma once
#include "cursor.h"
#include "schema/log.h"

struct frame {
        unsigned refs;
        size_t n;
        char *from, *to;        /* CURSOR_TEXT bytes each, in bytes; NULL where the event is ephemeral */
        char bytes[];
};

struct frame *frame_of_op(const struct event *event, const char cursor[CURSOR_TEXT]);
struct frame *frame_ephemeral(const struct event *event);
void frame_unref(struct frame *f);      /* NULL is fine */
