/*
 * Format: rtnetlink(7), linux/pkt_cls.h and linux/tc_act/tc_bpf.h.
 */
#include "kernel/tc_action.h"

#include "base/auto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
	struct nlmsghdr head;
	struct tcmsg tc;
	char attrs[512];
};

static struct rtattr *put(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->head.nlmsg_len = NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

/* All that was put since it began is inside of it. */
static void end(struct request *r, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)r + r->head.nlmsg_len - (char *)a);
}

static void put_action(struct request *r, int prog_fd, const char *name)
{
	const struct tc_act_bpf parms = { .action = TC_ACT_PIPE };
	struct rtattr *list = put(r, TCA_BPF_ACT, NULL, 0), *first = put(r, 1, NULL, 0);

	put(r, TCA_ACT_KIND, "bpf", sizeof("bpf"));
	struct rtattr *options = put(r, TCA_ACT_OPTIONS, NULL, 0);
	put(r, TCA_ACT_BPF_PARMS, &parms, sizeof(parms));
	put(r, TCA_ACT_BPF_FD, &prog_fd, sizeof(prog_fd));
	put(r, TCA_ACT_BPF_NAME, name, strnlen(name, 63) + 1);
	end(r, options);
	end(r, first);
	end(r, list);
}

/* The kernel's answers: the filter as it was made, and whether it was. */
static int read_answer(int fd, uint32_t *handle, uint32_t *priority)
{
	char buf[8192] __attribute__((aligned(8)));

	for (;;) {
		ssize_t got = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)buf;

		if (got <= 0)
			return got ? -errno : -EIO;
		for (unsigned n = (unsigned)got; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct tcmsg *tc = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type != RTM_NEWTFILTER)
				continue;
			*handle = tc->tcm_handle;
			*priority = tc->tcm_info >> 16;
		}
	}
}

int tc_action_add(uint32_t dev, bool egress, int prog_fd, const char *name, uint32_t *handle,
		  uint32_t *priority)
{
	const struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	const uint16_t n = 1;
	struct request r = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.tc)),
			  .nlmsg_type = RTM_NEWTFILTER,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE |
					 NLM_F_EXCL },
		.tc = { .tcm_ifindex = (int)dev,
			.tcm_parent = TC_H_MAKE(TC_H_CLSACT,
						egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS),
			.tcm_info = htons(ETH_P_ALL) },
	};
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	put(&r, TCA_KIND, "bpf", sizeof("bpf"));
	struct rtattr *options = put(&r, TCA_OPTIONS, NULL, 0);
	put(&r, TCA_BPF_OPS_LEN, &n, sizeof(n));
	put(&r, TCA_BPF_OPS, &all, sizeof(all));
	put_action(&r, prog_fd, name);
	end(&r, options);
	if (send(fd, &r, r.head.nlmsg_len, 0) < 0)
		return -errno;
	return read_answer(fd, handle, priority);
}
