/*
 * scry -l: the probes that a pattern, or a program, names.
 */
#include "cli/commands.h"
#include "cli/report.h"
#include "probe/provider.h"

#include <string.h>
#include <unistd.h>

static void print_line(void *arg, const char *text)
{
	(void)arg;
	puts(text);
}

/* Looks like a program file that is not there. */
static bool is_missing_file(const char *word)
{
	size_t len = strlen(word);

	return len > 3 && !strcmp(word + len - 3, ".bt") && access(word, F_OK) != 0;
}

int cmd_list(const struct options *o)
{
	const char *pattern = o->nwords ? o->words[0] : "";
	struct typetab types;
	struct sources sources;
	struct diags dx;
	struct probe_env env = { .arena = o->arena,
				 .types = &types,
				 .dx = &dx,
				 .pid = o->pid,
				 .traceable_file = o->traceable_file,
				 .missing = MISSING_IGNORE };
	struct err e = {};

	typetab_init(&types, o->arena);
	sources_init(&sources, o->arena);
	diags_init(&dx, o->arena, &sources);
	if (is_missing_file(pattern))
		fprintf(stderr, "scry: there is no file '%s', it is taken as a pattern\n",
			pattern);

	int err = probe_list(&env, pattern, o->verbose, print_line, NULL, &e);
	probe_env_fini(&env);
	btf_free((struct btf *)(uintptr_t)types.btf);
	diags_print(&dx, stderr, true);
	if (err)
		return report_system(&e);
	return diag_failed(&dx) ? EXIT_USAGE : EXIT_OK;
}
