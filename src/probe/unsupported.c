/*
 * Probe types that the language has and scry does not yet: known by name, so that a script
 * that uses one is told so.
 */
#include "probe/match.h"

static bool refuse(struct probe_env *env, const struct attach_text *at, struct targets *out)
{
	(void)out;
	diag_hint(diag(env->dx, E0006_NOT_YET, at->span,
		       arena_printf(env->arena, "a probe of type %s",
				    provider_find(at->parts[0], NULL)->name)),
		  "bpftrace has given it up in 0.25; an address can be watched: "
		  "watchpoint:ADDRESS:LENGTH:MODE");
	return false;
}

#define ALIASES(...)              \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

#define NOT_YET(name_, aliases_, doc_, usage_)     \
	const struct provider provider_##name_ = { \
		.name = #name_,                    \
		.aliases = aliases_,               \
		.flags = PV_NOT_YET,               \
		.doc = doc_,                       \
		.usage = usage_,                   \
		.expand = refuse,                  \
	}

NOT_YET(asyncwatchpoint, ALIASES("aw"), "Memory of a function's argument is touched.",
	"asyncwatchpoint:FUNCTION+argN:LENGTH:MODE");
