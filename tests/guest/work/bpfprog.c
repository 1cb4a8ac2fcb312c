/*
 * bpfprog NAME COPIES RUNS FILE: loads COPIES BPF programs NAME(skb), which return 42 and have
 * types, prints their ids on one line, waits for FILE, and then runs each of them RUNS times.
 * They stay until FILE is gone, a minute at most.
 */
#include "work.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COPIES_MAX = 8 };

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))

/* int NAME(struct __sk_buff *skb), struct __sk_buff { int len; } */
static int load_types(const char *name)
{
	static const char NAMES[] = "\0int\0__sk_buff\0len\0skb\0";
	enum { N_INT = 1, N_SK_BUFF = 5, N_LEN = 15, N_SKB = 19, N_OWN = 23 };
	struct {
		struct btf_header head;
		uint32_t types[21];
		char names[128];
	} btf = {
		.head = { .magic = BTF_MAGIC,
			  .version = BTF_VERSION,
			  .hdr_len = sizeof(btf.head),
			  .type_len = sizeof(btf.types),
			  .str_off = sizeof(btf.types),
			  .str_len = sizeof(btf.names) },
		.types = {
			/* 1 */ N_INT,
			INFO(BTF_KIND_INT, 0),
			4,
			BTF_INT_SIGNED << 24 | 32,
			/* 2 */ N_SK_BUFF,
			INFO(BTF_KIND_STRUCT, 1),
			4,
			N_LEN,
			1,
			0,
			/* 3 */ 0,
			INFO(BTF_KIND_PTR, 0),
			2,
			/* 4 */ 0,
			INFO(BTF_KIND_FUNC_PROTO, 1),
			1,
			N_SKB,
			3,
			/* 5 */ N_OWN,
			INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL),
			4,
		},
	};
	union bpf_attr attr = { .btf = (uint64_t)(uintptr_t)&btf, .btf_size = sizeof(btf) };

	memcpy(btf.names, NAMES, sizeof(NAMES) - 1);
	snprintf(btf.names + N_OWN, sizeof(btf.names) - N_OWN, "%s", name);
	return bpf(BPF_BTF_LOAD, &attr);
}

static int load(const char *name, int types)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 42 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const struct bpf_func_info info = { 0, 5 };
	static char log[4096];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uint64_t)(uintptr_t)insns,
		.insn_cnt = 2,
		.license = (uint64_t)(uintptr_t) "GPL",
		.prog_btf_fd = (uint32_t)types,
		.func_info = (uint64_t)(uintptr_t)&info,
		.func_info_rec_size = sizeof(info),
		.func_info_cnt = 1,
		.log_buf = (uint64_t)(uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd;

	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		err(1, "load %s: %s", name, log);
	return fd;
}

static uint32_t id_of(int fd)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = { .info.bpf_fd = (uint32_t)fd,
				.info.info_len = sizeof(info),
				.info.info = (uint64_t)(uintptr_t)&info };

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		err(1, "info");
	return info.id;
}

static void run(int fd)
{
	char packet[64] = "";
	union bpf_attr attr = { .test.prog_fd = (uint32_t)fd,
				.test.data_in = (uint64_t)(uintptr_t)packet,
				.test.data_size_in = sizeof(packet) };

	if (bpf(BPF_PROG_TEST_RUN, &attr) || attr.test.retval != 42)
		err(1, "run");
}

int main(int argc, char **argv)
{
	static const char USAGE[] = "bpfprog NAME COPIES RUNS FILE";
	long copies = work_number(argc, argv, 2, USAGE),
	     runs = work_number(argc, argv, 3, USAGE);
	int types = load_types(argv[1]), fds[COPIES_MAX];

	if (types < 0 || argc < 5 || copies > COPIES_MAX)
		err(2, "usage: %s", USAGE);
	for (long i = 0; i < copies; i++) {
		fds[i] = load(argv[1], types);
		printf("%s%u", i ? " " : "", id_of(fds[i]));
	}
	putchar('\n');
	fflush(stdout);
	while (access(argv[4], F_OK))
		usleep(50000);
	for (long i = 0; i < copies * runs; i++)
		run(fds[i % copies]);
	for (int i = 0; i < 60 * 20 && !access(argv[4], F_OK); i++)
		usleep(50000);
	return 0;
}
