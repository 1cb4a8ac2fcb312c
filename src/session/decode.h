/*
 * decode.h - bytes and a type become a value.
 *
 * Strings and buffers of a value point into the bytes it was made from; everything else lives
 * in the arena that the caller gives and resets when the value was printed.
 */
#ifndef SCRY_SESSION_DECODE_H
#define SCRY_SESSION_DECODE_H

#include "output/value.h"
#include "script/plan.h"
#include "session/users.h"

struct ksyms;
struct usyms;

/* What decoding needs to know beyond the bytes. */
struct decoder {
	const struct plan *plan;
	const char *trunc_trailer; /* behind strings that were cut; NULL: the sinks' own */
	struct ksyms *ksyms;	   /* loaded on the first address; NULL until then */
	bool ksyms_failed;	   /* tried, and there is none: addresses stay numbers */
	struct usyms *usyms;	   /* use decoder_usyms() */
	const char *debug_dirs;	   /* of programs; see elf_debug_open() */
	bool source_lines;	   /* are shown behind user functions */
	bool no_user_symbols;	   /* addresses in processes stay numbers */
	bool mangled;		   /* names of C++ and Rust stay as they are */
	struct users users;	   /* loaded on the first user id */
	bool users_loaded;
	uint64_t cut;	      /* strings met that had been cut to fit */
	struct err ksyms_err; /* why */
};

void decoder_init(struct decoder *d, const struct plan *plan);
void decoder_fini(struct decoder *d);
/* The symbols of processes; made when first asked for. */
struct usyms *decoder_usyms(struct decoder *d);

/*
 * Loads now what decoding values of type t would load later.  For who looks at something that
 * changes meanwhile: the kernel's symbols take long enough for events to go by.
 */
void decoder_prepare(struct decoder *d, const struct type *t);

/* bytes holds t->size bytes, of any alignment. t is no aggregate: see aggregate.h for those. */
void decode(struct decoder *d, struct arena *a, const struct type *t, const void *bytes,
	    struct value *out);

/*
 * Of two stacks of one process the first frames that differ in what they are called, as stacks
 * of their own: naming whole stacks is too much for sorting them.  The same of tuples with
 * stacks in them; of stacks that are equal there is no frame.  False where that does not tell
 * them apart: t has no stack, one stack is the start of the other, or of two processes.
 */
bool decode_stacks_apart(struct decoder *d, struct arena *a, const struct type *t,
			 const void *x, const void *y, struct value *vx, struct value *vy);

#endif
