#include "probe/lists.h"

#include "base/auto.h"
#include "base/strmap.h"
#include "kernel/kfunc.h"
#include "kernel/progs.h"
#include "probe/user_file.h"
#include "types/kernel_types.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BTF_FOLDER "/sys/kernel/btf"

struct module {
	char *name;
	struct btf *btf; /* NULL: it has none */
	struct err err;
};

/* May programs of that kind call that function of the kernel? */
struct kernel_call {
	enum bpf_prog_type type;
	uint32_t attach, flags, id;
	int answer;
};

/* The texts of the lists are kept as read, with NULs put between their words. */
struct probe_cache {
	struct features features;
	char *function_text, *event_text;
	struct functions functions; /* on the heap */
	struct events events;
	VEC(struct module) modules; /* opened so far */
	struct bpf_function_list *bpf_functions;
	VEC(struct kernel_call) calls; /* on the heap */
};

static uint32_t find_btf_id(void *arg, bool is_func, const char *name)
{
	struct probe_env *env = arg;
	const struct btf *btf = kernel_btf(env->types, NULL);

	return btf ? btf_find(btf, is_func ? BTF_FUNCS : BTF_TYPEDEFS, name) : 0;
}

static struct probe_cache *cache_of(struct probe_env *env)
{
	if (!env->cache) {
		env->cache = xcalloc(1, sizeof(*env->cache));
		env->cache->features.btf_id = find_btf_id;
		env->cache->features.btf_arg = env;
	}
	return env->cache;
}

struct tracefs *lists_tracefs(struct probe_env *env, struct err *e)
{
	if (!env->tracefs)
		env->tracefs = tracefs_open(e);
	return env->tracefs;
}

bool lists_has_feature(struct probe_env *env, enum feature id)
{
	return feature_has(&cache_of(env)->features, id);
}

bool probe_has_feature(struct probe_env *env, const char *name)
{
	enum feature id = feature_find(name);

	if (id == FEATURES)
		BUG("no feature '%s' in feature.def", name);
	if (env->no_kernel)
		return true; /* what the machine lacks it says when it loads */
	return lists_has_feature(env, id);
}

static int ask_call(const struct group *g, const struct kernel_call *c)
{
	auto_close int types = !g		      ? -1
			       : g->attach_prog_id    ? kprog_open(g->attach_prog_id)
			       : g->attach_btf_module ? kbpf_btf_open(g->attach_btf_module)
						      : -1;
	const struct kbpf_prog like = {
		.type = c->type,
		.expected_attach = c->attach,
		.attach_btf_id = g ? g->attach_btf_id : 0,
		.attach_btf_fd = types < 0 ? 0 : types,
		.flags = c->flags,
	};

	return kfunc_allowed(&like, c->id);
}

int probe_kernel_call(struct probe_env *env, const struct group *g, uint32_t id)
{
	struct probe_cache *cache = cache_of(env);
	struct kernel_call c = {
		.type = g ? g->prog_type : BPF_PROG_TYPE_RAW_TRACEPOINT,
		.attach = g ? g->expected_attach : 0,
		.flags = g && g->sleepable ? BPF_F_SLEEPABLE : 0,
		.id = id,
	};

	if (env->no_kernel)
		return 0;
	vec_each(k, &cache->calls)
		if (k->type == c.type && k->attach == c.attach && k->flags == c.flags &&
		    k->id == id)
			return k->answer;
	c.answer = ask_call(g, &c);
	vec_push(NULL, &cache->calls, c);
	return c.answer;
}

/* The next line of *text, NUL-terminated in place; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = strchrnul(line, '\n');
	*text = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

/* "[ADDRESS ]name[ [module]]" */
static struct function parse_function(char *line, bool with_addr)
{
	struct function f = { .module = "" };
	char *p = line;

	if (with_addr) {
		f.addr = strtoull(p, &p, 16);
		p += *p == ' ';
	}
	f.name = p;
	p += strcspn(p, " \t");
	if (*p) {
		*p++ = '\0';
		p += strspn(p, " \t");
		if (*p == '[') {
			f.module = p + 1;
			p[strcspn(p, "]")] = '\0';
		}
	}
	return f;
}

static bool read_file(const char *path, struct sb *out, struct err *e)
{
	auto_fclose FILE *f = fopen(path, "re");
	char buf[16 << 10];
	size_t n;

	if (!f) {
		err_set(e, -errno, "read %s", path);
		return false;
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		sb_write(out, buf, n);
	return true;
}

/* Reads the list that says most; *with_addr tells whether it has addresses. */
static bool read_function_list(struct probe_env *env, struct sb *out, bool *with_addr,
			       struct err *e)
{
	static const char addrs[] = "available_filter_functions_addrs";
	struct tracefs *t;

	*with_addr = false;
	if (env->traceable_file)
		return read_file(env->traceable_file, out, e);
	t = lists_tracefs(env, e);
	if (!t)
		return false;
	*with_addr = tracefs_has(t, addrs);
	if (!tracefs_read(t, *with_addr ? addrs : "available_filter_functions", out, e))
		return true;
	if (e->code == -ENOENT || e->code == -EPERM)
		err_set(e, -EOPNOTSUPP,
			"this kernel does not list the functions that can be traced");
	return false;
}

static void fill_functions(struct functions *out, char *text, bool with_addr)
{
	auto_arena struct arena a = {};
	struct strmap seen;
	char *line;

	strmap_init(&seen, &a);
	while ((line = next_line(&text))) {
		struct function f = parse_function(line, with_addr);

		/* What the kernel freed after its start still has a place in the list. */
		if (!*f.name || strstr(f.name, ".part.") ||
		    !strncmp(f.name, "__ftrace_invalid_address__", 26))
			continue;
		if (!f.addr) {
			size_t before = seen.entries.len;

			strmap_sets(&seen, f.name, line);
			if (seen.entries.len == before)
				continue;
		}
		vec_push(NULL, out, f);
	}
}

const struct functions *lists_functions(struct probe_env *env, struct err *e)
{
	struct probe_cache *c = cache_of(env);
	struct sb text = {};
	bool with_addr;

	if (c->function_text)
		return &c->functions;
	if (!read_function_list(env, &text, &with_addr, e)) {
		sb_free(&text);
		return NULL;
	}
	c->function_text = sb_steal(&text);
	fill_functions(&c->functions, c->function_text, with_addr);
	return &c->functions;
}

const struct events *lists_events(struct probe_env *env, struct err *e)
{
	struct probe_cache *c = cache_of(env);
	struct tracefs *t;
	struct sb text = {};
	char *p, *line;

	if (c->event_text)
		return &c->events;
	t = lists_tracefs(env, e);
	if (!t || tracefs_read(t, "available_events", &text, e)) {
		sb_free(&text);
		return NULL;
	}
	p = c->event_text = sb_steal(&text);
	while ((line = next_line(&p))) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		vec_push(NULL, &c->events, (struct event){ line, colon + 1 });
	}
	return &c->events;
}

static void open_module(struct module *m, const char *name, const struct btf *base)
{
	auto_sb struct sb path = {};

	m->name = xstrdup(name);
	sb_printf(&path, BTF_FOLDER "/%s", name);
	if (strchr(name, '/'))
		err_set(&m->err, -ENOENT, "there is no module '%s'", name);
	else
		m->btf = btf_open(path.s, base, &m->err);
}

const struct btf *lists_btf(struct probe_env *env, const char *module, struct err *e)
{
	struct probe_cache *c = cache_of(env);
	const struct btf *base = kernel_btf(env->types, e);

	if (!base || !module || !strcmp(module, "vmlinux"))
		return base;
	vec_each(m, &c->modules) {
		if (strcmp(m->name, module) != 0)
			continue;
		if (!m->btf && e)
			*e = m->err;
		return m->btf;
	}

	struct module m = {};
	open_module(&m, module, base);
	vec_push(NULL, &c->modules, m);
	if (!m.btf && e)
		*e = m.err;
	return m.btf;
}

const struct bpf_functions *lists_bpf_functions(struct probe_env *env, struct err *e)
{
	return bpf_functions_get(&cache_of(env)->bpf_functions, e);
}

void lists_each_module(bool (*fn)(void *arg, const char *module), void *arg)
{
	struct dirent **names;
	int n = scandir(BTF_FOLDER, &names, NULL, alphasort);
	bool go_on = true;

	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (go_on && *name != '.' && strcmp(name, "vmlinux") != 0)
			go_on = fn(arg, name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

struct module_search {
	struct probe_env *env;
	uint32_t (*find)(const struct btf *b, const char *name);
	const char *name;
	const struct btf *btf;
	uint32_t id;
};

static bool try_module(void *arg, const char *module)
{
	struct module_search *s = arg;

	s->btf = lists_btf(s->env, module, NULL);
	s->id = s->btf ? s->find(s->btf, s->name) : 0;
	return !s->id;
}

const struct btf *probe_module_type(struct probe_env *env,
				    uint32_t (*find)(const struct btf *b, const char *name),
				    const char *name, uint32_t *id)
{
	struct module_search s = { .env = env, .find = find, .name = name };

	lists_each_module(try_module, &s);
	*id = s.id;
	return s.id ? s.btf : NULL;
}

void probe_env_fini(struct probe_env *env)
{
	struct probe_cache *c = env->cache;

	tracefs_close(env->tracefs);
	user_files_fini(env);
	env->tracefs = NULL;
	env->cache = NULL;
	if (!c)
		return;
	vec_each(m, &c->modules) {
		free(m->name);
		btf_free(m->btf);
	}
	vec_free(&c->modules);
	vec_free(&c->calls);
	bpf_functions_free(c->bpf_functions);
	vec_free(&c->functions);
	vec_free(&c->events);
	free(c->function_text);
	free(c->event_text);
	free(c);
}
