/*
 * beside [-1] WORD...: runs scry ($SCRY) and bpftool with these words, as text, with -j and
 * with -p (-1: as text only), and prints "same" when both print the same and both succeed or
 * fail. Else the first lines in which they differ, marked < and >.
 */
#include "work.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 8 << 20 };

/* What a program prints to standard output, with a zero behind; whether it succeeded. */
static bool output_of(char **argv, char *out)
{
	size_t n = 0;
	ssize_t got;
	int fds[2], status;

	if (pipe(fds))
		err(1, "pipe");
	pid_t pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		freopen("/dev/null", "w", stderr);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	while (n < ROOM - 1 && (got = read(fds[0], out + n, ROOM - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return !status;
}

/* One way to ask; prints a difference. */
static bool is_same(char **argv, char *a, char *b)
{
	static char SCRY[] = "scry", PEER[] = "bpftool";
	const char *scry = getenv("SCRY");
	const char *p = a, *q = b;

	argv[0] = scry ? (char *)scry : SCRY;
	bool ok = output_of(argv, a);
	argv[0] = PEER;
	if (ok == output_of(argv, b) && !strcmp(a, b))
		return true;
	while (*p && !strncmp(p, q, strcspn(p, "\n") + 1)) {
		q += strcspn(p, "\n") + 1;
		p += strcspn(p, "\n") + 1;
	}
	printf("%d< %.*s\n > %.*s\n", ok, (int)strcspn(p, "\n"), p, (int)strcspn(q, "\n"), q);
	return false;
}

int main(int argc, char **argv)
{
	static char JSON[] = "-j", PRETTY[] = "-p";
	static char *const WAYS[] = { NULL, JSON, PRETTY };
	bool text_only = argc > 1 && !strcmp(argv[1], "-1");
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	char *a = malloc(ROOM), *b = malloc(ROOM);
	int n = argc - 1 - text_only, same = 0, ways = text_only ? 1 : 3;

	memcpy(words + 1, argv + 1 + text_only, (size_t)n * sizeof(*words));
	for (int i = 0; i < ways; i++) {
		words[n + 1] = WAYS[i];
		same += is_same(words, a, b);
	}
	if (same == ways)
		puts("same");
	return same != ways;
}
