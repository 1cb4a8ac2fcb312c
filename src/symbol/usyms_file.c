#include "symbol/usyms_file.h"

#include "symbol/debug_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct usyms_file *usyms_file_new(const struct mapping *m)
{
	struct usyms_file *file = xcalloc(1, sizeof(*file));

	file->inode = m->inode;
	file->major = m->major;
	file->minor = m->minor;
	file->path = xstrdup(m->path);
	file->elf.fd = -1;
	return file;
}

void usyms_file_free(struct usyms_file *file)
{
	if (file->is_open)
		elf_close(&file->elf);
	if (file->debug)
		debug_info_close(file->debug);
	free(file->debug);
	elf_funcs_fini(&file->funcs);
	vec_free(&file->segments);
	free(file->path);
	free(file);
}

bool usyms_file_is(const struct usyms_file *file, const struct mapping *m)
{
	return file->inode == m->inode && file->major == m->major && file->minor == m->minor &&
	       !strcmp(file->path, m->path);
}

/*
 * Is it the file that is mapped? File systems with subvolumes show another device in maps than
 * stat() does, so the inode has to do.
 */
static bool is_same(const char *path, const struct mapping *m)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == m->inode;
}

/* The image that the kernel maps into every process of its own word size, our own included. */
static void open_vdso(struct usyms_file *file, const struct mapping *m)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct err e;

	if (image)
		file->is_open = !elf_open_image(&file->elf, image, m->end - m->start, &e);
}

void usyms_file_open(struct usyms_file *file, pid_t pid, const struct mapping *m)
{
	char paths[3][4096 + 64];
	struct err e;

	if (file->is_open || file->is_loaded)
		return;
	if (!strcmp(m->path, "[vdso]")) {
		open_vdso(file, m);
		return;
	}
	if (!m->inode)
		return;
	snprintf(paths[0], sizeof(paths[0]), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid,
		 m->start, m->end);
	snprintf(paths[1], sizeof(paths[1]), "/proc/%d/root%s", pid, m->path);
	snprintf(paths[2], sizeof(paths[2]), "%s", m->path);
	for (int i = 0; i < 3 && !file->is_open; i++)
		file->is_open = is_same(paths[i], m) && !elf_open(&file->elf, paths[i], &e);
}

/* NT_GNU_BUILD_ID of elf.h */
static void take_build_id(void *arg, const struct elf_note *n)
{
	struct usyms_file *file = arg;

	if (n->type != 3 || strcmp(n->owner, "GNU") != 0 || n->size > BUILD_ID_MAX)
		return;
	for (size_t i = 0; i < n->size; i++)
		snprintf(file->build_id + 2 * i, 3, "%02x", n->desc[i]);
}

static void open_debug(struct usyms_file *file)
{
	struct err e;

	file->debug = xcalloc(1, sizeof(*file->debug));
	if (!debug_info_open(file->debug, &file->elf, file->how->debug_dirs, &e))
		return;
	free(file->debug);
	file->debug = NULL;
}

static void load(struct usyms_file *file)
{
	struct elf_segment segment;
	size_t i = 0;

	file->is_loaded = true;
	if (!file->is_open)
		return;
	elf_funcs_load(&file->funcs, &file->elf, file->how ? file->how->debug_dirs : NULL);
	if (file->how && file->how->lines)
		open_debug(file);
	elf_each_note(&file->elf, ".note.gnu.build-id", take_build_id, file);
	while (elf_next_segment(&file->elf, &i, &segment))
		vec_push(NULL, &file->segments, segment);
	elf_close(&file->elf);
	file->is_open = false;
}

/* The address, as the file was linked, of a place in it. */
static bool find_addr(struct usyms_file *file, uint64_t place, uint64_t *addr)
{
	if (!file->is_loaded)
		load(file);
	vec_each(s, &file->segments) {
		if (place < s->offset || place - s->offset >= s->size)
			continue;
		*addr = place - s->offset + s->addr;
		return true;
	}
	return false;
}

const char *usyms_file_lookup(struct usyms_file *file, uint64_t place, uint64_t *offset)
{
	const struct elf_func *fn;
	uint64_t addr;

	fn = find_addr(file, place, &addr) ? elf_funcs_at(&file->funcs, addr) : NULL;
	if (!fn)
		return NULL;
	*offset = addr - fn->addr;
	return elf_func_name(&file->funcs, fn);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

unsigned usyms_file_lines(struct usyms_file *file, uint64_t place,
			  struct usym_line out[USYM_LINES_MAX])
{
	Dwarf_Die inlined[DEBUG_INLINED_MAX];
	const char *path;
	uint64_t addr;
	unsigned n;
	int line;

	if (!find_addr(file, place, &addr) || !file->debug ||
	    !debug_line_at(file->debug, addr, &path, &line))
		return 0;
	n = debug_line_inlined(file->debug, addr, inlined);
	for (unsigned i = 0; i < n; i++) {
		Dwarf_Die *copy = &inlined[n - 1 - i];
		const char *name = die_name(copy);

		out[i] = (struct usym_line){ name ? name : "?", base_name(path), line };
		/* Outside of it the line is that of the call. */
		if (!debug_line_call(copy, &path, &line))
			return i + 1;
	}
	out[n] = (struct usym_line){ NULL, base_name(path), line };
	return n + 1;
}

const char *usyms_file_build_id(struct usyms_file *file)
{
	if (!file->is_loaded)
		load(file);
	return *file->build_id ? file->build_id : NULL;
}
