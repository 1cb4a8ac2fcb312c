#include "cli/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *find(const char *ours, const char *theirs, const char **name)
{
	*name = getenv(ours) ? ours : theirs;
	return getenv(*name);
}

int environment_read(struct typetab *types, struct diags *dx, struct err *e)
{
	const char *btf, *name, *color = find("SCRY_COLOR", "BPFTRACE_COLOR", &name);

	types->btf_path = find("SCRY_BTF", "BPFTRACE_BTF", &btf);
	if (types->btf_path && access(types->btf_path, R_OK))
		return err_set(e, -errno, "%s: open %s: %s", btf, types->btf_path,
			       strerror(errno));
	if (!color || !strcmp(color, "auto"))
		dx->color = isatty(STDERR_FILENO);
	else if (!strcmp(color, "always") || !strcmp(color, "never"))
		dx->color = *color == 'a';
	else
		return err_set(e, -EINVAL, "%s: '%s' is none of auto, always, never", name,
			       color);
	return 0;
}
