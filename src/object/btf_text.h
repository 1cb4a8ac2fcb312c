/*
 * btf_text.h - BTF from where it may be: the kernel's objects, files; and as C, by libbpf.
 */
#ifndef SCRY_OBJECT_BTF_TEXT_H
#define SCRY_OBJECT_BTF_TEXT_H

#include "base/err.h"
#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* BTF and the one that it continues (types of a module those of the kernel). */
struct btf_bytes {
	struct sb own, base; /* base empty: there is none */
};
void btf_bytes_fini(struct btf_bytes *b);
/* All return 0 or -errno with e set; btf_bytes_fini() in any case. */
int btf_bytes_of_object(struct btf_bytes *b, int fd, struct err *e);
/* A file of BTF, or an ELF file with a section .BTF; base: the file it continues, or NULL. */
int btf_bytes_of_file(struct btf_bytes *b, const char *path, const char *base, struct err *e);

/*
 * Writes a header of C: all types, or, with n > 0, those with ids[] and what they need. It is
 * made by a process of its own, as libbpf dies of some BTF that is damaged: -EINVAL then.
 */
int btf_write_c(const struct btf_bytes *b, const uint32_t *ids, unsigned n, FILE *out,
		struct err *e);

#endif
