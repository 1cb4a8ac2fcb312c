#include "cli/packet_line.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

struct packet {
	const uint8_t *data;
	uint32_t len; /* bytes at hand */
};

static bool skip(struct packet *p, uint32_t n)
{
	if (p->len < n)
		return false;
	p->data += n;
	p->len -= n;
	return true;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static const char *protocol_name(unsigned protocol)
{
	switch (protocol) {
	case 1: return "icmp";
	case 2: return "igmp";
	case 6: return "tcp";
	case 17: return "udp";
	case 47: return "gre";
	case 58: return "icmp6";
	case 132: return "sctp";
	default: return NULL;
	}
}

/* "a.port > b.port: tcp"; transport is where the payload of the network layer begins. */
static void put_flow(struct sb *out, int family, const uint8_t *src, const uint8_t *dst,
		     unsigned protocol, const struct packet *transport)
{
	bool ports = transport && (protocol == 6 || protocol == 17 || protocol == 132) &&
		     transport->len >= 4;
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

	inet_ntop(family, src, a, sizeof(a));
	inet_ntop(family, dst, b, sizeof(b));
	if (ports)
		sb_printf(out, "%s.%u > %s.%u: ", a, be16(transport->data), b,
			  be16(transport->data + 2));
	else
		sb_printf(out, "%s > %s: ", a, b);
	if (protocol_name(protocol))
		sb_puts(out, protocol_name(protocol));
	else
		sb_printf(out, "protocol %u", protocol);
}

static bool put_ip4(struct sb *out, struct packet p)
{
	const uint8_t *h = p.data;

	if (p.len < 20 || h[0] >> 4 != 4)
		return false;
	bool first = !(be16(h + 6) & 0x1fff) && skip(&p, 4u * (h[0] & 0xf));
	sb_puts(out, "IP ");
	put_flow(out, AF_INET, h + 12, h + 16, h[9], first ? &p : NULL);
	return true;
}

static bool put_ip6(struct sb *out, struct packet p)
{
	const uint8_t *h = p.data;

	if (p.len < 40 || h[0] >> 4 != 6)
		return false;
	skip(&p, 40);
	sb_puts(out, "IP6 ");
	put_flow(out, AF_INET6, h + 8, h + 24, h[6], &p);
	return true;
}

static bool put_ethernet(struct sb *out, struct packet p)
{
	if (!skip(&p, 14))
		return false;
	unsigned type = be16(p.data - 2);
	if (type == 0x8100 && skip(&p, 4)) {
		sb_printf(out, "vlan %u, ", be16(p.data - 4) & 0xfff);
		type = be16(p.data - 2);
	}
	switch (type) {
	case 0x0800: return put_ip4(out, p);
	case 0x86dd: return put_ip6(out, p);
	case 0x0806: sb_puts(out, "ARP"); return true;
	default: sb_printf(out, "ethertype 0x%04x", type); return true;
	}
}

void packet_line(struct sb *out, const uint8_t *data, uint32_t caplen, uint32_t len,
		 int ethernet)
{
	struct packet p = { data, caplen };

	if (!(ethernet ? put_ethernet(out, p) : put_ip4(out, p) || put_ip6(out, p)))
		sb_puts(out, "packet");
	sb_printf(out, ", length %u", len);
}
