/*
 * The kernel's helpers that make sense outside a kernel, by their kernel numbers; results and
 * errors are the kernel's.  A helper that is handed an address asks scry_vm_helper_memory() for
 * it and may return anything when that fails, since the run then ends.
 */
#include "bpf/object.h"
#include "vm/format.h"
#include "vm/vm.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HELPER_BODY(name)                                                                 \
	static uint64_t name(                                                             \
		uint64_t r1 __attribute__((unused)), uint64_t r2 __attribute__((unused)), \
		uint64_t r3 __attribute__((unused)), uint64_t r4 __attribute__((unused)), \
		uint64_t r5 __attribute__((unused)),                                      \
		struct scry_vm_run *run __attribute__((unused)))

static struct vm_map *need_map(struct scry_vm_run *run, uint64_t addr)
{
	struct vm_map *m = vm_map_at(run->vm, addr);

	if (!m)
		run->fault = -EFAULT;
	else
		vm_charge(run, m->price);
	return m;
}

/* --- maps --- */

/* What programs get: for maps in maps the map itself. */
static uint64_t find(struct scry_vm_run *run, struct vm_map *m, const void *key, uint32_t cpu)
{
	if (m->def.type == BPF_MAP_TYPE_PROG_ARRAY)
		return 0;
	if (!m->ops->holds_ids)
		return (uintptr_t)vm_map_find(m, key, cpu);
	return (uintptr_t)vm_map(run->vm, vm_map_find_id(m, key));
}

static uint64_t lookup_on(struct scry_vm_run *run, uint64_t map, uint64_t key, uint32_t cpu)
{
	struct vm_map *m = need_map(run, map);
	const void *k = m ? scry_vm_helper_memory(run, key, m->def.key_size, false) : NULL;

	return k ? find(run, m, k, cpu) : 0;
}

HELPER_BODY(map_lookup_elem)
{
	return lookup_on(run, r1, r2, run->input->cpu);
}

HELPER_BODY(map_lookup_percpu_elem)
{
	struct vm_map *m = need_map(run, r1);

	return m && (uint32_t)r3 < m->cpus ? lookup_on(run, r1, r2, (uint32_t)r3) : 0;
}

HELPER_BODY(map_update_elem)
{
	struct vm_map *m = need_map(run, r1);

	if (!m)
		return 0;
	const void *key = scry_vm_helper_memory(run, r2, m->def.key_size, false);
	const void *value = scry_vm_helper_memory(run, r3, m->def.value_size, false);
	if (!key || !value)
		return 0;
	return (uint64_t)vm_map_set(m, key, value, r4, run->input->cpu);
}

HELPER_BODY(map_delete_elem)
{
	struct vm_map *m = need_map(run, r1);
	const void *key = m ? scry_vm_helper_memory(run, r2, m->def.key_size, false) : NULL;

	if (!key)
		return 0;
	return m->ops->holds_ids || m->ops->only_helpers ? (uint64_t)-EINVAL
							 : (uint64_t)vm_map_remove(m, key);
}

HELPER_BODY(map_push_elem)
{
	struct vm_map *m = need_map(run, r1);
	const void *value = m ? scry_vm_helper_memory(run, r2, m->def.value_size, false) : NULL;

	return value ? (uint64_t)vm_map_push(m, value, r3) : 0;
}

static uint64_t pop(struct scry_vm_run *run, uint64_t map, uint64_t value, bool remove)
{
	struct vm_map *m = need_map(run, map);
	void *to = m ? scry_vm_helper_memory(run, value, m->def.value_size, true) : NULL;

	return to ? (uint64_t)vm_map_pop(m, to, remove) : 0;
}

HELPER_BODY(map_pop_elem)
{
	return pop(run, r1, r2, true);
}

HELPER_BODY(map_peek_elem)
{
	return pop(run, r1, r2, false);
}

static struct vm_map *need_kind(struct scry_vm_run *run, uint64_t addr,
				const struct vm_map_ops *ops)
{
	struct vm_map *m = need_map(run, addr);

	if (m && m->ops != ops) {
		run->fault = -EINVAL;
		return NULL;
	}
	return m;
}

static struct vm_map *need_ring(struct scry_vm_run *run, uint64_t addr)
{
	return need_kind(run, addr, &VM_MAP_RING);
}

HELPER_BODY(ringbuf_reserve)
{
	struct vm_map *m = need_ring(run, r1);

	return m && !r3 ? (uintptr_t)vm_ring_reserve(m, r2) : 0;
}

/* The record's ring is the map whose memory it is in. */
static uint64_t commit(struct scry_vm_run *run, uint64_t record, bool discard)
{
	vec_each(m, &run->vm->maps) {
		if ((*m)->ops == &VM_MAP_RING &&
		    vm_in(record, 1, (uintptr_t)(*m)->mem, (*m)->mem_size) &&
		    !vm_ring_commit(*m, (void *)(uintptr_t)record, discard))
			return 0;
	}
	run->fault = -EFAULT;
	return 0;
}

HELPER_BODY(ringbuf_submit)
{
	return commit(run, r1, false);
}

HELPER_BODY(ringbuf_discard)
{
	return commit(run, r1, true);
}

HELPER_BODY(perf_event_output)
{
	struct vm_map *m = need_kind(run, r2, &VM_MAP_PERF);
	const void *data = m ? scry_vm_helper_memory(run, r4, r5, false) : NULL;
	uint32_t index = (uint32_t)r3;

	if (!data)
		return 0;
	if (r3 & ~(uint64_t)BPF_F_INDEX_MASK)
		return (uint64_t)-EINVAL;
	if (index == (uint32_t)BPF_F_CURRENT_CPU)
		index = run->input->cpu;
	return (uint64_t)(int64_t)vm_perf_output(m, index, data, (uint32_t)r5);
}

/* Nobody has a stack that could be taken: what the kernel says when there is none. */
HELPER_BODY(get_stackid)
{
	const uint64_t flags = BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP |
			       BPF_F_REUSE_STACKID;

	if (!need_kind(run, r2, &VM_MAP_STACKS))
		return 0;
	return (uint64_t)(int64_t)(r3 & ~flags ? -EINVAL : -EFAULT);
}

HELPER_BODY(ringbuf_output)
{
	struct vm_map *m = need_ring(run, r1);
	const void *data = m ? scry_vm_helper_memory(run, r2, r3, false) : NULL;

	if (!data)
		return 0;
	if (r4 & ~(uint64_t)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return (uint64_t)-EINVAL;
	void *record = vm_ring_reserve(m, r3);
	if (!record)
		return (uint64_t)-EAGAIN;
	memcpy(record, data, r3);
	vm_ring_commit(m, record, false);
	return 0;
}

HELPER_BODY(ringbuf_query)
{
	struct vm_map *m = need_ring(run, r1);

	return m ? vm_ring_query(m, r2) : 0;
}

/* --- clocks, the process --- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

HELPER_BODY(ktime_get_ns)
{
	return clock_ns(CLOCK_MONOTONIC);
}

HELPER_BODY(ktime_get_boot_ns)
{
	return clock_ns(CLOCK_BOOTTIME);
}

HELPER_BODY(ktime_get_coarse_ns)
{
	return clock_ns(CLOCK_MONOTONIC_COARSE);
}

HELPER_BODY(ktime_get_tai_ns)
{
	return clock_ns(CLOCK_TAI);
}

HELPER_BODY(jiffies64)
{
	return clock_ns(CLOCK_MONOTONIC) / (1000000000u / 250);
}

HELPER_BODY(get_prandom_u32)
{
	uint32_t value = 0;

	return getrandom(&value, sizeof(value), 0) < 0 ? 0 : value;
}

HELPER_BODY(get_smp_processor_id)
{
	return run->input->cpu;
}

HELPER_BODY(get_numa_node_id)
{
	return 0;
}

HELPER_BODY(get_current_pid_tgid)
{
	return (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);
}

HELPER_BODY(get_current_uid_gid)
{
	return (uint64_t)getgid() << 32 | getuid();
}

/* struct bpf_pidns_info, of the namespace that the machine itself is in. */
HELPER_BODY(get_ns_current_pid_tgid)
{
	uint32_t *to = scry_vm_helper_memory(run, r3, 8, true);

	if (!to)
		return 0;
	if (r4 != 8)
		return (uint64_t)-EINVAL;
	to[0] = (uint32_t)syscall(SYS_gettid);
	to[1] = (uint32_t)getpid();
	return 0;
}

HELPER_BODY(get_current_comm)
{
	char *to = scry_vm_helper_memory(run, r1, (uint32_t)r2, true);

	if (to && r2) {
		char comm[16] = "";

		memset(to, 0, (uint32_t)r2);
		prctl(PR_GET_NAME, comm);
		strncpy(to, comm, (uint32_t)r2 - 1);
	}
	return 0;
}

/* --- memory and text --- */

/* Reading elsewhere is no fault of the program's: it gets zeros and an error, as in the kernel.
 */
HELPER_BODY(probe_read)
{
	uint32_t size = (uint32_t)r2;
	void *to = scry_vm_helper_memory(run, r1, size, true);

	if (!to)
		return 0;
	if (!vm_check(run, r3, size, false)) {
		memset(to, 0, size);
		return (uint64_t)-EFAULT;
	}
	memmove(to, (const void *)(uintptr_t)r3, size);
	return 0;
}

HELPER_BODY(probe_read_str)
{
	uint32_t size = (uint32_t)r2, n = 0;
	char *to = scry_vm_helper_memory(run, r1, size, true);

	if (!to || !size)
		return 0;
	/* What lies where the text has to end is not kept, and need not be there. */
	while (n < size - 1) {
		if (!vm_check(run, r3 + n, 1, false)) {
			memset(to, 0, size);
			return (uint64_t)-EFAULT;
		}
		to[n] = *(const char *)(uintptr_t)(r3 + n);
		if (!to[n++])
			return n;
	}
	to[size - 1] = '\0';
	return size;
}

/* A string in the program's memory, or NULL. */
static const char *need_string(struct scry_vm_run *run, uint64_t addr)
{
	uint64_t end = addr;

	while (scry_vm_helper_memory(run, end, 1, false)) {
		if (!*(const char *)(uintptr_t)end++)
			return (const char *)(uintptr_t)addr;
	}
	return NULL;
}

static uint64_t print(struct scry_vm_run *run, const char *fmt, size_t len,
		      const uint64_t *args, unsigned nargs)
{
	char text[1024];
	int n = vm_format(run, text, sizeof(text), fmt, len, args, nargs);

	if (n > 0 && run->input->print)
		run->input->print(run->input->user, text, (size_t)n - 1);
	return (uint64_t)n;
}

HELPER_BODY(trace_printk)
{
	const char *fmt = scry_vm_helper_memory(run, r1, (uint32_t)r2, false);

	return fmt ? print(run, fmt, (uint32_t)r2, (uint64_t[]){ r3, r4, r5 }, 3) : 0;
}

HELPER_BODY(trace_vprintk)
{
	const char *fmt = scry_vm_helper_memory(run, r1, (uint32_t)r2, false);
	const uint64_t *args = r4 ? scry_vm_helper_memory(run, r3, (uint32_t)r4, false) : &r4;

	if (!fmt || !args)
		return 0;
	if (r4 % 8 || r4 > 12 * 8)
		return (uint64_t)-EINVAL;
	return print(run, fmt, (uint32_t)r2, args, (unsigned)r4 / 8);
}

HELPER_BODY(snprintf_text)
{
	char *to = r2 ? scry_vm_helper_memory(run, r1, (uint32_t)r2, true) : NULL;
	const char *fmt = need_string(run, r3);
	const uint64_t *args = r5 ? scry_vm_helper_memory(run, r4, (uint32_t)r5, false) : &r5;

	if (run->fault)
		return 0;
	if (r5 % 8 || r5 > 12 * 8)
		return (uint64_t)-EINVAL;
	return (uint64_t)vm_format(run, to, (uint32_t)r2, fmt, strlen(fmt) + 1, args,
				   (unsigned)r5 / 8);
}

HELPER_BODY(compare_strings)
{
	const char *a = scry_vm_helper_memory(run, r1, (uint32_t)r2, false);
	const char *b = a ? need_string(run, r3) : NULL;

	return b ? (uint64_t)(int64_t)strncmp(a, b, (uint32_t)r2) : 0;
}

/* bpf_strtol() and bpf_strtoul(): blanks, a sign, digits; returns the characters it took. */
static uint64_t parse(struct scry_vm_run *run, uint64_t addr, uint64_t len, uint64_t flags,
		      uint64_t result, bool is_signed)
{
	const char *s = scry_vm_helper_memory(run, addr, (uint32_t)len, false);
	int64_t *out = scry_vm_helper_memory(run, result, sizeof(*out), true);
	char text[66], *end;
	unsigned n = 0;

	if (!s || !out)
		return 0;
	if (flags & ~31ull || (flags && flags != 8 && flags != 10 && flags != 16))
		return (uint64_t)-EINVAL;
	while (n < (uint32_t)len && n < sizeof(text) - 1 && s[n]) {
		text[n] = s[n];
		n++;
	}
	text[n] = '\0';
	errno = 0;
	int64_t value = is_signed ? strtoll(text, &end, (int)flags)
				  : (int64_t)strtoull(text, &end, (int)flags);
	if (end == text || (!is_signed && memchr(text, '-', (size_t)(end - text))))
		return (uint64_t)-EINVAL;
	if (errno)
		return (uint64_t)-ERANGE;
	memcpy(out, &value, sizeof(value));
	return (uint64_t)(end - text);
}

HELPER_BODY(parse_long)
{
	return parse(run, r1, r2, r3, r4, true);
}

HELPER_BODY(parse_unsigned)
{
	return parse(run, r1, r2, r3, r4, false);
}

/* --- packets --- */

HELPER_BODY(skb_load_bytes)
{
	uint32_t off = (uint32_t)r2, size = (uint32_t)r4;
	void *to = scry_vm_helper_memory(run, r3, size, true);

	if (!to)
		return 0;
	if ((uint64_t)off + size > run->packet_size) {
		memset(to, 0, size);
		return (uint64_t)-EFAULT;
	}
	memmove(to, run->packet + off, size);
	return 0;
}

/* The one's complement sum of 32-bit words, as csum_partial() gives it. */
static uint32_t sum_words(const uint8_t *p, uint32_t size, uint32_t sum, uint32_t flip)
{
	for (uint32_t i = 0; i < size; i += 4) {
		uint32_t word;

		memcpy(&word, p + i, 4);
		word ^= flip;
		sum += word;
		sum += sum < word;
	}
	return sum;
}

HELPER_BODY(csum_diff)
{
	const uint8_t *from = r2 ? scry_vm_helper_memory(run, r1, (uint32_t)r2, false) : NULL;
	const uint8_t *to = r4 ? scry_vm_helper_memory(run, r3, (uint32_t)r4, false) : NULL;

	if (run->fault)
		return 0;
	if ((r2 | r4) & 3 || r2 + r4 > 512)
		return (uint64_t)-EINVAL;
	uint32_t sum = (uint32_t)r5;
	if (from)
		sum = sum_words(from, (uint32_t)r2, sum, UINT32_MAX);
	if (to)
		sum = sum_words(to, (uint32_t)r4, sum, 0);
	return sum;
}

/* bpf_tail_call() has no body: it does not return like a helper, so the machine does it. */
static const struct {
	uint32_t id;
	scry_vm_helper_fn fn;
} BODIES[] = {
	{ BPF_FUNC_map_lookup_elem, map_lookup_elem },
	{ BPF_FUNC_map_update_elem, map_update_elem },
	{ BPF_FUNC_map_delete_elem, map_delete_elem },
	{ BPF_FUNC_map_push_elem, map_push_elem },
	{ BPF_FUNC_map_pop_elem, map_pop_elem },
	{ BPF_FUNC_map_peek_elem, map_peek_elem },
	{ BPF_FUNC_map_lookup_percpu_elem, map_lookup_percpu_elem },
	{ BPF_FUNC_ringbuf_reserve, ringbuf_reserve },
	{ BPF_FUNC_ringbuf_submit, ringbuf_submit },
	{ BPF_FUNC_ringbuf_discard, ringbuf_discard },
	{ BPF_FUNC_ringbuf_output, ringbuf_output },
	{ BPF_FUNC_ringbuf_query, ringbuf_query },
	{ BPF_FUNC_perf_event_output, perf_event_output },
	{ BPF_FUNC_get_stackid, get_stackid },
	{ BPF_FUNC_ktime_get_ns, ktime_get_ns },
	{ BPF_FUNC_ktime_get_boot_ns, ktime_get_boot_ns },
	{ BPF_FUNC_ktime_get_coarse_ns, ktime_get_coarse_ns },
	{ BPF_FUNC_ktime_get_tai_ns, ktime_get_tai_ns },
	{ BPF_FUNC_jiffies64, jiffies64 },
	{ BPF_FUNC_get_prandom_u32, get_prandom_u32 },
	{ BPF_FUNC_get_smp_processor_id, get_smp_processor_id },
	{ BPF_FUNC_get_numa_node_id, get_numa_node_id },
	{ BPF_FUNC_get_current_pid_tgid, get_current_pid_tgid },
	{ BPF_FUNC_get_current_uid_gid, get_current_uid_gid },
	{ BPF_FUNC_get_ns_current_pid_tgid, get_ns_current_pid_tgid },
	{ BPF_FUNC_get_current_comm, get_current_comm },
	{ BPF_FUNC_probe_read, probe_read },
	{ BPF_FUNC_probe_read_user, probe_read },
	{ BPF_FUNC_probe_read_kernel, probe_read },
	{ BPF_FUNC_probe_read_str, probe_read_str },
	{ BPF_FUNC_probe_read_user_str, probe_read_str },
	{ BPF_FUNC_probe_read_kernel_str, probe_read_str },
	{ BPF_FUNC_trace_printk, trace_printk },
	{ BPF_FUNC_trace_vprintk, trace_vprintk },
	{ BPF_FUNC_snprintf, snprintf_text },
	{ BPF_FUNC_strncmp, compare_strings },
	{ BPF_FUNC_strtol, parse_long },
	{ BPF_FUNC_strtoul, parse_unsigned },
	{ BPF_FUNC_skb_load_bytes, skb_load_bytes },
	{ BPF_FUNC_csum_diff, csum_diff },
	{ BPF_FUNC_tail_call, NULL },
};

/* An object's instruction had no answer in the types of the kernel. */
static uint64_t poison(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		       struct scry_vm_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	run->fault = -ENOTSUP;
	return 0;
}

void vm_add_kernel_helpers(struct scry_vm *vm)
{
	scry_vm_helper_add(vm, BPF_OBJECT_POISON, "poison", poison, 0);
	for (size_t i = 0; i < sizeof(BODIES) / sizeof(*BODIES); i++)
		scry_vm_helper_add(vm, BODIES[i].id, helper_by_id(BODIES[i].id)->name,
				   BODIES[i].fn, 0);
}
