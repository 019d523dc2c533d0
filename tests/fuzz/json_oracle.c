#include "json_oracle.h"
#include <jansson.h>
#include <string.h>

enum verdict json_oracle(struct str in)
{
        json_error_t error;
        json_t *value = json_loadb(in.n ? in.p : "", in.n, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
        enum json_error_code code = value ? json_error_unknown : json_error_code(&error);
        bool object = json_is_object(value) && !memchr(in.p, '\0', in.n); /* it overlooks a NUL behind a number */

        json_decref(value);
        if (code == json_error_numeric_overflow || code == json_error_null_byte_in_key || code == json_error_stack_overflow)
                return NO_OPINION;
        return object ? ACCEPTED : REFUSED;
}
