#include "session/tests.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "session/engine.h"
#include "session/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of one benchmark: the least time of the run that counts, the most runs, the growth. */
enum { RUN_NS = 2000000, RUNS_MAX = 1 << 28, GROWTH_MAX = 1000 };

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What a program has to say goes to out for as long as it runs. */
struct apart {
	FILE *out;
	const struct sink *sink;
	struct sink text;
};

static void apart_begin(struct apart *a, struct session *s, FILE *out)
{
	a->out = s->out;
	a->sink = s->sink;
	a->text = sink_text;
	a->text.notices_apart = false;
	s->out = out;
	s->sink = &a->text;
	s->errors = 0;
}

/* Handles the events of the program, and is ready for the next one. *failed: see tests.h. */
static int apart_end(struct apart *a, struct session *s, bool *failed, struct err *e)
{
	int err = loop_drain(s, e);

	counters_poll(s, true);
	counters_forget(s);
	*failed = s->status || s->errors;
	s->status = 0;
	s->ending = s->deaf = false;
	memset(s->loaded.globals + EXIT_REQUEST_OFF, 0, sizeof(uint64_t));
	s->out = a->out;
	s->sink = a->sink;
	return err;
}

static int run_test(struct session *s, int prog, struct test_result *r, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct apart apart;
	uint32_t ret;
	bool failed;

	if (!out)
		return err_set(e, -errno, "keep what %s prints", r->name);
	apart_begin(&apart, s, out);
	r->ns = clock_ns();
	int err = engine_prog_test(&s->loaded, prog, r->name, &ret, e);
	r->ns = clock_ns() - r->ns;
	if (!err)
		err = apart_end(&apart, s, &failed, e);
	fclose(out);
	if (!err) {
		r->passed = !ret && !failed;
		r->output = arena_strndup(s->plan->arena, text, len);
	}
	free(text);
	return err;
}

static int run_tests(struct session *s, struct test_result *all, unsigned n, const int *progs,
		     struct err *e)
{
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		err = run_test(s, progs[i], &all[i], e);
		if (!err)
			s->sink->test(s->out, all, n, i);
		if (!err && s->opt.buffering == BUFFER_LINE)
			fflush(s->out);
	}
	for (unsigned i = 0; i < n; i++)
		s->status |= !all[i].passed;
	return err;
}

/* Runs it n times. *more: how many runs would take long enough; 0: these did. */
static int run_often(struct session *s, int prog, struct bench_result *r, uint32_t *more,
		     struct err *e)
{
	auto_fclose FILE *out = fopen("/dev/null", "we");
	struct apart apart;
	uint64_t factor;
	uint32_t ret;
	int err;

	if (!out)
		return err_set(e, -errno, "open /dev/null");
	apart_begin(&apart, s, out);
	err = engine_prog_bench(&s->loaded, prog, r->name, r->iters, &ret, &r->ns, e);
	if (!err)
		err = apart_end(&apart, s, &r->failed, e);
	if (err)
		return err;
	r->left_out = ret && !r->failed;
	factor = RUN_NS / (r->ns * r->iters + 1) + 1;
	*more = r->iters * (uint32_t)(factor < GROWTH_MAX ? factor : GROWTH_MAX);
	if (r->failed || r->left_out || factor == 1 || *more > RUNS_MAX)
		*more = 0;
	return 0;
}

static int run_bench(struct session *s, int prog, struct bench_result *r, struct err *e)
{
	uint32_t more = 1;
	int err = 0;

	while (more && !err) {
		r->iters = more;
		err = run_often(s, prog, r, &more, e);
	}
	return err;
}

static void tell_failed(struct session *s, const struct bench_result *r)
{
	struct runtime_problem p = {};
	auto_sb struct sb sb = {};

	sb_printf(&sb, "Benchmark '%s' failed.", r->name);
	p.msg = sb_str(&sb);
	s->sink->message(session_notices(s), true, &p);
	s->status = 1;
}

static int run_benches(struct session *s, struct bench_result *all, unsigned n,
		       const int *progs, struct err *e)
{
	auto_close int stats = kbpf_enable_stats();
	unsigned shown = 0;
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		err = run_bench(s, progs[i], &all[i], e);
		if (err || all[i].left_out)
			continue;
		if (all[i].failed)
			tell_failed(s, &all[i]);
		else
			s->sink->bench(s->out, all, n, i, shown++ == 0);
		if (s->opt.buffering == BUFFER_LINE)
			fflush(s->out);
	}
	return err;
}

int tests_run(struct session *s, struct err *e)
{
	const struct plan *plan = s->plan;
	bool benches = plan->purpose == FOR_BENCHES;
	unsigned most = plan->ntests + plan->nbenches, n = 0;
	struct bench_result *bench = arena_array(plan->arena, struct bench_result, most);
	struct test_result *test = arena_array(plan->arena, struct test_result, most);
	int *progs = arena_array(plan->arena, int, most);
	int err = loop_drain(s, e);

	for (size_t i = 0; i < plan->progs.len; i++) {
		const struct plan_prog *p = &plan->progs.data[i];

		if (p->when != (benches ? PROG_BENCH : PROG_TEST))
			continue;
		test[n].name = bench[n].name = p->name;
		progs[n++] = s->loaded.progs[i];
	}
	counters_poll(s, true); /* what is wrong with begin is not the first test's */
	if (err || s->ending)
		return err;
	return benches ? run_benches(s, bench, n, progs, e) : run_tests(s, test, n, progs, e);
}
