#include "vm/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What the operations of the instruction table give for numbers: the truth to compare with. */
static uint64_t alu64(unsigned op, uint64_t d, uint64_t s)
{
	switch (op) {
	case BPF_ADD: return d + s;
	case BPF_SUB: return d - s;
	case BPF_MUL: return d * s;
	case BPF_DIV: return s ? d / s : 0;
	case BPF_MOD: return s ? d % s : d;
	case BPF_OR: return d | s;
	case BPF_AND: return d & s;
	case BPF_XOR: return d ^ s;
	case BPF_LSH: return d << (s & 63);
	case BPF_RSH: return d >> (s & 63);
	case BPF_ARSH: return (uint64_t)((int64_t)d >> (s & 63));
	default: return s;
	}
}

static uint32_t alu32(unsigned op, uint32_t d, uint32_t s)
{
	switch (op) {
	case BPF_LSH: return d << (s & 31);
	case BPF_RSH: return d >> (s & 31);
	case BPF_ARSH: return (uint32_t)((int32_t)d >> (s & 31));
	default: return (uint32_t)alu64(op, d, s);
	}
}

static bool compare(unsigned op, uint64_t a, uint64_t b, bool wide)
{
	int64_t sa = wide ? (int64_t)a : (int32_t)a, sb = wide ? (int64_t)b : (int32_t)b;

	if (!wide) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JNE: return a != b;
	case BPF_JSET: return a & b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JLT: return a < b;
	case BPF_JLE: return a <= b;
	case BPF_JSGT: return sa > sb;
	case BPF_JSGE: return sa >= sb;
	case BPF_JSLT: return sa < sb;
	default: return sa <= sb;
	}
}

static uint64_t seed = 88172645463325252ull;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Numbers near the edges as often as others. */
static uint64_t random_number(void)
{
	static const uint64_t EDGES[] = {
		0,	   1,	       0x7fffffff, 0x80000000, 0xffffffff,	 0x100000000u,
		INT64_MAX, 1ull << 63, UINT64_MAX, 63,	       UINT64_MAX << 31, 255
	};
	uint64_t r = next_random();

	switch (r >> 60) {
	case 0 ... 5: return EDGES[r % 12] + (r >> 20) % 5 - 2;
	case 6 ... 9: return r % 64;
	case 10 ... 12: return r & UINT32_MAX;
	default: return r >> (r % 64);
	}
}

/* A range that holds v, learned by comparisons with numbers that v stands up to. */
static struct range random_range(uint64_t v)
{
	static const unsigned OPS[] = { BPF_JGT,  BPF_JLT, BPF_JGE, BPF_JLE, BPF_JSGT,
					BPF_JSLT, BPF_JEQ, BPF_JNE, BPF_JSET };
	struct range r = range_unknown();

	for (unsigned n = next_random() % 5; n; n--) {
		unsigned op = OPS[next_random() % 9];
		bool wide = next_random() & 1;
		struct range other = range_const(random_number());

		if (!wide)
			other = range_const((uint64_t)(int64_t)(int32_t)other.umin);
		range_assume(op, &r, &other, wide, compare(op, v, other.umin, wide));
	}
	if (!(next_random() % 4)) {
		struct range mask = range_const(random_number());

		/* v is not changed by keeping at least its own bits. */
		mask = range_const(mask.umin | v);
		r = range_alu(BPF_AND, &r, &mask, true);
	}
	return next_random() % 8 ? r : range_const(v);
}

enum { ROUNDS = 300000 };

static void arithmetic_holds_every_result(void **state)
{
	(void)state;
	static const unsigned OPS[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD,  BPF_OR,
					BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_MOV };

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t a = random_number(), b = random_number();
		struct range ra = random_range(a), rb = random_range(b);
		unsigned op = OPS[next_random() % 12];
		bool wide = next_random() & 1;
		struct range r = range_alu(op, &ra, &rb, wide);
		uint64_t v = wide ? alu64(op, a, b) : alu32(op, (uint32_t)a, (uint32_t)b);

		if (!range_has(&r, v))
			fail_msg("op 0x%x wide %d: %llx, %llx gives %llx, not in %llx..%llx",
				 op, wide, (unsigned long long)a, (unsigned long long)b,
				 (unsigned long long)v, (unsigned long long)r.umin,
				 (unsigned long long)r.umax);
	}
}

static void extension_holds_every_result(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t a = random_number();
		struct range r = random_range(a);
		unsigned bits = 8u << next_random() % 3;
		struct range extended = range_sign_extend(&r, bits), low = range_low32(&r);
		int64_t v = (int64_t)(a << (64 - bits)) >> (64 - bits);

		assert_true(range_has(&r, a));
		assert_true(range_has(&extended, (uint64_t)v));
		assert_true(range_has(&low, (uint32_t)a));
	}
}

static void comparisons_keep_what_fits(void **state)
{
	(void)state;
	static const unsigned OPS[] = { BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,  BPF_JGE, BPF_JLT,
					BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t a = random_number(), b = random_number();
		struct range ra = random_range(a), rb = random_range(b);
		unsigned op = OPS[next_random() % 11];
		bool wide = next_random() & 1, holds = compare(op, a, b, wide);
		int decided = range_decide(op, &ra, &rb, wide);

		assert_true(decided < 0 || decided == holds);
		range_assume(op, &ra, &rb, wide, holds);
		if (!range_has(&ra, a) || !range_has(&rb, b))
			fail_msg("op 0x%x wide %d: %llx, %llx lost", op, wide,
				 (unsigned long long)a, (unsigned long long)b);
	}
}

static void bounds_are_learned(void **state)
{
	(void)state;
	struct range r = range_unknown(), seven = range_const(7), fifteen = range_const(15);

	range_assume(BPF_JGT, &r, &seven, true, false);
	assert_int_equal(r.umax, 7);
	assert_int_equal(r.smin, 0);
	r = range_unknown();
	r = range_alu(BPF_AND, &r, &fifteen, true);
	assert_int_equal(r.umax, 15);
	r = range_alu(BPF_LSH, &r, &(struct range){ .bits = { 2, 0 }, 2, 2, 2, 2 }, true);
	assert_int_equal(r.umax, 60);
	assert_int_equal(r.bits.mask, 0x3c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_holds_every_result),
		cmocka_unit_test(extension_holds_every_result),
		cmocka_unit_test(comparisons_keep_what_fits),
		cmocka_unit_test(bounds_are_learned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
