#include "types/type.h"

static struct type_slot *find_slot(const struct typetab *tt, const void *source, uint64_t id)
{
	uint32_t mask = tt->nslots - 1;
	uint64_t h = ((uintptr_t)source >> 4 ^ id) * 0x9e3779b97f4a7c15u;

	for (uint32_t i = h >> 32 & mask;; i = (i + 1) & mask) {
		struct type_slot *slot = &tt->slots[i];

		if (!slot->type || (slot->source == source && slot->id == id))
			return slot;
	}
}

static void grow_slots(struct typetab *tt)
{
	struct type_slot *old = tt->slots;
	uint32_t nold = tt->nslots;

	tt->nslots = nold ? nold * 2 : 64;
	tt->slots = arena_array(tt->arena, struct type_slot, tt->nslots);
	for (uint32_t i = 0; i < nold; i++) {
		if (old[i].type)
			*find_slot(tt, old[i].source, old[i].id) = old[i];
	}
}

const struct type *typetab_known(const struct typetab *tt, const void *source, uint64_t id)
{
	return tt->nslots ? find_slot(tt, source, id)->type : NULL;
}

void typetab_remember(struct typetab *tt, const void *source, uint64_t id, const struct type *t)
{
	if ((tt->nused + 1) * 2 > tt->nslots)
		grow_slots(tt);
	*find_slot(tt, source, id) = (struct type_slot){ source, id, t };
	tt->nused++;
}
