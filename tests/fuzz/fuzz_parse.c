/*
 * Fuzzer of the parser and of the C at the head of a script:
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc -Iinclude -D_GNU_SOURCE \
 *		tests/fuzz/fuzz_parse.c src/script/{lex,parse,ast}*.c src/cfront/*.c \
 *		src/{base,types,kernel}/*.c -o /tmp/fuzz_parse
 *	/tmp/fuzz_parse -max_len=4096 -max_total_time=60 CORPUS tests/script
 *
 * Whatever the text, parsing ends, and a tree without errors can be copied and printed.
 */
#include "base/auto.h"
#include "script/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_c(struct arena *a, struct diags *dx, const struct script *s)
{
	struct typetab types;
	const struct cfront_env env = { .types = &types };

	typetab_init(&types, a);
	types.btf_path = "/dev/null";
	cfront_load(cfront_new(a, &env), s->c_items.data, s->c_items.len, dx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_sb struct sb out = { 0 };
	struct sources sources;
	struct diags dx;

	sources_init(&sources, &a);
	diags_init(&dx, &a, &sources);

	const struct source *src = sources_add(&sources, "fuzz", (const char *)data, size);
	struct script *s = parse_script(&a, &dx, src, NULL);

	if (!diag_failed(&dx)) {
		for (struct probe *p = s->probes; p; p = p->next)
			p->body = stmt_clone(&a, p->body);
		ast_print(s, &out);
	}
	read_c(&a, &dx, s);
	return 0;
}
