/*
 * The compiler on damaged scripts: whatever the text, it ends with a plan or with messages.
 *
 * Scripts of the test suite are cut into tokens; tokens are dropped, doubled, swapped and
 * replaced by others of the pool, so that most results still parse and reach the checker and
 * the lowering.  The seed is fixed: every run tries the same texts.
 */
#include "mutate.h"
#include "script_text.h"

#include "script/compile.h"
#include "types/btf.h"

#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROUNDS = 6000, TOKENS_MAX = 4096 };

struct tokens {
	const char *text[TOKENS_MAX];
	size_t len[TOKENS_MAX];
	size_t n;
};

static size_t token_length(const char *s)
{
	size_t n = 1;

	if (*s == '"') {
		while (s[n] && s[n] != '"' && s[n] != '\n')
			n += s[n] == '\\' && s[n + 1] ? 2 : 1;
		return s[n] == '"' ? n + 1 : n;
	}
	if (isalnum((unsigned char)*s) || *s == '_' || *s == '$' || *s == '@')
		while (isalnum((unsigned char)s[n]) || s[n] == '_' || s[n] == ':')
			n++;
	return n;
}

static void add_tokens(struct tokens *t, const char *text)
{
	for (const char *s = text; *s && t->n < TOKENS_MAX;) {
		if (*s == '/' && s[1] == '/') {
			s += strcspn(s, "\n");
			continue;
		}
		if (isspace((unsigned char)*s) && *s != '\n') {
			s++;
			continue;
		}
		t->text[t->n] = s;
		t->len[t->n++] = token_length(s);
		s += t->len[t->n - 1];
	}
}

/* Small programs: little damage is needed to make another one that compiles. */
static const char *const seeds[] = {
	"BEGIN { @a[comm, pid] = count(); @b[comm, 1] = sum(5); print(@a, 3, 2); }",
	"BEGIN { @h = hist(nsecs, 2); @l = lhist((int8)-1, 0, 9, 3); clear(@h); zero(@l); }",
	"BEGIN { $x = (int8)-1; $y = (uint16)$x + 3; print($x < $y ? $x : $y); }",
	"BEGIN { printf(\"%s %d %5x\", str($1), $1, -1); printf(\"%s\", (1, \"a\")); }",
	"BEGIN { $t = (1, \"x\", (2, 3)); print($t.2.1); print($t == (1, \"y\", (2, 4))); @t = $t; }",
	"BEGIN { $x = 0; while ($x < 5) { $x++; if ($x == 3) { break; } else { continue; } } }",
	"BEGIN { for ($i : 0..9) { @s = sum($i); @k[$i] = $i * 2; } unroll(2) { @m = max(-1); } }",
	"BEGIN { @k[kstack(3)] = avg(5); delete(@k, kstack(3)); print(has_key(@k, kstack(3))); }",
	"BEGIN { $p = (struct task_struct *)0; print($p->comm); print(curtask.real_parent.pid); }",
	"BEGIN { print(buf(0, 8)); join(0); time(\"%H\"); print(strftime(\"%Y\", nsecs)); }",
	"BEGIN { print({ let $q = 3; $q * $q } + 1); print(if (pid > 1) { 1 } else { 2 }); }",
	"BEGIN { $r = (a=1, b=\"c\"); print($r.b); @r = $r; print($r == (a=2, b=\"d\")); }",
	"BEGIN { @c = count(); if (@c > 1) { print(@c); } @m = min(3); print(@m + 1); }",
	"BEGIN { $s = \"abc\"; print($s[1]); print($s == \"abd\"); @[$s] = 1; @v = \"longer\"; }",
	"BEGIN { let $a: uint8 = 5; $a += 3; $a <<= 1; @x = 1; @x -= 2; @x++; print(@x--); }",
	"BEGIN { print(ntop(2, 1)); print(-7 / 2); print(1 << 3 | 4 & 6 ^ 1); print(!pid && ~tid); }",
	"macro m($v, e) { $v += e; $v } BEGIN { $n = 1; print(m($n, 4) * 2); }",
	"struct s { int a:3; char b[4]; struct s *n; }; BEGIN { print(((struct s *)0)->n->b); "
	"print(*(struct s *)0); print(sizeof(struct s)); }",
	"interval:s:1 { print(probe); @ = count(); } END { exit(1); }",
	"#define N 5\nBEGIN { print(N + AF_INET); @e[TCP_LISTEN] = N; } profile:hz:99 { @[cpu]++; }",
};

static void mix(struct sb *out, const struct tokens *script, const struct tokens *pool,
		uint32_t *seed)
{
	uint32_t rate = 6 + draw(seed) % 100;

	for (size_t i = 0; i < script->n; i++) {
		const struct tokens *from = script;
		size_t at = i;

		if (draw(seed) % rate == 0) {
			uint32_t what = draw(seed) % 4;

			if (what == 0)
				continue;
			if (what == 1) {
				sb_write(out, script->text[i], script->len[i]);
				sb_putc(out, ' ');
			} else if (what == 2) {
				at = draw(seed) % script->n;
			} else {
				from = pool;
				at = draw(seed) % pool->n;
			}
		}
		sb_write(out, from->text[at], from->len[at]);
		sb_putc(out, ' ');
	}
}

static bool compiles(const char *text)
{
	static const char *const params[] = { "12", "word" };
	auto_script struct script_text t;
	struct typetab types;
	struct probe_env env = { .arena = &t.arena, .types = &types, .dx = &t.dx };
	const struct compile_options opt = {
		.params = params,
		.nparams = 2,
		.ncpus = 4,
		.isa = 3,
		.unsafe = true,
		.env = &env,
	};
	struct script_config cfg;

	script_text_init(&t, "test", text, strlen(text));
	typetab_init(&types, &t.arena);
	script_config_init(&cfg);
	struct plan *plan = compile_script(&t.arena, &t.dx, &t.sources, t.source, &cfg, &opt);
	probe_env_fini(&env);
	btf_free((struct btf *)types.btf);
	/* No plan without a reason. */
	assert_true(plan || diag_failed(&t.dx));
	return plan != NULL;
}

static void damaged_scripts_end_in_a_plan_or_messages(void **state)
{
	enum { NSEEDS = sizeof(seeds) / sizeof(*seeds), FILES_MAX = 128 };
	static struct tokens scripts[FILES_MAX + NSEEDS], pool;
	char *texts[FILES_MAX];
	uint32_t seed = 42;
	unsigned nscripts = 0, compiled = 0;
	glob_t g = { 0 };

	(void)state;
	glob("tests/script/*.bt", 0, NULL, &g);
	for (size_t i = 0; i < g.gl_pathc && nscripts < FILES_MAX; i++) {
		size_t len;

		texts[nscripts] = read_text(g.gl_pathv[i], &len);
		assert_non_null(texts[nscripts]);
		add_tokens(&scripts[nscripts], texts[nscripts]);
		nscripts++;
	}
	globfree(&g);
	assert_in_range(nscripts, 10, FILES_MAX);
	for (unsigned i = 0; i < NSEEDS; i++) {
		add_tokens(&scripts[nscripts + i], seeds[i]);
		add_tokens(&pool, seeds[i]);
	}

	for (unsigned round = 0; round < ROUNDS; round++) {
		/* Mostly the small ones. */
		unsigned which =
			round % 4 ? nscripts + draw(&seed) % NSEEDS : draw(&seed) % nscripts;
		auto_sb struct sb text = {};

		mix(&text, &scripts[which], &pool, &seed);
		compiled += compiles(sb_str(&text));
	}
	for (unsigned i = 0; i < nscripts; i++)
		free(texts[i]);
	/* Otherwise the damage is so great that nothing behind the parser is tried. */
	assert_in_range(compiled, ROUNDS / 10, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_scripts_end_in_a_plan_or_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
