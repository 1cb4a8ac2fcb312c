/* reads COUNT [SIZE [COUNT SIZE]...]: COUNT reads of SIZE bytes of /dev/zero, SIZE 1 unless
 * told. */
#include "work.h"

#include <fcntl.h>
#include <unistd.h>

static const char USAGE[] = "reads COUNT [SIZE [COUNT SIZE]...]";

static void read_times(int fd, long count, long size)
{
	static char buf[1 << 20];

	if (size > (long)sizeof(buf))
		errx(2, "at most %zu bytes at once", sizeof(buf));
	while (count--)
		if (read(fd, buf, (size_t)size) != size)
			err(1, "read");
}

int main(int argc, char **argv)
{
	int fd = open("/dev/zero", O_RDONLY);

	if (fd < 0)
		err(1, "open /dev/zero");
	if (argc == 2)
		read_times(fd, work_number(argc, argv, 1, USAGE), 1);
	else
		for (int i = 1; i == 1 || i < argc; i += 2)
			read_times(fd, work_number(argc, argv, i, USAGE),
				   work_number(argc, argv, i + 1, USAGE));
	return 0;
}
