/*
 * environment.h - what the environment says about the machine, not about the language.
 *
 * Each name is looked up behind SCRY_, then behind BPFTRACE_.
 */
#ifndef SCRY_CLI_ENVIRONMENT_H
#define SCRY_CLI_ENVIRONMENT_H

#include "base/diag.h"
#include "types/type.h"

/*
 * SCRY_BTF: a file of types instead of the running kernel's.  SCRY_COLOR: auto, always or never
 * colours the first line of messages.  Returns 0, or -EINVAL with e filled in.
 */
int environment_read(struct typetab *types, struct diags *dx, struct err *e);

#endif
