#include "session/events.h"

#include "base/auto.h"
#include "probe/watchpoint.h"
#include "session/clock.h"
#include "session/maps.h"
#include "session/shell.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One record while it is handled. */
struct event {
	const struct plan_event *plan;
	const uint8_t *bytes;
};

typedef int (*handler)(struct session *s, const struct event *ev, struct err *e);

static void decode_args(struct session *s, const struct event *ev, struct value *out)
{
	for (unsigned i = 0; i < ev->plan->nargs; i++)
		decode(&s->decoder, &s->scratch, ev->plan->args[i].type,
		       ev->bytes + ev->plan->args[i].off, &out[i]);
}

static void format_event(struct session *s, const struct event *ev, struct sb *out)
{
	struct value *args = arena_array(&s->scratch, struct value, ev->plan->nargs);

	decode_args(s, ev, args);
	format_run(&ev->plan->format, args, out);
}

static int do_printf(struct session *s, const struct event *ev, struct err *e)
{
	(void)e;
	sb_clear(&s->text);
	format_event(s, ev, &s->text);
	s->sink->text(s->out, TEXT_PRINTF, sb_str(&s->text), s->text.len);
	return 0;
}

static int do_value(struct session *s, const struct event *ev, struct err *e)
{
	struct value v;

	(void)e;
	decode_args(s, ev, &v);
	s->sink->value(s->out, &v);
	return 0;
}

static const struct plan_map *map_of(const struct session *s, const struct event *ev)
{
	return &s->plan->maps.data[ev->plan->map];
}

static int do_map(struct session *s, const struct event *ev, struct err *e)
{
	const struct plan_map *m = map_of(s, ev);

	/* print(@) is often followed by clear(@): what comes between the two is lost. */
	if (m->key)
		decoder_prepare(&s->decoder, m->key);
	return maps_print(s, m, (uint64_t)ev->plan->top, (uint64_t)ev->plan->div, e);
}

static int do_clear(struct session *s, const struct event *ev, struct err *e)
{
	return maps_clear(s, map_of(s, ev), e);
}

static int do_zero(struct session *s, const struct event *ev, struct err *e)
{
	return maps_zero(s, map_of(s, ev), e);
}

static int do_exit(struct session *s, const struct event *ev, struct err *e)
{
	(void)ev, (void)e;
	events_obey_exit(s);
	return 0;
}

static int do_time(struct session *s, const struct event *ev, struct err *e)
{
	const char *text = clock_format(&s->scratch, ev->plan->text, clock_now());

	(void)e;
	s->sink->text(s->out, TEXT_TIME, text, strlen(text));
	return 0;
}

/* The strings stand in a row; the first empty one ends them. */
static int do_join(struct session *s, const struct event *ev, struct err *e)
{
	const struct plan_event *plan = ev->plan;
	const char *str = (const char *)ev->bytes + EVENT_HEADER;
	auto_sb struct sb sb = {};

	(void)e;
	for (uint32_t i = 0; i < plan->join_max && *str; i++, str += plan->join_size) {
		if (i)
			sb_puts(&sb, plan->text);
		sb_write(&sb, str, strnlen(str, plan->join_size));
	}
	s->sink->text(s->out, TEXT_JOIN, sb_str(&sb), sb.len);
	return 0;
}

static void say_error(struct session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void say_error(struct session *s, const char *fmt, ...)
{
	struct runtime_problem p = {};
	auto_sb struct sb sb = {};
	va_list ap;

	va_start(ap, fmt);
	sb_vprintf(&sb, fmt, ap);
	va_end(ap);
	p.msg = sb_str(&sb);
	session_message(s, true, &p);
}

static int do_cat(struct session *s, const struct event *ev, struct err *e)
{
	auto_sb struct sb path = {}, text = {};
	int err;

	(void)e;
	format_event(s, ev, &path);
	err = file_head(sb_str(&path), s->opt.max_cat_bytes, &text);
	if (err)
		say_error(s, "failed to open file '%s' (%s)", sb_str(&path), strerror(-err));
	else
		s->sink->text(s->out, TEXT_CAT, sb_str(&text), text.len);
	return 0;
}

static int do_system(struct session *s, const struct event *ev, struct err *e)
{
	auto_sb struct sb cmd = {}, text = {};
	int code;

	(void)e;
	format_event(s, ev, &cmd);
	code = shell_run(sb_str(&cmd), &text);
	if (!code || text.len) /* what a command said before it failed tells why */
		s->sink->text(s->out, TEXT_SYSTEM, sb_str(&text), text.len);
	if (code < 0)
		say_error(s, "failed to run '%s' (%s)", sb_str(&cmd), strerror(-code));
	else if (code > 0)
		say_error(s, "command exited with code %d", code);
	return 0;
}

static int say_message(struct session *s, const struct event *ev, bool is_error)
{
	struct runtime_problem p = session_place(s, ev->plan->span);
	auto_sb struct sb sb = {};

	if (!is_error && s->opt.no_warnings)
		return 0;
	format_event(s, ev, &sb);
	p.msg = sb_str(&sb);
	session_message(s, is_error, &p);
	return 0;
}

static int do_errorf(struct session *s, const struct event *ev, struct err *e)
{
	(void)e;
	return say_message(s, ev, true);
}

static int do_warnf(struct session *s, const struct event *ev, struct err *e)
{
	(void)e;
	return say_message(s, ev, false);
}

static int do_unwatch(struct session *s, const struct event *ev, struct err *e)
{
	uint64_t addr;

	(void)e;
	memcpy(&addr, ev->bytes + EVENT_HEADER, sizeof(addr));
	links_unwatch(&s->links, addr);
	return 0;
}

/* Programs whose watchpoint that is: several probes may have the same. */
static int set_watchpoints(struct session *s, const char *name, uint64_t addr, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->plan->progs.len; i++) {
		const struct group *g = s->plan->progs.data[i].group;
		size_t before = s->links.list.len;

		for (size_t k = 0; !r && g && k < g->targets.len; k++)
			if (g->targets.data[k]->access &&
			    !strcmp(g->targets.data[k]->name, name))
				r = watchpoint_set(s->env, g, k, addr, s->loaded.progs[i],
						   &s->links, e);
		for (; before < s->links.list.len; before++)
			s->links.list.data[before].prog = (uint32_t)i;
	}
	return r;
}

static void let_go_on(struct session *s)
{
	syscall(SYS_pidfd_send_signal, s->child->pidfd, SIGCONT, NULL, 0);
}

void events_let_go(struct session *s)
{
	vec_each(ev, &s->plan->events)
		if (ev->kind == EV_WATCH && ev->top) {
			let_go_on(s);
			return;
		}
}

static void tell_unwatched(struct session *s, const struct event *ev, uint64_t addr,
			   const struct err *why)
{
	struct runtime_problem p = session_place(s, ev->plan->span);

	s->unwatched = true;
	if (s->opt.no_warnings)
		return;
	p.msg = arena_printf(&s->scratch, "0x%llx is not watched: %s%s%s",
			     (unsigned long long)addr, why->msg, *why->hint ? "; " : "",
			     why->hint);
	session_problem(s, &p);
}

static int do_watch(struct session *s, const struct event *ev, struct err *e)
{
	const uint64_t *waits = (const uint64_t *)(s->loaded.globals + WATCH_WAITS_OFF);
	struct err failed = {};
	uint64_t addr;

	(void)e;
	memcpy(&addr, ev->bytes + EVENT_HEADER, sizeof(addr));
	if (set_watchpoints(s, ev->plan->text, addr, &failed))
		tell_unwatched(s, ev, addr, &failed);
	/* It may wait for another one at the same place, too. */
	if (ev->plan->top && ++s->watch_waits == __atomic_load_n(waits, __ATOMIC_ACQUIRE))
		let_go_on(s);
	return 0;
}

static const handler handlers[] = {
	[EV_PRINTF] = do_printf,   [EV_PRINT_VALUE] = do_value, [EV_PRINT_MAP] = do_map,
	[EV_CLEAR] = do_clear,	   [EV_ZERO] = do_zero,		[EV_EXIT] = do_exit,
	[EV_TIME] = do_time,	   [EV_JOIN] = do_join,		[EV_CAT] = do_cat,
	[EV_SYSTEM] = do_system,   [EV_ERRORF] = do_errorf,	[EV_WARNF] = do_warnf,
	[EV_UNWATCH] = do_unwatch, [EV_WATCH] = do_watch,
};

void events_obey_exit(struct session *s)
{
	const uint64_t *word = (const uint64_t *)(s->loaded.globals + EXIT_REQUEST_OFF);
	uint64_t request = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	if (!(request & EXIT_REQUEST) || s->deaf)
		return;
	s->status = (int)(uint32_t)request;
	s->ending = s->deaf = true;
}

bool event_is_long(const struct session *s, const void *record)
{
	uint32_t index;

	memcpy(&index, record, sizeof(index));
	return index < s->plan->events.len && s->plan->events.data[index].kind == EV_PRINT_MAP;
}

int event_handle(struct session *s, const void *record, uint32_t len, struct err *e)
{
	struct event ev = { .bytes = record };
	uint32_t index = 0;

	if (len >= sizeof(index))
		memcpy(&index, record, sizeof(index));
	if (len < EVENT_HEADER || index >= s->plan->events.len ||
	    s->plan->events.data[index].kind == EV_PACKET)
		BUG("a record of %u bytes for event %u", len, index);
	ev.plan = &s->plan->events.data[index];
	if (len < ev.plan->size)
		BUG("a record of %u bytes where %u were agreed", len, ev.plan->size);

	struct arena_mark mark = arena_mark(&s->scratch);
	int err = handlers[ev.plan->kind](s, &ev, e);
	arena_reset(&s->scratch, mark);
	if (!s->write_err && ferror_unlocked(s->out))
		s->write_err = err_of_stream(s->out);
	return err;
}
