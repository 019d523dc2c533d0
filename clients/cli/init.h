/* `assistctl project init`: the settings, folders and keys of a new desk. Nothing that is there is ever overwritten. */
#pragma once
#include "operator.h"

int init_project(struct operator *o, bool development);
