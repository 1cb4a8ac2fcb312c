/* watched COUNT: tells where a word is, then writes it COUNT times and reads it once. */
#include "work.h"

#include <stdint.h>
#include <stdio.h>

static const char USAGE[] = "watched COUNT";
/* Initialized, so that no exec clears it. */
static volatile uint64_t word = 1;

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, USAGE);

	printf("%p\n", (void *)&word);
	for (long i = 1; i <= count; i++)
		word = (uint64_t)i;
	return word != (uint64_t)count;
}
