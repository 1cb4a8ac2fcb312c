/*
 * attach.h - programs run by scry itself, and programs attached to what they trace.
 */
#ifndef SCRY_SESSION_ATTACH_H
#define SCRY_SESSION_ATTACH_H

#include "probe/provider.h"
#include "session/load.h"

/* Runs the begin or the end programs, in source order. Returns 0 or -errno with e set. */
int attach_run(const struct plan *plan, const struct loaded *l, enum prog_when when,
	       struct err *e);
/*
 * Attaches all programs that wait for something, so that several on one place fire in source
 * order. Returns 0 or -errno with e set; what was attached is in links in any case.
 */
int attach_all(const struct plan *plan, const struct loaded *l, struct probe_env *env,
	       struct links *links, struct err *e);

#endif
