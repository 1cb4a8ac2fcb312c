/*
 * proc.h - what /proc, /sys and a few system calls say about the machine and its processes.
 */
#ifndef SCRY_KERNEL_PROC_H
#define SCRY_KERNEL_PROC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a small file whole, NUL-terminated, cut to size. Returns its length or -errno. */
long proc_read_small(const char *path, char *buf, size_t size);

/* CPUs that may ever exist: the number of values in a per-CPU map's element. */
unsigned cpus_possible(void);
/* Bytes of memory that the machine has; 0: not known. */
uint64_t memory_of_machine(void);
VEC_TYPE(cpu_list, unsigned);
/* The CPUs that run now, ascending. Reads "0-3,8"; CPU 0 when the file cannot be read. */
void cpus_online(struct arena *a, struct cpu_list *out);
unsigned cpu_first_online(void);
/* The format of cpus_online: appends to out; false when text is malformed. */
bool cpu_list_parse(struct arena *a, const char *text, struct cpu_list *out);

/* An effective capability of this process, by its number (linux/capability.h). */
bool cap_has(unsigned cap);
/*
 * May this process trace? 0, or -EPERM with e naming the capability that is missing: CAP_BPF
 * and CAP_PERFMON, or CAP_SYS_ADMIN.
 */
int proc_may_trace(struct err *e);

enum lockdown { LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY };
enum lockdown kernel_lockdown(void);
/*
 * The hint for -EPERM on something: what is missing to this process, or, when that is nothing,
 * what forbids it to everybody. what is a plural: "kprobes". Returns e's code.
 */
int proc_hint_denied(struct err *e, const char *what);
/* "6.1.0-28-amd64", "x86_64"; empty when unknown. */
const char *kernel_release(struct arena *a);
const char *kernel_arch(struct arena *a);

/* A descriptor that polls readable when the process ends, or -errno. */
int pidfd_open_pid(pid_t pid);
/* Waits for that at most timeout_ms (-1: for ever). 1: ended, 0: still there, or -errno. */
int pidfd_wait(int pidfd, int timeout_ms);
VEC_TYPE(tid_list, pid_t);
/* The threads of a process now. Returns 0 or -errno. */
int proc_threads(struct arena *a, pid_t pid, struct tid_list *out);

/* Raises the limit on open files to at least n, as far as it may be raised. */
void proc_allow_files(unsigned long n);

/*
 * The id of a cgroup directory, as bpf_get_current_cgroup_id() gives it. 0 or -errno:
 * -EMEDIUMTYPE when it lies in another file system than cgroup v2's.
 */
int cgroup_id(const char *path, uint64_t *id);

#endif
