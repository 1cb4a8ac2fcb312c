/* nests: a map of maps, two of which are there from the start. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct counts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), last SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct counts);
} outer SEC(".maps") = { .values = { [0] = &first, [2] = &last } };

/* Counts in the map that the context names. */
SEC("socket")
int count(__u32 *ctx)
{
	__u32 key = *ctx, one = 1;
	void *inner = bpf_map_lookup_elem(&outer, &key);
	__u64 *n = inner ? bpf_map_lookup_elem(inner, &one) : 0;

	if (!n)
		return 404;
	return ++*n;
}
