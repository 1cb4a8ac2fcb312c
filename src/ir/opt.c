/*
 * The passes, and the loop that runs them.
 */
#include "ir/pass.h"

enum { ROUNDS = 6 }; /* most functions are done after three */

const struct ir_pass ir_passes[] = {
	{ "cfg", "simplify the graph of blocks", opt_cfg },
	{ "mem2reg", "turn slots into values", opt_mem2reg },
	{ "fold", "fold constants, simplify arithmetic", opt_fold },
	{ "cse", "compute the same thing once", opt_cse },
	{ "mem", "forward what was stored to loads", opt_mem },
	{ "dse", "drop stores nobody sees", opt_dse },
	{ "dce", "drop unused instructions", opt_dce },
	{ 0 },
};

void ir_optimize_without(struct fn *fn, uint32_t without,
			 void (*after)(void *arg, const char *pass, const struct fn *fn),
			 void *arg)
{
	bool changed = true;

	for (int round = 0; changed && round < ROUNDS; round++) {
		changed = false;
		for (const struct ir_pass *p = ir_passes; p->name; p++) {
			if (without >> (p - ir_passes) & 1)
				continue;
			changed |= p->run(fn);
			if (after)
				after(arg, p->name, fn);
		}
	}
}

void ir_optimize(struct fn *fn, void (*after)(void *arg, const char *pass, const struct fn *fn),
		 void *arg)
{
	ir_optimize_without(fn, 0, after, arg);
}
