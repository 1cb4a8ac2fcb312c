/*
 * attach.h - where the programs of an object go: by its sections, and by what the user adds.
 *
 * A section names a kind and, behind a '/', a place ("kprobe/vfs_read").  Kinds that the linked
 * libbpf does not know are told to it; those that need something only the user can name (an
 * interface, a cgroup, a rate) take it from struct object_where, or say which option gives it.
 */
#ifndef SCRY_OBJECT_ATTACH_H
#define SCRY_OBJECT_ATTACH_H

#include "object/object.h"

struct bpf_program;

/* Tells libbpf of the sections that came after it; to be called once per process. */
void sections_register(void);

/*
 * A place that the user named instead of the section's. What the kernel has to know before it
 * loads the program (fentry, lsm, freplace) is set here. Returns 0 or -errno with e set.
 */
int place_set(struct object *o, struct bpf_program *p, const char *place, struct err *e);

/*
 * Programs that the kernel cannot be given without a place, and have none, are left out, with a
 * line in o->notes.
 */
void places_check(struct object *o);

/* What one program is attached with. */
struct spot {
	struct object *o;
	const struct bpf_program *prog;
	const char *kind;  /* of its section, without ".s": "kprobe" */
	const char *place; /* behind the section's '/', or the user's; "": none */
	const char *shape; /* of a place of this kind, in words: "PATH:FUNCTION" */
	bool is_users;	   /* the place is the user's, and not what libbpf would find */
	const struct object_where *where;
	const char *missing; /* set by who needs an option that is not there: which */
	const char *hint;    /* set by who knows what to do about an error */
};

/*
 * What attaches a kind of program: 0, -errno with words in o->log or strerror's, or
 * -EDESTADDRREQ after setting s->missing.
 */
typedef int (*attach_fn)(struct spot *s);

/* attach_net.c: kinds that need an interface, a cgroup, a network namespace, a map. */
int attach_xdp(struct spot *s);
int attach_tc(struct spot *s);
int attach_tcx(struct spot *s);
int attach_socket(struct spot *s);
int attach_cgroup(struct spot *s);
int attach_netns(struct spot *s);
int attach_sockmap(struct spot *s);
int attach_netfilter(struct spot *s);

/* Says in o->log what is wrong with the program, which it names; returns err. */
int spot_say(struct spot *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Keeps a link of libbpf's, or the errno that it left. */
int spot_keep(struct spot *s, struct bpf_link *link);
/* Keeps a descriptor that ends the attachment when it is closed, or gives its -errno back. */
int spot_keep_fd(struct spot *s, int fd);

/* Attaches one program, or puts a line into o->notes why not. 0 or -errno with e set. */
int program_attach(struct object *o, const struct bpf_program *p,
		   const struct object_where *where, struct err *e);

/* The struct_ops maps of the object, each of which holds programs. */
int structs_attach(struct object *o, struct err *e);

/* Undoes what is neither libbpf's link nor a walk. */
void holds_release(struct object *o);

#endif
