#include "session/unwind.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "probe/ld_cache.h"
#include "symbol/cfi.h"
#include "symbol/usyms_file.h"

#include <dirent.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { BUCKETS = 256, ROWS_MAX = 16 << 20, CODE_PARTS = 8, USERS_BITS = 1 << 16 };

/* A file whose rows are in the kernel. */
struct file {
	const struct usyms_file *file;
	uint32_t step; /* see UNWIND_STEP */
	uint64_t base;
	struct elf_segment code[CODE_PARTS]; /* the parts with code in them */
	unsigned ncode;
	bool is_target; /* there are probes in it */
	bool is_told; /* in the kernel's files: nothing more needs to be known of who maps it */
};

/* What a process has mapped, as the trie knows it. */
struct range {
	pid_t pid;
	uint64_t start, end, bias;
	uint32_t file;
};

VEC_TYPE(ranges, struct range);

struct unwind {
	const struct plan_kmap *tables;
	bool follow; /* processes, not only files that are named */
	bool each;   /* what each process maps is told to the kernel, which cannot be asked */
	int maps_fd, tables_fd, files_fd;
	struct usyms *us;
	VEC(struct file) files; /* the index is the key in the kernel */
	size_t nrows;
	struct ranges buckets[BUCKETS];
	/*
	 * Without follow: processes that have mapped a target, and so may call its functions
	 * from what they map later. Two may share a bit: then some files more are known.
	 */
	uint64_t users[USERS_BITS / 64];
	bool expects_target; /* the next file that is expected is one */
};

/* A key of the trie: all addresses that begin like this one. */
struct key {
	uint32_t bits;
	uint32_t pid;
	uint64_t addr;
};

struct place {
	uint64_t bias;
	uint32_t file, step;
};
/* A key of the files. */
struct file_key {
	uint64_t inode;
	uint32_t device, zero;
};
_Static_assert(sizeof(struct file_key) == UNWIND_KEY_SIZE, "as plan.h has it");
_Static_assert(sizeof(struct key) == UNWIND_KEY_SIZE &&
		       sizeof(struct place) == UNWIND_VALUE_SIZE,
	       "as plan.h has them");

/* --- tables --- */

static uint32_t first_step(size_t nrows)
{
	uint32_t step = 1;

	if (nrows < 2)
		return 0;
	while ((size_t)step * 2 < nrows)
		step *= 2;
	return step;
}

/* Puts rows into a new array of the kernel. Returns its descriptor, or -errno. */
static int fill_array(const struct unwind *w, const uint64_t *rows, size_t n)
{
	int fd = load_inner_map(w->tables, (uint32_t)n);
	void *mem;
	int err = fd < 0 ? fd : kbpf_map_mmap(fd, n * sizeof(*rows), &mem);

	if (!err) {
		memcpy(mem, rows, n * sizeof(*rows));
		munmap(mem, n * sizeof(*rows));
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int put_table(struct unwind *w, struct file *file, const struct cfi_table *t)
{
	uint32_t key = (uint32_t)w->files.len;

	if (w->nrows + t->rows.len > ROWS_MAX)
		return -ENOSPC;
	auto_close int fd = fill_array(w, t->rows.data, t->rows.len);
	int err = fd < 0 ? fd : kbpf_map_update(w->tables_fd, &key, &fd, BPF_ANY);
	if (err)
		return err;
	w->nrows += t->rows.len;
	file->base = t->base;
	file->step = first_step(t->rows.len);
	return 0;
}

static void take_code(struct file *file, const struct elf *elf)
{
	struct elf_segment s;
	size_t i = 0;

	while (file->ncode < CODE_PARTS && elf_next_segment(elf, &i, &s))
		if (elf_is_code(elf, s.addr))
			file->code[file->ncode++] = s;
}

/* The bias of a mapping with the file's first byte at an address, for one of its parts. */
static uint64_t bias_of(const struct file *f, const struct elf_segment *part, uint64_t at)
{
	return at + part->offset - part->addr + f->base;
}

static struct file_key key_of(const struct usyms_file *f)
{
	return (struct file_key){ .inode = f->inode, .device = f->major << 20 | f->minor };
}

/* For processes that nothing is known of; a file whose parts are apart cannot be told so. */
static void put_file(const struct unwind *w, struct file *f)
{
	struct file_key key = key_of(f->file);
	struct place p = { .file = (uint32_t)w->files.len, .step = f->step };

	for (unsigned i = 0; i < f->ncode; i++) {
		uint64_t bias = bias_of(f, &f->code[i], 0);

		if (i && bias != p.bias)
			return;
		p.bias = bias;
	}
	f->is_told = f->ncode && key.inode && !kbpf_map_update(w->files_fd, &key, &p, BPF_ANY);
}

/* That it has no rows is known, too. */
static void put_plain_file(const struct unwind *w, struct file *f)
{
	struct file_key key = key_of(f->file);
	struct place p = { .file = UNWIND_FILES };

	f->is_told = key.inode && !kbpf_map_update(w->files_fd, &key, &p, BPF_ANY);
}

/* The index of a file, which is known from now on, with rows or without (then ncode is 0). */
static uint32_t index_of(struct unwind *w, const struct usyms_file *f)
{
	struct file new = { .file = f };
	struct cfi_table table = {};

	for (size_t i = 0; i < w->files.len; i++)
		if (w->files.data[i].file == f)
			return (uint32_t)i;
	if (w->files.len >= UNWIND_FILES)
		return UNWIND_FILES;
	if (f->is_open && !cfi_load(&table, &f->elf) && !put_table(w, &new, &table)) {
		take_code(&new, &f->elf);
		put_file(w, &new);
	} else {
		put_plain_file(w, &new);
	}
	cfi_fini(&table);
	vec_push(NULL, &w->files, new);
	return (uint32_t)w->files.len - 1;
}

/* --- mappings --- */

/* The largest power of two that a range can be cut into at its start. */
static unsigned aligned_bits(uint64_t start, uint64_t end)
{
	unsigned bits = start ? (unsigned)__builtin_ctzll(start) : 63;

	while (bits && end - start < (uint64_t)1 << bits)
		bits--;
	return bits;
}

/* Calls the kernel for every piece of a range that is a prefix of addresses. */
static void each_prefix(const struct unwind *w, const struct range *r, const struct place *p)
{
	for (uint64_t at = r->start; at < r->end;) {
		unsigned bits = aligned_bits(at, r->end);
		struct key key = { UNWIND_KEY_BITS - bits, (uint32_t)r->pid, htobe64(at) };

		if (p)
			kbpf_map_update(w->maps_fd, &key, p, BPF_ANY);
		else
			kbpf_map_delete(w->maps_fd, &key);
		at += (uint64_t)1 << bits;
	}
}

static struct ranges *bucket_of(struct unwind *w, pid_t pid)
{
	return &w->buckets[(uint32_t)pid % BUCKETS];
}

/* Forgets what a process has in a range of addresses. */
static void forget(struct unwind *w, pid_t pid, uint64_t start, uint64_t end)
{
	struct ranges *list = bucket_of(w, pid);
	size_t kept = 0;

	for (size_t i = 0; i < list->len; i++) {
		const struct range *r = &list->data[i];

		if (r->pid == pid && r->start < end && r->end > start)
			each_prefix(w, r, NULL);
		else
			list->data[kept++] = *r;
	}
	list->len = kept;
}

static bool is_known(struct unwind *w, const struct range *new)
{
	vec_each(r, bucket_of(w, new->pid))
		if (r->pid == new->pid && r->start == new->start && r->end == new->end &&
		    r->bias == new->bias && r->file == new->file)
			return true;
	return false;
}

/* The part with code that a mapping from that place in the file on shows. */
static const struct elf_segment *part_at(const struct file *f, uint64_t offset)
{
	const uint64_t page = 4096;

	for (unsigned i = 0; i < f->ncode; i++) {
		const struct elf_segment *s = &f->code[i];

		if (offset >= (s->offset & -page) && offset < s->offset + s->size)
			return s;
	}
	return NULL;
}

static uint64_t *user_word(struct unwind *w, pid_t pid, uint64_t *bit)
{
	uint32_t i = (uint32_t)pid % USERS_BITS;

	*bit = 1ull << i % 64;
	return &w->users[i / 64];
}

static bool is_target(const struct unwind *w, const struct usyms_file *file)
{
	vec_each(f, &w->files) {
		if (f->file == file)
			return f->is_target;
	}
	return false;
}

/* What users of targets map is known from then on by its file, not for each process. */
static void on_file(struct unwind *w, pid_t pid, const struct usyms_file *file)
{
	uint64_t bit, *word = user_word(w, pid, &bit);

	if (*word & bit) {
		index_of(w, file);
	} else if (is_target(w, file)) {
		*word |= bit;
		usyms_tell(w->us, pid);
	}
}

static void on_expected(struct unwind *w, const struct usyms_file *file)
{
	uint32_t index = index_of(w, file);

	if (w->expects_target && index < UNWIND_FILES)
		w->files.data[index].is_target = true;
	w->expects_target = false;
}

static void on_mapped(void *arg, pid_t pid, const struct usyms_range *m)
{
	struct unwind *w = arg;

	if (m->start == m->end) {
		on_expected(w, m->file);
		return;
	}
	if (!w->follow) {
		if (m->file)
			on_file(w, pid, m->file);
		return;
	}
	uint32_t index = m->file ? index_of(w, m->file) : UNWIND_FILES;
	const struct elf_segment *part = NULL;
	struct range r = { pid, m->start, m->end, 0, index };

	if (index < UNWIND_FILES)
		part = part_at(&w->files.data[index], m->offset);
	if (part)
		r.bias = bias_of(&w->files.data[index], part, m->start - m->offset);
	if (is_known(w, &r))
		return;
	forget(w, pid, m->start, m->end);
	if (!w->each && index < UNWIND_FILES && w->files.data[index].is_told)
		return;
	/* Code without rows is known too: to be none that only the kernel can walk. */
	struct place p = { r.bias, part ? index : UNWIND_FILES,
			   part ? w->files.data[index].step : 0 };
	each_prefix(w, &r, &p);
	vec_push(NULL, bucket_of(w, pid), r);
}

static void on_gone(void *arg, pid_t pid)
{
	uint64_t bit, *word = user_word(arg, pid, &bit);

	*word &= ~bit;
	forget(arg, pid, 0, UINT64_MAX);
}

/* --- life --- */

/* The files that probes are in, and the libraries that go with them. */
static void expect_targets(struct unwind *w, const struct plan *plan)
{
	const char *last = "";

	vec_each(prog, &plan->progs) {
		if (!prog->group)
			continue;
		vec_each(t, &prog->group->targets) {
			if (!(*t)->file || !strcmp((*t)->file, last))
				continue;
			last = (*t)->file;
			w->expects_target = true;
			unwind_expect(w->us, last);
		}
	}
}

struct unwind *unwind_open(const struct plan *plan, const struct loaded *l, struct usyms *us)
{
	struct unwind *w;

	if (!plan->unwind_maps)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->follow = plan->unwind_follow;
	w->each = plan->unwind_each;
	w->tables = &plan->kmaps.data[plan->unwind_tables];
	w->maps_fd = l->maps[plan->unwind_maps];
	w->tables_fd = l->maps[plan->unwind_tables];
	w->files_fd = l->maps[plan->unwind_files];
	w->us = us;
	usyms_watch(us, &(struct usyms_watcher){ on_mapped, on_gone, w });
	expect_targets(w, plan);
	return w;
}

void unwind_close(struct unwind *w)
{
	if (!w)
		return;
	usyms_watch(w->us, &(struct usyms_watcher){});
	for (size_t i = 0; i < BUCKETS; i++)
		vec_free(&w->buckets[i]);
	vec_free(&w->files);
	free(w);
}

/* Files that a program needs, found so far; those from next on were not looked into. */
struct needed {
	struct arena *arena;
	struct ld_paths paths;
	size_t next;
};

static void add_path(struct needed *n, const char *path)
{
	vec_each(known, &n->paths)
		if (!strcmp(*known, path))
			return;
	vec_push(n->arena, &n->paths, path);
}

/* The text at an offset of a section of texts, or NULL. */
static const char *text_at(const struct elf_section *s, uint64_t off)
{
	return off < s->size && memchr(s->bytes + off, 0, s->size - off) ? s->bytes + off
									 : NULL;
}

/* The first library of that very name in the loader's cache. */
static void add_library(struct needed *n, const char *name)
{
	struct ld_paths found = {};

	ld_cache_find(n->arena, "/etc/ld.so.cache", name, &found);
	if (found.len)
		add_path(n, found.data[0]);
}

static void look_into(struct needed *n, const struct elf *f)
{
	struct elf_section dynamic, texts, interp;
	Elf64_Dyn d;

	if (elf_find_section(f, ".interp", &interp) && text_at(&interp, 0))
		add_path(n, arena_strdup(n->arena, text_at(&interp, 0)));
	if (elf_word_size(f) != 8 || !elf_find_section(f, ".dynamic", &dynamic) ||
	    !elf_find_section(f, ".dynstr", &texts))
		return;
	for (size_t at = 0; dynamic.size - at >= sizeof(d); at += sizeof(d)) {
		memcpy(&d, dynamic.bytes + at, sizeof(d));
		if (d.d_tag == DT_NEEDED && text_at(&texts, d.d_un.d_val))
			add_library(n, text_at(&texts, d.d_un.d_val));
	}
}

void unwind_expect(struct usyms *us, const char *program)
{
	enum { LIBRARIES_MAX = 256 };
	auto_arena struct arena arena = {};
	struct needed n = { .arena = &arena };

	add_path(&n, program);
	for (; n.next < n.paths.len && n.next < LIBRARIES_MAX; n.next++) {
		const char *path = n.paths.data[n.next];
		struct elf f;
		struct err e;

		if (elf_open(&f, path, &e))
			continue;
		look_into(&n, &f);
		elf_close(&f);
		usyms_expect(us, path);
	}
}

void unwind_all_processes(struct usyms *us)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			usyms_remember(us, pid);
	}
	if (dir)
		closedir(dir);
}
