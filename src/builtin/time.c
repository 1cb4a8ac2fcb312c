/*
 * Builtins about time.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

#include <string.h>

/* Clock modes of a timestamp value, in its last word. */
enum { CLOCK_BOOT = 0 };

static ref lower_nsecs(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_ktime_get_boot_ns, 0);
}

static ref lower_elapsed(struct unit *u, struct expr *e)
{
	return ir_bin(&u->b, OP_SUB, lower_nsecs(u, e),
		      ir_const(&u->b, (int64_t)u->c->opt->start_ns));
}

static ref lower_jiffies(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_call(&u->b, BPF_FUNC_jiffies64, 0);
}

static ref lower_time(struct unit *u, struct expr *e)
{
	struct plan_event *ev = event_new(u, EV_TIME, e->span);
	const char *text = "%H:%M:%S\n";
	size_t len;

	if (e->nargs)
		literal_text(u, e->args[0], &text, &len);
	ev->text = text;
	event_send(u, ev, NULL, 0);
	return 0;
}

static bool check_strftime(struct unit *u, struct expr *e)
{
	(void)u;
	e->type = &type_timestamp;
	return true;
}

static uint32_t string_index(struct unit *u, const char *s)
{
	struct plan *p = u->c->plan;

	for (size_t i = 0; i < p->strings.len; i++)
		if (!strcmp(p->strings.data[i], s))
			return (uint32_t)i;
	vec_push(p->arena, &p->strings, s);
	return (uint32_t)p->strings.len - 1;
}

static void lower_strftime(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	ir_store(b, 8, d->ptr, d->off, lower_scalar(u, e->args[1]));
	ir_store(b, 4, d->ptr, d->off + 8, ir_const(b, string_index(u, text)));
	ir_store(b, 4, d->ptr, d->off + 12, ir_const(b, CLOCK_BOOT));
}

BUILTINS(time) = {
	/* Not PURE: two reads of the clock must stay two reads. */
	{ "nsecs", "u64 nsecs()", BI_BARE, .lower = lower_nsecs,
	  .doc = "Nanoseconds since boot, sleep included." },
	{ "elapsed", "u64 elapsed()", BI_BARE, .lower = lower_elapsed,
	  .doc = "Nanoseconds since scry started." },
	{ "jiffies", "u64 jiffies()", BI_BARE, .lower = lower_jiffies,
	  .doc = "The kernel's tick counter." },
	{ "time", "none time([lit])", BI_STMT, .lower = lower_time,
	  .doc = "Prints the time of day; the format is strftime's, default \"%H:%M:%S\\n\"." },
	{ "strftime", "? strftime(lit, int)", 0, check_strftime, .lower_mem = lower_strftime,
	  .doc = "A moment given by nsecs as text in strftime's format." },
	{ 0 },
};
