/*
 * hooks: more kinds of sections, each of which counts what the process "watched" does: reads,
 * opens, calls of work_tick().
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

const volatile unsigned watched;
unsigned by_kretprobe, by_kretsyscall, by_kretmulti, by_brackets, by_lsm, by_lsm_s, by_fentry_s,
	by_uret, by_uprobe_s, by_uretmulti, by_usession, by_tasks;

static __attribute__((always_inline)) int count(unsigned *n)
{
	if (bpf_get_current_pid_tgid() >> 32 == watched)
		__sync_fetch_and_add(n, 1);
	return 0;
}

SEC("?kretprobe/vfs_read")
int on_kretprobe(void *ctx)
{
	return count(&by_kretprobe);
}

SEC("?kretsyscall/read")
int on_kretsyscall(void *ctx)
{
	return count(&by_kretsyscall);
}

SEC("?kretprobe.multi/vfs_read")
int on_kretmulti(void *ctx)
{
	return count(&by_kretmulti);
}

SEC("?kprobe.multi/vfs_rea[d]")
int on_brackets(void *ctx)
{
	return count(&by_brackets);
}

SEC("?kprobe.multi/vfs_nothing[xy]")
int on_nothing(void *ctx)
{
	return 0;
}

SEC("?lsm/file_open")
int on_lsm(void *ctx)
{
	return count(&by_lsm);
}

SEC("?lsm.s/file_open")
int on_lsm_s(void *ctx)
{
	return count(&by_lsm_s);
}

SEC("?fentry.s/bpf_lsm_file_open")
int on_fentry_s(void *ctx)
{
	return count(&by_fentry_s);
}

SEC("?uretprobe/work/calls:work_tick")
int on_uret(void *ctx)
{
	return count(&by_uret);
}

SEC("?uprobe.s/work/calls:work_tick")
int on_uprobe_s(void *ctx)
{
	return count(&by_uprobe_s);
}

SEC("?uretprobe.multi/work/calls:work_tic[k]")
int on_uretmulti(void *ctx)
{
	return count(&by_uretmulti);
}

/* At entry and at return. */
SEC("?uprobe.session/work/calls:work_tic[k]")
int on_usession(void *ctx)
{
	return count(&by_usession);
}

SEC("?uprobe.multi/work/calls:nothing_[xy]")
int on_no_function(void *ctx)
{
	return 0;
}

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct bpf_iter_meta;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

SEC("?iter.s/task")
int on_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->tgid == watched)
		by_tasks++;
	return 0;
}
