/*
 * Builtins that give numbers their names: errors, signals, system calls.
 *
 * The names are strings like any other, also inside the program: a table in a map of the
 * program's own, one entry per number, the last one for all numbers beyond it.
 */
#include "builtin/names.h"

#include "builtin/builtin.h"
#include "probe/arch.h"
#include "script/lower.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_SIZE = 64 };

typedef char name_text[NAME_SIZE];

struct name_table {
	name_text *names;
	uint32_t n; /* the last one is for unknown numbers */
};

/* What numbers are named: how many there are, and who knows their names. */
struct name_kind {
	const char *kmap; /* the kernel map's name */
	uint32_t n;
	const char *unknown;
	void (*fill)(struct name_table *t);
};

static void name_set(struct name_table *t, uint32_t i, const char *prefix, const char *name)
{
	if (i < t->n - 1)
		snprintf(t->names[i], NAME_SIZE, "%s%s", prefix, name);
}

static void fill_errnos(struct name_table *t)
{
	name_set(t, 0, "", "Success");
#define ERRNO(number, id, text) name_set(t, number, "", text);
#include "builtin/errno.def"
#undef ERRNO
}

static void fill_signals(struct name_table *t)
{
#define SIGNAL(number, name) name_set(t, number, "SIG", #name);
#define SIGNAL_ALIAS(number, name)
#include "builtin/signal.def"
#undef SIGNAL
#undef SIGNAL_ALIAS
}

/* Some tracepoints are named after the kernel's function, not after the call. */
static const char *call_name(const char *tracepoint)
{
	static const char *const renamed[][2] = {
		{ "newstat", "stat" },	 { "newfstat", "fstat" },      { "newlstat", "lstat" },
		{ "newuname", "uname" }, { "sendfile64", "sendfile" }, { "umount", "umount2" },
	};

	for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
		if (!strcmp(renamed[i][0], tracepoint))
			return renamed[i][1];
	return tracepoint;
}

static void fill_syscalls(struct name_table *t)
{
	for (unsigned i = 0; i < arch_host.nsyscalls; i++)
		name_set(t, arch_host.syscalls[i].number, "",
			 call_name(arch_host.syscalls[i].name));
}

static const struct name_kind errnos = { "errnos", 134, "Unknown error", fill_errnos };
static const struct name_kind signals = { "signals", 32, "unknown", fill_signals };
static const struct name_kind syscalls = { "syscall_names", 512, "unknown", fill_syscalls };

static void table_fill(struct compiler *c, const struct name_kind *kind, struct name_table *t)
{
	t->n = kind->n + 1;
	t->names = arena_array(c->arena, name_text, t->n);
	for (uint32_t i = 0; i < t->n; i++)
		snprintf(t->names[i], NAME_SIZE, "%s", kind->unknown);
	kind->fill(t);
}

/* The name of a literal is a literal. */
static bool check_name(struct unit *u, struct expr *e, const struct name_kind *kind)
{
	const struct expr *n = e->args[0];
	struct name_table t;

	e->type = type_string(u->c->tt, NAME_SIZE);
	if (!n->is_const)
		return true;
	table_fill(u->c, kind, &t);
	uint64_t i = (uint64_t)n->const_value;
	const char *name = t.names[i < t.n ? i : t.n - 1];
	become_string(u->c, e, name, strlen(name));
	return true;
}

/* The kernel map of a table, made on its first use. */
static uint32_t table_kmap(struct unit *u, const struct name_kind *kind)
{
	struct plan *p = u->c->plan;
	struct name_table t;

	for (size_t i = 0; i < p->kmaps.len; i++)
		if (p->kmaps.data[i].init && p->kmaps.data[i].name == kind->kmap)
			return (uint32_t)i;
	table_fill(u->c, kind, &t);
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = kind->kmap,
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = t.n * NAME_SIZE,
			 .max_entries = 1,
			 .init = t.names,
		 });
	return (uint32_t)p->kmaps.len - 1;
}

static void lower_name(struct unit *u, struct expr *e, const struct name_kind *kind,
		       const struct dest *d)
{
	struct irb *b = &u->b;
	ref i = lower_at_most(u, lower_scalar(u, e->args[0]), kind->n);
	ref at = ir_bin(b, OP_ADD, ir_mapval(b, table_kmap(u, kind), 0),
			ir_bin(b, OP_MUL, i, ir_const(b, NAME_SIZE)));

	convert(u, at, 0, e->type, d);
}

static bool check_strerror(struct unit *u, struct expr *e)
{
	return check_name(u, e, &errnos);
}

static void lower_strerror(struct unit *u, struct expr *e, const struct dest *d)
{
	lower_name(u, e, &errnos, d);
}

static bool check_signal_name(struct unit *u, struct expr *e)
{
	return check_name(u, e, &signals);
}

static void lower_signal_name(struct unit *u, struct expr *e, const struct dest *d)
{
	lower_name(u, e, &signals, d);
}

static bool check_syscall_name(struct unit *u, struct expr *e)
{
	return check_name(u, e, &syscalls);
}

static void lower_syscall_name(struct unit *u, struct expr *e, const struct dest *d)
{
	lower_name(u, e, &syscalls, d);
}

int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = {
#define SIGNAL(number, name)	   { #name, number },
#define SIGNAL_ALIAS(number, name) { #name, number },
#include "builtin/signal.def"
#undef SIGNAL
#undef SIGNAL_ALIAS
	};

	if (!strncasecmp(name, "SIG", 3))
		name += 3;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcasecmp(known[i].name, name))
			return known[i].number;
	return 0;
}

BUILTINS(names) = {
	{ "strerror", "? strerror(int)", 0, check_strerror, .lower_mem = lower_strerror,
	  .doc = "The text of an error number: strerror(2) is \"No such file or directory\"." },
	{ "signal_name", "? signal_name(int)", 0, check_signal_name,
	  .lower_mem = lower_signal_name, .doc = "The name of a signal: \"SIGKILL\"." },
	{ "syscall_name", "? syscall_name(int)", 0, check_syscall_name,
	  .lower_mem = lower_syscall_name, .doc = "The name of a system call: \"openat\"." },
	{ 0 },
};
