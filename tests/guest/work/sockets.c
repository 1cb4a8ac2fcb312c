/*
 * sockets N COMMAND...: opens N sockets of each kind, which COMMAND inherits: TCP ones that
 * listen and UDP ones at the ports of 127.0.0.1 from 7801 on, ones of the kernel's unix and
 * netlink families.
 */
#include "work.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void open_bound(int family, int type, const void *addr, socklen_t len)
{
	int fd = socket(family, type, 0);

	if (fd < 0 || bind(fd, addr, len) || (type == SOCK_STREAM && listen(fd, 1)))
		err(1, "socket of family %d", family);
}

int main(int argc, char **argv)
{
	long n = work_number(argc, argv, 1, "sockets N COMMAND...");

	for (long i = 0; i < n; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)(7801 + i)),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		struct sockaddr_nl nl = { .nl_family = AF_NETLINK };

		open_bound(AF_INET, SOCK_STREAM, &in, sizeof(in));
		open_bound(AF_INET, SOCK_DGRAM, &in, sizeof(in));
		open_bound(AF_UNIX, SOCK_STREAM, &un, sizeof(un.sun_family));
		open_bound(AF_NETLINK, SOCK_RAW, &nl, sizeof(nl));
	}
	execvp(argv[2], argv + 2);
	err(1, "execute %s", argv[2]);
}
