/* replaced: a program of datagrams that asks a function, which another program may replace. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

unsigned asked;

__attribute__((noinline)) int answer(struct xdp_md *ctx)
{
	return ctx ? XDP_PASS : XDP_ABORTED;
}

SEC("?xdp")
int on_xdp(struct xdp_md *ctx)
{
	return answer(ctx);
}

SEC("?freplace")
int other_answer(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data == 43)
		__sync_fetch_and_add(&asked, 1);
	return XDP_PASS;
}
