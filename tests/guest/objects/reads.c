/*
 * reads: kinds of sections that can count what work/reads reads, each by itself, and one for
 * the sockets of a process.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

enum { READ_CALL = 0 };

const volatile unsigned watched;
unsigned by_ksyscall, by_multi, by_fexit, by_raw_tp, by_tp_btf, by_fmod_ret;

static __attribute__((always_inline)) int count(unsigned *n)
{
	if (bpf_get_current_pid_tgid() >> 32 == watched)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("?ksyscall/read")
int on_ksyscall(void *ctx)
{
	return count(&by_ksyscall);
}

SEC("?kprobe.multi/vfs_rea?")
int on_multi(void *ctx)
{
	return count(&by_multi);
}

SEC("?fexit/vfs_read")
int on_fexit(void *ctx)
{
	return count(&by_fexit);
}

SEC("?raw_tp/sys_enter")
int on_raw_tp(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1] == READ_CALL ? count(&by_raw_tp) : 0;
}

SEC("?tp_btf/sys_enter")
int on_tp_btf(unsigned long long *ctx)
{
	return ctx[1] == READ_CALL ? count(&by_tp_btf) : 0;
}

SEC("?fmod_ret/security_socket_create")
int on_fmod_ret(void *ctx)
{
	return count(&by_fmod_ret);
}
