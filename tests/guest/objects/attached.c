/*
 * attached: programs that `scry prog attach` attaches. Both ends of a connection are put into a
 * map of sockets, whose programs count bytes; another counts the frames of work/frames that are
 * dissected.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

enum { PROTOCOL = 0x88b5 };

unsigned sent, parsed, arrived, passed, dissected;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} socks SEC(".maps");

SEC("sockops")
int on_open(struct bpf_sock_ops *ctx)
{
	int key = ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB;

	if (key || ctx->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		bpf_sock_map_update(ctx, &socks, &key, BPF_ANY);
	return 1;
}

SEC("sk_msg")
int on_send(struct sk_msg_md *msg)
{
	__sync_fetch_and_add(&sent, msg->size);
	return SK_PASS;
}

SEC("sk_skb/stream_parser")
int on_parse(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&parsed, skb->len);
	return skb->len;
}

SEC("sk_skb/stream_verdict")
int on_arrival(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&arrived, skb->len);
	return SK_PASS;
}

SEC("sk_skb/verdict")
int on_packet(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&passed, skb->len);
	return SK_PASS;
}

SEC("flow_dissector")
int on_flow(struct __sk_buff *skb)
{
	if (skb->flow_keys->n_proto == bpf_htons(PROTOCOL))
		__sync_fetch_and_add(&dissected, 1);
	return 0;
}
