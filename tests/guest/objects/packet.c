/* packet: lets packets through and counts them; needs no kernel. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

int seen;

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	seen++;
	return XDP_PASS;
}
