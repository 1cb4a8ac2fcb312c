#include "cfront/layout.h"

/* Offsets in bits must fit 32 bits. */
enum { SIZE_MAX_BYTES = 1 << 28 };

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static void place(struct layout *l, struct field *f, uint64_t bit_off, uint64_t width)
{
	f->bit_off = (uint32_t)bit_off;
	if (bit_off + width > l->size)
		l->size = bit_off + width;
	l->bits = l->is_union ? 0 : bit_off + width;
	/* Far too large already: stay there rather than wrap around. */
	if (l->bits / 8 > SIZE_MAX_BYTES)
		l->bits = 8ull * SIZE_MAX_BYTES + 8;
}

static void raise_align(struct layout *l, uint32_t align)
{
	if (align > l->align)
		l->align = align;
}

void layout_member(struct layout *l, struct field *f, const struct attributes *at)
{
	uint32_t align = l->packed || at->packed ? 1 : f->type->align;

	if (at->align > align)
		align = at->align;
	if (l->pack && align > l->pack)
		align = l->pack;
	raise_align(l, align);
	place(l, f, round_up(l->bits, 8ull * align), 8ull * f->type->size);
}

void layout_bits(struct layout *l, struct field *f, uint32_t width, const struct attributes *at)
{
	uint64_t unit = 8ull * f->type->size;
	bool packed = l->packed || at->packed;
	uint64_t off = l->bits;

	if (at->align)
		off = round_up(off, 8ull * at->align);
	if (!width)
		off = round_up(off, unit);
	else if (!packed && off / unit != (off + width - 1) / unit)
		off = round_up(off, unit);
	if (f->name[0])
		raise_align(l, packed ? (at->align ? at->align : 1) : f->type->align);
	f->bit_size = (uint8_t)width;
	place(l, f, off, width);
}

uint32_t layout_end(struct layout *l, const struct attributes *at)
{
	raise_align(l, at->align ? at->align : 1);

	uint64_t bytes = round_up(round_up(l->size, 8) / 8, l->align);
	return bytes <= SIZE_MAX_BYTES ? (uint32_t)bytes : 0;
}
