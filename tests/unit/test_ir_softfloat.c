/*
 * Integer code against the processor's own floating point: every operation on pairs of special
 * and random numbers gives the same bits.
 */
#include "ir/softfloat.h"

#include "base/auto.h"
#include "ir_eval.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint64_t quiet_nan = 0x7ff8000000000000;

static uint64_t bits_of(double f)
{
	uint64_t u;

	memcpy(&u, &f, sizeof(u));
	return isnan(f) ? quiet_nan : u;
}

static double double_of(uint64_t u)
{
	double f;

	memcpy(&f, &u, sizeof(f));
	return f;
}

/* SplitMix64. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static const uint64_t specials[] = {
	0,
	0x8000000000000000,
	1, /* the least denormal */
	0x8000000000000001,
	0x000fffffffffffff,
	0x0010000000000000,
	0x3ff0000000000000, /* 1 */
	0xbff0000000000000,
	0x3fefffffffffffff,
	0x3ff0000000000001,
	0x3fe0000000000000,
	0x4340000000000000, /* 2^53 */
	0x43e0000000000000, /* 2^63 */
	0xc3e0000000000000,
	0x43dfffffffffffff,
	0x43f0000000000000, /* 2^64 */
	0x43efffffffffffff,
	0x7fefffffffffffff,
	0xffefffffffffffff,
	0x7ff0000000000000,
	0xfff0000000000000,
	0x7ff8000000000000,
	0xfff0000000000001,
	0x7fffffffffffffff,
};
enum { NSPECIALS = sizeof(specials) / sizeof(*specials) };

/* Numbers of all sizes; or near each other, so that sums cancel; or with few bits. */
static uint64_t pick(uint64_t *state, uint64_t other)
{
	uint64_t u = next_random(state);

	switch (u % 5) {
	case 0: return specials[(u >> 8) % NSPECIALS];
	case 1: return other ^ 1ull << (u >> 58);
	case 2: return (u & 0xffff000000000000) | (next_random(state) & 0xf);
	case 3: return (u & 0x800fffffffffffff) | (uint64_t)(1023 - 60 + u % 120) << 52;
	default: return u;
	}
}

enum operation {
	ADD,
	SUB,
	MUL,
	DIV,
	EQ,
	NE,
	LT,
	LE,
	GT,
	GE,
	TO_INT,
	TO_UINT,
	FROM_INT,
	FROM_UINT,
	WIDEN,
	ORDER,
	OPERATIONS
};

static const char *const names[] = { "add",	 "sub",	      "mul",	"div",
				     "==",	 "!=",	      "<",	"<=",
				     ">",	 ">=",	      "to int", "to uint",
				     "from int", "from uint", "widen",	"order" };

static ref build_one(struct irb *b, enum operation op, ref x, ref y)
{
	switch (op) {
	case ADD: return float_add(b, x, y);
	case SUB: return float_sub(b, x, y);
	case MUL: return float_mul(b, x, y);
	case DIV: return float_div(b, x, y);
	case EQ: return float_compare(b, OP_EQ, x, y);
	case NE: return float_compare(b, OP_NE, x, y);
	case LT: return float_compare(b, OP_SLT, x, y);
	case LE: return float_compare(b, OP_SLE, x, y);
	case GT: return float_compare(b, OP_SGT, x, y);
	case GE: return float_compare(b, OP_SGE, x, y);
	case TO_INT: return float_to_int(b, x, true);
	case TO_UINT: return float_to_int(b, x, false);
	case FROM_INT: return float_from_int(b, x, true);
	case FROM_UINT: return float_from_int(b, x, false);
	case WIDEN: return float_widen(b, ir_ext(b, false, 4, x));
	default: return float_from_order(b, float_to_order(b, x));
	}
}

static uint64_t truncated(double x, bool is_signed)
{
	if (isnan(x) || (!is_signed && x <= 0))
		return 0;
	if (!is_signed)
		return x >= 0x1p64 ? UINT64_MAX : (uint64_t)x;
	return (uint64_t)(x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x);
}

static uint64_t expected(enum operation op, uint64_t ux, uint64_t uy)
{
	volatile double x = double_of(ux), y = double_of(uy);
	uint32_t low = (uint32_t)ux;
	float f;

	switch (op) {
	case ADD: return bits_of(x + y);
	case SUB: return bits_of(x - y);
	case MUL: return bits_of(x * y);
	case DIV: return bits_of(x / y);
	case EQ: return x == y;
	case NE: return x != y;
	case LT: return x < y;
	case LE: return x <= y;
	case GT: return x > y;
	case GE: return x >= y;
	case TO_INT: return truncated(x, true);
	case TO_UINT: return truncated(x, false);
	case FROM_INT: return bits_of((double)(int64_t)ux);
	case FROM_UINT: return bits_of((double)ux);
	case WIDEN: memcpy(&f, &low, sizeof(f)); return bits_of((double)f);
	default: return ux;
	}
}

/* A function that takes its operands as constants; the passes may not touch it. */
static struct fn *function_of(struct arena *a, enum operation op, ref *x, ref *y)
{
	struct fn *fn = ir_fn_new(a, "f");
	struct irb b = { .fn = fn };

	*x = ir_const(&b, 0);
	*y = ir_const(&b, 0);
	ir_ret(&b, build_one(&b, op, *x, *y));
	return fn;
}

static uint64_t run(struct fn *fn, ref rx, ref ry, uint64_t x, uint64_t y)
{
	ir_ins(fn, rx)->imm = (int64_t)x;
	ir_ins(fn, ry)->imm = (int64_t)y;

	struct eval_result r = ir_eval(fn, 1);
	assert_null(r.fault);
	return r.value;
}

static void check(enum operation op, struct fn *fn, ref rx, ref ry, uint64_t x, uint64_t y)
{
	uint64_t got = run(fn, rx, ry, x, y), want = expected(op, x, y);

	if (got != want)
		fail_msg("%016llx %s %016llx: %016llx, not %016llx", (unsigned long long)x,
			 names[op], (unsigned long long)y, (unsigned long long)got,
			 (unsigned long long)want);
}

static void test_answers_are_the_processors(void **state)
{
	uint64_t seed = 20261121;

	(void)state;
	for (int op = 0; op < OPERATIONS; op++) {
		auto_arena struct arena a = {};
		ref rx, ry;
		struct fn *fn = function_of(&a, (enum operation)op, &rx, &ry);
		uint64_t x = 0;

		for (int i = 0; i < NSPECIALS; i++)
			for (int j = 0; j < NSPECIALS; j++)
				check((enum operation)op, fn, rx, ry, specials[i], specials[j]);
		for (int i = 0; i < 20000; i++) {
			x = pick(&seed, x);
			check((enum operation)op, fn, rx, ry, x, pick(&seed, x));
		}
	}
}

static void test_passes_keep_them(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (int op = 0; op < OPERATIONS; op++) {
		for (int i = 0; i < 20; i++) {
			auto_arena struct arena a = {};
			ref rx, ry;
			struct fn *fn = function_of(&a, (enum operation)op, &rx, &ry);
			uint64_t x = pick(&seed, 1), y = pick(&seed, x);

			ir_ins(fn, rx)->imm = (int64_t)x;
			ir_ins(fn, ry)->imm = (int64_t)y;
			ir_optimize(fn, NULL, NULL);
			struct eval_result r = ir_eval(fn, 1);
			assert_int_equal(r.value, expected((enum operation)op, x, y));
		}
	}
}

static void test_order_grows(void **state)
{
	static const uint64_t ascending[] = {
		0xfff0000000000000,
		0xffefffffffffffff,
		0xbff0000000000000,
		0x8000000000000001,
		0x8000000000000000,
		0,
		1,
		0x3ff0000000000000,
		0x7fefffffffffffff,
		0x7ff0000000000000,
	};
	auto_arena struct arena a = {};
	struct fn *fn = ir_fn_new(&a, "f");
	struct irb b = { .fn = fn };
	ref x = ir_const(&b, 0);
	uint64_t last = 0;

	(void)state;
	ir_ret(&b, float_to_order(&b, x));
	for (size_t i = 0; i < sizeof(ascending) / sizeof(*ascending); i++) {
		uint64_t now = run(fn, x, x, ascending[i], ascending[i]);

		assert_true(now > last);
		last = now;
	}
	assert_true(last < UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_the_processors),
		cmocka_unit_test(test_passes_keep_them),
		cmocka_unit_test(test_order_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
