/* What the parts of libassist share. */
#pragma once
#include "assist.h"
#include "schema/wire.h"
#include <curl/curl.h>

struct assist {
        char host[80];             /* as in a URL: IPv6 in brackets */
        char address[72];          /* without */
        int port;
        char from[72];             /* empty: any */
        void (*waiting)(void *data);
        void *waiting_data;
        char state[400];
        CURL *curl;
        struct arena arena;        /* of one request */

        char token[320];           /* empty: no session */
        struct assist_identity identity;
        bool has_secret;
        uint8_t secret[32];
};

int assist_fail(struct assist_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What an error's code on the wire (-32003) is here (32003); -EPROTO for what is no error of JSON-RPC. */
int assist_code(int64_t wire);

/* ---- http.c ---- */

struct http_request {
        const char *method, *path;
        const char *content_type;  /* NULL: no body */
        struct str body;
        bool authorize;            /* with the session's token */
        const char *header;        /* one more, or NULL */
        int fd;                    /* where the body of the answer goes; -1: into answer->body */
};
struct http_answer {
        long status;
        struct str body;           /* in the request's arena, as dialled */
        struct str dialled;        /* the address that answered */
        int64_t upload_offset;     /* Upload-Offset, or -1 */
        int64_t retry_after_ms;
};
/* 0, or a negative errno: -ECONNREFUSED, -ETIMEDOUT, -EADDRNOTAVAIL, -EIO. */
int http_do(struct assist *a, const struct http_request *request, struct http_answer *ret);
bool http_passes(int r, const struct http_answer *answer); /* what http_do answered may be better in a while */

/* The same in halves, for an easy handle that curl_loop drives meanwhile. The request's body stays the caller's; *t stays where it is. */
struct http_transfer {
        CURL *curl;
        struct curl_slist *headers;
        struct buf body;
        int fd;
        struct http_answer answer;
};
void http_begin(const struct assist *a, const struct http_request *request, CURL *curl, struct http_transfer *t);
int http_end(struct http_transfer *t, CURLcode code, struct arena *arena, struct http_answer *ret); /* frees what it holds, whatever the code */

/* "Name: value": whether it is that one. */
bool http_header(struct str line, const char *name, struct str *ret_value);
int64_t http_retry_after_ms(struct str seconds); /* 0 where that is no number */

/* Sleeps between tries: with full jitter, doubling from 50 ms to 2 s; false when the patience is over, or would be before at_least_ms. */
struct patience {
        struct assist *a;
        int64_t since_us;
        int64_t pause_ms;
        bool told;
};
struct patience patience_new(struct assist *a);
bool patience_wait(struct patience *p, int64_t at_least_ms);

/* ---- session.c ---- */

/* Makes sure that there is a session. */
int session_open(struct assist *a, struct assist_error *error);

/* A session being opened: requests, each made of the answer before; who sends them is another's business. */
struct opening {
        struct assist *a;
        bool prove;                /* by the device's secret, where there is one */
        bool asked;                /* the nonce is there */
        struct buf body;           /* of the request */
};
enum { OPENING_NEXT = 1 };

void opening_begin(struct opening *o, struct assist *a);
void opening_deinit(struct opening *o);
struct http_request opening_request(const struct opening *o);
/* What http_do answered: 0 the session is open, OPENING_NEXT where another request follows, else *error; what http_passes may be
 * asked again. arena: of what is read. */
int opening_answered(struct opening *o, int r, const struct http_answer *answer, struct arena *arena, struct assist_error *error);

/* ---- device.c: the secret on disk ---- */
int device_load(struct assist *a, struct assist_error *error);
int device_save(struct assist *a, struct assist_error *error);
/* Compares the desk's key with the one that this address had the first time. */
int device_pin(struct assist *a, struct assist_error *error);
