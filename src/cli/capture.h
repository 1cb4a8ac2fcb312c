/*
 * capture.h - packets of a pcap file, straight from its pages.
 *
 * Reads what this machine's libpcap writes: version 2.4, this machine's byte order, times in
 * microseconds or nanoseconds (draft-ietf-opsawg-pcap).  Other files are libpcap's.
 */
#ifndef SCRY_CLI_CAPTURE_H
#define SCRY_CLI_CAPTURE_H

#include "cli/pcap.h"

#include <stdbool.h>
#include <stddef.h>

struct capture {
	const uint8_t *mem;
	size_t size, at; /* at: of the next packet */
	uint32_t snaplen;
	bool nanoseconds;
};

/* Maps the file. Returns 1, or 0 when the file is for libpcap (or cannot be read at all). */
int capture_open(struct capture *c, const char *path);
void capture_close(struct capture *c);

/* The next packet: 1; 0 at the end; -EIO with e filled in where the file is cut or damaged. */
int capture_next(struct capture *c, struct pcap_packet *packet, const uint8_t **data,
		 struct err *e);

#endif
