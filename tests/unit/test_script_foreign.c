/*
 * Imported BPF objects that are damaged: whatever the bytes, the compiler ends with a plan or
 * with messages, and the machine in user space takes the plan or refuses it. Skipped where
 * tests/guest/objects/library.c cannot be compiled.
 */
#include "script_text.h"

#include "base/auto.h"
#include "script/compile.h"
#include "session/engine.h"
#include "types/btf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char SCRIPT[] =
	"import \"library.bpf.o\"; BEGIN { @ = add(1, 2); @a = twice_two(3); @b = bump(); reset();"
	"@c = times_seen(4); @d = length(\"hello\", 6); $v = 1; put(&$v, 5); "
	"@g = has_fields(); @h = is_big(3); @i = low(5) + negated(6);"
	"@j = sum_of(((int64)1, (int64)2)); }";

struct outcome {
	bool compiled, loaded;
	size_t errors;
};

static const struct import_file *give(void *arg, const char *from, const char *path,
				      struct err *e)
{
	(void)from;
	(void)e;
	return strcmp(path, "library.bpf.o") ? NULL : arg;
}

static struct outcome try(const char *script, const char *bytes, size_t size)
{
	struct import_file file = {
		.name = "library.bpf.o",
		.id = "library.bpf.o",
		.text = bytes,
		.len = size,
		.is_object = true,
	};
	auto_script struct script_text t;
	struct typetab types;
	struct probe_env env = { .arena = &t.arena, .types = &types, .dx = &t.dx };
	const struct compile_options opt = {
		.import = give, .import_arg = &file, .ncpus = 2, .isa = 3, .env = &env
	};
	struct load_options on_vm = { .on_vm = true, .ring_pages = 16 };
	struct script_config cfg;
	struct outcome out = {};
	struct err e = {};
	struct loaded l;

	script_text_init(&t, "test", script, strlen(script));
	typetab_init(&types, &t.arena);
	types.btf_path = "/dev/null";
	script_config_init(&cfg);
	struct plan *plan = compile_script(&t.arena, &t.dx, &t.sources, t.source, &cfg, &opt);
	out.compiled = plan;
	out.errors = t.dx.errors;
	bool small = true;
	for (size_t i = 0; plan && i < plan->kmaps.len; i++)
		small &= plan->kmaps.data[i].max_entries < 1 << 20;
	if (plan && small) {
		out.loaded = !load(&l, plan, &on_vm, &t.dx, &e);
		unload(&l);
	}
	probe_env_fini(&env);
	btf_free((struct btf *)(uintptr_t)types.btf);
	return out;
}

/* The object in memory; false without a compiler. */
static bool compile_library(struct sb *out)
{
	char chunk[4096];
	size_t n;
	FILE *cc = popen("clang -target bpf -I/usr/include/x86_64-linux-gnu -O2 -g -c -o - "
			 "tests/guest/objects/library.c 2>/dev/null",
			 "r");

	while (cc && (n = fread(chunk, 1, sizeof(chunk), cc)))
		sb_write(out, chunk, n);
	return cc && !pclose(cc);
}

static void damaged_objects_end_in_a_plan_or_messages(void **state)
{
	enum { ROUNDS = 1500 };
	auto_sb struct sb file = {};
	unsigned compiled = 0, refused = 0, loaded = 0;
	uint64_t seed = 4711;

	(void)state;
	if (!compile_library(&file))
		skip();
	auto_free char *bad = xcalloc(1, file.len);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t len = file.len;

		memcpy(bad, file.s, file.len);
		for (unsigned k = 0; k < 1 + round % 4; k++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			bad[(seed >> 33) % len] ^= (char)(1 << (seed >> 20) % 8);
		}
		if (round % 9 == 0)
			len = (seed >> 33) % file.len;
		struct outcome out = try(SCRIPT, bad, len);
		assert_true(out.compiled || out.errors);
		compiled += out.compiled;
		refused += !out.compiled;
		loaded += out.loaded;
	}
	/* Much of a file is debug information that nobody reads. */
	assert_in_range(compiled, ROUNDS / 10, ROUNDS);
	assert_in_range(refused, ROUNDS / 20, ROUNDS);
	assert_in_range(loaded, ROUNDS / 20, compiled);
}

/* Without BTF of a kernel, code that is about its types must not be reached. */
static void the_kernels_types_are_asked_by_need(void **state)
{
	static const char needs[] = "import \"library.bpf.o\"; BEGIN { @ = tgid_of_task(); }";
	auto_sb struct sb file = {};

	(void)state;
	if (!compile_library(&file))
		skip();
	struct outcome out = try(SCRIPT, file.s, file.len);
	assert_true(out.compiled && out.loaded);
	out = try(needs, file.s, file.len);
	assert_true(out.compiled && !out.loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_objects_end_in_a_plan_or_messages),
		cmocka_unit_test(the_kernels_types_are_asked_by_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
