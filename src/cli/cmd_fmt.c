/*
 * scry --fmt: the program in its one layout, on standard output or in the file of -o.
 *
 * The file is replaced as a whole: written beside itself first, so that a full disk or a killed
 * scry leaves the old text.
 */
#include "base/auto.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "cli/report.h"
#include "script/fmt.h"

#include <errno.h>
#include <string.h>

static int write_error(struct err *e, const char *path, int err)
{
	return err_set(e, -err, "write %s: %s", path, strerror(err));
}

static int replace_file(struct arena *a, const char *path, const struct sb *text, struct err *e)
{
	const char *beside = arena_printf(a, "%s.scry-fmt", path);
	FILE *f = fopen(beside, "we");

	if (!f)
		return write_error(e, beside, errno);
	fwrite(sb_str(text), 1, text->len, f);
	bool failed = ferror(f);
	int err = errno;
	if (fclose(f) || failed) {
		err = failed ? err : errno;
		remove(beside);
		return write_error(e, path, err);
	}
	return rename(beside, path) ? write_error(e, path, errno) : 0;
}

static int write_out(const struct options *o, const struct sb *text, struct err *e)
{
	if (o->output)
		return replace_file(o->arena, o->output, text, e);
	fwrite(sb_str(text), 1, text->len, stdout);
	return fflush(stdout) ? write_error(e, "standard output", errno) : 0;
}

int cmd_fmt(const struct options *o)
{
	auto_sb struct sb text = {};
	struct program p;
	struct sources sources;
	struct diags dx;
	struct err e = {};

	if (program_read(o, &p, &e))
		return report_usage(&e);
	sources_init(&sources, o->arena);
	diags_init(&dx, o->arena, &sources);
	if (!fmt_script(o->arena, &dx, sources_add(&sources, p.name, p.text, p.len), &text)) {
		diags_print(&dx, stderr, !o->no_warnings);
		return EXIT_USAGE;
	}
	return write_out(o, &text, &e) ? report_system(&e) : EXIT_OK;
}
