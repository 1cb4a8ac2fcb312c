/* execs COUNT PROGRAM [ARG]...: runs a program COUNT times, one after the other. */
#include "work.h"

#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "execs COUNT PROGRAM [ARG]...");

	while (argc > 2 && count--) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			execv(argv[2], argv + 2);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			errx(1, "%s: did not end well", argv[2]);
	}
	return 0;
}
