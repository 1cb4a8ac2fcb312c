/*
 * net: programs of the network, each of which counts datagrams of one byte (29 bytes of IP), as
 * work/drops sends them to lo.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

enum { IP_LEN = 29, ETH_LEN = 14, PORT = 9 };

unsigned at_xdp, at_tc, at_tcx_in, at_tcx_out, at_socket, at_cgroup, at_lookup, at_netfilter;

static __attribute__((always_inline)) void count(unsigned *n, unsigned len, unsigned want)
{
	if (len == want)
		__sync_fetch_and_add(n, 1);
}

SEC("?xdp")
int on_xdp(struct xdp_md *ctx)
{
	count(&at_xdp, ctx->data_end - ctx->data, ETH_LEN + IP_LEN);
	return XDP_PASS;
}

SEC("?tc")
int on_tc(struct __sk_buff *skb)
{
	count(&at_tc, skb->len, ETH_LEN + IP_LEN);
	return 0;
}

SEC("?tcx/ingress")
int on_tcx_in(struct __sk_buff *skb)
{
	count(&at_tcx_in, skb->len, ETH_LEN + IP_LEN);
	return -1;
}

SEC("?tcx/egress")
int on_tcx_out(struct __sk_buff *skb)
{
	count(&at_tcx_out, skb->len, ETH_LEN + IP_LEN);
	return -1;
}

SEC("?socket")
int on_socket(struct __sk_buff *skb)
{
	count(&at_socket, skb->len, ETH_LEN + IP_LEN);
	return 0;
}

SEC("?cgroup_skb/egress")
int on_cgroup(struct __sk_buff *skb)
{
	count(&at_cgroup, skb->len, IP_LEN);
	return 1;
}

SEC("?sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	count(&at_lookup, ctx->local_port, PORT);
	return SK_PASS;
}

SEC("?netfilter")
int on_netfilter(void *ctx)
{
	__sync_fetch_and_add(&at_netfilter, 1);
	return 1;
}
