#include "session/session.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "session/account.h"
#include "session/attach.h"
#include "session/events.h"
#include "session/loop.h"
#include "session/maps.h"
#include "session/packets.h"
#include "session/tests.h"
#include "session/unwind.h"
#include "symbol/procwatch.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

FILE *session_notices(struct session *s)
{
	if (!s->sink->notices_apart)
		return s->out;
	/* Both may end on one terminal, where order matters. */
	if (s->opt.buffering != BUFFER_FULL)
		fflush(s->out);
	return stderr;
}

void session_problem(struct session *s, const struct runtime_problem *p)
{
	s->errors++;
	s->sink->problem(session_notices(s), p);
}

void session_message(struct session *s, bool is_error, const struct runtime_problem *p)
{
	s->errors += is_error;
	s->sink->message(session_notices(s), is_error, p);
}

struct runtime_problem session_place(const struct session *s, struct span span)
{
	struct location loc;

	if (!source_locate(s->plan->sources, span, &loc))
		return (struct runtime_problem){};
	return (struct runtime_problem){
		.filename = loc.name, .line = loc.line, .col = loc.col, .end_col = loc.end_col
	};
}

static void start(struct session *s)
{
	s->ring.fd = s->run_counts = -1;
	if (s->opt.account)
		s->run_counts = kbpf_enable_stats();
	decoder_init(&s->decoder, s->plan);
	s->decoder.debug_dirs = s->opt.debug_dirs;
	s->decoder.source_lines = s->opt.source_lines;
	s->decoder.no_user_symbols = s->opt.no_user_symbols;
	s->decoder.mangled = s->opt.mangled;
	if (s->opt.trunc_trailer && strcmp(s->opt.trunc_trailer, "..") != 0)
		s->decoder.trunc_trailer = s->opt.trunc_trailer;
	counters_init(&s->counters, s->plan);
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error, so that we end in order */
}

static int load_plan(struct session *s, struct err *e)
{
	struct load_options opt = { .ring_pages = s->opt.ring_pages,
				    .on_vm = s->opt.engine == ENGINE_VM };
	const struct plan *plan = s->plan;
	int err = load(&s->loaded, s->plan, &opt, s->dx, e);

	if (err)
		return err;
	for (size_t i = 0; i < plan->progs.len && s->opt.loaded; i++)
		s->opt.loaded(s->opt.loaded_arg, &plan->progs.data[i], s->loaded.progs[i]);
	/* Something that stays, lest the arena be given up and made again with each event. */
	if (plan->uses_ring)
		arena_alloc(&s->scratch, 1);
	if (plan->uses_ring && !s->loaded.vm)
		err = ring_open(&s->ring, s->loaded.maps[KMAP_RING], s->loaded.ring_size);
	return err ? err_set(e, err, "map the ring buffer into memory") : 0;
}

/* Is there anything that happens later, or somebody to wait for? */
static bool must_wait(const struct session *s)
{
	return plan_has(s->plan, PROG_ATTACHED) || plan_has(s->plan, PROG_SIGNAL) ||
	       s->child->pidfd >= 0;
}

/* Matches of a wildcard that the kernel refused; the others are traced. */
static void tell_skipped(struct session *s)
{
	const struct link_skip *first = s->links.skipped.data;
	auto_sb struct sb sb = {};
	size_t n = s->links.skipped.len;

	if (!n || s->opt.no_warnings)
		return;
	sb_printf(&sb, "%zu of the matching probes cannot be attached: %s (%s)", n,
		  first->target->name, strerror(-first->err));
	if (n > 1)
		sb_printf(&sb, " and %zu more", n - 1);

	struct runtime_problem p = { .msg = sb_str(&sb) };
	s->sink->problem(session_notices(s), &p);
}

/* What stays when scry ends; in formats that have no such record, beside the data. */
static void tell_pinned(struct session *s)
{
	FILE *out = s->sink == &sink_text ? s->out : stderr;

	vec_each(t, &s->links.pinned)
		fprintf(out, "Program pinned to %s\n", (*t)->pin);
}

static void announce(struct session *s)
{
	unsigned n = s->plan->nattached - (unsigned)s->links.skipped.len;

	tell_skipped(s);
	if (!s->opt.quiet)
		s->sink->attached(session_notices(s), n);
	tell_pinned(s);
	if (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED")) {
		fputs("__BPFTRACE_NOTIFY_PROBES_ATTACHED\n", stdout);
		fflush(stdout);
	}
	if (s->opt.buffering == BUFFER_LINE)
		fflush(s->out);
}

/* Processes that end before their addresses are printed shall have names. */
static void watch_processes(struct session *s)
{
	struct usyms *usyms = decoder_usyms(&s->decoder);

	s->unwind = unwind_open(s->plan, &s->loaded, usyms);
	if (s->unwind && s->child->program)
		unwind_expect(usyms, s->child->program);
	s->watch = procwatch_open(usyms, s->child->pid, s->plan->unwind_follow);
	if (s->child->pid && !s->child->ours)
		usyms_remember(usyms, s->child->pid);
	else if (!s->child->pid && s->plan->unwind_follow)
		unwind_all_processes(usyms);
}

/* From the first attached program to the reason to end. */
static int trace(struct session *s, struct loop *loop, struct err *e)
{
	int err;

	if (s->plan->uses_user_symbols)
		watch_processes(s);
	err = packets_open(&s->packets, s->plan, &s->loaded, e);
	if (!err)
		err = loop_open(loop, s, e);

	if (!err)
		err = attach_all(s->plan, &s->loaded, s->env, &s->links, e);
	if (err)
		return err;
	announce(s);
	if (s->opt.until == UNTIL_ATTACHED)
		return 0;
	err = child_release(s->child, e);
	if (!err)
		err = loop_walk(loop, s, e);
	return err ? err : loop_run(loop, s, e);
}

static int run(struct session *s, struct err *e)
{
	struct loop loop = LOOP_CLOSED;
	int err;

	if (s->plan->purpose != FOR_TRACE) {
		err = tests_run(s, e);
	} else if (must_wait(s)) {
		err = trace(s, &loop, e);
	} else {
		announce(s);
		err = loop_drain(s, e);
	}
	counters_take_missed(s);
	links_detach(&s->links);
	events_let_go(s);
	loop_close(&loop);
	return err;
}

/* Flushes, and turns a failed write into the session's error. A closed pipe is a quiet end. */
static int close_output(struct session *s, struct err *e)
{
	if (fflush(s->out) && !s->write_err)
		s->write_err = -errno;
	if (!s->write_err && ferror(s->out))
		s->write_err = err_of_stream(s->out);
	if (!s->write_err || s->write_err == -EPIPE)
		return 0;
	return err_set(e, s->write_err, "write %s: %s", s->opt.out_name,
		       strerror(-s->write_err));
}

static void tell_symbols_of(struct session *s, const char *msg)
{
	struct runtime_problem p = { .msg = msg };

	if (!s->opt.no_warnings)
		s->sink->problem(session_notices(s), &p);
}

/* Addresses that stayed numbers have a reason. Returns whether something was lost. */
static bool tell_symbols(struct session *s)
{
	uint64_t lost = procwatch_lost(s->watch);
	uint64_t unknown = s->decoder.usyms ? usyms_unknown(s->decoder.usyms) : 0;
	auto_sb struct sb sb = {};

	if (s->decoder.ksyms_failed)
		tell_symbols_of(s, s->decoder.ksyms_err.msg);
	if (lost) {
		sb_printf(&sb,
			  "%" PRIu64 " records of what processes do were lost: addresses of "
			  "some may have no name, or a wrong one.",
			  lost);
		tell_symbols_of(s, sb_str(&sb));
	}
	if (unknown) {
		sb_clear(&sb);
		sb_printf(&sb,
			  "%" PRIu64 " addresses have no names: their processes ended unseen, "
			  "or longer ago than is remembered.",
			  unknown);
		tell_symbols_of(s, sb_str(&sb));
	}
	return lost + unknown > 0;
}

/* Everything is detached: the end programs, their events, what was lost, the maps. */
static int finish(struct session *s, struct err *e)
{
	int err = loop_drain(s, e);

	s->deaf = false;
	if (!err && !s->write_err)
		err = attach_run(s->plan, &s->loaded, PROG_END, e);
	if (!err)
		err = loop_drain(s, e);
	if ((counters_finish(s) || s->unwatched) && s->opt.strict && !s->status)
		s->status = 1;
	if (err || s->write_err)
		return err;
	s->sink->end(s->out);
	if (s->opt.print_maps && s->plan->purpose == FOR_TRACE)
		err = maps_print_all(s, e);
	if (tell_symbols(s) && s->opt.strict && !s->status)
		s->status = 1;
	if (account_show(s) && s->opt.strict && !s->status)
		s->status = 1;
	return err;
}

static int whole(struct session *s, struct err *e)
{
	int err = attach_run(s->plan, &s->loaded, PROG_BEGIN, e);

	if (!err)
		err = run(s, e);
	return err ? err : finish(s, e);
}

static void stop(struct session *s)
{
	unwind_close(s->unwind);
	if (s->run_counts >= 0)
		close(s->run_counts);
	procwatch_close(s->watch);
	packets_close(s->packets);
	ring_close(&s->ring);
	unload(&s->loaded);
	decoder_fini(&s->decoder);
	counters_fini(&s->counters);
	arena_free(&s->scratch);
	sb_free(&s->text);
}

int session_run(struct session *s, struct err *e)
{
	*e = (struct err){};
	start(s);

	int err = load_plan(s, e);
	if (!err && s->opt.until == UNTIL_ENDED)
		err = whole(s, e);
	else if (!err && s->opt.until == UNTIL_ATTACHED)
		err = run(s, e);
	if (!err)
		err = close_output(s, e);
	stop(s);
	return err;
}
