#include "symbol/demangle.h"

#include <libiberty/demangle.h>
#include <string.h>

char *demangle(const char *name)
{
	char *text = NULL;

	/* Rust's old names are C++ names with a hash at the end, so Rust is asked first. */
	if (!strncmp(name, "_R", 2) || !strncmp(name, "_ZN", 3))
		text = rust_demangle(name, 0);
	if (!text && !strncmp(name, "_Z", 2))
		text = cplus_demangle_v3(name, DMGL_PARAMS | DMGL_ANSI);
	return text;
}

/* How many bytes at p are a name or an arrow whose brackets open and close nothing. */
static size_t skip_operator(const char *p, const char *name)
{
	static const char word[] = "operator", anonymous[] = "(anonymous namespace)";
	static const char *const signs[] = { "()",  "<<=", "<=>", "<<", "<=", "<",
					     "->*", "->",  ">>=", ">>", ">=", ">" };
	size_t len = sizeof(word) - 1;

	if (!strncmp(p, anonymous, sizeof(anonymous) - 1))
		return sizeof(anonymous) - 1;
	if (!strncmp(p, "->", 2))
		return 2;
	if (strncmp(p, word, len) != 0 || (p > name && p[-1] != ':' && p[-1] != ' '))
		return 0;
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (!strncmp(p + len, signs[i], strlen(signs[i])))
			return len + strlen(signs[i]);
	return 0;
}

/* The first place from at on, outside of brackets, with one of those characters; or the end. */
static size_t find_outside(const char *name, size_t at, const char *wanted)
{
	int depth = 0;

	while (name[at]) {
		size_t skipped = skip_operator(name + at, name);

		if (skipped) {
			at += skipped;
			continue;
		}
		if (!depth && strchr(wanted, name[at]))
			return at;
		depth += strchr("<({[", name[at]) != NULL;
		depth -= strchr(">)}]", name[at]) != NULL;
		at++;
	}
	return at;
}

size_t demangled_params(const char *name)
{
	return find_outside(name, 0, "(");
}

size_t demangled_name(const char *name)
{
	size_t params = demangled_params(name), begin = 0, at = 0;

	if (!params || name[params - 1] != '>')
		return 0;
	while ((at = find_outside(name, at, " (")) < params) {
		at++;
		if (name[at] != '<') /* of "operator< <int>" */
			begin = at;
	}
	return begin;
}
