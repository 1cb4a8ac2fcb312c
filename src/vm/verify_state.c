#include "vm/verify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static size_t packed_size(const struct vframe *f)
{
	return offsetof(struct vframe, slots) + f->nslots * sizeof(*f->slots);
}

struct vstate *vstate_copy(const struct vstate *s)
{
	struct vstate *copy = xcalloc(1, sizeof(*copy));

	*copy = *s;
	for (uint32_t f = 0; f < s->nframes; f++) {
		size_t size = packed_size(s->frames[f]);

		copy->frames[f] = xrealloc(NULL, size);
		memcpy(copy->frames[f], s->frames[f], size);
	}
	return copy;
}

void vstate_pack(struct vstate *s)
{
	for (uint32_t f = 0; f < s->nframes; f++)
		s->frames[f] = xrealloc(s->frames[f], packed_size(s->frames[f]));
}

void vstate_unpack(struct vstate *s)
{
	for (uint32_t f = 0; f < s->nframes; f++) {
		struct vframe *frame = xrealloc(s->frames[f], sizeof(*frame));

		memset(&frame->slots[frame->nslots], 0,
		       (V_SLOTS - frame->nslots) * sizeof(*frame->slots));
		s->frames[f] = frame;
	}
}

void vstate_free(struct vstate *s)
{
	if (!s)
		return;
	for (uint32_t f = 0; f < s->nframes; f++)
		free(s->frames[f]);
	free(s);
}

void vreg_none(struct vreg *r)
{
	*r = (struct vreg){ 0 };
}

void vreg_scalar(struct vreg *r, struct range range)
{
	*r = (struct vreg){ .type = V_SCALAR, .range = range };
}

struct vframe *vframe_new(uint32_t entry, uint32_t frame)
{
	struct vframe *f = xcalloc(1, sizeof(*f));

	f->entry = entry;
	f->regs[BPF_REG_10] =
		(struct vreg){ .type = V_STACK, .frame = frame, .range = range_const(0) };
	return f;
}

static bool is_spill(const struct vslot *s)
{
	return s->bytes[0] == BYTE_REG;
}

void vstate_each(struct verifier *v, void (*fn)(struct vreg *r, uint32_t arg), uint32_t arg)
{
	for (uint32_t k = 0; k < v->cur->nframes; k++) {
		struct vframe *f = v->cur->frames[k];

		for (unsigned r = 0; r < BPF_REG_10; r++)
			fn(&f->regs[r], arg);
		for (unsigned s = 0; s < f->nslots; s++) {
			if (is_spill(&f->slots[s]))
				fn(&f->slots[s].reg, arg);
		}
	}
}

/* --- comparing --- */

enum { MAX_IDS = 128 };

/* Numbers of one state and the other's that must stand for the same thing. */
struct id_map {
	uint32_t is[MAX_IDS], was[MAX_IDS];
	unsigned n;
};

static bool same_id(struct id_map *ids, uint32_t is, uint32_t was)
{
	if (!is || !was)
		return is == was;
	for (unsigned i = 0; i < ids->n; i++) {
		if (ids->is[i] == is || ids->was[i] == was)
			return ids->is[i] == is && ids->was[i] == was;
	}
	if (ids->n == MAX_IDS)
		return false;
	ids->is[ids->n] = is;
	ids->was[ids->n++] = was;
	return true;
}

static bool same_range(const struct range *a, const struct range *b)
{
	return range_within(a, b) && range_within(b, a);
}

/* A register that held nothing useful before cannot have been needed. */
static bool reg_within(struct id_map *ids, const struct vreg *is, const struct vreg *was,
		       bool same)
{
	if (was->type == V_NONE && !same)
		return true;
	if (is->type != was->type || is->off != was->off || is->frame != was->frame ||
	    is->map != was->map || is->size != was->size)
		return false;
	if (same ? is->reach != was->reach : is->reach < was->reach)
		return false;
	if (same ? !same_range(&is->range, &was->range)
		 : !range_within(&is->range, &was->range))
		return false;
	if (is->type == V_SCALAR && !same)
		return !was->id || same_id(ids, is->id, was->id);
	return same_id(ids, is->id, was->id) && same_id(ids, is->ref, was->ref);
}

static bool byte_within(uint8_t is, uint8_t was, bool same)
{
	if (same)
		return is == was;
	return was == BYTE_NONE || is == was || (was == BYTE_DATA && is == BYTE_ZERO);
}

static bool is_empty(const struct vslot *s)
{
	static const uint8_t NONE[8] = { BYTE_NONE };

	return !memcmp(s->bytes, NONE, sizeof(NONE));
}

/* A stored number where bytes were: they must have been taken for any number. */
static bool spill_within_bytes(const struct vslot *is, const struct vslot *was)
{
	if (is->reg.type != V_SCALAR)
		return false;
	for (unsigned i = 0; i < 8; i++) {
		if (was->bytes[i] != BYTE_NONE && was->bytes[i] != BYTE_DATA)
			return false;
	}
	return true;
}

/* Bytes where a number was stored. */
static bool bytes_within_spill(const struct vslot *is, const struct vslot *was)
{
	struct range number = range_const(0), any = range_unknown();

	if (was->reg.type != V_SCALAR)
		return was->reg.type == V_NONE;
	for (unsigned i = 0; i < 8; i++) {
		if (is->bytes[i] == BYTE_NONE)
			return false;
		if (is->bytes[i] != BYTE_ZERO)
			number = any;
	}
	return range_within(&number, &was->reg.range);
}

static bool slot_within(struct id_map *ids, const struct vslot *is, const struct vslot *was,
			bool same)
{
	if (!same && is_empty(was))
		return true;
	if (is_spill(was) && is_spill(is))
		return reg_within(ids, &is->reg, &was->reg, same);
	if (is_spill(was) || is_spill(is))
		return !same && (is_spill(is) ? spill_within_bytes(is, was)
					      : bytes_within_spill(is, was));
	for (unsigned i = 0; i < 8; i++) {
		if (!byte_within(is->bytes[i], was->bytes[i], same))
			return false;
	}
	return true;
}

static bool slots_within(struct id_map *ids, const struct vframe *is, const struct vframe *was,
			 bool same)
{
	static const struct vslot UNTOUCHED;
	uint32_t n = is->nslots > was->nslots ? is->nslots : was->nslots;

	for (uint32_t s = 0; s < n; s++) {
		if (!slot_within(ids, s < is->nslots ? &is->slots[s] : &UNTOUCHED,
				 s < was->nslots ? &was->slots[s] : &UNTOUCHED, same))
			return false;
	}
	return true;
}

/* Registers of a frame: those that are read later, and those whose number matters then. */
struct wanted {
	uint16_t live, needed;
};

static bool frame_within(struct id_map *ids, const struct vframe *is, const struct vframe *was,
			 struct wanted wanted, bool same)
{
	if (is->ret != was->ret || is->entry != was->entry ||
	    is->called_back != was->called_back || is->callers_refs != was->callers_refs)
		return false;
	for (unsigned r = 0; r < BPF_REG_10; r++) {
		const struct vreg *a = &is->regs[r], *b = &was->regs[r];
		bool any_number = !same && !(wanted.needed >> r & 1) && a->type == V_SCALAR &&
				  b->type == V_SCALAR;

		if (wanted.live >> r & 1 && !any_number && !reg_within(ids, a, b, same))
			return false;
	}
	return slots_within(ids, is, was, same);
}

bool vstate_within(const struct verifier *v, const struct vstate *is, const struct vstate *was,
		   bool same)
{
	struct id_map ids = { .n = 0 };

	if (is->nframes != was->nframes || is->nrefs != was->nrefs)
		return false;
	for (uint32_t i = 0; i < is->nrefs; i++) {
		if (!same_id(&ids, is->refs[i], was->refs[i]))
			return false;
	}
	for (uint32_t f = 0; f < is->nframes; f++) {
		/* Callers go on behind their call with r6 ... r9 only, or call back again. */
		bool is_top = f + 1 == is->nframes;
		uint32_t at = is_top ? is->insn : is->frames[f + 1]->ret;
		bool again = !is_top && is->frames[f + 1]->called_back;
		uint16_t mask = is_top || again ? UINT16_MAX : 0x3c0;
		struct wanted wanted = { v->live[at] & mask, v->needed[at] & mask };

		if (!frame_within(&ids, is->frames[f], was->frames[f], wanted, same))
			return false;
	}
	return true;
}

/* --- turns of callbacks --- */

static void widen_reg(struct vreg *is, const struct vreg *was)
{
	if (is->type == V_SCALAR && was->type == V_SCALAR &&
	    !same_range(&is->range, &was->range))
		vreg_scalar(is, range_unknown());
}

/* A byte of a slot, with numbers in registers taken apart. */
static uint8_t byte_of(const struct vslot *s, unsigned i)
{
	if (!is_spill(s))
		return s->bytes[i];
	return range_is_const(&s->reg.range) && !s->reg.range.umax ? BYTE_ZERO : BYTE_DATA;
}

static void widen_slot(struct vslot *is, const struct vslot *was)
{
	bool spills = is_spill(is) && is_spill(was);

	if (spills) {
		widen_reg(&is->reg, &was->reg);
		return;
	}
	if ((is_spill(is) && is->reg.type != V_SCALAR) ||
	    (is_spill(was) && was->reg.type != V_SCALAR))
		return;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t b = byte_of(is, i);

		is->bytes[i] = b == BYTE_ZERO && byte_of(was, i) != BYTE_ZERO ? BYTE_DATA : b;
	}
	vreg_none(&is->reg);
}

void vstate_widen(struct vstate *is, const struct vstate *was)
{
	for (uint32_t f = 0; f < is->nframes; f++) {
		struct vframe *a = is->frames[f];
		const struct vframe *b = was->frames[f];

		for (unsigned r = 0; r < BPF_REG_10; r++)
			widen_reg(&a->regs[r], &b->regs[r]);
		for (uint32_t s = 0; s < a->nslots && s < b->nslots; s++)
			widen_slot(&a->slots[s], &b->slots[s]);
	}
}
