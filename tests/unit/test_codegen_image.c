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

static const char calls_back[] = "fn \"calls\" {\nb0:\n"
				 "v1 = map 1\n"
				 "v2 = func 1\n"
				 "v3 = slot 64\n"
				 "v4 = const 0\n"
				 "store64 v3, 0, v4\n"
				 "v5 = call 164, v1, v2, v3, v4\n"
				 "v6 = load64 v3, 0\n"
				 "ret v6\n}\n";
static const char called_back[] = "fn \"called\" {\nb0:\n"
				  "v1 = param 3\n"
				  "v2 = param 2\n"
				  "v3 = mapval 1, 16\n"
				  "v4 = load64 v2, 0\n"
				  "store64 v1, 0, v4\n"
				  "store64 v3, 0, v4\n"
				  "v5 = const 0\n"
				  "ret v5\n}\n";

static void functions_find_each_other(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image parts[2], img;
	uint32_t at = 0;

	(void)state;
	compile_text(&a, calls_back, &parts[0]);
	compile_text(&a, called_back, &parts[1]);
	image_link(&a, parts, 2, NULL, 0, &img);
	assert_int_equal(img.nfuncs, 2);
	assert_int_equal(img.funcs[0], 0);
	assert_int_equal(img.funcs[1], parts[0].ninsns);
	assert_int_equal(img.ninsns, parts[0].ninsns + parts[1].ninsns);

	while (img.insns[at].src_reg != BPF_PSEUDO_FUNC)
		at++;
	assert_int_equal((int)at + 1 + img.insns[at].imm, img.funcs[1]);

	assert_int_equal(img.nrelocs, 2);
	assert_int_equal(img.relocs[1].insn, parts[0].ninsns + parts[1].relocs[0].insn);
	assert_int_equal(img.insns[img.relocs[1].insn].src_reg, BPF_PSEUDO_MAP_VALUE);
}

/* Slots of that size are in scratch memory, contexts of callbacks are not. */
static void contexts_are_on_the_stack(void **state)
{
	auto_arena struct arena a = { 0 };
	struct image img;

	(void)state;
	compile_text(&a, calls_back, &img);
	assert_int_equal(img.scratch_size, 0);
	assert_int_equal(img.stack_size, 64);
}

static void a_function_keeps_to_its_share_of_the_stack(void **state)
{
	auto_arena struct arena a = { 0 };
	struct codegen_target target = test_target;
	struct err e = { 0 };
	struct image img;

	(void)state;
	target.stack_max = 32;
	assert_int_equal(codegen(&a, parse_fn(&a, calls_back), &target, &img, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_know_their_place),
		cmocka_unit_test(maps_are_left_to_the_loader),
		cmocka_unit_test(the_image_says_what_it_needs),
		cmocka_unit_test(functions_find_each_other),
		cmocka_unit_test(contexts_are_on_the_stack),
		cmocka_unit_test(a_function_keeps_to_its_share_of_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
