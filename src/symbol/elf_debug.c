#include "symbol/elf_debug.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ID_MAX = 64 };

struct build_id {
	uint8_t bytes[ID_MAX];
	size_t size; /* 0: none */
};

static void take_id(void *arg, const struct elf_note *n)
{
	struct build_id *id = arg;

	if (n->type != NT_GNU_BUILD_ID || strcmp(n->owner, "GNU") != 0 || n->size > ID_MAX)
		return;
	memcpy(id->bytes, n->desc, n->size);
	id->size = n->size;
}

static void read_id(const struct elf *f, struct build_id *out)
{
	*out = (struct build_id){};
	elf_each_note(f, ".note.gnu.build-id", take_id, out);
}

bool elf_debug_open(struct elf *out, const struct elf *f, const char *dir)
{
	char path[PATH_MAX], name[2 * ID_MAX + 1] = "";
	struct build_id id, other;
	struct err e;

	read_id(f, &id);
	if (id.size < 2)
		return false;
	for (size_t i = 0; i < id.size; i++)
		snprintf(name + 2 * i, 3, "%02x", id.bytes[i]);
	snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", dir, name, name + 2);
	if (elf_open(out, path, &e))
		return false;
	read_id(out, &other);
	if (other.size == id.size && !memcmp(other.bytes, id.bytes, id.size))
		return true;
	elf_close(out);
	return false;
}
