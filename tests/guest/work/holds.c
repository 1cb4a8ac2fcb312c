/*
 * holds PATH COMMAND...: opens what is pinned at PATH and runs COMMAND with it open.
 */
#include "work.h"

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union bpf_attr attr = {};

	if (argc < 3)
		errx(2, "usage: holds PATH COMMAND...");
	attr.pathname = (uint64_t)(uintptr_t)argv[1];
	int fd = (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
	/* What bpf(2) opens is closed by exec; its copy is not. */
	if (fd < 0 || dup(fd) < 0)
		err(1, "open %s", argv[1]);
	execvp(argv[2], argv + 2);
	err(1, "run %s", argv[2]);
}
