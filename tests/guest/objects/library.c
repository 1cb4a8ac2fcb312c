/*
 * A library of functions for scripts: import "library.bpf.o".  Numbers of all widths, pointers,
 * data, constants, a map, functions behind functions, and the kernel's types by name.
 */
#include <linux/bpf.h>

#define SEC(n)	 __attribute__((section(n), used))
#define NOINLINE __attribute__((noinline))
#define CORE	 __attribute__((preserve_access_index))
#define KSYM	 __attribute__((section(".ksyms")))

static void *(*map_lookup)(void *, const void *) = (void *)BPF_FUNC_map_lookup_elem;
static long (*map_update)(void *, const void *, const void *,
			  unsigned long) = (void *)BPF_FUNC_map_update_elem;
static long (*read_kernel)(void *, unsigned, const void *) = (void *)BPF_FUNC_probe_read_kernel;
static void *(*current_task)(void) = (void *)BPF_FUNC_get_current_task;

struct {
	int (*type)[BPF_MAP_TYPE_HASH];
	int *key;
	long *value;
	int (*max_entries)[16];
} seen SEC(".maps");

struct point {
	long x, y;
};

/* As little of it as is asked for, under a name of its own. */
struct task_struct___small {
	int tgid;
	char comm[16];
	int not_there;
} CORE;

extern int bpf_is_nowhere(int) KSYM;

long total = 5;
const volatile int step = 3;

static NOINLINE int twice(int x)
{
	volatile int y = x;

	return y * 2;
}

int add(int a, int b)
{
	return a + b;
}

int twice_two(int x)
{
	return twice(x) + twice(x) - 100;
}

unsigned char low(unsigned long v)
{
	return v;
}

short negated(short v)
{
	return -v;
}

_Bool is_big(unsigned v)
{
	return v > 100;
}

long bump(void)
{
	total += step;
	return total;
}

void reset(void)
{
	total = 1000;
}

int times_seen(int k)
{
	long one = 1, *v = map_lookup(&seen, &k);

	if (v)
		return ++*v;
	map_update(&seen, &k, &one, BPF_ANY);
	return 1;
}

int length(const char *s, unsigned n)
{
	unsigned i;

	for (i = 0; i < 8 && i < n; i++)
		if (!s[i])
			break;
	return i;
}

void put(long *p, long v)
{
	*p = v;
}

long put_if(long *p, long v)
{
	if (!p)
		return 0;
	*p = v;
	return 1;
}

long sum_of(struct point *p)
{
	return p->x + p->y;
}

double itself(double x)
{
	return x;
}

int tgid_of_task(void)
{
	struct task_struct___small *t = current_task();
	int tgid = 0;

	read_kernel(&tgid, sizeof(tgid), &t->tgid);
	return tgid;
}

int comm_offset(void)
{
	struct task_struct___small *t = 0;

	return __builtin_preserve_field_info(t->comm, 0);
}

int has_fields(void)
{
	struct task_struct___small *t = 0;

	return __builtin_preserve_field_info(t->comm, 2) * 2 +
	       __builtin_preserve_field_info(t->not_there, 2);
}

int needs_what_is_nowhere(void)
{
	return bpf_is_nowhere(1);
}
