/* faults COUNT: touches COUNT fresh pages, under the name "faulting" so that only they count.
 */
#include "work.h"

#include <sys/mman.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	size_t count = (size_t)work_number(argc, argv, 1, "faults COUNT");
	volatile char *p = mmap(NULL, count * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise((void *)p, count * 4096, MADV_NOHUGEPAGE))
		err(1, "mmap");
	prctl(PR_SET_NAME, "faulting");
	for (size_t i = 0; i < count; i++)
		p[i * 4096] = 1;
	prctl(PR_SET_NAME, "faults");
	return 0;
}
