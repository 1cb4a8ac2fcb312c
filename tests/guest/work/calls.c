/*
 * calls N: calls work_tick N times, with numbers from 0 and alternating texts, and as often,
 * three deep, work_outer, work_middle and work_inner; and each of the other functions once.
 */
#include "work.h"

#include <stdint.h>
#include <stdio.h>

struct work_pair {
	int first;
	long second;
	const char *text;
};

/* Variables of all sizes, for those who look from outside. */
volatile uint8_t work_byte = 200;
volatile uint32_t work_calls;
const char *volatile work_text = "a variable";

__attribute__((noipa)) long work_inner(long x)
{
	return x + 1;
}

__attribute__((noipa)) long work_middle(long x)
{
	return work_inner(x) * 2;
}

__attribute__((noipa)) long work_outer(long x)
{
	return work_middle(x) - 3;
}

__attribute__((noipa)) int work_tick(int n, const char *text, long a, long b, long c, long d)
{
	__asm__ volatile("" : : "r"(text), "r"(a), "r"(b), "r"(c), "r"(d));
	return -n;
}

__attribute__((noipa)) long work_struct(const struct work_pair *pair)
{
	return pair->second;
}

__attribute__((alias("work_tick"))) int __work_tick(int n, const char *text, long a, long b,
						    long c, long d);

/* Names as a C++ compiler gives them: work::call(int), work::call(long),
 * work::box<int>::open(). */
long work_call_int(int x) __asm__("_ZN4work4callEi");
long work_call_long(long x) __asm__("_ZN4work4callEl");
long work_box_open(void) __asm__("_ZN4work3boxIiE4openEv");

__attribute__((noipa)) long work_call_int(int x)
{
	return x + 1;
}

__attribute__((noipa)) long work_call_long(long x)
{
	return x + 2;
}

__attribute__((noipa)) long work_box_open(void)
{
	return 3;
}

int main(int argc, char **argv)
{
	long n = work_number(argc, argv, 1, "calls N");
	long sum = 0;

	for (long i = 0; i < n; i++) {
		struct work_pair pair = { (int)i, 1000 + i, "in a struct" };

		sum += work_tick((int)i, i % 2 ? "odd" : "even", -1, 1L << 40, 5, 6);
		work_calls++;
		sum += work_outer(i);
		sum += work_struct(&pair);
		sum += work_call_int((int)i) + work_call_long(i) + work_box_open();
	}
	return sum == 42;
}
