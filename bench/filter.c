/*
 * filter EXPRESSION FILE TRAIN SET [LENGTH]: what a packet filter costs, by each machine that
 * can run it.
 *
 * Makes a capture of PACKETS Ethernet packets of known kinds, as FILE and in memory, compiles
 * the expression with libpcap, and runs the result over the capture in memory, the machines in
 * turn: all walk the same bytes in the same order. A conversation has 1 to TRAIN packets in a
 * row, as on a line; 1 shuffles all, the worst case for the processor's guesses.  Only the
 * first SET packets are looked at, again and again: few of them stay in the cache, where the
 * filter's own time shows.  Of 12 packets 7 have 60 bytes, 4 have 590 and 1 has 1514 (the
 * "simple IMIX"), or all have LENGTH; the capture keeps SNAPLEN of each.  Prints "NAME NS" per
 * machine: the median of ROUNDS, in nanoseconds of the processor per packet, and "matched N".
 * All machines must let the same packets through.
 */
#include "base/arena.h"
#include "base/err.h"
#include "bpf/classic.h"
#include "cli/pcap.h"
#include "scry_vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PACKETS = 1000000, SNAPLEN = 96, ROUNDS = 15, BATCH = 64 };

/* A packet with its head, in memory as in the file. */
struct record {
	uint32_t sec, usec, caplen, len;
	uint8_t data[];
};

struct bench {
	struct pcap_api api;
	struct pcap_program classic;
	struct scry_vm *vm;
	int prog;
	struct record *first;
	const struct record *end, *all; /* behind those that are looked at, behind all */
	unsigned set, turns;		/* how many they are, and how often looked at */
	unsigned matched;		/* of those */
};

static struct record *next(const struct record *r)
{
	return (struct record *)(uintptr_t)(r->data + r->caplen);
}

static uint32_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static bool percent(unsigned n)
{
	return next_random() % 100 < n;
}

/* --- packets --- */

struct conversation {
	bool arp, v6, tcp, vlan;
	unsigned port; /* the server's */
	uint32_t client, server;
	unsigned left, sent;
};

/*
 * Of 100 conversations 50 are TCP and 25 UDP over IPv4, 15 TCP and 5 UDP over IPv6, 5 ARP; one
 * TCP conversation in five is with port 80, two of five of UDP's with port 53; one in ten has a
 * VLAN tag, one in five is with 192.168.0.0/16, one in ten with 10.0.0.1.
 */
static struct conversation start_conversation(unsigned train)
{
	unsigned kind = next_random() % 100, where = next_random() % 10;
	struct conversation c = { .arp = kind >= 95, .v6 = kind >= 75 && kind < 95 };

	c.tcp = kind < 50 || (kind >= 75 && kind < 90);
	c.port = c.tcp ? (percent(20) ? 80 : 443) : (percent(40) ? 53 : 4500);
	c.vlan = percent(10);
	c.client = 0x0b000000 | next_random() % 0x1000000;
	c.server = where < 2	? 0xc0a80000 | next_random() % 0x10000
		   : where == 2 ? 0x0a000001
				: 0x20000000 | next_random() % 0x1000000;
	c.left = 1 + next_random() % train;
	return c;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void put_ip(uint8_t *p, const struct conversation *c, bool reply)
{
	if (c->v6) {
		p[0] = 0x60;
		p[6] = c->tcp ? 6 : 17;
		return;
	}
	p[0] = 0x45;
	put16(p + 6, 0x4000);
	p[9] = c->tcp ? 6 : 17;
	put32(p + 12, reply ? c->server : c->client);
	put32(p + 16, reply ? c->client : c->server);
}

/* Returns how long the packet must be at least. */
static unsigned make_packet(uint8_t *p, struct conversation *c)
{
	bool reply = next_random() & 1;
	unsigned at = 12;

	for (unsigned i = 0; i < SNAPLEN; i++)
		p[i] = (uint8_t)next_random();
	if (c->vlan) {
		put32(p + at, 0x81000007);
		at += 4;
	}
	put16(p + at, c->arp ? 0x806 : c->v6 ? 0x86dd : 0x800);
	at += 2;
	if (c->arp)
		return at + 28;
	put_ip(p + at, c, reply);
	at += c->v6 ? 40 : 20;
	put16(p + at, reply ? c->port : 1024 + next_random() % 60000);
	put16(p + at + 2, reply ? 1024 + next_random() % 60000 : c->port);
	p[at + 13] = c->sent++ ? 0x10 : 0x02;
	return at + (c->tcp ? 20 : 8);
}

static uint32_t length(unsigned fixed, unsigned least)
{
	unsigned kind = next_random() % 12;
	uint32_t len = fixed ? fixed : kind < 7 ? 60 : kind < 11 ? 590 : 1514;

	return len > least ? len : least;
}

static void make_packets(struct bench *b, unsigned train, unsigned set, unsigned fixed)
{
	size_t room = (size_t)(PACKETS + 1) * (sizeof(struct record) + SNAPLEN);
	struct record *r = aligned_alloc(2 << 20, (room | ((2 << 20) - 1)) + 1);
	struct conversation c = { 0 };

	/* Large pages: no machine waits for the tables of pages. */
	madvise(r, room, MADV_HUGEPAGE);
	b->first = r;
	for (unsigned i = 0; i < PACKETS; i++, r = next(r)) {
		if (!c.left)
			c = start_conversation(train);
		c.left--;
		if (i == set)
			b->end = r;
		r->len = length(fixed, make_packet(r->data, &c));
		r->caplen = r->len < SNAPLEN ? r->len : SNAPLEN;
		r->sec = 1700000000 + i / 10000;
		r->usec = i % 10000 * 100;
	}
	b->all = r;
	b->end = set < PACKETS ? b->end : r;
	b->set = set;
	b->turns = PACKETS / set;
}

static void write_capture(const struct bench *b, const char *path)
{
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, linktype;
	} HEAD = { 0xa1b2c3d4, 2, 4, 0, 0, SNAPLEN, PCAP_ETHERNET };
	size_t size = (size_t)((const char *)b->all - (const char *)b->first);
	FILE *f = fopen(path, "we");

	if (!f || fwrite(&HEAD, sizeof(HEAD), 1, f) != 1 || fwrite(b->first, size, 1, f) != 1 ||
	    fclose(f))
		exit(1);
}

/* --- the machines: each returns how many packets matched --- */

static unsigned by_libpcap(struct bench *b)
{
	struct pcap_packet head = { 0 };
	unsigned n = 0;

	for (const struct record *p = b->first; p < b->end; p = next(p)) {
		head.caplen = p->caplen;
		head.len = p->len;
		n += b->api.offline_filter(&b->classic, &head, p->data) != 0;
	}
	b->matched = n;
	return n;
}

static unsigned by_classic(struct bench *b)
{
	unsigned n = 0;

	for (const struct record *p = b->first; p < b->end; p = next(p))
		n += classic_run(b->classic.insns, p->data, p->caplen, p->len) != 0;
	return n;
}

static unsigned run_batch(struct bench *b, struct scry_vm_packet *packets, unsigned k)
{
	struct scry_vm_input in = { .flags = SCRY_VM_UNSAFE | SCRY_VM_INTERPRET };
	struct scry_vm_result out;
	unsigned n = 0;

	if (scry_vm_run_packets(b->vm, b->prog, &in, packets, k, &out))
		exit(1);
	while (k--)
		n += (uint32_t)packets[k].r0 != 0;
	return n;
}

static unsigned by_interpreter(struct bench *b)
{
	static uint32_t skb[BATCH][12];
	struct scry_vm_packet packets[BATCH];
	unsigned n = 0, k = 0;

	for (const struct record *p = b->first; p < b->end; p = next(p)) {
		skb[k][0] = p->len;
		packets[k] = (struct scry_vm_packet){ skb[k], sizeof(skb[k]), p->data,
						      p->caplen, 0 };
		if (++k < BATCH)
			continue;
		n += run_batch(b, packets, k);
		k = 0;
	}
	return n + run_batch(b, packets, k);
}

static unsigned by_jit(struct bench *b)
{
	scry_vm_function filter = scry_vm_jit_function(b->vm, b->prog);
	uint32_t skb[12] = { 0 };
	unsigned n = 0;

	for (const struct record *p = b->first; p < b->end; p = next(p)) {
		skb[0] = p->len;
		n += (uint32_t)filter(skb, sizeof(skb), p->data, p->caplen) != 0;
	}
	return n;
}

/* What memory alone takes: a packet's head, and the first and last bytes that filters look at.
 */
static unsigned by_nothing(struct bench *b)
{
	unsigned sum = 0;

	for (const struct record *p = b->first; p < b->end; p = next(p))
		sum += p->len + p->data[12] + p->data[56];
	__asm__ volatile("" ::"r"(sum));
	return b->matched;
}

static const struct {
	const char *name;
	unsigned (*run)(struct bench *b);
} MACHINES[] = {
	{ "libpcap", by_libpcap },	   { "memory", by_nothing },  { "jit", by_jit },
	{ "interpreter", by_interpreter }, { "classic", by_classic },
};

enum { NMACHINES = sizeof(MACHINES) / sizeof(*MACHINES) };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int fail(const char *what)
{
	fprintf(stderr, "filter: %s\n", what);
	return 1;
}

static int prepare(struct bench *b, const char *text, struct arena *arena, struct err *e)
{
	struct scry_vm_program info = { "filter", SCRY_VM_SOCKET, 0 };
	struct scry_vm_verdict verdict;
	struct bpf_insn *insns;
	uint32_t n;

	if (b->api.compile(b->api.open_dead(PCAP_ETHERNET, PCAP_SNAPLEN), &b->classic, text, 1,
			   0))
		return err_set(e, -1, "'%s' is no filter", text);
	if (classic_translate(arena, b->classic.insns, b->classic.len, &insns, &n, e))
		return -1;
	b->vm = scry_vm_new();
	b->prog = scry_vm_load(b->vm, insns, n, &info);
	if (b->prog < 0 || scry_vm_verify(b->vm, b->prog, &verdict) ||
	    scry_vm_jit(b->vm, b->prog, SCRY_VM_UNSAFE))
		return err_set(e, -1, "the machine refuses the filter");
	return 0;
}

static int measure(struct bench *b)
{
	static double ns[NMACHINES][ROUNDS];
	double looked_at = (double)b->turns * b->set;
	unsigned matched = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned m = 0; m < NMACHINES; m++) {
			double start = seconds();
			unsigned n = 0;

			for (unsigned turn = 0; turn < b->turns; turn++)
				n += MACHINES[m].run(b);
			ns[m][round] = (seconds() - start) * 1e9 / looked_at;
			if (round + m && n != matched)
				return fail("the machines disagree");
			matched = n;
		}
	}
	for (unsigned m = 0; m < NMACHINES; m++) {
		qsort(ns[m], ROUNDS, sizeof(double), by_value);
		printf("%s %.2f\n", MACHINES[m].name, ns[m][ROUNDS / 2]);
	}
	printf("matched %u\n", matched);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct arena arena = { 0 };
	struct err e = { 0 };
	unsigned train = argc >= 5 ? (unsigned)atoi(argv[3]) : 0;
	unsigned set = train ? (unsigned)atoi(argv[4]) : 0;

	if (!set || set > PACKETS)
		return fail("EXPRESSION, FILE, TRAIN and SET (up to 1000000) are wanted");
	if (pcap_load(&b.api, &e) || prepare(&b, argv[1], &arena, &e))
		return fail(e.msg);
	make_packets(&b, train, set, argc > 5 ? (unsigned)atoi(argv[5]) : 0);
	write_capture(&b, argv[2]);
	return measure(&b);
}
