/* Ethernet, IPv4 with options, TCP: bytes by port, drops one of them. */
#include "bpf.h"

struct {
	FIELD(type, HASH);
	FIELD(max_entries, 128);
	TYPED(key, u32);
	TYPED(value, u64);
} ports SEC(".maps");

struct eth {
	u8 to[6], from[6];
	u16 type;
};

struct ip {
	u8 version_length, tos;
	u16 length, id, fragment;
	u8 ttl, protocol;
	u16 checksum;
	u32 from, to;
};

struct tcp {
	u16 from, to;
	u32 seq, ack;
};

static inline void count(u32 port, u64 bytes)
{
	u64 *sum = map_lookup(&ports, &port);

	if (sum)
		__sync_fetch_and_add(sum, bytes);
	else
		map_update(&ports, &port, &bytes, 0);
}

SEC("xdp") int parse(struct xdp *ctx)
{
	u8 *data = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	struct eth *eth = (struct eth *)data;

	if (data + sizeof(*eth) > end || eth->type != ntohs(0x800))
		return 2;
	struct ip *ip = (struct ip *)(eth + 1);
	if ((u8 *)(ip + 1) > end || ip->protocol != 6)
		return 2;
	u32 length = (ip->version_length & 0xf) * 4;
	if (length < sizeof(*ip))
		return 1;
	struct tcp *tcp = (struct tcp *)((u8 *)ip + length);
	if ((u8 *)(tcp + 1) > end)
		return 2;
	count(ntohs(tcp->to), ntohs(ip->length));
	return tcp->to == ntohs(23) ? 1 : 2;
}
