/*
 * unwinds_shared N [MS]: unwinds, with the libc of the system.
 */
#include "unwinds.c"
