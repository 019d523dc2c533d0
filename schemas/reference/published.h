/* What clients already rely on, as text that is committed (schemas/published.txt), and whether the schemas still keep to it.
 *
 *   method ticket.create role=customer via=rpc mutates
 *     param subject string range=1..200
 *     result number uint range=1..9007199254740991
 *     error NotFound
 *   type Ticket in out
 *     field subject string range=1..200
 *   enum TicketState
 *     value open
 *   event comment.added audience=ticket
 *     field comment Comment
 *   op comment.add audience=ticket
 *     field body markdown range=0..65536 personal
 *   error NotFound 32003
 *
 * A type is `in` where parameters hold it and `out` where results, events or ops do. Order counts: services talk in arrays.
 *
 * May change: anything may be added; what is added to parameters must be optional or have a default, and stands last, as
 * does what is added to anything else with fields. Parameters may allow more, results less; a lesser role may be asked for.
 * What was deprecated may go. */
#pragma once
#include "str.h"

void published_write(struct buf *out);

/* Appends a line to *problems for each thing of `before` that `now` breaks. */
void published_compare(struct str before, struct str now, struct buf *problems);
