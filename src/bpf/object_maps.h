/*
 * object_maps.h - the maps that an object file describes, by BTF or by numbers.
 */
#ifndef SCRY_BPF_OBJECT_MAPS_H
#define SCRY_BPF_OBJECT_MAPS_H

#include "bpf/object.h"

/*
 * Fills map from the BTF (size bytes) of the variable of this name in the section .maps: a
 * struct whose members type, key, value, max_entries and so on say by their types what they
 * are. inner gets a type other than 0 when the map holds maps that are described there.
 */
int object_map_from_btf(const void *btf, size_t size, const char *name,
			struct bpf_object_map *map, struct bpf_object_map *inner,
			struct err *e);

/*
 * Fills map, whose name is set, from the definition (size bytes) that a section "maps" holds:
 * the numbers type, key size, value size, entries and, if there, flags. Sources: struct
 * bpf_map_def of the kernel's samples; struct bpf_elf_map of iproute2, which begins with it.
 * -ENOTSUP: it says more than that.
 */
int object_map_from_numbers(const void *definition, size_t size, struct bpf_object_map *map,
			    struct err *e);

/* What a variable that the file only declares is. */
struct object_extern {
	uint32_t size;
	bool is_text, is_enum, is_char; /* an array of characters, an enum, one character */
};
/* By its name in the BTF; false when that does not know it. */
bool object_extern_find(const void *btf, size_t size, const char *name,
			struct object_extern *out);

#endif
