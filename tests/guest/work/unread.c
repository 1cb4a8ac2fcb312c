/* unread COUNT: passes the address of memory that is not there to the kernel, which does not
 * read it, COUNT times: madvise() of a page that was never touched. */
#include "work.h"

#include <sys/mman.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "unread COUNT");
	void *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "mmap");
	while (count--)
		if (madvise(page, 4096, MADV_DONTNEED))
			err(1, "madvise");
	return 0;
}
