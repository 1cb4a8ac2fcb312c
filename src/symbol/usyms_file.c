#include "symbol/usyms_file.h"

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

static void load(struct usyms_file *file)
{
	struct elf_segment segment;
	size_t i = 0;

	file->is_loaded = true;
	if (!file->is_open)
		return;
	elf_funcs_load(&file->funcs, &file->elf, NULL);
	elf_each_note(&file->elf, ".note.gnu.build-id", take_build_id, file);
	while (elf_next_segment(&file->elf, &i, &segment))
		vec_push(NULL, &file->segments, segment);
	elf_close(&file->elf);
	file->is_open = false;
}

const char *usyms_file_lookup(struct usyms_file *file, uint64_t place, uint64_t *offset)
{
	if (!file->is_loaded)
		load(file);
	vec_each(s, &file->segments) {
		if (place < s->offset || place - s->offset >= s->size)
			continue;

		uint64_t addr = place - s->offset + s->addr;
		const struct elf_func *fn = elf_funcs_at(&file->funcs, addr);
		if (fn) {
			*offset = addr - fn->addr;
			return elf_func_name(&file->funcs, fn);
		}
	}
	return NULL;
}

const char *usyms_file_build_id(struct usyms_file *file)
{
	if (!file->is_loaded)
		load(file);
	return *file->build_id ? file->build_id : NULL;
}
