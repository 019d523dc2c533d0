/* A listening socket at one address. It is made anew when the overlay's address or interface changes. */
#pragma once
#include "gateway.h"

struct listener;
int listener_new(struct gateway *g, const union host_address *address, struct listener **ret); /* 0 or -errno */
/* Once nothing is answered any more: those who keep a connection open see its end. One turn of h2o's loop. */
void connections_close(struct gateway *g);
void listener_free(struct listener *listener);   /* NULL is fine; connections that were accepted live on */
