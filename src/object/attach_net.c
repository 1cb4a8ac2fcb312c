/*
 * Programs of the network: to interfaces, cgroups, network namespaces, maps of sockets.
 */
#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/tc_action.h"
#include "object/attach.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int lack(struct spot *s, const char *option)
{
	s->missing = option;
	return -EDESTADDRREQ;
}

static int lack_dev(struct spot *s)
{
	return lack(s, "--dev INTERFACE");
}

int attach_xdp(struct spot *s)
{
	if (bpf_program__expected_attach_type(s->prog) != BPF_XDP)
		return lack(s, "a map of devices or CPUs, in a program of its own,");
	if (!s->where->dev)
		return lack_dev(s);
	return spot_keep(s, bpf_program__attach_xdp(s->prog, (int)s->where->dev));
}

/* --- tc's filters --- */

static struct bpf_tc_hook tc_hook(const struct object_hold *h)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = (int)h->dev,
				     .attach_point = (enum bpf_tc_attach_point)h->dir };
}

static void release_tc(struct object_hold *h)
{
	struct bpf_tc_hook hook = tc_hook(h);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = h->handle, .priority = h->priority);

	bpf_tc_detach(&hook, &opts);
	if (h->made_hook) {
		hook.attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS);
		bpf_tc_hook_destroy(&hook);
	}
}

static bool is_egress(const struct spot *s)
{
	return !strcmp(s->place, "egress") ||
	       (int)bpf_program__expected_attach_type(s->prog) == KBPF_TCX_EGRESS;
}

/* A filter that is the program, or has it as its action. */
static int add_filter(struct spot *s, const struct bpf_tc_hook *hook, struct object_hold *h)
{
	int prog = bpf_program__fd(s->prog), err;
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog);

	if (!strcmp(s->kind, "action")) {
		err = tc_action_add(h->dev, h->dir == BPF_TC_EGRESS, prog,
				    bpf_program__name(s->prog), &h->handle, &h->priority);
		return err == -ENOENT ? spot_say(s, err,
						 "the kernel has no act_bpf or no cls_bpf, "
						 "which are modules")
				      : err;
	}
	err = bpf_tc_attach(hook, &opts);
	h->handle = opts.handle;
	h->priority = opts.priority;
	return err;
}

/* By its qdisc "clsact", which is made when it is not there, and then removed again. */
int attach_tc(struct spot *s)
{
	struct object_hold h = { .release = release_tc,
				 .dev = s->where->dev,
				 .dir = is_egress(s) ? BPF_TC_EGRESS : BPF_TC_INGRESS };

	if (!s->where->dev)
		return lack_dev(s);
	struct bpf_tc_hook hook = tc_hook(&h);
	int err = bpf_tc_hook_create(&hook);
	h.made_hook = !err;
	if (!err || err == -EEXIST)
		err = add_filter(s, &hook, &h);
	if (!err) {
		vec_push(NULL, &s->o->holds, h);
	} else if (h.made_hook) {
		hook.attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS);
		bpf_tc_hook_destroy(&hook);
	}
	return err;
}

/* tcx and netkit: a link; where the kernel has no tcx, tc does the same. */
int attach_tcx(struct spot *s)
{
	int type = bpf_program__expected_attach_type(s->prog);

	if (!s->where->dev)
		return lack_dev(s);
	int fd = kbpf_link_to(bpf_program__fd(s->prog), (int)s->where->dev, (uint32_t)type);
	if (fd == -EINVAL && !strncmp(s->kind, "tc", 2))
		return attach_tc(s);
	if (fd == -EINVAL || fd == -ENXIO || fd == -EACCES)
		return spot_say(s, -EOPNOTSUPP,
				"the interface is no netkit device, or its peer, or the kernel "
				"has none (Linux 6.7 with CONFIG_NETKIT)");
	return spot_keep_fd(s, fd);
}

/* --- sockets --- */

/* A socket that nobody reads: the filter sees each packet of the interface, or of all. */
int attach_socket(struct spot *s)
{
	int prog = bpf_program__fd(s->prog);
	auto_close int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)s->where->dev };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	int keep = fd;
	fd = -1;
	return spot_keep_fd(s, keep);
}

static void release_sockmap(struct object_hold *h)
{
	bpf_prog_detach2(h->prog_fd, h->fd, (enum bpf_attach_type)h->type);
}

/* The map of sockets that the user named, or the object's only one. */
static struct bpf_map *find_sockmap(const struct spot *s)
{
	struct bpf_map *m, *found = NULL;

	if (s->is_users)
		return bpf_object__find_map_by_name(s->o->bpf, s->place);
	bpf_object__for_each_map(m, s->o->bpf)
	{
		if (bpf_map__type(m) != BPF_MAP_TYPE_SOCKMAP &&
		    bpf_map__type(m) != BPF_MAP_TYPE_SOCKHASH)
			continue;
		if (found)
			return NULL;
		found = m;
	}
	return found;
}

int attach_sockmap(struct spot *s)
{
	struct bpf_map *m = find_sockmap(s);
	struct object_hold h = { .release = release_sockmap,
				 .fd = m ? bpf_map__fd(m) : -1,
				 .prog_fd = bpf_program__fd(s->prog),
				 .type = bpf_program__expected_attach_type(s->prog) };

	if (!m)
		return lack(s, "--at PROGRAM=MAP, a map of sockets,");
	if (!h.type)
		return spot_say(s, -EINVAL,
				"it is neither sk_skb/stream_parser, "
				"sk_skb/stream_verdict nor sk_skb/verdict");
	int err = bpf_prog_attach(h.prog_fd, h.fd, (enum bpf_attach_type)h.type, 0);
	if (err)
		return err;
	vec_push(NULL, &s->o->holds, h);
	return 0;
}

/* --- cgroups and namespaces --- */

int attach_cgroup(struct spot *s)
{
	if (!s->where->cgroup)
		return lack(s, "--cgroup PATH");
	auto_close int fd = open(s->where->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return spot_say(s, -errno, "--cgroup: open %s", s->where->cgroup);
	return spot_keep(s, bpf_program__attach_cgroup(s->prog, fd));
}

int attach_netns(struct spot *s)
{
	const char *path = s->where->netns ? s->where->netns : "/proc/self/ns/net";
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return spot_say(s, -errno, "--netns: open %s", path);
	return spot_keep(s, bpf_program__attach_netns(s->prog, fd));
}

/* "[ipv4:|ipv6:]HOOK[:PRIORITY]" */
int attach_netfilter(struct spot *s)
{
	static const char *const HOOKS[] = { "prerouting", "input", "forward", "output",
					     "postrouting" };
	const char *place = s->place;
	uint32_t family = NFPROTO_IPV4;

	if (!strncmp(place, "ipv4:", 5) || !strncmp(place, "ipv6:", 5)) {
		family = place[3] == '6' ? NFPROTO_IPV6 : NFPROTO_IPV4;
		place += 5;
	}
	size_t len = strcspn(place, ":");
	long priority = place[len] ? strtol(place + len + 1, NULL, 10) : 0;
	for (uint32_t i = 0; i < sizeof(HOOKS) / sizeof(*HOOKS); i++) {
		if (strlen(HOOKS[i]) == len && !strncmp(HOOKS[i], place, len))
			return spot_keep_fd(s,
					    kbpf_link_netfilter(bpf_program__fd(s->prog),
								family, i, (int32_t)priority));
	}
	return lack(s,
		    "--at PROGRAM=[ipv6:]HOOK[:PRIORITY] (prerouting, input, forward, output "
		    "or postrouting)");
}
