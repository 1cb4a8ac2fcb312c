#include "codegen_kernel.h"

/* The listing of the program made from the instructions of body. */
static const char *listing(struct arena *a, const char *body, unsigned isa)
{
	struct codegen_target target = test_target;
	auto_sb struct sb text = { 0 };
	struct image img;

	target.isa = isa;
	compile_fn(a, parse_fn(a, arena_printf(a, "fn \"t\" {\n%s}\n", body)), &target, &img);
	list_image(&img, &text);
	return arena_strdup(a, sb_str(&text));
}

static void lists_for(unsigned isa, const char *body, const char *expected)
{
	auto_arena struct arena a = { 0 };

	assert_string_equal(listing(&a, body, isa), expected);
}

static void lists(const char *body, const char *expected)
{
	lists_for(3, body, expected);
}

static void constants_become_immediates(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = call 5\n"
	      "	v2 = const 10\n"
	      "	v3 = mul v2, v1\n"
	      "	v4 = const 1099511627776\n"
	      "	v5 = or v3, v4\n"
	      "	v6 = const 67\n"
	      "	v7 = shr v5, v6\n"
	      "	ret v7\n",
	      "call bpf_ktime_get_ns#5\n"
	      "r0 *= 10\n"
	      "r1 = 0x10000000000\n"
	      "r0 |= r1\n"
	      "r0 >>= 3\n"
	      "exit\n");
}

static void division_by_constant_zero_needs_a_register(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = call 5\n"
	      "	v2 = const 0\n"
	      "	v3 = umod v1, v2\n"
	      "	ret v3\n",
	      "call bpf_ktime_get_ns#5\n"
	      "r1 = 0\n"
	      "r0 %= r1\n"
	      "exit\n");
}

static void comparisons_vanish_into_branches(void **state)
{
	(void)state;
	/* 10 < v1, negated: v1 > 10 inverted. */
	lists("b0:\n"
	      "	v1 = call 5\n"
	      "	v2 = const 10\n"
	      "	v3 = ult v2, v1\n"
	      "	v4 = const 0\n"
	      "	v5 = eq v3, v4\n"
	      "	br v5, b1, b2\n"
	      "b1:\n"
	      "	ret v2\n"
	      "b2:\n"
	      "	ret v4\n",
	      "call bpf_ktime_get_ns#5\n"
	      "if r0 > 0xa goto pc+2\n"
	      "r0 = 10\n"
	      "exit\n"
	      "r0 = 0\n"
	      "exit\n");
}

static void masks_vanish_into_branches(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = call 5\n"
	      "	v2 = const 4\n"
	      "	v3 = and v1, v2\n"
	      "	v4 = const 0\n"
	      "	v5 = eq v3, v4\n"
	      "	br v5, b1, b2\n"
	      "b1:\n"
	      "	ret v2\n"
	      "b2:\n"
	      "	ret v4\n",
	      "call bpf_ktime_get_ns#5\n"
	      "if r0 & 0x4 goto pc+2\n"
	      "r0 = 4\n"
	      "exit\n"
	      "r0 = 0\n"
	      "exit\n");
}

static void comparisons_give_values(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = call 5\n"
	      "	v2 = const -7\n"
	      "	v3 = sge v1, v2\n"
	      "	ret v3\n",
	      "call bpf_ktime_get_ns#5\n"
	      "r1 = 1\n"
	      "if r0 s>= 0xfffffff9 goto pc+1\n"
	      "r1 = 0\n"
	      "r0 = r1\n"
	      "exit\n");
}

static void a_tested_pointer_is_the_one_used(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = map 1\n"
	      "	v2 = slot 8\n"
	      "	v3 = const 0\n"
	      "	store64 v2, 0, v3\n"
	      "	v4 = call 1, v1, v2\n"
	      "	v5 = ne v4, v3\n"
	      "	br v5, b1, b2\n"
	      "b1:\n"
	      "	v6 = load64 v4, 8\n"
	      "	v7 = const 1\n"
	      "	v8 = add v6, v7\n"
	      "	store64 v4, 8, v8\n"
	      "	ret v3\n"
	      "b2:\n"
	      "	ret v3\n",
	      "*(u64 *)(r10 -8) = 0\n"
	      "r1 = map[id:0]\n"
	      "r2 = r10\n"
	      "r2 += -8\n"
	      "call bpf_map_lookup_elem#1\n"
	      "if r0 == 0x0 goto pc+5\n"
	      "r1 = *(u64 *)(r0 +8)\n"
	      "r1 += 1\n"
	      "*(u64 *)(r0 +8) = r1\n"
	      "r0 = 0\n"
	      "exit\n"
	      "r0 = 0\n"
	      "exit\n");
}

static void the_context_is_saved_across_calls_only(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = ctx\n"
	      "	v2 = const 4\n"
	      "	v3 = add v1, v2\n"
	      "	v4 = load32 v3, 8\n"
	      "	ret v4\n",
	      "r0 = *(u32 *)(r1 +12)\n"
	      "exit\n");
	lists("b0:\n"
	      "	v1 = ctx\n"
	      "	v2 = call 5\n"
	      "	v3 = load32 v1, 8\n"
	      "	v4 = add v2, v3\n"
	      "	ret v4\n",
	      "r6 = r1\n"
	      "call bpf_ktime_get_ns#5\n"
	      "r1 = *(u32 *)(r6 +8)\n"
	      "r0 += r1\n"
	      "exit\n");
}

static void neighbours_in_a_map_share_their_base(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = mapval 1, 16\n"
	      "	v2 = mapval 1, 24\n"
	      "	v3 = load64 v1, 0\n"
	      "	store8 v2, 2, v3\n"
	      "	v4 = const 4660\n"
	      "	store32 v2, 4, v4\n"
	      "	v5 = call 5\n"
	      "	atomic_add64 v1, 0, v4\n"
	      "	ret v5\n",
	      "r0 = map[id:0][0]+0\n"
	      "r1 = *(u64 *)(r0 +16)\n"
	      "*(u8 *)(r0 +26) = r1\n"
	      "*(u32 *)(r0 +28) = 4660\n"
	      "call bpf_ktime_get_ns#5\n"
	      "r1 = map[id:0][0]+0\n"
	      "r2 = 4660\n"
	      "lock *(u64 *)(r1 +16) += r2\n"
	      "exit\n");
}

static void far_places_in_a_map_have_their_own_base(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = mapval 1, 70000\n"
	      "	v2 = load64 v1, 0\n"
	      "	ret v2\n",
	      "r0 = map[id:0][0]+65536\n"
	      "r0 = *(u64 *)(r0 +4464)\n"
	      "exit\n");
}

static void exchanges_use_the_registers_the_machine_wants(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = mapval 1, 0\n"
	      "	v2 = const 1\n"
	      "	v3 = const 2\n"
	      "	v4 = cmpxchg64 v1, 0, v2, v3\n"
	      "	v5 = xchg32 v1, 8, v4\n"
	      "	ret v5\n",
	      "r1 = map[id:0][0]+0\n"
	      "r2 = 2\n"
	      "r0 = 1\n"
	      "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)\n"
	      "r0 = atomic_xchg((u32 *)(r1 +8), r0)\n"
	      "exit\n");
}

static void exchanges_need_isa_3(void **state)
{
	struct codegen_target target = test_target;
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };
	struct image img;
	struct fn *fn = parse_fn(&a, "fn \"t\" {\n"
				     "b0:\n"
				     "	v1 = mapval 1, 0\n"
				     "	v2 = xchg64 v1, 0, v1\n"
				     "	ret v2\n"
				     "}\n");

	(void)state;
	target.isa = 2;
	assert_int_equal(codegen(&a, fn, &target, &img, &e), -ENOTSUP);
}

static const char extensions[] = "b0:\n"
				 "	v1 = call 5\n"
				 "	v2 = sext16 v1\n"
				 "	v3 = zext8 v2\n"
				 "	v4 = zext32 v2\n"
				 "	v5 = add v3, v4\n"
				 "	v6 = bswap16 v5\n"
				 "	ret v6\n";

static void narrow_values_are_extended(void **state)
{
	(void)state;
	lists_for(3, extensions,
		  "call bpf_ktime_get_ns#5\n"
		  "r0 <<= 48\n"
		  "r0 s>>= 48\n"
		  "r1 = r0\n"
		  "r1 &= 255\n"
		  "w0 = w0\n"
		  "r1 += r0\n"
		  "r0 = r1\n"
		  "r0 = be16 r0\n"
		  "exit\n");
	lists_for(4, extensions,
		  "call bpf_ktime_get_ns#5\n"
		  "r0 = (s16)r0\n"
		  "r1 = r0\n"
		  "r1 &= 255\n"
		  "w0 = w0\n"
		  "r1 += r0\n"
		  "r0 = r1\n"
		  "r0 = be16 r0\n"
		  "exit\n");
}

static void a_loop_counts_in_one_register(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = const 0\n"
	      "	v2 = const 1\n"
	      "	v3 = const 10\n"
	      "	jmp b1\n"
	      "b1:\n"
	      "	v4 = phi b0 v1, b2 v6\n"
	      "	v8 = ult v4, v3\n"
	      "	br v8, b2, b3\n"
	      "b2:\n"
	      "	v6 = add v4, v2\n"
	      "	jmp b1\n"
	      "b3:\n"
	      "	ret v4\n",
	      "r0 = 0\n"
	      "if r0 >= 0xa goto pc+2\n"
	      "r0 += 1\n"
	      "goto pc-3\n"
	      "exit\n");
}

static void phis_that_change_places_need_one_more_register(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = const 1\n"
	      "	v2 = const 2\n"
	      "	jmp b1\n"
	      "b1:\n"
	      "	v3 = phi b0 v1, b1 v4\n"
	      "	v4 = phi b0 v2, b1 v3\n"
	      "	v5 = const 9\n"
	      "	v6 = call 5\n"
	      "	v7 = ult v6, v5\n"
	      "	br v7, b1, b2\n"
	      "b2:\n"
	      "	ret v3\n",
	      "r6 = 1\n"
	      "r7 = 2\n"
	      "call bpf_ktime_get_ns#5\n"
	      "if r0 >= 0x9 goto pc+4\n"
	      "r0 = r6\n"
	      "r6 = r7\n"
	      "r7 = r0\n"
	      "goto pc-6\n"
	      "r0 = r6\n"
	      "exit\n");
}

static void large_slots_are_scratch_memory(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = slot 64\n"
	      "	v2 = const 8\n"
	      "	v3 = add v1, v2\n"
	      "	v4 = const 16\n"
	      "	v5 = const 0\n"
	      "	v6 = call 113, v3, v4, v5\n"
	      "	v7 = load32 v3, 4\n"
	      "	ret v7\n",
	      "*(u32 *)(r10 -8) = 0\n"
	      "r1 = map[id:0]\n"
	      "r2 = r10\n"
	      "r2 += -8\n"
	      "call bpf_map_lookup_elem#1\n"
	      "r6 = r0\n"
	      "if r6 == 0x0 goto pc+7\n"
	      "r1 = r6\n"
	      "r1 += 8\n"
	      "r2 = 16\n"
	      "r3 = 0\n"
	      "call bpf_probe_read_kernel#113\n"
	      "r0 = *(u32 *)(r6 +12)\n"
	      "exit\n"
	      "r0 = map[id:0][0]+8\n"
	      "r1 = 1\n"
	      "lock *(u64 *)(r0 +0) += r1\n"
	      "r0 = 0\n"
	      "exit\n");
}

static void what_nobody_wants_is_not_computed(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	v1 = ctx\n"
	      "	v2 = load32 v1, 0\n"
	      "	v3 = mul v2, v2\n"
	      "	unreachable\n",
	      "r0 = 0\n"
	      "exit\n");
}

static void an_endless_loop_keeps_its_jump(void **state)
{
	(void)state;
	lists("b0:\n"
	      "	jmp b1\n"
	      "b1:\n"
	      "	jmp b2\n"
	      "b2:\n"
	      "	jmp b1\n",
	      "goto pc-1\n");
}

/* An instruction of the given kind with operands that make some sense. */
static void use_op(struct irb *b, enum ir_op op)
{
	ref p = ir_mapval(b, 1, 0), x = ir_load(b, 8, p, 0);
	blkid next = ir_block(b);

	switch (op) {
	case OP_NONE:
	case OP_JMP:
	case OP_PHI: return;
	case OP_CONST: ir_store(b, 8, p, 0, ir_const(b, 1)); return;
	case OP_CTX: ir_store(b, 8, p, 0, ir_ctx(b)); return;
	case OP_SLOT: ir_store(b, 8, p, 0, ir_slot(b, 8)); return;
	case OP_MAP: ir_call(b, 1, 1, ir_map(b, 1)); return;
	case OP_MAPVAL: ir_store(b, 8, p, 0, p); return;
	case OP_LOAD: ir_store(b, 8, p, 0, x); return;
	case OP_STORE: ir_store(b, 8, p, 0, x); return;
	case OP_ATOMIC_ADD: ir_atomic_add(b, 8, p, 0, x); return;
	case OP_XCHG: ir_xchg(b, 8, p, 0, x); return;
	case OP_CMPXCHG: ir_cmpxchg(b, 8, p, 0, x, x); return;
	case OP_CALL: ir_call(b, 5, 0); return;
	case OP_SEXT:
	case OP_ZEXT: ir_store(b, 8, p, 0, ir_ext(b, op == OP_SEXT, 2, x)); return;
	case OP_BSWAP: ir_store(b, 8, p, 0, ir_bswap(b, 2, x)); return;
	case OP_NEG:
	case OP_NOT: ir_store(b, 8, p, 0, ir_un(b, op, x)); return;
	case OP_BR:
		ir_br(b, x, next, 1);
		ir_start(b, next);
		return;
	case OP_RET: ir_ret(b, x); return;
	case OP_UNREACHABLE: return;
	default: ir_store(b, 8, p, 0, ir_bin(b, op, x, x));
	}
}

static void every_operation_has_a_pattern(void **state)
{
	(void)state;
	for (int op = 0; op < OP_COUNT; op++) {
		auto_arena struct arena a = { 0 };
		struct irb b = { .fn = ir_fn_new(&a, op_infos[op].text) };
		blkid end = ir_block(&b);
		struct image img;

		use_op(&b, op);
		if (!ir_ended(&b))
			ir_jmp(&b, end);
		ir_start(&b, end);
		ir_ret(&b, ir_const(&b, 0));
		compile_fn(&a, b.fn, &test_target, &img);
		assert_int_equal(img.insns[img.ninsns - 1].code, BPF_JMP | BPF_EXIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_become_immediates),
		cmocka_unit_test(division_by_constant_zero_needs_a_register),
		cmocka_unit_test(comparisons_vanish_into_branches),
		cmocka_unit_test(masks_vanish_into_branches),
		cmocka_unit_test(comparisons_give_values),
		cmocka_unit_test(a_tested_pointer_is_the_one_used),
		cmocka_unit_test(the_context_is_saved_across_calls_only),
		cmocka_unit_test(neighbours_in_a_map_share_their_base),
		cmocka_unit_test(far_places_in_a_map_have_their_own_base),
		cmocka_unit_test(exchanges_use_the_registers_the_machine_wants),
		cmocka_unit_test(exchanges_need_isa_3),
		cmocka_unit_test(narrow_values_are_extended),
		cmocka_unit_test(a_loop_counts_in_one_register),
		cmocka_unit_test(phis_that_change_places_need_one_more_register),
		cmocka_unit_test(large_slots_are_scratch_memory),
		cmocka_unit_test(what_nobody_wants_is_not_computed),
		cmocka_unit_test(an_endless_loop_keeps_its_jump),
		cmocka_unit_test(every_operation_has_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
