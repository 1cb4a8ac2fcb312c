/* huge: a map that no machine has room for. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, 8);
	__uint(value_size, 1 << 20);
	__uint(max_entries, 0x7fffffff);
} endless SEC(".maps");

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	__u64 key = 1;

	return bpf_map_lookup_elem(&endless, &key) ? XDP_DROP : XDP_PASS;
}
