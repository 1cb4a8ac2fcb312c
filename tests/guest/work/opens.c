/* opens COUNT FILE...: opens each file COUNT times by openat; a file need not exist. */
#include "work.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "opens COUNT FILE...");

	while (count--) {
		for (int i = 2; i < argc; i++) {
			int fd = openat(AT_FDCWD, argv[i], O_RDONLY);

			if (fd >= 0)
				close(fd);
		}
	}
	return 0;
}
