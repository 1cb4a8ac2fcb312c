#include "probe/user_file.h"

#include "base/auto.h"
#include "probe/ld_cache.h"
#include "probe/match.h"
#include "probe/user_debug.h"
#include "symbol/procmaps.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_file(struct err *e, const char *word)
{
	return err_set(e, -ENOENT, "target file '%s' does not exist or is not executable",
		       word);
}

/* Opens the file, unless it is open already. */
static int add_file(struct probe_env *env, const char *name, const char *path,
		    struct user_files *out, struct err *e)
{
	struct user_file *file;
	struct elf elf;
	int err;

	for (file = env->user_files; file; file = file->next) {
		if (!strcmp(file->path, path)) {
			vec_push(env->arena, out, file);
			return 0;
		}
	}
	err = elf_open(&elf, path, e);
	if (err)
		return err == -ENOENT ? no_file(e, name) : err;
	file = arena_new(env->arena, struct user_file);
	*file = (struct user_file){ .next = env->user_files,
				    .name = arena_strdup(env->arena, name),
				    .path = arena_strdup(env->arena, path),
				    .is_go = elf_is_go(&elf),
				    .elf = elf };
	env->user_files = file;
	vec_push(env->arena, out, file);
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What paths of the traced process begin with: "" where it sees the same files as we do. */
static const char *root_of(struct probe_env *env)
{
	const char *root, *ns;

	if (!env->pid || access("/proc/self", F_OK)) /* without /proc nothing can be told */
		return "";
	root = arena_printf(env->arena, "/proc/%d/root", env->pid);
	ns = arena_printf(env->arena, "/proc/%d/ns/mnt", env->pid);
	return same_file(root, "/proc/self/root") && same_file(ns, "/proc/self/ns/mnt") ? ""
											: root;
}

static int add_path(struct probe_env *env, const char *root, const char *path,
		    struct user_files *out, struct err *e)
{
	char real[PATH_MAX];

	/* A symbolic link in another root cannot be told from ours: it stays as it is. */
	if (*root)
		return add_file(env, path, arena_printf(env->arena, "%s%s", root, path), out,
				e);
	if (!realpath(path, real))
		return no_file(e, path);
	return add_file(env, real, real, out, e);
}

/* Of many files those that are programs count. */
static int add_matches(struct probe_env *env, const char *root, const char *pattern,
		       struct user_files *out, struct err *e)
{
	const char *whole = arena_printf(env->arena, "%s%s", root, pattern);
	size_t before = out->len;
	glob_t found = {};

	if (!glob(whole, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_path(env, root, found.gl_pathv[i] + strlen(root), out, e);
	globfree(&found);
	return out->len > before ? 0 : no_file(e, pattern);
}

struct mapped {
	struct probe_env *env;
	const char *root;
	struct user_files *out;
	const char *last;
};

static bool add_mapped(void *arg, const struct mapping *m)
{
	struct mapped *x = arg;
	struct err e;

	if (m->is_code && m->path[0] == '/' && strcmp(m->path, x->last) != 0) {
		x->last = arena_strdup(x->env->arena, m->path);
		add_path(x->env, x->root, x->last, x->out, &e);
	}
	return true;
}

static int add_all_mapped(struct probe_env *env, struct user_files *out, struct err *e)
{
	struct mapped x = { env, root_of(env), out, "" };
	int err = procmaps_each(env->pid, add_mapped, &x);

	if (err)
		return err_set(e, err, "cannot read what process %d has mapped", env->pid);
	return out->len ? 0 : err_set(e, -ENOENT, "process %d has no code mapped", env->pid);
}

static int add_in_path(struct probe_env *env, const char *root, const char *word,
		       struct user_files *out, struct err *e)
{
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");
		const char *path = arena_printf(env->arena, "%.*s/%s", (int)len, dirs, word);

		dirs += len;
		if (len && !add_path(env, root, path, out, e))
			return 0;
	}
	return no_file(e, word);
}

/* A library of the loader's cache: the first that is for this machine. */
static int add_library(struct probe_env *env, const char *root, const char *word,
		       struct user_files *out, struct err *e)
{
	const char *cache = arena_printf(env->arena, "%s/etc/ld.so.cache", root);
	struct ld_paths paths = {};

	ld_cache_find(env->arena, cache, word, &paths);
	vec_each(path, &paths)
		if (!add_path(env, root, *path, out, e))
			return 0;
	return no_file(e, word);
}

int user_files_find(struct probe_env *env, const char *word, struct user_files *out,
		    struct err *e)
{
	const char *root = root_of(env);

	if (!*word || !strcmp(word, "*")) {
		if (env->pid)
			return add_all_mapped(env, out, e);
		err_set(e, -EINVAL, "which program? The attach point names none");
		return err_hint(e, "name a file, or a process with -p");
	}
	if (wildcard_has(word))
		return add_matches(env, root, word, out, e);
	if (strchr(word, '/'))
		return add_path(env, *word == '/' ? root : "", word, out, e);
	if (!strncmp(word, "lib", 3) && !add_library(env, root, word, out, e))
		return 0;
	if (!add_in_path(env, root, word, out, e))
		return 0;
	return add_path(env, "", word, out, e) ? no_file(e, word) : 0;
}

const struct elf_funcs *user_file_funcs(struct probe_env *env, struct user_file *file)
{
	struct err e;

	if (file->has_funcs)
		return &file->funcs;
	file->has_funcs = true;
	elf_funcs_load(&file->funcs, &file->elf, env->debug_dirs);
	/* libelf keeps the symbol tables that it has read; a file opened anew has none. */
	struct elf again;
	if (!elf_open(&again, file->path, &e)) {
		elf_close(&file->elf);
		file->elf = again;
	}
	return &file->funcs;
}

const char *user_files_split(struct arena *a, const char *pattern, const char **rest)
{
	const char *colon = strchr(pattern, ':');

	*rest = colon ? colon + 1 : "*";
	return colon ? arena_strndup(a, pattern, (size_t)(colon - pattern)) : pattern;
}

bool user_files_report(struct probe_env *env, const struct attach_text *at, const struct err *e)
{
	const char *provider = provider_find(at->parts[0], NULL)->name;
	struct diag *d;

	if (e->code == -ENOENT && env->missing != MISSING_ERROR) {
		if (env->missing == MISSING_WARN) {
			d = diag(env->dx, W0201_NO_MATCH, at->span, provider,
				 attach_rest(env->arena, at));
			diag_hint(d, "%s", e->msg);
		}
		return true;
	}
	d = diag(env->dx, E0210_TARGET_FILE, at->span, provider, e->msg);
	if (*e->hint)
		diag_hint(d, "%s", e->hint);
	return false;
}

struct wanted_symbol {
	const char *name;
	uint64_t addr, size;
	bool found;
};

static bool consider_symbol(void *arg, const struct elf_symbol *s)
{
	struct wanted_symbol *w = arg;
	size_t len = strcspn(s->name, "@"); /* a version follows */

	if (strncmp(s->name, w->name, len) != 0 || w->name[len])
		return true;
	w->addr = s->addr;
	w->size = s->size;
	w->found = true;
	return false;
}

int probe_user_symbol(struct probe_env *env, const struct target *t, const char *name,
		      uint64_t *addr, uint64_t *size, struct err *e)
{
	struct wanted_symbol w = { .name = name };
	struct user_file *file = env->user_files;

	while (file && strcmp(file->path, t->file) != 0)
		file = file->next;
	if (file)
		elf_each_symbol(&file->elf, consider_symbol, &w);
	if (!w.found) {
		err_set(e, -ENOENT, "there is no symbol named %s in %s", name,
			file ? file->name : t->file);
		return file && !elf_has_symtab(&file->elf)
			       ? err_hint(e, "the file is stripped of its own symbols")
			       : e->code;
	}
	*addr = w.addr;
	*size = w.size;
	return 0;
}

void user_files_fini(struct probe_env *env)
{
	for (struct user_file *file = env->user_files; file; file = file->next) {
		user_debug_close(file);
		elf_close(&file->elf);
		elf_funcs_fini(&file->funcs);
	}
	env->user_files = NULL;
}
