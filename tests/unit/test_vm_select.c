/*
 * Filters without branches: random graphs of comparisons, and what libpcap makes of
 * expressions, on packets cut at every length, whose last byte is the last of its page: the
 * function gives what the interpreters give, ours of both machines and libpcap's, and reads
 * nothing behind.
 */
#include "base/auto.h"
#include "bpf/classic.h"
#include "vm/select.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { PAGE = 4096, LONGEST = 96 };

struct pcap_program {
	unsigned len;
	struct sock_filter *insns;
};

/* libpcap, where it is installed. */
static struct {
	unsigned (*filter)(const struct sock_filter *f, const uint8_t *data, unsigned len,
			   unsigned caplen);
	void *(*open_dead)(int linktype, int snaplen);
	int (*compile)(void *p, struct pcap_program *out, const char *text, int optimize,
		       uint32_t netmask);
	void (*freecode)(struct pcap_program *f);
	void (*close)(void *p);
} pcap;

static uint8_t *page_end; /* what is behind may not be touched */
static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static int open_all(void **state)
{
	(void)state;
	void *lib = dlopen("libpcap.so.0.8", RTLD_NOW);
	uint8_t *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	page_end = p + PAGE;
	if (p == MAP_FAILED || mprotect(page_end, PAGE, PROT_NONE))
		return -1;
	if (!lib)
		return 0;
	*(void **)&pcap.filter = dlsym(lib, "bpf_filter");
	*(void **)&pcap.open_dead = dlsym(lib, "pcap_open_dead");
	*(void **)&pcap.compile = dlsym(lib, "pcap_compile");
	*(void **)&pcap.freecode = dlsym(lib, "pcap_freecode");
	*(void **)&pcap.close = dlsym(lib, "pcap_close");
	return 0;
}

/* --- one filter in all machines --- */

struct machine {
	struct arena arena;
	const struct sock_filter *classic;
	struct scry_vm *vm;
	int prog;
	scry_vm_function function;
	bool selects;
	unsigned wides; /* comparisons of many bytes at once */
};

static void start(struct machine *m, const struct sock_filter *f, uint32_t n)
{
	struct bpf_insn *insns;
	struct select plan;
	struct err e = { 0 };
	uint32_t count;

	*m = (struct machine){ .classic = f, .vm = scry_vm_new() };
	if (classic_check(f, n, &e) || classic_translate(&m->arena, f, n, &insns, &count, &e))
		fail_msg("%s", e.msg);
	m->prog = scry_vm_load(m->vm, insns, count, NULL);
	assert_true(m->prog > 0);
	assert_int_equal(scry_vm_jit(m->vm, m->prog, SCRY_VM_UNSAFE), 0);
	m->function = scry_vm_jit_function(m->vm, m->prog);
	assert_non_null(m->function);
	m->selects = vm_select_plan(&plan, vm_prog(m->vm, (uint64_t)m->prog));
	m->wides = plan.nwides;
}

static void stop(struct machine *m)
{
	scry_vm_free(m->vm);
	arena_free(&m->arena);
}

static uint32_t agree(const struct machine *m, const uint8_t *packet, uint32_t size)
{
	uint32_t skb[48] = { size };
	uint8_t *data = page_end - size;
	struct scry_vm_input in = { .mem = skb,
				    .mem_size = sizeof(skb),
				    .packet = data,
				    .packet_size = size,
				    .flags = SCRY_VM_INTERPRET };
	struct scry_vm_result out;

	memcpy(data, packet, size);
	uint32_t want = classic_run(m->classic, data, size, size);
	uint64_t got = m->function(skb, sizeof(skb), data, size);
	assert_int_equal(got, want);
	assert_int_equal(scry_vm_run(m->vm, m->prog, &in, &out), 0);
	assert_int_equal(out.r0, want);
	if (pcap.filter)
		assert_int_equal(pcap.filter(m->classic, data, size, size), want);
	return want;
}

/* --- random graphs --- */

static uint32_t small_bytes(unsigned size)
{
	uint32_t v = 0;

	while (size--)
		v = v << 8 | pick(3);
	return v;
}

/* A field: of a constant place, or behind a header whose length is in the packet. */
static uint32_t put_load(struct sock_filter *f, unsigned *size)
{
	static const uint16_t SIZES[] = { BPF_B, BPF_H, BPF_W };
	unsigned k = pick(3), n = 0;
	bool indexed = !pick(3);

	*size = 1u << k;
	if (indexed && pick(2))
		f[n++] = (struct sock_filter){ BPF_LDX | BPF_B | BPF_MSH, 0, 0, pick(3) };
	f[n++] = (struct sock_filter){
		(uint16_t)(BPF_LD | SIZES[k] | (indexed ? BPF_IND : BPF_ABS)), 0, 0, pick(40)
	};
	return n;
}

static uint32_t put_arithmetic(struct sock_filter *f, unsigned size)
{
	static const uint16_t OPS[] = { BPF_AND, BPF_AND, BPF_AND, BPF_RSH, BPF_LSH,
					BPF_ADD, BPF_SUB, BPF_OR,  BPF_MUL };
	uint16_t op = OPS[pick(sizeof(OPS) / sizeof(*OPS))];
	uint32_t k = small_bytes(size);

	if (op == BPF_RSH || op == BPF_LSH)
		k = 1 + pick(9);
	*f = (struct sock_filter){ BPF_ALU | op, 0, 0, k };
	return 1;
}

static uint32_t random_graph(struct sock_filter *f, unsigned comparisons)
{
	static const uint16_t OPS[] = { BPF_JEQ, BPF_JEQ, BPF_JSET, BPF_JGT, BPF_JGE };
	uint32_t at[20], n = 0;
	unsigned size = 4;

	for (unsigned i = 0; i < comparisons; i++) {
		if (!i || pick(4))
			n += put_load(f + n, &size);
		while (!pick(3))
			n += put_arithmetic(f + n, size);
		at[i] = n;
		f[n++] = (struct sock_filter){ (uint16_t)(BPF_JMP | OPS[pick(5)]), 0, 0,
					       small_bytes(size) };
	}
	for (unsigned i = 0; i < 3; i++)
		f[n + i] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, i * 77 };
	/* Half of them are chains that want all to hold; they mostly end in one place when not.
	 */
	bool chain = pick(2);
	uint32_t fail = pick(3);
	/* Go on, or end; some meet a later comparison with what was loaded on the way here. */
	for (unsigned i = 0; i < comparisons; i++) {
		uint32_t end = n - at[i] - 1, next = i + 1 < comparisons ? 0 : end;
		uint32_t other =
			i + 2 < comparisons && pick(2) ? at[i + 1] - at[i] : end + pick(3);

		if (chain && pick(8))
			other = end + fail;
		bool goes_on = chain ? BPF_OP(f[at[i]].code) != BPF_JSET : pick(2);
		f[at[i]].jt = (uint8_t)(goes_on ? next : other);
		f[at[i]].jf = (uint8_t)(f[at[i]].jt == next ? other : next);
	}
	return n + 3;
}

static void random_graphs_agree(void **state)
{
	(void)state;
	unsigned selecting = 0, wide = 0, ends[3] = { 0 };

	for (unsigned round = 0; round < 4000; round++) {
		struct sock_filter f[160];
		struct machine m;
		uint8_t packet[LONGEST];

		start(&m, f, random_graph(f, 1 + pick(16)));
		selecting += m.selects;
		wide += m.selects && m.wides;
		for (unsigned k = 0; k < 40; k++) {
			for (unsigned i = 0; i < LONGEST; i++)
				packet[i] = (uint8_t)(pick(20) ? pick(3) : pick(256));
			ends[agree(&m, packet, k % 4 ? LONGEST - pick(40) : pick(60)) / 77]++;
		}
		stop(&m);
	}
	assert_true(selecting > 3000 && wide > 300);
	assert_true(ends[0] > 20000 && ends[1] > 20000 && ends[2] > 20000);
}

/* --- expressions --- */

static const struct {
	const char *text;
	bool selects;
	unsigned wides;
} EXPRESSIONS[] = {
	{ "tcp and port 80", true, 2 },
	{ "ip", true, 0 },
	{ "udp and dst port 53", true, 2 },
	{ "host 10.0.0.1 and tcp", true, 0 },
	{ "net 192.168.0.0/16", true, 0 },
	{ "ip6 and tcp port 443", true, 1 },
	{ "tcp[tcpflags] & tcp-syn != 0", true, 1 },
	{ "vlan and ip", true, 0 },
	{ "arp", true, 0 },
	{ "ip[0] & 0xf > 5", true, 0 },
	{ "ip6[7] > 64 or ip[8] < 5", true, 0 },
	{ "ether host 01:02:03:00:01:02", true, 0 },
	{ "portrange 0-513", true, 0 },
	{ "greater 60", false, 0 }, /* the length is not of the packet */
	{ "tcp[((tcp[12] & 0xf0) >> 2)] = 0x47", false, 0 }, /* a sum of two registers */
	{ "port 1 or port 2 or port 3 or port 4 or port 5", false, 0 }, /* too large */
};

/* Packets that come close to the expressions: known protocols, few addresses and ports. */
static void likely_packet(uint8_t *p)
{
	static const uint16_t TYPES[] = { 0x800, 0x800, 0x86dd, 0x806, 0x8035 };
	static const uint8_t PROTOCOLS[] = { 6, 6, 17, 132, 1, 44 };
	static const uint16_t PORTS[] = { 80, 53, 443, 1, 513 };
	unsigned type = TYPES[pick(5)], at = 14;

	for (unsigned i = 0; i < LONGEST; i++)
		p[i] = (uint8_t)(pick(4) ? pick(3) : pick(256));
	if (!pick(4))
		memcpy(p, "\1\2\3\0\1\2", 6);
	if (!pick(4)) {
		memcpy(p + 12, "\x81\x00\x00\x07", 4);
		at = 18;
	}
	memcpy(p + at - 2, (uint8_t[]){ (uint8_t)(type >> 8), (uint8_t)type }, 2);
	p[at] = pick(8) ? (type == 0x86dd ? 0x60 : 0x45) : (uint8_t)pick(256);
	p[at + (type == 0x86dd ? 6 : 9)] = PROTOCOLS[pick(6)];
	if (pick(4))
		memset(p + at + 6, 0, 2 * (type == 0x800));
	for (unsigned i = 0; i < 4; i++) {
		if (pick(2))
			memcpy(p + at + (i < 2 ? 12 : 8) + 4 * i,
			       pick(2) ? "\xc0\xa8\x00\x01" : "\x0a\x00\x00\x01", 4);
	}
	at += type == 0x86dd ? 40 : 4 * (p[at] & 0xf);
	p[at + 12] = 0x50;
	p[at + 20] = 'G';
	for (unsigned i = 0; i < 2; i++) {
		unsigned port = PORTS[pick(5)];
		memcpy(p + at + 2 * i, (uint8_t[]){ (uint8_t)(port >> 8), (uint8_t)port }, 2);
	}
}

static void expressions_agree(void **state)
{
	(void)state;
	if (!pcap.compile)
		skip();
	for (unsigned i = 0; i < sizeof(EXPRESSIONS) / sizeof(*EXPRESSIONS); i++) {
		void *p = pcap.open_dead(1, 262144);
		struct pcap_program f;
		struct machine m;
		uint8_t packet[2 * LONGEST];
		unsigned matched = 0;

		assert_int_equal(pcap.compile(p, &f, EXPRESSIONS[i].text, 1, 0), 0);
		start(&m, f.insns, f.len);
		if (m.selects != EXPRESSIONS[i].selects || m.wides != EXPRESSIONS[i].wides)
			fail_msg("%s: branches %d, wide %u", EXPRESSIONS[i].text, !m.selects,
				 m.wides);
		for (unsigned k = 0; k < 3000; k++) {
			likely_packet(packet);
			matched +=
				agree(&m, packet, k % 3 ? LONGEST - 1 : k / 3 % LONGEST) != 0;
		}
		if (!matched)
			fail_msg("%s: nothing matched", EXPRESSIONS[i].text);
		stop(&m);
		pcap.freecode(&f);
		pcap.close(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_graphs_agree),
		cmocka_unit_test(expressions_agree),
	};
	return cmocka_run_group_tests(tests, open_all, NULL);
}
