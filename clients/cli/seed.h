/* `assistctl seed`: a desk full of invented people, tickets, images and history. */
#pragma once
#include "operator.h"

int run_seed(struct operator *o, int argc, char **argv);
