/*
 * scry -l: the probes that a pattern matches, or that a program names.
 */
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/program.h"
#include "cli/report.h"
#include "script/parse.h"

#include "probe/provider.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct list {
	const struct options *o;
	struct typetab types;
	struct sources sources;
	struct diags dx;
	struct probe_env env;
};

static void print_line(void *arg, const char *text)
{
	(void)arg;
	puts(text);
}

static int list_pattern(struct list *l, const char *pattern, struct err *e)
{
	return probe_list(&l->env, pattern, l->o->verbose, print_line, NULL, e);
}

static int list_target(struct list *l, const struct target *t, struct err *e)
{
	if (t->provider->flags & PV_OURS)
		return 0;
	if (l->o->verbose && t->provider->list)
		return list_pattern(l, t->name, e);
	puts(t->name);
	return 0;
}

static int list_points(struct list *l, const struct probe *p, struct err *e)
{
	struct targets targets = {};
	int err = 0;

	vec_each(ap, &p->points) {
		struct attach_text at = { .span = ap->span,
					  .text = ap->text,
					  .user_name = ap->user_name,
					  .parts = ap->parts,
					  .nparts = ap->nparts };

		probe_expand(&l->env, &at, &targets);
	}
	for (size_t i = 0; i < targets.len && !err; i++)
		err = list_target(l, targets.data[i], e);
	return err;
}

static int list_program(struct list *l, struct err *e)
{
	struct parse_options opt = {};
	struct program program;
	int err = program_read(l->o, &program, e);

	if (err)
		return err;
	opt.params = program.params;
	opt.nparams = program.nparams;

	const struct source *src =
		sources_add(&l->sources, program.name, program.text, program.len);
	const struct script *script = parse_script(l->o->arena, &l->dx, src, &opt);
	for (const struct probe *p = script->probes; p && !err; p = p->next)
		err = list_points(l, p, e);
	return err;
}

/* A word that names a file is a program; one that only looks like it is a pattern. */
static bool names_program(const struct options *o)
{
	const char *word = o->nwords ? o->words[0] : "";
	size_t len = strlen(word);

	if (o->program || !strcmp(word, "-") || (*word && !access(word, R_OK)))
		return true;
	if (len > 3 && !strcmp(word + len - 3, ".bt"))
		fprintf(stderr, "scry: there is no file '%s', it is taken as a pattern\n",
			word);
	return false;
}

int cmd_list(const struct options *o)
{
	struct list l = { .o = o };
	struct err e = {};
	int err;

	typetab_init(&l.types, o->arena);
	sources_init(&l.sources, o->arena);
	diags_init(&l.dx, o->arena, &l.sources);
	l.env = (struct probe_env){ .arena = o->arena,
				    .types = &l.types,
				    .dx = &l.dx,
				    .pid = o->pid,
				    .debug_dirs = o->debuginfo,
				    .traceable_file = o->traceable_file,
				    .missing = MISSING_WARN };
	err = environment_read(&l.types, &l.dx, &e);
	if (err)
		return report_usage(&e);
	if (names_program(o))
		err = list_program(&l, &e);
	else
		err = list_pattern(&l, o->nwords ? o->words[0] : "", &e);

	diags_print(&l.dx, stderr, !o->no_warnings);
	probe_env_fini(&l.env);
	btf_free((struct btf *)(uintptr_t)l.types.btf);
	if (err)
		return err == -EINVAL ? report_usage(&e) : report_system(&e);
	return diag_failed(&l.dx) ? EXIT_USAGE : EXIT_OK;
}
