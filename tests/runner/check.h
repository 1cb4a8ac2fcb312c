/*
 * check.h - what a case said against what it should have said.
 */
#ifndef SCRY_RUNNER_CHECK_H
#define SCRY_RUNNER_CHECK_H

#include "job.h"

/* Adds a line to why for each expectation that was not met; true when there was none. */
bool check_job(const struct job *job, struct sb *why);

#endif
