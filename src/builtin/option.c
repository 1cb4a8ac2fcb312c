/*
 * Builtins about how the script was started: its named options, its settings.
 */
#include "builtin/builtin.h"

#include "script/unit.h"

#include <string.h>

/* What the uses of one option agree on. */
struct script_option {
	const char *name;
	const struct expr *use; /* the first one */
	enum { OPTION_BOOL, OPTION_INT, OPTION_TEXT } kind;
	int64_t number;	  /* the default */
	const char *text; /* the default, or NULL */
	const char *help; /* or NULL */
};

/* The default, which also says what kind of option it is; without one it is a switch. */
static bool read_default(struct unit *u, struct expr *e, struct script_option *o)
{
	struct expr *a = e->nargs > 1 ? e->args[1] : NULL;
	size_t len;

	if (!a)
		return true;
	if (literal_text(u, a, &o->text, &len)) {
		o->kind = OPTION_TEXT;
		return true;
	}
	const struct type *t = check_value(u, a);
	if (!a->is_const || (t->kind != T_BOOL && t->kind != T_INT))
		return builtin_bad_arg(u, a,
				       "getopt() expects a bool, a number or a string literal");
	o->kind = t->kind == T_BOOL ? OPTION_BOOL : OPTION_INT;
	o->number = a->const_value;
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool agrees(struct unit *u, const struct expr *e, const struct script_option *o)
{
	struct strmap *known = &u->c->options;
	const struct script_option *first = strmap_gets(known, o->name);

	if (!first) {
		struct script_option *copy = arena_new(u->c->arena, struct script_option);

		*copy = *o;
		strmap_sets(known, o->name, copy);
		return true;
	}
	if (first->kind == o->kind && first->number == o->number &&
	    same_text(first->text, o->text) && same_text(first->help, o->help))
		return true;
	struct diag *d =
		diag(u->c->dx, E0310_OPTION, e->span,
		     arena_printf(u->c->arena,
				  "option --%s has another default or description elsewhere",
				  o->name));
	diag_note(d, first->use->span, "the first use");
	return false;
}

/* The word of an option on the command line, behind its name: "=value", "" or NULL. */
static const char *find_word(const struct compiler *c, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (unsigned i = 0; i < c->opt->noptions; i++) {
		const char *rest = c->opt->options[i] + strlen("--");

		if (!strncmp(rest, name, len) && (rest[len] == '=' || !rest[len]))
			found = rest + len; /* the last one counts */
	}
	return found;
}

static bool bad_value(struct unit *u, struct expr *e, const char *name, const char *kind,
		      const char *value)
{
	diag(u->c->dx, E0310_OPTION, e->span,
	     arena_printf(u->c->arena,
			  "program command line option --%s invalid %s (value: %s)", name, kind,
			  value));
	return false;
}

static bool take_bool(struct unit *u, struct expr *e, const struct script_option *o,
		      const char *word)
{
	bool v = word ? !*word || !strcmp(word, "=true") : o->number != 0;

	if (word && *word && !v && strcmp(word, "=false") != 0)
		return bad_value(u, e, o->name, "bool", word + 1);
	e->is_const = true;
	e->const_value = v;
	e->type = &type_bool;
	return true;
}

static bool take_int(struct unit *u, struct expr *e, const struct script_option *o,
		     const char *word)
{
	int64_t v = o->number;
	bool beyond = false;

	if (word && (!*word || !param_number(word + 1, &v, &beyond)))
		return bad_value(u, e, o->name, "integer", *word ? word + 1 : "");
	set_const(u->c, e, v, beyond);
	return true;
}

static bool take_text(struct unit *u, struct expr *e, const struct script_option *o,
		      const char *word)
{
	const char *s = word && *word ? word + 1 : word ? word : o->text;

	become_string(u->c, e, s, strlen(s));
	return true;
}

static bool check_getopt(struct unit *u, struct expr *e)
{
	struct script_option o = { .use = e };
	size_t len;

	literal_text(u, e->args[0], &o.name, &len);
	if (e->nargs > 2)
		literal_text(u, e->args[2], &o.help, &len);
	if (!read_default(u, e, &o) || !agrees(u, e, &o))
		return false;

	const char *word = find_word(u->c, o.name);
	switch (o.kind) {
	case OPTION_BOOL: return take_bool(u, e, &o, word);
	case OPTION_INT: return take_int(u, e, &o, word);
	case OPTION_TEXT: return take_text(u, e, &o, word);
	}
	return false;
}

static bool is_known(struct compiler *c, const char *word)
{
	const char *name = word + strlen("--");
	const char *end = strchrnul(name, '=');

	vec_each(entry, &c->options.entries) {
		const struct script_option *o = entry->value;

		if (!strncmp(o->name, name, (size_t)(end - name)) && !o->name[end - name])
			return true;
	}
	return false;
}

static const char *list_known(struct compiler *c)
{
	const char *list = "";

	vec_each(entry, &c->options.entries) {
		const struct script_option *o = entry->value;

		list = arena_printf(c->arena, "%s%s--%s%s%s", list, *list ? ", " : "", o->name,
				    o->help ? ": " : "", o->help ? o->help : "");
	}
	return list;
}

void builtin_check_options(struct compiler *c)
{
	for (unsigned i = 0; i < c->opt->noptions; i++) {
		const char *word = c->opt->options[i];

		if (is_known(c, word))
			continue;
		struct diag *d =
			diag(c->dx, E0310_OPTION, (struct span){},
			     arena_printf(c->arena,
					  "unexpected program command line options: %s", word));
		if (c->options.entries.len)
			diag_hint(d, "expected program options: %s", list_known(c));
	}
}

/* config() is the record of the settings as they are now. */
static bool check_config(struct unit *u, struct expr *e)
{
	const struct script_config *cfg = u->c->cfg;
	const char *missing = cfg->missing_probes == MISSING_AUTO
				      ? "error"
				      : script_config_word(cfg, "missing_probes");

	builtin_expand(u, e,
		       arena_printf(u->c->arena,
				    "(max_strlen = (uint64)%u, max_map_keys = (uint64)%u, "
				    "max_probes = (uint64)%u, max_bpf_progs = (uint64)%u, "
				    "max_cat_bytes = (uint64)%u, on_stack_limit = (uint64)%u, "
				    "print_maps_on_exit = %s, stack_mode = \"%s\", "
				    "missing_probes = \"%s\")",
				    cfg->max_strlen, cfg->max_map_keys, cfg->max_probes,
				    cfg->max_bpf_progs, cfg->max_cat_bytes, cfg->on_stack_limit,
				    cfg->print_maps_on_exit ? "true" : "false",
				    script_config_word(cfg, "stack_mode"), missing));
	return !type_is_error(e->type);
}

BUILTINS(option) = {
	{ "getopt", "? getopt(lit, [raw, lit])", 0, check_getopt,
	  .doc = "The script's option --NAME after `--`: getopt(\"NAME\", default, \"help\")." },
	{ "config", "? config()", 0, check_config,
	  .doc = "The settings of the script as a record: config().max_strlen." },
	{ 0 },
};
