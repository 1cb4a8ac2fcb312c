/*
 * pages once|twice COUNT [SECONDS]: writes to COUNT pages of memory of its own, "twice" to look
 * at each again, and keeps them for SECONDS.  It offers itself as the first victim when memory
 * runs out.
 */
#include "work.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static const char USAGE[] = "pages once|twice COUNT [SECONDS]";

static void volunteer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "1000", 4) != 4)
		err(1, "oom_score_adj");
	close(fd);
}

static void look_again(const volatile char *mem, long count)
{
	for (long i = 0; i < count; i++)
		if (mem[i * PAGE] != 1)
			errx(1, "page %ld came back wrong", i);
}

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 2, USAGE);
	char *mem = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		err(1, "mmap");
	volunteer();
	memset(mem, 1, (size_t)count * PAGE);
	if (!strcmp(argv[1], "twice"))
		look_again(mem, count);
	if (argc > 3)
		sleep((unsigned)work_number(argc, argv, 3, USAGE));
	return 0;
}
