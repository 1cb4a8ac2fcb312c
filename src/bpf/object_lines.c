/*
 * Source of the format: the kernel's Documentation/bpf/btf.rst, chapter on .BTF.ext.
 */
#include "bpf/object_lines.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>

/* Its header, as far as it is read. */
struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, func_off, func_len, line_off, line_len;
};

/* Before the lines of a section. */
struct section_head {
	uint32_t name, count;
};

struct strings {
	const char *at;
	uint32_t len;
};

static bool find_strings(const struct object_line_info *info, struct strings *out)
{
	struct btf_header h;

	if (info->btf_size < sizeof(h))
		return false;
	memcpy(&h, info->btf, sizeof(h));
	size_t size = info->btf_size - sizeof(h);
	if (h.magic != BTF_MAGIC || h.hdr_len != sizeof(h) || h.str_off > size ||
	    h.str_len > size - h.str_off || !h.str_len)
		return false;
	*out = (struct strings){ (const char *)info->btf + sizeof(h) + h.str_off, h.str_len };
	return !out->at[out->len - 1];
}

static const char *string(const struct strings *s, uint32_t off)
{
	return off < s->len ? s->at + off : "";
}

/* The part with lines: its records' size in *record, what follows that in *p up to *end. */
static bool find_lines(const struct object_line_info *info, const uint8_t **p,
		       const uint8_t **end, uint32_t *record)
{
	struct ext_header h;

	if (info->ext_size < sizeof(h))
		return false;
	memcpy(&h, info->ext, sizeof(h));
	if (h.magic != BTF_MAGIC || h.hdr_len < sizeof(h) || h.hdr_len > info->ext_size)
		return false;
	size_t size = info->ext_size - h.hdr_len;
	if (h.line_off > size || h.line_len > size - h.line_off || h.line_len < sizeof(*record))
		return false;
	*p = (const uint8_t *)info->ext + h.hdr_len + h.line_off;
	*end = *p + h.line_len;
	memcpy(record, *p, sizeof(*record));
	*p += sizeof(*record);
	return *record >= sizeof(struct bpf_line_info);
}

static const char *without_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

void object_lines_add(struct arena *a, const struct object_line_info *info, const char *section,
		      uint64_t from, uint64_t to, uint32_t at, struct bpf_object_prog *prog)
{
	struct strings strings;
	const uint8_t *p, *end;
	uint32_t record;

	if (!find_strings(info, &strings) || !find_lines(info, &p, &end, &record))
		return;
	while ((size_t)(end - p) >= sizeof(struct section_head)) {
		struct section_head head;

		memcpy(&head, p, sizeof(head));
		p += sizeof(head);
		bool wanted = !strcmp(string(&strings, head.name), section);
		for (; head.count && (size_t)(end - p) >= record; head.count--, p += record) {
			struct bpf_line_info l;

			memcpy(&l, p, sizeof(l));
			if (!wanted || l.insn_off < from || l.insn_off >= to)
				continue;
			struct bpf_object_line line = {
				.insn = at + (uint32_t)((l.insn_off - from) / 8),
				.line = BPF_LINE_INFO_LINE_NUM(l.line_col),
				.column = BPF_LINE_INFO_LINE_COL(l.line_col),
				.file = string(&strings, l.file_name_off),
				.text = without_blanks(string(&strings, l.line_off)),
			};
			vec_push(a, &prog->lines, line);
		}
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
