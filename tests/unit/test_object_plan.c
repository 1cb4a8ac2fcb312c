/*
 * Objects that scry built, whole and damaged: whatever the bytes are, reading them ends with a
 * plan that fits together or with words.
 */
#include "base/auto.h"
#include "mutate.h"
#include "object/build.h"
#include "object/object.h"
#include "script/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char SCRIPT[] =
	"BEGIN { printf(\"%d %s\\n\", 3, \"three\"); @x = 1; @s[1, \"a\"] = (2, \"b\"); }\n"
	"interval:s:1 { @h = hist(nsecs); @l[pid] = lhist(pid, 0, 100, 10); @c = count();\n"
	"  for ($kv : @s) { print($kv); } @k[kstack] = count(); time(\"%H\"); exit(2); }\n";

struct built {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct probe_env env;
	struct sb file;
};

static void start(struct built *b)
{
	*b = (struct built){};
	sources_init(&b->sources, &b->arena);
	diags_init(&b->dx, &b->arena, &b->sources);
	typetab_init(&b->types, &b->arena);
	b->env = (struct probe_env){ .arena = &b->arena, .types = &b->types, .dx = &b->dx };
}

static void end(struct built *b)
{
	probe_env_fini(&b->env);
	btf_free((struct btf *)(uintptr_t)b->types.btf);
	sb_free(&b->file);
	arena_free(&b->arena);
}

static struct plan *build(struct built *b)
{
	struct compile_options opt = { .ncpus = 2, .isa = 3, .env = &b->env };
	struct built_config cfg = { .print_maps = true, .max_cat_bytes = 77 };
	struct script_config settings;
	struct err e = {};

	start(b);
	script_config_init(&settings);
	const struct source *src = sources_add(&b->sources, "test.bt", SCRIPT, strlen(SCRIPT));
	struct plan *plan =
		compile_script(&b->arena, &b->dx, &b->sources, src, &settings, &opt);
	assert_non_null(plan);
	assert_int_equal(object_build(plan, &cfg, &b->file, &e), 0);
	return plan;
}

static int unbuild(const void *data, size_t size, struct plan **plan, struct built *out,
		   struct built_config *cfg, struct err *e)
{
	start(out);
	*e = (struct err){};
	return object_plan(&out->arena, &out->types, &out->sources, data, size, plan, cfg, e);
}

static void comes_back_the_same(void **state)
{
	(void)state;
	struct built b, back;
	struct built_config cfg;
	struct plan *was = build(&b), *is;
	struct err e;

	if (unbuild(b.file.s, b.file.len, &is, &back, &cfg, &e))
		fail_msg("%s", e.msg);
	assert_true(cfg.print_maps);
	assert_int_equal(cfg.max_cat_bytes, 77);
	assert_int_equal(is->progs.len, was->progs.len);
	for (size_t i = 0; i < was->progs.len; i++) {
		const struct image *x = &was->progs.data[i].image,
				   *y = &is->progs.data[i].image;

		assert_int_equal(x->ninsns, y->ninsns);
		for (uint32_t k = 0; k < x->ninsns; k++) {
			bool relocated = false;

			for (uint32_t r = 0; r < x->nrelocs; r++)
				relocated |= k - x->relocs[r].insn < 2;
			assert_int_equal(x->insns[k].code, y->insns[k].code);
			assert_int_equal(x->spans[k].beg, y->spans[k].beg);
			if (!relocated)
				assert_memory_equal(&x->insns[k], &y->insns[k], 8);
		}
	}
	assert_int_equal(is->maps.len, was->maps.len);
	for (size_t i = 0; i < was->maps.len; i++) {
		assert_string_equal(is->maps.data[i].name, was->maps.data[i].name);
		assert_true(type_same(is->maps.data[i].value, was->maps.data[i].value));
	}
	assert_int_equal(is->events.len, was->events.len);
	end(&back);
	end(&b);
}

static void damaged_is_refused_or_fits(void **state)
{
	(void)state;
	struct built b, back;
	struct built_config cfg;
	struct plan *plan;
	struct err e;
	uint32_t seed = 1, refused = 0;

	build(&b);
	for (unsigned i = 0; i < 20000; i++) {
		size_t size = b.file.len;
		auto_free char *copy = xcalloc(1, size);

		memcpy(copy, b.file.s, size);
		size = mutate(copy, size, &seed);
		int ret = unbuild(copy, size, &plan, &back, &cfg, &e);
		assert_true(ret == 0 || ret == -ENOENT || ret == -EINVAL);
		assert_true(ret != -EINVAL || *e.msg);
		refused += ret != 0;
		end(&back);
	}
	assert_true(refused > 2000);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_the_same),
		cmocka_unit_test(damaged_is_refused_or_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
