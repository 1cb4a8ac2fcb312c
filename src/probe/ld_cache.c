#include "probe/ld_cache.h"

#include "base/auto.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = "glibc-ld.so.cache1.1";

/* Offsets in entries are from the header's start. */
struct header {
	char magic[sizeof(magic) - 1];
	uint32_t nlibs, len_strings, unused[5];
};

struct entry {
	int32_t flags;
	uint32_t name, path;
	uint32_t osversion;
	uint64_t hwcap;
};

enum { CACHE_MAX = 64 << 20 };

static void read_file(const char *path, struct sb *out)
{
	auto_fclose FILE *f = fopen(path, "re");
	char buf[16384];
	size_t n;

	while (f && out->len < CACHE_MAX && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		sb_write(out, buf, n);
}

/* The text at an offset: always ended, since sb puts a NUL behind the file. NULL: outside. */
static const char *text_at(const struct sb *file, size_t start, uint32_t off)
{
	return off < file->len - start ? file->s + start + off : NULL;
}

static bool is_called(const char *file, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(file, name, len) && (!file[len] || !strncmp(file + len, ".so", 3));
}

void ld_cache_find(struct arena *a, const char *cache, const char *name, struct ld_paths *out)
{
	auto_sb struct sb file = {};
	struct header h;
	char *at;

	read_file(cache, &file);
	/* An old cache may stand before the new one. */
	at = file.len ? memmem(file.s, file.len, magic, sizeof(magic) - 1) : NULL;
	if (!at || file.len - (size_t)(at - file.s) < sizeof(h))
		return;
	size_t start = (size_t)(at - file.s), room = file.len - start - sizeof(h);

	memcpy(&h, at, sizeof(h));
	for (uint32_t i = 0; i < h.nlibs && i < room / sizeof(struct entry); i++) {
		struct entry entry;

		memcpy(&entry, at + sizeof(h) + i * sizeof(entry), sizeof(entry));
		const char *lib = text_at(&file, start, entry.name);
		const char *path = text_at(&file, start, entry.path);
		if (lib && path && is_called(lib, name))
			vec_push(a, out, arena_strdup(a, path));
	}
}
