/*
 * explain.h - a verifier's log turned into a message on the script's own line.
 *
 * The verifier speaks of registers and instruction numbers.  Its log is read backwards: the
 * last instruction it looked at, the words that follow it; the image knows which place of the
 * script that instruction was made for.
 */
#ifndef SCRY_CODEGEN_EXPLAIN_H
#define SCRY_CODEGEN_EXPLAIN_H

#include "base/diag.h"
#include "codegen/codegen.h"

/* What a log says. Texts point into the log; advice is constant. */
struct verdict {
	int64_t insn;	    /* the instruction it stopped at, -1: unknown */
	const char *reason; /* not terminated */
	int reason_len;	    /* 0: the log gives no reason */
	const char *advice; /* "" for none */
};

void explain_log(const char *log, struct verdict *out);

/*
 * Reports E0410_VERIFIER at the place in the script, or at fallback when the log names none.
 * probe is the program's name; the end of the log follows as notes.
 */
void explain_rejection(struct diags *dx, const struct image *img, const char *probe,
		       struct span fallback, const char *log);

#endif
