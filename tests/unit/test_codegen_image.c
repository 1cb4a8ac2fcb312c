#include "codegen_kernel.h"

/* Slots of scratch size, and a place in the script for each instruction. */
static struct fn *placed_fn(struct arena *a)
{
	struct irb b = { .fn = ir_fn_new(a, "placed"), .span = { 10, 20 } };

	ref p = ir_mapval(&b, MAP_VALUES, 40000);
	ref v = ir_load(&b, 8, p, 0);
	b.span = (struct span){ 30, 40 };
	ref slot = ir_slot(&b, 64);
	ir_store(&b, 8, slot, 0, v);
	b.span = (struct span){ 50, 60 };
	ir_ret(&b, v);
	return b.fn;
}

static const struct bpf_insn *find_insn(const struct image *img, uint8_t code, uint32_t *at)
{
	for (*at = 0; *at < img->ninsns; ++*at)
		if (img->insns[*at].code == code)
			return &img->insns[*at];
	fail_msg("no instruction 0x%x", code);
	return NULL;
}

static void instructions_know_their_place(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;
	uint32_t at;

	(void)state;
	compile_fn(&a, placed_fn(&a), &test_target, &img);
	find_insn(&img, BPF_LDX | BPF_MEM | BPF_DW, &at);
	assert_int_equal(img.spans[at].beg, 10);
	find_insn(&img, BPF_STX | BPF_MEM | BPF_DW, &at);
	assert_int_equal(img.spans[at].beg, 30);
	find_insn(&img, BPF_JMP | BPF_EXIT, &at);
	assert_int_equal(img.spans[at].beg, 50);
	assert_int_equal(img.spans[at].end, 60);
	/* The lookup of scratch memory is nobody's wish. */
	find_insn(&img, BPF_JMP | BPF_CALL, &at);
	assert_int_equal(img.spans[at].beg, 0);
}

static void maps_are_left_to_the_loader(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	(void)state;
	compile_fn(&a, placed_fn(&a), &test_target, &img);
	assert_int_equal(img.nrelocs, 3);

	const struct reloc *scratch = &img.relocs[0], *value = &img.relocs[1];
	assert_int_equal(scratch->kind, RELOC_MAP);
	assert_int_equal(scratch->map, MAP_SCRATCH);
	assert_int_equal(img.insns[scratch->insn].src_reg, BPF_PSEUDO_MAP_FD);

	assert_int_equal(value->kind, RELOC_VALUE);
	assert_int_equal(value->map, MAP_VALUES);
	assert_int_equal(value->off, 32768);
	assert_int_equal(img.insns[value->insn].src_reg, BPF_PSEUDO_MAP_VALUE);
	assert_int_equal(img.insns[value->insn + 1].imm, 32768);

	assert_int_equal(img.relocs[2].off, test_target.miss_off);
}

static void the_image_says_what_it_needs(void **state)
{
	auto_arena struct arena a = { 0 }, compile = { 0 };
	struct err e = { 0 };
	struct image img;

	(void)state;
	assert_int_equal(codegen(&a, placed_fn(&compile), &test_target, &img, &e), 0);
	arena_free(&compile);
	assert_string_equal(img.name, "placed");
	assert_int_equal(img.scratch_size, 64);
	assert_int_equal(img.stack_size, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_know_their_place),
		cmocka_unit_test(maps_are_left_to_the_loader),
		cmocka_unit_test(the_image_says_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
