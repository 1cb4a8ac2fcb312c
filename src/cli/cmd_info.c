/*
 * scry --info: what this kernel offers, each answer asked from it.
 */
#include "base/auto.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "kernel/feature.h"
#include "types/kernel_types.h"

#include <string.h>

static uint32_t find_btf_id(void *arg, bool is_func, const char *name)
{
	const struct btf *btf = kernel_btf(arg, NULL);

	return btf ? btf_find(btf, is_func ? BTF_FUNCS : BTF_TYPEDEFS, name) : 0;
}

int cmd_info(const struct options *o)
{
	struct typetab types;
	struct features features = { .btf_id = find_btf_id, .btf_arg = &types };
	auto_sb struct sb text = {};

	typetab_init(&types, o->arena);
	features_print(&features, &text);
	fputs(sb_str(&text), stdout);
	btf_free((struct btf *)(uintptr_t)types.btf);
	return EXIT_OK;
}
