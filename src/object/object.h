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
#include <stdint.h>
#include <sys/types.h>

struct bpf_object;
struct bpf_link;
struct object_hold;

/* What sections leave open: the options of `scry run`. All may be 0 or NULL. */
struct object_where {
	pid_t pid;	    /* uprobes, USDT, samples and walks over tasks see it alone */
	unsigned dev;	    /* interface: xdp, tc, tcx, netkit, socket */
	const char *cgroup; /* path of its directory */
	const char *netns;  /* path: sk_lookup, flow_dissector; NULL: our own */
	unsigned rate;	    /* samples a second of perf_event programs; 0: 99 */
};

/* Something that ends when it is released: a descriptor, or more to undo. */
struct object_hold {
	void (*release)(struct object_hold *h);
	int fd, prog_fd;
	unsigned type;	   /* of sk_skb and sk_msg: the attach type */
	unsigned dev, dir; /* of tc: interface and direction */
	unsigned handle, priority;
	bool made_hook;
};

/* The place a user gave a program instead of its section's. */
struct object_place {
	const char *prog, *place;
};

/* What the file says its records are: a struct of its BTF. */
struct object_record {
	const char *map, *type;
};

struct object {
	const char *path;
	struct bpf_object *bpf;
	struct sb log; /* all that libbpf and the verifier said */
	VEC(struct bpf_link *) links;
	VEC(struct object_hold) holds;
	VEC(struct object_place) places;
	VEC(struct object_record) records;
	VEC(int) walks;		  /* iterators: reading one gives the program's text */
	unsigned nattached;	  /* programs */
	VEC(const char *) prints; /* patterns of what its programs may trace_printk() */
	struct sb notes;	  /* a line for each program that was not attached, and why */
	bool is_chosen;		  /* some programs were asked for by name */
	bool is_printing;	  /* there are programs that call trace_printk() */
	struct arena arena;
};

/* Returns 0 or -errno with e set; object_close() in any case. */
int object_open(struct object *o, const char *path, struct err *e);
/*
 * Which programs are to be loaded: a first wanted one excludes the others. -ENOENT: there is
 * none of that name.
 */
int object_want(struct object *o, const char *prog, bool wanted, struct err *e);
/* "PROGRAM=PLACE", the place as it would stand behind the section's '/'. */
int object_place(struct object *o, const char *text, struct err *e);
/*
 * "VARIABLE=VALUE": what a global variable starts with, by its type in the file's BTF; the
 * value "pid" is the process that is watched.
 */
int object_set(struct object *o, const char *text, pid_t pid, struct err *e);
int object_load(struct object *o, struct err *e);
/* Attaches what can be attached; the rest is in o->notes. -ENOENT when that left nothing. */
int object_attach(struct object *o, const struct object_where *where, struct err *e);
/* Detaches everything; the maps stay. */
void object_detach(struct object *o);
void object_close(struct object *o);

/* A map as libbpf made it. */
struct object_map {
	const char *name;
	int fd;
	unsigned type, max_entries;
	bool is_const;		   /* .rodata and the like: nothing happens there */
	unsigned key_id, value_id; /* of its types in the file's BTF, 0: none */
};
/* The i-th map; false behind the last one. */
bool object_map_at(const struct object *o, unsigned i, struct object_map *out);
/* The BTF of the file as libbpf holds it; NULL: it has none. */
const void *object_btf(const struct object *o, uint32_t *size);
/* The id of the BTF of the first loaded program, 0: none has one. */
unsigned object_btf_id(const struct object *o);

#endif
