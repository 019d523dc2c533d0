/* From a path to what answers it; and the rules that hold for every request. */
#pragma once
#include "request.h"

void router_register(struct gateway *g);
int64_t router_body_max(struct str target);     /* as in the request line */

/* The routes, each in its own file. */
void session_nonce_route(struct request *q);
void session_open_route(struct request *q);
void rpc_route(struct request *q);
void live_route(struct request *q);
void attachment_route(struct request *q);
void page_route(struct request *q);

bool page_is_asked(const struct request *q);    /* whether page_route has something for a path that no other route takes */
