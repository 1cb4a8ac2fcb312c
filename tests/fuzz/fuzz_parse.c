/*
 * Fuzzer of the parser, the formatter and the C at the head of a script:
 *
 *	make CC=clang SAN=-fsanitize=fuzzer-no-link,address,undefined BUILD=/tmp/fuzz
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc -Iinclude -D_GNU_SOURCE \
 *		tests/fuzz/fuzz_parse.c /tmp/fuzz/libscry.a -o /tmp/fuzz_parse
 *	/tmp/fuzz_parse -max_len=4096 -max_total_time=60 CORPUS tests/script
 *
 * Whatever the text, parsing ends; a tree without errors can be copied and printed; a formatted
 * script does not change when it is formatted again.
 */
#include "base/auto.h"
#include "script/fmt.h"
#include "script/parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_c(struct arena *a, struct diags *dx, const struct script *s)
{
	struct typetab types;
	const struct cfront_env env = { .types = &types };

	typetab_init(&types, a);
	types.btf_path = "/dev/null";
	cfront_load(cfront_new(a, &env), s->c_items.data, s->c_items.len, dx);
}

static void format_twice(struct arena *a, struct diags *dx, const struct source *src)
{
	auto_sb struct sb once = { 0 }, twice = { 0 };

	if (!fmt_script(a, dx, src, &once))
		return;

	const struct source *again = sources_add(dx->sources, "again", sb_str(&once), once.len);
	if (!fmt_script(a, dx, again, &twice) || strcmp(sb_str(&once), sb_str(&twice)) != 0)
		BUG("formatted again:\n%s\n---\n%s", sb_str(&once), sb_str(&twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_sb struct sb out = { 0 };
	struct sources sources;
	struct diags dx;

	sources_init(&sources, &a);
	diags_init(&dx, &a, &sources);

	const struct source src = *sources_add(&sources, "fuzz", (const char *)data, size);
	struct script *s = parse_script(&a, &dx, &src, NULL);

	if (!diag_failed(&dx)) {
		for (struct probe *p = s->probes; p; p = p->next)
			p->body = stmt_clone(&a, p->body);
		ast_print(s, &out);
		format_twice(&a, &dx, &src);
	}
	read_c(&a, &dx, s);
	return 0;
}
