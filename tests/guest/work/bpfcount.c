/*
 * bpfcount progs|maps [AT-MOST]: prints how many BPF objects the kernel holds.
 *
 * With AT-MOST it waits up to ten seconds for them to become so few: the kernel frees them
 * some time after their last owner has gone.
 */
#include "work.h"

#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long count_ids(int command)
{
	union bpf_attr attr = { 0 };
	long n = 0;

	while (!syscall(SYS_bpf, command, &attr, sizeof(attr))) {
		attr.start_id = attr.next_id;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	static const char USAGE[] = "bpfcount progs|maps [AT-MOST]";
	enum { TENTHS = 100 };
	long most = argc > 2 ? work_number(argc, argv, 2, USAGE) : -1;
	int command = BPF_PROG_GET_NEXT_ID;

	if (argc < 2)
		errx(2, "usage: %s", USAGE);
	if (!strcmp(argv[1], "maps"))
		command = BPF_MAP_GET_NEXT_ID;
	for (int i = 0; i < TENTHS && most >= 0 && count_ids(command) > most; i++)
		usleep(100000);
	printf("%ld\n", count_ids(command));
	return 0;
}
