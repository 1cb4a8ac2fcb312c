/*
 * Captures: any bytes as a pcap file, its packets printed as lines.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "cli/capture.h"
#include "cli/packet_line.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const char *path)
{
	struct pcap_packet packet;
	auto_sb struct sb line = { 0 };
	struct err e = { 0 };
	struct capture c;
	const uint8_t *bytes;

	if (!capture_open(&c, path))
		return;
	for (unsigned kind = 0; capture_next(&c, &packet, &bytes, &e) > 0; kind ^= 1) {
		/* A copy of the very size, so that reads behind it are seen. */
		uint8_t *copy = xrealloc(NULL, packet.caplen ? packet.caplen : 1);

		memcpy(copy, bytes, packet.caplen);
		sb_clear(&line);
		packet_line(&line, copy, packet.caplen, packet.len, (int)kind);
		free(copy);
	}
	capture_close(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t HEAD[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
					  0,	0,    0,    0,	  0, 1, 0, 0, 1, 0, 0, 0 };
	auto_close int fd = memfd_create("pcap", MFD_CLOEXEC);
	char path[32];

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* As it is when it begins like a capture, else behind such a beginning. */
	if (size < 4 || (memcmp(data, HEAD, 4) != 0 && write(fd, HEAD, sizeof(HEAD)) < 0))
		return 0;
	if (write(fd, data, size) == (ssize_t)size)
		read_all(path);
	return 0;
}
