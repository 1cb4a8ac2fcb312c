/* tails: programs that end in one another, by arrays of programs that the file fills. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

int on_odd(unsigned *ctx), on_even(unsigned *ctx), count_down(unsigned *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(unsigned *));
} ways SEC(".maps") = {
	.values = { [0] = (void *)on_even, [1] = (void *)on_odd, [3] = (void *)count_down },
};

unsigned steps;

SEC("socket")
int choose(unsigned *ctx)
{
	bpf_tail_call(ctx, &ways, *ctx);
	return 404;
}

SEC("socket")
int on_odd(unsigned *ctx)
{
	return 1001;
}

SEC("socket")
int on_even(unsigned *ctx)
{
	return 1000;
}

/* Itself, as often as the machine lets it. */
SEC("socket")
int count_down(unsigned *ctx)
{
	steps++;
	bpf_tail_call(ctx, &ways, 3);
	return steps;
}
