/* rejected: the verifier says no, in a line that has a name. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("raw_tp/sys_enter")
int follows(unsigned long *ctx)
{
	int *p = (int *)ctx[1];

	return *p; /* memory of nobody knows whom */
}
