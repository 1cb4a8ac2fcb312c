/*
 * dwp.h - a package of split debug information: what was in many .dwo files, in one (.dwp).
 *
 * The package says by each unit's id which pieces of its sections are the unit's (GNU's
 * "DebugFissionDWP" for version 2, which goes with DWARF 4; DWARF 5, section 7.3.5). libdw does
 * not read it: a unit is unpacked to the .dwo file that it was made from, which libdw does.
 * Units of types (-fdebug-types-section) stay in the package.
 *
 * Pieces are read when a unit is asked for; what the file says is checked where it is read.
 */
#ifndef SCRY_TYPES_DWP_H
#define SCRY_TYPES_DWP_H

#include <stdbool.h>
#include <stdint.h>

struct dwp;

/* The package in an open file, which stays the caller's; NULL: it is none, or damaged. */
struct dwp *dwp_open(int fd);
/*
 * Writes the .dwo file of the unit of that id into memory; returns its descriptor, which is the
 * caller's, or -1: the package has no such unit, or it was asked for before.
 */
int dwp_unpack(struct dwp *p, uint64_t id);
void dwp_close(struct dwp *p);

#endif
