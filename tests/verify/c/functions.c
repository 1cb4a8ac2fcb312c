/* Functions that are called, with pointers to the caller's stack, and legacy packet access. */
#include "bpf.h"

struct sums {
	u64 bytes, words;
};

static noinline int add(struct sums *s, u32 byte, u32 word)
{
	s->bytes += byte;
	s->words += word * 3;
	return s->bytes > s->words;
}

static noinline u32 mix(u32 a, u32 b)
{
	a ^= b << 7;
	return a % 1000 + b / 3;
}

SEC("socket") int functions(struct skb *skb)
{
	struct sums s = { 0 };
	u32 first = load_byte(skb, 0), more = 0;

	for (int i = 0; i < 6; i++)
		more += load_half(skb, 2 * i);
	if (add(&s, first, more))
		return mix(s.bytes, s.words);
	return mix(more, first);
}
