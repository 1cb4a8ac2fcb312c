/*
 * build.h - a compiled script as an object file, and back.
 *
 * The file is what libbpf and bpftool load: a section per program, named after where libbpf
 * attaches it as far as it knows how to; maps in .maps, the globals in .data; callbacks in
 * .text; BTF of maps and functions; the script's lines in BTF.ext.  A section of our own,
 * .scry, holds what is not in the programs: events and their formats, the script's maps and
 * types, where and how to attach.  `scry run` takes the instructions from the programs and all
 * else from there, and so shows what the script itself would show.
 *
 * Programs are made for one kernel (offsets of fields, numbers of CPUs); the file says which.
 */
#ifndef SCRY_OBJECT_BUILD_H
#define SCRY_OBJECT_BUILD_H

#include "base/sb.h"
#include "script/plan.h"

/* Settings of the script that matter while it runs. */
struct built_config {
	bool print_maps;
	bool source_lines, no_user_symbols, mangled; /* see struct decoder */
	uint32_t ring_pages, max_cat_bytes;
	const char *trunc_trailer;
};

/* Appends the object to out. Returns 0, or -ENOTSUP with e set. */
int object_build(const struct plan *plan, const struct built_config *cfg, struct sb *out,
		 struct err *e);
/*
 * The plan of an object of size bytes at data, which must stay; the rest is in a. Returns 0;
 * -ENOENT, e unset, when it was not built by scry; or -EINVAL with e set.
 */
int object_plan(struct arena *a, struct typetab *types, struct sources *sources,
		const void *data, size_t size, struct plan **plan, struct built_config *cfg,
		struct err *e);

#endif
