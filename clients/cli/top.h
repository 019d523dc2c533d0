#pragma once
#include "operator.h"

/* The desk at work, looked at once a second: until q or Ctrl-C, or with --once two looks and one page. */
int run_top(struct operator *o, int argc, char **argv);
