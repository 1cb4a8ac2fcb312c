/*
 * inspect.h - what the kernel tells about its BPF objects.
 */
#ifndef SCRY_OBJECT_INSPECT_H
#define SCRY_OBJECT_INSPECT_H

#include "base/err.h"
#include "base/vec.h"
#include "kernel/bpf_ids.h"
#include "kernel/link_info.h"
#include "types/btf.h"

#include <linux/bpf.h>
#include <stdbool.h>

/* "kprobe", "hash", "perf_event": the name of a type as other tools show it, or NULL. */
const char *inspect_prog_type(uint32_t type);
const char *inspect_map_type(uint32_t type);
const char *inspect_link_type(uint32_t type);
const char *inspect_attach_type(uint32_t type);

/* "id 12", "12", "pinned /sys/fs/bpf/x", "name x" or "tag 0123456789abcdef", in words; takes
 * them from the front. */
struct inspect_words {
	char **words;
	int n;
};
/* Opens what the words name, which is one object. Returns a descriptor, or -errno with e set.
 */
int inspect_open(enum kbpf_object what, struct inspect_words *w, struct err *e);
/* Opens all that they name: several may have a name or tag. Returns 0, or -errno with e set;
 * inspect_close_all() in any case. */
VEC_TYPE(inspect_fds, int);
int inspect_open_all(enum kbpf_object what, struct inspect_words *w, struct inspect_fds *out,
		     struct err *e);
void inspect_close_all(struct inspect_fds *fds);

/* A program with all that belongs to it; free with inspect_prog_fini(). */
struct inspect_prog {
	struct bpf_prog_info info;
	uint32_t *map_ids;	 /* info.nr_map_ids */
	struct bpf_insn *xlated; /* NULL: hidden */
	uint32_t nxlated;
	uint8_t *jited; /* all functions behind each other; NULL: hidden, or not compiled */
	uint32_t *func_lens; /* info.nr_jited_func_lens */
	uint64_t *ksyms;     /* addresses of the functions, info.nr_jited_ksyms */
	struct bpf_func_info *funcs;
	struct bpf_line_info *lines; /* info.nr_line_info */
	uint64_t *line_addrs;	     /* of lines in the machine code, info.nr_jited_line_info */
	struct sb btf_bytes;
	struct btf *btf;
	void *block; /* memory of the above */
};
/* Returns 0 or -errno; inspect_prog_fini() in any case. */
int inspect_prog(struct inspect_prog *p, int fd);
void inspect_prog_fini(struct inspect_prog *p);
/* The name of the function that begins at that instruction, else NULL. */
const char *inspect_func_at(const struct inspect_prog *p, uint32_t insn);
/* A text of the program's BTF. */
const char *inspect_text(const struct inspect_prog *p, uint32_t off);

/* A link with its texts and lists; free with inspect_link_fini(). */
struct inspect_link {
	struct kbpf_link_info info;
	char name[4096]; /* of a tracepoint, function, file, iterator; or "" */
	uint64_t *addrs; /* of multi links: info's count, or offsets in the file */
	uint64_t *refcounts, *cookies; /* as many */
};
/* Returns 0 or -errno; inspect_link_fini() in any case. */
int inspect_link(struct inspect_link *l, int fd);
void inspect_link_fini(struct inspect_link *l);

#endif
