/* The courier: follows identity's outbox and sends what is in it; where no mail server is configured, into a folder. It keeps nothing:
 * identity knows what is to be sent, and when to try again. */
#pragma once
#include "service.h"

extern const struct service_type courier_service;
