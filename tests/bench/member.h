/* How the benchmark becomes an agent of its desk: by mail, as everybody does. */
#pragma once
#include "desk.h"

#define MEMBER_EMAIL "bench@example.org"

void member_ask(struct desk *desk);                     /* has a code mailed */
void member_bind(struct desk *desk, struct str code);   /* a session of the bound device, and a first ticket */
