/*
 * ticks: counts the calls of work_tick in work/calls, and sends and prints every tenth.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

enum parity { EVEN, ODD };

struct key {
	enum parity parity;
	int unused;
};

struct tick {
	int n;
	enum parity parity;
	char text[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct key);
	__type(value, __u64);
	__uint(max_entries, 16);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096 * 16);
} ticks SEC(".maps");

long total, tens = 3;
struct tick last;

static __attribute__((noinline)) void count(struct key *key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&counts, key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, key, &one, BPF_ANY);
}

SEC("uprobe/work/calls:work_tick")
int BPF_KPROBE(on_tick, int n, const char *text)
{
	struct key key = { .parity = n & 1 ? ODD : EVEN };
	struct tick *t;

	count(&key);
	__sync_fetch_and_add(&total, n);
	if ((unsigned)n % 10)
		return 0;
	tens++;
	bpf_printk("tick %d of work", n);
	t = bpf_ringbuf_reserve(&ticks, sizeof(*t), 0);
	if (!t)
		return 0;
	t->n = n;
	t->parity = key.parity;
	__builtin_memset(t->text, 0, sizeof(t->text));
	bpf_probe_read_user_str(t->text, sizeof(t->text), text);
	last = *t;
	bpf_ringbuf_submit(t, 0);
	return 0;
}
