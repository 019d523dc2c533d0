/* `assistctl store rebuild`, `assistctl audit verify`, `assistctl backup`: what store does longer than a call may take. */
#pragma once
#include "operator.h"
#include "schema/job.h"

int run_rebuild(struct operator *o, int argc, char **argv);
int run_verify(struct operator *o, int argc, char **argv);

/* 0, or, where Ctrl-C or SIGTERM came since one was begun, what to exit with. */
int job_interrupted(void);
/* Begins one and waits for its end, with a bar: 0, or an exit status after having said why. command: what shows it again. */
int job_run(struct operator *o, const struct schema_method *method, enum job_kind kind, const char *command, struct store_job *ret);
