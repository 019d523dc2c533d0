/* A listening socket at one address of one interface, by its index: what comes in by another interface does not reach it. It is made anew
 * when the overlay's address or index changes; connections that were accepted live on.
 *
 * systemd keeps a copy (FDSTORE, named by the index), so that whoever connects while the service restarts waits instead of being
 * refused. */
#pragma once
#include "gateway.h"

struct listener;
/* Takes the socket that the process before this one had there, else binds one. What else was handed over is closed. 0 or -errno. */
int listener_new(struct gateway *g, const struct listener_place *place, struct listener **ret);
bool listener_is_at(const struct listener *listener, const struct listener_place *place); /* false for NULL */
void listener_resume(struct listener *listener); /* where it had stopped accepting for want of room; NULL is fine */
void listener_leave(struct listener *listener);  /* the process stops: whoever comes now is the next one's; NULL is fine */
void listener_free(struct listener *listener);   /* the place is left for good; NULL is fine */
