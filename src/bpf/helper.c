#include "bpf/helper.h"

#include <string.h>

enum { FLAG_0 = 0, FLAG_PURE = HELPER_PURE };

/* Numbers are dense from 1 on, which test_bpf_insn checks. */
static const struct helper HELPERS[] = {
#define HELPER(id, name, since, flags, ret, a1, a2, a3, a4, a5) \
	{ id,		#name,                                  \
	  since,	FLAG_##flags,                           \
	  HELPER_##ret, { HELPER_##a1, HELPER_##a2, HELPER_##a3, HELPER_##a4, HELPER_##a5 } },
#include "bpf/helper.def"
};

enum { NHELPERS = sizeof(HELPERS) / sizeof(*HELPERS) };

const struct helper *helper_by_id(uint32_t id)
{
	return id >= 1 && id <= NHELPERS ? &HELPERS[id - 1] : NULL;
}

const struct helper *helper_by_name(const char *name, size_t len)
{
	if (len > 4 && !memcmp(name, "bpf_", 4)) {
		name += 4;
		len -= 4;
	}
	for (size_t i = 0; i < NHELPERS; i++) {
		if (strlen(HELPERS[i].name) == len && !memcmp(HELPERS[i].name, name, len))
			return &HELPERS[i];
	}
	return NULL;
}

const struct helper *helper_all(size_t *n)
{
	*n = NHELPERS;
	return HELPERS;
}
