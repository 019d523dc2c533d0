#include "private.h"

#include "clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, REQUEST_MS = 30000, BODY_MAX = 4 * 1024 * 1024, RETRY_AFTER_MAX_S = 24 * 3600 };

struct incoming {
        struct buf body;
        int fd;
        struct http_answer *answer;
        CURL *curl;
};

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
        struct incoming *in = data;
        long status = 0;
        size_t done = 0;

        n *= size;
        curl_easy_getinfo(in->curl, CURLINFO_RESPONSE_CODE, &status);
        if (in->fd < 0 || status / 100 != 2) {
                if (in->body.n + n > BODY_MAX)
                        return 0;
                buf_add(&in->body, p, n);
                return n;
        }
        while (done < n) {
                ssize_t w = write(in->fd, p + done, n - done);

                if (w < 0)
                        return 0;
                done += (size_t)w;
        }
        return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *data)
{
        struct incoming *in = data;
        struct str rest = { p, size * n }, name = str_cut(&rest, ':'), value = str_trim(rest);
        uint64_t v;

        if (name.n == 13 && strncasecmp(name.p, "Upload-Offset", 13) == 0 && !str_u64(value, &v))
                in->answer->upload_offset = (int64_t)v;
        if (name.n == 11 && strncasecmp(name.p, "Retry-After", 11) == 0 && !str_u64(value, &v))
                in->answer->retry_after_ms = (int64_t)(v < RETRY_AFTER_MAX_S ? v : RETRY_AFTER_MAX_S) * 1000;
        return size * n;
}

int http_do(struct assist *a, const struct http_request *request, struct http_answer *ret)
{
        struct incoming in = { .fd = request->fd, .answer = ret, .curl = a->curl };
        struct curl_slist *headers = NULL;
        char text[400], url[300];
        CURLcode code;

        *ret = (struct http_answer){ .upload_offset = -1 };
        snprintf(url, sizeof(url), "http://%s:%d%s", a->host, a->port, request->path);
        curl_easy_reset(a->curl);
        curl_easy_setopt(a->curl, CURLOPT_URL, url);
        curl_easy_setopt(a->curl, CURLOPT_PROTOCOLS_STR, "http");
        curl_easy_setopt(a->curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(a->curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(a->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        curl_easy_setopt(a->curl, CURLOPT_TIMEOUT_MS, request->fd < 0 ? (long)REQUEST_MS : 0L);
        curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, &in);
        curl_easy_setopt(a->curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(a->curl, CURLOPT_HEADERDATA, &in);
        if (a->from)
                curl_easy_setopt(a->curl, CURLOPT_INTERFACE, a->from);
        if (strcmp(request->method, "HEAD") == 0)
                curl_easy_setopt(a->curl, CURLOPT_NOBODY, 1L);
        else
                curl_easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, request->method);
        headers = curl_slist_append(headers, "Expect:");
        if (request->content_type) {
                curl_easy_setopt(a->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
                curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, request->body.p);
                snprintf(text, sizeof(text), "Content-Type: %s", request->content_type);
                headers = curl_slist_append(headers, text);
        }
        if (request->authorize) {
                snprintf(text, sizeof(text), "Authorization: Bearer %s", a->token);
                headers = curl_slist_append(headers, text);
        }
        if (request->header)
                headers = curl_slist_append(headers, request->header);
        curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, headers);
        code = curl_easy_perform(a->curl);
        curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        ret->body = arena_str(&a->arena, buf_view(&in.body));
        curl_slist_free_all(headers);
        sodium_memzero(text, sizeof(text));
        buf_deinit(&in.body);
        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_COULDNT_CONNECT:
        case CURLE_COULDNT_RESOLVE_HOST:
                return -ECONNREFUSED;
        case CURLE_OPERATION_TIMEDOUT:
                return -ETIMEDOUT;
        case CURLE_INTERFACE_FAILED:
                return -EADDRNOTAVAIL;
        default:
                return -EIO;
        }
}

struct patience patience_new(struct assist *a)
{
        return (struct patience){ .a = a, .since_us = clock_steady_us(&clock_system), .pause_ms = 50 };
}

bool patience_wait(struct patience *p, int64_t at_least_ms)
{
        int64_t over_ms = (clock_steady_us(&clock_system) - p->since_us) / 1000, ms;

        if (over_ms >= ASSIST_SILENCE_MS && !p->told && p->a->waiting) {
                p->told = true;
                p->a->waiting(p->a->waiting_data);
        }
        if (at_least_ms >= ASSIST_PATIENCE_MS)
                return false;
        ms = at_least_ms + 1 + (int64_t)randombytes_uniform((uint32_t)p->pause_ms);
        if (over_ms + ms > ASSIST_PATIENCE_MS)
                return false;
        p->pause_ms = p->pause_ms < 1000 ? 2 * p->pause_ms : 2000;
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
        return true;
}
