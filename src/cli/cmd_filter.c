#include "cli/cmd_filter.h"

#include "base/auto.h"
#include "bpf/classic.h"
#include "bpf/disasm.h"
#include "cli/capture.h"
#include "cli/packet_line.h"
#include "cli/pcap.h"
#include "cli/seccomp.h"
#include "scry_vm.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <time.h>

enum { EXIT_BAD = 1, EXIT_SYSTEM = 2 };

enum engine { BY_JIT, BY_INTERPRETER, BY_CLASSIC, BY_LIBPCAP };

struct filter {
	struct pcap_api api;
	pcap_t *pcap;
	struct pcap_program classic;
	struct arena arena;
	struct bpf_insn *insns;
	uint32_t n;
	struct scry_vm *vm;
	int prog;
	unsigned flags;		   /* of runs */
	scry_vm_function function; /* the compiled filter; NULL: run it by the machine */
	struct capture capture;	   /* the file, when it need not go through libpcap */
	/* options */
	const char *read, *write, *device;
	int linktype, dumps;
	bool ebpf, count_only, unoptimised;
	enum engine engine;
	uint64_t limit;
	char *text;
	struct err err;
};

static const char USAGE[] =
	"usage: scry filter [OPTION]... EXPRESSION\n"
	"\n"
	"Compiles a packet filter (pcap-filter(7)) and shows it or runs it on packets.\n"
	"\n"
	"  -d, -dd, -ddd    print classic BPF: as text, as C, as numbers\n"
	"      --ebpf       print the translation to BPF\n"
	"  -r FILE          filter the packets of a pcap or pcapng file\n"
	"  -i DEVICE        filter live packets, in the kernel\n"
	"  -w FILE          write what matches as a pcap file instead of lines\n"
	"  -c N             end after N packets that match\n"
	"      --count      print only how many packets match\n"
	"      --with WHAT  jit (default), interpreter, classic, libpcap: what runs the filter\n"
	"      --seccomp FILE  print a seccomp filter (an array of struct sock_filter), with names\n"
	"  -y TYPE          link type without -r and -i (default: EN10MB)\n"
	"  -O               do not optimise\n"
	"  -h, --help       this text\n";

static int fail(const struct filter *f)
{
	fprintf(stderr, "scry filter: %s\n", f->err.msg);
	if (f->err.hint[0])
		fprintf(stderr, "hint: %s\n", f->err.hint);
	return f->err.code == -EINVAL ? EXIT_BAD : EXIT_SYSTEM;
}

/* --- options --- */

enum { OPT_EBPF = 256, OPT_COUNT, OPT_WITH };

static int set_engine(struct filter *f, const char *name)
{
	static const char *const NAMES[] = { "jit", "interpreter", "classic", "libpcap" };

	for (unsigned i = 0; i < 4; i++) {
		if (!strcmp(NAMES[i], name)) {
			f->engine = (enum engine)i;
			return 0;
		}
	}
	return err_set(&f->err, -EINVAL, "'%s' is none of jit, interpreter, classic, libpcap",
		       name);
}

static int set_limit(struct filter *f, const char *text)
{
	char *end;

	f->limit = strtoull(text, &end, 10);
	if (*end || end == text || *text == '-' || !f->limit)
		return err_set(&f->err, -EINVAL, "'%s' is no number of packets", text);
	return 0;
}

static int take_option(struct filter *f, int opt)
{
	switch (opt) {
	case 'd': f->dumps++; return 0;
	case 'r': f->read = optarg; return 0;
	case 'i': f->device = optarg; return 0;
	case 'w': f->write = optarg; return 0;
	case 'c': return set_limit(f, optarg);
	case 'O': f->unoptimised = true; return 0;
	case 'y':
		f->linktype = f->api.datalink_name_to_val(optarg);
		return f->linktype >= 0 ? 0
					: err_set(&f->err, -EINVAL,
						  "there is no link type '%s'", optarg);
	case OPT_EBPF: f->ebpf = true; return 0;
	case OPT_COUNT: f->count_only = true; return 0;
	case OPT_WITH: return set_engine(f, optarg);
	}
	return 0;
}

/* The words of the expression as one text. */
static void take_expression(struct filter *f, char **words)
{
	struct sb text = { 0 };

	for (; *words; words++)
		sb_printf(&text, "%s%s", text.len ? " " : "", *words);
	f->text = sb_steal(&text);
}

static int take_options(struct filter *f, int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{ "ebpf", no_argument, NULL, OPT_EBPF },
		{ "count", no_argument, NULL, OPT_COUNT },
		{ "with", required_argument, NULL, OPT_WITH },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	f->linktype = PCAP_ETHERNET;
	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+dr:i:w:c:y:Oh", OPTIONS, NULL)) >= 0) {
		if (opt == 'h')
			return 1;
		if (opt == '?')
			return err_set(&f->err, -EINVAL,
				       "option '%s' is not there or lacks its "
				       "argument; see `scry filter --help`",
				       argv[optind - 1]);
		int ret = take_option(f, opt);
		if (ret)
			return ret;
	}
	if (f->read && f->device)
		return err_set(&f->err, -EINVAL, "-r and -i exclude each other");
	take_expression(f, argv + optind);
	return 0;
}

/* --- the filter --- */

static int open_packets(struct filter *f)
{
	char errors[PCAP_ERRORS] = "";

	if (f->read)
		f->pcap = f->api.open_offline(f->read, errors);
	else if (f->device)
		f->pcap = f->api.open_live(f->device, PCAP_SNAPLEN, 0, 100, errors);
	else
		f->pcap = f->api.open_dead(f->linktype, PCAP_SNAPLEN);
	/* Only where the file cannot be opened do its words begin with the name. */
	if (!f->pcap && f->read && strncmp(errors, f->read, strlen(f->read)) != 0)
		return err_set(&f->err, -EIO, "%s: %s", f->read, errors);
	if (!f->pcap)
		return err_set(&f->err, -EIO, "%s", errors);
	f->linktype = f->api.datalink(f->pcap);
	return 0;
}

static int compile(struct filter *f)
{
	if (f->api.compile(f->pcap, &f->classic, f->text, !f->unoptimised, 0))
		return err_set(&f->err, -EINVAL, "'%s': %s", f->text, f->api.geterr(f->pcap));
	return classic_check(f->classic.insns, f->classic.len, &f->err);
}

/* Translates and verifies; a filter that is proved safe runs without checks. */
static int prepare_machine(struct filter *f)
{
	struct scry_vm_program info = { "filter", SCRY_VM_SOCKET, 0 };
	struct scry_vm_verdict verdict;
	int ret = classic_translate(&f->arena, f->classic.insns, f->classic.len, &f->insns,
				    &f->n, &f->err);

	if (ret)
		return ret;
	f->vm = scry_vm_new();
	f->prog = scry_vm_load(f->vm, f->insns, f->n, &info);
	if (f->prog < 0)
		return err_set(&f->err, f->prog, "%s", scry_vm_error(f->vm));
	f->flags = scry_vm_verify(f->vm, f->prog, &verdict) ? 0 : SCRY_VM_UNSAFE;
	if (f->engine == BY_INTERPRETER || scry_vm_jit(f->vm, f->prog, f->flags))
		f->flags |= SCRY_VM_INTERPRET;
	else
		f->function = scry_vm_jit_function(f->vm, f->prog);
	return 0;
}

static bool run_on_machine(struct filter *f, uint32_t *skb, size_t size,
			   const struct pcap_packet *packet, const uint8_t *data)
{
	struct scry_vm_input in = { .mem = skb,
				    .mem_size = size,
				    .packet = data,
				    .packet_size = packet->caplen,
				    .flags = f->flags };
	struct scry_vm_result out;

	return !scry_vm_run(f->vm, f->prog, &in, &out) && (uint32_t)out.r0;
}

static bool matches(struct filter *f, const struct pcap_packet *packet, const uint8_t *data)
{
	/* The head of struct __sk_buff: all that a translated filter reads of it is the length.
	 */
	uint32_t skb[12] = { packet->len };

	if (f->function && f->engine == BY_JIT)
		return (uint32_t)f->function(skb, sizeof(skb), data, packet->caplen);
	switch (f->engine) {
	case BY_CLASSIC:
		return classic_run(f->classic.insns, data, packet->caplen, packet->len);
	case BY_LIBPCAP: return f->api.offline_filter(&f->classic, packet, data);
	default: return run_on_machine(f, skb, sizeof(skb), packet, data);
	}
}

static void print_packet(const struct filter *f, const struct pcap_packet *packet,
			 const uint8_t *data)
{
	auto_sb struct sb line = { 0 };
	struct tm tm;
	char clock[16];

	localtime_r(&packet->ts.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	packet_line(&line, data, packet->caplen, packet->len, f->linktype == PCAP_ETHERNET);
	printf("%s.%06ld %s\n", clock, (long)packet->ts.tv_usec, sb_str(&line));
}

/* 1: a packet; 0: none for now; below 0: the end, or -EIO with f->err filled in. */
static int next_packet(struct filter *f, struct pcap_packet *packet, const uint8_t **data)
{
	struct pcap_packet *read;

	if (f->capture.mem) {
		int got = capture_next(&f->capture, packet, data, &f->err);
		return got ? got : -ENOENT;
	}
	int got = f->api.next_ex(f->pcap, &read, data);
	if (got == 1)
		*packet = *read;
	if (got == -1)
		return err_set(&f->err, -EIO, "%s", f->api.geterr(f->pcap));
	return got < 0 ? -ENOENT : got;
}

/* Closes what -w writes. A write that failed may have left nothing for the flush to fail at. */
static int close_dump(struct filter *f, pcap_dumper_t *dumper, int ret)
{
	bool lost = f->api.dump_flush(dumper) || ferror(f->api.dump_file(dumper));

	if (lost && !ret)
		ret = err_set(&f->err, -EIO, "write %s: not all packets could be written",
			      f->write);
	f->api.dump_close(dumper);
	return ret;
}

static int filter_packets(struct filter *f)
{
	pcap_dumper_t *dumper = f->write ? f->api.dump_open(f->pcap, f->write) : NULL;
	uint64_t seen = 0, matched = 0;
	struct pcap_packet packet;
	const uint8_t *data;
	int got = 0;

	if (f->write && !dumper)
		return err_set(&f->err, -EIO, "%s", f->api.geterr(f->pcap));
	while ((!f->limit || matched < f->limit) &&
	       (got = next_packet(f, &packet, &data)) >= 0) {
		if (!got)
			continue;
		seen++;
		if (!matches(f, &packet, data))
			continue;
		matched++;
		if (dumper)
			f->api.dump((uint8_t *)dumper, &packet, data);
		else if (!f->count_only)
			print_packet(f, &packet, data);
	}
	int ret = got == -EIO ? got : 0;
	if (dumper)
		ret = close_dump(f, dumper, ret);
	if (f->count_only)
		printf("%llu of %llu packets\n", (unsigned long long)matched,
		       (unsigned long long)seen);
	return ret;
}

/* --- printing --- */

static void print_classic(const struct filter *f)
{
	auto_sb struct sb out = { 0 };

	if (f->dumps == 2)
		classic_print_c(&out, f->classic.insns, f->classic.len);
	if (f->dumps > 2)
		classic_print_numbers(&out, f->classic.insns, f->classic.len);
	for (uint32_t i = 0; f->dumps == 1 && i < f->classic.len; i++) {
		classic_disasm(&out, f->classic.insns, i);
		sb_putc(&out, '\n');
	}
	fputs(sb_str(&out), stdout);
}

static int print_translation(struct filter *f)
{
	auto_sb struct sb out = { 0 };
	struct bpf_disasm_opts opts = { .opcode = true };
	int ret = classic_translate(&f->arena, f->classic.insns, f->classic.len, &f->insns,
				    &f->n, &f->err);

	for (uint32_t i = 0; !ret && i < f->n;) {
		sb_printf(&out, "%4u: ", i);
		i += bpf_disasm(&out, f->insns, f->n, i, &opts);
		sb_putc(&out, '\n');
	}
	fputs(sb_str(&out), stdout);
	return ret;
}

static int run(struct filter *f)
{
	int ret = open_packets(f);

	if (!ret)
		ret = compile(f);
	if (ret)
		return ret;
	if (f->dumps)
		print_classic(f);
	if (f->ebpf)
		return print_translation(f);
	if (f->dumps)
		return 0;
	if (!f->read && !f->device)
		return err_set(&f->err, -EINVAL, "nothing to do: give -d, --ebpf, -r or -i");
	if (f->device && f->api.setfilter(f->pcap, &f->classic))
		return err_set(&f->err, -EIO, "%s", f->api.geterr(f->pcap));
	if (f->read && f->engine != BY_LIBPCAP)
		capture_open(&f->capture, f->read);
	ret = prepare_machine(f);
	return ret ? ret : filter_packets(f);
}

/* Needs no libpcap, and no other options. */
static int print_seccomp(const char *path)
{
	auto_sb struct sb out = { 0 };
	struct filter f = { 0 };

	if (seccomp_print(path, &out, &f.err))
		return fail(&f);
	fputs(sb_str(&out), stdout);
	return 0;
}

int cmd_filter(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--seccomp"))
		return print_seccomp(argv[2]);
	struct filter f = { 0 };
	int ret = pcap_load(&f.api, &f.err);

	if (!ret)
		ret = take_options(&f, argc, argv);
	if (ret == 1) {
		fputs(USAGE, stdout);
		return 0;
	}
	if (!ret)
		ret = run(&f);
	int code = ret ? fail(&f) : 0;
	if (f.classic.insns)
		f.api.freecode(&f.classic);
	if (f.pcap)
		f.api.close(f.pcap);
	capture_close(&f.capture);
	scry_vm_free(f.vm);
	arena_free(&f.arena);
	free(f.text);
	return code;
}
