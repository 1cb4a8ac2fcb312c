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
