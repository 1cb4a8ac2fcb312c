/*
 * cgroup PATH: goes into a cgroup and does there, each a number of times of its own, what
 * programs of cgroups see: sockets of IPv4 and IPv6 (and UNIX) that are bound, connected, asked
 * for their names, that send and receive; options of sockets; a sysctl read; a device opened.
 */
#include "work.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void join(const char *path)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	int fd = open(file, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", file);
	close(fd);
}

/* How often each is done. */
struct times {
	int names, sends, connects, peers, sets, gets;
};

static void use(const struct sockaddr *at, socklen_t len, struct times n)
{
	int server = socket(at->sa_family, SOCK_DGRAM, 0);
	int client = socket(at->sa_family, SOCK_DGRAM, 0), on = 1;
	struct sockaddr_storage a, from;
	socklen_t alen, flen, olen;
	char byte;

	if (bind(server, at, len))
		err(1, "bind");
	while (n.names--) {
		alen = sizeof(a);
		getsockname(server, (struct sockaddr *)&a, &alen);
	}
	while (n.sends--) {
		flen = sizeof(from);
		if (sendto(client, "x", 1, 0, (struct sockaddr *)&a, alen) != 1 ||
		    recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &flen) != 1)
			err(1, "send");
	}
	while (n.connects--)
		if (connect(client, (struct sockaddr *)&a, alen))
			err(1, "connect");
	while (n.peers--) {
		flen = sizeof(from);
		getpeername(client, (struct sockaddr *)&from, &flen);
	}
	while (n.sets--)
		setsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	while (n.gets--) {
		olen = sizeof(on);
		getsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, &olen);
	}
	close(client);
	close(server);
}

int main(int argc, char **argv)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "\0work" };
	char text[64];

	if (argc != 2)
		errx(2, "usage: cgroup PATH");
	join(argv[1]);
	use((const struct sockaddr *)&v4, sizeof(v4), (struct times){ 2, 3, 4, 5, 11, 12 });
	use((const struct sockaddr *)&v6, sizeof(v6), (struct times){ 6, 7, 8, 9, 0, 0 });
	use((const struct sockaddr *)&local, offsetof(struct sockaddr_un, sun_path) + 5,
	    (struct times){ 16, 17, 18, 19, 0, 0 });
	for (int i = 0; i < 13; i++) {
		int fd = open("/proc/sys/kernel/ostype", O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
			err(1, "read");
		close(fd);
	}
	for (int i = 0; i < 14; i++)
		close(open("/dev/null", O_RDONLY));
	return 0;
}
