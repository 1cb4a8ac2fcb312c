/*
 * relocs: what the kernel's types are like, in one number: relocations of every kind, which
 * libbpf carries out for the kernel and scry for its own machine. Both must come to the same.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#define CORE __attribute__((preserve_access_index))

struct list_head {
	struct list_head *next, *prev;
} CORE;

struct task_struct {
	int pid, tgid, prio;
	char comm[16];
	struct task_struct *real_parent;
	struct list_head children;
	unsigned in_execve : 1, sched_contributes_to_load : 1;
	unsigned long long start_time, nothing_of_that_name;
} CORE;

struct sk_buff {
	struct sk_buff *next;
	unsigned len;
	unsigned char cloned : 1, nohdr : 1, pkt_type : 3;
	unsigned short queue_mapping;
} CORE;

struct sock_common {
	unsigned short skc_dport, skc_family;
} CORE;

struct sock {
	struct sock_common __sk_common;
	unsigned char sk_no_check_tx : 1;
} CORE;

/* Of these only names count. */
struct qstr {
	const unsigned char *name;
	unsigned len;
} CORE;

struct dentry {
	struct qstr d_name;
	struct dentry *d_parent;
	unsigned d_flags;
} CORE;

struct path {
	struct dentry *dentry;
} CORE;

struct file {
	struct path f_path;
	unsigned f_flags;
	long long f_pos;
} CORE;

struct task_struct___other {
	int exit_code;
	int no_such_member;
} CORE;

struct no_such_struct {
	int x;
} CORE;

union thread_union {
	int x;
} CORE;

typedef int pid_t;

enum bpf_map_type___other {
	BPF_MAP_TYPE_HASH___other = 77,
	BPF_MAP_TYPE_RINGBUF___other = 78,
	BPF_MAP_TYPE_NOTHING___other = 79,
};

enum pid_type { PIDTYPE_PID = 40, PIDTYPE_SID };

enum no_such_enum { NO_SUCH_CONSTANT };

typedef unsigned long long number;

#define FIELD(type, field, kind) \
	((number)__builtin_preserve_field_info(((type *)0)->field, kind))

static __attribute__((always_inline)) number add(number h, number n)
{
	return h * 31 + n;
}

#define OFFSET(t, f) h = add(h, FIELD(struct t, f, BPF_FIELD_BYTE_OFFSET))
#define ALL(t, f)                                                     \
	do {                                                          \
		OFFSET(t, f);                                         \
		h = add(h, FIELD(struct t, f, BPF_FIELD_BYTE_SIZE));  \
		h = add(h, FIELD(struct t, f, BPF_FIELD_EXISTS));     \
		h = add(h, FIELD(struct t, f, BPF_FIELD_SIGNED));     \
		h = add(h, FIELD(struct t, f, BPF_FIELD_LSHIFT_U64)); \
		h = add(h, FIELD(struct t, f, BPF_FIELD_RSHIFT_U64)); \
	} while (0)

static __attribute__((always_inline)) number fields(number h)
{
	ALL(task_struct, pid);
	ALL(task_struct, prio);
	OFFSET(task_struct, comm[3]);
	OFFSET(task_struct, real_parent);
	OFFSET(task_struct, children.prev);
	ALL(task_struct, in_execve);
	ALL(task_struct, sched_contributes_to_load);
	ALL(task_struct, start_time);
	h = add(h, FIELD(struct task_struct, nothing_of_that_name, BPF_FIELD_EXISTS));
	h = add(h, FIELD(struct task_struct, comm, BPF_FIELD_BYTE_SIZE));
	ALL(sk_buff, len);
	ALL(sk_buff, cloned);
	ALL(sk_buff, nohdr);
	ALL(sk_buff, pkt_type);
	ALL(sk_buff, queue_mapping);
	ALL(sock, __sk_common.skc_dport);
	OFFSET(sock, __sk_common.skc_family);
	ALL(sock, sk_no_check_tx);
	OFFSET(file, f_path.dentry);
	ALL(file, f_pos);
	OFFSET(dentry, d_name.name);
	OFFSET(dentry, d_name.len);
	OFFSET(dentry, d_parent);
	ALL(task_struct___other, exit_code);
	return add(h, FIELD(struct task_struct___other, no_such_member, BPF_FIELD_EXISTS));
}

static __attribute__((always_inline)) number types(number h)
{
	h = add(h, bpf_core_type_size(struct task_struct));
	h = add(h, bpf_core_type_size(struct sk_buff));
	h = add(h, bpf_core_type_size(struct file));
	h = add(h, bpf_core_type_size(union thread_union));
	h = add(h, bpf_core_type_size(pid_t));
	h = add(h, bpf_core_type_exists(struct path));
	h = add(h, bpf_core_type_exists(struct no_such_struct));
	h = add(h, bpf_core_type_exists(enum no_such_enum));
	h = add(h, bpf_core_type_id_kernel(struct task_struct));
	return add(h, bpf_core_type_id_kernel(struct dentry));
}

static __attribute__((always_inline)) number enums(number h)
{
	h = add(h, bpf_core_enum_value(enum bpf_map_type___other, BPF_MAP_TYPE_HASH___other));
	h = add(h,
		bpf_core_enum_value(enum bpf_map_type___other, BPF_MAP_TYPE_RINGBUF___other));
	h = add(h, bpf_core_enum_value_exists(enum bpf_map_type___other,
					      BPF_MAP_TYPE_NOTHING___other));
	h = add(h, bpf_core_enum_value(enum pid_type, PIDTYPE_PID));
	h = add(h, bpf_core_enum_value(enum pid_type, PIDTYPE_SID));
	return add(h, bpf_core_enum_value_exists(enum no_such_enum, NO_SUCH_CONSTANT));
}

SEC("syscall")
int sum(void *ctx)
{
	number h = enums(types(fields(1)));

	return (h ^ h >> 32) & 0x7fffffff;
}
