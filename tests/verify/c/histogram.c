/* A histogram of packet lengths by powers of two, in per-CPU slots; a loop that is unrolled
 * not. */
#include "bpf.h"

struct slots {
	u64 at[32];
};

struct {
	FIELD(type, PERCPU_ARRAY);
	FIELD(max_entries, 1);
	TYPED(key, u32);
	TYPED(value, struct slots);
} lengths SEC(".maps");

SEC("socket") int histogram(struct skb *skb)
{
	u32 zero = 0, len = skb->len, slot = 0;
	struct slots *s = map_lookup(&lengths, &zero);

	if (!s)
		return 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 32 && len; i++) {
		len >>= 1;
		slot = i;
	}
	if (slot < 32)
		s->at[slot]++;
	return -1;
}
