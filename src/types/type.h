/*
 * type.h - the types of the tracing language and of the kernel's C, in one vocabulary.
 *
 * The checker, the lowering and the decoder of events all speak of values in these terms; BTF,
 * DWARF and tracefs formats are read into them.  Types live in the arena of their typetab and
 * are immutable once made; compare them with type_same().
 *
 * How a value lies in memory (in a map, an event, a variable) follows from its type alone:
 * scalars are little-endian integers of their size; a string[N] is N bytes, text up to the
 * first NUL and zeros behind it; a buffer[N] is a u32 length and N bytes; tuples and records
 * are laid out like a C struct of their parts; aggregates as agg.h says.
 */
#ifndef SCRY_TYPES_TYPE_H
#define SCRY_TYPES_TYPE_H

#include "base/err.h"
#include "base/sb.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum type_kind {
	T_ERROR, /* of a broken subtree; equal to everything, so one mistake gives one message
		  */
	T_NONE,	 /* of a call that gives nothing */
	T_BOOL,
	T_INT,
	T_ENUM,
	T_FLOAT, /* C float and double: the bits of IEEE 754 */
	T_STRING,
	T_BUFFER,
	T_PTR,
	T_ARRAY,
	T_STRUCT, /* or union, see is_union */
	T_TUPLE,
	T_RECORD,
	T_FUNC, /* what a C function pointer points to */
	/* Values that user space turns into text. */
	T_KSYM,	       /* u64 kernel address */
	T_USYM,	       /* u64 address, u32 pid, u32 0 */
	T_KSTACK,      /* see stack_mode, depth: u32 count, u32 0, u64 ip[depth] */
	T_USTACK,      /* u32 count, u32 pid, u64 ip[depth] */
	T_PROBE,       /* u64 attach point id, see plan.h; ids ascend with the names */
	T_TIMESTAMP,   /* u64 nsecs, u32 index of the format text, u32 clock mode */
	T_USERNAME,    /* u64 uid */
	T_INET,	       /* u32 family, u32 0, u8 addr[16] */
	T_MAC,	       /* u8[6] */
	T_CGROUP_PATH, /* u64 id, u32 index of the pattern's text, u32 0 */
	/* Aggregates: values of maps only. */
	T_COUNT,
	T_SUM,
	T_MIN,
	T_MAX,
	T_AVG,
	T_STATS,
	T_STDDEV,
	T_HIST,
	T_LHIST,
	T_LLHIST,
	T_TSERIES,
	T_KINDS
};

/* Whose memory a pointer points into, which decides the helper that reads it. */
enum addr_space { AS_NONE, AS_KERNEL, AS_USER };

enum stack_mode { STACK_SCRY, STACK_PERF, STACK_RAW, STACK_BUILD_ID };

struct field {
	const char
		*name; /* "" for an anonymous member, whose own fields are found through it */
	const struct type *type;
	uint32_t bit_off; /* from the start of the enclosing struct */
	uint8_t bit_size; /* of a bit-field, else 0 */
	bool data_loc;	  /* tracepoint __data_loc: the word holds offset and length */
	bool rel_loc;	  /* the same, with the offset counted from the end of the word */
	bool is_user;	  /* marked __user: a pointer into user memory */
	/*
	 * Of a virtual base of C++, or a member of one: how far from the address in the
	 * object's word at byte vtable_at (its table) the word lies that says where the base
	 * begins, counted from vtable_at. bit_off is from there; 0: it is none.
	 */
	int32_t vtable_slot;
	uint32_t vtable_at;
};

struct enum_const {
	const char *name;
	int64_t value;
};

struct btf;
struct dwarf_origin;

struct type {
	enum type_kind kind;
	uint32_t size;	/* bytes in memory; 0 for none, incomplete */
	uint32_t align; /* bytes */
	bool is_signed; /* T_INT, T_ENUM, and T_SUM ... T_TSERIES: of what is aggregated */
	bool is_float;	/* T_SUM ... T_STATS: of doubles that are aggregated */
	bool flexible;	/* T_INT of a literal: takes the sign and width of its partner */
	bool is_union;
	/* T_STRUCT of C++: what type_member() finds though it is not among the fields. */
	struct field *virtual_bases;
	uint32_t nvirtual_bases;
	bool is_char;		 /* T_INT: C's char, so that arrays of it read as strings */
	enum addr_space as;	 /* T_PTR: where it points; T_STRUCT: where it lies */
	const struct type *elem; /* T_PTR, T_ARRAY */
	uint32_t nelems;	 /* T_ARRAY; 0 = flexible array */
	const char *name;	 /* T_STRUCT, T_ENUM, T_FUNC: tag without keyword, or "" */
	/* T_STRUCT, T_TUPLE, T_RECORD; ask type_fields(), which reads a struct's when still
	 * NULL. */
	struct field *fields;
	uint32_t nfields;
	/* T_ENUM; ask type_enum_consts(). */
	struct enum_const *consts;
	uint32_t nconsts;
	/* Where a struct or enum of BTF comes from, else NULL. */
	const struct btf *btf;
	uint32_t btf_id;
	/* The same for one of DWARF. */
	const struct dwarf_origin *dwarf;
	/* T_HIST: bits; T_LHIST: min, max, step; T_LLHIST: base in bits, exponents from min to
	 * max, steps per power in step; T_TSERIES: interval in step, their
	 * number in max, enum tseries_fn in bits. */
	struct {
		int64_t bits, min, max, step;
	} hist;
	/* T_KSTACK, T_USTACK */
	enum stack_mode stack_mode;
	uint32_t depth;
};

/* A type made from BTF or DWARF, so that one place in a source gives one type. */
struct type_slot {
	const void *source;
	uint64_t id;
	const struct type *type; /* NULL: the slot is free */
};

/* Makes types; one per compile or session, all in one arena. */
struct typetab {
	struct arena *arena;
	const struct btf *btf; /* the kernel's; use kernel_btf(), which opens it when needed */
	const char *btf_path;  /* instead of the running kernel's, or NULL */
	bool btf_failed;
	struct err btf_err;
	const struct type *ints[2][4]; /* by sign and log2 of the size: see type_int() */
	const struct type *chars[2];   /* by sign: see type_char() */
	struct type_slot *slots;       /* hashed by source and id; a power of two, or none */
	uint32_t nslots, nused;
};

void typetab_init(struct typetab *tt, struct arena *a);
/* What was made of that place in a source (a BTF, a unit of DWARF) before; NULL: nothing yet.
 */
const struct type *typetab_known(const struct typetab *tt, const void *source, uint64_t id);
void typetab_remember(struct typetab *tt, const void *source, uint64_t id,
		      const struct type *t);

extern const struct type type_error, type_none, type_bool, type_float, type_double, type_ksym,
	type_usym, type_probe, type_username, type_inet, type_mac, type_timestamp,
	type_cgroup_path, type_void;

static inline bool type_is_int_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}
/* size 1, 2, 4 or 8 bytes. */
const struct type *type_int(struct typetab *tt, unsigned size, bool is_signed);
/* C's char, whose arrays read as strings. */
const struct type *type_char(struct typetab *tt, bool is_signed);
/* The smallest signed type that holds v, marked flexible when v >= 0; uint64 beyond int64. */
const struct type *type_literal(struct typetab *tt, int64_t v, bool beyond_int64);
const struct type *type_string(struct typetab *tt, uint32_t size);
const struct type *type_buffer(struct typetab *tt, uint32_t size);
const struct type *type_ptr(struct typetab *tt, const struct type *elem, enum addr_space as);
/* An array that would not fit 32 bits of size becomes a flexible one. */
const struct type *type_array(struct typetab *tt, const struct type *elem, uint32_t n);
/* A struct known by its name only: type_fields() looks it up in the kernel's BTF. */
const struct type *type_struct_named(struct typetab *tt, const char *name, bool is_union);
const struct type *type_tuple(struct typetab *tt, const struct type *const *parts, unsigned n);
/* Like a tuple, with names. */
const struct type *type_record(struct typetab *tt, const char *const *names,
			       const struct type *const *parts, unsigned n);
const struct type *type_stack(struct typetab *tt, enum type_kind kind, enum stack_mode mode,
			      uint32_t depth);
/* An aggregate of that kind over signed or unsigned values (see agg.h for its memory). */
const struct type *type_agg(struct typetab *tt, enum type_kind kind, bool is_signed);
/* The same over doubles. */
const struct type *type_agg_float(struct typetab *tt, enum type_kind kind);
const struct type *type_hist(struct typetab *tt, bool is_signed, int64_t bits);
const struct type *type_lhist(struct typetab *tt, bool is_signed, int64_t min, int64_t max,
			      int64_t step);
/* Log-linear: powers of base from low to high, each up to the next in equal parts of which
 * steps reach from 0 to the next power. */
const struct type *type_llhist(struct typetab *tt, bool is_signed, int64_t base, int64_t low,
			       int64_t high, int64_t steps);
/* What becomes of the values of one interval of a tseries(). */
enum tseries_fn { TSERIES_LAST, TSERIES_AVG, TSERIES_MAX, TSERIES_MIN, TSERIES_SUM };
const struct type *type_tseries(struct typetab *tt, bool is_signed, int64_t interval_ns,
				int64_t n, enum tseries_fn fn);
/* A struct or a pointer's target as seen in an address space; other types stay as they are. */
const struct type *type_in_space(struct typetab *tt, const struct type *t, enum addr_space as);

/* Structural equality; T_ERROR equals everything; flexible, is_char and spaces are ignored. */
bool type_same(const struct type *a, const struct type *b);
static inline bool type_is_error(const struct type *t)
{
	return t->kind == T_ERROR;
}
/* Fits a register: bool, int, enum, float, pointer, ksym, probe, username. */
bool type_is_scalar(const struct type *t);
/* bool, int or enum. */
bool type_is_integral(const struct type *t);
bool type_is_agg(const struct type *t);
/* An aggregate whose value can be read as an integer (count sum min max avg). */
bool type_is_castable_agg(const struct type *t);

/* Reads a struct's or enum's members from BTF or DWARF if that was not done yet; returns t. */
const struct type *type_complete(struct typetab *tt, const struct type *t);
/* The fields of a struct, tuple or record, completed first; none for other types. */
const struct field *type_fields(struct typetab *tt, const struct type *t, uint32_t *n);
const struct enum_const *type_enum_consts(struct typetab *tt, const struct type *t,
					  uint32_t *n);
/*
 * Finds a member by name, through anonymous members. Returns false when there is none; on
 * success *out is the member with bit_off counted from the start of t.
 */
bool type_member(struct typetab *tt, const struct type *t, const char *name, struct field *out);

/* The name of a kind whose types are all alike ("ksym_t"), else "". */
const char *type_plain_name(const struct type *t);
/* The type's name as diagnostics show it: "int64", "string[16]", "struct task_struct *". */
const char *type_str(struct arena *a, const struct type *t);

#endif
