/* grows WORDS COUNT [FIFO]: waits for a byte from FIFO; then, for each of WORDS words,
 * calls grow() with it COUNT times, which adds to it, and adds COUNT times itself.  The 16th
 * word is not aligned.  Tells when it has done so.
 */
#include "work.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

/* Its first instruction, where a uprobe is put, does nothing. */
static void __attribute__((noinline, noclone, patchable_function_entry(1)))
grow(int by, volatile long *at)
{
	if (at)
		*at += by;
}

static void wait_for(const char *fifo)
{
	int fd = open(fifo, O_RDONLY);
	char c;

	if (fd < 0 || read(fd, &c, 1) != 1)
		err(1, "%s", fifo);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char USAGE[] = "grows WORDS COUNT [FIFO]";
	static char memory[(WORDS_MAX + 1) * sizeof(long)] __attribute__((aligned(64)));
	long words = work_number(argc, argv, 1, USAGE);
	long count = work_number(argc, argv, 2, USAGE);

	if (words > WORDS_MAX)
		errx(2, "usage: %s", USAGE);
	if (argc > 3)
		wait_for(argv[3]);
	for (long w = 0; w < words; w++) {
		volatile long *at = (long *)(memory + (size_t)w * sizeof(long) +
					     (w == WORDS_MAX - 1 ? 4 : 0));

		grow(1, NULL);
		for (long i = 0; i < count; i++)
			grow(1, at);
		for (long i = 0; i < count; i++)
			*at += 1;
	}
	puts("grown");
	return 0;
}
