/*
 * frames: programs that see what work/frames sends, and those that are attached by others than
 * scry.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

enum { PROTOCOL = 0x88b5 };

unsigned at_primary, at_peer, at_action, dissected, at_frags;

static __attribute__((always_inline)) void count(unsigned *n, unsigned protocol)
{
	if (protocol == bpf_htons(PROTOCOL))
		__sync_fetch_and_add(n, 1);
}

SEC("?netkit/primary")
int on_primary(struct __sk_buff *skb)
{
	count(&at_primary, skb->protocol);
	return 0;
}

SEC("?netkit/peer")
int on_peer(struct __sk_buff *skb)
{
	count(&at_peer, skb->protocol);
	return 0;
}

SEC("?action")
int on_action(struct __sk_buff *skb)
{
	count(&at_action, skb->protocol);
	return -1;
}

SEC("?flow_dissector")
int on_flow(struct __sk_buff *skb)
{
	count(&dissected, skb->flow_keys->n_proto);
	return 0;
}

SEC("?xdp.frags")
int on_frags(struct xdp_md *ctx)
{
	struct ethhdr head;

	if (!bpf_xdp_load_bytes(ctx, 0, &head, sizeof(head)))
		count(&at_frags, head.h_proto);
	return XDP_PASS;
}

SEC("?xdp/devmap")
int on_devmap(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp/cpumap")
int on_cpumap(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp.frags/devmap")
int on_frags_devmap(struct xdp_md *ctx)
{
	return XDP_PASS;
}

#define OTHERS(name, section, type)          \
	SEC("?" section) int name(type *ctx) \
	{                                    \
		return 0;                    \
	}

OTHERS(on_reuseport, "sk_reuseport", struct sk_reuseport_md)
OTHERS(on_migrate, "sk_reuseport/migrate", struct sk_reuseport_md)
OTHERS(on_lwt_in, "lwt_in", struct __sk_buff)
OTHERS(on_lwt_out, "lwt_out", struct __sk_buff)
OTHERS(on_lwt_xmit, "lwt_xmit", struct __sk_buff)
OTHERS(on_lwt_seg6, "lwt_seg6local", struct __sk_buff)
OTHERS(on_lirc, "lirc_mode2", unsigned)
