/*
 * packet_line.h - a packet as one line: who to whom, what, how long.
 */
#ifndef SCRY_CLI_PACKET_LINE_H
#define SCRY_CLI_PACKET_LINE_H

#include "base/sb.h"

#include <stdint.h>

/* Adds the line of an Ethernet frame (ethernet) or of a packet of unknown link type. */
void packet_line(struct sb *out, const uint8_t *data, uint32_t caplen, uint32_t len,
		 int ethernet);

#endif
