/*
 * fields: reads a struct as other types than the kernel's describe it; types.c has those that
 * stand for the kernel's.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))

enum mood { GLAD = 1, SAD = 2, ODD = 7 };

struct part {
	unsigned x, y;
} CORE;

struct item {
	unsigned id, wide;
	struct part parts[2];
	unsigned long long gone;
	unsigned low : 3, high : 5;
} CORE;

struct item___old {
	unsigned former;
} CORE;

struct absent {
	int x;
} CORE;

struct task_struct {
	int pid;
} CORE;

/* Two digits each: id, the second part's y, high; what is gone, or else former; SAD. */
SEC("socket")
unsigned long long read_item(struct item *i)
{
	unsigned long long n = BPF_CORE_READ(i, id);
	struct item___old *old = (void *)i;

	n = n * 100 + i->parts[1].y;
	n = n * 100 + BPF_CORE_READ_BITFIELD_PROBED(i, high);
	if (bpf_core_field_exists(i->gone))
		n = n * 100 + i->gone;
	else if (bpf_core_field_exists(old->former))
		n = n * 100 + old->former;
	return n * 100 + bpf_core_enum_value(enum mood, SAD);
}

/* It has another width there. */
SEC("socket")
unsigned long long read_wide(struct item *i)
{
	return i->wide;
}

SEC("socket")
unsigned long long ask(void *ctx)
{
	unsigned long long n = bpf_core_type_size(struct item);

	n = n * 10 + bpf_core_type_exists(struct part);
	n = n * 10 + bpf_core_type_exists(struct absent);
	n = n * 10 + bpf_core_enum_value_exists(enum mood, ODD);
	return n * 10 + bpf_core_field_size(((struct item *)0)->wide);
}

/* Nobody asks first. */
SEC("socket")
unsigned long long read_gone(struct item *i)
{
	return i->gone;
}

SEC("socket")
unsigned long long size_of_task(void *ctx)
{
	return bpf_core_type_size(struct task_struct);
}
