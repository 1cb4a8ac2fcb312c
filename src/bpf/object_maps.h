/*
 * object_maps.h - the maps that the BTF of an object file describes.
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

/* What a variable that the file only declares is. */
struct object_extern {
	uint32_t size;
	bool is_text, is_enum, is_char; /* an array of characters, an enum, one character */
};
/* By its name in the BTF; false when that does not know it. */
bool object_extern_find(const void *btf, size_t size, const char *name,
			struct object_extern *out);

#endif
