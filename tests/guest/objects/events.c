/*
 * events: a program that writes 20 letters to an array of perf events, and one that marks what
 * it is given.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(int));
	__uint(value_size, sizeof(int));
} records SEC(".maps");

SEC("xdp")
int send(struct xdp_md *ctx)
{
	char letters[20] = "abcdefghijklmnopqrs";

	bpf_perf_event_output(ctx, &records, BPF_F_CURRENT_CPU, letters, sizeof(letters));
	return XDP_PASS;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	skb->mark = 7;
	return 1;
}
