/*
 * machine: what programs cost on the machine and in the kernel; what compiling and verifying
 * do.
 *
 *	machine [UBPF]
 *
 * UBPF is a ubpf_test to measure beside, from https://github.com/iovisor/ubpf.
 *
 * Each program is a loop; "NAME ENGINE NS" is its processor time per turn, the median of
 * ROUNDS, in each of which all engines have their turn. Engines: jit, unchecked (the JIT
 * without checks), interpreter, kernel (its JIT, by BPF_PROG_TEST_RUN), ubpf-jit and
 * ubpf-interpreter (whole processes, their start taken off; its JIT checks nothing, its
 * interpreter checks memory).
 *
 * Then "compile N NS" and "verify N NS", per instruction of programs of N instructions.
 */
#include "base/auto.h"
#include "bpf/asm.h"
#include "scry_vm.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The kernel's verifier walks every turn, so there are few, and the kernel repeats them. */
enum { TURNS = 1000, REPEAT = 10000, UBPF_TURNS = 20000000, ROUNDS = 11 };

static const struct {
	const char *name, *before, *turn;
	bool has_map;
} PROGRAMS[] = {
	{ "alu", "r0 = 1", "r0 *= 3; r0 += r7; r0 ^= 0x55; r2 = r0; r2 >>= 3; r0 += r2" },
	{ "branches", "r0 = 1",
	  "r0 *= 1103515245; r0 += 12345; r2 = r0; r2 >>= 16; r2 &= 7;"
	  "if r2 > 3 goto +1; r0 += 7; if r2 == 5 goto +1; r0 ^= 9" },
	{ "copy",
	  "r2 = 7; *(u64 *)(r10 -8) = r2; *(u64 *)(r10 -16) = r2; *(u64 *)(r10 -24) = r2;"
	  "*(u64 *)(r10 -32) = r2; r0 = 0",
	  "r2 = *(u64 *)(r10 -8); *(u64 *)(r10 -40) = r2; r2 = *(u64 *)(r10 -16);"
	  "*(u64 *)(r10 -48) = r2; r2 = *(u64 *)(r10 -24); *(u64 *)(r10 -56) = r2;"
	  "r2 = *(u64 *)(r10 -32); *(u64 *)(r10 -64) = r2" },
	/* An Ethernet and an IP header on the stack: type, length, protocol, port. */
	{ "packet",
	  "r2 = 0x450008; *(u64 *)(r10 -56) = r2; r2 = 0x6; *(u64 *)(r10 -48) = r2;"
	  "*(u64 *)(r10 -40) = r2; *(u64 *)(r10 -32) = r2; r0 = 0",
	  "r3 = r10; r3 += -56; r2 = *(u16 *)(r3 +0); if r2 != 0x8 goto +7;"
	  "r2 = *(u8 *)(r3 +2); r2 &= 15; r2 <<= 2; r4 = *(u8 *)(r3 +8); if r4 != 6 goto +2;"
	  "r4 = *(u16 *)(r3 +20); r0 += r4; r0 += r2" },
	{ "hash",
	  "*(u64 *)(r10 -8) = 7; *(u64 *)(r10 -16) = 1; r1 = map[id:1]; r2 = r10; r2 += -8; r3 = r10;"
	  "r3 += -16; r4 = 0; call 2; r0 = 0",
	  "r1 = map[id:1]; r2 = r10; r2 += -8; call 1; if r0 == 0 goto +3; r1 = *(u64 *)(r0 +0);"
	  "r1 += 1; *(u64 *)(r0 +0) = r1",
	  true },
};

enum { NPROGRAMS = sizeof(PROGRAMS) / sizeof(*PROGRAMS) };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static _Noreturn void fail(const char *what, const char *words)
{
	fprintf(stderr, "machine: %s: %s\n", what, words);
	exit(1);
}

static uint32_t assemble(struct arena *a, unsigned which, unsigned turns, struct bpf_insn **out)
{
	auto_sb struct sb text = { 0 };
	struct err e = { 0 };
	uint32_t n;

	sb_printf(&text,
		  "%s; r7 = %u; again: %s; r7 += -1; if r7 != 0 goto again; r0 = 0; exit",
		  PROGRAMS[which].before, turns, PROGRAMS[which].turn);
	if (bpf_asm(a, sb_str(&text), text.len, out, &n, &e))
		fail(PROGRAMS[which].name, e.msg);
	return n;
}

/* --- the machine --- */

struct loaded {
	struct scry_vm *vm;
	int prog;
};

static struct loaded load(unsigned which, unsigned jit_flags)
{
	auto_arena struct arena a = { 0 };
	struct loaded l = { .vm = scry_vm_new() };
	struct bpf_insn *insns;
	uint32_t n = assemble(&a, which, TURNS, &insns);

	scry_vm_map_add(l.vm, &(struct scry_vm_map){ BPF_MAP_TYPE_HASH, 8, 8, 64 });
	l.prog = scry_vm_load(l.vm, insns, n, NULL);
	if (l.prog < 0 || scry_vm_jit(l.vm, l.prog, jit_flags))
		fail(PROGRAMS[which].name, scry_vm_error(l.vm));
	return l;
}

static double on_machine(struct loaded l, unsigned which, unsigned flags)
{
	struct scry_vm_input in = { .flags = flags };
	struct scry_vm_result out;
	double start = now();

	if (scry_vm_run_many(l.vm, l.prog, &in, REPEAT, &out))
		fail(PROGRAMS[which].name, out.words);
	return (now() - start) / TURNS / REPEAT;
}

/* --- the kernel --- */

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void name_map(struct bpf_insn *insns, uint32_t n, int map)
{
	for (uint32_t i = 0; i < n; i++) {
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].src_reg)
			insns[i].imm = map;
	}
}

static int load_in_kernel(unsigned which, int map)
{
	auto_arena struct arena a = { 0 };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER };
	struct bpf_insn *insns;

	attr.insn_cnt = assemble(&a, which, TURNS, &insns);
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t) "GPL";
	name_map(insns, attr.insn_cnt, map);
	return bpf(BPF_PROG_LOAD, &attr);
}

static int make_map(void)
{
	union bpf_attr make = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 64
	};

	return bpf(BPF_MAP_CREATE, &make);
}

static double in_kernel(int fd)
{
	uint8_t packet[64] = { 0 };
	union bpf_attr attr = { 0 };

	attr.test.prog_fd = (uint32_t)fd;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = REPEAT;
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		fail("BPF_PROG_TEST_RUN", strerror(errno));
	return (double)attr.test.duration / TURNS;
}

/*
 * --- ubpf ---
 *
 * Any program that is called as `UBPF [--jit] FILE`, runs the raw instructions of FILE without
 * memory, maps and helpers, and exits with 0.
 */

extern char **environ;

static double ns_of(struct timeval t)
{
	return (double)t.tv_sec * 1e9 + (double)t.tv_usec * 1e3;
}

/* Nanoseconds, or -1 when it did not run the program. */
static double run_ubpf(const char *ubpf, bool jit, const char *file)
{
	char *argv[] = { (char *)(uintptr_t)ubpf,
			 jit ? (char[]){ "--jit" } : (char *)(uintptr_t)file,
			 jit ? (char *)(uintptr_t)file : NULL, NULL };
	posix_spawn_file_actions_t to;
	struct rusage used;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, ubpf, &to, NULL, argv, environ) ||
	    wait4(pid, &status, 0, &used) < 0)
		status = -1;
	posix_spawn_file_actions_destroy(&to);
	return status ? -1 : ns_of(used.ru_utime) + ns_of(used.ru_stime);
}

static double ubpf_with_turns(const char *ubpf, bool jit, unsigned which, unsigned turns)
{
	auto_arena struct arena a = { 0 };
	char file[] = "/tmp/machine-XXXXXX";
	auto_close int fd = mkstemp(file);
	struct bpf_insn *insns;
	uint32_t n = assemble(&a, which, turns, &insns);

	if (write(fd, insns, n * sizeof(*insns)) < 0)
		fail(file, strerror(errno));
	double ns = run_ubpf(ubpf, jit, file);
	unlink(file);
	return ns;
}

/* Nanoseconds per turn, or -1. */
static double on_ubpf(const char *ubpf, unsigned which, bool jit)
{
	unsigned turns = jit ? UBPF_TURNS : UBPF_TURNS / 10;
	double all = ubpf_with_turns(ubpf, jit, which, turns),
	       start = all < 0 ? -1 : ubpf_with_turns(ubpf, jit, which, 1);

	return start < 0 ? -1 : (all - start) / turns;
}

/* --- all of them --- */

enum { JIT, UNCHECKED, INTERPRETER, KERNEL, UBPF_JIT, UBPF_INTERPRETER, ENGINES };

static const char *const ENGINE_NAMES[ENGINES] = { "jit",    "unchecked", "interpreter",
						   "kernel", "ubpf-jit",  "ubpf-interpreter" };

static void measure(unsigned which, const char *ubpf)
{
	static double ns[ENGINES][ROUNDS];
	struct loaded checked = load(which, 0), unchecked = load(which, SCRY_VM_UNSAFE);
	auto_close int map = make_map(), fd = load_in_kernel(which, map);

	if (fd < 0)
		fprintf(stderr, "machine: the kernel does not take %s: %s\n",
			PROGRAMS[which].name, strerror(errno));
	for (unsigned i = 0; i < ROUNDS; i++) {
		ns[JIT][i] = on_machine(checked, which, 0);
		ns[UNCHECKED][i] = on_machine(unchecked, which, SCRY_VM_UNSAFE);
		ns[INTERPRETER][i] = on_machine(checked, which, SCRY_VM_INTERPRET);
		ns[KERNEL][i] = fd < 0 ? -1 : in_kernel(fd);
		ns[UBPF_JIT][i] = ubpf ? on_ubpf(ubpf, which, true) : -1;
		ns[UBPF_INTERPRETER][i] = ubpf ? on_ubpf(ubpf, which, false) : -1;
	}
	for (unsigned e = 0; e < ENGINES; e++) {
		double middle = median(ns[e]);

		if (middle > 0)
			printf("%s %s %.3f\n", PROGRAMS[which].name, ENGINE_NAMES[e], middle);
		else if (e > KERNEL && ubpf)
			fprintf(stderr, "machine: %s does not run '%s' as %s: not measured\n",
				ubpf, PROGRAMS[which].name, ENGINE_NAMES[e]);
	}
	scry_vm_free(checked.vm);
	scry_vm_free(unchecked.vm);
}

/* --- compiling and verifying --- */

/* Pieces with a branch, stack and arithmetic each, of 10 instructions. */
static uint32_t long_program(struct arena *a, unsigned pieces, struct bpf_insn **out)
{
	auto_sb struct sb text = { 0 };
	struct err e = { 0 };
	uint32_t n;

	sb_puts(&text, "r6 = r1; r2 = 0; r0 = 0\n");
	for (unsigned i = 0; i < pieces; i++)
		sb_printf(
			&text,
			"r3 = *(u32 *)(r6 +%u); r3 &= 63; r3 += %u; if r3 > 40 goto +2; r0 += r3;"
			"r0 ^= %u; *(u64 *)(r10 -%u) = r0; r2 = *(u64 *)(r10 -%u); r2 >>= 1; r0 += r2\n",
			i % 2 * 4, i % 7, i, 8 + i % 8 * 8, 8 + i % 8 * 8);
	sb_puts(&text, "exit");
	if (bpf_asm(a, sb_str(&text), text.len, out, &n, &e))
		fail("long program", e.msg);
	return n;
}

static void grow(unsigned pieces)
{
	auto_arena struct arena a = { 0 };
	struct scry_vm_program info = { "long", SCRY_VM_SOCKET, 0 };
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_verdict verdict;
	struct bpf_insn *insns;
	double compile[ROUNDS], verify[ROUNDS], rate[ROUNDS];
	uint32_t n = long_program(&a, pieces, &insns);
	int prog = scry_vm_load(vm, insns, n, &info);

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now();

		if (prog < 0 || scry_vm_jit(vm, prog, 0))
			fail("long program", scry_vm_error(vm));
		compile[i] = (now() - start) / n;
		start = now();
		if (scry_vm_verify(vm, prog, &verdict))
			fail("long program", verdict.words);
		verify[i] = (now() - start) / n;
		rate[i] = (now() - start) / verdict.visited;
	}
	printf("compile %u %.2f\nverify %u %.2f\n", n, median(compile), n, median(verify));
	printf("visits %u %u\nvisit %u %.2f\n", n, verdict.visited, n, median(rate));
	scry_vm_free(vm);
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < NPROGRAMS; i++)
		measure(i, argc > 1 && !PROGRAMS[i].has_map ? argv[1] : NULL);
	grow(100);
	grow(1000);
	grow(10000);
	return 0;
}
