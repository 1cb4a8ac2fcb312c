/* Looks for "GET " in the first bytes behind the headers, in an array that is a global. */
#include "bpf.h"

static volatile u32 found, looked;
static const char WORD[4] = "GET ";

SEC("socket") int search(struct skb *skb)
{
	char text[64];

	looked++;
	if (skb->len < 54 + sizeof(text) || load_bytes(skb, 54, text, sizeof(text)))
		return 0;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i + sizeof(WORD) <= 8; i++) {
		if (text[0] == WORD[0] && text[1] == WORD[1] && text[2] == WORD[2] &&
		    text[3] == WORD[3]) {
			found += i + 1;
			return 1;
		}
	}
	return 0;
}
