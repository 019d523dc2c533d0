/* The web client's files, to anybody who reaches the desk: there is nothing of the project in them.
 *
 * Which page of the client a path means is the client's own affair: where a browser goes to a path that nothing else
 * answers, it is given the client. */
#include "pages.h"
#include "router.h"

#include <strings.h>

/* No script and style but our files', nothing from elsewhere, in nobody's frame but those that the operator named, and there only at one path.
 * Markup that a script makes goes by DOMPurify's policy of trusted types, or the client's own. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
                             "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                             "require-trusted-types-for 'script'; trusted-types dompurify assist; frame-ancestors ";
static const char embedded[] = "/embed", embedding[] = "/embed.js";
static const char features[] = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

static const struct page *find(struct str path)
{
        for (size_t i = 0; i < n_pages; i++)
                if (str_is(path, pages[i].path))
                        return &pages[i];
        return NULL;
}

/* Whether a list like "text/html, x;q=0.1" has it, and not with q=0. */
static bool accepts(struct str header, const char *what)
{
        while (header.n > 0) {
                struct str rest = str_cut(&header, ','), name = str_trim(str_cut(&rest, ';')), q = str_trim(rest);

                if (name.n != strlen(what) || strncasecmp(name.p, what, name.n) != 0)
                        continue;
                if (!str_starts(q, "q=0"))
                        return true;
                for (size_t i = 3; i < q.n; i++)
                        if (q.p[i] >= '1' && q.p[i] <= '9')
                                return true;
                return false;
        }
        return false;
}

/* A browser that is sent somewhere says so; scripts, images and programs do not. */
static bool is_navigation(const struct request *q)
{
        return (str_is(q->method, "GET") || str_is(q->method, "HEAD")) && !str_starts(q->path, "/assets/") &&
               str_starts(q->path, "/") && accepts(request_header(q, "accept"), "text/html");
}

bool page_is_asked(const struct request *q)
{
        return find(q->path) || str_is(q->path, embedded) || is_navigation(q);
}

/* Where the frame may stand. A page of another site may ask for it and for the script, and nothing else that is ours. */
static void add_place(struct request *q)
{
        struct str origins = q->gateway->service->settings.embed_origins;
        bool frame = str_is(q->path, embedded) && origins.n > 0;

        if (!frame)
                origins = STR("'none'");
        request_secure(q, arena_format(&q->arena, "%s%.*s", policy, STR_ARG(origins)).p);
        request_add_header(q, "cross-origin-resource-policy", frame || str_is(q->path, embedding) ? STR("cross-origin") : STR("same-origin"));
}

static void add_headers(struct request *q, const struct page *page, struct str etag)
{
        add_place(q);
        request_add_header(q, "content-type", str_of(page->type));
        request_add_header(q, "cache-control", page->immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
        request_add_header(q, "etag", etag);
        request_add_header(q, "vary", STR("Accept-Encoding"));
        request_add_header(q, "permissions-policy", str_of(features));
}

void page_route(struct request *q)
{
        const struct page *page = find(q->path);
        struct str etag, body;
        struct fault fault;
        int r = request_charge(q, "read", &fault);

        if (r) {
                request_fail(q, r, &fault);
                return;
        }
        if (!page)
                page = find(STR("/"));
        etag = str_of(page->etag);
        body = page->body;
        if (page->gzip.n > 0 && accepts(request_header(q, "accept-encoding"), "gzip")) {
                etag = str_of(page->gzip_etag);
                body = page->gzip;
                request_add_header(q, "content-encoding", STR("gzip"));
        }
        add_headers(q, page, etag);
        request_answer_page(q, request_has(q, etag) ? 304 : 200, body);
}
