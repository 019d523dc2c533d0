/* What a desk says that was built with -DASSIST_WEB=OFF. */
#include "pages.h"

static const char text[] = "<!doctype html>\n<html lang=\"en\">\n<title>Support desk</title>\n"
                           "<p>This support desk was built without its web pages. It is reached with the command line program <code>assist</code>.</p>\n";

const struct page pages[] = {
        { "/", "text/html; charset=utf-8", "\"none\"", "", { text, sizeof(text) - 1 }, { 0 }, false },
};
const size_t n_pages = 1;
