#include "symbol/debug_info.h"

#include "symbol/cfi.h"
#include "symbol/cfi_ops.h"
#include "symbol/elf_debug.h"
#include "types/dwp.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does a section of strings end with one's NUL? libdw does not look. */
static bool has_end(const struct elf *f, const char *name)
{
	struct elf_section s;

	return !elf_find_section(f, name, &s) || !s.bytes[s.size - 1];
}

/* Of what dwz moved into a file that several share, which libdw opens and maps. */
static bool is_common_sound(Dwarf *dwarf)
{
	Dwarf *common = dwarf_getalt(dwarf);
	struct elf f = { .fd = -1, .elf = common ? dwarf_getelf(common) : NULL };

	return !f.elf || (has_end(&f, ".debug_str") && has_end(&f, ".debug_line_str") &&
			  has_end(&f, ".debug_info"));
}

/* What libdw may open by name, for which it looks beside the file that has the name. */
struct opened {
	char dir[PATH_MAX];
	struct err *e;
};

/* libdw would wait for the writer of a fifo, and read a device. */
static bool is_openable(const struct opened *o, const char *comp_dir, const char *name)
{
	const char *const folders[] = { "", o->dir, comp_dir, o->dir };
	const char *const below[] = { "", "", "", comp_dir };
	char path[3 * PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s%s%s%s%s", folders[i], *folders[i] ? "/" : "",
			 below[i], *below[i] ? "/" : "", name);
		if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
			err_set(o->e, -EINVAL, "%s is not a regular file", path);
			return false;
		}
	}
	return true;
}

static bool check_skeleton(void *arg, Dwarf_Die *unit)
{
	const struct opened *o = arg;
	const char *name, *comp_dir;
	Dwarf_Attribute a;

	if (!die_is_skeleton(unit, &name))
		return true;
	comp_dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &a));
	return is_openable(o, comp_dir ? comp_dir : "", name);
}

/* False, with e set: a file that it names must not be opened. */
static bool are_openable(Dwarf *dwarf, const struct elf *from, struct err *e)
{
	struct opened o = { .e = e };
	struct elf_section s;
	char fd[32];
	char *slash;

	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", from->fd);
	if (readlink(fd, o.dir, sizeof(o.dir) - 1) < 0)
		o.dir[0] = '\0';
	slash = strrchr(o.dir, '/');
	if (slash)
		*slash = '\0';
	if (elf_find_section(from, ".gnu_debugaltlink", &s) && memchr(s.bytes, '\0', s.size) &&
	    !is_openable(&o, "", (const char *)s.bytes))
		return false;
	die_each_root(dwarf, check_skeleton, &o);
	return !e->code;
}

/* Of FILE it is FILE.dwp. */
static struct dwp *open_package(const struct elf *from)
{
	char path[PATH_MAX], fd[32];
	struct err e = {};
	struct dwp *p;
	struct elf f;

	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", from->fd);
	ssize_t n = readlink(fd, path, sizeof(path) - sizeof(".dwp"));
	if (n < 0)
		return NULL;
	memcpy(path + n, ".dwp", sizeof(".dwp"));
	if (elf_open(&f, path, &e))
		return NULL;
	p = dwp_open(f.fd);
	elf_close(&f);
	return p;
}

static void close_dwarf(struct debug_info *di)
{
	if (di->dies.dwarf)
		dwarf_end(di->dies.dwarf);
	dwp_close(di->dies.package);
	di->dies = (struct die_file){};
}

static bool open_dwarf(struct debug_info *di, struct elf *from, struct err *e)
{
	uint64_t addr;

	/* .zdebug_... is how GCC compressed sections up to 2015. */
	if (!elf_section_addr(from, ".debug_info", &addr) ||
	    elf_sections_size(from, ".zdebug_") || !elf_end_strings(from, ".debug_str") ||
	    !elf_end_strings(from, ".debug_line_str") || !elf_pad(from, ".debug_info", 1) ||
	    !elf_pad(from, ".debug_types", 1))
		return false;
	di->dies.package = open_package(from);
	if (di->dies.package && !elf_pad(from, ".debug_str", DIE_NAME_ROOM))
		return false;
	Dwarf *dwarf = dwarf_begin_elf(from->elf, DWARF_C_READ, NULL);
	di->dies.dwarf = dwarf;
	if (dwarf && are_openable(dwarf, from, e) && is_common_sound(dwarf))
		return true;
	close_dwarf(di);
	return false;
}

/* What libelf could not read may be newer than that. */
static bool has_zstd(const struct elf *f)
{
	enum { CH_TYPE_ZSTD = 2 }; /* ELFCOMPRESS_ZSTD */
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Chdr ch;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && (sh.sh_flags & SHF_COMPRESSED) &&
		    gelf_getchdr(scn, &ch) && ch.ch_type == CH_TYPE_ZSTD)
			return true;
	return false;
}

int debug_info_open(struct debug_info *di, const struct elf *f, const char *dirs, struct err *e)
{
	struct err other = {};
	int err;

	*di = (struct debug_info){ .own.fd = -1, .file.fd = -1 };
	err = elf_reopen(&di->own, f, e);
	if (err)
		return err;
	if (open_dwarf(di, &di->own, &other))
		return 0;
	if (elf_debug_open(&di->file, f, dirs) && open_dwarf(di, &di->file, &other))
		return 0;
	bool is_zstd = has_zstd(f) || (di->file.elf && has_zstd(&di->file));
	bool is_old = elf_sections_size(f, ".zdebug_") ||
		      (di->file.elf && elf_sections_size(&di->file, ".zdebug_"));

	debug_info_close(di);
	if (other.code) {
		*e = other;
		return other.code;
	}
	if (is_zstd)
		return err_set(
			e, -EOPNOTSUPP,
			"the debug information is compressed with zstd, which is not read");
	if (is_old)
		return err_set(e, -EOPNOTSUPP,
			       "the debug information is compressed as it was up to 2015 "
			       "(.zdebug_info), which is not read");
	return err_set(e, -ENODATA, "there is no debug information");
}

void debug_info_close(struct debug_info *di)
{
	close_dwarf(di);
	elf_close(&di->file);
	elf_close(&di->own);
	vec_free(&di->ranges);
	*di = (struct debug_info){ .own.fd = -1, .file.fd = -1 };
}

static bool add_unit(void *arg, Dwarf_Die *unit)
{
	struct debug_info *di = arg;
	Dwarf_Addr base, low, high;
	ptrdiff_t next = 0;

	while ((next = dwarf_ranges(unit, next, &base, &low, &high)) > 0)
		if (low && low < high)
			vec_push(NULL, &di->ranges, (struct debug_range){ low, high, *unit });
	return true;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct debug_range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return x->high < y->high ? -1 : x->high > y->high;
}

static void read_ranges(struct debug_info *di)
{
	if (di->has_ranges)
		return;
	di->has_ranges = true;
	die_each_root(di->dies.dwarf, add_unit, di);
	if (di->ranges.len)
		qsort(di->ranges.data, di->ranges.len, sizeof(*di->ranges.data),
		      compare_ranges);
}

bool debug_info_unit(struct debug_info *di, uint64_t addr, Dwarf_Die *out)
{
	enum { LOOK_BACK = 16 }; /* past ranges inside a larger one */
	size_t low = 0, high;

	read_ranges(di);
	high = di->ranges.len;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (di->ranges.data[mid].low <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i-- > 0 && low - i <= LOOK_BACK;) {
		if (addr < di->ranges.data[i].high) {
			*out = di->ranges.data[i].unit;
			die_whole_unit(&di->dies, out);
			return true;
		}
	}
	return false;
}

/* inside: of functions, too, where those of classes and lambdas in them lie. */
static bool find_func(Dwarf_Die *parent, uint64_t addr, bool inside, Dwarf_Die *out, int depth)
{
	Dwarf_Die die;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && dwarf_haspc(&die, addr) == 1) {
			*out = die;
			return true;
		}
		if ((die_is_scope(&die) ||
		     (inside && (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block))) &&
		    find_func(&die, addr, inside, out, depth + 1))
			return true;
	} while (die_next(&die));
	return false;
}

bool debug_info_func(struct debug_info *di, uint64_t addr, Dwarf_Die *out)
{
	Dwarf_Die unit;

	return debug_info_unit(di, addr, &unit) &&
	       (find_func(&unit, addr, false, out, 0) || find_func(&unit, addr, true, out, 0));
}

bool debug_info_cfa(struct debug_info *di, uint64_t addr, unsigned *reg, int64_t *off)
{
	struct cfi_table t = {};
	uint64_t row = 0;

	if (!cfi_load(&t, &di->own) && addr >= t.base && (addr - t.base) >> CFI_PC_BITS == 0)
		row = cfi_row_at(&t, addr - t.base);
	cfi_fini(&t);
	*off = (int64_t)(8 * (row >> CFI_N_SHIFT & ((1u << CFI_N_BITS) - 1)));
	switch (row & ((1u << CFI_RULE_BITS) - 1)) {
	case CFI_SP: *reg = CFI_REG_SP; return true;
	case CFI_BP: *reg = CFI_REG_BP; return true;
	default: return false;
	}
}

struct inlined_search {
	const char *name;
	Dwarf_Die abstract; /* what instances refer to */
	struct debug_inlined *out;
};

/* Where an instance was put, for who wants to see it. */
static void note_place(struct debug_inlined *out, Dwarf_Die *die)
{
	Dwarf_Die unit;
	Dwarf_Files *files;
	uint64_t file = die_number(die, DW_AT_call_file, 0);

	if (!dwarf_diecu(die, &unit, NULL, NULL) || dwarf_getsrcfiles(&unit, &files, NULL))
		return;
	out->file = dwarf_filesrc(files, file, NULL, NULL);
	out->line = (int)die_number(die, DW_AT_call_line, 0);
}

static bool entry_of(Dwarf_Die *inlined, uint64_t *addr)
{
	Dwarf_Addr base, end;

	return !dwarf_entrypc(inlined, addr) || dwarf_ranges(inlined, 0, &base, addr, &end) > 0;
}

/* An address that two copies begin at is one place. */
static void note_entry(struct debug_inlined *out, Dwarf_Die *die)
{
	uint64_t addr;

	if (!entry_of(die, &addr))
		return;
	vec_each(known, &out->entries) {
		if (*known == addr)
			return;
	}
	vec_push(NULL, &out->entries, addr);
}

static void note_instance(struct debug_inlined *out, Dwarf_Die *die)
{
	if (!out->copies++)
		note_place(out, die);
	note_entry(out, die);
}

/* Notes those below parent that are instances of w->abstract. */
static void note_instances(const struct inlined_search *w, Dwarf_Die *parent, int depth)
{
	Dwarf_Die die, origin;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine &&
		    die_ref(&die, DW_AT_abstract_origin, &origin) &&
		    origin.addr == w->abstract.addr)
			note_instance(w->out, &die);
		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
		    tag == DW_TAG_lexical_block || die_is_scope(&die))
			note_instances(w, &die, depth + 1);
	} while (die_next(&die));
}

static bool was_inlined(Dwarf_Die *die)
{
	uint64_t how = die_number(die, DW_AT_inline, DW_INL_not_inlined);

	return how == DW_INL_inlined || how == DW_INL_declared_inlined;
}

static void search_below(struct inlined_search *w, Dwarf_Die *unit, Dwarf_Die *parent,
			 int depth)
{
	Dwarf_Die die;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return;
	do {
		if (dwarf_tag(&die) == DW_TAG_subprogram && was_inlined(&die) &&
		    !dwarf_hasattr(&die, DW_AT_abstract_origin)) {
			if (die_is_called(&die, w->name)) {
				w->abstract = die;
				note_instances(w, unit, 0);
			}
		}
		if (die_is_scope(&die))
			search_below(w, unit, &die, depth + 1);
	} while (die_next(&die));
}

static bool search_unit(void *arg, Dwarf_Die *unit)
{
	search_below(arg, unit, unit, 0);
	return true;
}

void debug_info_inlined(struct debug_info *di, Dwarf_Die *func, const char *name,
			struct debug_inlined *out)
{
	struct inlined_search w = { .name = name, .out = out };
	Dwarf_Die unit;

	*out = (struct debug_inlined){};
	if (!func) {
		die_each_unit(&di->dies, search_unit, &w);
		return;
	}
	if (die_ref(func, DW_AT_abstract_origin, &w.abstract) && was_inlined(&w.abstract) &&
	    dwarf_diecu(&w.abstract, &unit, NULL, NULL))
		note_instances(&w, &unit, 0);
}

/* By its entry, not its range: the code of a copy may have melted into what is around it. */
static bool find_copy(Dwarf_Die *func, uint64_t addr, const char *name, int depth,
		      Dwarf_Die *out)
{
	uint64_t entry;

	if (depth > DIE_DEPTH_MAX || !die_first(func, out))
		return false;
	do {
		int tag = dwarf_tag(out);
		Dwarf_Die die = *out;

		if (tag == DW_TAG_inlined_subroutine && die_is_called(out, name) &&
		    entry_of(out, &entry) && entry == addr)
			return true;
		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block) &&
		    find_copy(&die, addr, name, depth + 1, out))
			return true;
		*out = die;
	} while (die_next(out));
	return false;
}

bool debug_info_inlined_at(Dwarf_Die *func, uint64_t addr, const char *name, Dwarf_Die *out)
{
	return find_copy(func, addr, name, 0, out);
}
