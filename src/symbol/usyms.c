#include "symbol/usyms.h"

#include "base/auto.h"
#include "base/vec.h"
#include "symbol/demangle.h"
#include "symbol/perfmap.h"
#include "symbol/usyms_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum {
	BUCKETS = 8192,
	MAPS_KEPT = 1 << 17,	     /* of all processes, unless USYMS_ALWAYS need more */
	OPEN_FILES = 256,	     /* kept open until their symbols are asked for */
	CHECK_NS = 50 * 1000 * 1000, /* a process may have changed after so long */
	MAPS_MAX = 1 << 16,	     /* of one process */
};

struct map {
	uint64_t start, end, offset;
	struct usyms_file *file; /* NULL: code without a file */
};

/* When a program was started, as /proc/PID/stat tells; another one has another. */
struct birth {
	uint64_t time, code, stack;
};

struct process {
	struct process *next;	       /* in its bucket */
	struct process *newer, *older; /* by when they were asked for */
	pid_t pid;
	uint64_t checked; /* ns; when last compared with /proc */
	struct birth birth;
	VEC(struct map) maps; /* ascending, apart from each other */
	struct elf_funcs jit;
	uint64_t jit_checked; /* ns */
	int64_t jit_time; /* modification time of the file that jit came from, ns; 0: none */
};

struct usyms {
	struct process *buckets[BUCKETS];
	struct process *newest, *oldest;
	size_t nprocesses, nmaps;
	struct process nobody; /* of the last that is not remembered */
	uint64_t unknown;
	VEC(struct usyms_file *) files;
	char *text; /* the last name made readable */
	struct usyms_watcher watcher;
	struct usyms_how how;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct usyms *usyms_new(void)
{
	return xcalloc(1, sizeof(struct usyms));
}

void usyms_watch(struct usyms *us, const struct usyms_watcher *watcher)
{
	us->watcher = *watcher;
}

static void tell_mapped(struct usyms *us, pid_t pid, const struct map *m)
{
	struct usyms_range r = { m->start, m->end, m->offset, m->file };

	if (us->watcher.mapped)
		us->watcher.mapped(us->watcher.arg, pid, &r);
}

static void tell_gone(struct usyms *us, pid_t pid)
{
	if (us->watcher.gone)
		us->watcher.gone(us->watcher.arg, pid);
}

void usyms_set(struct usyms *us, const struct usyms_how *how)
{
	us->how = *how;
}

static void free_process(struct usyms *us, struct process *p)
{
	us->nmaps -= p->maps.len;
	vec_free(&p->maps);
	elf_funcs_fini(&p->jit);
	free(p);
}

void usyms_free(struct usyms *us)
{
	if (!us)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (us->buckets[i]) {
			struct process *p = us->buckets[i];

			us->buckets[i] = p->next;
			free_process(us, p);
		}
	}
	vec_each(file, &us->files)
		usyms_file_free(*file);
	elf_funcs_fini(&us->nobody.jit);
	vec_free(&us->files);
	free(us->text);
	free(us);
}

static struct process **bucket_of(struct usyms *us, pid_t pid)
{
	return &us->buckets[(uint32_t)pid % BUCKETS];
}

static struct process *find_process(struct usyms *us, pid_t pid)
{
	struct process *p = *bucket_of(us, pid);

	while (p && p->pid != pid)
		p = p->next;
	return p;
}

/* Out of the list by use. */
static void unlink_process(struct usyms *us, struct process *p)
{
	*(p->newer ? &p->newer->older : &us->newest) = p->older;
	*(p->older ? &p->older->newer : &us->oldest) = p->newer;
}

static void link_newest(struct usyms *us, struct process *p)
{
	p->newer = NULL;
	p->older = us->newest;
	*(p->older ? &p->older->newer : &us->oldest) = p;
	us->newest = p;
}

static bool is_full(const struct usyms *us)
{
	return us->nprocesses >= USYMS_PROCESSES ||
	       (us->nprocesses >= USYMS_ALWAYS && us->nmaps > MAPS_KEPT);
}

/* The process that nobody asked for the longest time goes. */
static void evict(struct usyms *us)
{
	struct process *gone = us->oldest;
	struct process **at = bucket_of(us, gone->pid);

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	unlink_process(us, gone);
	tell_gone(us, gone->pid);
	free_process(us, gone);
	us->nprocesses--;
}

static struct process *get_process(struct usyms *us, pid_t pid)
{
	struct process *p = find_process(us, pid), **bucket = bucket_of(us, pid);

	if (p)
		return p;
	while (is_full(us))
		evict(us);
	p = xcalloc(1, sizeof(*p));
	p->pid = pid;
	p->next = *bucket;
	*bucket = p;
	link_newest(us, p);
	us->nprocesses++;
	return p;
}

static size_t count_open(const struct usyms *us)
{
	size_t n = 0;

	vec_each(file, &us->files)
		n += (*file)->is_open;
	return n;
}

static struct usyms_file *get_file(struct usyms *us, pid_t pid, const struct mapping *m)
{
	struct usyms_file *file;

	if (!*m->path || (!m->inode && m->path[0] != '['))
		return NULL;
	vec_each(known, &us->files)
		if (usyms_file_is(*known, m))
			return *known;
	file = usyms_file_new(m);
	file->how = &us->how;
	if (count_open(us) < OPEN_FILES)
		usyms_file_open(file, pid, m);
	vec_push(NULL, &us->files, file);
	return file;
}

static void set_length(struct usyms *us, struct process *p, size_t n)
{
	us->nmaps -= p->maps.len - n;
	p->maps.len = n;
}

static void push_map(struct usyms *us, struct process *p, struct map m)
{
	vec_push(NULL, &p->maps, m);
	us->nmaps++;
}

/* What is mapped now takes the place of what was there. */
static void add_map(struct usyms *us, struct process *p, struct map new)
{
	size_t at = 0, kept = 0, n = p->maps.len;

	for (size_t i = 0; i < n; i++) {
		struct map *m = &p->maps.data[i];

		if (m->start < new.end && m->end > new.start)
			continue;
		p->maps.data[kept++] = *m;
	}
	set_length(us, p, kept);
	if (kept >= MAPS_MAX)
		return;
	push_map(us, p, new);
	for (at = kept; at > 0 && p->maps.data[at - 1].start > new.start; at--)
		p->maps.data[at] = p->maps.data[at - 1];
	p->maps.data[at] = new;
	tell_mapped(us, p->pid, &new);
}

void usyms_add_mapping(struct usyms *us, pid_t pid, const struct mapping *m)
{
	struct process *p = get_process(us, pid);

	add_map(us, p, (struct map){ m->start, m->end, m->offset, get_file(us, pid, m) });
}

void usyms_start_over(struct usyms *us, pid_t pid)
{
	struct process *p = find_process(us, pid);

	if (!p)
		return;
	set_length(us, p, 0);
	tell_gone(us, pid);
	elf_funcs_fini(&p->jit);
	p->jit_time = 0;
}

/* No more will be mapped. */
static void give_back(struct process *p)
{
	if (!p->maps.len) {
		vec_free(&p->maps);
		return;
	}
	p->maps.data = xrealloc(p->maps.data, p->maps.len * sizeof(*p->maps.data));
	p->maps.cap = p->maps.len;
}

void usyms_ended(struct usyms *us, pid_t pid)
{
	struct process *p = find_process(us, pid);

	tell_gone(us, pid);
	if (p)
		give_back(p);
}

void usyms_fork(struct usyms *us, pid_t parent, pid_t pid)
{
	const struct process *from = find_process(us, parent);
	struct process *p;

	usyms_start_over(us, pid);
	if (!from || parent == pid)
		return;
	p = get_process(us, pid);
	from = find_process(us, parent); /* unless it had to go for the new one */
	if (from)
		vec_each(m, &from->maps) {
			push_map(us, p, *m);
			tell_mapped(us, pid, m);
		}
}

void usyms_tell(struct usyms *us, pid_t pid)
{
	const struct process *p = find_process(us, pid);

	if (p)
		vec_each(m, &p->maps)
			tell_mapped(us, pid, m);
}

struct reading {
	struct usyms *us;
	struct process *p;
	bool is_first;
};

static bool take_mapping(void *arg, const struct mapping *m)
{
	struct reading *r = arg;

	if (r->is_first)
		/* A process that has ended has none: then the old ones stay. */
		set_length(r->us, r->p, 0);
	r->is_first = false;
	if (m->is_code && strcmp(m->path, "[vsyscall]") != 0)
		add_map(r->us, r->p,
			(struct map){ m->start, m->end, m->offset,
				      get_file(r->us, r->p->pid, m) });
	return true;
}

/* Returns false when the process is gone. */
static bool read_birth(pid_t pid, struct birth *out)
{
	char path[64], text[1024] = "";
	auto_fclose FILE *f = NULL;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';

	/* The name, in parentheses, may hold anything; field 3 follows the last one. */
	const char *rest = strrchr(text, ')');
	*out = (struct birth){};
	return rest &&
	       sscanf(rest + 1,
		      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
		      "%*d %*d %*d %*d %" SCNu64 " %*u %*d %*u %" SCNu64 " %*u %" SCNu64,
		      &out->time, &out->code, &out->stack) == 3;
}

/* What is left of a zombie tells no addresses. */
static bool is_other(const struct birth *a, const struct birth *b)
{
	return a->time != b->time || (b->code && (a->code != b->code || a->stack != b->stack));
}

static void read_maps(struct usyms *us, struct process *p)
{
	struct reading r = { us, p, true };

	read_birth(p->pid, &p->birth);
	procmaps_each(p->pid, take_mapping, &r);
	p->checked = now_ns();
}

void usyms_remember(struct usyms *us, pid_t pid)
{
	read_maps(us, get_process(us, pid));
}

void usyms_expect(struct usyms *us, const char *path)
{
	auto_free char *real = realpath(path, NULL);
	struct mapping m = { .is_code = true, .path = real };
	struct stat st;

	if (!real || stat(real, &st))
		return;
	m.inode = st.st_ino;
	m.major = major(st.st_dev);
	m.minor = minor(st.st_dev);
	tell_mapped(us, 0, &(struct map){ .file = get_file(us, getpid(), &m) });
}

static const struct map *find_map(const struct process *p, uint64_t addr)
{
	vec_each(m, &p->maps)
		if (addr >= m->start && addr < m->end)
			return m;
	return NULL;
}

/* One that has ended unseen: nobody who is known goes for it. */
static struct process *nobody(struct usyms *us, pid_t pid)
{
	struct process *p = &us->nobody;

	if (p->pid != pid) {
		elf_funcs_fini(&p->jit);
		*p = (struct process){ .pid = pid };
	}
	return p;
}

/* The process as it is now, as far as that was not looked up a moment ago. */
static struct process *current(struct usyms *us, pid_t pid, uint64_t addr)
{
	struct process *p = find_process(us, pid);
	uint64_t now = now_ns();
	struct birth birth;

	if (!p && is_full(us) && !read_birth(pid, &birth))
		return nobody(us, pid);
	if (!p) {
		usyms_remember(us, pid);
		p = find_process(us, pid);
	}
	unlink_process(us, p);
	link_newest(us, p);
	if (now - p->checked < CHECK_NS)
		return p;
	p->checked = now;
	if (read_birth(pid, &birth) && (is_other(&p->birth, &birth) || !find_map(p, addr)))
		read_maps(us, p);
	return p;
}

/* The number of the process in its own pid namespace, which its own files are named by. */
static pid_t inner_pid(pid_t pid)
{
	char path[64];
	auto_free char *line = NULL;
	size_t cap = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	auto_fclose FILE *f = fopen(path, "re");
	while (f && getline(&line, &cap, f) > 0) {
		const char *last = strrchr(line, '\t');

		if (!strncmp(line, "NSpid:", 6) && last)
			return (pid_t)strtol(last, NULL, 10);
	}
	return pid;
}

/* Reads the compiler's list, if it has changed since. */
static void refresh_jit(struct process *p)
{
	char path[128];
	uint64_t now = now_ns();
	struct stat st;

	if (p->jit_checked && now - p->jit_checked < CHECK_NS)
		return;
	p->jit_checked = now;
	snprintf(path, sizeof(path), "/proc/%d/root/tmp/perf-%d.map", p->pid,
		 inner_pid(p->pid));
	if (lstat(path, &st)) {
		snprintf(path, sizeof(path), "/tmp/perf-%d.map", p->pid);
		if (lstat(path, &st))
			return;
	}
	int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	if (changed == p->jit_time)
		return;
	elf_funcs_fini(&p->jit);
	p->jit_time = changed;
	perfmap_load(&p->jit, path);
}

static const char *find_jit(struct process *p, uint64_t addr, uint64_t *offset)
{
	const struct elf_func *fn = elf_funcs_at(&p->jit, addr);

	if (!fn) {
		refresh_jit(p);
		fn = elf_funcs_at(&p->jit, addr);
	}
	if (!fn)
		return NULL;
	*offset = addr - fn->addr;
	return elf_func_name(&p->jit, fn);
}

static const char *readable(struct usyms *us, const char *name)
{
	char *text = name && !us->how.mangled ? demangle(name) : NULL;

	if (!text)
		return name;
	free(us->text);
	return us->text = text;
}

uint64_t usyms_unknown(const struct usyms *us)
{
	return us->unknown;
}

bool usyms_lookup(struct usyms *us, pid_t pid, uint64_t addr, struct usym *out)
{
	struct process *p;
	const struct map *m;

	*out = (struct usym){};
	if (!pid)
		return false;
	p = current(us, pid, addr);
	us->unknown += !p->birth.time && !p->maps.len;
	m = find_map(p, addr);
	if (m && m->file) {
		const char *name =
			usyms_file_lookup(m->file, addr - m->start + m->offset, &out->offset);

		out->name = readable(us, name);
		out->module = m->file->path;
		return true;
	}
	out->name = readable(us, find_jit(p, addr, &out->offset));
	return out->name != NULL;
}

const char *usyms_build_id(struct usyms *us, pid_t pid, uint64_t addr, uint64_t *place)
{
	const struct map *m = pid ? find_map(current(us, pid, addr), addr) : NULL;

	if (!m || !m->file)
		return NULL;
	*place = addr - m->start + m->offset;
	return usyms_file_build_id(m->file);
}

unsigned usyms_lines(struct usyms *us, pid_t pid, uint64_t addr, bool is_return,
		     struct usym_line out[USYM_LINES_MAX])
{
	const struct map *m = pid ? find_map(current(us, pid, addr), addr) : NULL;

	if (!m || !m->file)
		return 0;
	return usyms_file_lines(m->file, addr - m->start + m->offset - is_return, out);
}
