/*
 * Builtins about time.
 */
#include "builtin/time.h"

#include "builtin/builtin.h"
#include "script/lower.h"

#include <string.h>
#include <time.h>

/* The clocks of nsecs(MODE). */
struct clock_mode {
	const char *name;
	int helper;
	enum timestamp_clock clock;
	bool from_boot; /* the clock is the boot clock, shifted by what lies between them now */
};

static const struct clock_mode modes[] = {
	{ "boot", BPF_FUNC_ktime_get_boot_ns, TIMESTAMP_BOOT },
	{ "monotonic", BPF_FUNC_ktime_get_ns, TIMESTAMP_NONE },
	{ "tai", BPF_FUNC_ktime_get_tai_ns, TIMESTAMP_TAI },
	{ "sw_tai", BPF_FUNC_ktime_get_boot_ns, TIMESTAMP_TAI, true },
};

static const struct clock_mode *find_mode(const struct expr *e)
{
	for (size_t i = 0; e->kind == E_NAME && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(modes[i].name, e->name))
			return &modes[i];
	return NULL;
}

static bool check_nsecs(struct unit *u, struct expr *e)
{
	const struct clock_mode *mode = e->nargs ? find_mode(e->args[0]) : &modes[0];

	e->data = (void *)(uintptr_t)mode;
	if (mode)
		return true;
	return builtin_bad_arg(u, e->args[0],
			       "nsecs() expects one of boot, monotonic, tai, sw_tai");
}

static int64_t clock_now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static ref boot_ns(struct unit *u)
{
	return ir_call(&u->b, BPF_FUNC_ktime_get_boot_ns, 0);
}

ref lower_tai_ns(struct unit *u)
{
	int64_t ahead = clock_now_ns(CLOCK_TAI) - clock_now_ns(CLOCK_BOOTTIME);

	return ir_bin(&u->b, OP_ADD, boot_ns(u), ir_const(&u->b, ahead));
}

static ref lower_nsecs(struct unit *u, struct expr *e)
{
	const struct clock_mode *mode = e->data;

	return mode->from_boot ? lower_tai_ns(u) : ir_call(&u->b, mode->helper, 0);
}

static ref lower_elapsed(struct unit *u, struct expr *e)
{
	(void)e;
	return ir_bin(&u->b, OP_SUB, boot_ns(u), ir_const(&u->b, (int64_t)u->c->opt->start_ns));
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

/* Which clock a moment is of: nsecs(MODE) says so, other numbers are of the boot clock. */
static enum timestamp_clock clock_of(const struct expr *moment)
{
	bool is_nsecs = moment->builtin && !strcmp(moment->builtin->name, "nsecs");
	const struct clock_mode *mode = is_nsecs ? moment->data : &modes[0];

	return mode->clock;
}

static bool check_strftime(struct unit *u, struct expr *e)
{
	if (clock_of(e->args[1]) == TIMESTAMP_NONE) {
		return builtin_bad_arg(u, e->args[1],
				       "strftime() can not take a monotonic timestamp");
	}
	e->type = &type_timestamp;
	return true;
}

static void lower_strftime(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	ir_store(b, 8, d->ptr, d->off, lower_scalar(u, e->args[1]));
	ir_store(b, 4, d->ptr, d->off + 8, ir_const(b, plan_string(u->c->plan, text)));
	ir_store(b, 4, d->ptr, d->off + 12, ir_const(b, clock_of(e->args[1])));
}

BUILTINS(time) = {
	/* Not PURE: two reads of the clock must stay two reads. */
	{ "nsecs", "u64 nsecs([raw])", BI_BARE, check_nsecs, .lower = lower_nsecs,
	  .doc = "Nanoseconds since boot, sleep included; nsecs(monotonic|tai|sw_tai): other clocks." },
	{ "elapsed", "u64 elapsed()", BI_BARE, .lower = lower_elapsed,
	  .doc = "Nanoseconds since scry started." },
	{ "jiffies", "u64 jiffies()", BI_BARE, .lower = lower_jiffies,
	  .doc = "The kernel's tick counter." },
	{ "time", "none time([lit])", BI_STMT | BI_SENDS, .lower = lower_time,
	  .doc = "Prints the time of day; the format is strftime's, default \"%H:%M:%S\\n\"." },
	{ "strftime", "? strftime(lit, int)", 0, check_strftime, .lower_mem = lower_strftime,
	  .doc = "A moment given by nsecs as text in strftime's format." },
	{ 0 },
};
