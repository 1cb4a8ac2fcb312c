/* writes COUNT SIZE: COUNT writes of SIZE bytes to /dev/null. */
#include "work.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buf[1 << 20];
	long count = work_number(argc, argv, 1, "writes COUNT SIZE");
	long size = work_number(argc, argv, 2, "writes COUNT SIZE");
	int fd = open("/dev/null", O_WRONLY);

	if (fd < 0 || size > (long)sizeof(buf))
		err(1, "writes");
	while (count--)
		if (write(fd, buf, (size_t)size) != size)
			err(1, "write");
	return 0;
}
