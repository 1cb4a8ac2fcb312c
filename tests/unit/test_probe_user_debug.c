/*
 * Arguments and types by the debug information of programs that are compiled here.
 */
#include "probe/user_debug.h"

#include "damage.h"

static const char source[] =
	"struct list; enum kind { NONE, SOME = 7, LESS = -9 };\n"
	"struct list { struct list *next; int n : 3, m : 5; enum kind kind;\n"
	"  union { long v; char text[8]; }; short grid[2][3]; double d; };\n"
	"typedef struct list list_t; struct pair { long a, b; }; struct big { long v[3]; };\n"
	"int words(char a, short b, unsigned c, long d, list_t *e, enum kind f, int g, char h)\n"
	"{ return a + b + (int)c + (int)d + e->n + (int)f + g + h; }\n"
	"long wholes(struct pair a, struct big b, struct pair c, struct pair d, int e)\n"
	"{ return a.a + b.v[1] + c.b + d.a + e; }\n"
	"struct big result(int n) { return (struct big){ { n } }; }\n"
	"double floats(double a, int b) { return a + b; }\n"
	"int main(void) { list_t l = { 0 }; struct pair p = { 0 }; struct big b = { 0 };\n"
	"  return words(1, 2, 3, 4, &l, SOME, 5, 6) + (int)wholes(p, b, p, p, 1) +\n"
	"    (int)result(1).v[0] + (int)floats(1, 2); }\n";

struct session {
	struct arena arena;
	struct typetab types;
	struct probe_env env;
};

static void begin(struct session *s)
{
	*s = (struct session){};
	typetab_init(&s->types, &s->arena);
	s->env = (struct probe_env){ .arena = &s->arena, .types = &s->types };
	s->env.debug_dirs = "/nowhere";
}

static void end(struct session *s)
{
	probe_env_fini(&s->env);
	arena_free(&s->arena);
}

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	auto_sb struct sb path = {};

	strcpy(p->dir, "/tmp/test_debug.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	sb_printf(&path, "%s/a.c", p->dir);
	FILE *f = fopen(sb_str(&path), "w");
	fputs(source, f);
	fclose(f);
	run(p, "cc -O0 -gdwarf-4 -o old a.c && cc -O2 -gdwarf-5 -fno-inline -o new a.c &&"
	       "cc -O1 -gdwarf-4 -fdebug-types-section -o units a.c");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	run(p, "cd / && rm -r %s", p->dir);
	free(p);
	return 0;
}

/* The shape of a function at its entry; false: the file does not have it. */
static bool shape_of(struct session *s, const char *path, const char *func, struct shape *out)
{
	struct user_files files = {};
	const struct elf_func *fn;
	struct err e = {};

	*out = (struct shape){};
	if (user_files_find(&s->env, path, &files, &e))
		return false;
	fn = elf_funcs_find(user_file_funcs(&s->env, files.data[0]), func);
	struct target t = { .name = func, .symbol = func, .file = files.data[0]->path };
	t.pc = fn ? fn->addr : 0;
	return fn && !user_debug_args(&s->env, &t, out, &e);
}

static const struct probe_arg *arg_of(const struct shape *shape, const char *name)
{
	for (unsigned i = 0; i < shape->nargs; i++)
		if (!strcmp(shape->args[i].name, name))
			return &shape->args[i];
	return NULL;
}

#ifdef __x86_64__
enum { R9 = 64, R8 = 72, CX = 88, DX = 96, SI = 104, DI = 112, SP = 152 };

static void assert_word(const struct shape *shape, const char *name, unsigned off,
			unsigned size, bool is_signed)
{
	const struct probe_arg *a = arg_of(shape, name);

	assert_non_null(a);
	assert_null(a->missing);
	assert_int_equal(a->loc.kind, LOC_CTX);
	assert_int_equal(a->loc.off, off);
	assert_int_equal(a->loc.size, size);
	assert_int_equal(a->loc.is_signed, is_signed);
}

static void assert_stack(const struct shape *shape, const char *name, int64_t at)
{
	const struct probe_arg *a = arg_of(shape, name);

	assert_non_null(a);
	assert_null(a->missing);
	assert_int_equal(a->loc.kind, LOC_USER);
	assert_int_equal(a->loc.off, SP);
	assert_int_equal(a->loc.imm, at);
}

static void assert_pair(const struct shape *shape, const char *name, unsigned low,
			unsigned high)
{
	const struct probe_arg *a = arg_of(shape, name);

	assert_non_null(a);
	assert_null(a->missing);
	assert_int_equal(a->loc.kind, LOC_PAIR);
	assert_int_equal(a->loc.off, low);
	assert_int_equal(a->loc.off2, high);
}

static void check_arguments(const struct place *p, const char *file)
{
	struct session s;
	struct shape shape;
	char path[64];

	begin(&s);
	assert_true(shape_of(&s, in(p, file, path), "words", &shape));
	assert_int_equal(shape.nargs, 8);
	assert_word(&shape, "a", DI, 1, true);
	assert_word(&shape, "b", SI, 2, true);
	assert_word(&shape, "c", DX, 4, false);
	assert_word(&shape, "d", CX, 8, true);
	assert_word(&shape, "e", R8, 8, false);
	assert_word(&shape, "f", R9, 4, true);
	assert_stack(&shape, "g", 8);
	assert_stack(&shape, "h", 16);

	assert_true(shape_of(&s, path, "wholes", &shape));
	assert_pair(&shape, "a", DI, SI);
	assert_stack(&shape, "b", 8);
	assert_pair(&shape, "c", DX, CX);
	assert_pair(&shape, "d", R8, R9);
	assert_stack(&shape, "e", 32);

	assert_true(shape_of(&s, path, "result", &shape));
	assert_word(&shape, "n", SI, 4, true);
	assert_true(shape_of(&s, path, "floats", &shape));
	assert_word(&shape, "b", DI, 4, true);
	assert_non_null(arg_of(&shape, "a")->missing);
	end(&s);
}

static void arguments_lie_where_the_convention_says(void **state)
{
	check_arguments(*state, "old");
	check_arguments(*state, "new");
}
#endif

static void check_types(const struct place *p, const char *file)
{
	struct session s;
	struct shape shape;
	struct field f;
	char path[64];
	int64_t value;
	const struct type *t;

	begin(&s);
	assert_true(shape_of(&s, in(p, file, path), "words", &shape));
	t = arg_of(&shape, "e")->type;
	assert_int_equal(t->kind, T_PTR);
	t = t->elem;
	assert_int_equal(t->kind, T_STRUCT);
	assert_string_equal(t->name, "list");
	assert_int_equal(t->size, 48);
	assert_true(type_member(&s.types, t, "m", &f));
	assert_int_equal(f.bit_off, 67);
	assert_int_equal(f.bit_size, 5);
	assert_true(type_member(&s.types, t, "text", &f));
	assert_int_equal(f.bit_off, 128);
	assert_true(f.type->elem->is_char);
	assert_int_equal(f.type->nelems, 8);
	assert_true(type_member(&s.types, t, "grid", &f));
	assert_int_equal(f.type->nelems, 2);
	assert_int_equal(f.type->elem->nelems, 3);
	assert_int_equal(f.type->size, 12);
	assert_true(type_member(&s.types, t, "d", &f));
	assert_int_equal(f.type->kind, T_FLOAT);
	assert_true(type_member(&s.types, t, "next", &f));
	assert_true(type_same(f.type->elem, t));

	struct target target = { .file = s.env.user_files->path };
	assert_true(probe_user_const(&s.env, &target, "LESS", &value, &t));
	assert_int_equal(value, -9);
	assert_string_equal(t->name, "kind");
	t = probe_user_type(&s.env, &target, WORD_PLAIN, "list_t");
	assert_string_equal(t->name, "list");
	assert_null(probe_user_type(&s.env, &target, WORD_STRUCT, "list_t"));
	assert_null(probe_user_type(&s.env, &target, WORD_ENUM, "list"));
	end(&s);
}

static void types_have_their_members(void **state)
{
	check_types(*state, "old");
	check_types(*state, "new");
	check_types(*state, "units");
}

static void look_at(struct session *s, const struct type *t, int depth)
{
	uint32_t n = 0;
	const struct field *f;

	if (depth > 4)
		return;
	if (t->kind == T_PTR || t->kind == T_ARRAY)
		look_at(s, t->elem, depth + 1);
	if (t->kind == T_ENUM)
		type_enum_consts(&s->types, t, &n);
	f = t->kind == T_STRUCT ? type_fields(&s->types, t, &n) : NULL;
	for (uint32_t i = 0; f && i < n; i++) {
		assert_true(f[i].bit_off +
				    (f[i].bit_size ? f[i].bit_size : f[i].type->size * 8) <=
			    t->size * 8);
		look_at(s, f[i].type, depth + 1);
	}
}

static void print_nothing(void *arg, const char *text)
{
	*(size_t *)arg += strlen(text);
}

/* Members stay inside their structs, whatever the file says. */
static void ask_everything(const char *path)
{
	static const char *const funcs[] = { "words", "wholes", "result", "floats" };
	struct session s;
	struct shape shape;
	size_t sum = 0;
	struct err e;

	begin(&s);
	for (size_t i = 0; i < sizeof(funcs) / sizeof(*funcs); i++) {
		if (shape_of(&s, path, funcs[i], &shape))
			for (unsigned k = 0; k < shape.nargs; k++)
				look_at(&s, shape.args[k].type, 0);
		if (!s.env.user_files)
			break;
		for (uint64_t pc = 0x1120; pc < 0x1200; pc += 9) {
			struct target t = { .file = s.env.user_files->path, .pc = pc };

			t.name = t.symbol = "f";
			user_debug_args(&s.env, &t, &shape, &e);
			user_debug_params(&s.env, &t, print_nothing, &sum, &e);
		}
	}
	if (s.env.user_files) {
		struct target t = { .file = s.env.user_files->path };
		const struct type *type = probe_user_type(&s.env, &t, WORD_STRUCT, "list");

		if (type)
			look_at(&s, type, 0);
	}
	end(&s);
}

static void types_are_found_where_dwz_put_them(void **state)
{
	const struct place *p = *state;
	struct session s;
	struct shape shape;
	char path[64];

	if (system("command -v dwz >/dev/null"))
		skip();
	run(p, "cp old one && cp old two && dwz -m common -M $PWD/common one two &&"
	       "readelf -S one | grep -q gnu_debugaltlink");
	check_types(p, "one");
	/* Without it there is less to know. */
	run(p, "mv common gone");
	begin(&s);
	assert_true(!shape_of(&s, in(p, "two", path), "words", &shape) ||
		    arg_of(&shape, "e")->missing || !arg_of(&shape, "e")->type->elem->size);
	end(&s);
	run(p, "mv gone common");
	damage(p, "one", 300, ask_everything);
}

static void damaged_programs_do_no_harm(void **state)
{
	damage(*state, "old", 600, ask_everything);
	damage(*state, "new", 600, ask_everything);
	damage(*state, "units", 300, ask_everything);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(arguments_lie_where_the_convention_says),
#endif
		cmocka_unit_test(types_have_their_members),
		cmocka_unit_test(types_are_found_where_dwz_put_them),
		cmocka_unit_test(damaged_programs_do_no_harm),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
