#include "symbol/elf_debug.h"

#include "base/auto.h"
#include "base/vec.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
	ID_MAX = 64,
	PACKED_MAX = 64 << 20, /* bytes that .gnu_debugdata may unpack to */
	XZ_MEMORY_MAX = 128 << 20,
};

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

static bool open_by_id(struct elf *out, const struct build_id *id, const char *dir)
{
	char path[PATH_MAX], name[2 * ID_MAX + 1] = "";
	struct build_id other;
	struct err e;

	for (size_t i = 0; i < id->size; i++)
		snprintf(name + 2 * i, 3, "%02x", id->bytes[i]);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", dir, name, name + 2) >=
		    (int)sizeof(path) ||
	    elf_open(out, path, &e))
		return false;
	read_id(out, &other);
	if (other.size == id->size && !memcmp(other.bytes, id->bytes, id->size))
		return true;
	elf_close(out);
	return false;
}

/* The name of the debug file, its checksum behind it: the section .gnu_debuglink. */
struct debug_link {
	const char *name;
	uint32_t crc;
};

static bool read_link(const struct elf *f, struct debug_link *out)
{
	struct elf_section s;
	size_t len, at;

	if (!elf_find_section(f, ".gnu_debuglink", &s))
		return false;
	len = strnlen(s.bytes, s.size);
	at = (len + 4) / 4 * 4;
	if (!len || s.size < at + 4 || strchr(s.bytes, '/'))
		return false;
	*out = (struct debug_link){ .name = s.bytes };
	memcpy(&out->crc, s.bytes + at, 4);
	return true;
}

static bool has_crc(int fd, uint32_t want)
{
	uint32_t crc = (uint32_t)crc32(0, NULL, 0);
	uint8_t buf[64 << 10];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		crc = (uint32_t)crc32(crc, buf, (unsigned)n);
		at += n;
	}
	return !n && crc == want;
}

static bool open_linked(struct elf *out, const struct debug_link *link, const char *dir,
			const char *own_dir, const char *below)
{
	char path[PATH_MAX];
	struct err e;

	if (snprintf(path, sizeof(path), "%s%s%s/%s", dir, own_dir, below, link->name) >=
		    (int)sizeof(path) ||
	    elf_open(out, path, &e))
		return false;
	if (has_crc(out->fd, link->crc))
		return true;
	elf_close(out);
	return false;
}

/* The folder of the open file, without a slash at the end. */
static bool folder_of(const struct elf *f, char *out, size_t size)
{
	char fd[64];
	ssize_t n;

	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", f->fd);
	n = f->fd < 0 ? -1 : readlink(fd, out, size - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

bool elf_debug_open(struct elf *out, const struct elf *f, const char *dirs)
{
	char folder[PATH_MAX], dir[PATH_MAX];
	struct build_id id;
	struct debug_link link;

	read_id(f, &id);
	bool has_link = read_link(f, &link) && folder_of(f, folder, sizeof(folder));
	for (const char *s = dirs ? dirs : ELF_DEBUG_DIR; *s; s += *s == ':') {
		size_t len = strcspn(s, ":");

		snprintf(dir, sizeof(dir), "%.*s", (int)len, s);
		s += len;
		if (len && ((id.size >= 2 && open_by_id(out, &id, dir)) ||
			    (has_link && open_linked(out, &link, dir, folder, ""))))
			return true;
	}
	return has_link && (open_linked(out, &link, "", folder, "/.debug") ||
			    open_linked(out, &link, "", folder, ""));
}

/* Unpacks into growing memory; NULL when it is damaged, or too large. */
static void *unpack(const void *bytes, size_t size, size_t *out_size)
{
	lzma_stream z = LZMA_STREAM_INIT;
	size_t cap = 4 * size + 4096;
	uint8_t *out = NULL;
	lzma_ret r;

	if (size > PACKED_MAX / 8 || lzma_stream_decoder(&z, XZ_MEMORY_MAX, 0) != LZMA_OK)
		return NULL;
	z.next_in = bytes;
	z.avail_in = size;
	do {
		out = xrealloc(out, cap);
		z.next_out = out + z.total_out;
		z.avail_out = cap - z.total_out;
		r = lzma_code(&z, LZMA_FINISH);
		cap *= 2;
	} while (r == LZMA_OK && !z.avail_out && cap <= PACKED_MAX);
	*out_size = z.total_out;
	lzma_end(&z);
	if (r == LZMA_STREAM_END)
		return out;
	free(out);
	return NULL;
}

bool elf_debug_open_packed(struct elf *out, const struct elf *f, void **image)
{
	struct elf_section s;
	size_t unpacked;
	struct err e;

	*image = elf_find_section(f, ".gnu_debugdata", &s) ? unpack(s.bytes, s.size, &unpacked)
							   : NULL;
	if (!*image)
		return false;
	if (!elf_open_image(out, *image, unpacked, &e))
		return true;
	free(*image);
	*image = NULL;
	return false;
}
