/*
 * cgroups.h - the paths of a cgroup that is known by its id.
 */
#ifndef SCRY_SESSION_CGROUPS_H
#define SCRY_SESSION_CGROUPS_H

#include "base/arena.h"

#include <stdint.h>

/*
 * "HIERARCHY:/path" of the cgroup with that id in each mounted hierarchy whose name matches the
 * pattern ('*' is a wildcard), joined by commas; "" when there is none.  The hierarchy of
 * cgroup v2 is named "unified", others after the last part of their mount point.
 */
const char *cgroup_paths(struct arena *a, uint64_t id, const char *pattern);

#endif
