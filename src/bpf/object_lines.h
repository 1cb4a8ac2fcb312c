/*
 * object_lines.h - the lines of source that an object file (.BTF.ext) gives its instructions.
 */
#ifndef SCRY_BPF_OBJECT_LINES_H
#define SCRY_BPF_OBJECT_LINES_H

#include "bpf/object.h"
#include "bpf/object_ext.h"

/*
 * Adds the lines of the instructions of a section from byte `from` up to `to`, which are at
 * instruction `at` of a program. What is damaged is left out: lines are for messages only.
 */
void object_lines_add(struct arena *a, const struct object_ext *info, const char *section,
		      uint64_t from, uint64_t to, uint32_t at, struct bpf_object_prog *prog);

#endif
