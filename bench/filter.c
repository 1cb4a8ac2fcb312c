/*
 * filter EXPRESSION FILE TRAIN SET: what a packet filter costs, by each machine that can run
 * it.
 *
 * Makes PACKETS Ethernet packets of known kinds, writes them to FILE as a capture, compiles the
 * expression with libpcap, and runs the result over all packets in memory, the machines in
 * turn. A conversation has 1 to TRAIN packets in a row, as on a line; 1 shuffles all, the worst
 * case for the processor's guesses.  Only the first SET packets are looked at, again and again:
 * few of them stay in the cache, where the filter's own time shows.  Prints "NAME NS" per
 * machine: the median of ROUNDS, in nanoseconds per packet.  All machines must let the same
 * number of packets through.
 */
#include "base/arena.h"
#include "base/err.h"
#include "bpf/classic.h"
#include "cli/pcap.h"
#include "scry_vm.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PACKETS = 1000000, CAPLEN = 96, ROUNDS = 9, BATCH = 256 };

struct bench {
	struct pcap_api api;
	struct pcap_program classic;
	struct scry_vm *vm;
	int prog;
	struct pcap_packet *heads;
	uint8_t *data; /* CAPLEN bytes each */
	unsigned set;  /* packets looked at: a power of two, or all */
};

static unsigned place(const struct bench *b, unsigned i)
{
	return b->set < PACKETS ? i & (b->set - 1) : i;
}

static const uint8_t *data_of(const struct bench *b, unsigned i)
{
	return b->data + (size_t)place(b, i) * CAPLEN;
}

static const struct pcap_packet *head_of(const struct bench *b, unsigned i)
{
	return &b->heads[place(b, i)];
}

static uint32_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/*
 * Of 100 conversations 50 are TCP and 25 UDP over IPv4, 15 TCP and 5 UDP over IPv6, 5 ARP; one
 * TCP conversation in five is with port 80.
 */
static void make_packet(uint8_t *p, struct pcap_packet *head, unsigned kind, bool to_web)
{
	unsigned at = 34;
	bool tcp = kind < 50 || (kind >= 75 && kind < 90), v6 = kind >= 75 && kind < 95;
	unsigned server = tcp && to_web ? 80 : 443;

	for (unsigned i = 0; i < CAPLEN; i++)
		p[i] = (uint8_t)next_random();
	put16(p + 12, kind >= 95 ? 0x806 : v6 ? 0x86dd : 0x800);
	if (v6) {
		p[14] = 0x60;
		p[20] = tcp ? 6 : 17;
		at = 54;
	} else {
		p[14] = 0x45;
		put16(p + 20, 0x4000);
		p[23] = tcp ? 6 : 17;
	}
	bool reply = next_random() & 1;
	put16(p + at, reply ? server : 1024 + next_random() % 60000);
	put16(p + at + 2, reply ? 1024 + next_random() % 60000 : server);
	*head = (struct pcap_packet){ { 1700000000, 0 },
				      CAPLEN,
				      CAPLEN + next_random() % 1400 };
}

static void make_packets(struct bench *b, unsigned train)
{
	unsigned kind = 0, left = 0;
	bool to_web = false;

	b->heads = malloc(PACKETS * sizeof(*b->heads));
	b->data = aligned_alloc(2 << 20,
				(size_t)PACKETS * CAPLEN / (2 << 20) * (2 << 20) + (2 << 20));
	madvise(b->data, (size_t)PACKETS * CAPLEN, MADV_HUGEPAGE);
	for (unsigned i = 0; i < PACKETS; i++) {
		if (!left--) {
			kind = next_random() % 100;
			to_web = next_random() % 5 == 0;
			left = next_random() % train;
		}
		make_packet(b->data + (size_t)i * CAPLEN, &b->heads[i], kind, to_web);
	}
}

static void write_capture(const struct bench *b, const char *path)
{
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snaplen, linktype;
	} HEAD = { 0xa1b2c3d4, 2, 4, 0, 0, CAPLEN, PCAP_ETHERNET };
	FILE *f = fopen(path, "we");

	if (!f || fwrite(&HEAD, sizeof(HEAD), 1, f) != 1)
		exit(1);
	for (unsigned i = 0; i < PACKETS; i++) {
		uint32_t head[4] = { 1700000000 + i / 10000, i % 10000 * 100, CAPLEN,
				     b->heads[i].len };

		fwrite(head, sizeof(head), 1, f);
		fwrite(b->data + (size_t)i * CAPLEN, CAPLEN, 1, f);
	}
	if (fclose(f))
		exit(1);
}

/* --- the machines: each returns how many packets matched --- */

static unsigned by_libpcap(struct bench *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PACKETS; i++)
		n += b->api.offline_filter(&b->classic, head_of(b, i), data_of(b, i)) != 0;
	return n;
}

static unsigned by_classic(struct bench *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PACKETS; i++)
		n += classic_run(b->classic.insns, data_of(b, i), CAPLEN, head_of(b, i)->len) !=
		     0;
	return n;
}

static unsigned by_interpreter(struct bench *b)
{
	static uint32_t skb[BATCH][12];
	struct scry_vm_packet packets[BATCH];
	struct scry_vm_input in = { .flags = SCRY_VM_UNSAFE | SCRY_VM_INTERPRET };
	struct scry_vm_result out;
	unsigned n = 0;

	for (unsigned i = 0; i < PACKETS;) {
		unsigned k = 0;

		for (; k < BATCH && i < PACKETS; k++, i++) {
			skb[k][0] = head_of(b, i)->len;
			packets[k] = (struct scry_vm_packet){ skb[k], sizeof(skb[k]),
							      data_of(b, i), CAPLEN, 0 };
		}
		if (scry_vm_run_packets(b->vm, b->prog, &in, packets, k, &out))
			exit(1);
		while (k--)
			n += packets[k].r0 != 0;
	}
	return n;
}

static unsigned by_jit(struct bench *b)
{
	scry_vm_function filter = scry_vm_jit_function(b->vm, b->prog);
	uint32_t skb[12] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < PACKETS; i++) {
		skb[0] = head_of(b, i)->len;
		n += (uint32_t)filter(skb, sizeof(skb), data_of(b, i), CAPLEN) != 0;
	}
	return n;
}

static const struct {
	const char *name;
	unsigned (*run)(struct bench *b);
} MACHINES[] = {
	{ "libpcap", by_libpcap },
	{ "jit", by_jit },
	{ "interpreter", by_interpreter },
	{ "classic", by_classic },
};

enum { NMACHINES = sizeof(MACHINES) / sizeof(*MACHINES) };

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
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

int main(int argc, char **argv)
{
	static double ns[NMACHINES][ROUNDS];
	struct bench b = { 0 };
	struct arena arena = { 0 };
	struct err e = { 0 };
	unsigned matched = 0, train = argc == 5 ? (unsigned)atoi(argv[3]) : 0;

	if (!train)
		return fail("EXPRESSION, FILE, TRAIN and SET are wanted");
	b.set = (unsigned)atoi(argv[4]);
	if (!b.set || b.set > PACKETS || (b.set < PACKETS && b.set & (b.set - 1)))
		return fail("SET is a power of two, or 1000000");
	if (pcap_load(&b.api, &e) || prepare(&b, argv[1], &arena, &e))
		return fail(e.msg);
	make_packets(&b, train);
	write_capture(&b, argv[2]);

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned m = 0; m < NMACHINES; m++) {
			double start = seconds();
			unsigned n = MACHINES[m].run(&b);

			ns[m][round] = (seconds() - start) * 1e9 / PACKETS;
			if (!matched)
				matched = n;
			if (n != matched)
				return fail("the machines disagree");
		}
	}
	for (unsigned m = 0; m < NMACHINES; m++) {
		qsort(ns[m], ROUNDS, sizeof(double), by_value);
		printf("%s %.2f\n", MACHINES[m].name, ns[m][ROUNDS / 2]);
	}
	return 0;
}
