#include "symbol/debug_line.h"

#include <string.h>

enum { PLACES_MAX = 4096 };

bool debug_line_at(struct debug_info *di, uint64_t addr, const char **file, int *line)
{
	Dwarf_Die unit;
	Dwarf_Line *l;

	if (!debug_info_unit(di, addr, &unit))
		return false;
	l = dwarf_getsrc_die(&unit, addr);
	*file = l ? dwarf_linesrc(l, NULL, NULL) : NULL;
	return *file && !dwarf_lineno(l, line) && *line > 0;
}

/* The next inlined function below parent that has the address. */
static bool find_inlined(Dwarf_Die *parent, uint64_t addr, Dwarf_Die *out, int depth)
{
	Dwarf_Die die;

	if (depth > DIE_DEPTH_MAX || !die_first(parent, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if ((tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block) ||
		    dwarf_haspc(&die, addr) != 1)
			continue;
		*out = die;
		if (tag == DW_TAG_inlined_subroutine ||
		    find_inlined(&die, addr, out, depth + 1))
			return true;
	} while (die_next(&die));
	return false;
}

unsigned debug_line_inlined(struct debug_info *di, uint64_t addr,
			    Dwarf_Die out[DEBUG_INLINED_MAX])
{
	Dwarf_Die at;
	unsigned n = 0;

	if (!debug_info_func(di, addr, &at))
		return 0;
	while (n < DEBUG_INLINED_MAX && find_inlined(&at, addr, &out[n], 0))
		at = out[n++];
	return n;
}

bool debug_line_call(Dwarf_Die *inlined, const char **file, int *line)
{
	uint64_t index = die_number(inlined, DW_AT_call_file, 0);
	Dwarf_Files *files;
	Dwarf_Die unit;

	*line = (int)die_number(inlined, DW_AT_call_line, 0);
	if (*line <= 0 || !dwarf_diecu(inlined, &unit, NULL, NULL) ||
	    dwarf_getsrcfiles(&unit, &files, NULL))
		return false;
	*file = dwarf_filesrc(files, index, NULL, NULL);
	return *file != NULL;
}

struct line_search {
	struct debug_info *di;
	const char *file;
	int line, column;
	struct debug_line_search *out;
};

/* Is path the file, or does it end in it? */
static bool is_file(const char *path, const char *file)
{
	size_t n = strlen(path), m = strlen(file);

	return n >= m && !strcmp(path + n - m, file) && (n == m || path[n - m - 1] == '/');
}

/* dwarf_decl_file() takes for granted that a unit's lines are in the file that it is in. */
static const char *declared_in(Dwarf_Die *die)
{
	enum { ORIGINS_MAX = 4 };
	Dwarf_Die at = *die, unit;
	Dwarf_Files *files;

	for (int i = 0; i < ORIGINS_MAX && !dwarf_hasattr(&at, DW_AT_decl_file); i++) {
		Dwarf_Die next;

		if (!die_ref(&at, DW_AT_abstract_origin, &next) &&
		    !die_ref(&at, DW_AT_specification, &next))
			return NULL;
		at = next;
	}
	if (!dwarf_diecu(&at, &unit, NULL, NULL) || dwarf_getsrcfiles(&unit, &files, NULL))
		return NULL;
	return dwarf_filesrc(files, die_number(&at, DW_AT_decl_file, 0), NULL, NULL);
}

/* The line of the file that a function, or copy of one, is declared in. */
static int declared(const struct line_search *s, Dwarf_Die *die)
{
	const char *file = declared_in(die);
	int line = 0;

	return file && is_file(file, s->file) && !dwarf_decl_line(die, &line) ? line : 0;
}

/* Code that an optimiser has torn apart begins where its first instruction is. */
static void add_place(const struct line_search *s, uint64_t addr)
{
	Dwarf_Die inlined[DEBUG_INLINED_MAX], func;
	unsigned n = debug_line_inlined(s->di, addr, inlined);
	const void *block = NULL;
	int begin = 0;

	if (n)
		func = inlined[n - 1];
	if (n || debug_info_func(s->di, addr, &func)) {
		block = func.addr;
		begin = declared(s, &func);
	}
	vec_each(p, &s->out->places) {
		if (p->block != block)
			continue;
		if (addr < p->addr)
			p->addr = addr;
		return;
	}
	if (s->out->places.len < PLACES_MAX)
		vec_push(NULL, &s->out->places, (struct debug_place){ addr, block, begin });
}

/*
 * Where an inlined copy ends, the compiler may leave a row of its last line to the function
 * around it.  The line belongs to the function that begins nearest before it; if one begins in
 * the line itself, another may have code there too.
 */
static void drop_leftovers(struct debug_line_search *out, int line)
{
	int nearest = 0;
	size_t kept = 0;

	vec_each(p, &out->places)
		if (p->declared <= line && p->declared > nearest)
			nearest = p->declared;
	if (!nearest || nearest == line)
		return;
	vec_each(p, &out->places)
		if (p->declared == nearest)
			out->places.data[kept++] = *p;
	out->places.len = kept;
}

static void note_near(struct debug_line_search *out, int want, int line)
{
	if (line < want && line > out->before)
		out->before = line;
	if (line > want && (!out->after || line < out->after))
		out->after = line;
}

static void take_line(const struct line_search *s, Dwarf_Line *l)
{
	bool is_stmt = false, is_end = false;
	Dwarf_Addr addr = 0;
	int line = 0, column = 0;

	if (dwarf_lineno(l, &line) || dwarf_lineaddr(l, &addr) || line <= 0 || !addr ||
	    dwarf_linebeginstatement(l, &is_stmt) || dwarf_lineendsequence(l, &is_end) ||
	    !is_stmt || is_end || !elf_is_code(&s->di->own, addr))
		return;
	if (line != s->line)
		note_near(s->out, s->line, line);
	else if (!s->column || (!dwarf_linecol(l, &column) && column == s->column))
		add_place(s, addr);
}

static bool search_unit(void *arg, Dwarf_Die *unit)
{
	const struct line_search *s = arg;
	const char *last = NULL;
	bool is_it = false, found = false;
	Dwarf_Lines *lines;
	size_t n;

	if (dwarf_getsrclines(unit, &lines, &n))
		return true;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);
		const char *path = dwarf_linesrc(l, NULL, NULL);

		if (path != last) {
			is_it = path && is_file(path, s->file);
			last = path;
		}
		if (!is_it)
			continue;
		found = true;
		if (!s->out->file)
			s->out->file = path;
		take_line(s, l);
	}
	s->out->nfiles += found;
	return true;
}

void debug_line_find(struct debug_info *di, const char *file, int line, int column,
		     struct debug_line_search *out)
{
	struct line_search s = { di, file, line, column, out };

	*out = (struct debug_line_search){};
	die_each_unit(&di->dies, search_unit, &s);
	drop_leftovers(out, line);
}
