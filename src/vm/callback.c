#include "vm/vm.h"

#include <errno.h>
#include <stdlib.h>

enum { LOOP_MAX = 1 << 23 }; /* turns of bpf_loop(), as in the kernel */

uint32_t vm_function_slots(const struct vm_prog *prog, uint32_t i)
{
	uint32_t end = i + 1;

	while (end < prog->n && !prog->is_entry[end])
		end++;
	return end - i;
}

bool vm_callback_find(struct scry_vm_run *run, uint64_t addr, struct vm_callback *cb)
{
	vec_each(p, &run->vm->progs) {
		const struct vm_prog *prog = *p;
		uint64_t off = addr - (uintptr_t)prog->ops;
		uint64_t i = off / sizeof(*prog->ops);

		if (i >= prog->n || off % sizeof(*prog->ops) || !prog->is_entry[i])
			continue;
		*cb = (struct vm_callback){ prog, &prog->ops[i],
					    vm_function_slots(prog, (uint32_t)i) };
		return true;
	}
	run->fault = -EFAULT;
	return false;
}

static uint64_t interpret(struct scry_vm_run *run, const struct vm_callback *cb,
			  const uint64_t args[4], uint64_t frame)
{
	run->depth++;
	uint64_t result = vm_interpret_function(run, cb->prog, cb->op, args, frame);
	run->depth--;
	return result;
}

uint64_t vm_call_back(struct scry_vm_run *run, const struct vm_callback *cb,
		      const uint64_t args[4])
{
	const struct vm_prog *prog = run->prog;
	uint64_t frame = run->frame, result;

	if (frame - 2 * BPF_STACK_SIZE < (uintptr_t)run->stack) {
		run->fault = -EOVERFLOW;
		return 0;
	}
	run->steps -= cb->price;
	if (run->steps < 0) {
		run->fault = -ELOOP;
		return 0;
	}
	result = (run->compiled ? vm_jit_call_back : interpret)(run, cb, args,
								frame - BPF_STACK_SIZE);
	run->frame = frame;
	run->prog = prog;
	return result;
}

/* --- helpers --- */

static uint64_t loop(uint64_t n, uint64_t fn, uint64_t ctx, uint64_t flags, uint64_t r5,
		     struct scry_vm_run *run)
{
	struct vm_callback cb;
	uint32_t i = 0;

	(void)r5;
	if (!vm_callback_find(run, fn, &cb))
		return 0;
	if (flags)
		return (uint64_t)-EINVAL;
	if ((uint32_t)n > LOOP_MAX)
		return (uint64_t)-E2BIG;
	while (i < (uint32_t)n && !run->fault) {
		uint64_t stop = vm_call_back(run, &cb, (uint64_t[4]){ i++, ctx });

		if (stop)
			break;
	}
	return i;
}

/* All keys, so that the callback may change the map; their number in *n. */
static uint8_t *list_keys(struct vm_map *m, size_t *n)
{
	VEC(uint8_t) keys = { 0 };
	size_t size = m->def.key_size;
	uint8_t *key = xcalloc(1, size);
	const void *from = NULL;

	for (*n = 0; !vm_map_next(m, from, key); ++*n) {
		for (size_t i = 0; i < size; i++)
			vec_push(NULL, &keys, key[i]);
		from = key;
	}
	free(key);
	return keys.data;
}

static uint64_t each_key(struct scry_vm_run *run, struct vm_map *m,
			 const struct vm_callback *cb, uint64_t ctx)
{
	size_t n, size = m->def.key_size;
	uint8_t *keys = list_keys(m, &n);
	struct vm_lent lent = { { (uintptr_t)keys, n * size, false }, run->lent };
	uint64_t called = 0, stop = 0;

	vm_charge(run, n); /* the keys were listed, even when the first turn is the last */
	run->lent = &lent;
	for (size_t i = 0; i < n && !run->fault && !stop; i++) {
		const uint8_t *key = keys + i * size;
		const void *value = vm_map_find(m, key, run->input->cpu);

		if (!value) /* deleted meanwhile */
			continue;
		called++;
		stop = vm_call_back(
			run, cb,
			(uint64_t[4]){ (uintptr_t)m, (uintptr_t)key, (uintptr_t)value, ctx });
	}
	run->lent = lent.next;
	free(keys);
	return called;
}

static uint64_t for_each_map_elem(uint64_t map, uint64_t fn, uint64_t ctx, uint64_t flags,
				  uint64_t r5, struct scry_vm_run *run)
{
	struct vm_map *m = vm_map_at(run->vm, map);
	struct vm_callback cb;

	(void)r5;
	if (!m) {
		run->fault = -EFAULT;
		return 0;
	}
	if (!vm_callback_find(run, fn, &cb))
		return 0;
	if (flags || !m->ops->next_key || m->ops->holds_ids || m->ops->only_helpers)
		return (uint64_t)-EINVAL;
	return each_key(run, m, &cb, ctx);
}

void vm_add_callback_helpers(struct scry_vm *vm)
{
	scry_vm_helper_add(vm, BPF_FUNC_loop, "loop", loop, VM_HELPER_CALLS_BACK);
	scry_vm_helper_add(vm, BPF_FUNC_for_each_map_elem, "for_each_map_elem",
			   for_each_map_elem, VM_HELPER_CALLS_BACK);
}
