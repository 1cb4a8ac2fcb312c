#include "vm/vm.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scry_vm *scry_vm_new(void)
{
	struct scry_vm *vm = xcalloc(1, sizeof(*vm));

	vm->cpus = 1;
	vm_add_kernel_helpers(vm);
	vm_add_callback_helpers(vm);
	return vm;
}

void scry_vm_free(struct scry_vm *vm)
{
	if (!vm)
		return;
	vec_each(p, &vm->progs)
		vm_jit_free(&(*p)->jit);
	vec_each(m, &vm->maps)
		vm_map_free(*m);
	arena_free(&vm->arena);
	free(vm);
}

const char *scry_vm_error(const struct scry_vm *vm)
{
	return vm->err.code ? vm->err.msg : "";
}

/* --- programs --- */

struct vm_prog *vm_prog(const struct scry_vm *vm, uint64_t id)
{
	return id - 1 < vm->progs.len ? vm->progs.data[id - 1] : NULL;
}

static struct vm_prog *need_prog(struct scry_vm *vm, int id)
{
	struct vm_prog *prog = vm_prog(vm, (uint64_t)id);

	if (!prog)
		err_set(&vm->err, -ENOENT, "there is no program %d", id);
	return prog;
}

int scry_vm_load(struct scry_vm *vm, const struct bpf_insn *insns, uint32_t n,
		 const struct scry_vm_program *info)
{
	struct arena_mark mark = arena_mark(&vm->arena);
	struct vm_prog *prog = arena_new(&vm->arena, struct vm_prog);

	prog->vm = vm;
	prog->id = (int)vm->progs.len + 1;
	if (info)
		prog->info = *info;
	prog->name = info && info->name ? arena_strdup(&vm->arena, info->name)
					: arena_printf(&vm->arena, "program %d", prog->id);
	if (!n || n > VM_MAX_INSNS)
		return err_set(&vm->err, -E2BIG, "%s: %u instructions; 1 to %d are allowed",
			       prog->name, n, VM_MAX_INSNS);
	prog->n = n;
	prog->insns = arena_array(&vm->arena, struct bpf_insn, n);
	prog->ops = arena_array(&vm->arena, struct vm_op, n);
	prog->is_entry = arena_array(&vm->arena, bool, n);
	memcpy(prog->insns, insns, n * sizeof(*insns));

	int ret = vm_decode(prog, &vm->err);
	if (ret) {
		arena_reset(&vm->arena, mark);
		return ret;
	}
	vec_push(&vm->arena, &vm->progs, prog);
	return prog->id;
}

int scry_vm_jit(struct scry_vm *vm, int prog, unsigned flags)
{
	struct vm_prog *p = need_prog(vm, prog);

	return p ? vm_jit_compile(p, flags, &vm->err) : -ENOENT;
}

const void *scry_vm_jit_code(struct scry_vm *vm, int prog, size_t *bytes)
{
	struct vm_prog *p = need_prog(vm, prog);

	*bytes = p ? p->jit.size : 0;
	return p ? p->jit.code : NULL;
}

int scry_vm_jit_place(struct scry_vm *vm, int prog, uint32_t insn, size_t *start, size_t *end)
{
	struct vm_prog *p = need_prog(vm, prog);

	if (!p || !p->jit.code || insn >= p->n)
		return -ENOENT;
	*start = p->jit.starts[insn];
	*end = p->jit.starts[insn + 1];
	if (insn_is_wide(&p->insns[insn]))
		*end = p->jit.starts[insn + 2];
	return 0;
}

/* --- running --- */

static const char *fault_words(int fault)
{
	switch (fault) {
	case -EFAULT: return "touches memory it may not";
	case -ELOOP: return "the budget of steps is used up";
	case -EOVERFLOW: return "too many functions on the stack";
	case -ENOTSUP: return "needs what the kernel's types lack (CO-RE)";
	default: return "the helper is not there or not usable";
	}
}

static void describe(const struct scry_vm_run *run, struct scry_vm_result *out)
{
	out->prog = run->prog->id;
	out->insn = run->fault_insn;
	snprintf(out->words, sizeof(out->words), "%.100s: instruction %u: %s", run->prog->name,
		 run->fault_insn, fault_words(run->fault));
}

/* Code without checks runs only for who gives them up. */
static bool runs_compiled(const struct vm_prog *prog, const struct scry_vm_input *in)
{
	return prog->jit.code && !(in->flags & SCRY_VM_INTERPRET) && !in->trace &&
	       !(prog->jit.flags & ~in->flags & SCRY_VM_UNSAFE);
}

static void run_init(struct scry_vm_run *run, struct vm_prog *prog,
		     const struct scry_vm_input *in)
{
	bool unsafe = in->flags & SCRY_VM_UNSAFE;

	run->stack_start = unsafe ? 0 : (uintptr_t)run->stack;
	run->stack_size = unsafe ? UINTPTR_MAX : sizeof(run->stack);
	run->window_start = in->mem_read_only ? 0 : (uintptr_t)in->mem;
	run->window_size = in->mem_read_only || !in->mem ? 0 : in->mem_size;
	run->steps = unsafe	 ? INT64_MAX
		     : in->steps ? (int64_t)(in->steps < INT64_MAX ? in->steps : INT64_MAX)
				 : (int64_t)SCRY_VM_STEPS;
	run->packet = in->packet ? in->packet : in->mem;
	run->packet_size = in->packet ? in->packet_size : in->mem ? in->mem_size : 0;
	run->fault = 0;
	run->depth = 0;
	run->tail_calls = 0;
	run->compiled = runs_compiled(prog, in);
	run->lent = NULL;
	run->prog = prog;
	run->input = in;
	run->vm = prog->vm;
	run->result = 0;
}

static int run_once(struct scry_vm_run *run, struct vm_prog *prog,
		    const struct scry_vm_input *in, struct scry_vm_result *out)
{
	uint64_t r1 = in->mem ? (uintptr_t)in->mem : 0;

	run_init(run, prog, in);
	if (run->compiled)
		vm_jit_run(run, prog, r1, in->mem_size);
	else
		vm_interpret(run, prog, r1, in->mem_size);
	out->r0 = run->fault ? 0 : run->result; /* a register may hold the host's address */
	out->steps_left = run->steps > 0 ? (uint64_t)run->steps : 0;
	if (run->fault)
		describe(run, out);
	return run->fault;
}

static scry_vm_function leaf_function(const struct vm_prog *prog)
{
	return (scry_vm_function)(uintptr_t)prog->jit.code;
}

scry_vm_function scry_vm_jit_function(struct scry_vm *vm, int prog)
{
	struct vm_prog *p = need_prog(vm, prog);

	return p && p->jit.is_leaf ? leaf_function(p) : NULL;
}

/* Compiled code that cannot fault needs no run: n calls, and it is done. */
static int run_leaf(const struct vm_prog *prog, const struct scry_vm_input *in, uint64_t n,
		    struct scry_vm_result *out)
{
	scry_vm_function fn = leaf_function(prog);
	const void *packet = in->packet ? in->packet : in->mem;
	size_t size = in->packet ? in->packet_size : in->mem ? in->mem_size : 0;

	while (n--)
		out->r0 = fn(in->mem, in->mem_size, packet, size);
	out->steps_left = INT64_MAX;
	return 0;
}

int scry_vm_run_many(struct scry_vm *vm, int prog, const struct scry_vm_input *in, uint64_t n,
		     struct scry_vm_result *out)
{
	struct vm_prog *p = need_prog(vm, prog);
	struct scry_vm_run run;
	int ret = 0;

	out->r0 = 0;
	out->prog = prog;
	out->insn = 0;
	out->steps_left = 0;
	out->words[0] = '\0';
	if (!p) {
		snprintf(out->words, sizeof(out->words), "there is no program %d", prog);
		return -ENOENT;
	}
	if (p->jit.is_leaf && runs_compiled(p, in))
		return run_leaf(p, in, n, out);
	/* What a program reads without having written it must not be the host's. */
	if (p->uses_stack)
		memset(run.stack, 0, sizeof(run.stack));
	for (uint64_t i = 0; i < n && !ret; i++)
		ret = run_once(&run, p, in, out);
	return ret;
}

int scry_vm_run(struct scry_vm *vm, int prog, const struct scry_vm_input *in,
		struct scry_vm_result *out)
{
	return scry_vm_run_many(vm, prog, in, 1, out);
}

/* Another packet for a run that was set up for one like it. */
static void next_packet(struct scry_vm_run *run, struct scry_vm_input *in,
			const struct scry_vm_packet *packet, int64_t steps)
{
	in->mem = packet->mem;
	in->mem_size = packet->mem_size;
	in->packet = run->packet = packet->data;
	in->packet_size = run->packet_size = packet->size;
	run->window_start = (uintptr_t)(in->mem_read_only ? NULL : packet->mem);
	run->window_size = in->mem_read_only ? 0 : packet->mem_size;
	run->steps = steps;
	run->tail_calls = 0;
}

int scry_vm_run_packets(struct scry_vm *vm, int prog, const struct scry_vm_input *in,
			struct scry_vm_packet *packets, size_t n, struct scry_vm_result *out)
{
	struct vm_prog *p = need_prog(vm, prog);
	struct scry_vm_input one = *in;
	struct scry_vm_run run;

	*out = (struct scry_vm_result){ .prog = prog };
	if (!p) {
		snprintf(out->words, sizeof(out->words), "there is no program %d", prog);
		return -ENOENT;
	}
	bool compiled = runs_compiled(p, in);
	if (compiled && p->jit.is_leaf) {
		scry_vm_function fn = leaf_function(p);

		for (size_t i = 0; i < n; i++)
			packets[i].r0 = fn(packets[i].mem, packets[i].mem_size, packets[i].data,
					   packets[i].size);
		return 0;
	}
	run_init(&run, p, &one);
	if (p->uses_stack)
		memset(run.stack, 0, sizeof(run.stack));

	int64_t steps = run.steps;
	for (size_t i = 0; i < n; i++) {
		next_packet(&run, &one, &packets[i], steps);
		(compiled ? vm_jit_run : vm_interpret)(&run, p, (uintptr_t)one.mem,
						       one.mem_size);
		packets[i].r0 = run.result;
		if (__builtin_expect(run.fault, 0)) {
			describe(&run, out);
			return run.fault;
		}
	}
	return 0;
}

const struct vm_prog *vm_tail_target(struct scry_vm_run *run, uint64_t map, uint64_t index)
{
	struct vm_map *m = vm_map_at(run->vm, map);
	uint32_t key = (uint32_t)index;

	if (!m || m->def.type != BPF_MAP_TYPE_PROG_ARRAY || run->tail_calls >= VM_TAIL_CALLS)
		return NULL;
	const struct vm_prog *target = vm_prog(run->vm, vm_map_find_id(m, &key));
	if (!target)
		return NULL;
	run->tail_calls++;
	run->steps -= target->n;
	if (run->steps < 0)
		run->fault = -ELOOP;
	return target;
}

/* --- memory --- */

int scry_vm_memory_add(struct scry_vm *vm, void *mem, size_t size, bool writable)
{
	vec_push(&vm->arena, &vm->regions,
		 (struct vm_region){ (uintptr_t)mem, size, writable });
	return 0;
}

/* Allows the access when it is in one region, and remembers a writable one. */
static bool in_region(struct scry_vm_run *run, uint64_t addr, size_t size, bool write,
		      struct vm_region r)
{
	if ((write && !r.writable) || !vm_in(addr, size, r.start, r.size))
		return false;
	if (r.writable) {
		run->window_start = r.start;
		run->window_size = r.size;
	}
	return true;
}

bool vm_may_touch(struct scry_vm_run *run, uint64_t addr, size_t size, bool write)
{
	const struct scry_vm_input *in = run->input;
	struct vm_region mem = { (uintptr_t)in->mem, in->mem_size, !in->mem_read_only };
	struct vm_region packet = { (uintptr_t)in->packet, in->packet_size, false };

	if (in_region(run, addr, size, write, mem) || in_region(run, addr, size, write, packet))
		return true;
	for (const struct vm_lent *l = run->lent; l; l = l->next) {
		if (in_region(run, addr, size, write, l->region))
			return true;
	}
	vec_each(r, &run->vm->regions) {
		if (in_region(run, addr, size, write, *r))
			return true;
	}
	vec_each(m, &run->vm->maps) {
		struct vm_region r = { (uintptr_t)(*m)->mem, (*m)->mem_size, true };

		if (!(*m)->ops->holds_ids && in_region(run, addr, size, write, r))
			return true;
	}
	return false;
}

enum { BYTES_PER_STEP = 64 }; /* of what helpers copy and search */

void *scry_vm_helper_memory(struct scry_vm_run *run, uint64_t addr, size_t size, bool write)
{
	if (vm_check(run, addr, size, write)) {
		vm_charge(run, size / BYTES_PER_STEP);
		return (void *)(uintptr_t)addr;
	}
	run->fault = -EFAULT;
	return NULL;
}

void *scry_vm_helper_user(const struct scry_vm_run *run)
{
	return run->input->user;
}

/* --- helpers --- */

const struct vm_helper *vm_helper(const struct scry_vm *vm, uint64_t id)
{
	vec_each(h, &vm->helpers) {
		if (h->id == id)
			return h;
	}
	return NULL;
}

int scry_vm_helper_add(struct scry_vm *vm, uint32_t id, const char *name, scry_vm_helper_fn fn,
		       unsigned flags)
{
	struct vm_helper *h = (struct vm_helper *)vm_helper(vm, id);

	if (!fn && id != BPF_FUNC_tail_call)
		return err_set(&vm->err, -EINVAL, "helper %u: there is no function", id);
	if (!h)
		h = vec_add(&vm->arena, &vm->helpers);
	*h = (struct vm_helper){ fn, name ? arena_strdup(&vm->arena, name) : "", flags, id };
	return 0;
}

void scry_vm_helpers_clear(struct scry_vm *vm)
{
	vm->helpers.len = 0;
}

/* --- maps --- */

struct vm_map *vm_map(const struct scry_vm *vm, uint64_t id)
{
	return id - 1 < vm->maps.len ? vm->maps.data[id - 1] : NULL;
}

struct vm_map *vm_map_at(const struct scry_vm *vm, uint64_t addr)
{
	vec_each(m, &vm->maps) {
		if ((uintptr_t)*m == addr)
			return *m;
	}
	return NULL;
}

static struct vm_map *need_map(struct scry_vm *vm, int id)
{
	struct vm_map *m = vm_map(vm, (uint64_t)id);

	if (!m)
		err_set(&vm->err, -ENOENT, "there is no map %d", id);
	return m;
}

int scry_vm_cpus(struct scry_vm *vm, uint32_t cpus)
{
	if (!cpus || cpus > 4096)
		return err_set(&vm->err, -EINVAL, "%u is no number of CPUs", cpus);
	if (vm->maps.len)
		return err_set(&vm->err, -EBUSY, "there are maps already");
	vm->cpus = cpus;
	return 0;
}

int scry_vm_map_add(struct scry_vm *vm, const struct scry_vm_map *def)
{
	bool nests = def->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
		     def->type == BPF_MAP_TYPE_HASH_OF_MAPS;

	if (nests && !need_map(vm, def->inner))
		return -ENOENT;
	struct vm_map *m = vm_map_new(def, vm->cpus, &vm->err);
	if (!m)
		return vm->err.code;
	vec_push(&vm->arena, &vm->maps, m);
	m->id = (int)vm->maps.len;
	return m->id;
}

const struct scry_vm_map *scry_vm_map_info(const struct scry_vm *vm, int map)
{
	struct vm_map *m = vm_map(vm, (uint64_t)map);

	return m ? &m->def : NULL;
}

int scry_vm_map_lookup(struct scry_vm *vm, int map, const void *key, void *value)
{
	struct vm_map *m = need_map(vm, map);

	return m ? vm_map_get_all(m, key, value) : -ENOENT;
}

/* Maps in maps take only maps like their pattern; prog arrays only programs that exist. */
static int check_id(struct scry_vm *vm, const struct vm_map *m, uint32_t id)
{
	if (m->def.type == BPF_MAP_TYPE_PROG_ARRAY)
		return vm_prog(vm, id) ? 0 : -EBADF;

	const struct vm_map *is = vm_map(vm, id), *like = vm_map(vm, (uint64_t)m->def.inner);
	if (!is)
		return -EBADF;
	return is->def.type == like->def.type && is->def.key_size == like->def.key_size &&
			       is->def.value_size == like->def.value_size
		       ? 0
		       : -EINVAL;
}

int scry_vm_map_update(struct scry_vm *vm, int map, const void *key, const void *value,
		       uint64_t flags)
{
	struct vm_map *m = need_map(vm, map);

	if (!m)
		return -ENOENT;
	if (m->ops->holds_ids) {
		uint32_t id;
		memcpy(&id, value, sizeof(id));
		int ret = check_id(vm, m, id);
		if (ret)
			return err_set(&vm->err, ret, "map %s: %u is no value for it",
				       m->def.name, id);
	}
	return vm_map_set_all(m, key, value, flags);
}

int scry_vm_map_delete(struct scry_vm *vm, int map, const void *key)
{
	struct vm_map *m = need_map(vm, map);

	return m ? vm_map_remove(m, key) : -ENOENT;
}

int scry_vm_map_next_key(struct scry_vm *vm, int map, const void *key, void *next)
{
	struct vm_map *m = need_map(vm, map);

	return m ? vm_map_next(m, key, next) : -ENOENT;
}

int scry_vm_map_pop(struct scry_vm *vm, int map, void *value)
{
	struct vm_map *m = need_map(vm, map);

	return m ? vm_map_pop(m, value, true) : -ENOENT;
}

size_t scry_vm_map_value_bytes(const struct scry_vm *vm, int map)
{
	const struct vm_map *m = vm_map(vm, (uint64_t)map);

	if (!m)
		return 0;
	return m->ops->per_cpu ? (size_t)m->cpus * m->value_stride : m->def.value_size;
}

void *scry_vm_map_memory(struct scry_vm *vm, int map)
{
	const struct vm_map *m = vm_map(vm, (uint64_t)map);
	bool is_array = m && (m->def.type == BPF_MAP_TYPE_ARRAY ||
			      m->def.type == BPF_MAP_TYPE_PERCPU_ARRAY);

	return is_array ? m->mem : NULL;
}

const void *scry_vm_ring_peek(struct scry_vm *vm, int map, size_t *size)
{
	struct vm_map *m = vm_map(vm, (uint64_t)map);

	return m && m->ops == &VM_MAP_RING ? vm_ring_peek(m, size) : NULL;
}

void scry_vm_ring_consume(struct scry_vm *vm, int map)
{
	struct vm_map *m = vm_map(vm, (uint64_t)map);

	if (m && m->ops == &VM_MAP_RING)
		vm_ring_consume(m);
}

int scry_vm_perf_read(struct scry_vm *vm, int map, uint32_t index,
		      void (*fn)(void *user, const void *data, size_t size), void *user,
		      uint64_t *lost)
{
	struct vm_map *m = need_map(vm, map);

	if (!m)
		return -ENOENT;
	if (m->ops != &VM_MAP_PERF)
		return err_set(&vm->err, -EINVAL, "map %s is no perf event array", m->def.name);
	return vm_perf_read(m, index, fn, user, lost);
}

int scry_vm_ring_read(struct scry_vm *vm, int map,
		      void (*fn)(void *user, const void *data, size_t size), void *user)
{
	struct vm_map *m = need_map(vm, map);

	if (!m)
		return -ENOENT;
	if (m->ops != &VM_MAP_RING)
		return err_set(&vm->err, -EINVAL, "map %s is no ring buffer", m->def.name);
	return vm_ring_read(m, fn, user);
}
