/* libcurl's transfers on a loop. The handles are their makers'; all calls on the loop's thread. */
#pragma once
#include "loop.h"
#include <curl/curl.h>

/* A transfer has ended, and its handle is off the list: free it, or add it again. */
typedef void curl_loop_fn(void *data, CURL *easy, CURLcode code);

struct curl_loop;
int curl_loop_new(struct loop *loop, curl_loop_fn *done, void *data, struct curl_loop **ret);
void curl_loop_free(struct curl_loop *curl);            /* after its handles were removed; NULL is fine */
int curl_loop_add(struct curl_loop *curl, CURL *easy);  /* `done` is called once, never before this returned; -ENOMEM */
void curl_loop_remove(struct curl_loop *curl, CURL *easy);  /* breaks it off, without a word; one that was not added is fine */
