/* drops COUNT: sends COUNT datagrams over loopback to a UDP port nobody has. */
#include "work.h"

#include <arpa/inet.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 1, "drops COUNT");
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	while (count--)
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
			err(1, "sendto");
	return 0;
}
