/* Records of a ring buffer, given back on every way. */
#include "bpf.h"

struct {
	FIELD(type, RINGBUF);
	FIELD(max_entries, 4096);
} ring SEC(".maps");

struct record {
	u64 time;
	u32 len, protocol;
	u8 head[16];
};

SEC("socket") int records(struct skb *skb)
{
	struct record *r = ring_reserve(&ring, sizeof(*r), 0);

	if (!r)
		return 0;
	r->time = ktime();
	r->len = skb->len;
	r->protocol = skb->protocol;
	if (load_bytes(skb, 0, r->head, sizeof(r->head))) {
		ring_discard(r, 0);
		return 0;
	}
	ring_submit(r, 0);
	return -1;
}
