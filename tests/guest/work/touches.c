/* touches COUNT: tells where its words and a function are, then writes to words of 1, 2, 4 and
 * 8 bytes and to their neighbours COUNT times, reads each of them 2 * COUNT times, and calls
 * the function 3 * COUNT times.
 *
 * The program is not to be moved: the places are the same in each run.
 */
#include "work.h"

#include <stdint.h>
#include <stdio.h>

/* Initialized, so that no exec clears it; with 16 bytes for each word. */
static struct {
	volatile uint8_t one, beside_one[15];
	volatile uint16_t two, beside_two[7];
	volatile uint32_t four, beside_four[3];
	volatile uint64_t eight, beside_eight;
} words __attribute__((aligned(64))) = { .eight = 1 };

static void __attribute__((noinline)) called(void)
{
	__asm__ volatile("" ::: "memory");
}

static void write_all(uint8_t i)
{
	words.one = i;
	words.beside_one[0] = i;
	words.two = i;
	words.beside_two[0] = i;
	words.four = i;
	words.beside_four[0] = i;
	words.eight = i;
	words.beside_eight = i;
}

static void read_all(void)
{
	(void)words.one;
	(void)words.two;
	(void)words.four;
	(void)words.eight;
	(void)words.beside_one[0];
}

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "touches COUNT");

	printf("one=%p two=%p four=%p eight=%p called=%p\n", (void *)&words.one,
	       (void *)&words.two, (void *)&words.four, (void *)&words.eight, (void *)called);
	fflush(stdout);
	for (long i = 0; i < count; i++)
		write_all((uint8_t)i);
	for (long i = 0; i < 2 * count; i++)
		read_all();
	for (long i = 0; i < 3 * count; i++)
		called();
	return 0;
}
