#include "bpf/object.h"
#include "vm/verify.h"

#include <errno.h>

/* What a helper can do with a type of map; others it refuses. */
static bool map_allows(const struct vm_map *m, uint32_t id)
{
	bool queue = m->ops->push != NULL, ring = m->ops == &VM_MAP_RING;
	bool progs = m->def.type == BPF_MAP_TYPE_PROG_ARRAY;
	bool plain = !queue && !ring && !m->ops->holds_ids && !m->ops->only_helpers;

	switch (id) {
	case BPF_FUNC_tail_call: return progs;
	case BPF_FUNC_map_push_elem:
	case BPF_FUNC_map_pop_elem:
	case BPF_FUNC_map_peek_elem: return queue;
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_ringbuf_reserve:
	case BPF_FUNC_ringbuf_query: return ring;
	case BPF_FUNC_perf_event_output: return m->ops == &VM_MAP_PERF;
	case BPF_FUNC_get_stackid: return m->ops == &VM_MAP_STACKS;
	case BPF_FUNC_map_lookup_percpu_elem: return m->ops->per_cpu;
	case BPF_FUNC_for_each_map_elem: return plain && m->def.type != BPF_MAP_TYPE_LPM_TRIE;
	case BPF_FUNC_map_lookup_elem: return plain || (m->ops->holds_ids && !progs);
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem: return plain;
	default: return false;
	}
}

/* What the arguments so far say about the call. */
struct call {
	const struct helper *helper;
	const struct vm_map *map;
	uint64_t size; /* of the memory the call gives */
	uint32_t ref;  /* given back */
};

static int need_number(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);

	if (v_is_pointer(r))
		return v_reject(v, "r%u is %s, but a number is wanted", reg,
				v_type_name(r->type));
	return 0;
}

static int check_map_memory(struct verifier *v, unsigned reg, const struct call *c,
			    uint32_t size, bool write)
{
	if (!c->map)
		return v_reject(v, "r%u belongs to a map, and none was given", reg);
	return v_helper_memory(v, reg, size, write, true);
}

/* Memory in reg, its size in the next register. */
static int check_sized(struct verifier *v, unsigned reg, enum helper_kind kind,
		       enum helper_kind size_kind)
{
	const struct vreg *mem = v_reg(v, reg), *size = v_reg(v, reg + 1);
	int ret = v_need(v, reg + 1);

	if (!ret)
		ret = need_number(v, reg + 1);
	if (ret)
		return ret;
	const struct range *r = &size->range;
	bool is_null = mem->type == V_SCALAR && range_is_const(&mem->range) && !mem->range.umax;
	if (r->smin < 0)
		return v_reject(v, "r%u, a size, may be negative: check its bounds before",
				reg + 1);
	if (r->umax >= V_MAX_OFFSET)
		return v_reject(v,
				"r%u, a size, may be as large as %llu: check its bounds before",
				reg + 1, (unsigned long long)r->umax);
	if (!r->umin && size_kind == HELPER_SIZE)
		return v_reject(v, "r%u, a size, may be 0", reg + 1);
	if (is_null && kind == HELPER_MEM_OR_NULL && !r->umax)
		return 0;
	return v_helper_memory(v, reg, r->umax, kind == HELPER_MEM_OUT, range_is_const(r));
}

static int check_map(struct verifier *v, unsigned reg, struct call *c)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type != V_MAP)
		return v_reject(v, "r%u is %s, but a map is wanted", reg, v_type_name(r->type));
	if (!map_allows(r->map, c->helper->id))
		return v_reject(v, "bpf_%s does not work on map %s, a %s", c->helper->name,
				r->map->def.name, r->map->ops->name);
	c->map = r->map;
	return 0;
}

static int check_record(struct verifier *v, unsigned reg, struct call *c)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type != V_RECORD || r->off || !range_is_const(&r->range) || r->range.umax)
		return v_reject(
			v, "r%u is %s, but the start of a record of a ring buffer is wanted",
			reg, v_type_name(r->type));
	c->ref = r->ref;
	return 0;
}

static int check_context(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type != V_CTX || r->off)
		return v_reject(v, "r%u is %s, but the context is wanted", reg,
				v_type_name(r->type));
	return 0;
}

static int check_function(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type != V_FUNC || r->off || !range_is_const(&r->range) || r->range.umax)
		return v_reject(v, "r%u is %s, but a function of the program is wanted", reg,
				v_type_name(r->type));
	return 0;
}

static int check_stack_or_null(struct verifier *v, unsigned reg)
{
	const struct vreg *r = v_reg(v, reg);
	bool is_null = r->type == V_SCALAR && range_is_const(&r->range) && !r->range.umax;

	if (r->type != V_STACK && !is_null)
		return v_reject(v, "r%u is %s, but a pointer to the stack or 0 is wanted", reg,
				v_type_name(r->type));
	return 0;
}

static int check_const_size(struct verifier *v, unsigned reg, struct call *c)
{
	const struct vreg *r = v_reg(v, reg);

	if (r->type != V_SCALAR || !range_is_const(&r->range))
		return v_reject(v, "r%u must be a constant", reg);
	if (r->range.umax >= V_MAX_OFFSET)
		return v_reject(v, "r%u: %llu bytes are too many", reg,
				(unsigned long long)r->range.umax);
	c->size = r->range.umax;
	return 0;
}

static int check_arg(struct verifier *v, unsigned reg, struct call *c)
{
	enum helper_kind kind = c->helper->args[reg - 1];
	enum helper_kind next = reg < 5 ? c->helper->args[reg] : HELPER_NONE;
	int ret = v_need(v, reg);

	if (ret)
		return ret;
	switch (kind) {
	case HELPER_ANY: return 0;
	case HELPER_SCALAR: return need_number(v, reg);
	case HELPER_CTX: return check_context(v, reg);
	case HELPER_MAP: return check_map(v, reg, c);
	case HELPER_MAP_KEY:
		return check_map_memory(v, reg, c, c->map ? c->map->def.key_size : 0, false);
	case HELPER_MAP_VALUE:
		return check_map_memory(v, reg, c, c->map ? c->map->def.value_size : 0, false);
	case HELPER_MAP_VALUE_OUT:
		return check_map_memory(v, reg, c, c->map ? c->map->def.value_size : 0, true);
	case HELPER_MEM:
	case HELPER_MEM_OR_NULL:
	case HELPER_MEM_OUT: return check_sized(v, reg, kind, next);
	case HELPER_SIZE:
	case HELPER_SIZE0: return 0; /* checked with the memory before it */
	case HELPER_CONST_SIZE: return check_const_size(v, reg, c);
	case HELPER_LONG_OUT:
		if (v_reg(v, reg)->type == V_STACK && v_reg(v, reg)->off % 8)
			return v_reject(v, "r%u is not aligned to 8 bytes", reg);
		return v_helper_memory(v, reg, 8, true, true);
	case HELPER_RECORD: return check_record(v, reg, c);
	case HELPER_FUNC: return check_function(v, reg);
	case HELPER_STACK_OR_NULL: return check_stack_or_null(v, reg);
	default:
		return v_reject(v, "bpf_%s takes what this verifier does not know",
				c->helper->name);
	}
}

static void invalidate_ref(struct vreg *r, uint32_t ref)
{
	if (r->ref == ref)
		vreg_none(r);
}

static void invalidate_packet(struct vreg *r, uint32_t unused)
{
	(void)unused;
	if (r->type == V_PACKET || r->type == V_PACKET_END)
		vreg_none(r);
}

static int release(struct verifier *v, const struct call *c)
{
	struct vstate *s = v->cur;

	for (uint32_t i = 0; i < s->nrefs; i++) {
		if (s->refs[i] == c->ref) {
			s->refs[i] = s->refs[--s->nrefs];
			vstate_each(v, invalidate_ref, c->ref);
			return 0;
		}
	}
	return v_reject(v, "gives back what was given back before");
}

/* What a map in a map gives: one like its pattern. */
static void set_inner_map(struct verifier *v, const struct vm_map *outer)
{
	*v_reg(v, BPF_REG_0) =
		(struct vreg){ .type = V_MAP_OR_NULL,
			       .id = ++v->last_id,
			       .map = vm_map(v->prog->vm, (uint64_t)outer->def.inner),
			       .range = range_const(0) };
}

static int set_result(struct verifier *v, const struct call *c)
{
	struct vreg *r0 = v_reg(v, BPF_REG_0);
	struct vstate *s = v->cur;

	switch (c->helper->ret) {
	case HELPER_VOID: vreg_none(r0); return 0;
	case HELPER_SCALAR: vreg_scalar(r0, range_unknown()); return 0;
	case HELPER_MAP_VALUE_OR_NULL:
		if (c->map && c->map->ops->holds_ids) {
			set_inner_map(v, c->map);
			return 0;
		}
		*r0 = (struct vreg){ .type = V_VALUE_OR_NULL,
				     .id = ++v->last_id,
				     .map = c->map,
				     .range = range_const(0) };
		return c->map ? 0 : v_reject(v, "gives a value of no map");
	case HELPER_RECORD_OR_NULL:
		if (s->nrefs == V_MAX_REFS)
			return v_reject(v, "holds more than %d records at once", V_MAX_REFS);
		*r0 = (struct vreg){ .type = V_RECORD_OR_NULL,
				     .id = ++v->last_id,
				     .ref = v->last_id,
				     .size = (uint32_t)c->size,
				     .range = range_const(0) };
		s->refs[s->nrefs++] = r0->ref;
		return 0;
	default:
		return v_reject(v, "bpf_%s gives what this verifier does not know",
				c->helper->name);
	}
}

/* Helpers of the caller's own take numbers and give one. */
static int call_unknown(struct verifier *v)
{
	for (unsigned r = BPF_REG_1; r <= BPF_REG_5; r++)
		vreg_none(v_reg(v, r));
	vreg_scalar(v_reg(v, BPF_REG_0), range_unknown());
	return 0;
}

static bool takes_context(const struct helper *h)
{
	for (unsigned i = 0; i < 5; i++) {
		if (h->args[i] == HELPER_CTX)
			return true;
	}
	return false;
}

int v_call(struct verifier *v, const struct vm_op *op, uint32_t id)
{
	struct call c = { .helper = helper_by_id(id) };

	if (op->id == INSN_CALLX)
		return v_reject(v, "calls by a register cannot be verified");
	if (id == BPF_OBJECT_POISON)
		return v_reject(v, "needs what the kernel's types lack (CO-RE)");
	if (!c.helper)
		return call_unknown(v);
	for (unsigned reg = 1; reg <= 5 && c.helper->args[reg - 1] != HELPER_NONE; reg++) {
		int ret = check_arg(v, reg, &c);
		if (ret)
			return ret;
	}
	if (id == BPF_FUNC_tail_call && v->cur->nrefs)
		return v_reject(v, "leaves while %u records are not given back", v->cur->nrefs);
	if (c.ref) {
		int ret = release(v, &c);
		if (ret)
			return ret;
	}
	/* The context's packet may be another one after this. */
	if (takes_context(c.helper))
		vstate_each(v, invalidate_packet, 0);
	/* The call is taken up again after each turn of a callback, with its arguments. */
	if (v_calls_back(&v->prog->insns[v->cur->insn]))
		return 0;
	for (unsigned r = BPF_REG_1; r <= BPF_REG_5; r++)
		vreg_none(v_reg(v, r));
	return set_result(v, &c);
}
