/*
 * helper.h - the kernel's helper functions, by number and by name.
 *
 * Names are without the "bpf_" in front.
 */
#ifndef SCRY_BPF_HELPER_H
#define SCRY_BPF_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a helper takes and gives. A size belongs to the memory argument before it. */
enum helper_kind {
	HELPER_NONE, /* argument: there is none */
	HELPER_VOID, /* result: undefined */
	HELPER_SCALAR,
	HELPER_ANY, /* anything that is initialised: an address the helper does not trust */
	HELPER_CTX, /* the program's context */
	HELPER_MAP,
	HELPER_MAP_KEY,	      /* memory of the map's key size, read */
	HELPER_MAP_VALUE,     /* argument: memory of its value size, read; result: a value */
	HELPER_MAP_VALUE_OUT, /* memory of the map's value size, written */
	HELPER_MEM,	      /* memory that is read */
	HELPER_MEM_OR_NULL,
	HELPER_MEM_OUT,	   /* memory that is written, and may be uninitialised */
	HELPER_SIZE,	   /* its size, at least 1 */
	HELPER_SIZE0,	   /* its size, 0 allowed */
	HELPER_CONST_SIZE, /* a size known when the program is loaded */
	HELPER_STR,	   /* a constant string */
	HELPER_LONG_OUT,   /* 8 bytes that are written */
	HELPER_FUNC,	   /* a function of the program */
	HELPER_STACK_OR_NULL,
	HELPER_RECORD, /* memory reserved in a ring buffer, given back by the call */
	HELPER_SOCK,
	HELPER_SPIN_LOCK,
	HELPER_TIMER,
	HELPER_DYNPTR,
	HELPER_KERNEL, /* a kernel object whose type is known by BTF */
	HELPER_MAP_VALUE_OR_NULL,
	HELPER_RECORD_OR_NULL,
	HELPER_SOCK_OR_NULL,
	HELPER_KERNEL_OR_NULL,
};

enum { HELPER_PURE = 1 << 0 };

struct helper {
	uint32_t id;
	const char *name;
	const char *since; /* "5.8" */
	unsigned flags;
	enum helper_kind ret;
	enum helper_kind args[5];
};

/* The helper with this number, or NULL. */
const struct helper *helper_by_id(uint32_t id);
/* The helper with this name of len bytes, with or without "bpf_"; NULL when there is none. */
const struct helper *helper_by_name(const char *name, size_t len);
/* All helpers, ordered by number. */
const struct helper *helper_all(size_t *n);

#endif
