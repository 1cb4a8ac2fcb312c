/*
 * scry PROGRAM: compile it, run it, say how it went.
 */
#include "base/auto.h"
#include "cli/aot.h"
#include "cli/commands.h"
#include "cli/dump.h"
#include "cli/environment.h"
#include "cli/filter.h"
#include "cli/imports.h"
#include "cli/program.h"
#include "cli/report.h"
#include "kernel/proc.h"
#include "object/build.h"
#include "script/compile.h"
#include "session/session.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { OUT_BUFFER = 64 << 10, ISA = 3 };

/* Everything from the text to the end of the session. */
struct trace {
	const struct options *o;
	struct arena *arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
	struct script_config cfg;
	struct program program;
	struct task_filter filter;
	regex_t only_probes;
	struct plan *plan;
	struct child child;
	struct dump dump;
	FILE *out;
	char *out_buffer;
};

static void trace_init(struct trace *t, const struct options *o)
{
	*t = (struct trace){ .o = o, .arena = o->arena, .child = CHILD_NONE };
	sources_init(&t->sources, t->arena);
	diags_init(&t->dx, t->arena, &t->sources);
	typetab_init(&t->types, t->arena);
	script_config_init(&t->cfg);
	t->env =
		(struct probe_env){ .arena = t->arena,
				    .types = &t->types,
				    .dx = &t->dx,
				    .debug_dirs = o->debuginfo,
				    .traceable_file = o->traceable_file,
				    .no_kernel = o->engine == ENGINE_VM,
				    .unsafe = o->unsafe,
				    .no_kprobe_multi = o->no_feature.kprobe_multi,
				    .no_kprobe_session = o->no_feature.kprobe_session,
				    .no_uprobe_multi = o->no_feature.uprobe_multi || o->build };
}

static void trace_fini(struct trace *t)
{
	regfree(&t->only_probes);
	child_end(&t->child);
	probe_env_fini(&t->env);
	btf_free((struct btf *)(uintptr_t)t->types.btf);
	if (t->out && t->out != stdout) {
		fclose(t->out);
		free(t->out_buffer);
	}
}

/* Is anything to be loaded? Compiling alone needs no privilege. */
static bool needs_engine(const struct trace *t)
{
	return !t->o->build && t->o->mode != MODE_CODEGEN &&
	       t->o->mode != MODE_COMPILER_BENCH && (!t->dump.any || t->dump.xlated);
}

/* Settings from the environment: BPFTRACE_MAX_STRLEN=200, SCRY_MAX_STRLEN=200. */
static int read_environment(struct trace *t, struct err *e)
{
	for (char **env = environ; *env; env++) {
		const char *value = strchr(*env, '=');

		if (!value ||
		    (strncmp(*env, "BPFTRACE_", 9) != 0 && strncmp(*env, "SCRY_", 5) != 0))
			continue;
		char *key = arena_strndup(t->arena, *env, (size_t)(value - *env));
		if (!script_config_knows(key))
			continue; /* ours or not: bpftrace ignores those, too */
		const char *wrong = script_config_set(&t->cfg, t->arena, CONFIG_ENVIRONMENT,
						      key, value + 1);
		if (wrong)
			return err_set(e, -EINVAL, "%s: %s", key, wrong);
	}
	return 0;
}

/* The process that the session is about, before anything is compiled for its pid. */
static int find_process(struct trace *t, struct err *e)
{
	int err = 0;

	if (t->o->cmd)
		err = child_start(&t->child, t->o->cmd, e);
	else if (t->o->pid)
		err = child_watch(&t->child, t->o->pid, e);
	t->env.pid = t->filter.pid = t->child.pid;
	t->env.pid_in_program = t->filter.follow;
	t->env.pid_waits = t->child.ours;
	if (t->o->cmd)
		t->env.program = arena_strndup(t->arena, t->o->cmd, strcspn(t->o->cmd, " "));
	else if (t->env.pid)
		t->env.program = arena_printf(t->arena, "/proc/%d/exe", t->env.pid);
	return err;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool compile(struct trace *t)
{
	const struct program *p = &t->program;
	struct compile_options opt = {
		.params = p->params,
		.nparams = p->nparams,
		.options = p->options,
		.noptions = p->noptions,
		.filter = t->filter,
		.only_probes = t->o->probe_filter ? &t->only_probes : NULL,
		.include_dirs = t->o->include_dirs.data,
		.ninclude_dirs = (unsigned)t->o->include_dirs.len,
		.includes = t->o->includes.data,
		.nincludes = (unsigned)t->o->includes.len,
		.cpid = t->child.ours ? t->child.pid : 0,
		.ncpus = cpus_possible(),
		.memory = memory_of_machine(),
		.tell_lookups = t->o->all_problems,
		.start_ns = boot_ns(),
		.isa = ISA,
		.unwind = t->o->unwind,
		.unsafe = t->o->unsafe,
		.purpose = t->o->mode == MODE_TEST    ? FOR_TESTS
			   : t->o->mode == MODE_BENCH ? FOR_BENCHES
						      : FOR_TRACE,
		.env = &t->env,
		.import = imports_read,
		.import_arg = t->arena,
		.dump = dump_stage,
		.dump_arg = &t->dump,
		.dump_ast = t->dump.ast,
		.dump_ir = t->dump.ir,
		.dump_passes = t->dump.ir,
	};
	const struct source *src = sources_add(&t->sources, p->name, p->text, p->len);

	t->plan = compile_script(t->arena, &t->dx, &t->sources, src, &t->cfg, &opt);
	diags_print(&t->dx, stderr, !t->o->no_warnings);
	return t->plan != NULL;
}

/* -v: how the programs will be attached, and why so. */
static void explain_groups(const struct trace *t)
{
	vec_each(p, &t->plan->progs) {
		size_t n = p->group ? p->group->targets.len : 0;

		if (!n || !*p->group->why)
			continue;
		fprintf(stderr, "%s", p->name);
		if (n > 1)
			fprintf(stderr, " and %zu more", n - 1);
		fprintf(stderr, ": attached through %s\n", p->group->why);
	}
}

static int open_output(struct trace *t, struct err *e)
{
	t->out = t->o->output ? fopen(t->o->output, "we") : stdout;
	if (!t->out)
		return err_set(e, -errno, "open output file '%s': %s", t->o->output,
			       strerror(errno));
	if (t->o->buffering == BUFFER_NONE) {
		setvbuf(t->out, NULL, _IONBF, 0);
	} else {
		/* Stays with the stream, which is the process's; untouched pages cost nothing.
		 */
		t->out_buffer = xrealloc(NULL, OUT_BUFFER);
		setvbuf(t->out, t->out_buffer, _IOFBF, OUT_BUFFER);
	}
	return 0;
}

/* `scry build`: the plan as an object file, and nothing in the kernel. */
static int build_object(struct trace *t, struct err *e)
{
	struct built_config cfg = { .print_maps = t->cfg.print_maps_on_exit,
				    .source_lines = t->cfg.show_debug_info,
				    .no_user_symbols = !t->cfg.user_symbols,
				    .mangled = !t->cfg.cpp_demangle,
				    .ring_pages = t->cfg.perf_rb_pages,
				    .max_cat_bytes = t->cfg.max_cat_bytes,
				    .trunc_trailer = t->cfg.str_trunc_trailer };
	auto_sb struct sb file = {};
	int err = object_build(t->plan, &cfg, &file, e);

	if (err)
		return report_usage(e);
	if (t->o->aot)
		return aot_write(t->o->output, &file, e) ? report_system(e) : EXIT_OK;
	auto_fclose FILE *f = fopen(t->o->output, "we");
	if (!f || fwrite(file.s, 1, file.len, f) != file.len || fflush(f)) {
		err_set(e, -errno, "write '%s'", t->o->output);
		return report_system(e);
	}
	return EXIT_OK;
}

static int run_session(struct trace *t, const struct sink *sink)
{
	const struct options *o = t->o;
	struct session s = {
		.plan = t->plan,
		.env = &t->env,
		.dx = &t->dx,
		.out = t->out,
		.sink = sink,
		.child = &t->child,
		.opt = { .engine = o->engine,
			 .buffering = o->buffering,
			 .until = t->dump.any  ? UNTIL_LOADED
				  : o->dry_run ? UNTIL_ATTACHED
					       : UNTIL_ENDED,
			 .quiet = o->quiet,
			 .all_problems = o->all_problems,
			 .no_warnings = o->no_warnings,
			 .strict = o->strict,
			 .account = o->account,
			 .print_maps = t->cfg.print_maps_on_exit,
			 .every_ns = o->every_ns,
			 .top = o->top,
			 .clear_maps = o->clear_maps,
			 .ring_pages = t->cfg.perf_rb_pages,
			 .max_cat_bytes = t->cfg.max_cat_bytes,
			 .debug_dirs = o->debuginfo,
			 .source_lines = o->source_lines || t->cfg.show_debug_info,
			 .trunc_trailer = t->cfg.str_trunc_trailer,
			 .no_user_symbols = !t->cfg.user_symbols,
			 .mangled = !t->cfg.cpp_demangle,
			 .out_name = o->output ? o->output : "standard output",
			 .loaded = t->dump.xlated ? dump_xlated : NULL,
			 .loaded_arg = &t->dump },
	};
	struct err e;

	if (!session_run(&s, &e))
		return s.status & 0xff;
	if (e.code)
		return report_system(&e);
	diags_print(&t->dx, stderr, !o->no_warnings);
	return EXIT_USAGE;
}

static int check_format(const struct options *o, const struct sink **sink, struct err *e)
{
	const char *name = o->format ? o->format : sink_names[0];

	*sink = sink_find(name);
	if (*sink)
		return 0;
	return err_set(e, -EINVAL,
		       "-f: there is no output format '%s'; there are text, json, folded",
		       name);
}

/* What can be wrong before anything was done. */
static int prepare(struct trace *t, const struct sink **sink, struct err *e)
{
	int err = dump_init(&t->dump, &t->o->stages, e);

	if (!err && t->dump.xlated && t->o->engine == ENGINE_VM)
		err = err_set(e, -EINVAL, "-d xlated: only the kernel rewrites programs");

	if (!err)
		err = check_format(t->o, sink, e);
	if (!err)
		err = read_environment(t, e);
	if (!err)
		err = environment_read(&t->types, &t->dx, e);
	if (!err)
		err = filter_from_options(t->o, &t->filter, e);
	if (!err && t->o->probe_filter)
		err = probe_filter(t->o->probe_filter, &t->only_probes, e);
	return err ? err : program_read(t->o, &t->program, e);
}

/* Is there anything that this session would run? */
static int check_runs(const struct plan *plan, struct err *e)
{
	if (plan->purpose == FOR_TESTS && !plan->ntests) {
		err_set(e, -ENOENT, "no tests to run");
		return err_hint(e, "test:NAME { ... } is one");
	}
	if (plan->purpose == FOR_BENCHES && !plan->nbenches) {
		err_set(e, -ENOENT, "no benchmarks to run");
		return err_hint(e, "bench:NAME { ... } is one");
	}
	if (plan->nattached)
		return 0;
	err_set(e, -ENOENT, "no probes to attach");
	if (plan->ntests || plan->nbenches)
		return err_hint(e, "%s probes are run by --%s", plan->ntests ? "test" : "bench",
				plan->ntests ? "test" : "bench");
	return err_hint(e, "a program is PROBE { ... }, as in BEGIN { printf(\"hello\\n\"); }");
}

static int trace(struct trace *t)
{
	const struct sink *sink;
	struct err e = {};

	if (prepare(t, &sink, &e))
		return report_usage(&e);
	if (needs_engine(t) && t->o->engine == ENGINE_KERNEL && proc_may_trace(&e))
		return report_usage(&e);
	if (find_process(t, &e))
		return t->o->pid ? report_usage(&e) : report_system(&e);
	uint64_t start = boot_ns();
	if (!compile(t))
		return EXIT_USAGE;
	start = boot_ns() - start;
	if (check_runs(t->plan, &e))
		return report_usage(&e);
	if (t->o->verbose)
		explain_groups(t);
	if (t->dump.bpf)
		dump_bpf(t->plan);
	if (t->o->build)
		return build_object(t, &e);
	if (t->o->mode == MODE_COMPILER_BENCH) {
		struct bench_result r = { .name = "compile", .ns = start, .iters = 1 };

		sink->bench(stdout, &r, 1, 0, true);
	}
	if (!needs_engine(t))
		return EXIT_OK;
	return open_output(t, &e) ? report_system(&e) : run_session(t, sink);
}

int cmd_trace(const struct options *o)
{
	struct trace t;

	trace_init(&t, o);
	int code = trace(&t);
	trace_fini(&t);
	return code;
}
