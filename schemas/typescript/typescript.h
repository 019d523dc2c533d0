/* The schemas as a TypeScript module: what the web client knows of methods, events, types, errors and limits. */
#pragma once
#include "str.h"

void typescript_write(struct buf *out);
