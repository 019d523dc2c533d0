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

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
        struct http_transfer *t = data;
        long status = 0;
        size_t done = 0;

        n *= size;
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        if (t->fd < 0 || status / 100 != 2) {
                if (t->body.n + n > BODY_MAX)
                        return 0;
                buf_add(&t->body, p, n);
                return n;
        }
        while (done < n) {
                ssize_t w = write(t->fd, p + done, n - done);

                if (w < 0)
                        return 0;
                done += (size_t)w;
        }
        return n;
}

bool http_header(struct str line, const char *name, struct str *ret_value)
{
        struct str found = str_cut(&line, ':');

        if (found.n != strlen(name) || strncasecmp(found.p, name, found.n) != 0)
                return false;
        *ret_value = str_trim(line);
        return true;
}

int64_t http_retry_after_ms(struct str seconds)
{
        uint64_t v;

        if (str_u64(seconds, &v))
                return 0;
        return (int64_t)(v < RETRY_AFTER_MAX_S ? v : RETRY_AFTER_MAX_S) * 1000;
}

static size_t on_header(char *p, size_t size, size_t n, void *data)
{
        struct http_transfer *t = data;
        struct str line = { p, size * n }, value;
        uint64_t v;

        if (http_header(line, "Upload-Offset", &value) && !str_u64(value, &v))
                t->answer.upload_offset = (int64_t)v;
        else if (http_header(line, "Retry-After", &value))
                t->answer.retry_after_ms = http_retry_after_ms(value);
        return size * n;
}

void http_begin(const struct assist *a, const struct http_request *request, CURL *curl, struct http_transfer *t)
{
        char text[400], url[300];

        *t = (struct http_transfer){ .curl = curl, .fd = request->fd, .answer = { .upload_offset = -1 } };
        snprintf(url, sizeof(url), "http://%s:%d%s", a->host, a->port, request->path);
        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->fd < 0 ? (long)REQUEST_MS : 0L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
        if (a->from[0])
                curl_easy_setopt(curl, CURLOPT_INTERFACE, a->from);
        if (strcmp(request->method, "HEAD") == 0)
                curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        else
                curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
        t->headers = curl_slist_append(t->headers, "Expect:");
        if (request->content_type) {
                curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.p);
                snprintf(text, sizeof(text), "Content-Type: %s", request->content_type);
                t->headers = curl_slist_append(t->headers, text);
        }
        if (request->authorize) {
                snprintf(text, sizeof(text), "Authorization: Bearer %s", a->token);
                t->headers = curl_slist_append(t->headers, text);
                sodium_memzero(text, sizeof(text));
        }
        if (request->header)
                t->headers = curl_slist_append(t->headers, request->header);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
}

int http_end(struct http_transfer *t, CURLcode code, struct arena *arena, struct http_answer *ret)
{
        const char *dialled = NULL;

        *ret = t->answer;
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        curl_easy_getinfo(t->curl, CURLINFO_PRIMARY_IP, &dialled);
        ret->dialled = arena_str(arena, str_of(dialled));
        ret->body = arena_str(arena, buf_view(&t->body));
        curl_slist_free_all(t->headers);
        buf_deinit(&t->body);
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

int http_do(struct assist *a, const struct http_request *request, struct http_answer *ret)
{
        struct http_transfer t;

        http_begin(a, request, a->curl, &t);
        return http_end(&t, curl_easy_perform(a->curl), &a->arena, ret);
}

bool http_passes(int r, const struct http_answer *answer)
{
        return r ? r != -EADDRNOTAVAIL : answer->status / 100 == 5 || answer->status == 429;
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
