/* gcc_counts: made by GCC, whose BTF the kernel does not take; counts the calls of work_tick.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct pair {
	unsigned calls, twice;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, unsigned);
	__type(value, struct pair);
	__uint(max_entries, 4);
} counts SEC(".maps");

unsigned total;

SEC("uprobe/work/calls:work_tick")
int on_tick(void *ctx)
{
	struct pair first = { 0, 0 };
	unsigned key = 7;

	bpf_map_update_elem(&counts, &key, &first, BPF_NOEXIST);
	struct pair *p = bpf_map_lookup_elem(&counts, &key);
	if (p) {
		p->calls += 1;
		p->twice += 2;
	}
	total++;
	return 0;
}
