#include "codegen/codegen.h"

#include "base/auto.h"
#include "codegen/emit.h"
#include "codegen/frame.h"
#include "codegen/isel.h"
#include "codegen/order.h"
#include "codegen/regalloc.h"

#include <errno.h>

enum { ON_STACK_DEFAULT = 32, SPILL_RESERVE = 128, SCRATCH_KEY_SIZE = 8 };

/* One function on its way through the phases. */
struct job {
	struct arena *scratch;
	const struct fn *fn;
	struct order order;
	struct codegen_target target;
	struct frame frame;
	struct mfn m;
	uint32_t spill_size;
};

static uint32_t stack_size(const struct job *j)
{
	return j->frame.stack_size + j->spill_size;
}

/* Compiles with at most slot_budget bytes of stack for slots. */
static int try_frame(struct job *j, uint32_t slot_budget, struct err *e)
{
	int r;

	frame_place(j->scratch, j->fn, &j->order, j->target.on_stack_limit, slot_budget,
		    &j->frame);
	if (j->frame.scratch_size && j->frame.stack_size < SCRATCH_KEY_SIZE)
		j->frame.stack_size = SCRATCH_KEY_SIZE;

	mir_init(&j->m, j->scratch);
	r = isel(&j->m, j->fn, &j->order, &j->frame, &j->target, e);
	if (!r)
		j->spill_size = regalloc(&j->m, j->frame.stack_size);
	return r;
}

static int stack_full(const struct job *j, struct err *e)
{
	return err_set(e, -E2BIG,
		       "%s: too many values at once: %u bytes of stack, the kernel allows %d",
		       j->fn->name, stack_size(j), STACK_MAX);
}

/* How much spills need is known only afterwards; slots make room for them. */
static int fit_stack(struct job *j, struct err *e)
{
	uint32_t budget = STACK_MAX - SPILL_RESERVE;

	for (;;) {
		int r = try_frame(j, budget, e);

		if (r || stack_size(j) <= STACK_MAX)
			return r;
		if (budget == 0 || j->spill_size > STACK_MAX)
			return stack_full(j, e);
		uint32_t left = STACK_MAX - j->spill_size;
		budget = left < budget ? left : 0;
	}
}

int codegen(struct arena *a, struct fn *fn, const struct codegen_target *target,
	    struct image *out, struct err *e)
{
	auto_arena struct arena scratch = { 0 };
	struct job j = { .scratch = &scratch, .fn = fn, .target = *target };
	int r;

	if (!j.target.on_stack_limit)
		j.target.on_stack_limit = ON_STACK_DEFAULT;
	order_split_edges(fn);
	order_blocks(&scratch, fn, &j.order);
	r = fit_stack(&j, e);
	if (r)
		return r;

	*out = (struct image){
		.name = arena_strdup(a, fn->name),
		.stack_size = stack_size(&j),
		.scratch_size = j.frame.scratch_size,
	};
	return emit(a, &j.m, j.target.isa, out, e);
}
