/*
 * Operations on constants, from the expressions in op.def.
 */
#include "ir/ir.h"

bool ir_fold(enum ir_op op, unsigned size, int64_t sa, int64_t sb, int64_t *result)
{
	uint64_t a = (uint64_t)sa, b = (uint64_t)sb;
	unsigned bits = size * 8;

	if (!(op_infos[op].flags & OP_PURE) || !op_infos[op].nargs)
		return false;
	if (op_infos[op].flags & OP_SIZE && (bits < 8 || bits > 64))
		return false;

	switch (op) {
#define OP(name, text, nargs, flags, fold) \
	case OP_##name:                    \
		*result = (int64_t)(fold); \
		return true;
#include "ir/op.def"
#undef OP
	case OP_COUNT: break;
	}
	return false;
}
