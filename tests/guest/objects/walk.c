/* An iterator, to be pinned as a link. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("iter/task")
int walk(void *ctx)
{
	return 0;
}
