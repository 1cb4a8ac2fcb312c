#include "session/engine.h"

#include "kernel/proc.h"
#include "scry_vm.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

void engine_start(struct loaded *l)
{
	l->vm = scry_vm_new();
	scry_vm_cpus(l->vm, cpus_possible());
}

void engine_stop(struct loaded *l)
{
	scry_vm_free(l->vm);
	l->vm = NULL;
}

int engine_map_create(const struct loaded *l, const struct kbpf_map *m, struct err *e)
{
	struct scry_vm_map def = {
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
		.name = m->name,
	};

	if (!l->vm)
		return kbpf_map_create(m);
	int map = scry_vm_map_add(l->vm, &def);
	return map < 0 ? err_set(e, map, "%s", scry_vm_error(l->vm)) : map;
}

int engine_map_lookup(const struct loaded *l, int map, const void *key, void *value)
{
	return l->vm ? scry_vm_map_lookup(l->vm, map, key, value)
		     : kbpf_map_lookup(map, key, value);
}

int engine_map_update(const struct loaded *l, int map, const void *key, const void *value,
		      uint64_t flags)
{
	return l->vm ? scry_vm_map_update(l->vm, map, key, value, flags)
		     : kbpf_map_update(map, key, value, flags);
}

int engine_map_delete(const struct loaded *l, int map, const void *key)
{
	return l->vm ? scry_vm_map_delete(l->vm, map, key) : kbpf_map_delete(map, key);
}

int engine_map_next_key(const struct loaded *l, int map, const void *key, void *next)
{
	return l->vm ? scry_vm_map_next_key(l->vm, map, key, next)
		     : kbpf_map_next_key(map, key, next);
}

int engine_map_lookup_batch(const struct loaded *l, int map, const void *in, void *out,
			    void *keys, void *values, uint32_t *count)
{
	return l->vm ? -EOPNOTSUPP : kbpf_map_lookup_batch(map, in, out, keys, values, count);
}

int engine_prog_load(const struct loaded *l, const struct kbpf_prog *p, int *prog,
		     struct err *e)
{
	struct scry_vm_program info = { .name = p->name };

	*prog = scry_vm_load(l->vm, p->insns, p->ninsns, &info);
	if (*prog < 0) {
		err_set(e, *prog, "load the program of %s", scry_vm_error(l->vm));
		return err_hint(e, "what asks the kernel is not to be had with --engine=vm");
	}
	/* Where there is no JIT the interpreter runs it. */
	int err = scry_vm_jit(l->vm, *prog, 0);
	return err && err != -ENOTSUP ? err_set(e, err, "%s", scry_vm_error(l->vm)) : 0;
}

static void print_trace(void *user, const char *text, size_t len)
{
	fwrite(text, 1, len, user);
}

static int run_on_vm(const struct loaded *l, int prog, uint32_t n, uint32_t *ret, struct err *e)
{
	int cpu = sched_getcpu();
	struct scry_vm_result result = {};
	struct scry_vm_input in = { .cpu = cpu < 0 ? 0 : (uint32_t)cpu,
				    .print = print_trace,
				    .user = stderr };
	int err = n == 1 ? scry_vm_run(l->vm, prog, &in, &result)
			 : scry_vm_run_many(l->vm, prog, &in, n, &result);

	*ret = (uint32_t)result.r0;
	return err ? err_set(e, err, "run %s", result.words) : 0;
}

int engine_prog_test(const struct loaded *l, int prog, const char *name, uint32_t *ret,
		     struct err *e)
{
	if (l->vm)
		return run_on_vm(l, prog, 1, ret, e);
	int err = kbpf_prog_run(prog, ret);
	return err ? err_set(e, err, "run %s", name) : 0;
}

int engine_prog_run(const struct loaded *l, int prog, const char *name, struct err *e)
{
	uint32_t ret;

	return engine_prog_test(l, prog, name, &ret, e);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int engine_prog_bench(const struct loaded *l, int prog, const char *name, uint32_t n,
		      uint32_t *ret, uint64_t *ns, struct err *e)
{
	uint64_t start = clock_ns();
	int err = l->vm ? run_on_vm(l, prog, n, ret, e) : kbpf_prog_bench(prog, n, ret, ns);

	if (l->vm)
		*ns = (clock_ns() - start) / n;
	return err && !e->code ? err_set(e, err, "run %s", name) : err;
}

void *engine_map_memory(const struct loaded *l, int map)
{
	return scry_vm_map_memory(l->vm, map);
}

size_t engine_ring_read(const struct loaded *l, int map,
			bool (*fn)(void *arg, const void *data, uint32_t len), void *arg)
{
	const void *data;
	bool more = true;
	size_t size, n = 0;

	while (more && (data = scry_vm_ring_peek(l->vm, map, &size))) {
		more = fn(arg, data, (uint32_t)size);
		scry_vm_ring_consume(l->vm, map);
		n++;
	}
	return n;
}

bool engine_ring_pending(const struct loaded *l, int map)
{
	size_t size;

	return scry_vm_ring_peek(l->vm, map, &size);
}
