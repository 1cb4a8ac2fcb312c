/*
 * The whole compiler on any text, for the machine in user space: it ends in messages or in a
 * plan; the begin programs of a plan run there, by interpreter and by JIT, and do no harm.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "probe/provider.h"
#include "script/compile.h"
#include "scry_vm.h"
#include "session/engine.h"
#include "types/btf.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 1 << 16, MAX_ENTRIES = 4096, MAX_TEXT = 4096 };

static void run_programs(struct plan *plan, struct diags *dx)
{
	struct load_options opt = { .on_vm = true, .ring_pages = 16 };
	struct loaded l;
	struct err e = { 0 };

	for (size_t i = 0; i < plan->kmaps.len; i++)
		if (plan->kmaps.data[i].max_entries > MAX_ENTRIES)
			return;
	if (!load(&l, plan, &opt, dx, &e)) {
		for (size_t i = 0; i < 2 * l.nprogs; i++) {
			struct scry_vm_input in = { .steps = STEPS,
						    .flags = i % 2 ? SCRY_VM_INTERPRET : 0 };
			struct scry_vm_result out;

			scry_vm_run(l.vm, l.progs[i / 2], &in, &out);
		}
	}
	unload(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const PARAMS[] = { "12", "word" };
	auto_arena struct arena a = { 0 };
	struct typetab types;
	struct sources sources;
	struct script_config cfg;
	struct diags dx;
	struct probe_env env = { .arena = &a, .types = &types, .dx = &dx, .no_kernel = true };
	const struct compile_options opt = { .params = PARAMS,
					     .nparams = 2,
					     .ncpus = 2,
					     .isa = 3,
					     .unsafe = true,
					     .env = &env };

	if (size > MAX_TEXT)
		return 0;
	sources_init(&sources, &a);
	diags_init(&dx, &a, &sources);
	typetab_init(&types, &a);
	types.btf_path = "/dev/null";
	script_config_init(&cfg);
	const struct source *src = sources_add(&sources, "fuzz", (const char *)data, size);
	struct plan *plan = compile_script(&a, &dx, &sources, src, &cfg, &opt);
	if (plan)
		run_programs(plan, &dx);
	else if (!diag_failed(&dx))
		BUG("neither a plan nor a message");
	probe_env_fini(&env);
	btf_free((struct btf *)(uintptr_t)types.btf);
	return 0;
}
