// SPDX-License-Identifier: GPL-2.0
/*
 * fakepmu.c - a processor's event counters that count what they are told.
 *
 * Emulated machines have no such counters.  This module is some, below the kernel's own perf
 * core: all else is as with a processor's.  It registers for PERF_TYPE_RAW, where the core
 * looks for whoever serves PERF_TYPE_HARDWARE and PERF_TYPE_HW_CACHE.
 *
 *	echo EVENT:COUNT >/proc/fakepmu       COUNT events happen, now, here, in the kernel
 *	echo EVENT:COUNT:user >/proc/fakepmu  in the writer's program, behind its write
 *	echo EVENT:COUNT:read >/proc/fakepmu  from now on COUNT more at each counter's reading
 *
 * An EVENT is a row of kinds[].  "Here" is the processor that the write runs on: what counts is
 * every event of that kind that is active there, of the writer or of the processor.  Overflows
 * come in an interrupt that cannot be masked, as a processor's do, each of them once: the
 * core's wish to throttle is not obeyed, or how many there are would depend on the clock.
 *
 * Once loaded it stays: 6.1 lets one PMU per boot have the tasks' hardware events.
 */
#include <asm/apic.h>
#include <asm/nmi.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>

#define CACHE(what, op, result)                                                             \
	PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_##what | PERF_COUNT_HW_CACHE_OP_##op << 8 | \
				    PERF_COUNT_HW_CACHE_RESULT_##result << 16

static const struct kind {
	const char *name;
	u32 type;
	u64 config;
} kinds[] = {
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
	{ "cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES },
	{ "cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
	{ "branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
	{ "branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
	{ "bus-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES },
	{ "stalled-frontend", PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND },
	{ "stalled-backend", PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND },
	{ "ref-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES },
	{ "l1d-loads", CACHE(L1D, READ, ACCESS) },
	{ "l1d-misses", CACHE(L1D, READ, MISS) },
	{ "llc-loads", CACHE(LL, READ, ACCESS) },
	{ "llc-misses", CACHE(LL, READ, MISS) },
	{ "itlb-misses", CACHE(ITLB, READ, MISS) },
	{ "dtlb-misses", CACHE(DTLB, READ, MISS) },
};

static atomic64_t per_read[ARRAY_SIZE(kinds)];

static typeof(perf_event_overflow) *core_overflow;

/* What is to happen on a processor. */
struct feed {
	unsigned int kind;
	u64 count;
	bool user;
};

/*
 * The events that are active on a processor, and what it is told and has not counted yet.  Both
 * change with interrupts off, and feed() keeps them off until the other kind has come and gone.
 */
static DEFINE_PER_CPU(struct list_head, active);
static DEFINE_PER_CPU(const struct feed *, pending);

static bool counts(const struct perf_event *event, const struct feed *f)
{
	return event->hw.config == f->kind && !(event->hw.state & PERF_HES_STOPPED) &&
	       !(f->user ? event->attr.exclude_user : event->attr.exclude_kernel);
}

static void count(struct perf_event *event, u64 n, struct pt_regs *regs)
{
	struct hw_perf_event *hw = &event->hw;
	struct perf_sample_data data;

	local64_add(n, &event->count);
	if (!is_sampling_event(event))
		return;
	local64_sub(n, &hw->period_left);
	while (local64_read(&hw->period_left) <= 0) {
		hw->last_period = hw->sample_period;
		local64_add(hw->sample_period, &hw->period_left);
		perf_sample_data_init(&data, 0, hw->last_period);
		core_overflow(event, &data, regs);
	}
}

static int overflow(unsigned int type, struct pt_regs *regs)
{
	const struct feed *f = this_cpu_read(pending);
	struct perf_event *event, *next;

	if (!f)
		return NMI_DONE;
	list_for_each_entry_safe(event, next, this_cpu_ptr(&active),
				 active_entry) if (counts(event, f))
		count(event, f->count, f->user ? task_pt_regs(current) : regs);
	this_cpu_write(pending, NULL);
	return NMI_HANDLED;
}

static void feed(const struct feed *f)
{
	unsigned long flags;

	local_irq_save(flags);
	this_cpu_write(pending, f);
	apic->send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	while (this_cpu_read(pending))
		cpu_relax();
	local_irq_restore(flags);
}

static int find_kind(const char *name)
{
	for (int i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -EINVAL;
}

static ssize_t told(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char text[64] = {}, name[32], how[8] = "kernel";
	unsigned long long n;
	int kind;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	if (sscanf(text, "%31[^:]:%llu:%7s", name, &n, how) < 2)
		return -EINVAL;
	kind = find_kind(name);
	if (kind < 0)
		return kind;
	if (!strcmp(how, "read"))
		atomic64_set(&per_read[kind], n);
	else if (!strcmp(how, "user") || !strcmp(how, "kernel"))
		feed(&(struct feed){ kind, n, *how == 'u' });
	else
		return -EINVAL;
	return size;
}

static int fakepmu_init(struct perf_event *event)
{
	for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != event->attr.type || kinds[i].config != event->attr.config)
			continue;
		event->hw.config = i;
		return has_branch_stack(event) ? -EOPNOTSUPP : 0;
	}
	return -ENOENT;
}

static void fakepmu_start(struct perf_event *event, int flags)
{
	event->hw.state = 0;
}

static void fakepmu_stop(struct perf_event *event, int flags)
{
	event->hw.state = PERF_HES_STOPPED;
}

static int fakepmu_add(struct perf_event *event, int flags)
{
	event->hw.state = flags & PERF_EF_START ? 0 : PERF_HES_STOPPED;
	list_add_tail(&event->active_entry, this_cpu_ptr(&active));
	return 0;
}

static void fakepmu_del(struct perf_event *event, int flags)
{
	event->hw.state = PERF_HES_STOPPED;
	list_del(&event->active_entry);
}

static void fakepmu_read(struct perf_event *event)
{
	if (!(event->hw.state & PERF_HES_STOPPED))
		local64_add(atomic64_read(&per_read[event->hw.config]), &event->count);
}

static struct pmu fakepmu = {
	.module = THIS_MODULE,
	.event_init = fakepmu_init,
	.add = fakepmu_add,
	.del = fakepmu_del,
	.start = fakepmu_start,
	.stop = fakepmu_stop,
	.read = fakepmu_read,
};

static const struct proc_ops file_ops = { .proc_write = told, .proc_lseek = noop_llseek };

/* PMUs are no modules: the core exports all that they need but this.  A kprobe tells where it
 * is. */
static int __init find_overflow(void)
{
	struct kprobe probe = { .symbol_name = "perf_event_overflow" };
	int r = register_kprobe(&probe);

	if (r)
		return r;
	core_overflow = (void *)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

static int __init fakepmu_load(void)
{
	int cpu, r = find_overflow();

	if (r)
		return r;
	for_each_possible_cpu(cpu) INIT_LIST_HEAD(per_cpu_ptr(&active, cpu));
	r = register_nmi_handler(NMI_LOCAL, overflow, 0, "fakepmu");
	if (r)
		return r;
	r = perf_pmu_register(&fakepmu, "cpu", PERF_TYPE_RAW);
	if (!r && !proc_create("fakepmu", 0222, NULL, &file_ops)) {
		perf_pmu_unregister(&fakepmu);
		r = -ENOMEM;
	}
	if (r)
		unregister_nmi_handler(NMI_LOCAL, "fakepmu");
	return r;
}
module_init(fakepmu_load);

MODULE_DESCRIPTION("a processor's event counters that count what they are told");
MODULE_LICENSE("GPL");
