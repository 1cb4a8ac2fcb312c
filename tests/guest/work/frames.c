/* frames DEVICE COUNT: sends COUNT frames of 60 bytes, of an experiment's protocol (88b5). */
#include "work.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	long count = work_number(argc, argv, 2, "frames DEVICE COUNT");
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(0x88b5),
				  .sll_ifindex = (int)if_nametoindex(argv[1]),
				  .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	char frame[60] = { 0 };

	frame[12] = (char)0x88;
	frame[13] = (char)0xb5;
	while (count--)
		if (sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			err(1, "sendto");
	return 0;
}
