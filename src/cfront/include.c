/*
 * #include: files of the system where there are any, a few of the compiler's own, and of the
 * kernel's those that need not exist because its types and constants are known anyway.
 */
#include "cfront/define.h"

#include <string.h>

enum { DEPTH_MAX = 100 };

/*
 * What a compiler brings along instead of the C library (ISO C11 4, freestanding).  limits.h
 * has the kernel's, too.
 */
static const struct c_header compilers_own[] = {
#define OWN(name, text)                                  \
	{                                                \
		name, name, text, sizeof(text) - 1, 0, 0 \
	}
	OWN("stddef.h", "typedef __SIZE_TYPE__ size_t;\ntypedef __PTRDIFF_TYPE__ ptrdiff_t;\n"
			"typedef __WCHAR_TYPE__ wchar_t;\ntypedef __WINT_TYPE__ wint_t;\n"
			"typedef struct { long long a; long double b; } max_align_t;\n"
			"#undef NULL\n#define NULL ((void *)0)\n"
			"#undef offsetof\n#define offsetof(t, m) __builtin_offsetof(t, m)\n"),
	OWN("stdarg.h", "typedef __builtin_va_list va_list;\n"
			"typedef __builtin_va_list __gnuc_va_list;\n"),
	OWN("stdbool.h", "#undef bool\n#define bool _Bool\n#define true 1\n#define false 0\n"),
	OWN("stdalign.h", "#define alignas _Alignas\n#define alignof _Alignof\n"),
	OWN("stdnoreturn.h", "#define noreturn _Noreturn\n"),
	OWN("float.h",
	    "#define FLT_RADIX 2\n#define FLT_MANT_DIG 24\n#define DBL_MANT_DIG 53\n"),
	OWN("limits.h",
	    "#define CHAR_BIT 8\n#define SCHAR_MIN (-128)\n#define SCHAR_MAX 127\n"
	    "#define UCHAR_MAX 255\n#define CHAR_MIN (-128)\n#define CHAR_MAX 127\n"
	    "#define SHRT_MIN (-32768)\n#define SHRT_MAX 32767\n#define USHRT_MAX 65535\n"
	    "#define INT_MAX 2147483647\n#define INT_MIN (-INT_MAX - 1)\n"
	    "#define UINT_MAX 4294967295U\n#define LONG_MAX 9223372036854775807L\n"
	    "#define LONG_MIN (-LONG_MAX - 1L)\n#define ULONG_MAX 18446744073709551615UL\n"
	    "#define LLONG_MAX 9223372036854775807LL\n#define LLONG_MIN (-LLONG_MAX - 1LL)\n"
	    "#define ULLONG_MAX 18446744073709551615ULL\n#include <linux/limits.h>\n"),
#undef OWN
};

/* Folders of headers that a kernel's types and constants stand for, and the C library's. */
static bool may_be_missing(const char *path)
{
	static const char *const folders[] = {
		"linux/", "net/",   "asm/",	"asm-generic/", "uapi/",   "sys/",  "bits/",
		"arpa/",  "block/", "netinet/", "trace/",	"crypto/", "drm/",  "rdma/",
		"scsi/",  "sound/", "kvm/",	"kernel/",	"media/",  "acpi/", "xen/",
	};

	if (!strchr(path, '/')) /* C's own */
		return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (!strncmp(path, folders[i], strlen(folders[i])))
			return true;
	return false;
}

/* Takes <path> or "path" apart. */
static bool read_path(struct cpp *pp, const char *text, size_t len, struct c_header_wish *out)
{
	size_t beg = 0;

	while (beg < len && strchr(" \t", text[beg]))
		beg++;

	char close = beg == len ? 0 : text[beg] == '<' ? '>' : text[beg] == '"' ? '"' : 0;
	const char *end = close ? memchr(text + beg + 1, close, len - beg - 1) : NULL;
	if (!end)
		return false;
	out->system = close == '>';
	out->path = arena_strndup(pp->arena, text + beg + 1, (size_t)(end - text) - beg - 1);
	out->from = pp->header;
	return true;
}

static bool find(struct cpp *pp, const struct c_header_wish *wish, struct c_header *out)
{
	for (size_t i = 0; i < sizeof(compilers_own) / sizeof(*compilers_own); i++) {
		if (!strcmp(compilers_own[i].name, wish->path)) {
			*out = compilers_own[i];
			return true;
		}
	}
	return pp->env->open_header && pp->env->open_header(pp->env->arg, wish, out);
}

bool cpp_has_include(struct cpp *pp, const char *text, size_t len)
{
	struct c_header_wish wish = {};
	struct c_header file;

	return read_path(pp, text, len, &wish) && find(pp, &wish, &file);
}

/* Conditions end with the file that they began in. */
static void read_file(struct cpp *pp, const struct c_header *file, struct span span)
{
	const struct c_header *from = pp->header;
	struct diags *dx = pp->dx, quiet;
	size_t nconds = pp->conds.len;

	if (strmap_gets(&pp->once, file->id))
		return;
	if (!from) {
		diags_init(&quiet, pp->arena, dx->sources);
		quiet.muted = true;
		pp->dx = &quiet;
		pp->include = span;
	}
	pp->header = file;
	pp->depth++;
	cpp_text(pp, file->text, file->len, file->base);
	pp->depth--;
	pp->header = from;
	pp->dx = dx;
	if (pp->conds.len > nconds)
		pp->conds.len = nconds;
}

void cpp_include(struct cpp *pp, const char *text, size_t len, struct span span, bool next)
{
	struct c_header_wish wish = { .next = next };
	struct c_header *file = arena_new(pp->arena, struct c_header);

	if (!read_path(pp, text, len, &wish)) {
		diag(pp->dx, E0011_DIRECTIVE, span, "#include takes <path> or \"path\"");
		return;
	}
	if (!pp->header)
		vec_push(pp->arena, &pp->includes,
			 (struct c_include){ span, wish.path, wish.system });
	if (pp->depth > DEPTH_MAX)
		diag(pp->script_dx, E0011_DIRECTIVE, pp->include, "files include each other");
	else if (find(pp, &wish, file))
		read_file(pp, file, span);
	else if (pp->env->open_header && !pp->header &&
		 !(wish.system && may_be_missing(wish.path)))
		diag_hint(diag(pp->dx, E0011_DIRECTIVE, span,
			       arena_printf(pp->arena, "there is no file %s", wish.path)),
			  "say where to look with -I DIR");
}
