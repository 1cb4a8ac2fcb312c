/*
 * scry --explain CODE: what the code of a message means.
 */
#include "base/diag.h"
#include "cli/commands.h"
#include "cli/report.h"

#include <errno.h>

int cmd_explain(const struct options *o)
{
	const struct diag_row *row = diag_find(o->explain);
	struct err e = {};

	if (!row) {
		err_set(&e, -EINVAL, "--explain: there is no code '%s'", o->explain);
		err_hint(&e,
			 "codes look like E0107; every message about a program shows its own");
		return report_usage(&e);
	}
	printf("%.5s: %s: %s\n", row->id, row->severity == DIAG_ERROR ? "error" : "warning",
	       row->words);
	if (*row->more)
		printf("\n%s\n", row->more);
	if (*row->hint)
		printf("\nhint: %s\n", row->hint);
	return EXIT_OK;
}
