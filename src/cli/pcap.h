/*
 * pcap.h - libpcap, loaded when it is asked for.
 *
 * The library is opened at run time: linked in, it would bring D-Bus and systemd into every
 * start of scry.  Its interface is declared here as far as it is used, since its own header and
 * <linux/bpf.h> both define struct bpf_insn.
 */
#ifndef SCRY_CLI_PCAP_H
#define SCRY_CLI_PCAP_H

#include "base/err.h"

#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>

typedef struct pcap pcap_t;
typedef struct pcap_dumper pcap_dumper_t;

struct pcap_program { /* struct bpf_program */
	unsigned len;
	struct sock_filter *insns;
};

struct pcap_packet { /* struct pcap_pkthdr */
	struct timeval ts;
	uint32_t caplen, len;
};

enum { PCAP_ERRORS = 256, PCAP_SNAPLEN = 262144, PCAP_ETHERNET = 1 };

struct pcap_api {
	pcap_t *(*open_dead)(int linktype, int snaplen);
	pcap_t *(*open_offline)(const char *path, char *errors);
	pcap_t *(*open_live)(const char *device, int snaplen, int promisc, int ms,
			     char *errors);
	void (*close)(pcap_t *p);
	int (*compile)(pcap_t *p, struct pcap_program *out, const char *text, int optimize,
		       uint32_t netmask);
	void (*freecode)(struct pcap_program *program);
	int (*setfilter)(pcap_t *p, struct pcap_program *program);
	int (*offline_filter)(const struct pcap_program *program,
			      const struct pcap_packet *packet, const uint8_t *data);
	int (*next_ex)(pcap_t *p, struct pcap_packet **packet, const uint8_t **data);
	char *(*geterr)(pcap_t *p);
	int (*datalink)(pcap_t *p);
	int (*datalink_name_to_val)(const char *name);
	pcap_dumper_t *(*dump_open)(pcap_t *p, const char *path);
	void (*dump)(uint8_t *dumper, const struct pcap_packet *packet, const uint8_t *data);
	int (*dump_flush)(pcap_dumper_t *dumper);
	FILE *(*dump_file)(pcap_dumper_t *dumper);
	void (*dump_close)(pcap_dumper_t *dumper);
};

/* Fills api, or returns -ENOTSUP with what to install. */
int pcap_load(struct pcap_api *api, struct err *e);

#endif
