/*
 * insn.h - how long machine instructions are, and which of them return: enough to find the
 * places in a function where a probe may be, and no more.
 */
#ifndef SCRY_PROBE_INSN_H
#define SCRY_PROBE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct insn_set {
	/* Bytes of the instruction at code, of which size can be read; 0: it is not known. */
	unsigned (*length)(const uint8_t *code, size_t size);
	/* Is it a return from a function? */
	bool (*is_return)(const uint8_t *code, unsigned length);
};

extern const struct insn_set insn_x86_64, insn_aarch64;

/*
 * Walks over the first size bytes of code and calls fn with the offset of each return.
 * Returns false at an instruction that is not known.
 */
bool insn_each_return(const struct insn_set *set, const uint8_t *code, size_t size,
		      void (*fn)(void *arg, size_t offset), void *arg);
/* Does an instruction begin at the offset? Also true when that cannot be told. */
bool insn_begins_at(const struct insn_set *set, const uint8_t *code, size_t size,
		    size_t offset);

#endif
