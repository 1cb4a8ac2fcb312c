/*
 * iter: a walk over the kernel's objects of one kind, once, when everything is attached.
 *
 * A kind NAME is a function bpf_iter_NAME in BTF, and what its program sees a struct
 * bpf_iter__NAME: the walk's own data, then the object (include/linux/bpf.h).  The kernel calls
 * the program once more at the end of the walk, without an object; nobody's script asks for
 * that, so the program leaves.
 */
#include "kernel/bpf.h"
#include "probe/links.h"
#include "probe/lists.h"
#include "probe/match.h"
#include "probe/providers.h"
#include "types/kernel_types.h"

#include <errno.h>
#include <string.h>

#define FUNC_PREFIX   "bpf_iter_"
#define STRUCT_PREFIX "bpf_iter__"
#define PIN_DIR	      "/sys/fs/bpf/"

enum { OBJECT_OFF = 8 }; /* behind the pointer to struct bpf_iter_meta */

static uint32_t struct_id(const struct btf *btf, const char *kind)
{
	char name[128];

	snprintf(name, sizeof(name), STRUCT_PREFIX "%s", kind);
	return btf_find(btf, BTF_STRUCTS, name);
}

static uint32_t func_id(const struct btf *btf, const char *kind)
{
	char name[128];

	snprintf(name, sizeof(name), FUNC_PREFIX "%s", kind);
	return btf_find(btf, BTF_FUNCS, name);
}

struct each_kind {
	void (*fn)(void *arg, const char *kind);
	void *arg;
};

static bool each_struct(void *arg, const struct btf *b, uint32_t id, const char *name)
{
	const struct each_kind *each = arg;

	(void)id;
	if (!strncmp(name, STRUCT_PREFIX, strlen(STRUCT_PREFIX)) &&
	    func_id(b, name + strlen(STRUCT_PREFIX)))
		each->fn(each->arg, name + strlen(STRUCT_PREFIX));
	return true;
}

struct nearest {
	const char *wanted, *best;
	unsigned dist;
};

static void note_near(void *arg, const char *kind)
{
	struct nearest *n = arg;

	diag_nearer(n->wanted, kind, &n->best, &n->dist);
}

/* Names without a folder are of the place where bpf file systems are mounted. */
static const char *pin_path(struct probe_env *env, const char *name)
{
	return name[0] == '/' ? name : arena_printf(env->arena, PIN_DIR "%s", name);
}

static bool expand_iter(struct probe_env *env, const struct attach_text *at,
			struct targets *out)
{
	struct nearest near = {};
	struct each_kind each = { note_near, &near };
	const struct btf *btf;
	struct target *t;
	struct err e = {};

	if (!expand_arity(env, at, 1, 2))
		return false;
	near.wanted = at->parts[1];
	if (wildcard_has(near.wanted)) {
		diag(env->dx, E0208_ATTACH_POINT, at->span, "iter probes have no wildcards");
		return false;
	}
	btf = kernel_btf(env->types, &e);
	if (!btf) {
		diag(env->dx, E0132_NO_BTF, at->span, "iter", e.msg);
		return false;
	}
	if (!struct_id(btf, near.wanted) || !func_id(btf, near.wanted)) {
		btf_each(btf, BTF_STRUCTS, each_struct, &each);
		return expand_no_match(env, at, near.best);
	}
	t = expand_add(env, &provider_iter, at, out);
	t->event = near.wanted;
	if (at->nparts > 2)
		t->pin = pin_path(env, at->parts[2]);
	return true;
}

static int shape_iter(struct probe_env *env, const struct target *t, const struct group *g,
		      struct shape *out, struct err *e)
{
	const struct btf *btf = kernel_btf(env->types, e);

	(void)g;
	if (!btf)
		return e->code;
	*out = (struct shape){
		.has_ctx = true,
		.ctx_type = btf_type(env->types, btf, struct_id(btf, t->event)),
		.arg_space = AS_KERNEL,
	};
	return 0;
}

static int group_iter(struct probe_env *env, const struct targets *targets,
		      const struct group_wants *wants, struct groups *out, struct err *e)
{
	const struct btf *btf = kernel_btf(env->types, e);
	size_t first = out->len;

	(void)wants;
	if (!btf)
		return e->code;
	group_split(env, targets, true, out);
	for (size_t i = first; i < out->len; i++) {
		struct group *g = out->data[i];
		const char *kind = g->targets.data[0]->event;

		g->way = ATTACH_ITER;
		g->why = "an iterator, read to its end";
		g->prog_type = BPF_PROG_TYPE_TRACING;
		g->expected_attach = BPF_TRACE_ITER;
		g->attach_btf_id = func_id(btf, kind);
		g->preemptible = true;
		if (btf_type(env->types, btf, struct_id(btf, kind))->size <= OBJECT_OFF)
			continue;
		g->only_if = (struct argloc){ .kind = LOC_CTX, .off = OBJECT_OFF, .size = 8 };
		g->only_if_not = true;
	}
	return 0;
}

static bool is_about_file(int err)
{
	return err == -EEXIST || err == -ENOENT || err == -ENOTDIR || err == -EPERM ||
	       err == -EACCES;
}

static int fail_pin(const struct target *t, int err, struct err *e)
{
	err_set(e, err, "pin %s to %s", t->name, t->pin);
	switch (err) {
	case -EEXIST: return err_hint(e, "rm %s ends the one that is there", t->pin);
	case -EPERM:
		return err_hint(e, "files of programs are made in a bpf file system: "
				   "mount -t bpf bpf " PIN_DIR);
	default: return err;
	}
}

static int attach_iter(struct probe_env *env, const struct group *g, int prog_fd,
		       struct links *out, struct err *e)
{
	const struct target *t = g->targets.data[0];
	bool of_tasks = !strncmp(t->event, "task", strlen("task"));
	struct kbpf_iter of = { .pid = of_tasks ? env->pid : 0,
				.cgroups = !strcmp(t->event, "cgroup") };
	int iter = t->pin ? kbpf_iter_pin(prog_fd, &of, t->pin) : kbpf_iter_open(prog_fd, &of);

	if (iter >= 0) {
		if (t->pin)
			links_add_pin(out, t);
		else
			links_add_walk(out, iter);
		return 0;
	}
	if (t->pin && is_about_file(iter))
		return fail_pin(t, iter, e);
	err_set(e, iter, "attach %s", t->name);
	if (of_tasks && env->pid)
		return err_hint(e, "this kernel walks the tasks of all processes only");
	if (iter == -EBADF || iter == -EINVAL)
		return err_hint(e, "a walk of this kind needs to be told a map or the like");
	return iter;
}

struct listing {
	const char *pattern;
	void (*fn)(void *arg, const struct target *t);
	void *arg;
};

static void list_one(void *arg, const char *kind)
{
	const struct listing *l = arg;
	char name[128];
	struct target t = { .provider = &provider_iter, .name = name, .event = kind };

	snprintf(name, sizeof(name), "iter:%s", kind);
	if (wildcard_match(l->pattern, kind))
		l->fn(l->arg, &t);
}

static int list_iter(struct probe_env *env, const char *pattern,
		     void (*fn)(void *arg, const struct target *t), void *arg, struct err *e)
{
	struct listing l = { pattern, fn, arg };
	struct each_kind each = { list_one, &l };
	const struct btf *btf = kernel_btf(env->types, e);

	if (!btf)
		return e->code;
	btf_each(btf, BTF_STRUCTS, each_struct, &each);
	return 0;
}

const struct provider provider_iter = {
	.name = "iter",
	.aliases = (const char *const[]){ "it", NULL },
	.flags = PV_NO_TASK,
	.doc = "A walk over the kernel's objects of one kind.",
	.usage = "iter:NAME[:FILE]",
	.expand = expand_iter,
	.shape = shape_iter,
	.group = group_iter,
	.attach = attach_iter,
	.list = list_iter,
};
