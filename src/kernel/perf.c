#include "kernel/perf.h"

#include "kernel/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int perf_open(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	long r;

	attr->size = sizeof(*attr);
	r = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return r < 0 ? -errno : (int)r;
}

int perf_open_tracepoint(uint64_t id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = id,
		.sample_period = 1,
	};

	return perf_open(&attr, -1, (int)cpu_first_online());
}

int perf_pmu_type(const char *name)
{
	char path[128], text[32] = "";
	int type, r;

	snprintf(path, sizeof(path), PERF_PMU_PATH "%s/type", name);
	r = proc_read_small(path, text, sizeof(text));
	if (r < 0)
		return r;
	return sscanf(text, "%d", &type) == 1 ? type : -EINVAL;
}

int perf_open_kprobe(const struct perf_kprobe *k)
{
	struct perf_event_attr attr = {
		.type = (uint32_t)k->pmu,
		.config = k->is_ret ? 1 : 0, /* format/retprobe: bit 0 */
		.config1 = (uint64_t)(uintptr_t)k->symbol,
		.config2 = k->symbol ? k->offset : k->addr,
		.sample_period = 1,
	};

	return perf_open(&attr, -1, (int)cpu_first_online());
}

int perf_open_uprobe(const struct perf_uprobe *u)
{
	enum { REFCOUNT_SHIFT = 32 }; /* format/ref_ctr_offset: config:32-63 */
	struct perf_event_attr attr = {
		.type = (uint32_t)u->pmu,
		.config = (u->is_ret ? 1 : 0) | u->refcount << REFCOUNT_SHIFT,
		.config1 = (uint64_t)(uintptr_t)u->path,
		.config2 = u->offset,
		.sample_period = 1,
	};

	if (u->refcount > UINT32_MAX)
		return -EOVERFLOW;
	return u->pid ? perf_open(&attr, u->pid, -1)
		      : perf_open(&attr, -1, (int)cpu_first_online());
}

struct perf_event_attr perf_count_attr(const struct perf_count *c)
{
	struct perf_event_attr attr = { .type = c->type, .config = c->config };

	if (c->freq) {
		attr.freq = 1;
		attr.sample_freq = c->freq;
	} else {
		attr.sample_period = c->period;
	}
	if (c->type == PERF_TYPE_BREAKPOINT) {
		attr.bp_addr = c->addr;
		attr.bp_len = c->len;
		attr.bp_type = c->access;
	}
	return attr;
}

int perf_open_cpu(const struct perf_count *c, unsigned cpu)
{
	struct perf_event_attr attr = perf_count_attr(c);

	return perf_open(&attr, -1, (int)cpu);
}

int perf_open_thread(const struct perf_count *c, pid_t tid)
{
	struct perf_event_attr attr = perf_count_attr(c);
	int r;

	attr.disabled = attr.enable_on_exec = c->from_exec;
	attr.inherit = 1;
	attr.inherit_thread = 1; /* its threads, not its children: 5.13 */
	r = perf_open(&attr, tid, -1);
	if (r != -EINVAL && r != -E2BIG)
		return r;
	attr.inherit_thread = 0;
	return perf_open(&attr, tid, -1);
}

int perf_open_mappings(pid_t pid, unsigned cpu, uint32_t wakeup)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.inherit = pid != 0,
		.watermark = 1,
		.wakeup_watermark = wakeup,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return perf_open(&attr, pid ? pid : -1, (int)cpu);
}

int perf_open_output(unsigned cpu, uint32_t wakeup)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.watermark = 1,
		.wakeup_watermark = wakeup,
	};

	return perf_open(&attr, -1, (int)cpu);
}

int perf_set_prog(int perf_fd, int prog_fd)
{
	return ioctl(perf_fd, PERF_EVENT_IOC_SET_BPF, prog_fd) ? -errno : 0;
}
