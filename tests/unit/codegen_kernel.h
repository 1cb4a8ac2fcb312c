/*
 * codegen_kernel.h - for tests of codegen: compile IR text, list the result, run it in the
 * kernel.
 *
 * Programs run as XDP programs on a made-up packet.  Their maps: 0 is the scratch map (per-CPU
 * array), 1 an array with one value of 4096 bytes.
 */
#ifndef TESTS_UNIT_CODEGEN_KERNEL_H
#define TESTS_UNIT_CODEGEN_KERNEL_H

#include "base/auto.h"
#include "bpf/disasm.h"
#include "codegen/codegen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAP_SCRATCH, MAP_VALUES, NMAPS, VALUES_SIZE = 4096, LOG_SIZE = 1 << 20 };
enum { LISTED_MAX = 2000, LOG_SHOWN = 8000 }; /* of a program that does not load */

static const struct codegen_target test_target = {
	.scratch_map = MAP_SCRATCH, .miss_map = MAP_VALUES, .miss_off = 8, .isa = 3
};

struct kernel {
	int maps[NMAPS];
	const char *unable; /* why programs cannot be run here, NULL when they can */
	unsigned isa;	    /* the newest instruction set it takes */
	char *log;
};

static inline long sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static inline int new_map(enum bpf_map_type type, uint32_t value_size)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = value_size, .max_entries = 1
	};

	return sys_bpf(BPF_MAP_CREATE, &attr);
}

/* Loads a program; returns its descriptor or -errno, with the verifier's words in log. */
static inline int load_insns(const struct bpf_insn *insns, uint32_t n, char *log)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)insns,
		.insn_cnt = n,
		.license = (uintptr_t) "GPL",
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);

	if (fd >= 0 || errno == EPERM)
		return fd >= 0 ? fd : -errno;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = LOG_SIZE;
	attr.log_level = 1;
	fd = sys_bpf(BPF_PROG_LOAD, &attr);
	return fd >= 0 ? fd : -errno;
}

static inline unsigned newest_isa(char *log)
{
	const struct bpf_insn signed_move[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 8 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	auto_close int fd = load_insns(signed_move, 3, log);

	return fd >= 0 ? 4 : 3;
}

static inline void kernel_open(struct kernel *k)
{
	k->maps[MAP_SCRATCH] = new_map(BPF_MAP_TYPE_PERCPU_ARRAY, VALUES_SIZE);
	k->maps[MAP_VALUES] = new_map(BPF_MAP_TYPE_ARRAY, VALUES_SIZE);
	k->unable = k->maps[MAP_VALUES] < 0 ? strerror(errno) : NULL;
	k->log = xcalloc(1, LOG_SIZE);
	k->isa = newest_isa(k->log);
}

static inline void kernel_close(struct kernel *k)
{
	for (int m = 0; m < NMAPS; m++)
		if (k->maps[m] >= 0)
			close(k->maps[m]);
	free(k->log);
}

static inline int setup_kernel(void **state)
{
	struct kernel *k = xcalloc(1, sizeof(*k));

	kernel_open(k);
	*state = k;
	return 0;
}

static inline int teardown_kernel(void **state)
{
	kernel_close(*state);
	free(*state);
	return 0;
}

/* For the top of a test that runs programs. */
#define need_kernel(k)                                                             \
	do {                                                                       \
		if ((k)->unable) {                                                 \
			print_message("bpf(2) is not allowed: %s\n", (k)->unable); \
			skip();                                                    \
		}                                                                  \
	} while (0)

static inline struct fn *parse_fn(struct arena *a, const char *text)
{
	const char *msg = NULL;
	int line = 0;
	struct fn *fn = ir_parse(a, text, &msg, &line);

	if (!fn)
		fail_msg("line %d: %s", line, msg);
	msg = ir_check(fn, a);
	if (msg)
		fail_msg("%s", msg);
	return fn;
}

/* The instructions, one per line. */
static inline void list_image(const struct image *img, struct sb *out)
{
	for (uint32_t i = 0; i < img->ninsns;) {
		i += bpf_disasm(out, img->insns, img->ninsns, i, NULL);
		sb_putc(out, '\n');
	}
}

static inline void compile_fn(struct arena *a, struct fn *fn, const struct codegen_target *t,
			      struct image *img)
{
	struct err e = { 0 };

	if (codegen(a, fn, t, img, &e))
		fail_msg("codegen: %s", e.msg);
}

static inline void compile_text(struct arena *a, const char *text, struct image *img)
{
	compile_fn(a, parse_fn(a, text), &test_target, img);
}

/* Loads the program as load_insns() does, with the words in k->log. */
static inline int load_image(struct kernel *k, const struct image *img)
{
	for (uint32_t r = 0; r < img->nrelocs; r++)
		img->insns[img->relocs[r].insn].imm = k->maps[img->relocs[r].map];
	return load_insns(img->insns, img->ninsns, k->log);
}

/* Runs the program and returns its result, which XDP cuts to 32 bits. */
static inline uint32_t run_image(struct kernel *k, const struct image *img)
{
	unsigned char packet[64] = { 0 };
	auto_close int fd = load_image(k, img);

	if (fd < 0) {
		auto_sb struct sb text = { 0 };
		size_t len = strlen(k->log);

		if (img->ninsns < LISTED_MAX)
			list_image(img, &text);
		fprintf(stderr, "%s\n%s\n", sb_str(&text),
			k->log + (len > LOG_SHOWN ? len - LOG_SHOWN : 0));
		fail_msg("verifier: %s", strerror(-fd));
	}
	union bpf_attr attr = { .test = {
					.prog_fd = fd,
					.data_in = (uintptr_t)packet,
					.data_size_in = sizeof(packet),
				} };
	if (sys_bpf(BPF_PROG_TEST_RUN, &attr))
		fail_msg("test run: %s", strerror(errno));
	return attr.test.retval;
}

static inline uint32_t run_text(struct kernel *k, const char *text)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	compile_text(&a, text, &img);
	return run_image(k, &img);
}

#endif
