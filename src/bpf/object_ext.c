/*
 * Source of the format: the kernel's Documentation/bpf/btf.rst, chapter on .BTF.ext.
 */
#include "bpf/object_ext.h"

#include <linux/btf.h>
#include <string.h>

/* The header of .BTF.ext, as far as all of them have it. */
struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
};

/* Before the records of a section. */
struct section_head {
	uint32_t name, count;
};

static bool find_strings(const struct object_ext *info, struct ext_walk *w)
{
	struct btf_header h;

	if (info->btf_size < sizeof(h))
		return false;
	memcpy(&h, info->btf, sizeof(h));
	size_t size = info->btf_size - sizeof(h);
	if (h.magic != BTF_MAGIC || h.hdr_len != sizeof(h) || h.str_off > size ||
	    h.str_len > size - h.str_off || !h.str_len)
		return false;
	w->strings = (const char *)info->btf + sizeof(h) + h.str_off;
	w->strings_len = h.str_len;
	return !w->strings[w->strings_len - 1];
}

/* The records' size, what follows that in p up to end. */
static bool find_part(const struct object_ext *info, enum object_ext_part part,
		      struct ext_walk *w)
{
	struct ext_header h;
	struct {
		uint32_t off, len;
	} at;

	if (info->ext_size < sizeof(h))
		return false;
	memcpy(&h, info->ext, sizeof(h));
	if (h.magic != BTF_MAGIC || h.hdr_len < part + sizeof(at) || h.hdr_len > info->ext_size)
		return false;
	memcpy(&at, (const uint8_t *)info->ext + part, sizeof(at));
	size_t size = info->ext_size - h.hdr_len;
	if (at.off > size || at.len > size - at.off || at.len < sizeof(w->record))
		return false;
	w->p = (const uint8_t *)info->ext + h.hdr_len + at.off;
	w->end = w->p + at.len;
	memcpy(&w->record, w->p, sizeof(w->record));
	w->p += sizeof(w->record);
	return true;
}

bool ext_walk_begin(struct ext_walk *w, const struct object_ext *info,
		    enum object_ext_part part, uint32_t size, const char *section)
{
	*w = (struct ext_walk){ .section = section };
	return find_strings(info, w) && find_part(info, part, w) && w->record >= size;
}

const char *ext_walk_text(const struct ext_walk *w, uint32_t off)
{
	return off < w->strings_len ? w->strings + off : "";
}

/* The head of the next section. */
static bool next_section(struct ext_walk *w)
{
	struct section_head head;

	if ((size_t)(w->end - w->p) < sizeof(head))
		return false;
	memcpy(&head, w->p, sizeof(head));
	w->p += sizeof(head);
	w->left = head.count;
	w->wanted = !strcmp(ext_walk_text(w, head.name), w->section);
	return true;
}

const void *ext_walk_next(struct ext_walk *w)
{
	for (;;) {
		while (!w->left) {
			if (!next_section(w))
				return NULL;
		}
		if ((size_t)(w->end - w->p) < w->record)
			return NULL;
		const void *record = w->p;
		w->p += w->record;
		w->left--;
		if (w->wanted)
			return record;
	}
}
