/*
 * The registry of builtins, and the check of a use against its row's signature.
 */
#include "builtin/builtin.h"
#include "builtin/seq.h"

#include "script/parse.h"
#include "script/unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY(name) extern BUILTINS(name);
#include "builtin/families.def"
#undef FAMILY

const struct builtin *const builtin_families[] = {
#define FAMILY(name) builtins_##name,
#include "builtin/families.def"
#undef FAMILY
	NULL,
};

enum { LAST_ARG = 254 };

/* "arg10" ... "arg253": they have no rows of their own. */
static bool is_far_arg(const char *name)
{
	size_t digits;

	if (strncmp(name, "arg", 3) != 0 || name[3] == '0')
		return false;
	digits = strspn(name + 3, "0123456789");
	return (digits == 2 || digits == 3) && !name[3 + digits] && atoi(name + 3) < LAST_ARG;
}

const struct builtin *builtin_find(const char *name)
{
	if (is_far_arg(name))
		name = "arg254";
	for (size_t f = 0; builtin_families[f]; f++)
		for (const struct builtin *b = builtin_families[f]; b->name; b++)
			if (!strcmp(b->name, name))
				return b;
	return NULL;
}

const char *builtin_nearest(const char *word)
{
	const char *best = NULL;
	unsigned dist = 0;

	for (size_t f = 0; builtin_families[f]; f++)
		for (const struct builtin *b = builtin_families[f]; b->name; b++)
			diag_nearer(word, b->name, &best, &dist);
	return best;
}

/* A signature, taken apart. */
enum { SIG_PARAMS_MAX = 8 };

struct signature {
	char result[16];
	struct {
		char kind[8];
	} params[SIG_PARAMS_MAX];
	unsigned nparams, nrequired;
	bool variadic;
};

static const char *copy_word(char *dst, size_t size, const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)*s) || *s == '[' || *s == ']' || *s == '?') {
		if (n + 1 < size)
			dst[n++] = *s;
		s++;
	}
	dst[n] = '\0';
	return s;
}

static void parse_signature(const char *s, struct signature *sig)
{
	bool optional = false;

	*sig = (struct signature){};
	s = copy_word(sig->result, sizeof(sig->result), s);
	s = strchr(s, '(') + 1;
	while (*s != ')') {
		if (*s == '[') {
			optional = true;
			s++;
		} else if (!strncmp(s, "...", 3)) {
			sig->variadic = true;
			sig->nrequired--; /* any number more: none, too */
			s += 3;
		} else if (isalpha((unsigned char)*s)) {
			char *kind = sig->params[sig->nparams++].kind;
			size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");

			memcpy(kind, s, n < 7 ? n : 7);
			s += n;
			sig->nrequired += !optional;
		} else {
			s++;
		}
	}
}

static const char *count_words(struct compiler *c, unsigned n)
{
	return n == 0	? "no arguments"
	       : n == 1 ? "one argument"
			: arena_printf(c->arena, "%u arguments", n);
}

static bool check_arity(struct unit *u, struct expr *e, const struct signature *sig)
{
	struct compiler *c = u->c;
	const char *how, *words;

	if (e->nargs < sig->nrequired) {
		bool fixed = sig->nrequired == sig->nparams && !sig->variadic;

		how = fixed ? "requires " : "requires at least ";
		words = count_words(c, sig->nrequired);
	} else if (e->nargs > sig->nparams && !sig->variadic) {
		how = sig->nrequired == sig->nparams ? "requires " : "takes up to ";
		words = count_words(c, sig->nparams);
	} else {
		return true;
	}
	diag(c->dx, E0301_ARITY, e->span,
	     arena_printf(c->arena, "%s() %s%s (%u provided)", e->name, how, words, e->nargs));
	return false;
}

bool builtin_bad_arg(struct unit *u, const struct expr *arg, const char *words)
{
	diag(u->c->dx, E0302_ARG_TYPE, arg->span, words);
	return false;
}

/* Where to get from what a kind of probe does not have. */
static const char *elsewhere(const char *what, const char *provider)
{
	bool is_return = !strcmp(provider, "kretprobe") || !strcmp(provider, "uretprobe");

	if (!strcmp(what, "args") && !strcmp(provider, "kprobe"))
		return "arg0, arg1 ... are its arguments; in fentry:FUNCTION they have names: args.NAME";
	if (!strcmp(what, "args") && !strcmp(provider, "kretprobe"))
		return "fexit:FUNCTION has args and retval";
	if (!strncmp(what, "arg", 3) && !strcmp(provider, "tracepoint"))
		return "a tracepoint has fields: args.NAME, listed by scry -lv 'tracepoint:...'";
	if (!strncmp(what, "arg", 3) && is_return)
		return "keep it where the function begins, e.g. @arg[tid] = arg0";
	if (!strcmp(what, "retval") && !strcmp(provider, "kprobe"))
		return "kretprobe:FUNCTION and fexit:FUNCTION have it";
	if (!strcmp(what, "retval") && !strcmp(provider, "uprobe"))
		return "uretprobe:FILE:FUNCTION has it";
	if (!strcmp(what, "retval") && !strcmp(provider, "fentry"))
		return "fexit:FUNCTION has it";
	if (!strcmp(what, "retval") && !strcmp(provider, "tracepoint"))
		return "a tracepoint has fields: those of system calls return args.ret";
	return NULL;
}

bool builtin_not_here(struct unit *u, const struct expr *e, const char *what)
{
	struct compiler *c = u->c;
	const char *provider, *hint;
	struct diag *d;

	if (u->unplaced)
		return false;
	provider = u->group->provider->name;
	hint = elsewhere(what, provider);
	d = diag(c->dx, E0303_NOT_HERE, e->span,
		 arena_printf(c->arena, "%s can not be used with \"%s\" probes", what,
			      provider));
	if (hint)
		diag_hint(d, "%s", hint);
	return false;
}

static bool bad_arg(struct unit *u, struct expr *e, const struct expr *arg, const char *wants)
{
	struct compiler *c = u->c;

	if (type_is_error(arg->type))
		return false;
	return builtin_bad_arg(u, arg,
			       arena_printf(c->arena, "%s() %s (%s provided)", e->name, wants,
					    type_text(c, arg->type)));
}

static bool check_arg(struct unit *u, struct expr *e, struct expr *arg, const char *kind)
{
	const char *s;
	size_t len;

	if (!strcmp(kind, "raw"))
		return true;
	if (!strcmp(kind, "map")) {
		if (arg->kind == E_MAP && !arg->key) {
			map_of(u, arg);
			arg->type = &type_none;
			return true;
		}
		const char *words = "expects a map, named without a key";
		if (arg->kind == E_MAP) /* whether it has keys at all is not the point */
			return builtin_bad_arg(
				u, arg, arena_printf(u->c->arena, "%s() %s", e->name, words));
		check_expr(u, arg);
		return bad_arg(u, e, arg, words);
	}
	if (!strcmp(kind, "lit")) {
		if (literal_text(u, arg, &s, &len)) {
			arg->type = type_string(u->c->tt, (uint32_t)len + 1);
			return true;
		}
		check_expr(u, arg);
		return bad_arg(u, e, arg, "expects a string literal");
	}

	const struct type *t = check_value(u, arg);
	if (!strcmp(kind, "any") || type_is_error(t))
		return !type_is_error(t);
	if (!strcmp(kind, "str"))
		return t->kind == T_STRING || probe_as_text(u, arg) ||
		       bad_arg(u, e, arg, "only supports string arguments");
	if (!strcmp(kind, "num"))
		return (arg->is_const && type_is_integral(t)) ||
		       bad_arg(u, e, arg, "expects an integer literal");
	if (!strcmp(kind, "real") && t->kind == T_FLOAT)
		return true;
	return type_is_integral(t) || t->kind == T_PTR || t->kind == T_KSYM ||
	       bad_arg(u, e, arg, "only supports int arguments");
}

static const struct type *result_type(struct unit *u, const char *result)
{
	struct typetab *tt = u->c->tt;

	switch (result[0]) {
	case 'u': return type_int(tt, result[1] == '8' ? 1 : result[1] == '3' ? 4 : 8, false);
	case 'i': return type_int(tt, 8, true);
	case 'b': return &type_bool;
	case 'k': return &type_ksym;
	case 'p': return &type_probe;
	case 's': return type_string(tt, (uint32_t)atoi(result + strlen("string[")));
	case 'n': return &type_none;
	default: return &type_error; /* "?": the row's check says */
	}
}

static bool check_form(struct unit *u, struct expr *e, const struct builtin *b)
{
	if (e->kind == E_NAME && !(b->flags & (BI_BARE | BI_NO_CALL))) {
		struct signature sig;

		parse_signature(b->sig, &sig);
		diag(u->c->dx, E0301_ARITY, e->span,
		     arena_printf(u->c->arena, "%s is a function: write %s(%s)", b->name,
				  b->name, sig.nrequired ? "..." : ""));
		return false;
	}
	if ((b->flags & BI_PROBE) && u->in) {
		diag(u->c->dx, E0303_NOT_HERE, e->span,
		     arena_printf(u->c->arena, "the %s builtin is not supported in a function",
				  b->name));
		return false;
	}
	if ((b->flags & BI_SENDS) && seq_is_output(u)) {
		diag(u->c->dx, E0311_PINNED, e->span,
		     arena_printf(u->c->arena, "%s()", b->name));
		return false;
	}
	if ((b->flags & BI_UNSAFE) && !u->c->opt->unsafe) {
		diag(u->c->dx, E0307_UNSAFE, e->span, b->name);
		return false;
	}
	return true;
}

const struct type *builtin_expand(struct unit *u, struct expr *e, const char *words)
{
	const struct source text = { .name = e->name,
				     .text = words,
				     .len = (uint32_t)strlen(words) };
	struct expr *copy = parse_expr_text(u->c->arena, NULL, &text);
	struct span span = e->span;

	if (!copy)
		BUG("the text of %s is no expression", e->name);
	*e = *copy;
	e->span = span;
	return check_expr(u, e);
}

const struct type *builtin_check(struct unit *u, struct expr *e)
{
	const struct builtin *b = builtin_find(e->name);

	struct signature sig;
	bool ok;

	e->builtin = b;
	e->type = &type_error;
	parse_signature(b->sig, &sig);
	ok = check_form(u, e, b) && check_arity(u, e, &sig);
	for (unsigned i = 0; i < e->nargs; i++) {
		/* Past the last parameter its kind goes on: "any..." */
		unsigned p = i < sig.nparams ? i : sig.nparams - 1;

		if (!ok && e->args[i]->kind == E_MAP)
			continue; /* whether it is the map that is meant is not known */
		if (!ok || !sig.nparams)
			check_expr(u, e->args[i]);
		else
			ok &= check_arg(u, e, e->args[i], sig.params[p].kind);
	}
	if (!ok)
		return e->type = &type_error;
	if (b->flags & BI_PRELUDE)
		return expand_prelude(u, e);

	e->type = result_type(u, sig.result);
	if (b->check && !b->check(u, e))
		e->type = &type_error;
	return e->type;
}
