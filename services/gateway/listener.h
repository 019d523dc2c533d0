/* A listening socket at one address. It is made anew when the overlay's address or interface changes. */
#pragma once
#include "gateway.h"

struct listener;
int listener_new(struct gateway *g, const union host_address *address, struct listener **ret); /* 0 or -errno */
void listener_resume(struct listener *listener); /* where it had stopped accepting for want of room; NULL is fine */
void listener_free(struct listener *listener);   /* NULL is fine; connections that were accepted live on */
