/*
 * dwarf_func.h - the parameters of a program's functions: types, and where they lie.
 *
 * What DWARF says is true between a function's beginning and its end, save for code that was
 * not optimised: there it names the place in the frame that the prologue has yet to fill.  Such
 * a place is told as DWARF_AT_ENTRY: where the calling convention puts the parameter is for the
 * caller to work out.
 */
#ifndef SCRY_TYPES_DWARF_FUNC_H
#define SCRY_TYPES_DWARF_FUNC_H

#include "types/dwarf.h"

enum dwarf_place_kind {
	DWARF_NOWHERE,	/* see why */
	DWARF_AT_ENTRY, /* where the calling convention says */
	DWARF_REG,	/* in reg */
	DWARF_PAIR,	/* the first 8 bytes in reg, the rest in reg2 */
	DWARF_TRIPLE,	/* the same, with the last in reg3 */
	DWARF_MEMORY,	/* at reg + off, or, of is_ref, at the address that is stored there */
	DWARF_SUM,	/* it is reg + off itself */
	DWARF_CONST,	/* it is off itself */
};

struct dwarf_place {
	enum dwarf_place_kind kind;
	unsigned reg, reg2, reg3; /* DWARF's numbers */
	int64_t off;
	bool is_ref;
	bool is_unsure;	 /* DWARF_AT_ENTRY, unless its callers do not pass it */
	const char *why; /* DWARF_NOWHERE: "it was optimised out" and the like */
};

struct dwarf_param {
	const char *name;
	const struct type *type;
	Dwarf_Die die;
	struct dwarf_place place;
	/* A C++ object that the caller copies and passes the address of. */
	bool is_by_ref;
};

/* Where the frame base of a function is counted from at an address, as far as it matters. */
struct dwarf_frame {
	bool is_entry;	  /* nothing of the function has run */
	bool has_cfa;	  /* the canonical frame address is cfa_reg + cfa_off */
	unsigned cfa_reg; /* DWARF's number */
	int64_t cfa_off;
};

/*
 * Is a parameter that has no place at the entry of a function passed all the same, where the
 * calling convention says?
 */
enum dwarf_abi {
	DWARF_ABI_KEPT,
	DWARF_ABI_UNSURE, /* not by callers that are known not to need to (LLVM's) */
	DWARF_ABI_NONE,	  /* the language has a convention of its own (Go) */
};

/* Whose parameters are asked for, and where. */
struct dwarf_scope {
	Dwarf_Die func;	 /* which has the frame */
	Dwarf_Die inner; /* func, or a function that was inlined into it */
	uint64_t pc;
	struct dwarf_frame frame;
	enum dwarf_abi abi;
};

/* What the compiler of a function's file makes of the system's calling convention. */
enum dwarf_abi dwarf_abi_of(Dwarf_Die *func);

/*
 * The parameters that a function is declared with, in that order, in arena memory. Returns
 * their number; those without a name are called "".
 */
unsigned dwarf_params(struct typetab *tt, struct dwarf_types *d, const struct dwarf_scope *at,
		      struct dwarf_param **out);

/* Calls fn with "TYPE NAME" of each parameter that has a name. */
void dwarf_print_params(Dwarf_Die *func, void (*fn)(void *arg, const char *text), void *arg);

#endif
