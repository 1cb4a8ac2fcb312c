#include "types/kernel_types.h"

#include <errno.h>

const struct btf *kernel_btf(struct typetab *tt, struct err *e)
{
	struct err own = {};

	if (!e)
		e = &own;
	if (!tt->btf && !tt->btf_failed) {
		tt->btf = btf_open(tt->btf_path ? tt->btf_path : BTF_KERNEL_PATH, NULL, e);
		tt->btf_failed = !tt->btf;
		tt->btf_err = *e;
	}
	if (!tt->btf)
		*e = tt->btf_err;
	return tt->btf;
}
