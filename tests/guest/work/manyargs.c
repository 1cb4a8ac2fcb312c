/* manyargs COUNT: calls work_many COUNT times, with the numbers -1 to -9: three of them on the
 * stack. */
#include "work.h"

__attribute__((noipa)) long work_many(long a, long b, long c, long d, long e, long f, long g,
				      long h, long i)
{
	return a + b + c + d + e + f + g + h + i;
}

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "manyargs COUNT");

	while (count--)
		if (work_many(-1, -2, -3, -4, -5, -6, -7, -8, -9) != -45)
			return 1;
	return 0;
}
