/* `assistctl store rebuild`, `assistctl audit verify`: what store does longer than a call may take. */
#pragma once
#include "operator.h"

int run_rebuild(struct operator *o, int argc, char **argv);
int run_verify(struct operator *o, int argc, char **argv);
