/*
 * links KIND PATH: attaches a BPF program that does nothing, as a link of that kind, and pins
 * the link at PATH.  Links of devices are made on lo: give the command a network of its own.
 */
#include "work.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the headers of Linux 6.1 do not have yet. */
enum { ATTACH_TCX_INGRESS = 46, ATTACH_UPROBE_MULTI = 48, LO = 1 };

/* union bpf_attr of BPF_LINK_CREATE, as of Linux 6.6. */
struct create {
	uint32_t prog, target, attach_type, flags;
	uint64_t a, b, c,
		d; /* uprobe_multi: path, offsets, counters, cookies; perf: a cookie */
	uint32_t count, more_flags, pid, pad;
};

static int bpf(int command, void *attr, size_t size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

static int load(uint32_t type, uint32_t attach_type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = attach_type,
		.insns = (uint64_t)(uintptr_t)insns,
		.insn_cnt = 2,
		.license = (uint64_t)(uintptr_t) "GPL",
	};
	int fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0)
		err(1, "load");
	return fd;
}

static int link_to(struct create c)
{
	return bpf(BPF_LINK_CREATE, &c, sizeof(c));
}

static int raw_tracepoint(void)
{
	union bpf_attr attr = { .raw_tracepoint.name = (uint64_t)(uintptr_t) "task_rename" };

	attr.raw_tracepoint.prog_fd = (uint32_t)load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
}

static unsigned number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned n;

	if (!f || fscanf(f, "%u", &n) != 1)
		err(1, "%s", path);
	fclose(f);
	return n;
}

/* Events of this process alone. */
static int perf(uint32_t prog_type, struct perf_event_attr attr)
{
	attr.size = sizeof(attr);
	long event =
		syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (event < 0)
		err(1, "perf_event_open");
	return link_to((struct create){ .prog = (uint32_t)load(prog_type, 0),
					.target = (uint32_t)event,
					.attach_type = BPF_PERF_EVENT,
					.a = 77 });
}

static int tracepoint(void)
{
	return perf(BPF_PROG_TYPE_TRACEPOINT,
		    (struct perf_event_attr){
			    .type = PERF_TYPE_TRACEPOINT,
			    .config = number_in(
				    "/sys/kernel/tracing/events/task/task_rename/id") });
}

static int event(void)
{
	return perf(BPF_PROG_TYPE_PERF_EVENT,
		    (struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE,
					      .config = PERF_COUNT_SW_PAGE_FAULTS,
					      .sample_period = 1000000000 });
}

static int uprobe(void)
{
	return perf(BPF_PROG_TYPE_KPROBE,
		    (struct perf_event_attr){
			    .type = number_in("/sys/bus/event_source/devices/uprobe/type"),
			    .config1 = (uint64_t)(uintptr_t) "work/calls",
			    .config2 = 0x1000 });
}

static int uprobe_multi(void)
{
	static const uint64_t offsets[] = { 0x1000, 0x1004 }, cookies[] = { 5, 6 };

	return link_to((struct create){
		.prog = (uint32_t)load(BPF_PROG_TYPE_KPROBE, ATTACH_UPROBE_MULTI),
		.attach_type = ATTACH_UPROBE_MULTI,
		.a = (uint64_t)(uintptr_t) "work/calls",
		.b = (uint64_t)(uintptr_t)offsets,
		.d = (uint64_t)(uintptr_t)cookies,
		.count = 2,
		.pid = (uint32_t)getpid() });
}

static int netns(void)
{
	return link_to(
		(struct create){ .prog = (uint32_t)load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP),
				 .target = (uint32_t)open("/proc/self/ns/net", O_RDONLY),
				 .attach_type = BPF_SK_LOOKUP });
}

static int xdp(void)
{
	return link_to((struct create){ .prog = (uint32_t)load(BPF_PROG_TYPE_XDP, BPF_XDP),
					.target = LO,
					.attach_type = BPF_XDP,
					.flags = 2 /* generic */ });
}

static int tcx(void)
{
	return link_to((struct create){
		.prog = (uint32_t)load(BPF_PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS),
		.target = LO,
		.attach_type = ATTACH_TCX_INGRESS });
}

static const struct {
	const char *name;
	int (*make)(void);
} KINDS[] = {
	{ "raw_tracepoint", raw_tracepoint },
	{ "tracepoint", tracepoint },
	{ "event", event },
	{ "uprobe", uprobe },
	{ "uprobe_multi", uprobe_multi },
	{ "netns", netns },
	{ "xdp", xdp },
	{ "tcx", tcx },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(KINDS) / sizeof(*KINDS); i++) {
		if (strcmp(KINDS[i].name, argv[1]) != 0)
			continue;
		int fd = KINDS[i].make();
		union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)argv[2],
					.bpf_fd = (uint32_t)fd };
		if (fd < 0)
			err(1, "link");
		if (bpf(BPF_OBJ_PIN, &attr, sizeof(attr)))
			err(1, "pin at %s", argv[2]);
		return 0;
	}
	errx(2, "usage: links KIND PATH");
}
