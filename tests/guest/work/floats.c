/* floats: shows work_take() known floating-point numbers in memory, one struct a call; see
 * table. */
#include "work.h"

#include <float.h>
#include <math.h>

struct reading {
	int id;
	float f;
	double d;
	float list[3];
};

static const struct reading table[] = {
	{ 0, 0.5f, 1.5, { 1.25f, -2.5f, 1e30f } },
	{ 1, -0.1f, 0.1, { 0 } },
	{ 2, -0.0f, -0.0, { 0 } },
	{ 3, INFINITY, -INFINITY, { 0 } },
	{ 4, NAN, NAN, { 0 } },
	{ 5, 0x1p-149f, 0x1p-1074, { 0 } }, /* the least denormal numbers */
	{ 6, FLT_MAX, DBL_MAX, { 0 } },
	{ 7, 16777216.0f, 9007199254740993.0, { 0 } },
};

__attribute__((noipa)) void work_take(const struct reading *r, const double *d, const float *f)
{
	asm volatile("" : : "r"(r), "r"(d), "r"(f) : "memory");
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++)
		work_take(&table[i], &table[i].d, &table[i].f);
	return 0;
}
