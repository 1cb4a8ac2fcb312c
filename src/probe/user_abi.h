/*
 * user_abi.h - where arguments lie when a function is entered, by the calling convention.
 *
 * "System V Application Binary Interface, AMD64", section 3.2.3, and "Procedure Call Standard
 * for the Arm 64-bit Architecture", section 6.8, as far as general registers and the stack go;
 * what is passed in floating-point registers cannot be read by a probe.
 */
#ifndef SCRY_PROBE_USER_ABI_H
#define SCRY_PROBE_USER_ABI_H

#include "probe/provider.h"
#include "types/dwarf_func.h"

/*
 * Settles the parameters that are DWARF_AT_ENTRY; in locs those where the argument convention
 * puts them, for each of n parameters. result is what the function returns, and
 * returns_by_ref says that it does so through memory that the caller gives the address of.
 */
void user_abi_place(struct typetab *tt, const struct dwarf_param *params, unsigned n,
		    const struct type *result, bool returns_by_ref, struct dwarf_place *out);

#endif
