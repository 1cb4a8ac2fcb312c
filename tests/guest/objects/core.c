/* core: reads struct task_struct wherever this kernel has its fields (CO-RE); an iterator. */
#include <linux/bpf.h>
#include <linux/ptrace.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_struct {
	int pid, tgid;
} __attribute__((preserve_access_index));

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

char LICENSE[] SEC("license") = "GPL";

int reads, same;

SEC("kprobe/vfs_read")
int BPF_KPROBE(on_read)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	char comm[16];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	bpf_get_current_comm(comm, sizeof(comm));
	if (comm[0] != 'r' || comm[1] != 'e' || comm[4] != 's' || comm[5])
		return 0;
	__sync_fetch_and_add(&reads, 1);
	if (BPF_CORE_READ(task, tgid) == tgid)
		__sync_fetch_and_add(&same, 1);
	return 0;
}

SEC("iter/task")
int on_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "leader %d\n", task->pid == task->tgid);
	return 0;
}
