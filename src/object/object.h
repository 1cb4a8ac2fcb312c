/*
 * object.h - BPF object files as others build them, in the kernel.
 *
 * libbpf loads them: maps, BTF, CO-RE relocations, USDT, whatever its section names say.  What
 * it has to say is kept, and an error quotes the part that tells the reason.
 *
 *	open    the file is read; nothing is in the kernel yet
 *	load    maps and programs
 *	attach  each program to what its section names
 *	close   detaches and releases all of it
 */
#ifndef SCRY_OBJECT_OBJECT_H
#define SCRY_OBJECT_OBJECT_H

#include "base/err.h"
#include "base/sb.h"
#include "base/vec.h"

#include <stdbool.h>
#include <sys/types.h>

struct bpf_object;
struct bpf_link;

struct object {
	const char *path;
	struct bpf_object *bpf;
	struct sb log; /* all that libbpf and the verifier said */
	VEC(struct bpf_link *) links;
	VEC(int) walks;		  /* iterators: reading one gives the program's text */
	VEC(const char *) prints; /* patterns of what its programs may trace_printk() */
	struct sb notes;	  /* a line for each program that was not attached, and why */
	bool is_printing;	  /* there are programs that call trace_printk() */
	struct arena arena;
};

/* Returns 0 or -errno with e set; object_close() in any case. */
int object_open(struct object *o, const char *path, struct err *e);
/* Only that program is to be loaded. -ENOENT: there is none of that name. */
int object_only(struct object *o, const char *prog, struct err *e);
int object_load(struct object *o, struct err *e);
/*
 * Attaches what can be attached without being told more; pid, unless 0, is the process that
 * uprobes and USDT are limited to. -ENOENT when that left nothing.
 */
int object_attach(struct object *o, pid_t pid, struct err *e);
/* Detaches everything; the maps stay. */
void object_detach(struct object *o);
void object_close(struct object *o);

/* A map as libbpf made it. */
struct object_map {
	const char *name;
	int fd;
	unsigned type, max_entries;
	bool is_const; /* .rodata and the like: nothing happens there */
};
/* The i-th map; false behind the last one. */
bool object_map_at(const struct object *o, unsigned i, struct object_map *out);
/* The id of the BTF of the first loaded program, 0: none has one. */
unsigned object_btf_id(const struct object *o);

#endif
