#include "exit_status.h"

#include "fault.h"

#include <errno.h>
#include <stdlib.h>

int exit_status(int code)
{
        switch (code) {
        case 0:
                return 0;
        case FAULT_INVALID_PARAMS:
        case FAULT_METHOD_NOT_FOUND:
                return EXIT_USAGE;
        case FAULT_NOT_FOUND:
                return EXIT_NOT_FOUND;
        case FAULT_UNAUTHENTICATED:
        case FAULT_FORBIDDEN:
                return EXIT_DENIED;
        case FAULT_CONFLICT:
                return EXIT_CONFLICT;
        case FAULT_UNAVAILABLE:
        case FAULT_RATE_LIMITED:
        case -ECONNREFUSED:
        case -ETIMEDOUT:
                return EXIT_AWAY;
        default:
                return EXIT_FAILURE;
        }
}
