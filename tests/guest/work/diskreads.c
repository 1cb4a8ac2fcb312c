/* diskreads COUNT SIZE FILE: COUNT reads of SIZE bytes past the page cache, one after the
 * other. */
#include "work.h"

#include <fcntl.h>
#include <unistd.h>

static const char USAGE[] = "diskreads COUNT SIZE FILE";

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, USAGE);
	long size = work_number(argc, argv, 2, USAGE);
	int fd = open(argc > 3 ? argv[3] : "/dev/vda", O_RDONLY | O_DIRECT);
	void *buf;

	if (fd < 0 || posix_memalign(&buf, 4096, (size_t)size))
		err(1, "open");
	for (long i = 0; i < count; i++)
		if (pread(fd, buf, (size_t)size, i * size) != size)
			err(1, "read");
	return 0;
}
