/*
 * Random scripts leave the same behind wherever they run: compiled with all passes of the
 * optimiser and without each of them, interpreted and compiled on the machine in user space,
 * and in the kernel.  What is compared: the globals (scalars, counters, aggregates), all maps,
 * and the records of events.  The machine's verifier must accept each program that all passes
 * saw.
 *
 *	CASES=n SEED=n SECONDS=n    how many scripts (default 60), from where on, for how long
 */
#include "base/auto.h"
#include "ir/ir.h"
#include "kernel/proc.h"
#include "kernel/ring.h"
#include "probe/provider.h"
#include "script/compile.h"
#include "scry_vm.h"
#include "session/engine.h"
#include "types/btf.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { CASES = 60, RING_PAGES = 16, STEPS = 1 << 22, DEPTH = 4 };

/* --- scripts --- */

struct gen {
	uint64_t seed;
	struct sb *out;
	unsigned loops;		     /* around here */
	unsigned names, counters[8]; /* each loop has a variable $L<n> of its own */
};

static unsigned rnd(struct gen *g, unsigned below)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return (unsigned)((g->seed >> 20) % below);
}

static void number(struct gen *g)
{
	static const char *const EDGES[] = { "0",
					     "1",
					     "(-1)",
					     "2",
					     "7",
					     "63",
					     "255",
					     "256",
					     "32767",
					     "2147483647",
					     "(-2147483648)",
					     "4294967295",
					     "9223372036854775807" };

	if (rnd(g, 2))
		sb_puts(g->out, EDGES[rnd(g, sizeof(EDGES) / sizeof(*EDGES))]);
	else
		sb_printf(g->out, "(%d)", (int)rnd(g, 200) - 60);
}

static void text(struct gen *g)
{
	static const char *const TEXTS[] = { "\"\"", "\"a\"", "\"abc\"", "\"hello you\"",
					     "\"abcabcabcabcabcabcabc\"" };

	if (rnd(g, 2))
		sb_printf(g->out, "$s%u", rnd(g, 2));
	else
		sb_puts(g->out, TEXTS[rnd(g, 5)]);
}

static void expr(struct gen *g, unsigned depth);

static void binary(struct gen *g, const char *op, unsigned depth)
{
	sb_puts(g->out, "(");
	expr(g, depth - 1);
	sb_printf(g->out, " %s ", op);
	expr(g, depth - 1);
	sb_puts(g->out, ")");
}

static void atom(struct gen *g)
{
	switch (rnd(g, g->loops ? 6 : 5)) {
	case 0: number(g); return;
	case 1: sb_printf(g->out, "@g%u", rnd(g, 2)); return;
	case 2: sb_puts(g->out, "$t.0"); return;
	case 5: sb_printf(g->out, "$L%u", g->counters[rnd(g, g->loops)]); return;
	default: sb_printf(g->out, "$i%u", rnd(g, 4)); return;
	}
}

static void call(struct gen *g, const char *before, unsigned depth, const char *after)
{
	sb_puts(g->out, before);
	expr(g, depth - 1);
	sb_puts(g->out, after);
}

static void texts(struct gen *g, const char *before, const char *between, const char *after)
{
	sb_puts(g->out, before);
	text(g);
	sb_puts(g->out, between);
	text(g);
	sb_puts(g->out, after);
}

static void expr(struct gen *g, unsigned depth)
{
	static const char *const OPS[] = { "+",	 "-", "*", "/",	 "%",  "&",  "|",  "^",	 "<<",
					   ">>", "<", ">", "<=", ">=", "==", "!=", "&&", "||" };
	static const char *const CASTS[] = { "int8",  "uint8",	"int16", "uint16",
					     "int32", "uint32", "int64", "uint64" };

	if (!depth) {
		atom(g);
		return;
	}
	switch (rnd(g, 16)) {
	case 0: call(g, "(-", depth, ")"); return;
	case 1: call(g, "(~", depth, ")"); return;
	case 2: call(g, "(!", depth, ")"); return;
	case 3:
		sb_printf(g->out, "(%s)", CASTS[rnd(g, 8)]);
		call(g, "(", depth, ")");
		return;
	case 4:
		call(g, "(", depth, " ? ");
		expr(g, depth - 1);
		sb_puts(g->out, " : ");
		expr(g, depth - 1);
		sb_puts(g->out, ")");
		return;
	case 5: call(g, "@m[(", depth, ") & 7]"); return;
	case 6: texts(g, "strcontains(", ", ", ")"); return;
	case 7: texts(g, "(", rnd(g, 2) ? " == " : " != ", ")"); return;
	case 8: call(g, "(int64)@k[(", depth, ") & 3, \"x\"]"); return;
	case 9:
		sb_puts(g->out, "(int64)strlen(");
		text(g);
		sb_puts(g->out, ")");
		return;
	case 10: atom(g); return;
	default: binary(g, OPS[rnd(g, sizeof(OPS) / sizeof(*OPS))], depth); return;
	}
}

static void value(struct gen *g)
{
	sb_puts(g->out, "(int64)(");
	expr(g, 1 + rnd(g, DEPTH));
	sb_puts(g->out, ")");
}

static void statements(struct gen *g, unsigned n, unsigned depth);

static void block(struct gen *g, unsigned depth)
{
	sb_puts(g->out, " {\n");
	statements(g, 1 + rnd(g, 3), depth - 1);
	sb_puts(g->out, "}\n");
}

static void aggregate(struct gen *g)
{
	static const char *const AGGREGATES[] = { "count()", "sum",  "min",   "max",
						  "avg",     "hist", "stats", "lhist" };
	unsigned which = rnd(g, 8);

	if (rnd(g, 2))
		sb_printf(g->out, "@a%u = %s", which, AGGREGATES[which]);
	else {
		sb_printf(g->out, "@b%u[", which);
		value(g);
		sb_printf(g->out, " & 3] = %s", AGGREGATES[which]);
	}
	if (which) {
		sb_puts(g->out, "(");
		value(g);
		sb_puts(g->out, which == 7 ? ", 0, 100, 10)" : ")");
	}
	sb_puts(g->out, ";\n");
}

static void assign(struct gen *g)
{
	static const char *const OPS[] = {
		"=", "+=", "-=", "*=", "|=", "&=", "^=", "/=", "%="
	};

	switch (rnd(g, 4)) {
	case 0: sb_printf(g->out, "@g%u %s ", rnd(g, 2), OPS[rnd(g, 9)]); break;
	case 1:
		sb_puts(g->out, "@m[(");
		expr(g, 2);
		sb_printf(g->out, ") & 7] %s ", OPS[rnd(g, 9)]);
		break;
	case 2:
		sb_puts(g->out, "@k[(int64)(");
		expr(g, 1);
		sb_printf(g->out, ") & 3, \"x\"] %s ", OPS[rnd(g, 9)]);
		break;
	default: sb_printf(g->out, "$i%u %s ", rnd(g, 4), OPS[rnd(g, 9)]); break;
	}
	value(g);
	sb_puts(g->out, ";\n");
}

/* Only what does not depend on the order of the map. */
static void loop_over_map(struct gen *g)
{
	static const char *const MAPS[] = { "@m", "@k" };
	unsigned which = rnd(g, 2);

	sb_printf(
		g->out,
		"for ($kv : %s) { @o%u[$kv.0] = sum($kv.1); if ($kv.1 > %d) { @oc%u = count(); } "
		"$i0 += (int64)$kv.1 %s 3; }\n",
		MAPS[which], which, (int)rnd(g, 50), which, rnd(g, 2) ? "^" : "*");
}

static void loop(struct gen *g, unsigned depth)
{
	unsigned n = g->names++;

	g->counters[g->loops++] = n;

	switch (rnd(g, 3)) {
	case 0:
		sb_printf(g->out, "for ($L%u : %d..%u)", n, (int)rnd(g, 6) - 3, rnd(g, 9));
		break;
	case 1: sb_printf(g->out, "$L%u = 0; while ($L%u++ < %u)", n, n, rnd(g, 6)); break;
	default: sb_printf(g->out, "$L%u = %u; unroll(%u)", n, rnd(g, 4), 1 + rnd(g, 3)); break;
	}
	block(g, depth);
	g->loops--;
}

static void say(struct gen *g)
{
	switch (rnd(g, 3)) {
	case 0:
		texts(g, "printf(\"%d %s %s %x\\n\", $i0, ", ", ", ", ");
		value(g);
		sb_puts(g->out, ");\n");
		return;
	case 1: call(g, "print((", 2, ", $s1, $i1));\n"); return;
	default: sb_puts(g->out, "print($t);\n"); return;
	}
}

static void statement(struct gen *g, unsigned depth)
{
	switch (rnd(g, depth ? 13 : 8)) {
	case 0:
		sb_printf(g->out, "$s%u = ", rnd(g, 2));
		text(g);
		sb_puts(g->out, ";\n");
		return;
	case 1: call(g, "$t = ((int64)", 2, ", $s0);\n"); return;
	case 2: say(g); return;
	case 3: call(g, "delete(@m, (", 2, ") & 7);\n"); return;
	case 4: aggregate(g); return;
	case 8:
	case 9:
		call(g, "if (", 3, ")");
		block(g, depth);
		if (rnd(g, 2)) {
			sb_puts(g->out, "else");
			block(g, depth);
		}
		return;
	case 10:
	case 11: loop(g, depth); return;
	case 12: loop_over_map(g); return;
	default: assign(g); return;
	}
}

static void statements(struct gen *g, unsigned n, unsigned depth)
{
	while (n--)
		statement(g, depth);
}

static void script(struct gen *g)
{
	sb_puts(g->out,
		"BEGIN {\n$i0 = (int64)5; $i1 = (int64)-7; $i2 = (int64)100; $i3 = (int64)0;\n"
		"$s0 = \"abc\"; $s1 = \"hello you and all the others\"; $t = ((int64)1, $s0);\n"
		"@g0 = (int64)3; @g1 = (int64)-2; @m[1] = (int64)4; @k[(int64)2, \"x\"] = (int64)9;\n");
	statements(g, 3 + rnd(g, 8), 2);
	sb_puts(g->out, "print(($i0, $i1, $i2, $i3, $s0, $s1, $t)); }\n");
}

/* --- runs --- */

enum machine { JIT, INTERPRETER, KERNEL };
static const char *const MACHINES[] = { "JIT", "interpreter", "kernel" };

/* What a run left behind, one hash for each kind of thing; zero: none. */
struct left {
	bool ran;
	uint64_t globals, events, maps[32];
};

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

static bool take_event(void *arg, const void *data, uint32_t len)
{
	struct left *left = arg;

	left->events = mix(left->events + 1, data, len);
	return true;
}

/* In no order. */
static uint64_t map_hash(const struct loaded *l, const struct plan_kmap *m, int map,
			 unsigned ncpus)
{
	bool per_cpu =
		m->type == BPF_MAP_TYPE_PERCPU_HASH || m->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	size_t size = per_cpu ? (size_t)((m->value_size + 7) & ~7u) * ncpus : m->value_size;
	auto_free uint8_t *key = xcalloc(1, m->key_size), *value = xcalloc(1, size);
	const void *from = NULL;
	uint64_t sum = 0;

	while (!engine_map_next_key(l, map, from, key)) {
		from = key;
		if (!engine_map_lookup(l, map, key, value))
			sum += mix(mix(1, key, m->key_size), value, size);
	}
	return sum;
}

static void look(const struct loaded *l, const struct plan *plan, unsigned ncpus,
		 struct left *left)
{
	uint32_t size = plan->kmaps.data[KMAP_GLOBALS].value_size, first = 0;
	auto_free uint8_t *globals = xcalloc(1, size);

	assert_int_equal(engine_map_lookup(l, l->maps[KMAP_GLOBALS], &first, globals), 0);
	left->globals = mix(1, globals, size);
	for (size_t i = KMAP_FIRST_FREE; i < plan->kmaps.len && i < 32; i++) {
		const struct plan_kmap *m = &plan->kmaps.data[i];

		if (!m->scratch && m->key_size && l->maps[i] >= 0 &&
		    m->type != BPF_MAP_TYPE_ARRAY && m->type != BPF_MAP_TYPE_PERCPU_ARRAY)
			left->maps[i] = map_hash(l, m, l->maps[i], ncpus);
	}
}

static void run_on_machine(struct loaded *l, struct plan *plan, enum machine machine,
			   bool verify, struct left *left, struct sb *why)
{
	for (size_t i = 0; i < l->nprogs; i++) {
		struct scry_vm_input in = { .steps = STEPS,
					    .cpu = (uint32_t)sched_getcpu(),
					    .flags = machine == INTERPRETER ? SCRY_VM_INTERPRET
									    : 0 };
		struct scry_vm_verdict verdict;
		struct scry_vm_result out;

		/* Long programs with many ways may be more than it looks at. */
		if (verify && scry_vm_verify(l->vm, l->progs[i], &verdict) &&
		    !strstr(verdict.words, "too complex"))
			sb_printf(why, "the verifier: %s\n", verdict.words);
		if (scry_vm_run(l->vm, l->progs[i], &in, &out))
			sb_printf(why, "the run: %s\n", out.words);
		left->ran = true;
	}
	if (plan->uses_ring)
		engine_ring_read(l, l->maps[KMAP_RING], take_event, left);
}

static void run_in_kernel(struct loaded *l, struct plan *plan, struct left *left,
			  struct sb *why)
{
	struct ring ring;
	struct err e = { 0 };

	for (size_t i = 0; i < l->nprogs; i++) {
		if (engine_prog_run(l, l->progs[i], plan->progs.data[i].name, &e))
			sb_printf(why, "the run: %s\n", e.msg);
		left->ran = true;
	}
	if (plan->uses_ring && !ring_open(&ring, l->maps[KMAP_RING], l->ring_size)) {
		ring_read(&ring, take_event, left);
		ring_close(&ring);
	}
}

static void run(const char *text_of, size_t len, uint32_t without, enum machine machine,
		struct left *left, struct sb *why)
{
	auto_arena struct arena a = { 0 };
	struct typetab types;
	struct sources sources;
	struct script_config cfg;
	struct diags dx;
	struct probe_env env = { .arena = &a, .types = &types, .dx = &dx, .no_kernel = true };
	const struct compile_options opt = {
		.ncpus = cpus_possible(), .isa = 3, .env = &env, .without_passes = without
	};
	const struct load_options how = { .on_vm = machine != KERNEL,
					  .ring_pages = RING_PAGES };
	struct loaded l;
	struct err e = { 0 };

	*left = (struct left){ 0 };
	sources_init(&sources, &a);
	diags_init(&dx, &a, &sources);
	typetab_init(&types, &a);
	types.btf_path = "/dev/null";
	script_config_init(&cfg);
	const struct source *src = sources_add(&sources, "random", text_of, len);
	struct plan *plan = compile_script(&a, &dx, &sources, src, &cfg, &opt);
	if (plan) {
		if (load(&l, plan, &how, &dx, &e))
			sb_printf(why, "load: %s\n", e.msg);
		else if (machine == KERNEL)
			run_in_kernel(&l, plan, left, why);
		else
			run_on_machine(&l, plan, machine, !without, left, why);
		if (left->ran)
			look(&l, plan, opt.ncpus, left);
		unload(&l);
	}
	if (diag_failed(&dx)) {
		auto_free char *words = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&words, &n);

		diags_print(&dx, f, false);
		fclose(f);
		sb_write(why, words, n);
	}
	probe_env_fini(&env);
	btf_free((struct btf *)(uintptr_t)types.btf);
}

/* --- comparing --- */

/* "maps", when they are what differs; NULL when nothing does. */
static const char *difference(const struct left *a, const struct left *b)
{
	return a->globals != b->globals			   ? "what the globals hold"
	       : a->events != b->events			   ? "what was printed"
	       : memcmp(a->maps, b->maps, sizeof(a->maps)) ? "what maps hold"
							   : NULL;
}

struct tally {
	unsigned scripts, compared, in_kernel;
	bool no_kernel;
};

static void check_against(const char *script_text, size_t len, uint32_t without,
			  enum machine machine, const struct left *expected, uint64_t seed,
			  struct tally *tally)
{
	auto_sb struct sb why = { 0 };
	struct left left;

	run(script_text, len, without, machine, &left, &why);
	if (machine == KERNEL && !left.ran && strstr(sb_str(&why), "EPERM")) {
		tally->no_kernel = true;
		return;
	}
	/* The kernel looks at a million instructions and 8,192 jumps in a row. */
	if (machine == KERNEL && !left.ran &&
	    (strstr(sb_str(&why), "too large") || strstr(sb_str(&why), "too complex")))
		return;
	/* Without a pass a program may need more stack, or loops that the kernel does not
	 * follow. */
	if (without && !left.ran)
		return;
	const char *what = left.ran && !why.len ? difference(expected, &left) : "the end";
	if (what) {
		fprintf(stderr, "%s\n%s", script_text, sb_str(&why));
		fail_msg("SEED=%llu, %s, without passes 0x%x: %s differs",
			 (unsigned long long)seed, MACHINES[machine], without, what);
	}
	tally->compared++;
	tally->in_kernel += machine == KERNEL;
}

static void check_script(uint64_t seed, struct tally *tally)
{
	auto_sb struct sb out = { 0 }, why = { 0 };
	struct gen g = { .seed = seed * 0x9e3779b97f4a7c15 + 1, .out = &out };
	struct left expected;

	script(&g);
	run(sb_str(&out), out.len, 0, JIT, &expected, &why);
	/* Literals that overflow, which nobody should write. */
	if (!expected.ran && strstr(sb_str(&why), "error[E0121]"))
		return;
	if (why.len) {
		fprintf(stderr, "%s\n%s", sb_str(&out), sb_str(&why));
		fail_msg("SEED=%llu is not compiled or not run", (unsigned long long)seed);
	}
	tally->scripts++;
	check_against(sb_str(&out), out.len, 0, INTERPRETER, &expected, seed, tally);
	if (!tally->no_kernel)
		check_against(sb_str(&out), out.len, 0, KERNEL, &expected, seed, tally);
	for (unsigned i = 0; ir_passes[i].name; i++)
		check_against(sb_str(&out), out.len, 1u << i, JIT, &expected, seed, tally);
	if (!tally->no_kernel && seed % 4 == 0)
		check_against(sb_str(&out), out.len, 1u << seed % 7, KERNEL, &expected, seed,
			      tally);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Values per CPU are compared too, so all runs are on one. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static void scripts_end_alike_everywhere(void **state)
{
	(void)state;
	uint64_t first = setting("SEED", 1), seconds = setting("SECONDS", 0);
	uint64_t cases = setting("CASES", seconds ? UINT32_MAX : CASES);
	time_t end = time(NULL) + (time_t)seconds;
	struct tally tally = { 0 };

	stay_on_this_cpu();
	for (uint64_t i = 0; i < cases && (!seconds || time(NULL) < end); i++)
		check_script(first + i, &tally);
	print_message("%u scripts, %u comparisons, %u with the kernel\n", tally.scripts,
		      tally.compared, tally.in_kernel);
	assert_true(tally.compared >= 4 * tally.scripts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_end_alike_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
