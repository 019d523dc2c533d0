/* What assist and assistctl exit with, beside 0 and 1. */
#pragma once

enum { EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_DENIED = 4, EXIT_CONFLICT = 5, EXIT_AWAY = 6 };
int exit_status(int code);  /* for 0, an enum fault_code, or a negative errno */
