/*
 * unwinds_shared N [MS [WAIT]]: unwinds, with the libc of the system.
 */
#include "unwinds.c"
