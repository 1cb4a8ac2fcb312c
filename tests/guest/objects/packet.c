/* packet: lets packets through and counts them; needs no kernel. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

int seen;

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	seen++;
	return XDP_PASS;
}

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_NO_SUCH_THING __kconfig __weak;
extern int CONFIG_NOT_THERE __kconfig;

SEC("xdp")
int version(struct xdp_md *ctx)
{
	return (LINUX_KERNEL_VERSION >> 16) + 100 * CONFIG_NO_SUCH_THING;
}

SEC("xdp")
int demanding(struct xdp_md *ctx)
{
	return CONFIG_NOT_THERE;
}
