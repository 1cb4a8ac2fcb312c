/*
 * typed.h - maps of the kernel, read and shown by their BTF.
 *
 * What a map's keys and values are is asked from the kernel, so it makes no difference who
 * loaded it.  A map without BTF, or with one that does not fit its sizes, has buffers of bytes.
 */
#ifndef SCRY_OBJECT_TYPED_H
#define SCRY_OBJECT_TYPED_H

#include "base/sb.h"
#include "output/sink.h"
#include "session/decode.h"
#include "types/btf.h"

#include <linux/bpf.h>

/* Types of one BTF object, and what decoding by them needs. */
struct typed {
	struct arena arena;
	struct typetab types;
	struct plan plan; /* empty, but for its types */
	struct decoder decoder;
	struct sb bytes;
	struct btf *btf; /* NULL: there is none */
};

/* Fetches the BTF with that id; 0, or one that cannot be had, leaves t without types. */
void typed_init(struct typed *t, uint32_t btf_id);
/* By BTF in memory that stays; NULL: none. */
void typed_init_bytes(struct typed *t, const void *btf, uint32_t size);
void typed_fini(struct typed *t);

struct typed_map {
	struct typed t;
	int fd; /* borrowed */
	struct bpf_map_info info;
	const struct type *key, *value; /* NULL: bytes */
	bool is_percpu;
	size_t value_bytes; /* as system calls take them: of all CPUs */
};

/* Returns 0 or -errno; typed_map_fini() in any case. */
int typed_map_init(struct typed_map *m, int fd);
/* Types of a BTF in memory that stays, for a map that the kernel has none of. */
void typed_map_describe(struct typed_map *m, const void *btf, uint32_t size, uint32_t key_id,
			uint32_t value_id);
void typed_map_fini(struct typed_map *m);
/* Does the map have keys that can be walked? Rings, queues and stacks of calls have none. */
bool typed_map_walks(const struct typed_map *m);
/*
 * Shows an entry or all, sorted by key, under the map's name. skip_zeros leaves out elements of
 * arrays that are all zero. What is shown lives in m's arena. Returns 0 or -errno, e set.
 */
int typed_map_show(struct typed_map *m, const struct sink *sink, FILE *out, bool skip_zeros,
		   struct err *e);
/* key NULL: what a queue or stack gives next, which take removes from it. */
int typed_map_show_entry(struct typed_map *m, const void *key, bool take,
			 const struct sink *sink, FILE *out, struct err *e);
/* A value of that type, or size bytes when it is NULL. */
void typed_value(struct typed *t, struct arena *a, const struct type *type, const void *bytes,
		 size_t size, struct value *out);
/*
 * Writes text into a key or value of that type: numbers, "text", or {a, b} for the members of a
 * struct or array in order; without a type, or with "hex" before it, bytes as hex digits.
 * Returns 0 or -EINVAL with e set.
 */
int typed_parse(struct typed *t, const struct type *type, const char *text, uint8_t *out,
		size_t size, struct err *e);

#endif
