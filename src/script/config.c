/*
 * Settings of the language (reference section 7.1): the script's config block, the environment.
 */
#include "script/compile.h"

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
		.stack_mode = STACK_SCRY,
		.str_trunc_trailer = "..",
		.missing_probes = MISSING_AUTO,
	};
}

enum setting_kind {
	SET_NUMBER,
	SET_BOOL,
	SET_TEXT,
	SET_STACK_MODE,
	SET_UNWIND,
	SET_MISSING,
	SET_ALLOW,
	SET_IGNORED
};

struct setting {
	const char *key;
	enum setting_kind kind;
	size_t offset;
	uint32_t min, max;
};

#define AT(member) offsetof(struct script_config, member)

static const struct setting settings[] = {
	{ "max_strlen", SET_NUMBER, AT(max_strlen), 1, 32 * 1024 },
	{ "strlen", SET_NUMBER, AT(max_strlen), 1, 32 * 1024 }, /* up to 0.19 */
	{ "max_map_keys", SET_NUMBER, AT(max_map_keys), 1, UINT32_MAX },
	{ "map_keys_max", SET_NUMBER, AT(max_map_keys), 1, UINT32_MAX },
	{ "max_probes", SET_NUMBER, AT(max_probes), 1, UINT32_MAX },
	{ "max_bpf_progs", SET_NUMBER, AT(max_bpf_progs), 1, UINT32_MAX },
	{ "max_cat_bytes", SET_NUMBER, AT(max_cat_bytes), 0, UINT32_MAX },
	{ "cat_bytes_max", SET_NUMBER, AT(max_cat_bytes), 0, UINT32_MAX },
	{ "on_stack_limit", SET_NUMBER, AT(on_stack_limit), 0, 256 },
	{ "perf_rb_pages", SET_NUMBER, AT(perf_rb_pages), 1, 1 << 20 },
	{ "print_maps_on_exit", SET_BOOL, AT(print_maps_on_exit) },
	{ "probe_inline", SET_BOOL, AT(probe_inline) },
	{ "unstable_import_statement", SET_ALLOW, AT(import_statement) },
	{ "show_debug_info", SET_BOOL, AT(show_debug_info) },
	{ "stack_mode", SET_STACK_MODE, AT(stack_mode) },
	{ "unwind", SET_UNWIND, AT(unwind) },
	{ "str_trunc_trailer", SET_TEXT, AT(str_trunc_trailer) },
	{ "missing_probes", SET_MISSING, AT(missing_probes) },
	/* Settings of machinery that scry does not have: accepted, without effect. */
	{ "cache_user_symbols", SET_IGNORED },
	{ "cpp_demangle", SET_IGNORED },
	{ "no_cpp_demangle", SET_IGNORED },
	{ "lazy_symbolication", SET_IGNORED },
	{ "license", SET_IGNORED },
	{ "log_size", SET_IGNORED },
	{ "use_blazesym", SET_IGNORED },
	{ "symbol_source", SET_IGNORED },
	{ "max_type_res_iterations", SET_IGNORED },
	{ "unstable_addr", SET_IGNORED },
	{ "unstable_import", SET_IGNORED },
	{ "unstable_macro", SET_IGNORED },
	{ "unstable_map_decl", SET_IGNORED },
	{ "unstable_tseries", SET_IGNORED },
	{ "unstable_dw_ustack", SET_IGNORED },
	{ "unstable_typeinfo", SET_IGNORED },
	{ "no_user_symbols", SET_IGNORED },
	{ "vmlinux", SET_IGNORED },
};

static const char *set_number(void *at, const struct setting *s, struct arena *a,
			      const char *value)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(value, &end, 0);
	if (*end || end == value || errno || *value == '-' || n < s->min || n > s->max)
		return arena_printf(a, "expects a number from %u to %u", s->min, s->max);
	*(uint32_t *)at = (uint32_t)n;
	return NULL;
}

static bool word_in(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(value, *words))
			return true;
	return false;
}

static const char *set_bool(bool *at, const char *value)
{
	static const char *const yes[] = { "1", "true", "on", "yes", NULL };
	static const char *const no[] = { "0", "false", "off", "no", NULL };

	if (!word_in(value, yes) && !word_in(value, no))
		return "expects true or false";
	*at = word_in(value, yes);
	return NULL;
}

/* Of what may still change: silently, with a warning, or not at all. */
static const char *set_allow(bool *at, const char *value)
{
	static const char *const yes[] = { "enable", "warn", NULL };

	if (!strcasecmp(value, "error"))
		*at = false;
	else if (word_in(value, yes))
		*at = true;
	else if (set_bool(at, value))
		return "expects enable, warn or error";
	return NULL;
}

static const char *set_word(int *at, const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++) {
		if (!strcasecmp(value, words[i])) {
			*at = i;
			return NULL;
		}
	}
	return "expects another word";
}

static const char *skip_prefix(const char *key)
{
	static const char *const prefixes[] = { "BPFTRACE_", "SCRY_" };

	for (size_t i = 0; i < 2; i++)
		if (!strncasecmp(key, prefixes[i], strlen(prefixes[i])))
			key += strlen(prefixes[i]);
	return key;
}

/* What bpftrace takes from the environment and refuses in a script. */
static bool is_of_environment(const char *key)
{
	static const char *const keys[] = { "btf", "kernel_build", "kernel_source" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcasecmp(skip_prefix(key), keys[i]))
			return true;
	return false;
}

static const struct setting *find_setting(const char *key)
{
	key = skip_prefix(key);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!strcasecmp(settings[i].key, key))
			return &settings[i];
	return NULL;
}

bool script_config_knows(const char *key)
{
	return find_setting(key) != NULL;
}

const char *script_config_set(struct script_config *cfg, struct arena *a, const char *key,
			      const char *value)
{
	static const char *const modes[] = { "bpftrace", "perf", "raw", "build_id", NULL };
	static const char *const unwind_words[] = { "auto", "fp", "cfi", NULL };
	static const char *const missing[] = { "error", "warn", "ignore", NULL };
	const struct setting *s = find_setting(key);
	int word = 0;

	if (!s)
		return is_of_environment(key) ? "can only be set as an environment variable"
					      : "not a known configuration option";

	void *at = (char *)cfg + s->offset;
	switch (s->kind) {
	case SET_NUMBER: return set_number(at, s, a, value);
	case SET_BOOL: return set_bool(at, value);
	case SET_TEXT: *(const char **)at = arena_strdup(a, value); return NULL;
	case SET_STACK_MODE:
		if (set_word(&word, value, modes))
			return "expects bpftrace, perf, raw or build_id";
		cfg->stack_mode = (enum stack_mode)word;
		return NULL;
	case SET_UNWIND:
		if (set_word(&word, value, unwind_words))
			return "expects auto, fp or cfi";
		cfg->unwind = (enum unwind_mode)word;
		return NULL;
	case SET_MISSING:
		if (set_word(&word, value, missing))
			return "expects error, warn or ignore";
		cfg->missing_probes = word;
		return NULL;
	case SET_ALLOW: return set_allow(at, value);
	case SET_IGNORED: return NULL;
	}
	return NULL;
}
