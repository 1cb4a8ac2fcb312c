/* notes: a static probe of work/usdts, read by libbpf's own means; a perf buffer. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} samples SEC(".maps");

int sum, calls, letters;

SEC("usdt/work/usdts:work:plain")
int BPF_USDT(on_plain, int n)
{
	int sample = n + 0x107;

	calls++;
	sum += n;
	if (n == -7)
		bpf_perf_event_output(ctx, &samples, BPF_F_CURRENT_CPU, &sample,
				      sizeof(sample));
	return 0;
}

/* What may sleep may have pages fetched. */
SEC("?usdt.s/work/usdts:work:plain")
int BPF_USDT(on_plain_s, int n, const char *text)
{
	char first = 0;

	if (!bpf_copy_from_user(&first, 1, text))
		letters += first;
	return 0;
}

SEC("xdp")
int nowhere(struct xdp_md *ctx)
{
	return XDP_PASS;
}
