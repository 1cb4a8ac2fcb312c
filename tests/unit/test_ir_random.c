/*
 * Random functions give the same result before and after each pass.
 *
 * The functions are made by the builder: arithmetic, variables and buffers in slots, a map's
 * value, calls, conditions and bounded loops.  The seeds are fixed, so a failure can be had
 * again; it prints the function and the pass.
 */
#include "base/auto.h"
#include "ir/pass.h"
#include "ir_eval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
	CASES = 3000,
	STATEMENTS = 40,
	DEPTH = 3,
	VARS = 4,
	BUFS = 2,
	BUF_SIZE = 32,
	POOL = 64,
};

struct gen {
	struct irb b;
	uint64_t rng;
	ref pool[POOL]; /* values that may be used here */
	unsigned npool;
	ref var[VARS], buf[BUFS], ctx;
	unsigned var_size[VARS];
	int left; /* statements */
};

static uint32_t rnd(struct gen *g, uint32_t n)
{
	g->rng ^= g->rng << 13;
	g->rng ^= g->rng >> 7;
	g->rng ^= g->rng << 17;
	return (g->rng >> 16) % n;
}

static ref pick(struct gen *g)
{
	return g->pool[rnd(g, g->npool)];
}

static void put(struct gen *g, ref r)
{
	if (g->npool < POOL)
		g->pool[g->npool++] = r;
	else
		g->pool[rnd(g, POOL)] = r;
}

static unsigned any_size(struct gen *g)
{
	return 1u << rnd(g, 4);
}

static void gen_const(struct gen *g)
{
	static const int64_t odd[] = { 0,	  1,	     -1,	2,	   3,	7,
				       8,	  63,	     64,	255,	   256, 65535,
				       INT32_MIN, INT64_MIN, INT64_MAX, 0xffffffff };

	put(g, ir_const(&g->b, odd[rnd(g, sizeof(odd) / sizeof(*odd))]));
}

static void gen_arith(struct gen *g)
{
	enum ir_op op = OP_ADD + rnd(g, OP_SGE - OP_ADD + 1);
	ref x = pick(g), y = rnd(g, 6) ? pick(g) : x;

	if (op == OP_SEXT || op == OP_ZEXT)
		put(g, ir_ext(&g->b, op == OP_SEXT, any_size(g), x));
	else if (op == OP_BSWAP)
		put(g, ir_bswap(&g->b, 2u << rnd(g, 3), x));
	else if (op_infos[op].nargs == 1)
		put(g, ir_un(&g->b, op, x));
	else
		put(g, ir_bin(&g->b, op, x, y));
}

static void gen_var(struct gen *g)
{
	unsigned k = rnd(g, VARS);

	if (rnd(g, 2))
		put(g, ir_load(&g->b, g->var_size[k], g->var[k], 0));
	else
		ir_store(&g->b, g->var_size[k], g->var[k], 0, pick(g));
}

/* An address in a buffer with room for size bytes at *off. */
static ref gen_address(struct gen *g, unsigned size, int32_t *off)
{
	ref buf = g->buf[rnd(g, BUFS)];
	unsigned at = rnd(g, BUF_SIZE - 8) / (rnd(g, 4) ? size : 1) * size;

	*off = 0;
	if (at > BUF_SIZE - size)
		at = BUF_SIZE - size;
	switch (rnd(g, 4)) {
	case 0: {
		ref index = ir_bin(&g->b, OP_AND, pick(g), ir_const(&g->b, BUF_SIZE - 8));

		return ir_bin(&g->b, OP_ADD, buf, index);
	}
	case 1: return ir_bin(&g->b, OP_ADD, buf, ir_const(&g->b, at));
	default: *off = at; return buf;
	}
}

static void gen_buf(struct gen *g)
{
	unsigned size = any_size(g);
	int32_t off;
	ref addr = gen_address(g, size, &off);

	switch (rnd(g, 8)) {
	case 0: ir_zero(&g->b, g->buf[rnd(g, BUFS)], 0, BUF_SIZE); break;
	case 1: ir_copy(&g->b, g->buf[0], 0, g->buf[1], 0, BUF_SIZE - rnd(g, 4)); break;
	case 2:
	case 3:
	case 4: put(g, ir_load(&g->b, size, addr, off)); break;
	default: ir_store(&g->b, size, addr, off, pick(g)); break;
	}
}

static void gen_map(struct gen *g)
{
	ref val = ir_mapval(&g->b, 0, 8 * rnd(g, 4));
	int32_t off = 8 * rnd(g, 4);

	switch (rnd(g, 6)) {
	case 0: ir_atomic_add(&g->b, 8, val, off, pick(g)); break;
	case 1: put(g, ir_xchg(&g->b, 8, val, off, pick(g))); break;
	case 2: put(g, ir_cmpxchg(&g->b, 8, val, off, pick(g), pick(g))); break;
	case 3: ir_store(&g->b, any_size(g), val, off, pick(g)); break;
	default: put(g, ir_load(&g->b, any_size(g), val, off)); break;
	}
}

static void gen_lookup(struct gen *g)
{
	blkid found = ir_block(&g->b), end = ir_block(&g->b);
	ref val = ir_call(&g->b, 1, 2, ir_map(&g->b, 1), g->buf[rnd(g, BUFS)]);
	ref is_null = ir_bin(&g->b, OP_EQ, val, ir_const(&g->b, 0));

	ir_br(&g->b, is_null, end, found);
	ir_start(&g->b, found);
	ir_store(&g->b, 8, val, 8 * rnd(g, 4), pick(g));
	ir_jmp(&g->b, end);
	ir_start(&g->b, end);
}

static void gen_call(struct gen *g)
{
	switch (rnd(g, 5)) {
	case 0: put(g, ir_call(&g->b, rnd(g, 2) ? 8 : 14, 0)); break;
	case 1: gen_lookup(g); break;
	case 2: put(g, ir_call(&g->b, 200, 2, g->buf[rnd(g, BUFS)], pick(g))); break;
	case 3: put(g, ir_call(&g->b, 201, 1, pick(g))); break;
	default: put(g, ir_load(&g->b, any_size(g), g->ctx, 8 * rnd(g, 8))); break;
	}
}

static void gen_block(struct gen *g, int depth);

static void gen_if(struct gen *g, int depth)
{
	blkid yes = ir_block(&g->b), no = ir_block(&g->b), end = ir_block(&g->b);
	unsigned npool = g->npool;
	ref values[2];

	ir_br(&g->b, pick(g), yes, no);
	ir_start(&g->b, yes);
	gen_block(g, depth + 1);
	values[0] = pick(g);
	ir_jmp(&g->b, end);
	g->npool = npool;
	ir_start(&g->b, no);
	if (rnd(g, 2))
		gen_block(g, depth + 1);
	values[1] = pick(g);
	ir_jmp(&g->b, end);
	g->npool = npool;
	ir_start(&g->b, end);
	if (rnd(g, 2))
		put(g, ir_phi(&g->b, 2, values));
}

static void gen_loop(struct gen *g, int depth)
{
	blkid head = ir_block(&g->b), body = ir_block(&g->b), end = ir_block(&g->b);
	ref count = ir_slot(&g->b, 8), one = ir_const(&g->b, 1);
	unsigned npool = g->npool;

	ir_store(&g->b, 8, count, 0, ir_const(&g->b, 1 + rnd(g, 4)));
	ir_jmp(&g->b, head);
	ir_start(&g->b, head);
	ref n = ir_load(&g->b, 8, count, 0);
	ir_br(&g->b, n, body, end);
	ir_start(&g->b, body);
	put(g, n);
	gen_block(g, depth + 1);
	ir_store(&g->b, 8, count, 0, ir_bin(&g->b, OP_SUB, ir_load(&g->b, 8, count, 0), one));
	ir_jmp(&g->b, head);
	g->npool = npool;
	ir_start(&g->b, end);
}

static void gen_statement(struct gen *g, int depth)
{
	unsigned what = rnd(g, depth < DEPTH ? 24 : 20);

	if (what < 2)
		gen_const(g);
	else if (what < 8)
		gen_arith(g);
	else if (what < 12)
		gen_var(g);
	else if (what < 15)
		gen_buf(g);
	else if (what < 17)
		gen_map(g);
	else if (what < 20)
		gen_call(g);
	else if (what < 22)
		gen_if(g, depth);
	else if (what < 23)
		gen_loop(g, depth);
	else if (!rnd(g, 4))
		ir_ret(&g->b, pick(g));
}

static void gen_block(struct gen *g, int depth)
{
	for (int n = 1 + rnd(g, 10); n > 0 && g->left > 0; n--, g->left--)
		gen_statement(g, depth);
}

/* The pool starts with values that dominate everything, and none of them is an address. */
static struct fn *gen_fn(struct arena *a, uint64_t seed)
{
	struct gen g = { .rng = seed * 0x9e3779b97f4a7c15 + 1, .left = STATEMENTS };
	ref sum;

	g.b.fn = ir_fn_new(a, "random");
	g.ctx = ir_ctx(&g.b);
	for (int k = 0; k < VARS; k++) {
		g.var_size[k] = 1u << k;
		g.var[k] = ir_slot(&g.b, rnd(&g, 2) ? 8 : g.var_size[k]);
	}
	for (int k = 0; k < BUFS; k++)
		g.buf[k] = ir_slot(&g.b, BUF_SIZE);
	put(&g, ir_load(&g.b, 8, g.ctx, 0));
	put(&g, ir_load(&g.b, 4, g.ctx, 8));
	gen_const(&g);
	while (g.left > 0)
		gen_block(&g, 0);
	sum = pick(&g);
	for (int k = 0; k < VARS; k++)
		sum = ir_bin(&g.b, OP_ADD, sum, ir_load(&g.b, g.var_size[k], g.var[k], 0));
	for (int k = 0; k < BUF_SIZE; k += 8)
		sum = ir_bin(&g.b, OP_XOR, sum, ir_load(&g.b, 8, g.buf[k / 8 % 2], k));
	ir_ret(&g.b, sum);
	return g.b.fn;
}

static void check(struct fn *fn, struct arena *a, uint64_t seed, const char *pass,
		  const char *before)
{
	const char *wrong = ir_check(fn, a);
	auto_sb struct sb after = {};

	if (!wrong)
		return;
	ir_print(fn, &after);
	fail_msg("seed %lu, pass %s: %s\n%s\n%s", seed, pass, wrong, before, sb_str(&after));
}

static void compare(struct fn *fn, struct arena *a, uint64_t seed, const char *pass,
		    const char *before, const struct eval_result *want)
{
	check(fn, a, seed, pass, before);
	struct eval_result got = ir_eval(fn, seed);

	if (got.fault || got.value != want->value || got.trace != want->trace ||
	    memcmp(got.map, want->map, sizeof(got.map))) {
		auto_sb struct sb after = {};

		ir_print(fn, &after);
		fail_msg("seed %lu, pass %s: %s\n%s\n%s", seed, pass,
			 got.fault ? got.fault : "results differ", before, sb_str(&after));
	}
}

struct checking {
	struct arena *arena;
	uint64_t seed;
	const char *before;
};

static void after_pass(void *arg, const char *pass, const struct fn *fn)
{
	struct checking *c = arg;

	check((struct fn *)fn, c->arena, c->seed, pass, c->before);
}

static struct fn *reread(struct arena *a, const char *text)
{
	const char *msg = "";
	int line = 0;
	struct fn *fn = ir_parse(a, text, &msg, &line);

	if (!fn)
		fail_msg("line %d: %s\n%s", line, msg, text);
	return fn;
}

static void one_case(uint64_t seed)
{
	auto_arena struct arena a = {};
	auto_sb struct sb text = {}, again = {};
	struct fn *fn = gen_fn(&a, seed);

	ir_print(fn, &text);
	check(fn, &a, seed, "none", sb_str(&text));
	struct eval_result want = ir_eval(fn, seed);
	if (want.fault)
		fail_msg("seed %lu: %s\n%s", seed, want.fault, sb_str(&text));

	ir_print(reread(&a, sb_str(&text)), &again);
	assert_string_equal(sb_str(&text), sb_str(&again));

	for (const struct ir_pass *p = ir_passes; p->name; p++) {
		fn = reread(&a, sb_str(&text));
		cfg_prune(fn);
		p->run(fn);
		compare(fn, &a, seed, p->name, sb_str(&text), &want);
	}
	fn = reread(&a, sb_str(&text));
	struct checking c = { &a, seed, sb_str(&text) };
	ir_optimize(fn, after_pass, &c);
	compare(fn, &a, seed, "all", sb_str(&text), &want);
}

static void random_functions_keep_their_meaning(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CASES; seed++)
		one_case(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_functions_keep_their_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
