/*
 * scry prog profile: how often a program runs, how long, and what the processor counts
 * meanwhile.
 */
#include "base/auto.h"
#include "cli/cmd_prog.h"
#include "kernel/bpf.h"
#include "object/profile.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the words ask for. */
struct wish {
	unsigned long seconds; /* 0: until ^C */
	const struct profile_metric *metrics[PROFILE_METRICS_MAX];
	size_t n;
};

/* Runs and nanoseconds of a second, and of each run. */
static int profile_second(struct bpf_task *t, int fd, struct bpf_prog_info *last)
{
	struct bpf_prog_info now;
	int err;

	sleep(1);
	err = kbpf_prog_info(fd, &now);
	if (err)
		return err_set(&t->err, err, "ask about the program");
	uint64_t runs = now.run_cnt - last->run_cnt, ns = now.run_time_ns - last->run_time_ns;
	struct facts *f = &t->facts;
	facts_object(f, NULL);
	facts_number(f, "id", "", now.id, ": ");
	facts_number(f, "runs", " runs ", runs, " ");
	facts_number(f, "ns", " ns ", ns, " ");
	facts_number(f, "ns_per_run", " ns_per_run ", runs ? ns / runs : 0, "\n");
	facts_close(f);
	if (t->json)
		fputc('\n', stdout);
	fflush(stdout);
	*last = now;
	return 0;
}

static const struct profile_metric *find_metric(const char *name)
{
	for (const struct profile_metric *m = PROFILE_METRICS; m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static bool has_metric(const struct wish *w, const struct profile_metric *m)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->metrics[i] == m)
			return true;
	return false;
}

static int no_metric(struct bpf_task *t, const char *word)
{
	auto_sb struct sb names = {};

	for (const struct profile_metric *m = PROFILE_METRICS; m->name; m++)
		sb_printf(&names, "%s%s", names.len ? ", " : "", m->name);
	err_set(&t->err, -EINVAL, "profile: there is no metric '%s'", word);
	return err_hint(&t->err, "there are %s", sb_str(&names));
}

/* "[[duration] SECONDS] METRIC..." */
static int take_wish(struct bpf_task *t, struct wish *w)
{
	bool must = bpf_next_is(t, "duration");
	char *end;

	*w = (struct wish){};
	if (must || (t->words.n && isdigit((unsigned char)*t->words.words[0]))) {
		const char *word = bpf_next_word(t);

		w->seconds = strtoul(word, &end, 10);
		if (!isdigit((unsigned char)*word) || *end || !w->seconds)
			return err_set(&t->err, -EINVAL,
				       "profile: '%s' is no number of seconds", word);
	}
	while (t->words.n) {
		const char *word = bpf_next_word(t);
		const struct profile_metric *m = find_metric(word);

		if (!m)
			return no_metric(t, word);
		if (!has_metric(w, m))
			w->metrics[w->n++] = m;
	}
	return 0;
}

/* Beside some metrics their ratio to another one tells more. */
static const struct ratio {
	const char *metric, *per;
	double scale;
	const char *words;
} RATIOS[] = {
	{ "instructions", "cycles", 1, "insns per cycle" },
	{ "llc_misses", "instructions", 1e6, "LLC misses per million insns" },
	{ "itlb_misses", "instructions", 1e6, "itlb misses per million insns" },
	{ "dtlb_misses", "instructions", 1e6, "dtlb misses per million insns" },
	{ 0 },
};

static uint64_t value_of(const struct wish *w, const struct profile_result *r, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->metrics[i]->name, name))
			return r->values[i].value;
	return 0;
}

static void put_ratio(const struct wish *w, const struct profile_result *r, size_t i)
{
	for (const struct ratio *q = RATIOS; q->metric; q++) {
		uint64_t per =
			strcmp(q->metric, w->metrics[i]->name) ? 0 : value_of(w, r, q->per);

		if (per) {
			printf("# %6.2f %-30s",
			       (double)r->values[i].value * q->scale / (double)per, q->words);
			return;
		}
	}
	printf("%-39s", "");
}

static void put_metric(struct bpf_task *t, const struct wish *w, const struct profile_result *r,
		       size_t i)
{
	const struct profile_value *v = &r->values[i];
	struct facts *f = &t->facts;

	if (!f->json) {
		printf("%18" PRIu64 " %-16s", v->value, w->metrics[i]->name);
		put_ratio(w, r, i);
		if (v->enabled)
			printf("(%.2f%%)", 100.0 * (double)v->running / (double)v->enabled);
		putchar('\n');
		return;
	}
	facts_object(f, NULL);
	facts_text(f, "metric", NULL, w->metrics[i]->name, NULL);
	facts_number(f, "run_cnt", NULL, r->runs, NULL);
	facts_number(f, "value", NULL, v->value, NULL);
	facts_number(f, "enabled", NULL, v->enabled, NULL);
	facts_number(f, "running", NULL, v->running, NULL);
	facts_close(f);
}

static int profile_metrics(struct bpf_task *t, int fd, const struct wish *w)
{
	auto_close int stop = bpf_stop_signals();
	struct profile_result r;
	struct profile *p;
	int err = profile_open(fd, w->metrics, w->n, &p, &t->err);

	if (err)
		return err;
	poll(&(struct pollfd){ .fd = stop, .events = POLLIN }, 1,
	     w->seconds && w->seconds <= INT_MAX / 1000 ? (int)w->seconds * 1000 : -1);
	profile_close(p, &r);
	if (!t->facts.json)
		printf("\n%18" PRIu64 " run_cnt\n", r.runs);
	facts_list(&t->facts, NULL);
	for (size_t i = 0; i < w->n; i++)
		put_metric(t, w, &r, i);
	facts_close(&t->facts);
	if (r.missed)
		fprintf(stderr,
			"WARNING: %" PRIu64
			" runs were not counted: another one came in between\n",
			r.missed);
	return 0;
}

static int profile_runs(struct bpf_task *t, int fd, unsigned long seconds)
{
	struct bpf_prog_info last;
	auto_close int stats = kbpf_enable_stats();

	if (stats < 0)
		return err_set(&t->err, stats, "switch on the kernel's counting of runs");
	int err = kbpf_prog_info(fd, &last);
	for (unsigned long i = 0; !err && (!seconds || i < seconds); i++)
		err = profile_second(t, fd, &last);
	return err;
}

int prog_profile(struct bpf_task *t)
{
	auto_close int fd = inspect_open(KBPF_PROG, &t->words, &t->err);
	struct wish w;

	if (fd < 0 || take_wish(t, &w))
		return t->err.code;
	return w.n ? profile_metrics(t, fd, &w) : profile_runs(t, fd, w.seconds);
}
