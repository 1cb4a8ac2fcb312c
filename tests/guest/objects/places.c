/*
 * places: sections that do not say where, or that say it as libbpf of today does. Only the
 * process "watched" is counted.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

struct record {
	int nr;
	char who[8];
};
const struct record *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096 * 16);
} records SEC(".maps");

const volatile int watched = 0;
const volatile _Bool sending = 0;
const volatile char who[8] = "nobody";
volatile unsigned short step = 1;

unsigned events, ticks, many, samples, calls, entries, sessions;

static __attribute__((always_inline)) void count(unsigned *n)
{
	if (bpf_get_current_pid_tgid() >> 32 == (unsigned)watched)
		__sync_fetch_and_add(n, step);
}

SEC("tracepoint")
int on_event(void *ctx)
{
	count(&events);
	return 0;
}

SEC("uprobe")
int BPF_KPROBE(on_tick, int n)
{
	struct record r = { .nr = n };

	count(&ticks);
	if (sending) {
		for (unsigned i = 0; i < sizeof(r.who); i++)
			r.who[i] = who[i];
		bpf_ringbuf_output(&records, &r, sizeof(r), 0);
	}
	return 0;
}

SEC("uprobe.multi/work/calls:work_[io]*")
int on_many(void *ctx)
{
	count(&many);
	return 0;
}

SEC("perf_event")
int on_sample(void *ctx)
{
	count(&samples);
	return 0;
}

SEC("?kprobe")
int on_call(void *ctx)
{
	count(&calls);
	return 0;
}

SEC("?fentry")
int on_entry(void *ctx)
{
	count(&entries);
	return 0;
}

SEC("?kprobe.session/vfs_rea[d]")
int on_session(void *ctx)
{
	count(&sessions);
	return 0;
}

SEC("?syscall")
int on_demand(void *ctx)
{
	return 7;
}
