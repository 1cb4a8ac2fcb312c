/* netkit NAME PEER: makes a pair of netkit devices and switches them on. */
#include "work.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { NETKIT_PEER_INFO = 1 };

struct request {
	struct nlmsghdr head;
	struct ifinfomsg info;
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

static void end(struct request *r, struct rtattr *a)
{
	a->rta_len = (unsigned short)((char *)r + r->head.nlmsg_len - (char *)a);
}

static void switch_on(int fd, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		err(1, "%s", name);
}

int main(int argc, char **argv)
{
	struct request r = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.info)),
				       .nlmsg_type = RTM_NEWLINK,
				       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
						      NLM_F_EXCL } };
	const struct ifinfomsg peer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	char answer[4096] __attribute__((aligned(8)));

	if (argc != 3)
		errx(2, "usage: netkit NAME PEER");
	put(&r, IFLA_IFNAME, argv[1], strlen(argv[1]) + 1);
	struct rtattr *link = put(&r, IFLA_LINKINFO, NULL, 0);
	put(&r, IFLA_INFO_KIND, "netkit", strlen("netkit"));
	struct rtattr *data = put(&r, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *other = put(&r, NETKIT_PEER_INFO, &peer, sizeof(peer));
	put(&r, IFLA_IFNAME, argv[2], strlen(argv[2]) + 1);
	end(&r, other);
	end(&r, data);
	end(&r, link);
	if (send(fd, &r, r.head.nlmsg_len, 0) < 0 || recv(fd, answer, sizeof(answer), 0) < 0)
		err(1, "netlink");
	errno = -((const struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)answer))->error;
	if (errno)
		err(1, "make %s", argv[1]);
	int any = socket(AF_INET, SOCK_DGRAM, 0);
	switch_on(any, argv[1]);
	switch_on(any, argv[2]);
	return 0;
}
