/*
 * cgroups: a program for each kind of section of cgroups, which counts how often it is asked.
 * work/cgroup does each a number of times of its own.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define PROGRAM(name, section, type)              \
	unsigned name;                            \
	SEC("?" section) int on_##name(type *ctx) \
	{                                         \
		__sync_fetch_and_add(&name, 1);   \
		return 1;                         \
	}

PROGRAM(dev, "cgroup/dev", struct bpf_cgroup_dev_ctx)
PROGRAM(sysctl, "cgroup/sysctl", struct bpf_sysctl)
PROGRAM(sets, "cgroup/setsockopt", struct bpf_sockopt)
PROGRAM(gets, "cgroup/getsockopt", struct bpf_sockopt)
PROGRAM(creates, "cgroup/sock_create", struct bpf_sock)
PROGRAM(socks, "cgroup/sock", struct bpf_sock)
PROGRAM(releases, "cgroup/sock_release", struct bpf_sock)
PROGRAM(bound4, "cgroup/post_bind4", struct bpf_sock)
PROGRAM(bound6, "cgroup/post_bind6", struct bpf_sock)
PROGRAM(bind4, "cgroup/bind4", struct bpf_sock_addr)
PROGRAM(bind6, "cgroup/bind6", struct bpf_sock_addr)
PROGRAM(connect4, "cgroup/connect4", struct bpf_sock_addr)
PROGRAM(connect6, "cgroup/connect6", struct bpf_sock_addr)
PROGRAM(sendmsg4, "cgroup/sendmsg4", struct bpf_sock_addr)
PROGRAM(sendmsg6, "cgroup/sendmsg6", struct bpf_sock_addr)
PROGRAM(recvmsg4, "cgroup/recvmsg4", struct bpf_sock_addr)
PROGRAM(recvmsg6, "cgroup/recvmsg6", struct bpf_sock_addr)
PROGRAM(peer4, "cgroup/getpeername4", struct bpf_sock_addr)
PROGRAM(peer6, "cgroup/getpeername6", struct bpf_sock_addr)
PROGRAM(name4, "cgroup/getsockname4", struct bpf_sock_addr)
PROGRAM(name6, "cgroup/getsockname6", struct bpf_sock_addr)
PROGRAM(in, "cgroup_skb/ingress", struct __sk_buff)
PROGRAM(out, "cgroup_skb/egress", struct __sk_buff)
PROGRAM(any, "cgroup/skb", struct __sk_buff)
PROGRAM(created, "lsm_cgroup/socket_create", void)

PROGRAM(connect, "cgroup/connect_unix", struct bpf_sock_addr)
PROGRAM(sendmsg, "cgroup/sendmsg_unix", struct bpf_sock_addr)
PROGRAM(recvmsg, "cgroup/recvmsg_unix", struct bpf_sock_addr)
PROGRAM(peer, "cgroup/getpeername_unix", struct bpf_sock_addr)
PROGRAM(name, "cgroup/getsockname_unix", struct bpf_sock_addr)
