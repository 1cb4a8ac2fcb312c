/*
 * session.h - the life of one tracing session.
 *
 *	load      kernel maps, programs               load.c
 *	begin     begin programs, run by the kernel   attach.c
 *	attach    all other programs                  attach.c
 *	run       events, signals, the child's end    loop.c, events.c
 *		  or the tests, the benchmarks        tests.c
 *	end       detach, end programs, last events, maps
 *
 * A session takes a compiled plan and gives text on one stream.  It prints nothing itself but
 * through its sink; what stops it is returned as an error, or collected in dx when it is about
 * the script (the verifier's verdict).  All that it put into the kernel hangs on its
 * descriptors, so that nothing stays behind however the process ends.
 */
#ifndef SCRY_SESSION_SESSION_H
#define SCRY_SESSION_SESSION_H

#include "kernel/ring.h"
#include "output/sink.h"
#include "script/plan.h"
#include "session/child.h"
#include "session/counters.h"
#include "session/decode.h"
#include "session/load.h"

struct packets;
struct procwatch;
struct unwind;

/*
 * When output reaches the stream's file: with each batch of events, when its buffer is full, at
 * once.  The stream's buffer is up to its owner.
 */
enum session_buffering { BUFFER_LINE, BUFFER_FULL, BUFFER_NONE };

/* What runs the programs: the running kernel, or the machine in user space (scry_vm.h). */
enum session_engine { ENGINE_KERNEL, ENGINE_VM };

/* How far a session goes. */
enum session_until { UNTIL_ENDED, UNTIL_ATTACHED, UNTIL_LOADED };

struct session_options {
	enum session_engine engine;
	enum session_buffering buffering;
	enum session_until until;
	bool quiet;	   /* do not say how many probes were attached */
	bool all_problems; /* -k: report failed reads and the like, too */
	bool no_warnings;
	bool account;	     /* say at the end how it went, probe by probe */
	bool strict;	     /* anything lost or failed makes the status 1 */
	bool print_maps;     /* at the end */
	uint64_t every_ns;   /* print all maps that often, too; 0: no */
	uint64_t top;	     /* of each map these many entries, the largest; 0: all */
	bool clear_maps;     /* after each printing of every_ns */
	uint32_t ring_pages; /* 0: chosen by the session */
	uint32_t max_cat_bytes;
	const char *debug_dirs;	       /* of programs; NULL: the usual */
	bool source_lines;	       /* of user functions are shown */
	const char *trunc_trailer;     /* behind strings that were cut; NULL: ".." */
	bool no_user_symbols, mangled; /* see struct decoder */
	const char *out_name;	       /* of the output stream, for messages */
	/* Called with every program once it is loaded, when not NULL. */
	void (*loaded)(void *arg, const struct plan_prog *prog, int fd);
	void *loaded_arg;
};

struct session {
	/* Set by the owner, who keeps all of it alive. */
	struct plan *plan;
	struct probe_env *env;
	struct diags *dx;
	struct session_options opt;
	FILE *out;
	const struct sink *sink;
	struct child *child; /* whose end is the session's; never NULL, see CHILD_NONE */

	/* The session's own. */
	struct loaded loaded;
	struct ring ring;
	struct links links;
	struct decoder decoder;
	struct procwatch *watch; /* who maps what, for the decoder; or NULL */
	struct unwind *unwind;	 /* tells programs how to walk stacks; or NULL */
	struct packets *packets; /* that skboutput() takes; or NULL */
	struct counters counters;
	struct arena scratch; /* of one event, or one map being printed */
	struct sb text;	      /* of a printf, kept for its memory */
	bool ending;	      /* a reason to end was seen */
	bool deaf;	      /* exit() was called: events behind it do not count */
	uint64_t watch_waits; /* see WATCH_WAITS_OFF: so many were answered */
	bool unwatched;	      /* some watchpoint could not be set */
	int write_err;	      /* the first failed write to out, -errno */
	int status;	      /* exit()'s argument, or 0 */
	unsigned errors;      /* errorf()s and problems that were told so far */
	int run_counts;	      /* keeps the kernel counting runs of programs; -1: it does not */
};

/*
 * Runs the session to its end. Returns 0 and sets s->status, or -errno: with e set, or with
 * e->code 0 when the reason was reported to dx.
 */
int session_run(struct session *s, struct err *e);

/* Tells the user of it through the sink; both count in s->errors, a warnf() does not. */
void session_problem(struct session *s, const struct runtime_problem *p);
void session_message(struct session *s, bool is_error, const struct runtime_problem *p);
/* The stream for notices: stderr, or the output where the format wants all in one place. */
FILE *session_notices(struct session *s);
/* A place in the script as messages carry it; without a place, all zero. */
struct runtime_problem session_place(const struct session *s, struct span span);

#endif
