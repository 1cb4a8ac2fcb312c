#include "bpf/object_lines.h"

#include <linux/bpf.h>
#include <string.h>

static const char *without_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

void object_lines_add(struct arena *a, const struct object_ext *info, const char *section,
		      uint64_t from, uint64_t to, uint32_t at, struct bpf_object_prog *prog)
{
	const void *record;
	struct ext_walk w;

	if (!ext_walk_begin(&w, info, EXT_LINES, sizeof(struct bpf_line_info), section))
		return;
	while ((record = ext_walk_next(&w))) {
		struct bpf_line_info l;

		memcpy(&l, record, sizeof(l));
		if (l.insn_off < from || l.insn_off >= to)
			continue;
		struct bpf_object_line line = {
			.insn = at + (uint32_t)((l.insn_off - from) / 8),
			.line = BPF_LINE_INFO_LINE_NUM(l.line_col),
			.column = BPF_LINE_INFO_LINE_COL(l.line_col),
			.file = ext_walk_text(&w, l.file_name_off),
			.text = without_blanks(ext_walk_text(&w, l.line_off)),
		};
		vec_push(a, &prog->lines, line);
	}
}

const struct bpf_object_line *bpf_object_line_of(const struct bpf_object_prog *prog,
						 uint32_t insn)
{
	const struct bpf_object_line *found = NULL;

	vec_each(l, &prog->lines) {
		if (l->insn <= insn && (!found || l->insn >= found->insn))
			found = l;
	}
	return found;
}
