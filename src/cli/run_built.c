#include "cli/run_built.h"

#include "base/auto.h"
#include "cli/aot.h"
#include "cli/report.h"
#include "kernel/proc.h"
#include "object/build.h"
#include "session/session.h"

#include <errno.h>
#include <string.h>

struct built {
	const struct run_built *r;
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
	struct plan *plan;
	struct built_config cfg;
	struct child child;
	struct sb file;
};

static int read_file(const char *path, struct sb *out)
{
	auto_fclose FILE *f = fopen(path, "re");
	size_t n, left = SIZE_MAX;
	char chunk[16384];
	off_t at;

	if (!f)
		return -errno;
	if (aot_find(fileno(f), &at, &left) && fseeko(f, at, SEEK_SET) < 0)
		return -errno;
	while (left && (n = fread(chunk, 1, left < sizeof(chunk) ? left : sizeof(chunk), f))) {
		sb_write(out, chunk, n);
		left -= n;
	}
	return ferror(f) ? -EIO : 0;
}

static void init(struct built *b, const struct run_built *r)
{
	*b = (struct built){ .r = r, .child = CHILD_NONE };
	sources_init(&b->sources, &b->arena);
	diags_init(&b->dx, &b->arena, &b->sources);
	typetab_init(&b->types, &b->arena);
	b->env = (struct probe_env){ .arena = &b->arena, .types = &b->types, .dx = &b->dx };
}

static void fini(struct built *b)
{
	child_end(&b->child);
	probe_env_fini(&b->env);
	btf_free((struct btf *)(uintptr_t)b->types.btf);
	sb_free(&b->file);
	arena_free(&b->arena);
}

static int run(struct built *b, struct err *e)
{
	struct session s = {
		.plan = b->plan,
		.env = &b->env,
		.dx = &b->dx,
		.out = stdout,
		.sink = b->r->sink,
		.child = &b->child,
		.opt = { .until = UNTIL_ENDED,
			 .quiet = b->r->quiet,
			 .print_maps = b->cfg.print_maps,
			 .source_lines = b->cfg.source_lines,
			 .no_user_symbols = b->cfg.no_user_symbols,
			 .mangled = b->cfg.mangled,
			 .ring_pages = b->cfg.ring_pages,
			 .max_cat_bytes = b->cfg.max_cat_bytes,
			 .trunc_trailer = b->cfg.trunc_trailer,
			 .out_name = "standard output" },
	};

	if (!session_run(&s, e))
		return s.status & 0xff;
	if (e->code)
		return report_system(e);
	diags_print(&b->dx, stderr, true);
	return EXIT_USAGE;
}

static int start(struct built *b, int err, struct err *e)
{
	struct err why = *e;

	if (err) {
		err_set(e, err, "%s: %s", b->r->path, why.msg);
		return report_usage(e);
	}
	if (proc_may_trace(e))
		return report_usage(e);
	if (b->r->cmd)
		err = child_start(&b->child, b->r->cmd, e);
	else if (b->r->pid)
		err = child_watch(&b->child, b->r->pid, e);
	return err ? report_system(e) : run(b, e);
}

bool run_built(const struct run_built *r, int *code)
{
	struct err e = {};
	struct built b;

	init(&b, r);
	int err = read_file(r->path, &b.file);
	if (!err)
		err = object_plan(&b.arena, &b.types, &b.sources, sb_str(&b.file), b.file.len,
				  &b.plan, &b.cfg, &e);
	bool ours = !err || e.code;
	if (ours)
		*code = start(&b, err, &e);
	fini(&b);
	return ours;
}
