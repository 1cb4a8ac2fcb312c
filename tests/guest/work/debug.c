/*
 * debug N: calls each function N times, for probes that read debug information.
 *
 * Built several times over, with and without optimisation, in the versions of DWARF, at fixed
 * and at any addresses; what the functions are called with is the same in all of them.  Lines
 * that tests name are numbered by #line.
 */
#include "work.h"

#include <stdio.h>

#define WHOLE	__attribute__((noipa))
#define BARRIER __asm__ volatile("" : : : "memory")

struct debug_point {
	int x;
	short y;
	char tag[6];
	unsigned low : 3, high : 5;
	const struct debug_point *next;
};

struct debug_small {
	int a, b;
};

struct debug_pair {
	long a;
	const char *b;
};

struct debug_big {
	long v[4];
};

struct debug_mixed {
	double d;
	long n;
};

enum debug_color { DEBUG_RED, DEBUG_GREEN = 5, DEBUG_BLUE = -2 };

typedef struct debug_point debug_point_t;

WHOLE long debug_words(int a, short b, unsigned char c, long d, const char *e,
		       enum debug_color f, int g, _Bool h)
{
	BARRIER;
	return a + b + c + d + (long)f + g + h + (e != NULL);
}

WHOLE long debug_structs(const debug_point_t *p, struct debug_small s, struct debug_pair q,
			 struct debug_big b, int z)
{
	BARRIER;
	return p->x + s.a + s.b + q.a + b.v[3] + z;
}

WHOLE double debug_floats(double a, int b, struct debug_mixed m, float c, __int128 d, int e)
{
	BARRIER;
	return a + b + m.d + (double)m.n + c + (double)d + e;
}

WHOLE struct debug_big debug_result(int n)
{
	BARRIER;
	return (struct debug_big){ { n, n, n, n } };
}

#line 100 "debug_lines.c"
static inline __attribute__((always_inline)) long debug_scale(long v, long by)
{
	__asm__ volatile("nop" : : "r"(v), "r"(by) : "memory");
	return v * by;
}

WHOLE long debug_twice(long n)
{
	long r = debug_scale(n, 3);

	BARRIER;
	r += debug_scale(n + 1, 4);
	return r;
}

/* Others may call it, so it has code of its own, and a copy in its caller when optimised. */
long debug_both(long n)
{
	BARRIER;
	return n << 1;
}

WHOLE long debug_caller(long n)
{
	return debug_both(n) + 1;
}

int main(int argc, char **argv)
{
	long n = work_number(argc, argv, 1, "debug N"), sum = 0;
	debug_point_t last = { .x = 70, .tag = "last" };
	debug_point_t p = { 7, -3, "first", 5, 17, &last };
	struct debug_pair q = { 21, "in a pair" };
	struct debug_mixed m = { 0.5, 31 };

	for (long i = 0; i < n; i++) {
		sum += debug_words(-1, -2, 200, 1L << 40, "text", DEBUG_BLUE, 77, 1);
		sum += debug_structs(&p, (struct debug_small){ 11, 12 }, q,
				     (struct debug_big){ { 1, 2, 3, 4 } }, 99);
		sum += (long)debug_floats(1.5, 42, m, 2.5f, 1, 43);
		sum += debug_result(5).v[1] + debug_twice(10) + debug_caller(i);
	}
	return sum == 42;
}
