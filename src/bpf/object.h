/*
 * object.h - BPF object files, as clang and GCC write them (ELF; the psABI of BPF).
 *
 * A program is a function outside of .text, or one of .text where there is none outside;
 * functions of .text that it calls are put behind it.
 * Maps come from the section .maps (described by the file's BTF) or from the section maps (by
 * numbers), and sections of data become arrays with one value.  In the instructions a map is
 * named by its number in the object, from 1.  Variables of the kernel's configuration (extern
 * CONFIG_HZ) are in an array ".kconfig", weak ones that nobody defines are 0.  What needs more
 * of a kernel is asked from the caller (CO-RE relocations, kernel functions) or refused (kernel
 * variables).
 */
#ifndef SCRY_BPF_OBJECT_H
#define SCRY_BPF_OBJECT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "bpf/insn.h"

/* An element that a map of maps or a prog array begins with. */
struct bpf_object_element {
	uint32_t key, map; /* number of the map */
	const char *prog;  /* or the function */
};

struct bpf_object_map {
	const char *name; /* "": a pattern, which is in no program and holds nothing */
	uint32_t type, key_size, value_size, max_entries, flags;
	const void *data; /* of a section of data: what the value begins as; else NULL */
	uint32_t section;
	uint32_t inner;	 /* of maps in maps: the number of their pattern, which comes before */
	uint32_t values; /* where its variable holds addresses of maps or programs, in bytes */
	VEC(struct bpf_object_element) elements;
};

/* Where the instructions from insn on come from. */
struct bpf_object_line {
	uint32_t insn, line, column; /* counted from 1; column 0: not known */
	const char *file, *text;     /* text: the line, "" when it is not in the file */
};

struct bpf_object_prog {
	const char *name;    /* of the function */
	const char *section; /* "xdp" */
	struct bpf_insn *insns;
	uint32_t n;
	const char *refused;	 /* why it cannot be taken; then it has no instructions */
	uint32_t *funcs, nfuncs; /* the first instruction of each function in it */
	VEC(struct bpf_object_line) lines;
};

struct bpf_object {
	VEC(struct bpf_object_map) maps;
	VEC(struct bpf_object_prog) progs;
};

/*
 * The kernel's configuration as its file has it: "y", "250", "\"text\""; NULL: not set. The
 * name is CONFIG_..., LINUX_KERNEL_VERSION or LINUX_HAS_...
 */
struct bpf_object_config {
	const char *(*value)(void *arg, const char *name);
	void *arg;
};

/* What of an instruction depends on the kernel that runs it (CO-RE). */
struct bpf_object_core {
	uint32_t kind;	    /* enum bpf_core_relo_kind */
	uint32_t type;	    /* in the file's BTF */
	const char *access; /* "0:1:2": which part of it */
};

/* What such an instruction says here. */
struct bpf_object_fact {
	uint64_t value;
	uint32_t size_here,
		size; /* bytes of a member in the file and here; 0: they are the same */
};

/* Who knows what is not in the file. Each function may be NULL. */
struct bpf_object_outside {
	/* The BTF id of a function of the kernel, or 0. */
	uint32_t (*function)(void *arg, const char *name);
	/* 0, -ENOENT when there is no such thing here, or another error with words. */
	int (*core)(void *arg, const struct bpf_object_core *what, struct bpf_object_fact *out,
		    struct err *e);
	/* Called first, with the file's section .BTF, which may be empty. */
	void (*begin)(void *arg, const void *btf, size_t size);
	void *arg;
};

/*
 * The helper that is called by an instruction which needs what is not there: the program must
 * not reach it. The number is libbpf's.
 */
enum { BPF_OBJECT_POISON = 195896080 };

/*
 * Reads an object of size bytes at data, which must stay; all else is in a. config may be NULL:
 * nothing is set; outside, too: programs that need something of the kernel are refused. Returns
 * 0, or -EINVAL / -ENOTSUP with words that name the place; a program that cannot be taken is an
 * error only when there is no other.
 */
int bpf_object_read(struct arena *a, const void *data, size_t size,
		    const struct bpf_object_config *config,
		    const struct bpf_object_outside *outside, struct bpf_object *out,
		    struct err *e);

/*
 * The functions of .text, for programs that are made elsewhere and call them.  Opening takes
 * the same bytes as bpf_object_read() and refuses the same of them; out gets the maps, those
 * that stand for data when a function that needs them is linked.
 */
struct bpf_object_file;

/* NULL with e filled in; outside may be NULL. */
struct bpf_object_file *bpf_object_open(struct arena *a, const void *data, size_t size,
					struct bpf_object *out,
					const struct bpf_object_outside *outside,
					struct err *e);
/* The next global function of .text behind *at, which is 0 at first; NULL behind the last. */
const char *bpf_object_next_function(const struct bpf_object_file *f, uint32_t *at);
/* Puts that function together with those it calls; 0, or an error that names the place. */
int bpf_object_link(struct bpf_object_file *f, const char *function,
		    struct bpf_object_prog *out, struct err *e);
/* A section's bytes; NULL when there is none. */
const void *bpf_object_section(const struct bpf_object_file *f, const char *name, size_t *size);

/* The line of an instruction of the program; NULL where the file has none. */
const struct bpf_object_line *bpf_object_line_of(const struct bpf_object_prog *prog,
						 uint32_t insn);

#endif
