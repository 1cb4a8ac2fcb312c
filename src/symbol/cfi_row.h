/*
 * cfi_row.h - one row of an unwind table: how to get from a function to its caller, for the
 * code from an address on to the next row's.  x86_64.
 *
 * A row is a u64, so that a table is searched by comparing words:
 *
 *	bits 32-62  address, counted from the table's base
 *	bits 11-31  n: an offset in words of 8 bytes, or as the rule says
 *	bits 3-10   where the caller's rbp is
 *	bits 0-2    the rule for the canonical frame address (CFA): the caller's rsp
 *
 * The return address lies at CFA - 8, where call put it; DWARF 5 section 6.4 has the terms.
 */
#ifndef SCRY_SYMBOL_CFI_ROW_H
#define SCRY_SYMBOL_CFI_ROW_H

enum cfi_rule {
	CFI_NONE,     /* no table covers this code */
	CFI_END,      /* the outermost function of a thread */
	CFI_SP,	      /* CFA = rsp + 8 n */
	CFI_BP,	      /* CFA = rbp + 8 n */
	CFI_PLT,      /* CFA = rsp + 8, and 8 more from byte n of 16 on: a lazy PLT entry */
	CFI_BP_DEREF, /* CFA = *(rbp - 8 n): a stack that was realigned */
	CFI_SIGNAL,   /* the frame of a signal handler: rsp is *(rsp + 8 n), see cfi.c */
	CFI_UNKNOWN,  /* there are rules, which a row cannot hold */
};

enum {
	CFI_RULE_BITS = 3,
	CFI_SAVED_SHIFT = 3,
	CFI_SAVED_BITS = 8,
	CFI_N_SHIFT = 11,
	CFI_N_BITS = 21,
	CFI_PC_SHIFT = 32,
	CFI_PC_BITS = 31,
};

/* Where the caller's rbp is: any other number n means *(CFA - 8 n). */
enum cfi_saved { CFI_SAVED_SAME = 0, CFI_SAVED_AT_BP = 1, CFI_SAVED_UNKNOWN = 255 };

#endif
