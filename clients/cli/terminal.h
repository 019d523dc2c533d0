/* What only people at a terminal get: colours, and long output in their pager. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_YELLOW, STYLE_NOTE };

/* What turns a style on (STYLE_PLAIN: all off); "" where stdout is no terminal, $NO_COLOR is set or $TERM is dumb. */
const char *terminal_style(enum style style);

size_t terminal_width(void);   /* of the terminal on stdout; 0 where there is none */

/* From now on stdout goes through $PAGER (else less, which ends by itself where all fits), where stdout is a terminal and $PAGER is not empty.
 * The program then ends when the reader has. */
void terminal_page(void);
