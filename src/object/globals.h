/*
 * globals.h - what an object's own BTF says before it is loaded: its variables, its records.
 */
#ifndef SCRY_OBJECT_GLOBALS_H
#define SCRY_OBJECT_GLOBALS_H

#include "object/object.h"

/*
 * Notes which type the records of rings and perf buffers are, where the file tells it: the
 * map's value type, or the idiom of bpf2go, a variable "const struct event *unused".
 */
void records_find(struct object *o);

#endif
