/*
 * uprobe:FILE@SOURCE:LINE: places by their source line.
 */
#include "probe/match.h"
#include "probe/user_debug.h"

#include <limits.h>
#include <string.h>

static bool refuse(struct probe_env *env, const struct attach_text *at, const char *what,
		   const char *hint)
{
	struct diag *d = diag(env->dx, E0208_ATTACH_POINT, at->span, what);

	if (*hint)
		diag_hint(d, "%s", hint);
	return false;
}

bool user_line_parse(struct probe_env *env, const struct attach_text *at, struct user_line *out)
{
	unsigned n = at->nparts;
	bool ok = n == 5 || n == 6;

	*out = (struct user_line){};
	ok = ok && *at->parts[3] && expand_number(at->parts[4], &out->line) && out->line &&
	     out->line <= INT_MAX;
	if (ok && n == 6)
		ok = expand_number(at->parts[5], &out->column) && out->column <= INT_MAX;
	if (!ok)
		return refuse(env, at,
			      "a source line is written @FILE:LINE or @FILE:LINE:COLUMN", "");
	if (provider_find(at->parts[0], NULL)->flags & PV_RETVAL)
		return refuse(env, at, "uretprobes can not be attached to a source line",
			      "name the function");
	out->file = at->parts[3];
	out->text = n == 6 ? arena_printf(env->arena, "%s:%s:%s", out->file, at->parts[4],
					  at->parts[5])
			   : arena_printf(env->arena, "%s:%s", out->file, at->parts[4]);
	return true;
}

static bool no_code(struct probe_env *env, const struct attach_text *at,
		    const struct user_file *file, const struct user_line *l,
		    const struct debug_line_search *s)
{
	const char *hint = "";

	if (!s->nfiles)
		return refuse(env, at,
			      arena_printf(env->arena,
					   "the debug information of %s has no source file %s",
					   file->name, l->file),
			      "");
	if (s->before && s->after)
		hint = arena_printf(env->arena, "the nearest lines with code are %d and %d",
				    s->before, s->after);
	else if (s->before || s->after)
		hint = arena_printf(env->arena, "the nearest line with code is %d",
				    s->before ? s->before : s->after);
	return refuse(
		env, at,
		arena_printf(env->arena, "there is no code of %s in %s", l->text, file->name),
		hint);
}

bool user_line_find(struct probe_env *env, const struct attach_text *at, struct user_file *file,
		    const struct user_line *l, struct user_addrs *out)
{
	struct debug_line_search s;
	struct err e = {};
	struct debug_info *di = user_debug_open(env, file, &e);

	if (!di)
		return refuse(env, at, e.msg, e.hint);
	debug_line_find(di, l->file, (int)l->line, (int)l->column, &s);
	vec_each(p, &s.places)
		vec_push(env->arena, out, p->addr);
	bool ok = s.places.len || no_code(env, at, file, l, &s);
	vec_free(&s.places);
	return ok;
}
