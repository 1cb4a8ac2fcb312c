/*
 * job.h - one case carried out: the tracer, its workload, and what both said.
 *
 * The tracer announces by a line with the word JOB_ATTACHED, on either output, that everything
 * is attached; then the workload starts, and when it ends the tracer gets SIGINT.
 * Every process a case started is gone when job_run() returns.
 */
#ifndef SCRY_RUNNER_JOB_H
#define SCRY_RUNNER_JOB_H

#include "case.h"

#include <stdbool.h>
#include <sys/types.h>

/* Both the variable that asks for the announcement and the word announced. */
#define JOB_ATTACHED "__BPFTRACE_NOTIFY_PROBES_ATTACHED"

enum job_stream { JOB_OUT, JOB_ERR, JOB_WORK, JOB_STREAMS };

struct job {
	const struct test *test;
	unsigned timeout; /* seconds, unless the case has its own */

	struct sb said[JOB_STREAMS]; /* without the announcement */
	int status;		     /* of the tracer: its exit status, or 128 + signal */
	double seconds;
	struct sb trouble; /* why there is no verdict on what was said; "" when there is */

	/* while it runs */
	int fd[JOB_STREAMS];
	int children; /* signalfd */
	pid_t tracer, workload, helper;
	int workload_status;
	bool attached;
	double started, deadline;
};

/* Returns whether the case ran to its end; if not, trouble says why. */
bool job_run(struct job *job);
void job_fini(struct job *job);

#endif
