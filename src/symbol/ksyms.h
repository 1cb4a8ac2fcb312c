/*
 * ksyms.h - kernel addresses to names, and back.
 *
 * One table per session, filled once and then never changed: lookups take no lock, and a name
 * stays valid as long as the table.  Modules loaded later are not seen; load a new table.
 * Loading costs what the kernel needs to write the file (0.3 us per symbol), so it is put off
 * until a symbol is asked for.
 */
#ifndef SCRY_SYMBOL_KSYMS_H
#define SCRY_SYMBOL_KSYMS_H

#include "base/err.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define KSYMS_PATH "/proc/kallsyms"

/* A symbol as the table keeps it: 16 bytes and its name. */
struct ksyms_entry {
	uint64_t addr;
	uint32_t name;	 /* offset in names */
	uint16_t module; /* index + 1 in modules, 0: of the kernel itself */
	uint8_t type;	 /* as in nm: T, t, D ... */
};

struct ksyms {
	VEC(struct ksyms_entry) syms; /* sorted by address; aliases best first */
	VEC(char) names;	      /* one behind the other, each with its NUL */
	VEC(char *) modules;
};

struct ksym {
	const char *name;
	const char *module; /* NULL: of the kernel itself */
	uint64_t addr;	    /* where the symbol begins */
	uint64_t offset;    /* of the address asked for from there */
	char type;
};

/* Fills ks, which must be zeroed. Returns 0, or -errno with e filled in and ks empty. */
int ksyms_load(struct ksyms *ks, const char *path, struct err *e);
void ksyms_fini(struct ksyms *ks);

/* The symbol that an address lies in; of several at one place, a global function first. */
bool ksyms_lookup(const struct ksyms *ks, uint64_t addr, struct ksym *out);
/* The symbol of that name; of several, a global one first, then the one at the lowest address.
 */
bool ksyms_find(const struct ksyms *ks, const char *name, struct ksym *out);

#endif
