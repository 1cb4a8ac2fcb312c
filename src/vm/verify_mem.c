#include "vm/verify.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

/* --- contexts --- */

enum field_use { FIELD_READ = 1, FIELD_WRITE = 2, FIELD_PACKET = 4, FIELD_PACKET_END = 8 };

struct field {
	uint16_t off, end;
	uint8_t use;
};

/* Fields of 4 bytes that programs may use, as the kernel lets them. */
static const struct field SOCKET_FIELDS[] = {
	{ offsetof(struct __sk_buff, len), offsetof(struct __sk_buff, tc_index), FIELD_READ },
	{ offsetof(struct __sk_buff, cb), offsetof(struct __sk_buff, hash),
	  FIELD_READ | FIELD_WRITE },
	{ offsetof(struct __sk_buff, hash), offsetof(struct __sk_buff, tc_classid),
	  FIELD_READ },
};

static const struct field CLASSIFIER_FIELDS[] = {
	{ offsetof(struct __sk_buff, mark), offsetof(struct __sk_buff, queue_mapping),
	  FIELD_READ | FIELD_WRITE },
	{ offsetof(struct __sk_buff, priority), offsetof(struct __sk_buff, ingress_ifindex),
	  FIELD_READ | FIELD_WRITE },
	{ offsetof(struct __sk_buff, tc_index), offsetof(struct __sk_buff, hash),
	  FIELD_READ | FIELD_WRITE },
	{ offsetof(struct __sk_buff, len), offsetof(struct __sk_buff, tc_classid), FIELD_READ },
	{ offsetof(struct __sk_buff, data), offsetof(struct __sk_buff, data_end),
	  FIELD_PACKET },
	{ offsetof(struct __sk_buff, data_end), offsetof(struct __sk_buff, napi_id),
	  FIELD_PACKET_END },
};

static const struct field XDP_FIELDS[] = {
	{ offsetof(struct xdp_md, data), offsetof(struct xdp_md, data_end), FIELD_PACKET },
	{ offsetof(struct xdp_md, data_end), offsetof(struct xdp_md, data_meta),
	  FIELD_PACKET_END },
	{ offsetof(struct xdp_md, ingress_ifindex), offsetof(struct xdp_md, egress_ifindex),
	  FIELD_READ },
};

static const struct field *find_field(const struct verifier *v, int32_t off, unsigned size,
				      unsigned use)
{
	const struct field *fields = NULL;
	size_t n = 0;

	switch (v->prog->info.context) {
	case SCRY_VM_SOCKET:
		fields = SOCKET_FIELDS;
		n = 3;
		break;
	case SCRY_VM_CLASSIFIER:
		fields = CLASSIFIER_FIELDS;
		n = 6;
		break;
	case SCRY_VM_XDP:
		fields = XDP_FIELDS;
		n = 3;
		break;
	default: break;
	}
	for (size_t i = 0; i < n; i++) {
		if (off >= fields[i].off && off + (int32_t)size <= fields[i].end &&
		    fields[i].use & use && size == 4 && off % 4 == 0)
			return &fields[i];
	}
	return NULL;
}

static void load_number(struct vreg *dst, unsigned size, bool is_signed)
{
	struct range r = range_unknown();

	if (is_signed)
		r = range_sign_extend(&r, size * 8);
	else if (size < 8)
		r = range_up_to((1ull << size * 8) - 1);
	vreg_scalar(dst, r);
}

static int load_context(struct verifier *v, const struct bpf_insn *p)
{
	unsigned size = insn_size(p->code);
	bool is_signed = BPF_MODE(p->code) == INSN_MEMSX;
	struct vreg *dst = v_reg(v, p->dst_reg);

	if (v->prog->info.context == SCRY_VM_TRACEPOINT) {
		if (p->off < 8 || p->off + (int64_t)size > v->prog->info.context_size ||
		    p->off % (int)size)
			return v_reject(
				v,
				"reads %u bytes at offset %d of a tracepoint's record, which "
				"is readable from 8 to %u, aligned",
				size, p->off, v->prog->info.context_size);
		load_number(dst, size, is_signed);
		return 0;
	}

	const struct field *f = find_field(v, p->off, size, UINT8_MAX & ~FIELD_WRITE);
	if (!f || (is_signed && f->use >= FIELD_PACKET))
		return v_reject(v, "the context has no field of %u bytes to read at offset %d",
				size, p->off);
	load_number(dst, size, is_signed);
	if (f->use & FIELD_PACKET)
		*dst = (struct vreg){ .type = V_PACKET, .range = range_const(0) };
	if (f->use & FIELD_PACKET_END)
		*dst = (struct vreg){ .type = V_PACKET_END, .range = range_const(0) };
	return 0;
}

/* --- the stack --- */

/* The frame is used down to `at` bytes below its pointer. */
static void touch_stack(struct verifier *v, struct vframe *f, uint32_t at)
{
	uint32_t *depth = &v->depth[f->entry], slots = (at + 7) / 8;

	*depth = at > *depth ? at : *depth;
	f->nslots = slots > f->nslots ? slots : f->nslots;
}

/* Reads and writes of the stack are at constant places, aligned. */
static int stack_place(struct verifier *v, unsigned reg, int32_t off, unsigned size,
		       uint32_t *at)
{
	const struct vreg *base = v_reg(v, reg);

	if (!range_is_const(&base->range))
		return v_reject(v, "r%u points to a place on the stack that is not constant",
				reg);
	int64_t place = base->range.smin + base->off + off;
	if (place < -BPF_STACK_SIZE || place + (int64_t)size > 0)
		return v_reject(v, "%u bytes at r10%+lld are outside of the stack of %d bytes",
				size, (long long)place, BPF_STACK_SIZE);
	if (place % (int64_t)size)
		return v_reject(v, "%u bytes at r10%+lld are not aligned, as the stack demands",
				size, (long long)place);
	*at = (uint32_t)-place;
	touch_stack(v, v->cur->frames[base->frame], *at);
	return 0;
}

/* The byte that is `at` bytes below the frame pointer. */
static uint8_t *stack_byte(struct vframe *f, uint32_t at)
{
	return &f->slots[(at - 1) / 8].bytes[(8 - at % 8) % 8];
}

/* Before a part of a slot is written: what was a register is data now. */
static void break_slot(struct vslot *s)
{
	if (s->bytes[0] != BYTE_REG)
		return;
	memset(s->bytes, BYTE_DATA, sizeof(s->bytes));
	vreg_none(&s->reg);
}

/* size bytes at r`reg` + off: a place that need not be constant, and a size that may be less.
 */
static int stack_range(struct verifier *v, unsigned reg, int32_t off, uint64_t size, bool write,
		       bool known)
{
	const struct vreg *r = v_reg(v, reg);
	struct vframe *f = v->cur->frames[r->frame];

	/* Somewhere in a part of the stack: which bytes are written is not known. */
	int64_t place = r->range.smin + r->off + off;
	uint64_t span = range_is_const(&r->range) ? 0 : r->range.umax - (uint64_t)r->range.smin;
	if (span > BPF_STACK_SIZE)
		return v_reject(v, "r%u may point anywhere: check its bounds before", reg);
	size += span;
	known &= !span;
	if (place < -BPF_STACK_SIZE || place >= 0 || (uint64_t)-place < size)
		return v_reject(v, "r%u: %llu bytes at r10%+lld are outside of the stack", reg,
				(unsigned long long)size, (long long)place);

	uint32_t at = (uint32_t)-place;
	touch_stack(v, f, at);
	for (uint64_t k = 0; k < size; k++) {
		struct vslot *s = &f->slots[(at - k - 1) / 8];
		uint8_t *b = stack_byte(f, (uint32_t)(at - k));

		if (*b == BYTE_REG && v_is_pointer(&s->reg))
			return v_reject(v, "r%u: the stack at r10-%llu holds %s", reg,
					(unsigned long long)(at - k), v_type_name(s->reg.type));
		if (*b == BYTE_NONE && !write)
			return v_reject(v, "r%u: the stack at r10-%llu holds nothing yet", reg,
					(unsigned long long)(at - k));
		if (write && (known || *b != BYTE_NONE)) {
			break_slot(s);
			*b = BYTE_DATA;
		}
	}
	return 0;
}

/* A load or store at a place of the stack that is not constant. */
static int stack_somewhere(struct verifier *v, unsigned reg, int32_t off, unsigned size,
			   bool write)
{
	const struct vreg *r = v_reg(v, reg);

	if ((uint64_t)(r->off + off) % size || r->range.bits.value % size ||
	    r->range.bits.mask % size)
		return v_reject(v, "%u bytes of the stack must be aligned", size);
	return stack_range(v, reg, off, size, write, false);
}

static int load_stack(struct verifier *v, const struct bpf_insn *p)
{
	struct vframe *f = v->cur->frames[v_reg(v, p->src_reg)->frame];
	unsigned size = insn_size(p->code);
	bool zero = BPF_MODE(p->code) != INSN_MEMSX;
	uint32_t at;
	int ret;

	if (!range_is_const(&v_reg(v, p->src_reg)->range)) {
		ret = stack_somewhere(v, p->src_reg, p->off, size, false);
		if (!ret)
			load_number(v_reg(v, p->dst_reg), size, !zero);
		return ret;
	}
	ret = stack_place(v, p->src_reg, p->off, size, &at);
	if (ret)
		return ret;
	struct vslot *s = &f->slots[(at - 1) / 8];
	if (s->bytes[0] == BYTE_REG) {
		if (size == 8)
			*v_reg(v, p->dst_reg) = s->reg;
		else if (v_is_pointer(&s->reg))
			return v_reject(v, "reads a part of %s that was stored here",
					v_type_name(s->reg.type));
		else
			load_number(v_reg(v, p->dst_reg), size, !zero);
		return 0;
	}
	for (unsigned k = 0; k < size; k++) {
		uint8_t b = *stack_byte(f, at - k);

		if (b == BYTE_NONE)
			return v_reject(v, "the stack at r10-%u holds nothing yet", at - k);
		zero = zero && b == BYTE_ZERO;
	}
	load_number(v_reg(v, p->dst_reg), size, BPF_MODE(p->code) == INSN_MEMSX);
	if (zero)
		vreg_scalar(v_reg(v, p->dst_reg), range_const(0));
	return 0;
}

static int store_stack(struct verifier *v, unsigned reg, int32_t off, unsigned size,
		       const struct vreg *value)
{
	uint32_t frame = v_reg(v, reg)->frame, at;
	struct vframe *f = v->cur->frames[frame];

	if (!range_is_const(&v_reg(v, reg)->range))
		return v_is_pointer(value)
			       ? v_reject(v,
					  "stores %s at a place of the stack that is "
					  "not constant",
					  v_type_name(value->type))
			       : stack_somewhere(v, reg, off, size, true);
	int ret = stack_place(v, reg, off, size, &at);
	if (ret)
		return ret;
	struct vslot *s = &f->slots[(at - 1) / 8];
	if (v_is_pointer(value) && size != 8)
		return v_reject(v, "stores a part of %s", v_type_name(value->type));
	if (value->type == V_STACK && frame + 1 != v->cur->nframes)
		return v_reject(v, "stores a pointer to the stack on another function's");
	bool zero = range_is_const(&value->range) && !value->range.umax;
	if (size == 8 && !(value->type == V_SCALAR && zero)) {
		memset(s->bytes, BYTE_REG, sizeof(s->bytes));
		s->reg = *value;
		return 0;
	}
	break_slot(s);
	for (unsigned k = 0; k < size; k++)
		*stack_byte(f, at - k) = zero ? BYTE_ZERO : BYTE_DATA;
	return 0;
}

/* --- memory with a size --- */

static uint64_t memory_size(const struct vreg *r)
{
	return r->type == V_VALUE ? r->map->def.value_size
	       : r->type == V_KEY ? r->map->def.key_size
				  : r->size;
}

static int check_bounds(struct verifier *v, unsigned reg, int64_t off, uint64_t size)
{
	const struct vreg *r = v_reg(v, reg);
	int64_t low = r->range.smin + r->off + off;
	uint64_t limit = memory_size(r), high = r->range.umax + (uint64_t)(r->off + off) + size;

	if (low < 0)
		return v_reject(v, "r%u, %s, may point %lld bytes before its start", reg,
				v_type_name(r->type), -(long long)low);
	if (r->range.umax >= V_MAX_OFFSET || high > limit)
		return v_reject(
			v,
			"r%u, %s of %llu bytes: %llu bytes from offset %lld up to %lld are "
			"not all inside",
			reg, v_type_name(r->type), (unsigned long long)limit,
			(unsigned long long)size, (long long)low, (long long)(high - size));
	return 0;
}

static int check_packet(struct verifier *v, unsigned reg, int64_t off, uint64_t size)
{
	const struct vreg *r = v_reg(v, reg);
	int64_t from = r->off + off;

	if (r->range.smin < 0 || from < 0)
		return v_reject(v, "r%u may point before the packet", reg);
	if (from + (int64_t)size > r->reach)
		return v_reject(
			v,
			"%u bytes at offset %lld of r%u: only %d bytes of the packet are "
			"proved to be there; compare with its end before",
			(unsigned)size, (long long)from, reg, r->reach);
	return 0;
}

/* Memory other than the stack and the context. */
static int check_memory(struct verifier *v, unsigned reg, int64_t off, uint64_t size)
{
	const struct vreg *r = v_reg(v, reg);

	switch (r->type) {
	case V_VALUE:
	case V_KEY:
	case V_MEM:
	case V_RECORD: return check_bounds(v, reg, off, size);
	case V_PACKET: return check_packet(v, reg, off, size);
	case V_VALUE_OR_NULL:
	case V_RECORD_OR_NULL:
	case V_MAP_OR_NULL:
		return v_reject(v, "r%u, %s, may be null: compare it with 0 before", reg,
				v_type_name(r->type));
	case V_SCALAR: return v_reject(v, "r%u is a number, not a pointer", reg);
	default:
		return v_reject(v, "r%u is %s, which cannot be accessed", reg,
				v_type_name(r->type));
	}
}

static int context_place(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->off || !range_is_const(&r->range) || r->range.umax)
		return v_reject(v, "r%u does not point to the start of the context any more",
				reg);
	return 0;
}

/* --- instructions --- */

int v_load(struct verifier *v, const struct bpf_insn *p)
{
	int ret = v_need(v, p->src_reg);

	if (ret)
		return ret;
	switch (v_reg(v, p->src_reg)->type) {
	case V_STACK: return load_stack(v, p);
	case V_CTX: ret = context_place(v, p->src_reg); return ret ? ret : load_context(v, p);
	default: break;
	}
	ret = check_memory(v, p->src_reg, p->off, insn_size(p->code));
	if (!ret)
		load_number(v_reg(v, p->dst_reg), insn_size(p->code),
			    BPF_MODE(p->code) == INSN_MEMSX);
	return ret;
}

static int store_context(struct verifier *v, const struct bpf_insn *p, const struct vreg *value)
{
	unsigned size = insn_size(p->code);
	int ret = context_place(v, p->dst_reg);

	if (ret)
		return ret;
	if (!find_field(v, p->off, size, FIELD_WRITE))
		return v_reject(v, "the context has no field of %u bytes to write at offset %d",
				size, p->off);
	if (v_is_pointer(value))
		return v_reject(v, "stores %s in the context", v_type_name(value->type));
	return 0;
}

/* Keys are the map's own, and some maps hold constants. */
static int check_writable(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type == V_KEY)
		return v_reject(v, "r%u is a key of a map, which is read only", reg);
	if (r->type == V_VALUE && r->map->def.flags & BPF_F_RDONLY_PROG)
		return v_reject(v, "r%u is a value of map %s, which is read only", reg,
				r->map->def.name);
	return 0;
}

int v_store(struct verifier *v, const struct bpf_insn *p)
{
	struct vreg value;
	int ret = v_need(v, p->dst_reg);

	if (!ret && BPF_CLASS(p->code) == BPF_STX)
		ret = v_need(v, p->src_reg);
	if (ret)
		return ret;
	if (BPF_CLASS(p->code) == BPF_STX) {
		v_mark_copied(v, p->src_reg);
		value = *v_reg(v, p->src_reg);
	} else {
		vreg_scalar(&value, range_const((uint64_t)(int64_t)p->imm));
	}

	switch (v_reg(v, p->dst_reg)->type) {
	case V_STACK: return store_stack(v, p->dst_reg, p->off, insn_size(p->code), &value);
	case V_CTX: return store_context(v, p, &value);
	default: break;
	}
	ret = check_writable(v, p->dst_reg);
	if (ret)
		return ret;
	if (v_is_pointer(&value))
		return v_reject(v, "stores %s where it can be read as a number",
				v_type_name(value.type));
	return check_memory(v, p->dst_reg, p->off, insn_size(p->code));
}

static int atomic_place(struct verifier *v, unsigned reg, int32_t off, unsigned size)
{
	const struct vreg *r = v_reg(v, reg);
	uint32_t at;

	if (r->type == V_STACK) {
		int ret = stack_place(v, reg, off, size, &at);
		if (ret)
			return ret;
		struct vframe *f = v->cur->frames[r->frame];
		struct vslot *s = &f->slots[(at - 1) / 8];
		if (s->bytes[0] == BYTE_REG && v_is_pointer(&s->reg))
			return v_reject(v, "changes %s in place", v_type_name(s->reg.type));
		for (unsigned k = 0; k < size; k++) {
			if (*stack_byte(f, at - k) == BYTE_NONE)
				return v_reject(v, "the stack at r10-%u holds nothing yet",
						at - k);
		}
		break_slot(s);
		for (unsigned k = 0; k < size; k++)
			*stack_byte(f, at - k) = BYTE_DATA;
		return 0;
	}
	if (r->type == V_PACKET || r->type == V_CTX)
		return v_reject(v, "atomic operations do not work on %s", v_type_name(r->type));
	if ((r->off + off) % (int)size || r->range.bits.value % size ||
	    r->range.bits.mask % size)
		return v_reject(v, "an atomic operation on %u bytes must be aligned", size);
	return check_memory(v, reg, off, size);
}

int v_atomic(struct verifier *v, const struct bpf_insn *p)
{
	unsigned size = insn_size(p->code);
	bool acquire = p->imm == INSN_LOAD_ACQ;
	int ret = v_need(v, p->dst_reg);

	if (acquire || p->imm == INSN_STORE_REL)
		return v_reject(v, "acquire and release are not supported by this verifier");
	if (!ret)
		ret = v_need(v, p->src_reg);
	if (!ret && p->imm == BPF_CMPXCHG)
		ret = v_need(v, BPF_REG_0);
	if (ret)
		return ret;
	if (v_is_pointer(v_reg(v, p->src_reg)) ||
	    (p->imm == BPF_CMPXCHG && v_is_pointer(v_reg(v, BPF_REG_0))))
		return v_reject(v, "stores a pointer by an atomic operation");
	ret = check_writable(v, p->dst_reg);
	if (!ret)
		ret = atomic_place(v, p->dst_reg, p->off, size);
	if (ret)
		return ret;
	if (p->imm == BPF_CMPXCHG)
		load_number(v_reg(v, BPF_REG_0), size, false);
	else if (p->imm & BPF_FETCH)
		load_number(v_reg(v, p->src_reg), size, false);
	return 0;
}

/* --- helpers --- */

int v_helper_memory(struct verifier *v, unsigned reg, uint64_t size, bool write,
		    bool known_size)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type == V_STACK)
		return stack_range(v, reg, 0, size, write, known_size);
	if (r->type == V_PACKET || r->type == V_CTX)
		return v_reject(v, "r%u is %s, which helpers do not take as memory", reg,
				v_type_name(r->type));
	int ret = write ? check_writable(v, reg) : 0;
	return ret ? ret : check_memory(v, reg, 0, size);
}
