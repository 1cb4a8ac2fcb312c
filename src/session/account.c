#include "session/account.h"

#include "kernel/bpf.h"
#include "session/maps.h"
#include "session/session.h"

/* What is counted that is neither a probe's nor a map's, by the kind of counter. */
static const struct {
	enum counter_kind kind;
	const char *name, *words;
} kinds[] = {
	{ COUNT_READ, "failed_reads",
	  "reads of memory that failed and gave zeros (-k shows where)" },
	{ COUNT_STACK, "failed_stacks", "stacks that could not be taken (-k shows where)" },
	{ COUNT_UNWIND, "short_stacks",
	  "user stacks that ended before the outermost function" },
	{ COUNT_UNWIND_FP, "frame_pointer_stacks",
	  "user stacks walked by frame pointers alone" },
	{ COUNT_HELPER, "failed_calls", "calls into the kernel that failed (-k shows where)" },
	{ COUNT_DELETE, "failed_deletes", "keys to be deleted that were not there" },
	{ COUNT_DIV_ZERO, "divisions_by_zero", "divisions by zero, which gave 1" },
	{ COUNT_INDEX, "wrong_indexes", "array indexes out of bounds, which gave 0" },
	{ COUNT_NEEDLE, "long_needles", "texts to look for that were too long and not found" },
};

enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]), NCOUNTS = NKINDS + 2 };

static bool was_told(const struct session *s, const struct plan_counter *c)
{
	return !c->quiet || s->opt.all_problems || s->opt.strict;
}

static struct account_count *count_kinds(struct session *s)
{
	struct account_count *list = arena_array(&s->scratch, struct account_count, NCOUNTS);

	for (size_t i = 0; i < NKINDS; i++) {
		list[i] = (struct account_count){ .name = kinds[i].name,
						  .words = kinds[i].words,
						  .told = true };
		vec_each(c, &s->plan->counters) {
			uint64_t n = c->kind == kinds[i].kind ? counter_times(s, c) : 0;

			list[i].n += n;
			list[i].told &= !n || was_told(s, c);
		}
	}
	list[NKINDS] = (struct account_count){
		.name = "cut_strings",
		.words = "strings shown that were cut (max_strlen)",
		.n = s->decoder.cut,
	};
	list[NKINDS + 1] = (struct account_count){
		.name = "unread_events",
		.words = "events left in the ring when scry had to end",
		.n = s->counters.unread,
		.told = true,
	};
	return list;
}

static void add_counters(const struct session *s, size_t prog, struct account_probe *p)
{
	vec_each(c, &s->plan->counters) {
		if (c->prog != prog)
			continue;
		if (c->kind == COUNT_LOST)
			p->lost += counter_times(s, c);
		else if (c->kind == COUNT_SCRATCH)
			p->no_room += counter_times(s, c);
	}
}

static void fill_probe(struct session *s, size_t i, struct account_probe *p)
{
	const struct plan_prog *prog = &s->plan->progs.data[i];
	struct runtime_problem place = session_place(s, prog->span);
	struct bpf_prog_info info;

	*p = (struct account_probe){ .name = prog->name,
				     .line = place.line,
				     .col = place.col,
				     .nplaces = prog->group ? prog->group->targets.len : 1,
				     .missed = s->counters.prog_missed[i] };
	if (prog->when == PROG_ATTACHED && !kbpf_prog_info(s->loaded.progs[i], &info)) {
		p->missed += info.recursion_misses;
		p->has_runs = s->run_counts >= 0;
		p->runs = info.run_cnt;
	}
	add_counters(s, i, p);
}

static bool is_lru(const struct session *s, const struct plan_map *m)
{
	enum bpf_map_type type = s->plan->kmaps.data[m->kmap].type;

	return (m->store == STORE_HASH || m->store == STORE_PERCPU_HASH) &&
	       (type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH);
}

/* What came in, was not taken out and is not there was given up by the kernel. */
static uint64_t evicted(struct session *s, size_t i, uint64_t added, uint64_t removed)
{
	const struct plan_map *m = &s->plan->maps.data[i];
	struct err e;
	size_t n;

	if (!is_lru(s, m) || maps_count(s, m, &n, &e))
		return 0;
	removed += s->counters.cleared[i] + n;
	return added > removed ? added - removed : 0;
}

static void fill_map(struct session *s, size_t i, struct account_map *a)
{
	uint64_t added = 0, removed = 0;

	*a = (struct account_map){ .name = s->plan->maps.data[i].name };
	vec_each(c, &s->plan->counters) {
		if (c->map != (int32_t)i)
			continue;
		if (c->kind == COUNT_MAP_FULL)
			a->failed += counter_times(s, c);
		else if (c->kind == COUNT_ADDED)
			added += counter_times(s, c);
		else if (c->kind == COUNT_REMOVED)
			removed += counter_times(s, c);
	}
	a->evicted = evicted(s, i, added, removed);
}

static bool is_empty(const struct account *a)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < a->nprobes; i++)
		sum += a->probes[i].missed + a->probes[i].lost + a->probes[i].no_room;
	for (unsigned i = 0; i < a->nmaps; i++)
		sum += a->maps[i].failed + a->maps[i].evicted;
	for (unsigned i = 0; i < a->ncounts; i++)
		sum += a->counts[i].n;
	return sum == 0;
}

/* What is known only when all was shown: counters_finish() did not see it. */
static bool has_late_losses(const struct account *a)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < a->nmaps; i++)
		sum += a->maps[i].evicted;
	for (unsigned i = NKINDS; i < a->ncounts; i++)
		sum += a->counts[i].n;
	return sum > 0;
}

bool account_show(struct session *s)
{
	size_t nprobes = s->plan->progs.len, nmaps = s->plan->maps.len;
	struct account_probe *probes = arena_array(&s->scratch, struct account_probe, nprobes);
	struct account_map *maps = arena_array(&s->scratch, struct account_map, nmaps);
	struct account a = {
		.probes = probes,
		.nprobes = (unsigned)nprobes,
		.maps = maps,
		.nmaps = (unsigned)nmaps,
		.counts = count_kinds(s),
		.ncounts = NCOUNTS,
		.whole = s->opt.account,
	};

	for (size_t i = 0; i < nprobes; i++)
		fill_probe(s, i, &probes[i]);
	for (size_t i = 0; i < nmaps; i++)
		fill_map(s, i, &maps[i]);
	if (a.whole || (!s->opt.no_warnings && !is_empty(&a)))
		s->sink->account(session_notices(s), &a);
	return has_late_losses(&a);
}
