/*
 * callbacks: functions whose addresses are taken, called back by bpf_loop() and
 * bpf_for_each_map_elem(), besides those that are called.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

__u64 turns;

static long add_index(__u32 i, __u64 *sum)
{
	*sum += i;
	return 0;
}

static long add_value(void *map, __u32 *key, __u64 *value, __u64 *sum)
{
	*sum += *value + *key;
	return 0;
}

static __attribute__((noinline)) int half(__u64 n)
{
	volatile __u64 kept = n;

	return kept / 2;
}

SEC("xdp")
int sums(struct xdp_md *ctx)
{
	__u64 sum = 0;

	bpf_loop(10, add_index, &sum, 0);
	bpf_for_each_map_elem(&values, add_value, &sum, 0);
	__sync_fetch_and_add(&turns, 1);
	return half(sum);
}
