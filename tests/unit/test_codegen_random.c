/*
 * Random programs, compiled and run in the kernel, must leave the same memory behind as their
 * IR does when it is evaluated step by step; so must what each pass makes of them, on the
 * machine in user space.
 */
#include "codegen_kernel.h"

#define EVAL_MAP_SIZE VALUES_SIZE
#include "ir_eval.h"
#include "scry_vm.h"

#include <stdio.h>

enum {
	CASES = 300,
	INPUT_BYTES = 128, /* random contents at the start of the value map */
	HELPER_CPU = BPF_FUNC_get_smp_processor_id,
	ALIVE = 40, /* values that may be wanted at the same time */
};

/* --- generation --------------------------------------------------------------------------- */

struct slot {
	ref addr;
	uint32_t size;
};

struct gen {
	struct irb b;
	struct arena *arena;
	uint64_t seed;
	VEC(ref) pool; /* values that may be used here */
	struct slot slots[4];
	unsigned nslots;
	unsigned budget;    /* statements left */
	unsigned call_rate; /* of 100 statements, about how many are calls */
};

static uint32_t rnd(struct gen *g, uint32_t below)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return (g->seed >> 20) % below;
}

static int64_t rnd_const(struct gen *g)
{
	static const int64_t edges[] = { 0,	     1,		 -1,	    2,
					 7,	     8,		 63,	    64,
					 255,	     0x7fff,	 0x8000,    0x7fffffff,
					 0x80000000, 0xffffffff, INT64_MIN, INT64_MAX };

	switch (rnd(g, 3)) {
	case 0: return edges[rnd(g, sizeof(edges) / sizeof(edges[0]))];
	case 1: return (int64_t)rnd(g, 200) - 100;
	}
	return (int64_t)(g->seed * 0x9e3779b97f4a7c15);
}

static unsigned rnd_size(struct gen *g)
{
	return 1u << rnd(g, 4);
}

/* One of the youngest values in the first n of the pool: older ones die, or the stack is full.
 */
static ref pick_of(struct gen *g, size_t n)
{
	return g->pool.data[n - 1 - rnd(g, n < ALIVE ? n : ALIVE)];
}

static ref pick(struct gen *g)
{
	if (rnd(g, 4) == 0)
		return ir_const(&g->b, rnd_const(g));
	return pick_of(g, g->pool.len);
}

static void keep(struct gen *g, ref r)
{
	vec_push(g->arena, &g->pool, r);
}

static ref gen_cond(struct gen *g)
{
	if (rnd(g, 4) == 0)
		return pick(g);
	if (rnd(g, 4) == 0)
		return ir_bin(&g->b, OP_NE, ir_bin(&g->b, OP_AND, pick(g), pick(g)),
			      ir_const(&g->b, 0));

	ref c = ir_bin(&g->b, OP_EQ + rnd(g, OP_SGE - OP_EQ + 1), pick(g), pick(g));
	return rnd(g, 4) ? c : ir_bin(&g->b, OP_EQ, c, ir_const(&g->b, 0));
}

/* A place behind the inputs of the map, or in a slot, that an access of size may have. */
static ref gen_place(struct gen *g, bool in_map, unsigned size, int32_t *off)
{
	unsigned k = in_map ? g->nslots : rnd(g, g->nslots + 1);
	uint32_t bytes = k < g->nslots ? g->slots[k].size : 64;
	ref addr = k < g->nslots ? g->slots[k].addr
				 : ir_mapval(&g->b, MAP_VALUES, INPUT_BYTES + 64);

	*off = rnd(g, bytes / size) * size;
	if (rnd(g, 3) == 0) {
		addr = ir_bin(&g->b, OP_ADD, addr, ir_const(&g->b, *off));
		*off = 0;
	}
	return addr;
}

/*
 * Exchanges are done in the map only: for those on the stack, the verifier of Linux 6.18
 * forgets which earlier store a fetched number came from, and prunes branches that can be
 * taken.
 */
static void gen_access(struct gen *g)
{
	unsigned size = rnd_size(g), wide = rnd(g, 2) ? 4 : 8;
	int32_t off;

	switch (rnd(g, 8)) {
	case 0: {
		ref at = gen_place(g, true, wide, &off);
		ir_atomic_add(&g->b, wide, at, off, pick(g));
		break;
	}
	case 1: {
		ref at = gen_place(g, true, wide, &off);
		keep(g, ir_xchg(&g->b, wide, at, off, pick(g)));
		break;
	}
	case 2: {
		ref at = gen_place(g, true, wide, &off);
		ref expect = rnd(g, 2) ? ir_load(&g->b, wide, at, off) : pick(g);
		keep(g, ir_cmpxchg(&g->b, wide, at, off, expect, pick(g)));
		break;
	}
	case 3:
	case 4: {
		ref at = gen_place(g, false, size, &off);
		ir_store(&g->b, size, at, off, pick(g));
		break;
	}
	default: {
		ref at = gen_place(g, false, size, &off);
		keep(g, ir_load(&g->b, size, at, off));
	}
	}
}

static void gen_unary(struct gen *g)
{
	ref x = pick(g);

	switch (rnd(g, 5)) {
	case 0: keep(g, ir_un(&g->b, OP_NEG, x)); break;
	case 1: keep(g, ir_un(&g->b, OP_NOT, x)); break;
	case 2: keep(g, ir_bswap(&g->b, 2u << rnd(g, 3), x)); break;
	default: keep(g, ir_ext(&g->b, rnd(g, 2), rnd_size(g), x));
	}
}

/* Sometimes the result is used in a way that does not depend on it. */
static void gen_call(struct gen *g)
{
	ref r = ir_call(&g->b, HELPER_CPU, 0);

	if (rnd(g, 2))
		keep(g, ir_bin(&g->b, OP_AND, r, ir_const(&g->b, 0)));
}

static void gen_body(struct gen *g, unsigned depth);

static void gen_if(struct gen *g, unsigned depth)
{
	blkid yes = ir_block(&g->b), no = ir_block(&g->b), end = ir_block(&g->b);
	size_t visible = g->pool.len;
	ref values[3][2];

	ir_br(&g->b, gen_cond(g), yes, rnd(g, 3) ? no : end);
	bool has_else = g->b.fn->blks.data[no].preds.len > 0;
	for (unsigned k = 0; k < 3 && !has_else; k++)
		values[k][0] = pick_of(g, visible);
	for (unsigned arm = !has_else; arm < 2; arm++) {
		ir_start(&g->b, arm ? yes : no);
		gen_body(g, depth + 1);
		for (unsigned k = 0; k < 3; k++)
			values[k][arm] = pick(g);
		ir_jmp(&g->b, end);
		g->pool.len = visible;
	}
	g->b.fn->blks.data[no].dead = !has_else;
	ir_start(&g->b, end);
	for (unsigned k = 0; k < 3; k++)
		keep(g, ir_phi(&g->b, 2, values[k]));
}

/* Carries some values around, which may change places on the way. */
static void gen_loop(struct gen *g, unsigned depth)
{
	blkid head = ir_block(&g->b), body = ir_block(&g->b), end = ir_block(&g->b);
	unsigned n = 1 + rnd(g, 4);
	ref phis[5], zero = ir_const(&g->b, 0), one = ir_const(&g->b, 1);
	ref limit = ir_const(&g->b, 1 + rnd(g, 3));

	ref first[5];
	for (unsigned k = 0; k < n; k++)
		first[k] = pick(g);
	ir_jmp(&g->b, head);
	ir_start(&g->b, head);
	ref count = ir_phi(&g->b, 2, (ref[]){ zero, zero });
	for (unsigned k = 0; k < n; k++) {
		phis[k] = ir_phi(&g->b, 2, (ref[]){ first[k], first[k] });
		keep(g, phis[k]);
	}
	size_t visible = g->pool.len;
	ir_br(&g->b, ir_bin(&g->b, OP_ULT, count, limit), body, end);

	ir_start(&g->b, body);
	gen_body(g, depth + 1);
	for (unsigned k = 0; k < n; k++) {
		ref next = rnd(g, 3) ? phis[rnd(g, n)] : pick(g);
		ir_ins(g->b.fn, phis[k])->args[1] = next;
	}
	ref next = ir_bin(&g->b, OP_ADD, count, one);
	ir_ins(g->b.fn, count)->args[1] = next;
	ir_jmp(&g->b, head);
	g->pool.len = visible;
	ir_start(&g->b, end);
}

static void gen_statement(struct gen *g, unsigned depth)
{
	if (rnd(g, 100) < g->call_rate) {
		gen_call(g);
		return;
	}
	switch (rnd(g, 16)) {
	case 0:
	case 1:
		if (depth < 3)
			gen_if(g, depth);
		break;
	case 2:
		if (depth < 2)
			gen_loop(g, depth);
		break;
	case 3: keep(g, gen_cond(g)); break;
	case 4: gen_unary(g); break;
	case 5:
	case 6:
	case 7: gen_access(g); break;
	default: keep(g, ir_bin(&g->b, OP_ADD + rnd(g, OP_SAR - OP_ADD + 1), pick(g), pick(g)));
	}
}

static void gen_body(struct gen *g, unsigned depth)
{
	for (unsigned n = 1 + rnd(g, depth ? 8 : 60); n && g->budget; n--) {
		g->budget--;
		gen_statement(g, depth);
	}
}

static void gen_slots(struct gen *g)
{
	static const uint32_t sizes[] = { 8, 16, 32, 40, 200 };

	g->nslots = 1 + rnd(g, 4);
	for (unsigned k = 0; k < g->nslots; k++) {
		struct slot *s = &g->slots[k];

		s->size = sizes[rnd(g, sizeof(sizes) / sizeof(sizes[0]))];
		s->addr = ir_slot(&g->b, s->size);
		for (uint32_t off = 0; off < s->size; off += 8)
			ir_store(&g->b, 8, s->addr, off, ir_const(&g->b, rnd_const(g)));
	}
}

/* Everything that is still at hand goes to the map. */
static void gen_outputs(struct gen *g)
{
	uint32_t off = INPUT_BYTES + 128;

	for (size_t k = 0; k < g->pool.len && k < ALIVE; k++, off += 8)
		ir_store(&g->b, 8, ir_mapval(&g->b, MAP_VALUES, 0), off,
			 g->pool.data[g->pool.len - 1 - k]);
	ir_ret(&g->b, pick(g));
}

static struct fn *generate(struct arena *a, uint64_t seed)
{
	struct gen g = { .arena = a, .seed = seed * 0x9e3779b97f4a7c15 + 1 };
	unsigned ninputs;

	g.b.fn = ir_fn_new(a, "random");
	g.budget = 20 + rnd(&g, 150);
	g.call_rate = rnd(&g, 2) ? rnd(&g, 20) : 0;
	ninputs = 1 + rnd(&g, INPUT_BYTES / 8);
	gen_slots(&g);
	for (unsigned k = 0; k < ninputs; k++)
		keep(&g, ir_load(&g.b, 8, ir_mapval(&g.b, MAP_VALUES, 0), k * 8));
	while (g.budget)
		gen_body(&g, 0);
	gen_outputs(&g);
	return g.b.fn;
}

/* --- the comparison ----------------------------------------------------------------------- */

static void fill_inputs(unsigned char *map, uint64_t seed)
{
	struct gen g = { .seed = seed + 77 };

	memset(map, 0, VALUES_SIZE);
	for (unsigned off = 0; off < INPUT_BYTES; off += 8) {
		int64_t v = rnd_const(&g);

		memcpy(map + off, &v, sizeof(v));
	}
}

static void map_access(struct kernel *k, int cmd, unsigned char *value)
{
	uint32_t key = 0;
	union bpf_attr attr = { .map_fd = k->maps[MAP_VALUES],
				.key = (uintptr_t)&key,
				.value = (uintptr_t)value };

	if (sys_bpf(cmd, &attr))
		fail_msg("map: %s", strerror(errno));
}

static void dump_case(uint64_t seed, const struct fn *fn, const struct image *img)
{
	auto_sb struct sb text = { 0 };

	ir_print(fn, &text);
	list_image(img, &text);
	fprintf(stderr, "seed %llu\n%s", (unsigned long long)seed, text.s);
}

static void compare(uint64_t seed, const struct fn *fn, const struct image *img,
		    const struct eval_result *want, const unsigned char *got, uint32_t retval)
{
	bool same = retval == (uint32_t)want->value && !memcmp(want->map, got, VALUES_SIZE);

	if (!same)
		dump_case(seed, fn, img);
	assert_memory_equal(want->map, got, VALUES_SIZE);
	assert_int_equal(retval, (uint32_t)want->value);
}

/* Returns false when the verifier finds the program too complex to look through. */
static bool run_case(struct kernel *k, uint64_t seed)
{
	auto_arena struct arena a = { 0 };
	unsigned char map[VALUES_SIZE];
	struct codegen_target target = test_target;
	struct fn *fn = generate(&a, seed);
	const char *wrong = ir_check(fn, &a);
	struct image img;

	fill_inputs(map, seed);
	struct eval_result want = ir_eval_map(fn, seed, map);
	if (wrong || want.fault)
		fail_msg("seed %llu: %s", (unsigned long long)seed, wrong ?: want.fault);

	if (seed % 4 == 0)
		ir_optimize(fn, NULL, NULL);
	target.isa = seed % 2 ? k->isa : 3;
	compile_fn(&a, fn, &target, &img);
	auto_close int fd = load_image(k, &img);
	if (fd == -E2BIG)
		return false;
	map_access(k, BPF_MAP_UPDATE_ELEM, map);
	uint32_t retval = run_image(k, &img);
	map_access(k, BPF_MAP_LOOKUP_ELEM, map);
	compare(seed, fn, &img, &want, map, retval);
	return true;
}

static void random_programs_do_what_their_ir_says(void **state)
{
	const char *only = getenv("SEED"), *cases = getenv("CASES");
	uint64_t from = only ? strtoull(only, NULL, 0) : 1;
	uint64_t n = only ? 1 : cases ? strtoull(cases, NULL, 0) : CASES;
	uint64_t skipped = 0;

	need_kernel((struct kernel *)*state);
	for (uint64_t seed = from; seed < from + n; seed++)
		skipped += !run_case(*state, seed);
	assert_true(skipped <= n / 20);
}

/* --- on the machine in user space: before the passes, and after each
 * -------------------------- */

struct stages {
	uint64_t seed;
	const struct eval_result *want;
	unsigned n;
};

static void run_on_machine(const struct stages *st, const char *stage, const struct fn *fn,
			   struct image *img, unsigned flags)
{
	unsigned char map[VALUES_SIZE];
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_input in = { .flags = flags };
	struct scry_vm_result out;
	uint32_t key = 0;

	scry_vm_map_add(vm,
			&(struct scry_vm_map){ BPF_MAP_TYPE_PERCPU_ARRAY, 4, VALUES_SIZE, 1 });
	scry_vm_map_add(vm, &(struct scry_vm_map){ BPF_MAP_TYPE_ARRAY, 4, VALUES_SIZE, 1 });
	for (uint32_t r = 0; r < img->nrelocs; r++)
		img->insns[img->relocs[r].insn].imm = 1 + (int32_t)img->relocs[r].map;
	fill_inputs(map, st->seed);
	scry_vm_map_update(vm, 1 + MAP_VALUES, &key, map, BPF_ANY);
	int prog = scry_vm_load(vm, img->insns, img->ninsns, NULL);
	if (prog < 0 || scry_vm_jit(vm, prog, 0))
		fail_msg("%s: %s", stage, scry_vm_error(vm));
	if (scry_vm_run(vm, prog, &in, &out)) {
		dump_case(st->seed, fn, img);
		fail_msg("%s: %s", stage, out.words);
	}
	scry_vm_map_lookup(vm, 1 + MAP_VALUES, &key, map);
	if (memcmp(map, st->want->map, VALUES_SIZE) || out.r0 != (uint64_t)st->want->value) {
		dump_case(st->seed, fn, img);
		fail_msg("%s, by %s", stage, flags ? "interpreter" : "JIT");
	}
	scry_vm_free(vm);
}

/* Code generation changes a function, so each stage is printed and read back. */
static void check_stage(void *arg, const char *pass, const struct fn *fn)
{
	auto_arena struct arena a = { 0 };
	auto_sb struct sb text = { 0 };
	struct stages *st = arg;
	struct codegen_target target = test_target;
	struct image img;

	ir_print(fn, &text);
	struct fn *copy = parse_fn(&a, sb_str(&text));
	target.isa = st->seed % 2 ? 4 : 3;
	compile_fn(&a, copy, &target, &img);
	run_on_machine(st, pass, fn, &img, SCRY_VM_INTERPRET);
	run_on_machine(st, pass, fn, &img, 0);
	st->n++;
}

static void every_pass_keeps_what_the_ir_says(void **state)
{
	const char *only = getenv("SEED"), *cases = getenv("CASES");
	uint64_t from = only ? strtoull(only, NULL, 0) : 1000;
	uint64_t n = only ? 1 : cases ? strtoull(cases, NULL, 0) : CASES;
	unsigned stages = 0;

	(void)state;
	for (uint64_t seed = from; seed < from + n; seed++) {
		auto_arena struct arena a = { 0 };
		unsigned char map[VALUES_SIZE];
		struct fn *fn = generate(&a, seed);

		fill_inputs(map, seed);
		struct eval_result want = ir_eval_map(fn, seed, map);
		struct stages st = { seed, &want, 0 };

		check_stage(&st, "as made", fn);
		ir_optimize(fn, check_stage, &st);
		stages += st.n;
	}
	/* Some passes at least are told of. */
	assert_true(stages >= 4 * n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_programs_do_what_their_ir_says),
		cmocka_unit_test(every_pass_keeps_what_the_ir_says),
	};

	return cmocka_run_group_tests(tests, setup_kernel, teardown_kernel);
}
