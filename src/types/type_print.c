#include "types/type.h"

static const char *const plain_names[T_KINDS] = {
	[T_ERROR] = "error",
	[T_BOOL] = "bool",
	[T_FUNC] = "function",
	[T_KSYM] = "ksym_t",
	[T_USYM] = "usym_t",
	[T_KSTACK] = "kstack",
	[T_USTACK] = "ustack",
	[T_PROBE] = "probe",
	[T_TIMESTAMP] = "timestamp",
	[T_USERNAME] = "username_t",
	[T_INET] = "inet",
	[T_MAC] = "mac_address",
	[T_CGROUP_PATH] = "cgroup_path_t",
	[T_COUNT] = "count_t",
	[T_SUM] = "sum_t",
	[T_MIN] = "min_t",
	[T_MAX] = "max_t",
	[T_AVG] = "avg_t",
	[T_STATS] = "stats_t",
	[T_HIST] = "hist_t",
	[T_LHIST] = "lhist_t",
	[T_LLHIST] = "llhist_t",
	[T_STDDEV] = "stddev_t",
	[T_TSERIES] = "tseries_t",
};

const char *type_plain_name(const struct type *t)
{
	return plain_names[t->kind] ? plain_names[t->kind] : "";
}

static void print_type(struct sb *out, const struct type *t);

static void print_tag(struct sb *out, const char *keyword, const char *name)
{
	sb_printf(out, "%s %s", keyword, name[0] ? name : "(anonymous)");
}

static void print_pointer(struct sb *out, const struct type *t)
{
	print_type(out, t->elem);
	sb_puts(out, t->elem->kind == T_PTR ? "*" : " *");
}

/* C writes the dimensions of an array of arrays from the outermost in. */
static void print_array(struct sb *out, const struct type *t)
{
	const struct type *elem = t->elem;

	while (elem->kind == T_ARRAY)
		elem = elem->elem;
	print_type(out, elem);
	for (; t->kind == T_ARRAY; t = t->elem)
		sb_printf(out, "[%u]", t->nelems);
}

static void print_tuple(struct sb *out, const struct type *t)
{
	sb_putc(out, '(');
	for (uint32_t i = 0; i < t->nfields; i++) {
		if (i)
			sb_putc(out, ',');
		print_type(out, t->fields[i].type);
	}
	sb_putc(out, ')');
}

static void print_record(struct sb *out, const struct type *t)
{
	sb_puts(out, "record { ");
	for (uint32_t i = 0; i < t->nfields; i++) {
		sb_printf(out, "%s.%s = ", i ? ", " : "", t->fields[i].name);
		print_type(out, t->fields[i].type);
	}
	sb_puts(out, " }");
}

/* As a script asks for it, with both of what distinguishes it from others. */
static void print_stack(struct sb *out, const struct type *t)
{
	static const char *const modes[] = {
		[STACK_SCRY] = "bpftrace",
		[STACK_PERF] = "perf",
		[STACK_RAW] = "raw",
		[STACK_BUILD_ID] = "build_id",
	};

	sb_printf(out, "%s(%s, %u)", plain_names[t->kind], modes[t->stack_mode], t->depth);
}

static void print_type(struct sb *out, const struct type *t)
{
	switch (t->kind) {
	case T_NONE: sb_puts(out, t->name); break;
	case T_INT: sb_printf(out, "%sint%u", t->is_signed ? "" : "u", t->size * 8); break;
	case T_FLOAT: sb_puts(out, t->size == 4 ? "float" : "double"); break;
	case T_STRING: sb_printf(out, "string[%u]", t->size); break;
	case T_BUFFER: sb_printf(out, "buffer[%u]", t->size - 4); break;
	case T_ENUM: print_tag(out, "enum", t->name); break;
	case T_STRUCT: print_tag(out, t->is_union ? "union" : "struct", t->name); break;
	case T_PTR: print_pointer(out, t); break;
	case T_ARRAY: print_array(out, t); break;
	case T_TUPLE: print_tuple(out, t); break;
	case T_KSTACK:
	case T_USTACK: print_stack(out, t); break;
	case T_RECORD: print_record(out, t); break;
	case T_SUM:
	case T_MIN:
	case T_MAX:
	case T_AVG:
	case T_STATS:
	case T_STDDEV:
		sb_printf(out, "%s%s", t->is_signed ? "" : "u", plain_names[t->kind]);
		break;
	default: sb_puts(out, plain_names[t->kind]);
	}
}

const char *type_str(struct arena *a, const struct type *t)
{
	struct sb out = {};

	print_type(&out, t);
	const char *s = arena_strndup(a, sb_str(&out), out.len);
	sb_free(&out);
	return s;
}
