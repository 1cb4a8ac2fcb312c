#include "cfront/constants.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	int64_t value;
} constants[] = {
#define CONSTANT(name, value) { #name, value },
#include "cfront/constants.def"
#undef CONSTANT
};

bool c_constant(const char *name, int64_t *value)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (!strcmp(constants[i].name, name)) {
			*value = constants[i].value;
			return true;
		}
	}
	return false;
}
