/*
 * Scripts that must be refused: tests/script/err.CODE.what.bt.
 *
 * A mark is a comment line of its own below the line it speaks of.  Carets stand under the
 * marked bytes as an editor shows them (a tab goes on to the next multiple of 8):
 *
 *	$x = ;
 *	//   ^ E0001
 *	$y = 08 + 5q;
 *	//   ^~   E0005
 *	//        ^~ E0005
 *
 * Where the carets do not fit - columns 1 and 2, a place behind the end of a line, a text of
 * several lines - columns are given as numbers, the second one exclusive, or "end" for the end
 * of the text:
 *
 *	//@ 1-7 E0007
 *	//@ end E0001
 *
 * A span of several lines is marked up to the end of its first line.  Marks of warnings
 * (W....) are the same.  The file must give exactly the marked messages; the code of its name
 * is among them.
 *
 * Codes of the text (E000x) and of the C at its head (E001x) are tried by reading alone, those
 * of names, types and builtins (E01xx, E03xx, W01xx) by compiling; what probes and the kernel
 * have to say is tried through the program, by the cases of tests/host.
 */
#include "script_text.h"

#include "script/compile.h"
#include "types/btf.h"

#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct mark {
	char code[8];
	uint32_t line; /* 0: the end of the text */
	uint32_t beg, end;
	bool shown; /* columns as an editor shows them, else in bytes */
};

struct marks {
	struct mark list[64];
	size_t n;
};

/* The column at which an editor shows the byte at a column of a line. */
static uint32_t shown_col(const char *line, uint32_t col)
{
	uint32_t shown = 1;

	for (uint32_t i = 0; i + 1 < col; i++)
		shown = line[i] == '\t' ? (shown + 7) / 8 * 8 + 1 : shown + 1;
	return shown;
}

/* Reads a mark about the line `above`; false when the text is no mark. */
static bool read_mark(const char *s, uint32_t above, struct mark *m)
{
	unsigned beg, end;

	*m = (struct mark){ .line = above };
	if (sscanf(s, "//@ %u-%u %7[A-Z0-9]", &beg, &end, m->code) == 3) {
		m->beg = beg;
		m->end = end;
		return true;
	}
	if (sscanf(s, "//@ end %7[A-Z0-9]", m->code) == 1) {
		m->line = 0;
		return true;
	}

	size_t first = strspn(s, "/ \t"), len = strspn(s + first, "^~");
	if (strncmp(s + strspn(s, " \t"), "//", 2) != 0 || s[first] != '^')
		return false;
	m->shown = true;
	m->beg = shown_col(s, (uint32_t)first + 1);
	m->end = m->beg + (uint32_t)len;
	return sscanf(s + first + len, " %7[A-Z0-9]", m->code) == 1;
}

static void read_marks(const char *text, struct marks *ms)
{
	uint32_t line = 0, above = 0;

	ms->n = 0;
	for (const char *s = text; *s; s += strcspn(s, "\n"), s += *s == '\n') {
		struct mark m;

		line++;
		if (!read_mark(s, above, &m)) {
			above = line;
			continue;
		}
		assert_in_range(ms->n, 0, sizeof(ms->list) / sizeof(*ms->list) - 1);
		ms->list[ms->n++] = m;
	}
}

static bool matches(const struct script_text *t, const struct diag *d, const struct mark *m)
{
	struct location loc;

	if (strncmp(diag_row(d->code)->id, m->code, 5) != 0)
		return false;
	if (!m->line)
		return d->span.beg == t->source->base + t->source->len;
	if (!source_locate(&t->sources, d->span, &loc) || loc.line != m->line)
		return false;

	uint32_t beg = loc.col;
	uint32_t end = loc.end_line > loc.line ? loc.line_len + 1 : loc.end_col;
	end = end > beg ? end : beg + 1;
	if (m->shown) {
		end = shown_col(loc.line_text, end);
		beg = shown_col(loc.line_text, beg);
	}
	return beg == m->beg && end == m->end;
}

/* Each message has its mark and each mark its message. */
static bool compare(struct script_text *t, const struct marks *ms, const char *path)
{
	bool used[64] = { 0 }, ok = t->dx.list.len == ms->n;

	vec_each(d, &t->dx.list) {
		size_t i = 0;

		while (i < ms->n && (used[i] || !matches(t, *d, &ms->list[i])))
			i++;
		ok &= i < ms->n;
		used[i % 64] = true;
	}
	if (ok)
		return true;
	print_message("%s: the messages are not the marked ones\n", path);
	for (size_t i = 0; i < ms->n; i++)
		print_message("marked: line %u, %u-%u %s\n", ms->list[i].line, ms->list[i].beg,
			      ms->list[i].end, ms->list[i].code);
	diags_print(&t->dx, stderr, true);
	return false;
}

/* Reads the text and the C at its head, no more. */
static void read_only(struct script_text *t, const char *text)
{
	struct typetab types;
	const struct cfront_env env = { .types = &types };

	script_text_parse(t, text);
	typetab_init(&types, &t->arena);
	types.btf_path = "/dev/null"; /* the same on every machine */
	if (!diag_failed(&t->dx))
		cfront_load(cfront_new(&t->arena, &env), t->script->c_items.data,
			    t->script->c_items.len, &t->dx);
}

/* Compiles it: all that needs neither root nor tracefs. Without BTF a code may not come. */
static void compile(struct script_text *t, const char *text)
{
	static const char *const params[] = { "12", "word" };
	struct typetab types;
	struct probe_env env = { .arena = &t->arena, .types = &types, .dx = &t->dx };
	const struct compile_options opt = {
		.params = params,
		.nparams = 2,
		.ncpus = 2,
		.isa = 3,
		.env = &env,
	};
	struct script_config cfg;

	script_text_init(t, "test", text, strlen(text));
	typetab_init(&types, &t->arena);
	script_config_init(&cfg);
	compile_script(&t->arena, &t->dx, &t->sources, t->source, &cfg, &opt);
	probe_env_fini(&env);
	btf_free((struct btf *)types.btf);
}

/* "E0001" of tests/script/err.E0001.what.bt: of the text or the C at its head */
static bool is_of_the_text(const char *code)
{
	return !strncmp(code, "E000", 4) || !strncmp(code, "E001", 4);
}

/* Codes of probes (E02xx) and of the kernel (E04xx) are tried through the program. */
static bool is_tried_here(const char *code)
{
	static const char *const tried[] = { "E000", "E001", "E01", "E03", "W01" };

	for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++)
		if (!strncmp(code, tried[i], strlen(tried[i])))
			return true;
	return false;
}

static bool is_refused(const char *path, const char *text, const char *code)
{
	auto_script struct script_text t;
	struct marks marks;

	if (is_of_the_text(code))
		read_only(&t, text);
	else
		compile(&t, text);
	read_marks(text, &marks);
	return compare(&t, &marks, path);
}

static void wrong_scripts_are_refused_where_they_are_wrong(void **state)
{
	static const char pattern[] = "tests/script/err.*.bt";
	const size_t code_at = strcspn(pattern, "*");
	unsigned tried = 0, wrong = 0;
	glob_t g = { 0 };

	(void)state;
	glob(pattern, 0, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *path = g.gl_pathv[i], *code = path + code_at;
		size_t len;

		if (!is_tried_here(code))
			continue;
		auto_free char *text = read_text(path, &len);
		char mark[8];

		assert_non_null(text);
		snprintf(mark, sizeof(mark), " %.5s", code);
		if (!strstr(text, mark))
			print_message("%s has no mark of its own code\n", path);
		wrong += !is_refused(path, text, code) || !strstr(text, mark);
		tried++;
	}
	globfree(&g);
	assert_int_equal(wrong, 0);
	assert_in_range(tried, 10, 1000);
}

static unsigned print_missing(const char *pattern)
{
	print_message("there is no %s\n", pattern);
	return 1;
}

/* What no script can provoke on every machine. */
static bool has_no_script(const char *id)
{
	static const char *const codes[] = {
		"E0006", /* shrinks with every feature; tests/host/errors.case has some */
		"E0131", /* a provider's own words about a target */
		"E0158", /* an object: tests/host/import.case */
		"E0132", /* a kernel without BTF; tests/guest/system.case */
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strncmp(id, codes[i], 5))
			return true;
	return false;
}

/* Every code that can be tried here has a script that gets it. */
static void every_code_has_its_script(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (int code = 0; code < DIAG_CODES; code++) {
		const char *id = diag_row((enum diag_code)code)->id;
		char pattern[64];
		glob_t g = { 0 };

		if (!is_tried_here(id))
			continue;
		snprintf(pattern, sizeof(pattern), "tests/script/err.%.5s.*.bt", id);
		if (!has_no_script(id) && glob(pattern, 0, NULL, &g) != 0)
			missing += print_missing(pattern);
		globfree(&g);
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_scripts_are_refused_where_they_are_wrong),
		cmocka_unit_test(every_code_has_its_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
