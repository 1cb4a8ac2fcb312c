/*
 * tcp ADDRESS BYTES [COMMAND]: one TCP connection to itself, at port 4321 of ADDRESS.
 *
 * The client sends BYTES, the server takes them all, the client closes first.  With a COMMAND,
 * which the shell runs once the connection stands, what is sent is expected to get lost: then
 * nobody reads, and the connection is given half a second to notice.
 */
#include "work.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char USAGE[] = "tcp ADDRESS BYTES [COMMAND]";

struct address {
	struct sockaddr_storage a;
	socklen_t len;
};

static struct address parse_address(const char *text)
{
	struct address to = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to.a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to.a;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(4321);
		to.len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(4321);
		to.len = sizeof(*v6);
	} else {
		errx(2, "usage: %s", USAGE);
	}
	return to;
}

static int listen_at(const struct address *at)
{
	int fd = socket(at->a.ss_family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->a, at->len) || listen(fd, 7))
		err(1, "listen");
	return fd;
}

static void send_all(int fd, long left)
{
	static const char block[1024];

	while (left > 0) {
		size_t len = left < (long)sizeof(block) ? (size_t)left : sizeof(block);
		ssize_t n = send(fd, block, len, MSG_NOSIGNAL);

		if (n < 0)
			err(1, "send");
		left -= n;
	}
}

static void receive_all(int fd, long left)
{
	char block[1024];

	while (left > 0) {
		ssize_t n = recv(fd, block, sizeof(block), 0);

		if (n <= 0)
			err(1, "receive");
		left -= n;
	}
}

int main(int argc, char **argv)
{
	struct address at = parse_address(argc > 1 ? argv[1] : "");
	long bytes = work_number(argc, argv, 2, USAGE);
	int listener = listen_at(&at);
	int client = socket(at.a.ss_family, SOCK_STREAM, 0);

	if (connect(client, (struct sockaddr *)&at.a, at.len))
		err(1, "connect");

	int server = accept(listener, NULL, NULL);

	if (argc > 3 && system(argv[3]))
		errx(1, "%s", argv[3]);
	send_all(client, bytes);
	if (argc > 3)
		usleep(500 * 1000);
	else
		receive_all(server, bytes);
	close(client);
	usleep(50 * 1000); /* the other side learns of it */
	close(server);
	return 0;
}
