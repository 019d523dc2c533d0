/* `assistctl mail`: the spool folder that courier fills where no mail server is configured. */
#pragma once
#include "operator.h"

int mailbox_list(struct operator *o);              /* newest first */
int mailbox_print(struct operator *o, const char *which); /* a file's name, or "last" */
