/*
 * Object files as clang writes them: programs with the functions they call, maps, data; and
 * damaged ones. Skipped where there is no clang for BPF.
 */
#include "base/auto.h"
#include "bpf/object.h"
#include "clang_object.h"

#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char SOURCE[] =
	"typedef unsigned int u32; typedef unsigned long long u64;\n"
	"#define SEC(n) __attribute__((section(n), used))\n"
	"static void *(*lookup)(void *, const void *) = (void *)1;\n"
	"struct { int (*type)[1]; u32 *key; u64 *value; int (*max_entries)[16]; } counts "
	"SEC(\".maps\");\n"
	"struct { int (*type)[2]; int (*key_size)[4]; int (*value_size)[24];\n"
	"         int (*max_entries)[3]; } slots SEC(\".maps\");\n"
	"u64 total = 5;\n"
	"static __attribute__((noinline)) int twice(int x) { volatile int y = x; return y * 2; }\n"
	"static __attribute__((noinline)) int quad(int x) { return twice(x) + twice(x + 1); }\n"
	"SEC(\"socket\") int first(u32 *skb) { u32 k = 1; u64 *v = lookup(&counts, &k);\n"
	"  if (v) total += *v; v = lookup(&slots, &k); return v ? quad(*v) : 0; }\n"
	"SEC(\"xdp\") int second(void *ctx) { return twice(3); }\n"
	"#define CONF extern SEC(\".kconfig\")\n"
	"CONF u32 CONFIG_HZ; CONF char CONFIG_NAME[8]; CONF char CONFIG_MODULE;\n"
	"CONF _Bool CONFIG_ON __attribute__((weak)); CONF int CONFIG_OFF __attribute__((weak));\n"
	"SEC(\"xdp\") int third(void *ctx) { return CONFIG_HZ + CONFIG_NAME[1] + CONFIG_MODULE "
	"+ CONFIG_ON + CONFIG_OFF; }\n";

static const char *config_value(void *arg, const char *name)
{
	static const char *const VALUES[][2] = {
		{ "CONFIG_HZ", "250" },
		{ "CONFIG_NAME", "\"a longer name\"" },
		{ "CONFIG_MODULE", "m" },
		{ "CONFIG_ON", "y" },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(VALUES) / sizeof(*VALUES); i++)
		if (!strcmp(VALUES[i][0], name))
			return VALUES[i][1];
	return NULL;
}

static const struct bpf_object_config CONFIG = { config_value, NULL };

static void programs_maps_and_data(void **state)
{
	(void)state;
	auto_arena struct arena a = { 0 };
	auto_sb struct sb file = { 0 };
	struct bpf_object o;
	struct err e = { 0 };
	uint64_t total;

	if (!compile(SOURCE, &file))
		skip();
	if (bpf_object_read(&a, file.s, file.len, NULL, NULL, &o, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(o.progs.len, 3);
	assert_null(o.progs.data[0].refused);
	assert_non_null(strstr(o.progs.data[2].refused, "third needs CONFIG_"));
	assert_string_equal(o.progs.data[0].name, "first");
	assert_string_equal(o.progs.data[1].section, "xdp");
	/* r1 = 3, call, exit, and twice() alone behind it. */
	assert_int_equal(o.progs.data[1].insns[1].imm, 1);
	assert_true(o.progs.data[1].n < 9);

	assert_int_equal(o.maps.len, 3);
	assert_string_equal(o.maps.data[0].name, "counts");
	assert_int_equal(o.maps.data[0].type, BPF_MAP_TYPE_HASH);
	assert_int_equal(o.maps.data[0].key_size, 4);
	assert_int_equal(o.maps.data[0].value_size, 8);
	assert_int_equal(o.maps.data[0].max_entries, 16);
	assert_int_equal(o.maps.data[1].value_size, 24);
	assert_string_equal(o.maps.data[2].name, ".data");
	memcpy(&total, o.maps.data[2].data, sizeof(total));
	assert_int_equal(total, 5);
}

static bool holds(const uint8_t *data, const void *what, size_t size)
{
	for (unsigned at = 0; at < 5 * 64; at += 64)
		if (!memcmp(data + at, what, size))
			return true;
	return false;
}

static void variables_of_the_configuration(void **state)
{
	(void)state;
	auto_arena struct arena a = { 0 };
	auto_sb struct sb file = { 0 };
	struct bpf_object o;
	struct err e = { 0 };
	const uint32_t hz = 250;

	if (!compile(SOURCE, &file))
		skip();
	if (bpf_object_read(&a, file.s, file.len, &CONFIG, NULL, &o, &e))
		fail_msg("%s", e.msg);
	assert_null(o.progs.data[2].refused);
	const struct bpf_object_map *m = &o.maps.data[o.maps.len - 1];
	assert_string_equal(m->name, ".kconfig");
	assert_int_equal(m->value_size, 5 * 64);
	assert_true(holds(m->data, &hz, 4));
	assert_true(holds(m->data, "a longe\0", 9));
	assert_true(holds(m->data, "m\0", 2));
	assert_true(holds(m->data, "\1\0", 2));
}

/* Whatever the bytes: an error or a program, no access outside (the sanitizers watch). */
/* How many of 2,000 damaged copies of a file are refused; the others are read. */
static unsigned damage(const char *file, size_t size)
{
	auto_free uint8_t *bad = xcalloc(1, size);
	uint64_t seed = 12345;
	unsigned refused = 0;

	for (unsigned round = 0; round < 2000; round++) {
		auto_arena struct arena a = { 0 };
		struct bpf_object o;
		struct err e = { 0 };
		size_t len = size;

		memcpy(bad, file, size);
		for (unsigned k = 0; k < 1 + round % 5; k++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			size_t at = (seed >> 33) % (round & 1 ? size : 64);
			bad[at] = (uint8_t)(seed >> 20);
		}
		if (round % 7 == 0)
			len = (seed >> 33) % size;
		refused += bpf_object_read(&a, bad, len, &CONFIG, NULL, &o, &e) != 0;
	}
	return refused;
}

static void damaged_files_are_refused(void **state)
{
	(void)state;
	auto_sb struct sb file = { 0 };

	if (!compile(SOURCE, &file))
		skip();
	assert_true(damage(file.s, file.len) > 100);
}

/* Locks, timers and owned pointers are more than bytes: no program may write over them. */
static void values_of_the_kernels_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *types, *words;
	} CASES[] = {
		{ "struct bpf_spin_lock { u32 val; }; struct v { u64 n; struct bpf_spin_lock l; };",
		  "map m: there is a bpf_spin_lock in its values, which only a kernel can give a "
		  "meaning" },
		{ "struct bpf_timer { u64 a[2]; }; struct in { u32 a; struct bpf_timer t[2]; };"
		  "struct v { struct in list[3]; };",
		  "map m: there is a bpf_timer in its values, which only a kernel can give a "
		  "meaning" },
		{ "struct task_struct; struct v { u64 n; "
		  "struct task_struct __attribute__((btf_type_tag(\"kptr\"))) *t; };",
		  "map m: there is a kptr in its values, which only a kernel can give a meaning" },
		{ "struct task_struct; struct v { struct task_struct *t; struct v *next; };",
		  NULL },
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		auto_arena struct arena a = { 0 };
		auto_sb struct sb file = { 0 }, source = { 0 };
		struct bpf_object o;
		struct err e = { 0 };

		sb_printf(
			&source,
			"typedef unsigned int u32; typedef unsigned long long u64; %s\n"
			"#define SEC(n) __attribute__((section(n), used))\n"
			"static void *(*lookup)(void *, const void *) = (void *)1;\n"
			"struct { int (*type)[2]; u32 *key; struct v *value; "
			"int (*max_entries)[1]; } m SEC(\".maps\");\n"
			"SEC(\"xdp\") int p(void *ctx) { u32 k = 0; u64 *v = lookup(&m, &k);\n"
			"  if (v) *v = 0x4141; return 0; }\n",
			CASES[i].types);
		if (!compile(source.s, &file))
			skip();
		int ret = bpf_object_read(&a, file.s, file.len, NULL, NULL, &o, &e);
		assert_int_equal(ret, CASES[i].words ? -ENOTSUP : 0);
		if (CASES[i].words)
			assert_string_equal(e.msg, CASES[i].words);
	}
}

/* A plain writer's file: one section of code, symbols named by the sections' string table. */
struct plain_file {
	Elf64_Ehdr header;
	char names[32], gap[4];
	Elf64_Sym symbols[2];
	struct bpf_insn code[2];
	char pad[4];
	Elf64_Shdr sections[4];
} __attribute__((packed));

static struct plain_file plain_file(const char *section)
{
	struct plain_file f = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
			    .e_type = ET_REL,
			    .e_machine = EM_BPF,
			    .e_shoff = offsetof(struct plain_file, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 4,
			    .e_shstrndx = 1 },
		.symbols = { [1] = { .st_name = 1,
				     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
				     .st_shndx = 3,
				     .st_size = sizeof(f.code) } },
		.code = { { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 5 }, { BPF_JMP | BPF_EXIT } },
		.sections = { [1] = { .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct plain_file, names),
				      .sh_size = sizeof(f.names) },
			      [2] = { .sh_type = SHT_SYMTAB,
				      .sh_offset = offsetof(struct plain_file, symbols),
				      .sh_size = sizeof(f.symbols),
				      .sh_link = 1 },
			      [3] = { .sh_name = 6,
				      .sh_type = SHT_PROGBITS,
				      .sh_offset = offsetof(struct plain_file, code),
				      .sh_size = sizeof(f.code) } },
	};

	memcpy(f.names, "\0main", 6);
	snprintf(f.names + 6, sizeof(f.names) - 6, "%s", section);
	return f;
}

/* .text is a program's where there is nothing else; symbols may lie at any multiple of 4. */
static void plain_files_have_one_program(void **state)
{
	(void)state;
	static const char *const SECTIONS[] = { ".text", "xdp" };

	_Static_assert(offsetof(struct plain_file, symbols) % 8 == 4, "aligned to 4 only");
	_Static_assert(offsetof(struct plain_file, sections) % 8 == 0, "sections are aligned");
	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(*SECTIONS); i++) {
		auto_arena struct arena a = { 0 };
		struct plain_file file = plain_file(SECTIONS[i]);
		struct bpf_object o;
		struct err e = { 0 };

		if (bpf_object_read(&a, &file, sizeof(file), NULL, NULL, &o, &e))
			fail_msg("%s: %s", SECTIONS[i], e.msg);
		assert_int_equal(o.progs.len, 1);
		assert_string_equal(o.progs.data[0].name, "main");
		assert_string_equal(o.progs.data[0].section, SECTIONS[i]);
		assert_int_equal(o.progs.data[0].n, 2);
		assert_int_equal(o.progs.data[0].insns[0].imm, 5);
	}
}

/* Two maps that numbers define, the second of them static: its relocation names the section. */
struct classic_file {
	Elf64_Ehdr header;
	char names[32];
	Elf64_Sym symbols[5];
	struct bpf_insn code[6];
	Elf64_Rel rels[2];
	uint32_t maps[2][6];
	Elf64_Shdr sections[6];
};

#define AT(field)                                          \
	.sh_offset = offsetof(struct classic_file, field), \
	.sh_size = sizeof(((struct classic_file *)0)->field)

static struct classic_file classic_file(void)
{
	struct classic_file f = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB },
			    .e_type = ET_REL,
			    .e_machine = EM_BPF,
			    .e_shoff = offsetof(struct classic_file, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 6,
			    .e_shstrndx = 1 },
		.names = "\0main\0xdp\0maps\0one\0two",
		.symbols = { { 0 },
			     { 1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 3, 0, 48 },
			     { 15, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, 5, 0, 24 },
			     { 19, ELF64_ST_INFO(STB_LOCAL, STT_OBJECT), 0, 5, 24, 24 },
			     { 0, ELF64_ST_INFO(STB_LOCAL, STT_SECTION), 0, 5, 0, 0 } },
		.code = { { BPF_LD | BPF_IMM | BPF_DW, 1, 0, 0, 0 },
			  { 0 },
			  { BPF_LD | BPF_IMM | BPF_DW, 2, 0, 0, 24 },
			  { 0 },
			  { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0 },
			  { BPF_JMP | BPF_EXIT } },
		.rels = { { 0, ELF64_R_INFO(2ull, 1) }, { 16, ELF64_R_INFO(4ull, 1) } },
		.maps = { { BPF_MAP_TYPE_ARRAY, 4, 8, 10 },
			  { BPF_MAP_TYPE_HASH, 2, 16, 100, BPF_F_NO_PREALLOC } },
		.sections = { { 0 },
			      { .sh_type = SHT_STRTAB, AT(names) },
			      { .sh_type = SHT_SYMTAB, .sh_link = 1, AT(symbols) },
			      { .sh_name = 6, .sh_type = SHT_PROGBITS, AT(code) },
			      { .sh_type = SHT_REL, .sh_link = 2, .sh_info = 3, AT(rels) },
			      { .sh_name = 10, .sh_type = SHT_PROGBITS, AT(maps) } },
	};

	return f;
}

static void maps_of_numbers(void **state)
{
	(void)state;
	auto_arena struct arena a = { 0 };
	struct classic_file file = classic_file();
	struct bpf_object o;
	struct err e = { 0 };

	if (bpf_object_read(&a, &file, sizeof(file), NULL, NULL, &o, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(o.maps.len, 2);
	const struct bpf_object_map *one = &o.maps.data[0], *two = &o.maps.data[1];
	assert_string_equal(one->name, "one");
	assert_int_equal(one->type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(one->max_entries, 10);
	assert_string_equal(two->name, "two");
	assert_int_equal(two->type, BPF_MAP_TYPE_HASH);
	assert_int_equal(two->key_size, 2);
	assert_int_equal(two->value_size, 16);
	assert_int_equal(two->max_entries, 100);
	assert_int_equal(two->flags, BPF_F_NO_PREALLOC);
	assert_int_equal(o.progs.len, 1);
	for (uint32_t i = 0; i < 2; i++) {
		const struct bpf_insn *insn = &o.progs.data[0].insns[2 * (size_t)i];

		assert_int_equal(insn->src_reg, BPF_PSEUDO_MAP_FD);
		assert_int_equal(insn->imm, i + 1);
		assert_int_equal(insn[1].imm, 0);
	}
}

static void maps_of_numbers_that_are_none(void **state)
{
	(void)state;
	struct classic_file good = classic_file(), f[5];
	static const struct {
		int ret;
		const char *words;
	} WANT[] = {
		{ -EINVAL, "map two: a definition of 12 bytes is none" },
		{ -EINVAL, "bad object file: a map is outside of its section" },
		{ -ENOTSUP, "map two: its definition says more than type, sizes, entries "
			    "and flags" },
		{ -ENOTSUP, "map two: which maps it holds, only .maps with BTF can say" },
		{ -EINVAL, "bad object file: an address in its section of maps is none of a "
			   "map" },
	};

	for (size_t i = 0; i < 5; i++)
		f[i] = good;
	f[0].symbols[3].st_size = 12;
	f[1].symbols[3].st_value = 25;
	f[2].maps[1][5] = 1;
	f[3].maps[1][0] = BPF_MAP_TYPE_HASH_OF_MAPS;
	f[4].code[2].imm = 48;
	for (size_t i = 0; i < 5; i++) {
		auto_arena struct arena a = { 0 };
		struct bpf_object o;
		struct err e = { 0 };

		assert_int_equal(bpf_object_read(&a, &f[i], sizeof(f[i]), NULL, NULL, &o, &e),
				 WANT[i].ret);
		assert_string_equal(e.msg, WANT[i].words);
	}
}

static void damaged_maps_of_numbers(void **state)
{
	(void)state;
	struct classic_file file = classic_file();

	assert_true(damage((const char *)&file, sizeof(file)) > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_the_kernels_are_refused),
		cmocka_unit_test(plain_files_have_one_program),
		cmocka_unit_test(maps_of_numbers),
		cmocka_unit_test(maps_of_numbers_that_are_none),
		cmocka_unit_test(damaged_maps_of_numbers),
		cmocka_unit_test(programs_maps_and_data),
		cmocka_unit_test(variables_of_the_configuration),
		cmocka_unit_test(damaged_files_are_refused),
	};

	signal(SIGPIPE, SIG_IGN); /* without a compiler nobody reads the source */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
