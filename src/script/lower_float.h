/*
 * lower_float.h - floating-point values in expressions: doubles as the words of their bits.
 *
 * A float of 32 bits is widened where it is read (E_WIDEN), so that all values are doubles.
 */
#ifndef SCRY_SCRIPT_LOWER_FLOAT_H
#define SCRY_SCRIPT_LOWER_FLOAT_H

#include "ir/softfloat.h"
#include "script/lower.h"

static inline bool type_is_float(const struct type *t)
{
	return t->kind == T_FLOAT;
}

/* A number of type t as a double. */
ref lower_as_double(struct unit *u, const struct type *t, ref v);
/* The same of an expression. */
ref lower_double(struct unit *u, struct expr *e);
/* An expression as a signed integer: doubles without their fraction. */
ref lower_integer(struct unit *u, struct expr *e);
/* x op y where one of them is a double; op compares or is one of + - * /. */
ref lower_float_arith(struct unit *u, enum binary_op op, const struct type *xt, ref x,
		      const struct type *yt, ref y);
/* A cast between numbers of which one is a double. */
ref lower_float_cast(struct unit *u, const struct type *to, const struct type *from, ref v);
/* Adds v to the double at p; it is read and exchanged until nobody came between. */
void lower_float_add_to(struct unit *u, ref p, ref v);

#endif
