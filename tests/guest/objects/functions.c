/*
 * functions: a program of several functions with parameters of many types, jumps and lines.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct part {
	int a;
};
union either {
	int a;
};
enum letter { A, B };
typedef int number_t;

#define OWN static __attribute__((noinline))

OWN int nothing(void)
{
	asm volatile("");
	return 1;
}

OWN long many(const char *const text, volatile int *v, enum letter e, number_t m,
	      struct part **parts)
{
	asm volatile("");
	return v ? *v : e + 1;
}

OWN unsigned char *pointers(union either *u, struct part (*array)[4], int (*fn)(int))
{
	asm volatile("");
	return (void *)1;
}

OWN void two(char a, unsigned long long b)
{
	asm volatile("" ::"r"(a), "r"(b));
}

SEC("xdp")
int start(struct xdp_md *ctx)
{
	int v = 3;

	two(1, 2);
	if (ctx->rx_queue_index > 2)
		return XDP_PASS;
	for (int i = 0; i < 5; i++)
		v += bpf_get_prandom_u32() & 1;
	return many("text", &v, A, v, 0) + nothing() + (pointers(0, 0, 0) ? 1 : 2);
}
