/* `assistctl audit list` and `assistctl audit access`. */
#pragma once
#include "operator.h"

int run_audit_list(struct operator *o, int argc, char **argv);
int run_audit_access(struct operator *o, int argc, char **argv);
