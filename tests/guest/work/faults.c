/* faults COUNT [FILE]: touches COUNT fresh pages, of memory or of a file, under the name
 * "faulting".
 *
 * They lie where nothing else does: from 0x100000000000 on.
 */
#include "work.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	size_t count = (size_t)work_number(argc, argv, 1, "faults COUNT [FILE]");
	int fd = argc > 2 ? open(argv[2], O_RDWR) : -1;
	volatile char *p = mmap((void *)0x100000000000, count * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | (argc > 2 ? 0 : MAP_ANONYMOUS), fd, 0);

	/* Page by page: neither large ones, nor some ahead. */
	if (p != (void *)0x100000000000 ||
	    madvise((void *)p, count * 4096, argc > 2 ? MADV_RANDOM : MADV_NOHUGEPAGE))
		err(1, "mmap");
	prctl(PR_SET_NAME, "faulting");
	for (size_t i = 0; i < count; i++)
		p[i * 4096] = 1;
	prctl(PR_SET_NAME, "faults");
	return 0;
}
