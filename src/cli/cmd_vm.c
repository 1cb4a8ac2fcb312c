#include "cli/cmd_vm.h"

#include "base/auto.h"
#include "bpf/disasm.h"
#include "cli/machine_code.h"
#include "cli/vm_input.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>

enum { EXIT_BAD = 1, EXIT_SYSTEM = 2, MAX_MAPS = 64 };

/* A program on the machine. */
struct loaded {
	int id;
	const struct bpf_object_prog *prog; /* of an object file, or NULL */
	const struct bpf_insn *insns;
	uint32_t n;
};

/* What one subcommand was asked for, and what it works on. */
struct task {
	const char *path; /* of the program; plugin: the memory */
	const char *out;
	struct scry_vm_input input;
	struct sb memory;
	uint8_t *packet; /* plugin: the memory as the packet of XDP; else NULL */
	struct scry_vm_program info;
	bool context_given, jit, interpret, unsafe, blind, trace, elf;
	bool plugin; /* called by a runner, which may hand over arguments without content */
	uint32_t record_size; /* of tracepoints, unless --size says it */
	uint64_t repeat;
	enum insn_dialect dialect;
	struct vm_wanted wanted;
	struct arena arena;
	struct scry_vm *vm;
	struct sb file;
	struct vm_source source;
	struct bpf_insn *insns; /* of the source */
	uint32_t n;
	VEC(struct loaded) loaded; /* the program first, then those that it may go to */
	int prog, maps[MAX_MAPS];
	unsigned nmaps;
	struct vm_map_def map_defs[MAX_MAPS];
	struct err err;
};

static const char USAGE[] =
	"usage: scry vm COMMAND [OPTION]... [FILE]\n"
	"\n"
	"A BPF machine without a kernel. FILE (default: standard input) holds a program: assembler\n"
	"text in either dialect, hexadecimal digits, raw instructions, or an object file.\n"
	"\n"
	"  asm       print the program's bytes; -o FILE writes them\n"
	"  disasm    print the program as text\n"
	"  verify    say whether the program is safe: exit 0, or 1 with the reason\n"
	"  run       run the program and print r0\n"
	"  jit       print the machine code of each instruction (as text if capstone is installed)\n"
	"  plugin    [MEMORY-HEX]: run one line of hex digits, as bpf_conformance asks for;\n"
	"            --elf: they are those of an object file; --context xdp: the memory is a packet\n"
	"\n"
	"  -m, --mem HEX          memory that r1 points to; r2 is its size\n"
	"  -M, --mem-file FILE    the same from a file\n"
	"      --map TYPE:KEY:VALUE:ENTRIES[:NAME]\n"
	"                         map 1, 2, ... of the program; TYPE: hash, array, prog_array,\n"
	"                         percpu_hash, percpu_array, lru_hash, lru_percpu_hash, lpm_trie,\n"
	"                         queue, stack, ringbuf, perf_event_array, stack_trace; or\n"
	"                         array_of_maps, hash_of_maps: VALUE is then the number of a map\n"
	"                         like those inside, NAME=1,2 are the numbers of elements 0 and 1\n"
	"  -c, --context KIND     what the verifier takes r1 for: memory, socket, classifier, xdp,\n"
	"                         tracepoint (default: memory)\n"
	"  -p, --prog NAME        the program of an object file (default: its first)\n"
	"      --btf FILE         the kernel's types for CO-RE relocations of an object file, as BTF\n"
	"                         or in an ELF file (default: the running kernel's)\n"
	"      --size N           for the verifier: bytes of memory (default: those of --mem; 0\n"
	"                         without it) or of a tracepoint's record (default: 8192)\n"
	"      --jit, --interpret how to run (default: JIT; plugin: both, and compare)\n"
	"      --unsafe-fast      run without checks of memory and steps\n"
	"      --blind            keep the program's constants out of the machine code\n"
	"      --steps N          how many steps a run may take\n"
	"      --repeat N         run N times\n"
	"  -t, --trace            run: print each instruction and the registers before it\n"
	"  -d, --dialect NAME     disasm: kernel (r0 += r1) or mnemonic (add64 r0, r1)\n"
	"  -o FILE                asm: write raw instructions\n"
	"  -h, --help             this text\n";

static int fail(struct task *t)
{
	bool is_bad = t->err.code == -EINVAL || t->err.code == -ENOTSUP;

	fprintf(stderr, "scry vm: %s%s%s\n", t->err.msg, is_bad ? "" : ": ",
		is_bad ? "" : strerror(-t->err.code));
	return is_bad ? EXIT_BAD : EXIT_SYSTEM;
}

static int fail_vm(struct task *t)
{
	fprintf(stderr, "scry vm: %s\n", scry_vm_error(t->vm));
	return EXIT_BAD;
}

/* --- options --- */

enum {
	OPT_MAP = 256,
	OPT_SIZE,
	OPT_JIT,
	OPT_INTERPRET,
	OPT_UNSAFE,
	OPT_STEPS,
	OPT_REPEAT,
	OPT_BLIND,
	OPT_BTF,
	OPT_ELF
};

static int set_memory(struct task *t, const char *hex)
{
	sb_clear(&t->memory);
	if (!vm_read_hex(hex, strlen(hex), &t->memory))
		return err_set(&t->err, -EINVAL, "memory '%s' is no row of hex digits", hex);
	return 0;
}

static int set_context(struct task *t, const char *name)
{
	int context = vm_context_by_name(name);

	if (context < 0)
		return err_set(&t->err, -EINVAL, "there is no context '%s'", name);
	t->info.context = (enum scry_vm_context)context;
	t->context_given = true;
	return 0;
}

static int set_dialect(struct task *t, const char *name)
{
	if (strcmp(name, "kernel") && strcmp(name, "mnemonic"))
		return err_set(&t->err, -EINVAL, "there is no dialect '%s'", name);
	t->dialect = strcmp(name, "kernel") ? INSN_MNEMONIC : INSN_KERNEL;
	return 0;
}

static int add_map(struct task *t, const char *text)
{
	if (t->nmaps == MAX_MAPS)
		return err_set(&t->err, -EINVAL, "more than %d maps", MAX_MAPS);
	return vm_read_map(text, &t->map_defs[t->nmaps++], &t->err);
}

static int set_number(struct task *t, const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-')
		return err_set(&t->err, -EINVAL, "'%s' is no number", text);
	return 0;
}

static int set_size(struct task *t, const char *text)
{
	uint64_t size;
	int ret = set_number(t, text, &size);

	if (!ret && size > UINT32_MAX)
		ret = err_set(&t->err, -EINVAL, "--size %s: at most %u bytes", text,
			      UINT32_MAX);
	t->info.context_size = (uint32_t)size;
	return ret;
}

static int take_option(struct task *t, int opt)
{
	switch (opt) {
	case 'm': return set_memory(t, optarg);
	case 'M': sb_clear(&t->memory); return vm_read_file(optarg, &t->memory, &t->err);
	case 'c': return set_context(t, optarg);
	case 'd': return set_dialect(t, optarg);
	case 'o': t->out = optarg; return 0;
	case 'p': t->wanted.prog = optarg; return 0;
	case OPT_BTF: t->wanted.btf = optarg; return 0;
	case 't': t->trace = true; return 0;
	case OPT_MAP: return add_map(t, optarg);
	case OPT_SIZE: return set_size(t, optarg);
	case OPT_JIT: t->jit = true; return 0;
	case OPT_INTERPRET: t->interpret = true; return 0;
	case OPT_UNSAFE: t->unsafe = true; return 0;
	case OPT_BLIND: t->blind = true; return 0;
	case OPT_ELF: t->elf = true; return 0;
	case OPT_STEPS: return set_number(t, optarg, &t->input.steps);
	case OPT_REPEAT: return set_number(t, optarg, &t->repeat);
	}
	return 0;
}

static int take_path(struct task *t, char **args)
{
	for (; *args; args++) {
		if (t->plugin && !**args)
			continue;
		if (t->path)
			return err_set(&t->err, -EINVAL, "one %s is enough: '%s'",
				       t->plugin ? "memory" : "file", *args);
		t->path = *args;
	}
	return 0;
}

/* Returns 0, 1 when help was asked for, or -errno. */
static int take_options(struct task *t, int argc, char **argv)
{
	static const struct option OPTIONS[] = {
		{ "mem", required_argument, NULL, 'm' },
		{ "mem-file", required_argument, NULL, 'M' },
		{ "map", required_argument, NULL, OPT_MAP },
		{ "context", required_argument, NULL, 'c' },
		{ "size", required_argument, NULL, OPT_SIZE },
		{ "jit", no_argument, NULL, OPT_JIT },
		{ "interpret", no_argument, NULL, OPT_INTERPRET },
		{ "unsafe-fast", no_argument, NULL, OPT_UNSAFE },
		{ "blind", no_argument, NULL, OPT_BLIND },
		{ "steps", required_argument, NULL, OPT_STEPS },
		{ "repeat", required_argument, NULL, OPT_REPEAT },
		{ "trace", no_argument, NULL, 't' },
		{ "prog", required_argument, NULL, 'p' },
		{ "btf", required_argument, NULL, OPT_BTF },
		{ "elf", no_argument, NULL, OPT_ELF },
		{ "dialect", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	optind = 0;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "m:M:c:d:o:p:th", OPTIONS, NULL)) >= 0) {
		if (opt == 'h')
			return 1;
		if (opt == '?')
			return err_set(&t->err, -EINVAL,
				       "option '%s' is not there or lacks its "
				       "argument; see `scry vm --help`",
				       argv[optind - 1]);
		int ret = take_option(t, opt);
		if (ret)
			return ret;
	}
	return take_path(t, argv + optind);
}

/* --- steps that subcommands share --- */

static int read_program(struct task *t)
{
	const char *path = t->path ? t->path : "-";
	int ret = vm_read_file(path, &t->file, &t->err);

	if (!ret)
		ret = vm_read_program(&t->arena, strcmp(path, "-") ? path : "stdin", &t->file,
				      &t->wanted, &t->source, &t->err);
	t->insns = t->source.insns;
	t->n = t->source.n;
	if (t->source.prog && !t->context_given)
		t->info.context = vm_context_of_section(t->source.prog->section);
	return ret;
}

/* The maps of an object file, with what its data begins as. */
static int add_object_maps(struct task *t)
{
	vec_each(m, &t->source.object.maps) {
		struct scry_vm_map def = { m->type,	   m->key_size, m->value_size,
					   m->max_entries, m->flags,	(int)m->inner,
					   m->name };
		uint32_t key = 0;

		if (t->nmaps == MAX_MAPS)
			return err_set(&t->err, -EINVAL, "more than %d maps", MAX_MAPS);
		t->maps[t->nmaps] = scry_vm_map_add(t->vm, &def);
		if (t->maps[t->nmaps] < 0)
			return err_set(&t->err, -EINVAL, "%s", scry_vm_error(t->vm));
		if (m->data)
			scry_vm_map_update(t->vm, t->maps[t->nmaps], &key, m->data, BPF_ANY);
		t->nmaps++;
	}
	return 0;
}

/* What a map of maps or of programs begins with; -EINVAL with words. */
static int put_element(struct task *t, int map, uint32_t key, uint32_t id)
{
	int ret = scry_vm_map_update(t->vm, map, &key, &id, BPF_ANY);

	if (ret == -E2BIG)
		return err_set(&t->err, -EINVAL, "map %d has no room for element %u", map, key);
	return ret ? err_set(&t->err, -EINVAL, "%s", scry_vm_error(t->vm)) : 0;
}

/* Those of --map. */
static int add_maps(struct task *t)
{
	int ret = 0;

	for (unsigned i = 0; i < t->nmaps; i++) {
		t->maps[i] = scry_vm_map_add(t->vm, &t->map_defs[i].def);
		if (t->maps[i] < 0)
			return err_set(&t->err, -EINVAL, "%s", scry_vm_error(t->vm));
	}
	for (unsigned i = 0; i < t->nmaps; i++) {
		const struct vm_map_def *m = &t->map_defs[i];

		for (uint32_t key = 0; !ret && key < m->nelements; key++)
			ret = put_element(t, t->maps[i], key, m->elements[key]);
	}
	return ret;
}

static unsigned run_flags(const struct task *t)
{
	return (t->interpret ? SCRY_VM_INTERPRET : 0u) | (t->unsafe ? SCRY_VM_UNSAFE : 0u) |
	       (t->blind ? SCRY_VM_BLIND : 0u);
}

/* --- what maps of maps and prog arrays begin with --- */

static int load_one(struct task *t, const struct bpf_object_prog *p,
		    const struct bpf_insn *insns, uint32_t n)
{
	int id = scry_vm_load(t->vm, insns, n, &t->info);

	if (id >= 0)
		vec_push(&t->arena, &t->loaded, ((struct loaded){ id, p, insns, n }));
	return id;
}

/* The program of an object file that has that name, loaded once; -1 with words. */
static int load_named(struct task *t, const char *name)
{
	vec_each(l, &t->loaded)
		if (l->prog && !strcmp(l->prog->name, name))
			return l->id;
	vec_each(p, &t->source.object.progs) {
		if (strcmp(p->name, name) != 0)
			continue;
		if (p->refused)
			return err_set(&t->err, -ENOTSUP, "%s", p->refused);
		t->info.name = name;
		int id = load_one(t, p, p->insns, p->n);
		return id < 0 ? err_set(&t->err, -EINVAL, "%s", scry_vm_error(t->vm)) : id;
	}
	return err_set(&t->err, -EINVAL, "there is no program '%s' in the file", name);
}

static int fill_maps(struct task *t)
{
	uint32_t outer = 0;

	vec_each(m, &t->source.object.maps) {
		outer++;
		vec_each(el, &m->elements) {
			int id = el->prog ? load_named(t, el->prog) : (int)el->map;

			if (id < 0 || put_element(t, (int)outer, el->key, (uint32_t)id))
				return -EINVAL;
		}
	}
	return 0;
}

static int compile(struct task *t)
{
	int ret = 0;

	vec_each(l, &t->loaded)
		ret = ret ? ret : scry_vm_jit(t->vm, l->id, run_flags(t));
	return ret;
}

/* A machine with the maps of --map, or of the object file. */
static int make_machine(struct task *t)
{
	t->vm = scry_vm_new();
	if (t->nmaps && t->source.object.maps.len) {
		err_set(&t->err, -EINVAL, "an object file brings its own maps");
		return fail(t);
	}
	return add_maps(t) || add_object_maps(t) ? fail(t) : 0;
}

static int load(struct task *t)
{
	int ret = read_program(t);

	if (ret)
		return fail(t);
	ret = make_machine(t);
	if (ret)
		return ret;
	t->info.name = t->source.prog			 ? t->source.prog->name
		       : t->path && strcmp(t->path, "-") ? t->path
							 : "stdin";
	if (t->info.context == SCRY_VM_TRACEPOINT && !t->info.context_size)
		t->info.context_size = t->record_size;
	t->prog = load_one(t, t->source.prog, t->insns, t->n);
	if (t->prog < 0)
		return fail_vm(t);
	return fill_maps(t) ? fail(t) : 0;
}

/* Records of the one CPU that `run` has can be written. */
static void open_perf_buffers(struct task *t)
{
	const uint32_t cpu = 0, room = 1 << 20;

	for (unsigned i = 0; i < t->nmaps; i++) {
		if (scry_vm_map_info(t->vm, t->maps[i])->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			scry_vm_map_update(t->vm, t->maps[i], &cpu, &room, BPF_ANY);
	}
}

/* --- subcommands --- */

static int vm_asm(struct task *t)
{
	if (read_program(t))
		return fail(t);
	if (t->out) {
		auto_fclose FILE *f = fopen(t->out, "we");

		if (!f || fwrite(t->insns, sizeof(*t->insns), t->n, f) != t->n || fflush(f)) {
			err_set(&t->err, -errno, "write %s", t->out);
			return fail(t);
		}
		return 0;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		const uint8_t *b = (const uint8_t *)&t->insns[i];

		for (unsigned k = 0; k < sizeof(*t->insns); k++)
			printf("%02x%s", b[k], k + 1 < sizeof(*t->insns) ? " " : "\n");
	}
	return 0;
}

static int vm_disasm(struct task *t)
{
	struct bpf_disasm_opts o = { .dialect = t->dialect };

	if (read_program(t))
		return fail(t);
	for (uint32_t i = 0; i < t->n;) {
		auto_sb struct sb out = { 0 };

		i += bpf_disasm(&out, t->insns, t->n, i, &o);
		puts(sb_str(&out));
	}
	return 0;
}

/* Where in the source an instruction of an object file comes from. */
static void print_line(const struct task *t, uint32_t insn)
{
	const struct bpf_object_line *l =
		t->source.prog ? bpf_object_line_of(t->source.prog, insn) : NULL;

	if (l && l->column)
		printf("%s:%u:%u: %s\n", l->file, l->line, l->column, l->text);
	else if (l)
		printf("%s:%u: %s\n", l->file, l->line, l->text);
}

/* A tracepoint's record may be as long as the kernel's perf events (PERF_MAX_TRACE_SIZE). */
enum { TRACEPOINT_RECORD = 8192 };

/* Who gives no memory may not know that r1 is a pointer only where there is some. */
static void hint_at_memory(const struct task *t, const char *words)
{
	if (t->info.context == SCRY_VM_MEMORY && !t->info.context_size &&
	    strstr(words, "is a number, not a pointer"))
		fprintf(stderr, "hint: r1 points to memory where --mem, --mem-file or --size "
				"says how much; --context names other things\n");
}

static int vm_verify(struct task *t)
{
	struct scry_vm_verdict v;

	t->record_size = TRACEPOINT_RECORD;
	if (!t->info.context_size && t->info.context == SCRY_VM_MEMORY)
		t->info.context_size = (uint32_t)t->memory.len;
	int ret = load(t);
	if (ret)
		return ret;
	if (scry_vm_verify(t->vm, t->prog, &v)) {
		printf("%s\n", v.words);
		print_line(t, v.insn);
		hint_at_memory(t, v.words);
		return EXIT_BAD;
	}
	printf("accepted: %u instructions, %u looked at, %u states kept, %u bytes of stack\n",
	       t->n, v.visited, v.states, v.stack);
	return 0;
}

static void print_step(void *user, int prog, uint32_t insn, const uint64_t *regs)
{
	struct task *t = user;
	auto_sb struct sb out = { 0 };

	vec_each(l, &t->loaded)
		if (l->id == prog)
			bpf_disasm(&out, l->insns, l->n, insn, NULL);
	printf("%4u: %-40s", insn, sb_str(&out));
	for (unsigned r = 0; r <= 10; r++)
		printf(" r%u=%" PRIx64, r, regs[r]);
	putchar('\n');
}

static void print_text(void *user, const char *text, size_t len)
{
	(void)user;
	printf("%.*s%s", (int)len, text, len && text[len - 1] == '\n' ? "" : "\n");
}

static void print_bytes(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s%02x", i ? " " : "", p[i]);
}

static void print_map(struct task *t, int map)
{
	const struct scry_vm_map *def = scry_vm_map_info(t->vm, map);
	size_t bytes = scry_vm_map_value_bytes(t->vm, map);
	auto_free uint8_t *key = xcalloc(1, def->key_size + 1u), *value = xcalloc(1, bytes + 1);
	const void *from = NULL;

	while (!scry_vm_map_next_key(t->vm, map, from, key)) {
		from = key;
		if (scry_vm_map_lookup(t->vm, map, key, value))
			continue;
		printf("%s[", def->name);
		print_bytes(key, def->key_size);
		printf("]: ");
		print_bytes(value, bytes);
		putchar('\n');
	}
}

static void print_record(void *user, const void *data, size_t size)
{
	const char *name = user;

	printf("%s: ", name);
	print_bytes(data, size);
	putchar('\n');
}

/* Nothing happens in these. */
static bool is_constant(const char *name)
{
	return !*name || !strncmp(name, ".rodata", 7) || !strcmp(name, ".kconfig");
}

static void print_maps(struct task *t)
{
	for (unsigned i = 0; i < t->nmaps; i++) {
		const struct scry_vm_map *def = scry_vm_map_info(t->vm, t->maps[i]);

		if (is_constant(def->name))
			continue;
		if (def->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			scry_vm_perf_read(t->vm, t->maps[i], 0, print_record, (void *)def->name,
					  NULL);
		else if (def->type == BPF_MAP_TYPE_RINGBUF)
			scry_vm_ring_read(t->vm, t->maps[i], print_record, (void *)def->name);
		else
			print_map(t, t->maps[i]);
	}
}

static void set_input(struct task *t)
{
	t->input.mem = t->memory.len ? t->memory.s : NULL;
	t->input.mem_size = t->memory.len;
	t->input.print = print_text;
	t->input.user = t;
	t->input.trace = t->trace ? print_step : NULL;
	t->input.flags = run_flags(t);
}

static int vm_run(struct task *t)
{
	struct scry_vm_result out;
	int ret = load(t);

	if (ret)
		return ret;
	set_input(t);
	open_perf_buffers(t);
	if (!t->interpret && !t->trace && compile(t))
		return fail_vm(t);
	ret = scry_vm_run_many(t->vm, t->prog, &t->input, t->repeat ? t->repeat : 1, &out);
	if (ret) {
		fprintf(stderr, "scry vm: %s (%s)\n", out.words, err_name(ret));
		return EXIT_BAD;
	}
	printf("r0: 0x%" PRIx64 "\n", out.r0);
	print_maps(t);
	return 0;
}

/* Machine instructions, or bytes alone without the library that knows them. */
static void print_code(const struct machine_code *mc, const uint8_t *code, size_t start,
		       size_t end)
{
	auto_sb struct sb text = { 0 };

	if (mc) {
		machine_code_print(mc, &text, code + start, end - start, start);
		fputs(sb_str(&text), stdout);
		return;
	}
	printf("%8zx: ", start);
	print_bytes(code + start, end - start);
	putchar('\n');
}

static int vm_jit(struct task *t)
{
	struct machine_code mc;
	bool known = machine_code_open(&mc);
	size_t bytes, start, end;
	int ret = load(t);

	if (ret)
		return ret;
	if (scry_vm_jit(t->vm, t->prog, run_flags(t)))
		return fail_vm(t);
	const uint8_t *code = scry_vm_jit_code(t->vm, t->prog, &bytes);
	scry_vm_jit_place(t->vm, t->prog, 0, &start, &end);
	puts("   entry");
	print_code(known ? &mc : NULL, code, 0, start);
	for (uint32_t i = 0; i < t->n;) {
		auto_sb struct sb out = { 0 };
		uint32_t next = i + bpf_disasm(&out, t->insns, t->n, i, NULL);

		scry_vm_jit_place(t->vm, t->prog, i, &start, &end);
		printf("%4u: %s\n", i, sb_str(&out));
		print_code(known ? &mc : NULL, code, start, end);
		i = next;
	}
	printf("%zu bytes\n", bytes);
	return 0;
}

/* --- the contract of bpf_conformance --- */

#define TEST_HELPER(name)                                                               \
	static uint64_t name(                                                           \
		uint64_t a __attribute__((unused)), uint64_t b __attribute__((unused)), \
		uint64_t c __attribute__((unused)), uint64_t d __attribute__((unused)), \
		uint64_t e __attribute__((unused)),                                     \
		struct scry_vm_run *run __attribute__((unused)))

TEST_HELPER(test_gather_bytes)
{
	return (uint64_t)(uint8_t)a << 32 | (uint64_t)(uint8_t)b << 24 |
	       (uint32_t)(uint8_t)c << 16 | (uint16_t)((uint8_t)d << 8) | (uint8_t)e;
}

TEST_HELPER(test_frobnicate)
{
	uint8_t *p = scry_vm_helper_memory(run, a, b, true);

	for (uint64_t i = 0; p && i < b; i++)
		p[i] ^= 42;
	return a;
}

TEST_HELPER(test_nothing)
{
	return 0;
}

TEST_HELPER(test_square_root)
{
	uint64_t root = 0;

	for (uint64_t bit = 1u << 16; bit; bit >>= 1) {
		if ((root + bit) * (root + bit) <= (uint32_t)a)
			root += bit;
	}
	return root;
}

TEST_HELPER(test_compare)
{
	const uint8_t *x, *y;

	do {
		x = scry_vm_helper_memory(run, a++, 1, false);
		y = scry_vm_helper_memory(run, b++, 1, false);
	} while (x && y && *x && *x == *y);
	return x && y ? (uint64_t)(int64_t)(*x - *y) : 0;
}

TEST_HELPER(test_first)
{
	return a;
}

static void add_test_helpers(struct scry_vm *vm)
{
	scry_vm_helpers_clear(vm);
	scry_vm_helper_add(vm, 0, "gather_bytes", test_gather_bytes, 0);
	scry_vm_helper_add(vm, 1, "frobnicate", test_frobnicate, 0);
	scry_vm_helper_add(vm, 2, "nothing", test_nothing, 0);
	scry_vm_helper_add(vm, 3, "square_root", test_square_root, 0);
	scry_vm_helper_add(vm, 4, "compare", test_compare, 0);
	scry_vm_helper_add(vm, 5, "first", test_first, SCRY_VM_HELPER_ENDS);
}

/* The context of XDP names its packet by 32 bits: the memory is put where they reach. */
static int place_packet(struct task *t)
{
	size_t room = t->memory.len + 1;

	if (!t->packet)
		t->packet = mmap(NULL, room, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (t->packet == MAP_FAILED)
		return err_set(&t->err, -errno, "no memory for a packet of %zu bytes",
			       t->memory.len);
	return scry_vm_memory_add(t->vm, t->packet, t->memory.len, true);
}

/*
 * The machine of one run, so that it finds nothing in maps that a run before it left. The test
 * helpers have the numbers of the kernel's; who has maps wants those.
 */
static int plugin_machine(struct task *t, unsigned given_maps)
{
	scry_vm_free(t->vm);
	t->vm = NULL;
	t->nmaps = given_maps;
	t->loaded.len = 0;
	int ret = make_machine(t);
	if (ret)
		return ret;
	if (!t->nmaps)
		add_test_helpers(t->vm);
	t->prog = scry_vm_load(t->vm, t->insns, t->n, NULL);
	if (t->prog < 0)
		return fail_vm(t);
	vec_push(&t->arena, &t->loaded,
		 ((struct loaded){ t->prog, t->source.prog, t->insns, t->n }));
	if (fill_maps(t) || (t->info.context == SCRY_VM_XDP && place_packet(t)))
		return fail(t);
	return 0;
}

/* One run over a copy of the memory. */
static int plugin_run(struct task *t, unsigned given_maps, unsigned flags,
		      struct scry_vm_result *out)
{
	auto_sb struct sb copy = { 0 };
	struct xdp_md md = { 0 };
	int ret = plugin_machine(t, given_maps);

	if (ret)
		return ret;
	vec_each(l, &t->loaded) {
		if (!(flags & SCRY_VM_INTERPRET) &&
		    scry_vm_jit(t->vm, l->id, run_flags(t) & SCRY_VM_BLIND))
			return fail_vm(t);
	}
	sb_write(&copy, sb_str(&t->memory), t->memory.len);
	struct scry_vm_input in = { .mem = copy.len ? copy.s : NULL,
				    .mem_size = copy.len,
				    .steps = t->input.steps ? t->input.steps : 1ull << 28,
				    .flags = flags };
	if (t->packet) {
		memcpy(t->packet, sb_str(&t->memory), t->memory.len);
		md.data = md.data_meta = (uint32_t)(uintptr_t)t->packet;
		md.data_end = md.data + (uint32_t)t->memory.len;
		in.mem = &md;
		in.mem_size = sizeof(md);
	}
	if (!scry_vm_run(t->vm, t->prog, &in, out))
		return 0;
	fprintf(stderr, "%s\n", out->words);
	return EXIT_BAD;
}

static int vm_plugin(struct task *t)
{
	struct scry_vm_result by_interpreter, by_jit;
	bool both = t->jit == t->interpret;
	unsigned maps = t->nmaps;
	int ret = 0;

	if (t->path && set_memory(t, t->path))
		return fail(t);
	t->path = NULL;
	if (read_program(t))
		return fail(t);
	if (t->elf && !t->source.prog) {
		err_set(&t->err, -EINVAL, "standard input is no object file");
		return fail(t);
	}
	if (both || t->interpret)
		ret = plugin_run(t, maps, SCRY_VM_INTERPRET, &by_interpreter);
	if (!ret && (both || t->jit))
		ret = plugin_run(t, maps, 0, &by_jit);
	if (ret)
		return ret;
	if (both && by_interpreter.r0 != by_jit.r0) {
		fprintf(stderr, "interpreter: %" PRIx64 ", JIT: %" PRIx64 "\n",
			by_interpreter.r0, by_jit.r0);
		return EXIT_BAD;
	}
	printf("%" PRIx64 "\n", both || t->jit ? by_jit.r0 : by_interpreter.r0);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct task *t);
} SUBCOMMANDS[] = {
	{ "asm", vm_asm }, { "disasm", vm_disasm }, { "verify", vm_verify },
	{ "run", vm_run }, { "jit", vm_jit },	    { "plugin", vm_plugin },
};

static int run_subcommand(int (*run)(struct task *t), int argc, char **argv)
{
	struct task t = { .plugin = run == vm_plugin };
	int ret = take_options(&t, argc, argv);

	if (ret == 1) {
		fputs(USAGE, stdout);
		ret = 0;
	} else {
		ret = ret ? fail(&t) : run(&t);
	}
	scry_vm_free(t.vm);
	if (t.packet && t.packet != MAP_FAILED)
		munmap(t.packet, t.memory.len + 1);
	sb_free(&t.memory);
	sb_free(&t.file);
	arena_free(&t.arena);
	return ret;
}

int cmd_vm(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, "-h") || !strcmp(name, "--help")) {
		fputs(USAGE, stdout);
		return 0;
	}
	for (size_t i = 0; i < sizeof(SUBCOMMANDS) / sizeof(*SUBCOMMANDS); i++) {
		if (!strcmp(SUBCOMMANDS[i].name, name))
			return run_subcommand(SUBCOMMANDS[i].run, argc - 1, argv + 1);
	}
	if (*name)
		fprintf(stderr, "scry vm: there is no command '%s'\n", name);
	fputs(USAGE, stderr);
	return EXIT_BAD;
}
