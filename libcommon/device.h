/* Which device an overlay address belongs to: the driver's rule (docs/security.md).
 * mycelium: the /64. yggdrasil: the whole address, in 200::/8. loopback: one address in 127.0.0.0/8, in development only. */
#pragma once
#include "caller.h"
#include <sys/socket.h>

enum overlay_driver { OVERLAY_LOOPBACK, OVERLAY_MYCELIUM, OVERLAY_YGGDRASIL };

int overlay_driver_parse(struct str name, enum overlay_driver *ret);  /* "loopback", ...; -EINVAL */
const char *overlay_driver_name(enum overlay_driver driver);

/* Writes "loopback:127.0.0.2", "mycelium:5a6:f0c6:f365:177d::/64", "yggdrasil:201:e79b:..."; -EADDRNOTAVAIL for an address outside
 * the driver's range. */
int device_of(enum overlay_driver driver, const struct sockaddr *address, char ret_device[DEVICE_MAX + 1]);
