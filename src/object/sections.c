/*
 * Sections that came after the linked libbpf, as its documentation of SEC() names lists them.
 */
#include "kernel/bpf.h"
#include "object/attach.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

/* A name that ends in '+' may go on behind a '/'. */
static const struct section {
	const char *name;
	int type, attach;
	bool sleepable;
} SECTIONS[] = {
	/* Each function gets an uprobe of its own, so these need no newer kernel. */
	{ "uprobe.multi+", BPF_PROG_TYPE_KPROBE, 0, false },
	{ "uretprobe.multi+", BPF_PROG_TYPE_KPROBE, 0, false },
	{ "uprobe.multi.s+", BPF_PROG_TYPE_KPROBE, 0, true },
	{ "uretprobe.multi.s+", BPF_PROG_TYPE_KPROBE, 0, true },
	{ "uprobe.session+", BPF_PROG_TYPE_KPROBE, KBPF_TRACE_UPROBE_SESSION, false },
	{ "uprobe.session.s+", BPF_PROG_TYPE_KPROBE, KBPF_TRACE_UPROBE_SESSION, true },
	{ "usdt.s+", BPF_PROG_TYPE_KPROBE, 0, true },
	{ "kprobe.session+", BPF_PROG_TYPE_KPROBE, KBPF_TRACE_KPROBE_SESSION, false },
	{ "tcx/ingress", BPF_PROG_TYPE_SCHED_CLS, KBPF_TCX_INGRESS, false },
	{ "tcx/egress", BPF_PROG_TYPE_SCHED_CLS, KBPF_TCX_EGRESS, false },
	{ "tc/ingress", BPF_PROG_TYPE_SCHED_CLS, KBPF_TCX_INGRESS, false },
	{ "tc/egress", BPF_PROG_TYPE_SCHED_CLS, KBPF_TCX_EGRESS, false },
	{ "netkit/primary", BPF_PROG_TYPE_SCHED_CLS, KBPF_NETKIT_PRIMARY, false },
	{ "netkit/peer", BPF_PROG_TYPE_SCHED_CLS, KBPF_NETKIT_PEER, false },
	{ "struct_ops.s+", BPF_PROG_TYPE_STRUCT_OPS, 0, true },
	{ "sk_skb/verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT, false },
	{ "netfilter", KBPF_PROG_NETFILTER, KBPF_NETFILTER, false },
	{ "cgroup/connect_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, KBPF_CGROUP_UNIX_CONNECT,
	  false },
	{ "cgroup/sendmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, KBPF_CGROUP_UNIX_SENDMSG,
	  false },
	{ "cgroup/recvmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, KBPF_CGROUP_UNIX_RECVMSG,
	  false },
	{ "cgroup/getpeername_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	  KBPF_CGROUP_UNIX_GETPEERNAME, false },
	{ "cgroup/getsockname_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	  KBPF_CGROUP_UNIX_GETSOCKNAME, false },
};

static int set_sleepable(struct bpf_program *p, long cookie)
{
	if (cookie)
		bpf_program__set_flags(p, bpf_program__flags(p) | BPF_F_SLEEPABLE);
	return 0;
}

void sections_register(void)
{
	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(*SECTIONS); i++) {
		const struct section *s = &SECTIONS[i];
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = s->sleepable,
			    .prog_setup_fn = set_sleepable);

		/* One that is there already, libbpf's own or ours, stays the one that counts.
		 */
		libbpf_register_prog_handler(s->name, (enum bpf_prog_type)s->type,
					     (enum bpf_attach_type)s->attach, &opts);
	}
}
