/*
 * vm_random.h - programs from random numbers, for tests: the same in every run, unless
 * SCRY_SEED and SCRY_ROUNDS say otherwise.
 */
#ifndef TEST_VM_RANDOM_H
#define TEST_VM_RANDOM_H

#include "base/auto.h"
#include "bpf/disasm.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_INSNS = 256 };

struct program {
	struct bpf_insn insns[MAX_INSNS];
	uint32_t n;
};

static uint64_t seed;

static inline uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static inline unsigned rounds(unsigned normally)
{
	const char *s = getenv("SCRY_ROUNDS");

	return s ? (unsigned)atoi(s) : normally;
}

static inline void start_random(void)
{
	const char *s = getenv("SCRY_SEED");

	seed = s ? strtoull(s, NULL, 0) | 1 : 0x5eed5eed5eedull;
}

static inline void put(struct program *p, uint8_t code, unsigned dst, unsigned src, int off,
		       int32_t imm)
{
	if (p->n < MAX_INSNS)
		p->insns[p->n++] =
			(struct bpf_insn){ code, dst & 0xf, src & 0xf, (int16_t)off, imm };
}

static inline int32_t number(void)
{
	static const int32_t EDGES[] = { 0,  1,	 -1,	    7,	       8,   31,
					 32, 63, INT32_MAX, INT32_MIN, 255, 4096 };

	return pick(2) ? EDGES[pick(12)] : (int32_t)(pick(1u << 31) - (1u << 30));
}

static inline void print_program(const struct program *p)
{
	auto_sb struct sb out = { 0 };

	for (uint32_t i = 0; i < p->n;) {
		sb_printf(&out, "%3u: ", i);
		i += bpf_disasm(&out, p->insns, p->n, i, NULL);
		sb_putc(&out, '\n');
	}
	fputs(sb_str(&out), stderr);
}

#endif
