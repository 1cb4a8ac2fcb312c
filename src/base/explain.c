#include "base/diag.h"

static const struct diag_explained explained[DIAG_CODES] = {
#define EXPLAIN(code, why, wrong, right) [code] = { why, wrong, right },
#include "base/explain.def"
#undef EXPLAIN
};

const struct diag_explained *diag_explain(const struct diag_row *row)
{
	return &explained[row - diag_row(0)];
}
