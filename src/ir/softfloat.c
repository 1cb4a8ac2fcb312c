#include "ir/softfloat.h"

enum {
	FRACTION = 52,	/* bits of it */
	EXP_MAX = 2047, /* of infinities and NaNs */
	BIAS = 1023,
	SIGN = 63,
};

#define INFINITY_BITS  (0x7ffll << FRACTION)
#define QUIET_NAN      (0x7ff8ll << 48)
#define MAGNITUDE_BITS INT64_MAX

/* Words in short: the code below is formulas. */
static ref k(struct irb *b, int64_t v)
{
	return ir_const(b, v);
}

static ref add(struct irb *b, ref x, ref y)
{
	return ir_bin(b, OP_ADD, x, y);
}

static ref sub(struct irb *b, ref x, ref y)
{
	return ir_bin(b, OP_SUB, x, y);
}

static ref and (struct irb * b, ref x, ref y)
{
	return ir_bin(b, OP_AND, x, y);
}

static ref or (struct irb * b, ref x, ref y)
{
	return ir_bin(b, OP_OR, x, y);
}

static ref xor (struct irb * b, ref x, ref y) { return ir_bin(b, OP_XOR, x, y); }

	static ref shl(struct irb *b, ref x, ref n)
{
	return ir_bin(b, OP_SHL, x, n);
}

static ref shr(struct irb *b, ref x, ref n)
{
	return ir_bin(b, OP_SHR, x, n);
}

/*
 * ~0 for a word with its highest bit set, else 0.  Linux 6.18 looks at what is known to be one
 * of the two as at a branch, and goes through all combinations; bytes swapped, it is the same,
 * and not known.
 */
static ref mask_of_sign(struct irb *b, ref x)
{
	return ir_bswap(b, 8, ir_bin(b, OP_SAR, x, k(b, SIGN)));
}

/* ~0 when x < y, else 0; their difference fits int64. */
static ref mask_less(struct irb *b, ref x, ref y)
{
	return mask_of_sign(b, sub(b, x, y));
}

/* ~0 for a word that is not 0. */
static ref mask_some(struct irb *b, ref x)
{
	return mask_of_sign(b, or (b, x, ir_un(b, OP_NEG, x)));
}

static ref select_by(struct irb *b, ref mask, ref yes, ref no)
{
	return xor(b, no, and(b, mask, xor(b, yes, no)));
}

static ref at_most(struct irb *b, ref x, ref max)
{
	return select_by(b, mask_less(b, max, x), max, x);
}

static ref at_least(struct irb *b, ref x, ref min)
{
	return select_by(b, mask_less(b, x, min), min, x);
}

static ref magnitude(struct irb *b, ref x)
{
	return and(b, x, k(b, MAGNITUDE_BITS));
}

static ref sign_bit(struct irb *b, ref x)
{
	return and(b, x, k(b, INT64_MIN));
}

/* The bits of x >> n, n from 0 to 63, and whether some that were lost were 1, as the lowest. */
static ref shift_sticky(struct irb *b, ref x, ref n)
{
	ref kept = shr(b, x, n);
	ref lost = xor(b, x, shl(b, kept, n));

	return or (b, kept, and(b, mask_some(b, lost), k(b, 1)));
}

/* x << *n, so that the highest bit is set; 0 stays 0. */
static ref normalize(struct irb *b, ref x, ref *n)
{
	*n = k(b, 0);
	for (int step = 32; step; step /= 2) {
		/* 0 when one of the highest step bits is set, else step */
		ref high = shr(b, x, k(b, 64 - step));
		ref by = and(b, ir_un(b, OP_NOT, mask_some(b, high)), k(b, step));

		x = shl(b, x, by);
		*n = add(b, *n, by);
	}
	return x;
}

/* A number taken apart: significand * 2^(exp - BIAS - 63), its highest bit set unless it is 0.
 */
struct parts {
	ref magnitude, exp, sig;
};

/* The exponent as it counts, that of denormal numbers too, and the significand with its 1. */
static struct parts take_apart(struct irb *b, ref x)
{
	struct parts p = { .magnitude = magnitude(b, x) };
	ref exp = shr(b, p.magnitude, k(b, FRACTION));
	ref normal = mask_some(b, exp);
	ref one = and(b, normal, k(b, 1ll << FRACTION));

	p.exp = sub(b, exp, sub(b, k(b, -1), normal)); /* normal: exp - 0; else exp + 1 */
	p.sig = or (b, and(b, p.magnitude, k(b, (1ll << FRACTION) - 1)), one);
	return p;
}

static struct parts take_normalized(struct irb *b, ref x)
{
	enum { ABOVE = SIGN - FRACTION };
	struct parts p = take_apart(b, x);
	ref n;

	p.sig = normalize(b, p.sig, &n);
	p.exp = sub(b, p.exp, sub(b, n, k(b, ABOVE)));
	return p;
}

/*
 * The magnitude of sig * 2^(exp - BIAS - 63), rounded; sig has its highest bit set, or is 0.
 * Its lowest bit stands for all that were lost.
 */
static ref put_together(struct irb *b, ref exp, ref sig)
{
	enum { BELOW = SIGN - FRACTION };
	ref some = mask_some(b, sig);

	exp = at_most(b, exp, k(b, EXP_MAX));
	ref denormal = at_most(b, sub(b, at_least(b, exp, k(b, 1)), exp), k(b, SIGN));
	sig = shift_sticky(b, sig, denormal);
	exp = at_least(b, exp, k(b, 1));

	ref whole = shr(b, sig, k(b, BELOW));
	ref rest = and(b, sig, k(b, (1 << BELOW) - 1));
	/* One more when the rest is over a half, or is a half and the number odd. */
	rest = add(b, rest, add(b, k(b, (1 << (BELOW - 1)) - 1), and(b, whole, k(b, 1))));
	whole = add(b, whole, shr(b, rest, k(b, BELOW)));
	ref bits = add(b, shl(b, sub(b, exp, k(b, 1)), k(b, FRACTION)), whole);
	return and(b, some, at_most(b, bits, k(b, INFINITY_BITS)));
}

static ref mask_nan(struct irb *b, ref mag)
{
	return mask_less(b, k(b, INFINITY_BITS), mag);
}

ref float_is_nan(struct irb *b, ref x)
{
	return and(b, mask_nan(b, magnitude(b, x)), k(b, 1));
}

ref float_neg(struct irb *b, ref x)
{
	return xor(b, x, k(b, INT64_MIN));
}

/* x + y where x is infinite or no number; y is smaller. */
static ref add_special(struct irb *b, ref x, ref mx, ref my, ref differ)
{
	ref y_infinite = mask_less(b, k(b, INFINITY_BITS - 1), my);
	ref nan = or (b, mask_nan(b, mx), and(b, y_infinite, differ));

	return select_by(b, nan, k(b, QUIET_NAN), x);
}

ref float_add(struct irb *b, ref x, ref y)
{
	enum { ROOM = 9 }; /* bits below the smaller number's; one above for the carry */
	ref swap = mask_less(b, magnitude(b, x), magnitude(b, y));
	ref both = and(b, xor(b, x, y), swap);

	x = xor(b, x, both);
	y = xor(b, y, both);
	struct parts px = take_apart(b, x), py = take_apart(b, y);
	ref differ = mask_of_sign(b, xor(b, x, y));
	ref far = at_most(b, sub(b, px.exp, py.exp), k(b, SIGN));
	ref small = shift_sticky(b, shl(b, py.sig, k(b, ROOM)), far);
	ref sum = add(b, shl(b, px.sig, k(b, ROOM)),
		      sub(b, xor(b, small, differ), differ)); /* -small where they differ */
	ref n;

	sum = normalize(b, sum, &n);
	ref exp = sub(b, add(b, px.exp, k(b, SIGN - FRACTION - ROOM)), n);
	/* Exactly 0: negative only when both are. */
	ref sign = sign_bit(b, select_by(b, mask_some(b, sum), x, and(b, x, y)));
	ref result = or (b, put_together(b, exp, sum), sign);
	ref special = mask_less(b, k(b, INFINITY_BITS - 1), px.magnitude);
	return select_by(b, special, add_special(b, x, px.magnitude, py.magnitude, differ),
			 result);
}

ref float_sub(struct irb *b, ref x, ref y)
{
	return float_add(b, x, float_neg(b, y));
}

/* The upper 64 bits of the product, the lowest one set when something was below. */
static ref multiply_high(struct irb *b, ref x, ref y)
{
	ref half = k(b, 32);
	ref xl = ir_ext(b, false, 4, x), xh = shr(b, x, half);
	ref yl = ir_ext(b, false, 4, y), yh = shr(b, y, half);
	ref low = ir_bin(b, OP_MUL, xl, yl);
	ref cross = add(b, ir_bin(b, OP_MUL, xh, yl), shr(b, low, half));
	ref other = add(b, ir_bin(b, OP_MUL, xl, yh), ir_ext(b, false, 4, cross));
	ref high = add(b, ir_bin(b, OP_MUL, xh, yh),
		       add(b, shr(b, cross, half), shr(b, other, half)));
	ref below = or (b, shl(b, other, half), ir_ext(b, false, 4, low));

	return or (b, high, and(b, mask_some(b, below), k(b, 1)));
}

/* The result of mul and div but for what is infinite or no number. */
static ref with_special(struct irb *b, ref result, ref infinite, ref nan, ref sign)
{
	result = select_by(b, infinite, k(b, INFINITY_BITS), result);
	return select_by(b, nan, k(b, QUIET_NAN), or (b, result, sign));
}

ref float_mul(struct irb *b, ref x, ref y)
{
	struct parts px = take_normalized(b, x), py = take_normalized(b, y);
	ref sign = sign_bit(b, xor(b, x, y));
	ref high = multiply_high(b, px.sig, py.sig);
	ref top = shr(b, high, k(b, SIGN));
	ref exp = add(b, sub(b, add(b, px.exp, py.exp), k(b, BIAS)), top);
	ref result = put_together(b, exp, shl(b, high, xor(b, top, k(b, 1))));
	ref last = k(b, INFINITY_BITS - 1);
	ref infinite =
		or (b, mask_less(b, last, px.magnitude), mask_less(b, last, py.magnitude));
	ref zero = ir_un(b, OP_NOT,
			 and(b, mask_some(b, px.magnitude), mask_some(b, py.magnitude)));
	ref nan = or (b, or (b, mask_nan(b, px.magnitude), mask_nan(b, py.magnitude)),
		      and(b, infinite, zero));

	return with_special(b, result, infinite, nan, sign);
}

/* x / y of two significands of 53 bits, x >= y: 56 bits, and whether there was a rest. */
static ref divide_sigs(struct irb *b, ref x, ref y)
{
	enum { DIGIT = 11, DIGITS = 5, UP = SIGN - DIGIT * DIGITS };
	ref rest = sub(b, x, y), q = k(b, 1);

	for (int i = 0; i < DIGITS; i++) {
		rest = shl(b, rest, k(b, DIGIT));
		ref digit = ir_bin(b, OP_UDIV, rest, y);

		q = or (b, shl(b, q, k(b, DIGIT)), digit);
		rest = sub(b, rest, ir_bin(b, OP_MUL, digit, y));
	}
	return or (b, shl(b, q, k(b, UP)), and(b, mask_some(b, rest), k(b, 1)));
}

ref float_div(struct irb *b, ref x, ref y)
{
	struct parts px = take_normalized(b, x), py = take_normalized(b, y);
	ref below = k(b, SIGN - FRACTION);
	ref sx = shr(b, px.sig, below), sy = shr(b, py.sig, below);
	ref less = mask_less(b, sx, sy), sign = sign_bit(b, xor(b, x, y));

	sx = shl(b, sx, and(b, less, k(b, 1)));
	ref exp = add(b, sub(b, add(b, px.exp, k(b, BIAS)), py.exp), less);
	ref x_some = mask_some(b, px.magnitude), y_some = mask_some(b, py.magnitude);
	ref last = k(b, INFINITY_BITS - 1);
	ref x_inf = mask_less(b, last, px.magnitude), y_inf = mask_less(b, last, py.magnitude);
	ref result = put_together(b, exp, divide_sigs(b, sx, sy));

	result = and(b, result, and(b, x_some, ir_un(b, OP_NOT, y_inf)));
	ref nan = or (b, or (b, mask_nan(b, px.magnitude), mask_nan(b, py.magnitude)),
		      or (b, and(b, x_inf, y_inf), ir_un(b, OP_NOT, or (b, x_some, y_some))));
	return with_special(b, result, or (b, x_inf, ir_un(b, OP_NOT, y_some)), nan, sign);
}

/* Both zeros are 0, negative numbers below: in the order of the numbers, signed. */
static ref signed_order(struct irb *b, ref x)
{
	ref negative = mask_of_sign(b, x);

	return sub(b, xor(b, magnitude(b, x), negative), negative);
}

ref float_compare(struct irb *b, enum ir_op op, ref x, ref y)
{
	ref numbers = ir_un(b, OP_NOT,
			    or (b, mask_nan(b, magnitude(b, x)), mask_nan(b, magnitude(b, y))));
	enum ir_op asked = op == OP_NE ? OP_EQ : op;
	ref is = and(b, ir_bin(b, asked, signed_order(b, x), signed_order(b, y)), numbers);

	return op == OP_NE ? xor(b, is, k(b, 1)) : is;
}

ref float_from_int(struct irb *b, ref v, bool is_signed)
{
	ref negative = is_signed ? mask_of_sign(b, v) : k(b, 0);
	ref n, sig = normalize(b, sub(b, xor(b, v, negative), negative), &n);

	return or
	       (b, put_together(b, sub(b, k(b, BIAS + SIGN), n), sig), sign_bit(b, negative));
}

ref float_to_int(struct irb *b, ref x, bool is_signed)
{
	struct parts p = take_apart(b, x);
	ref negative = mask_of_sign(b, x);
	ref sig = shl(b, p.sig, k(b, SIGN - FRACTION));
	ref right = sub(b, k(b, BIAS + SIGN), p.exp); /* < 0: beyond 2^64 */
	ref part = mask_less(b, k(b, SIGN), right);   /* less than 1 */
	ref beyond = mask_less(b, right, k(b, is_signed ? 1 : 0));
	ref v = and(b, shr(b, sig, right), ir_un(b, OP_NOT, part));

	v = select_by(b, beyond, k(b, is_signed ? INT64_MAX : -1), v);
	if (is_signed) /* ~INT64_MAX is INT64_MIN */
		v = select_by(b, negative,
			      select_by(b, beyond, k(b, INT64_MIN), ir_un(b, OP_NEG, v)), v);
	else
		v = and(b, v, ir_un(b, OP_NOT, negative));
	return and(b, v, ir_un(b, OP_NOT, mask_nan(b, p.magnitude)));
}

ref float_widen(struct irb *b, ref x)
{
	enum { FRACTION32 = 23, BIAS32 = 127, EXP_MAX32 = 255, SIGN32 = 31 };
	ref mag = and(b, x, k(b, INT32_MAX)),
	    sign = shl(b, shr(b, x, k(b, SIGN32)), k(b, SIGN));
	ref exp = shr(b, mag, k(b, FRACTION32));
	ref bits = shl(b, mag, k(b, FRACTION - FRACTION32));
	ref normal = add(b, bits, k(b, (int64_t)(BIAS - BIAS32) << FRACTION));
	/* A denormal number is its fraction times 2^-149. */
	ref small = float_from_int(b, mag, false);
	small = sub(b, small,
		    and(b, mask_some(b, mag),
			k(b, (int64_t)(BIAS32 - 1 + FRACTION32) << FRACTION)));
	ref special = mask_less(b, k(b, EXP_MAX32 - 1), exp);
	ref result = select_by(b, mask_some(b, exp), normal, small);

	result = select_by(b, special, or (b, bits, k(b, INFINITY_BITS)), result);
	result = select_by(b, mask_nan(b, result), k(b, QUIET_NAN), result);
	return or (b, result, and(b, sign, ir_un(b, OP_NOT, mask_nan(b, result))));
}

ref float_to_order(struct irb *b, ref x)
{
	return xor(b, x, or (b, mask_of_sign(b, x), k(b, INT64_MIN)));
}

ref float_from_order(struct irb *b, ref v)
{
	return xor(b, v, or (b, ir_un(b, OP_NOT, mask_of_sign(b, v)), k(b, INT64_MIN)));
}
