/* Where a program of this machine listens: "127.0.0.1:8990", "[::1]:8990", "tcp://127.0.0.1:9001" or "unix:///run/x.sock". */
#pragma once
#include "str.h"
#include <sys/socket.h>

/* -EINVAL for anything else, and for addresses of other machines. */
int endpoint_parse(struct str text, struct sockaddr_storage *ret_address, socklen_t *ret_n);
