#include "codegen/codegen.h"

#include "base/auto.h"
#include "codegen/emit.h"
#include "codegen/frame.h"
#include "codegen/isel.h"
#include "codegen/order.h"
#include "codegen/regalloc.h"

#include <errno.h>

enum { ON_STACK_DEFAULT = 32, SCRATCH_KEY_SIZE = 8 };

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
		    j->target.scratch_copies > 1 ? SCRATCH_BUSY_SIZE : 0, &j->frame);
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
	return err_set(e, -E2BIG, "%s: too many values at once: %u bytes of stack, of %u",
		       j->fn->name, stack_size(j), j->target.stack_max);
}

/* How much spills need is known only afterwards; slots make room for them. */
static int fit_stack(struct job *j, struct err *e)
{
	uint32_t stack_max = j->target.stack_max;
	uint32_t budget = stack_max - stack_max / 4;

	for (;;) {
		int r = try_frame(j, budget, e);

		if (r || stack_size(j) <= stack_max)
			return r;
		if (budget == 0 || j->spill_size > stack_max)
			return stack_full(j, e);
		uint32_t left = stack_max - j->spill_size;
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
	if (!j.target.stack_max)
		j.target.stack_max = STACK_MAX;
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
