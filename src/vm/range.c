#include "vm/range.h"

#define SIGN_BIT (1ull << 63)

/* --- bits --- */

static struct tnum tnum_of(uint64_t value, uint64_t mask)
{
	return (struct tnum){ value & ~mask, mask };
}

static struct tnum tnum_add(struct tnum a, struct tnum b)
{
	uint64_t masks = a.mask + b.mask, values = a.value + b.value;
	uint64_t carries = (masks + values) ^ values;

	return tnum_of(values, carries | a.mask | b.mask);
}

static struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	uint64_t value = a.value - b.value;
	uint64_t borrows = (value + a.mask) ^ (value - b.mask);

	return tnum_of(value, borrows | a.mask | b.mask);
}

static struct tnum tnum_and(struct tnum a, struct tnum b)
{
	uint64_t maybe_a = a.value | a.mask, maybe_b = b.value | b.mask, v = a.value & b.value;

	return (struct tnum){ v, maybe_a & maybe_b & ~v };
}

static struct tnum tnum_or(struct tnum a, struct tnum b)
{
	uint64_t v = a.value | b.value;

	return (struct tnum){ v, (a.mask | b.mask) & ~v };
}

static struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return tnum_of(a.value ^ b.value, a.mask | b.mask);
}

/* Long multiplication: an unknown bit of a adds an unknown multiple of b. */
static struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum unknown = { 0, 0 };
	uint64_t value = a.value * b.value;

	for (; a.value || a.mask; a.value >>= 1, a.mask >>= 1) {
		if (a.value & 1)
			unknown = tnum_add(unknown, tnum_of(0, b.mask));
		else if (a.mask & 1)
			unknown = tnum_add(unknown, tnum_of(0, b.value | b.mask));
		b.value <<= 1;
		b.mask <<= 1;
	}
	return tnum_add(tnum_of(value, 0), unknown);
}

/* The bits that all numbers of min ... max share. */
static struct tnum tnum_between(uint64_t min, uint64_t max)
{
	uint64_t differ = min ^ max;

	if (!differ)
		return tnum_of(min, 0);
	unsigned top = 63 - (unsigned)__builtin_clzll(differ);
	return tnum_of(min, top == 63 ? UINT64_MAX : (2ull << top) - 1);
}

/* --- making and asking --- */

struct range range_unknown(void)
{
	return (struct range){ { 0, UINT64_MAX }, 0, UINT64_MAX, INT64_MIN, INT64_MAX };
}

struct range range_const(uint64_t v)
{
	return (struct range){ { v, 0 }, v, v, (int64_t)v, (int64_t)v };
}

static uint64_t min_u(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int64_t min_s(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_s(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Lets bits, unsigned and signed bounds each learn from the others. */
static void learn(struct range *r)
{
	struct tnum t = r->bits;

	r->umin = max_u(r->umin, t.value);
	r->umax = min_u(r->umax, t.value | t.mask);
	r->smin = max_s(r->smin, (int64_t)(t.value | (t.mask & SIGN_BIT)));
	r->smax = min_s(r->smax, (int64_t)(t.value | (t.mask & ~SIGN_BIT)));
	if ((int64_t)r->umin <= (int64_t)r->umax) {
		r->smin = max_s(r->smin, (int64_t)r->umin);
		r->smax = min_s(r->smax, (int64_t)r->umax);
	}
	if ((r->smin < 0) == (r->smax < 0)) {
		r->umin = max_u(r->umin, (uint64_t)r->smin);
		r->umax = min_u(r->umax, (uint64_t)r->smax);
	}
	if (range_is_empty(r))
		return;
	struct tnum b = tnum_between(r->umin, r->umax);
	uint64_t value = t.value | b.value, mask = t.mask & b.mask;
	r->bits = tnum_of(value, mask);
}

static struct range settle(struct range r)
{
	learn(&r);
	learn(&r);
	return r;
}

struct range range_up_to(uint64_t max)
{
	struct range r = range_unknown();

	r.umax = max;
	return settle(r);
}

bool range_is_const(const struct range *r)
{
	return !r->bits.mask;
}

bool range_is_empty(const struct range *r)
{
	return r->umin > r->umax || r->smin > r->smax;
}

bool range_has(const struct range *r, uint64_t v)
{
	return v >= r->umin && v <= r->umax && (int64_t)v >= r->smin && (int64_t)v <= r->smax &&
	       (v & ~r->bits.mask) == r->bits.value;
}

bool range_within(const struct range *a, const struct range *b)
{
	return a->umin >= b->umin && a->umax <= b->umax && a->smin >= b->smin &&
	       a->smax <= b->smax && !(a->bits.mask & ~b->bits.mask) &&
	       (a->bits.value & ~b->bits.mask) == b->bits.value;
}

/* --- width --- */

struct range range_low32(const struct range *a)
{
	struct range r = range_up_to(UINT32_MAX);

	if (a->umax <= UINT32_MAX)
		return *a;
	r.bits = (struct tnum){ (uint32_t)a->bits.value, (uint32_t)a->bits.mask };
	if (a->umin >> 32 == a->umax >> 32) {
		r.umin = (uint32_t)a->umin;
		r.umax = (uint32_t)a->umax;
	}
	return settle(r);
}

struct range range_sign_extend(const struct range *a, unsigned bits)
{
	int64_t min = -(1ll << (bits - 1)), max = (1ll << (bits - 1)) - 1;
	struct range r = range_unknown();

	if (range_is_const(a)) {
		unsigned shift = 64 - bits;
		return range_const((uint64_t)((int64_t)(a->bits.value << shift) >> shift));
	}
	if (a->smin >= min && a->smax <= max)
		return *a;
	r.smin = min;
	r.smax = max;
	return settle(r);
}

/* --- arithmetic --- */

static struct range add(const struct range *a, const struct range *b)
{
	struct range r = range_unknown();
	uint64_t umin, umax;
	int64_t smin, smax;

	r.bits = tnum_add(a->bits, b->bits);
	if (!__builtin_add_overflow(a->umin, b->umin, &umin) &&
	    !__builtin_add_overflow(a->umax, b->umax, &umax)) {
		r.umin = umin;
		r.umax = umax;
	}
	if (!__builtin_add_overflow(a->smin, b->smin, &smin) &&
	    !__builtin_add_overflow(a->smax, b->smax, &smax)) {
		r.smin = smin;
		r.smax = smax;
	}
	return settle(r);
}

static struct range sub(const struct range *a, const struct range *b)
{
	struct range r = range_unknown();
	int64_t smin, smax;

	r.bits = tnum_sub(a->bits, b->bits);
	if (a->umin >= b->umax) {
		r.umin = a->umin - b->umax;
		r.umax = a->umax - b->umin;
	}
	if (!__builtin_sub_overflow(a->smin, b->smax, &smin) &&
	    !__builtin_sub_overflow(a->smax, b->smin, &smax)) {
		r.smin = smin;
		r.smax = smax;
	}
	return settle(r);
}

static struct range mul(const struct range *a, const struct range *b)
{
	struct range r = range_unknown();

	r.bits = tnum_mul(a->bits, b->bits);
	if (a->umax <= UINT32_MAX && b->umax <= UINT32_MAX) {
		r.umin = a->umin * b->umin;
		r.umax = a->umax * b->umax;
	}
	return settle(r);
}

static struct range bitwise(unsigned op, const struct range *a, const struct range *b)
{
	struct range r = range_unknown();

	if (op == BPF_AND) {
		r.bits = tnum_and(a->bits, b->bits);
		r.umax = min_u(a->umax, b->umax);
	} else if (op == BPF_OR) {
		r.bits = tnum_or(a->bits, b->bits);
		r.umin = max_u(a->umin, b->umin);
	} else {
		r.bits = tnum_xor(a->bits, b->bits);
	}
	return settle(r);
}

static struct range shift_left(const struct range *a, unsigned count)
{
	struct range r = range_unknown();

	r.bits = (struct tnum){ a->bits.value << count, a->bits.mask << count };
	if (a->umax <= UINT64_MAX >> count) {
		r.umin = a->umin << count;
		r.umax = a->umax << count;
	}
	return settle(r);
}

static struct range shift_right(const struct range *a, unsigned count)
{
	struct range r = range_unknown();

	r.bits = (struct tnum){ a->bits.value >> count, a->bits.mask >> count };
	r.umin = a->umin >> count;
	r.umax = a->umax >> count;
	return settle(r);
}

static struct range shift_signed(const struct range *a, unsigned count)
{
	struct range r = range_unknown();

	r.bits = tnum_of((uint64_t)((int64_t)a->bits.value >> count),
			 (uint64_t)((int64_t)a->bits.mask >> count));
	r.smin = a->smin >> count;
	r.smax = a->smax >> count;
	return settle(r);
}

static struct range shift(unsigned op, const struct range *a, const struct range *b, bool wide)
{
	unsigned count = (unsigned)b->umax;
	if (op == BPF_LSH)
		return shift_left(a, count);
	if (op == BPF_RSH)
		return shift_right(a, count);
	if (wide)
		return shift_signed(a, count);
	struct range extended = range_sign_extend(a, 32);
	return shift_signed(&extended, count);
}

static struct range compute(unsigned op, const struct range *a, const struct range *b,
			    bool wide)
{
	switch (op) {
	case BPF_MOV: return *b;
	case BPF_ADD: return add(a, b);
	case BPF_SUB: return sub(a, b);
	case BPF_MUL: return mul(a, b);
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR: return bitwise(op, a, b);
	case BPF_LSH:
	case BPF_RSH:
	case BPF_ARSH: return shift(op, a, b, wide);
	}
	return range_unknown();
}

/*
 * Of divisions, and of shifts by a count that is unknown or beyond the width, the kernel's
 * verifier knows nothing, not even that 32-bit ones clear the upper half; so that we accept no
 * more than it does, neither do we.
 */
static bool is_opaque(unsigned op, const struct range *b, bool wide)
{
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		return !range_is_const(b) || b->umax >= (wide ? 64 : 32);
	return op == BPF_DIV || op == BPF_MOD;
}

struct range range_alu(unsigned op, const struct range *a, const struct range *b, bool wide)
{
	if (is_opaque(op, b, wide))
		return range_unknown();
	if (wide)
		return compute(op, a, b, true);

	struct range low_a = range_low32(a), low_b = range_low32(b);
	struct range r = compute(op, &low_a, &low_b, false);
	return range_low32(&r);
}

/* --- comparisons --- */

static bool is_signed_test(unsigned op)
{
	return op == BPF_JSGT || op == BPF_JSGE || op == BPF_JSLT || op == BPF_JSLE;
}

static int decide_unsigned(uint64_t amin, uint64_t amax, uint64_t bmin, uint64_t bmax,
			   bool strict)
{
	/* a > b, or a >= b */
	if (strict ? amin > bmax : amin >= bmax)
		return 1;
	return (strict ? amax <= bmin : amax < bmin) ? 0 : -1;
}

static int decide_signed(int64_t amin, int64_t amax, int64_t bmin, int64_t bmax, bool strict)
{
	if (strict ? amin > bmax : amin >= bmax)
		return 1;
	return (strict ? amax <= bmin : amax < bmin) ? 0 : -1;
}

static bool are_apart(const struct range *a, const struct range *b)
{
	uint64_t known = ~a->bits.mask & ~b->bits.mask;

	return a->umin > b->umax || b->umin > a->umax || a->smin > b->smax ||
	       b->smin > a->smax || (a->bits.value & known) != (b->bits.value & known);
}

static int decide_equal(const struct range *a, const struct range *b)
{
	if (range_is_const(a) && range_is_const(b))
		return a->bits.value == b->bits.value;
	return are_apart(a, b) ? 0 : -1;
}

/* Only beside a constant: what the kernel's verifier leaves open is open here, too. */
static int decide_common_bit(const struct range *a, const struct range *b)
{
	if (!range_is_const(a) && !range_is_const(b))
		return -1;
	if (a->bits.value & b->bits.value)
		return 1;
	return (a->bits.value | a->bits.mask) & (b->bits.value | b->bits.mask) ? -1 : 0;
}

int range_decide(unsigned op, const struct range *a, const struct range *b, bool wide)
{
	struct range x = *a, y = *b;

	if (!wide) {
		x = range_low32(a);
		y = range_low32(b);
		if (is_signed_test(op)) {
			x = range_sign_extend(&x, 32);
			y = range_sign_extend(&y, 32);
		}
	}
	switch (op) {
	case BPF_JEQ: return decide_equal(&x, &y);
	case BPF_JNE: {
		int equal = decide_equal(&x, &y);
		return equal < 0 ? equal : !equal;
	}
	case BPF_JSET: return decide_common_bit(&x, &y);
	case BPF_JGT: return decide_unsigned(x.umin, x.umax, y.umin, y.umax, true);
	case BPF_JGE: return decide_unsigned(x.umin, x.umax, y.umin, y.umax, false);
	case BPF_JLT: return decide_unsigned(y.umin, y.umax, x.umin, x.umax, true);
	case BPF_JLE: return decide_unsigned(y.umin, y.umax, x.umin, x.umax, false);
	case BPF_JSGT: return decide_signed(x.smin, x.smax, y.smin, y.smax, true);
	case BPF_JSGE: return decide_signed(x.smin, x.smax, y.smin, y.smax, false);
	case BPF_JSLT: return decide_signed(y.smin, y.smax, x.smin, x.smax, true);
	case BPF_JSLE: return decide_signed(y.smin, y.smax, x.smin, x.smax, false);
	}
	return -1;
}

/* a > b, or a >= b */
static void assume_above(struct range *a, struct range *b, bool strict)
{
	a->umin = max_u(a->umin, b->umin + (strict && b->umin < UINT64_MAX));
	b->umax = min_u(b->umax, a->umax - (strict && a->umax > 0));
}

static void assume_above_signed(struct range *a, struct range *b, bool strict)
{
	a->smin = max_s(a->smin, b->smin + (strict && b->smin < INT64_MAX));
	b->smax = min_s(b->smax, a->smax - (strict && a->smax > INT64_MIN));
}

static void assume_equal(struct range *a, struct range *b)
{
	struct range r = { .umin = max_u(a->umin, b->umin),
			   .umax = min_u(a->umax, b->umax),
			   .smin = max_s(a->smin, b->smin),
			   .smax = min_s(a->smax, b->smax) };

	r.bits = tnum_of(a->bits.value | b->bits.value, a->bits.mask & b->bits.mask);
	*a = *b = r;
}

/* Takes one value off the ends. */
static void assume_not(struct range *a, const struct range *b)
{
	if (!range_is_const(b))
		return;
	uint64_t v = b->bits.value;
	a->umin += a->umin == v && v < UINT64_MAX;
	a->umax -= a->umax == v && v > 0;
	a->smin += a->smin == (int64_t)v && (int64_t)v < INT64_MAX;
	a->smax -= a->smax == (int64_t)v && (int64_t)v > INT64_MIN;
}

static void assume_no_bit(struct range *a, const struct range *b)
{
	a->bits =
		(struct tnum){ a->bits.value & ~b->bits.value, a->bits.mask & ~b->bits.value };
}

static unsigned opposite(unsigned op)
{
	switch (op) {
	case BPF_JEQ: return BPF_JNE;
	case BPF_JNE: return BPF_JEQ;
	case BPF_JGT: return BPF_JLE;
	case BPF_JGE: return BPF_JLT;
	case BPF_JLT: return BPF_JGE;
	case BPF_JLE: return BPF_JGT;
	case BPF_JSGT: return BPF_JSLE;
	case BPF_JSGE: return BPF_JSLT;
	case BPF_JSLT: return BPF_JSGE;
	default: return BPF_JSGT;
	}
}

/* May 64-bit bounds learn from a comparison of the low halves? */
static bool halves_are_all(unsigned op, const struct range *a, const struct range *b)
{
	uint64_t max = is_signed_test(op) ? INT32_MAX : UINT32_MAX;

	return a->umax <= max && b->umax <= max;
}

static void assume(unsigned op, struct range *a, struct range *b)
{
	switch (op) {
	case BPF_JEQ: assume_equal(a, b); break;
	case BPF_JNE:
		assume_not(a, b);
		assume_not(b, a);
		break;
	case BPF_JGT: assume_above(a, b, true); break;
	case BPF_JGE: assume_above(a, b, false); break;
	case BPF_JLT: assume_above(b, a, true); break;
	case BPF_JLE: assume_above(b, a, false); break;
	case BPF_JSGT: assume_above_signed(a, b, true); break;
	case BPF_JSGE: assume_above_signed(a, b, false); break;
	case BPF_JSLT: assume_above_signed(b, a, true); break;
	case BPF_JSLE: assume_above_signed(b, a, false); break;
	}
}

void range_assume(unsigned op, struct range *a, struct range *b, bool wide, bool holds)
{
	struct range low;

	if (!wide) {
		/* An immediate is compared by its low half, whatever its sign. */
		low = range_low32(b);
		if (range_is_const(b))
			b = &low;
		if (!halves_are_all(op, a, b))
			return;
	}
	if (op == BPF_JSET) {
		if (!holds && range_is_const(b))
			assume_no_bit(a, b);
	} else {
		assume(holds ? op : opposite(op), a, b);
	}
	*a = settle(*a);
	*b = settle(*b);
}
