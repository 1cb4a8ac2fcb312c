/*
 * Settings of the language (reference section 7.1): the script's config block, the environment.
 */
#include "script/compile.h"

#include "base/auto.h"
#include "base/diag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void script_config_init(struct script_config *cfg)
{
	*cfg = (struct script_config){
		.max_strlen = 1024,
		.max_map_keys = 4096,
		.max_probes = 1024,
		.max_bpf_progs = 1024,
		.max_cat_bytes = 10240,
		.on_stack_limit = 32,
		.print_maps_on_exit = true,
		.cpp_demangle = true,
		.user_symbols = true,
		.stack_mode = STACK_SCRY,
		.str_trunc_trailer = "..",
		.missing_probes = MISSING_AUTO,
		.unstable_import = UNSTABLE_ERROR,
	};
}

enum setting_kind { SET_NUMBER, SET_BOOL, SET_TEXT, SET_WORD, SET_UNSTABLE, SET_DEPRECATED };

struct setting {
	const char *key;
	enum setting_kind kind;
	size_t offset;
	uint32_t min, max;
	const char *const *words;
};

static const char *const stack_modes[] = { "bpftrace", "perf", "raw", "build_id", NULL };
static const char *const unwind_words[] = { "auto", "fp", "cfi", NULL };
static const char *const missing_words[] = { "error", "warn", "ignore", NULL };
static const char *const unstable_words[] = { "enable", "warn", "error", NULL };
static const char *const cache_words[] = { "PER_PID", "PER_PROGRAM", "NONE", "1", "0", NULL };
/* What the kernel takes for GPL (include/linux/license.h): only such programs may trace. */
static const char *const licenses[] = {
	"GPL",		"GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
	"Dual MPL/GPL", NULL
};

#define AT(member) offsetof(struct script_config, member)

/* Settings of machinery that scry does not have are checked, and then nobody looks at them. */
static const struct setting settings[] = {
	{ "max_strlen", SET_NUMBER, AT(max_strlen), 1, 32 * 1024 },
	{ "max_map_keys", SET_NUMBER, AT(max_map_keys), 1, UINT32_MAX },
	{ "max_probes", SET_NUMBER, AT(max_probes), 1, UINT32_MAX },
	{ "max_bpf_progs", SET_NUMBER, AT(max_bpf_progs), 1, UINT32_MAX },
	{ "max_cat_bytes", SET_NUMBER, AT(max_cat_bytes), 0, UINT32_MAX },
	{ "on_stack_limit", SET_NUMBER, AT(on_stack_limit), 0, 256 },
	{ "perf_rb_pages", SET_NUMBER, AT(perf_rb_pages), 1, 1 << 20 },
	{ "print_maps_on_exit", SET_BOOL, AT(print_maps_on_exit) },
	{ "probe_inline", SET_BOOL, AT(probe_inline) },
	{ "show_debug_info", SET_BOOL, AT(show_debug_info) },
	{ "cpp_demangle", SET_BOOL, AT(cpp_demangle) },
	{ "user_symbols", SET_BOOL, AT(user_symbols) },
	{ "stack_mode", SET_WORD, AT(stack_mode), .words = stack_modes },
	{ "unwind", SET_WORD, AT(unwind), .words = unwind_words },
	{ "missing_probes", SET_WORD, AT(missing_probes), .words = missing_words },
	{ "str_trunc_trailer", SET_TEXT, AT(str_trunc_trailer) },
	{ "unstable_import_statement", SET_UNSTABLE, AT(unstable_import) },
	{ "unstable_tseries", SET_UNSTABLE, AT(unstable_tseries) },
	{ "unstable_dw_ustack", SET_UNSTABLE, AT(unstable_dw_ustack) },
	{ "unstable_typeinfo", SET_UNSTABLE, AT(unstable_typeinfo) },
	{ "license", SET_WORD, AT(idle), .words = licenses },
	{ "cache_user_symbols", SET_WORD, AT(idle), .words = cache_words },
	{ "lazy_symbolication", SET_BOOL, AT(idle) },
	{ "use_blazesym", SET_BOOL, AT(idle) },
	{ "log_size", SET_NUMBER, AT(idle), 1, UINT32_MAX },
	{ "symbol_source", SET_DEPRECATED },
	{ "max_type_res_iterations", SET_DEPRECATED },
	{ "unstable_addr", SET_DEPRECATED },
	{ "unstable_import", SET_DEPRECATED },
	{ "unstable_macro", SET_DEPRECATED },
	{ "unstable_map_decl", SET_DEPRECATED },
};

/* Names up to 0.23. Those that begin with no_ mean the opposite. */
static const struct {
	const char *old, *now;
} renamed[] = {
	{ "strlen", "max_strlen" },
	{ "map_keys_max", "max_map_keys" },
	{ "cat_bytes_max", "max_cat_bytes" },
	{ "no_cpp_demangle", "cpp_demangle" },
	{ "no_user_symbols", "user_symbols" },
};

static bool is_opposite(const char *key)
{
	return !strncasecmp(key, "no_", 3);
}

static const char *set_number(uint32_t *at, const struct setting *s, struct arena *a,
			      const char *value)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(value, &end, 0);
	if (*end || end == value || errno || *value == '-' || n < s->min || n > s->max)
		return arena_printf(a, "expects a number from %u to %u", s->min, s->max);
	*at = (uint32_t)n;
	return NULL;
}

static int find_word(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcasecmp(value, words[i]))
			return i;
	return -1;
}

static const char *set_bool(bool *at, const char *value)
{
	static const char *const yes[] = { "1", "true", "on", "yes", NULL };
	static const char *const no[] = { "0", "false", "off", "no", NULL };

	if (find_word(value, yes) < 0 && find_word(value, no) < 0)
		return "expects true or false";
	*at = find_word(value, yes) >= 0;
	return NULL;
}

static const char *set_word(int *at, const char *const *words, struct arena *a,
			    const char *value)
{
	auto_sb struct sb sb = {};
	int i = find_word(value, words);

	if (i >= 0) {
		*at = i;
		return NULL;
	}
	sb_puts(&sb, "expects ");
	for (i = 0; words[i]; i++)
		sb_printf(&sb, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	return arena_strdup(a, sb_str(&sb));
}

/* enable, warn, error; a bool is the first or the last. */
static const char *set_unstable(int *at, struct arena *a, const char *value)
{
	bool enable;

	if (set_bool(&enable, value))
		return set_word(at, unstable_words, a, value);
	*at = enable ? UNSTABLE_ENABLE : UNSTABLE_ERROR;
	return NULL;
}

static const char *skip_prefix(const char *key)
{
	static const char *const prefixes[] = { "BPFTRACE_", "SCRY_" };

	for (size_t i = 0; i < 2; i++)
		if (!strncasecmp(key, prefixes[i], strlen(prefixes[i])))
			key += strlen(prefixes[i]);
	return key;
}

/* What is taken from the environment and refused in a script. */
static bool is_of_environment(const char *key)
{
	static const char *const keys[] = { "btf",     "kernel_build", "kernel_source",
					    "vmlinux", "color",	       NULL };

	return find_word(skip_prefix(key), keys) >= 0;
}

const char *script_config_renamed(const char *key)
{
	key = skip_prefix(key);
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
		if (!strcasecmp(renamed[i].old, key))
			return renamed[i].now;
	return NULL;
}

static const struct setting *find_setting(const char *key)
{
	const char *now = script_config_renamed(key);

	key = now ? now : skip_prefix(key);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!strcasecmp(settings[i].key, key))
			return &settings[i];
	return NULL;
}

const char *script_config_nearest(const char *key)
{
	const char *best = NULL;
	unsigned dist = 0;

	if (find_setting(key))
		return NULL;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		diag_nearer(key, settings[i].key, &best, &dist);
	return best;
}

bool script_config_knows(const char *key)
{
	return find_setting(key) != NULL;
}

bool script_config_is_idle(const char *key)
{
	const struct setting *s = find_setting(key);

	return s && s->kind == SET_DEPRECATED;
}

static const char *set(struct script_config *cfg, const struct setting *s, struct arena *a,
		       const char *value)
{
	void *at = (char *)cfg + s->offset;

	switch (s->kind) {
	case SET_NUMBER: return set_number(at, s, a, value);
	case SET_BOOL: return set_bool(at, value);
	case SET_TEXT: *(const char **)at = arena_strdup(a, value); return NULL;
	case SET_WORD: return set_word(at, s->words, a, value);
	case SET_UNSTABLE: return set_unstable(at, a, value);
	case SET_DEPRECATED: return NULL;
	}
	return NULL;
}

const char *script_config_set(struct script_config *cfg, struct arena *a,
			      enum config_origin from, const char *key, const char *value)
{
	const struct setting *s = find_setting(key);
	struct script_config trial = *cfg;

	if (!s)
		return is_of_environment(key) ? "can only be set as an environment variable"
					      : "not a known configuration option";

	const char *wrong = set(&trial, s, a, value);
	uint64_t bit = 1ull << (s - settings);
	if (wrong || (from == CONFIG_SCRIPT && cfg->from_environment & bit))
		return wrong; /* the environment wins */
	if (s->kind == SET_BOOL && is_opposite(skip_prefix(key)))
		*((bool *)((char *)&trial + s->offset)) ^= 1;
	if (from == CONFIG_ENVIRONMENT)
		trial.from_environment |= bit;
	*cfg = trial;
	return NULL;
}

const char *script_config_word(const struct script_config *cfg, const char *key)
{
	const struct setting *s = find_setting(key);

	return s->words[*(const int *)((const char *)cfg + s->offset)];
}
