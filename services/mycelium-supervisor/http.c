#include "http.h"
#include "curl_loop.h"
#include <errno.h>
#include <stdlib.h>

struct exchange {
        struct http *http;
        CURL *easy;
        struct curl_slist *headers;
        struct buf body;
        size_t head_bytes;
        http_done_fn *done;
        void *data;
        struct exchange *next;
};

struct http {
        struct curl_loop *curl;
        struct exchange *exchanges;
        size_t n;
};

static void exchange_free(struct exchange *x)
{
        struct exchange **at = &x->http->exchanges;

        while (*at != x)
                at = &(*at)->next;
        *at = x->next;
        x->http->n--;
        if (x->easy) {
                curl_loop_remove(x->http->curl, x->easy);
                curl_easy_cleanup(x->easy);
        }
        curl_slist_free_all(x->headers);
        buf_deinit(&x->body);
        free(x);
}

/* Taking less than was given ends the transfer with CURLE_WRITE_ERROR. */
static size_t take_head(char *p, size_t size, size_t n, void *data)
{
        struct exchange *x = data;

        (void)p;
        x->head_bytes += size * n;
        return x->head_bytes > HTTP_HEAD_MAX ? 0 : size * n;
}

static size_t take_body(char *p, size_t size, size_t n, void *data)
{
        struct exchange *x = data;

        if (x->body.n + size * n > HTTP_BODY_MAX)
                return 0;
        buf_add(&x->body, p, size * n);
        return size * n;
}

static int error_of(CURLcode code)
{
        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_COULDNT_CONNECT:
                return -ECONNREFUSED;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_WRITE_ERROR:
                return -EMSGSIZE;
        default:
                return -EPROTO;
        }
}

static void on_done(void *data, CURL *easy, CURLcode code)
{
        struct exchange *x;
        http_done_fn *done;
        struct buf body;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        done = x->done;
        data = x->data;
        body = x->body;
        x->body = (struct buf){ 0 };
        exchange_free(x);
        done(data, error_of(code), status, buf_view(&body));    /* may free the whole http */
        buf_deinit(&body);
}

int http_new(struct loop *loop, struct http **ret)
{
        struct http *h = calloc(1, sizeof(*h));
        int r;

        if (!h)
                return -ENOMEM;
        r = curl_loop_new(loop, on_done, h, &h->curl);
        if (r)
                free(h);
        else
                *ret = h;
        return r;
}

void http_free(struct http *h)
{
        if (!h)
                return;
        while (h->exchanges)
                exchange_free(h->exchanges);
        curl_loop_free(h->curl);
        free(h);
}

static void set_options(struct exchange *x, const char *url, const char *body)
{
        CURL *e = x->easy;

        curl_easy_setopt(e, CURLOPT_PRIVATE, x);
        curl_easy_setopt(e, CURLOPT_URL, url);
        curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
        curl_easy_setopt(e, CURLOPT_PROXY, "");
        curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)HTTP_TIMEOUT_MS);
        curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_head);
        curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
        curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
        /* the daemon may be another one by the next request, with no word to those who kept a connection */
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
        if (body) {
                x->headers = curl_slist_append(NULL, "Content-Type: application/json");
                curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers);
                curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body);
        }
}

int http_ask(struct http *h, const char *url, const char *body, http_done_fn *done, void *data)
{
        struct exchange *x;

        if (h->n == HTTP_PARALLEL)
                return -EBUSY;
        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        *x = (struct exchange){ .http = h, .easy = curl_easy_init(), .done = done, .data = data, .next = h->exchanges };
        h->exchanges = x;
        h->n++;
        if (x->easy)
                set_options(x, url, body);
        if (!x->easy || (body && !x->headers) || curl_loop_add(h->curl, x->easy)) {
                exchange_free(x);
                return -ENOMEM;
        }
        return 0;
}

void http_cancel(struct http *h, const void *data)
{
        struct exchange *next;

        for (struct exchange *x = h->exchanges; x; x = next) {
                next = x->next;
                if (x->data == data)
                        exchange_free(x);
        }
}
