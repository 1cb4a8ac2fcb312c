/*
 * sockets: what sees the connection of work/tcp. Both of its ends are put into a map of
 * sockets, whose programs count the bytes that are sent and those that arrive; a congestion
 * control counts the ends that it was asked to look after.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* sleeping.c says otherwise. */
#ifndef CONTROL
#define CONTROL	   "counting"
#define STRUCT_OPS "struct_ops"
#endif

char LICENSE[] SEC("license") = "GPL";

unsigned connects, opened, sent, arrived, started, ended;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} socks SEC(".maps");

SEC("?cgroup/connect4")
int on_connect(struct bpf_sock_addr *ctx)
{
	__sync_fetch_and_add(&connects, 1);
	return 1;
}

SEC("?sockops")
int on_open(struct bpf_sock_ops *ctx)
{
	int key = ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB;

	if (!key && ctx->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		return 1;
	if (!bpf_sock_map_update(ctx, &socks, &key, BPF_NOEXIST))
		__sync_fetch_and_add(&opened, 1);
	return 1;
}

SEC("?sk_msg")
int on_send(struct sk_msg_md *msg)
{
	__sync_fetch_and_add(&sent, msg->size);
	return SK_PASS;
}

SEC("?sk_skb/stream_verdict")
int on_arrival(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&arrived, skb->len);
	return SK_PASS;
}

/* The kernel's types, as far as they are named here. */
struct sock;
struct tcp_sock {
	unsigned snd_cwnd;
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	unsigned (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, unsigned ack, unsigned acked);
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	unsigned (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("?struct_ops/on_ssthresh")
unsigned on_ssthresh(unsigned long long *ctx)
{
	return 10;
}

SEC("?struct_ops/on_avoid")
void on_avoid(unsigned long long *ctx)
{
}

SEC("?struct_ops/on_undo")
unsigned on_undo(unsigned long long *ctx)
{
	return ((struct tcp_sock *)ctx[0])->snd_cwnd;
}

SEC("?" STRUCT_OPS "/on_start")
void on_start(unsigned long long *ctx)
{
	__sync_fetch_and_add(&started, 1);
}

SEC("?struct_ops/on_end")
void on_end(unsigned long long *ctx)
{
	__sync_fetch_and_add(&ended, 1);
}

SEC(".struct_ops")
struct tcp_congestion_ops counting = {
	.ssthresh = (void *)on_ssthresh,
	.cong_avoid = (void *)on_avoid,
	.undo_cwnd = (void *)on_undo,
	.init = (void *)on_start,
	.release = (void *)on_end,
	.name = CONTROL,
};
