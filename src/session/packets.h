/*
 * packets.h - the packets that skboutput() takes, in files for tcpdump and the like.
 *
 * Programs write packets to a ring per CPU (plan.h, PACKET_...), since the helper that copies
 * whole packets, with parts in other pages, knows no other place.  Files are in the format of
 * pcap-savefile(5): time stamps in microseconds, link type RAW, IP packets without a link
 * header.
 */
#ifndef SCRY_SESSION_PACKETS_H
#define SCRY_SESSION_PACKETS_H

#include "base/err.h"
#include "script/plan.h"
#include "session/load.h"

struct packets;

/*
 * Makes the files, replacing what had their names, and gives the programs their rings.
 * *out is NULL when the plan takes no packets. Returns 0 or -errno with e set.
 */
int packets_open(struct packets **out, const struct plan *plan, const struct loaded *l,
		 struct err *e);
/* A descriptor that is readable when much is waiting to be read; owned by p. */
int packets_fd(const struct packets *p);
/* Writes to the files what came so far, in the order of time. Returns 0 or -errno, e set. */
int packets_read(struct packets *p, struct err *e);
void packets_close(struct packets *p);

#endif
