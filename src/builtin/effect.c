/*
 * Builtins that act on the traced process, or on the kernel, while the event waits.
 */
#include "builtin/builtin.h"
#include "builtin/memory.h"
#include "builtin/names.h"
#include "output/format.h"

#include <string.h>

/* A name ("KILL", "SIGKILL"), a number from 1 to 64, or a value. */
static bool check_signal(struct unit *u, struct expr *e)
{
	enum { SIGNAL_MAX = 64 };
	struct compiler *c = u->c;
	struct expr *a = e->args[0];
	const char *name;
	size_t len;

	if (literal_text(u, a, &name, &len)) {
		int number = signal_number(name);

		a->is_const = true;
		a->const_value = number;
		a->type = type_int(c->tt, 8, false);
		return number ||
		       builtin_bad_arg(u, a,
				       arena_printf(c->arena, "there is no signal %s", name));
	}
	const struct type *t = check_value(u, a);
	if (type_is_error(t))
		return false;
	if (!type_is_integral(t))
		return builtin_bad_arg(
			u, a,
			arena_printf(c->arena,
				     "%s() expects the name or the number of a signal",
				     e->name));
	if (a->is_const && (a->const_value < 1 || a->const_value > SIGNAL_MAX))
		return builtin_bad_arg(u, a, "a signal's number is from 1 to 64");
	return true;
}

static ref send_signal(struct unit *u, struct expr *e, int helper, const char *name)
{
	ref ret = ir_call(&u->b, helper, 1, lower_scalar(u, e->args[0]));

	count_if_negative(u, ret, COUNT_HELPER, e->span, name, false);
	return 0;
}

static ref lower_signal(struct unit *u, struct expr *e)
{
	return send_signal(u, e, BPF_FUNC_send_signal, "send_signal");
}

static ref lower_signal_thread(struct unit *u, struct expr *e)
{
	return send_signal(u, e, BPF_FUNC_send_signal_thread, "send_signal_thread");
}

static bool check_override(struct unit *u, struct expr *e)
{
	return !strcmp(u->group->provider->name, "kprobe") ||
	       builtin_not_here(u, e, "override()");
}

static ref lower_override(struct unit *u, struct expr *e)
{
	ref ret = ir_call(&u->b, BPF_FUNC_override_return, 2, u->ctx,
			  lower_scalar(u, e->args[0]));

	count_if_negative(u, ret, COUNT_HELPER, e->span, "override_return", false);
	return 0;
}

/* write_user(to, from, n): the number is a constant, for the verifier. */
static bool check_write_user(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	const struct expr *from = e->args[1], *n = e->args[2];

	if (n->const_value < 1 || n->const_value > c->cfg->max_strlen)
		return builtin_bad_arg(u, n,
				       arena_printf(c->arena,
						    "write_user() writes from 1 to %u bytes",
						    c->cfg->max_strlen));
	if (memory_has(from->type, n->const_value))
		return true;
	return builtin_bad_arg(
		u, from,
		arena_printf(c->arena, "write_user() has no %lld bytes to write in %s",
			     (long long)n->const_value, type_text(c, from->type)));
}

static ref lower_write_user(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	uint32_t n = (uint32_t)e->args[2]->const_value;
	ref copy = memory_copy(u, e->args[1], n);
	ref ret = ir_call(b, BPF_FUNC_probe_write_user, 3, lower_scalar(u, e->args[0]), copy,
			  ir_const(b, n));
	return ir_bin(b, OP_EQ, ret, ir_const(b, 0));
}

/* What bpf_trace_printk() knows of the conversions. */
static bool printk_takes(const struct format_piece *p, const struct type *t)
{
	if (p->conv == 's')
		return t->kind == T_STRING;
	return strchr("duxp", p->conv) && !p->alt && (type_is_integral(t) || t->kind == T_PTR);
}

static bool check_debugf(struct unit *u, struct expr *e)
{
	enum { CONVERSIONS_MAX = 3 };
	struct compiler *c = u->c;
	unsigned arg = 0, have = e->nargs - 1;
	struct format f;
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	format_parse(c->arena, text, len, &f);
	if (f.nconvs > CONVERSIONS_MAX)
		return builtin_bad_arg(u, e->args[0],
				       "debugf() cannot use more than 3 conversions");
	if (have != f.nconvs) {
		diag(c->dx, E0304_FORMAT_ARGS, e->span,
		     have < f.nconvs ? "not enough" : "too many", have, f.nconvs);
		return false;
	}
	for (size_t i = 0; i < f.npieces; i++) {
		const struct format_piece *p = &f.pieces[i];
		const struct expr *a = p->conv ? e->args[1 + arg++] : NULL;

		if (!a || printk_takes(p, a->type))
			continue;
		diag(c->dx, E0305_FORMAT_TYPE, a->span, type_text(c, a->type),
		     arena_strndup(c->arena, p->text + 1, p->len - 1));
		return false;
	}
	if (c->final)
		diag(c->dx, W0111_DEBUGF, e->span);
	return true;
}

static ref lower_debugf(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	ref args[3] = {};
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	const struct type *t = type_string(u->c->tt, (uint32_t)len + 1);
	struct dest d = { ir_slot(b, (t->size + 7) / 8 * 8), 0, t, false };
	store_text(u, text, len, &d);
	for (unsigned i = 0; i + 1 < e->nargs; i++) {
		struct expr *a = e->args[i + 1];

		args[i] = a->type->kind == T_STRING ? lower_addr(u, a) : lower_scalar(u, a);
	}
	ir_call(b, BPF_FUNC_trace_printk, 1 + e->nargs, d.ptr, ir_const(b, t->size), args[0],
		args[1], args[2]);
	return 0;
}

BUILTINS(effect) = {
	{ "signal", "none signal(raw)", BI_STMT | BI_UNSAFE, check_signal,
	  .lower = lower_signal,
	  .doc = "Sends a signal to the current process: signal(\"KILL\"), signal(9) (--unsafe)." },
	{ "signal_thread", "none signal_thread(raw)", BI_STMT | BI_UNSAFE, check_signal,
	  .lower = lower_signal_thread,
	  .doc = "Sends a signal to the current thread (--unsafe)." },
	{ "override", "none override(int)", BI_STMT | BI_UNSAFE, check_override,
	  .lower = lower_override,
	  .doc = "The traced function is not run and returns this instead (kprobe, --unsafe)." },
	{ "write_user", "bool write_user(int, any, num)", BI_STMT | BI_UNSAFE, check_write_user,
	  .lower = lower_write_user,
	  .doc = "Writes n bytes to an address of the current process (--unsafe)." },
	{ "debugf", "none debugf(lit, any...)", BI_STMT, check_debugf, .lower = lower_debugf,
	  .doc = "Writes to /sys/kernel/tracing/trace_pipe; up to 3 of %d %u %x %p %s." },
	{ 0 },
};
