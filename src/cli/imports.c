#include "cli/imports.h"

#include "base/auto.h"
#include "cli/clang.h"
#include "cli/program.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* Where the path leads, seen from the file that names it. */
static const char *locate(struct arena *a, const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');

	if (*path != '/' && slash) {
		const char *beside =
			arena_printf(a, "%.*s/%s", (int)(slash - from), from, path);

		if (exists(beside))
			return beside;
	}
	return path;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

static int read_one(struct arena *a, const char *path, struct import_file **out, struct err *e)
{
	auto_sb struct sb text = {};
	struct import_file *f = arena_new(a, struct import_file);
	bool is_c = ends_with(path, ".bpf.c");
	int err = is_c ? clang_compile(path, &text, e) : program_read_file(path, &text, e);

	if (err)
		return err;
	f->is_object = is_c || ends_with(path, ".bpf.o");
	char *real = realpath(path, NULL);
	f->id = arena_strdup(a, real ? real : path);
	free(real);
	f->name = path;
	f->text = arena_strndup(a, sb_str(&text), text.len);
	f->len = text.len;
	*out = f;
	return 0;
}

static int importable(const struct dirent *d)
{
	static const char *const ends[] = { ".bt", ".h", ".bpf.c", ".bpf.o" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends_with(d->d_name, ends[i]))
			return true;
	return false;
}

static int read_directory(struct arena *a, const char *path, struct import_file **out,
			  struct err *e)
{
	struct dirent **names;
	int n = scandir(path, &names, importable, alphasort), err = 0;

	if (n < 0)
		return err_set(e, -errno, "cannot read the directory '%s': %s", path,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *file = arena_printf(a, "%s/%s", path, names[i]->d_name);

		if (!err)
			err = read_one(a, file, out, e);
		if (!err)
			out = &(*out)->next;
		free(names[i]);
	}
	free(names);
	return err;
}

const struct import_file *imports_read(void *arg, const char *from, const char *path,
				       struct err *e)
{
	struct arena *a = arg;
	struct import_file *first = NULL;
	const char *at = locate(a, from, path);
	struct stat st;
	int err;

	if (stat(at, &st) < 0) {
		err_set(e, -errno, "cannot import '%s': %s", path, strerror(errno));
		err_hint(e, "it is looked for beside the file that imports it, then here");
		return NULL;
	}
	if (!S_ISDIR(st.st_mode)) {
		err = read_one(a, at, &first, e);
	} else if (st.st_mode & S_IWOTH) {
		err_set(e, -EPERM, "cannot import '%s': everybody may write to the directory",
			path);
		return NULL;
	} else {
		err = read_directory(a, at, &first, e);
		if (!err && !first)
			err_set(e, -ENOENT, "cannot import '%s': nothing in it to import",
				path);
	}
	return err ? NULL : first;
}
