/* forks COUNT: makes COUNT children, one after the other, that exit at once with status 7. */
#include "work.h"

#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "forks COUNT");

	while (count--) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(7);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
			err(1, "fork");
	}
	return 0;
}
