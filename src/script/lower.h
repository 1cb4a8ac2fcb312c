/*
 * lower.h - from the typed tree to IR: what the lowering's files and the builtins share.
 *
 * A scalar is a ref, extended to 64 bits as its type asks.  Everything else (strings, tuples,
 * structs, stacks) lives in memory and is written to a destination, so that a value goes
 * straight to where it is wanted: a map key, a variable, a record in the ring.
 */
#ifndef SCRY_SCRIPT_LOWER_H
#define SCRY_SCRIPT_LOWER_H

#include "script/counted.h"
#include "script/meet.h"
#include "script/unit.h"

/* BPF helpers that the language is made of, by their kernel numbers (linux/bpf.h). */
enum {
	H_MAP_LOOKUP = BPF_FUNC_map_lookup_elem,
	H_MAP_UPDATE = BPF_FUNC_map_update_elem,
	H_MAP_DELETE = BPF_FUNC_map_delete_elem,
};

/* Where a value is to be written, as which type. */
struct dest {
	ref ptr;
	int32_t off;
	const struct type *type;
	bool pad; /* bytes behind short text must be zero: keys, values, variables */
};

/* Where a value lies that can be read. */
struct place {
	enum { PLACE_DIRECT, PLACE_KERNEL, PLACE_USER } how; /* plain load, or a helper */
	ref ptr;
	int64_t off;
};

/* lower.c: expressions */
ref lower_scalar(struct unit *u, struct expr *e);
/* Branches on a condition without making a value of it. */
void lower_cond(struct unit *u, struct expr *e, blkid yes, blkid no);
/* An expression evaluated for its effect. */
void lower_effect(struct unit *u, struct expr *e);
ref lower_incdec(struct unit *u, struct expr *e, bool want);
/* x op y as the language computes it, operands already extended. */
ref lower_arith(struct unit *u, struct expr *e, enum binary_op op, const struct type *xt, ref x,
		const struct type *yt, ref y);
/* The value at a place of the context that the provider described. */
ref lower_argloc(struct unit *u, const struct argloc *loc);
/* Where a value that does not fit a register begins. */
struct place argloc_place(struct unit *u, const struct argloc *loc);

/* lower_mem.c: values in memory */
/* min(v, max), in a way that shows the kernel's verifier the bound. */
ref lower_at_most(struct unit *u, ref v, int64_t max);
/* Writes e, scalar or not, as d->type. */
void lower_to(struct unit *u, struct expr *e, const struct dest *d);
/* The address of e's value in memory of the program (a variable, a map value, a copy). */
ref lower_addr(struct unit *u, struct expr *e);
/* Writes the value of type from that lies at src, as d->type. */
void convert(struct unit *u, ref src, int32_t off, const struct type *from,
	     const struct dest *d);
void store_text(struct unit *u, const char *s, size_t len, const struct dest *d);
/* Longer text: n bytes of it without a NUL, which is how values show that they were cut. */
void store_text_cut(struct unit *u, const char *s, uint32_t n, const struct dest *d);
/* Copies text of the program's own up to its NUL, which it gets in any case; its length. */
ref lower_copy_text(struct unit *u, ref to, uint32_t room, ref from);
/* The length of text in size bytes of memory. */
ref lower_text_len(struct unit *u, ref text, uint32_t size);
/*
 * Reads up to n bytes of text from a place into d with the matching helper, whose result it
 * gives: the bytes written, the last of them a NUL, or an error, which is counted.
 */
ref read_text(struct unit *u, const struct place *p, ref n, const struct dest *d,
	      struct span span);
/*
 * The same, but text that does not end within n bytes fills all n, without a NUL, which is how
 * values show that they were cut: the helper keeps the last byte for a NUL, so that byte is
 * read as well.
 */
void read_text_whole(struct unit *u, const struct place *p, uint32_t n, const struct dest *d,
		     struct span span);

/* lower_place.c: reading memory that is not the program's own */
struct place lower_place(struct unit *u, struct expr *e);
ref read_scalar(struct unit *u, const struct place *p, const struct type *t,
		const struct field *bits, struct span span);
void read_bytes(struct unit *u, const struct place *p, uint32_t size, ref dst, int32_t off,
		struct span span);
struct place place_of_pointer(struct unit *u, ref ptr, enum addr_space as);
ref place_address(struct unit *u, const struct place *p);

/* lower_map.c */
ref lower_map_read(struct unit *u, struct expr *e); /* scalar value, 0 when missing */
/* Address of the value, or of zeros when missing; memory values only. */
ref lower_map_addr(struct unit *u, struct expr *e);
/* Address of the value itself, 0 when it is missing. */
ref lower_map_entry(struct unit *u, struct expr *e);
void lower_map_store(struct unit *u, struct expr *target, struct expr *value);
/* The key bytes of @m[key] in memory; key NULL: of a keyless hash. */
ref lower_key(struct unit *u, const struct map_sym *m, struct expr *key);
/*
 * lower_agg.c: empties an aggregate without keys; was there something? Not known of long ones.
 */
ref lower_agg_clear(struct unit *u, const struct map_sym *m);
/* lower_agg.c: a loop over all CPUs, to be ended with counted_end(). Returns the CPU. */
ref each_cpu(struct unit *u, struct counted *c);
/* lower_agg.c: an aggregate as a number, over all CPUs. */
ref lower_agg_read(struct unit *u, struct expr *e);
/* The same of the entry whose key lies there; 0 for one of a map without keys. */
ref lower_agg_sum(struct unit *u, const struct map_sym *m, ref key);
void lower_map_agg(struct unit *u, struct expr *target, struct expr *call);
/* @m op= v without reading it first: v is added atomically. */
void lower_map_add(struct unit *u, struct expr *target, ref v);
void lower_map_set(struct unit *u, struct expr *target, ref v); /* scalar */
ref lower_map_delete(struct unit *u, struct expr *target, bool want, struct span span);
ref lower_map_has(struct unit *u, struct expr *target);
/* Is there an entry of that key? If so, the variable gets its value. */
ref lower_map_find(struct unit *u, struct expr *target, struct var_sym *v);

/* lower_unit.c: the probe ends here unless the condition holds. */
void lower_leave_unless(struct unit *u, ref cond);

/* lower_event.c: records in the ring, counters of failures */
struct record {
	ref ptr;
	blkid done;
};
/* A new kind of event; its index. The pointer is good until the next event_new(). */
struct plan_event *event_new(struct unit *u, enum event_kind kind, struct span span);
/* Sends a record of that event with the arguments of a call from args[first] on. */
void event_send(struct unit *u, struct plan_event *ev, struct expr **args, unsigned nargs);
/* For records that are filled in by hand: begin, store, end. */
void record_begin(struct unit *u, const struct plan_event *ev, struct record *r);
void record_end(struct unit *u, struct record *r);
/* A counter of the plan; its offset in the globals. */
uint32_t counter_new(struct unit *u, enum counter_kind kind, struct span span,
		     const char *helper, bool quiet);
/* The newest counter is about that map. */
void counter_is_of_map(struct unit *u, const struct map_sym *m);
/* Counts one failure with its code, here. */
void count_failure(struct unit *u, uint32_t counter_off, ref code);
/* Counts a failure when ret is negative, and goes on. */
void count_if_negative(struct unit *u, ref ret, enum counter_kind kind, struct span span,
		       const char *helper, bool quiet);
/* The same for what map helpers return, which is 0 or an error. */
void count_if_map_failed(struct unit *u, ref ret, enum counter_kind kind, struct span span,
			 const char *helper);
/* The error of a map helper: before Linux 6.4 it is an int with noise in the upper half. */
ref map_error(struct irb *b, ref ret);

/* lower_stmt.c */
void lower_stmt(struct unit *u, struct stmt *s);
/* A block's statements, without its value. */
void lower_statements(struct unit *u, struct stmt *s);
void lower_block(struct unit *u, struct stmt *s);
/* Memory for a variable, zeroed. */
void give_slot(struct unit *u, struct var_sym *v);
void store_var(struct unit *u, struct var_sym *v, struct expr *e);
/* Control goes on in a new block that nothing reaches: after return, break. */
void start_dead_block(struct unit *u);

/* lower_loop.c */
void lower_for_map(struct unit *u, struct stmt *s);
/* How many entries a map with keys has, by going over them. */
ref lower_count_entries(struct unit *u, const struct map_sym *m);
/* Is for ($i : a..b) better called by the kernel than written out as a loop? */
bool range_is_long(struct unit *u, const struct stmt *s);
void lower_long_range(struct unit *u, struct stmt *s);
/* Ends the probe, from the body of a loop too. */
void lower_leave(struct unit *u, ref result);
/* Ends the function around, from the body of a loop too; its result is in its variable. */
void lower_leave_function(struct unit *u);

/* lower_cast.c */
ref lower_array_word(struct unit *u, struct expr *e);
/* Where an array lies that is cast to a pointer. */
ref lower_array_address(struct unit *u, struct expr *e);
void lower_cast_to(struct unit *u, struct expr *e, const struct dest *d);
ref lower_address(struct unit *u, struct expr *e);
/* The same as a pointer that the verifier knows as one; 0 for an entry that is missing. */
ref lower_address_kept(struct unit *u, struct expr *e);
ref lower_is_probe(struct unit *u, struct expr *e);

/* lower_subprog.c: a call of a function; its result lies in the variable that is returned,
 * which is NULL when there is none. */
struct var_sym *lower_subprog_call(struct unit *u, struct expr *e);
void lower_return(struct unit *u, struct stmt *s);

/* lower_unit.c: the whole program of a unit as IR, ready for the passes, in u->fns. */
void lower_unit(struct unit *u);
/* The attach point that fired: `probe`. */
ref lower_which(struct unit *u);
ref lower_cpu_stripe(struct unit *u, uint32_t off);

/* join.c: after all units were compiled, those that one attachment serves become one program.
 */
void join_programs(struct compiler *c);

#endif
