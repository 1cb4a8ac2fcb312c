/*
 * wrong: sections that name what is not there, or say it wrongly; and a struct of programs that
 * are not chosen, in a file without CO-RE.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

unsigned hits;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} socks SEC(".maps");

#define WRONG(name, section)                      \
	SEC("?" section) int on_##name(void *ctx) \
	{                                         \
		return 0;                         \
	}

WRONG(usdt, "usdt/work/usdts")
WRONG(uprobe, "uprobe/work/calls")
WRONG(uprobes, "uprobe.multi/work/calls")
WRONG(symbol, "uprobe/work/calls:nothing")
WRONG(file, "uprobe.multi/work/nowhere:*")
WRONG(category, "tracepoint/sched")
WRONG(tracepoint, "tp/sched/nothing")
WRONG(raw, "raw_tp/nothing")
WRONG(kprobe, "kprobe/nothing_here")
WRONG(fentry, "fentry/nothing_here")
WRONG(lsm, "lsm/nothing_here")
WRONG(iter, "iter/nothing_here")
WRONG(kind, "nonsense/vfs_read")
WRONG(cgroup, "cgroup/nothing")
WRONG(event, "perf_event")
WRONG(skb, "sk_skb")

/* This one is right: it counts calls of read() by work/reads. */
SEC("?raw_tp.w/sys_enter")
int on_writable(struct bpf_raw_tracepoint_args *ctx)
{
	char comm[16];

	if (ctx->args[1] == 0 && !bpf_get_current_comm(comm, sizeof(comm)) &&
	    !bpf_strncmp(comm, 6, "reads"))
		__sync_fetch_and_add(&hits, 1);
	return 0;
}

SEC("?uprobe/work/calls:work_tick")
int on_tick(void *ctx)
{
	__sync_fetch_and_add(&hits, 1);
	return 0;
}

struct sock;
struct tcp_congestion_ops {
	unsigned (*ssthresh)(struct sock *sk);
	char name[16];
};

SEC("?struct_ops.s/on_ssthresh")
unsigned on_ssthresh(unsigned long long *ctx)
{
	return 10;
}

SEC(".struct_ops")
struct tcp_congestion_ops wrong = {
	.ssthresh = (void *)on_ssthresh,
	.name = "wrong",
};
