#include "check.h"

void check(struct program *program)
{
        static void (*const steps[])(struct program *) = { check_files, check_names, check_fields, check_calls };

        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !program->error; i++)
                steps[i](program);
}
