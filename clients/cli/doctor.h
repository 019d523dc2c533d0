/* `assistctl doctor`: what is wrong with the desk, or soon will be, and what to do about it. */
#pragma once
#include "schema/doctor.h"
#include "vitals.h"

enum {
        DOCTOR_FINDINGS_MAX = 200,      /* those behind are not told */
        DOCTOR_BACKUP_MS = 2 * 24 * 60 * 60 * 1000, /* older: a night was missed */
        DOCTOR_MAIL_US = 15 * 60 * 1000 * 1000, /* waits for longer: its code is over */
        DOCTOR_BEHIND_OPS = 10000,
};

struct doctor {
        struct arena *arena;            /* of the texts */
        struct finding items[DOCTOR_FINDINGS_MAX];
        size_t n;
};
/* By what the processes tell of themselves. */
void doctor_hear(struct doctor *d, const struct vitals *vitals, int64_t now_ms);
/* By what lies on this machine. */
void doctor_look(struct doctor *d, struct operator *o);

/* 0 where all is well, else EXIT_FAILURE. */
int run_doctor(struct operator *o, int argc, char **argv);
