/*
 * bpf.h - the bpf(2) system call, one thin function per command that scry needs.
 *
 * Every function returns 0 (or a descriptor) or -errno and prints nothing; the caller knows the
 * object and finds the words.  Descriptors are close-on-exec and owned by the caller; closing
 * the last one releases the object.  The prefix is kbpf_ because libbpf owns bpf_.
 *
 * RLIMIT_MEMLOCK matters to kernels before 5.11 only.  It is raised when creating a map or a
 * program gives EPERM, and then once more tried; nobody hears of it otherwise.
 */
#ifndef SCRY_KERNEL_BPF_H
#define SCRY_KERNEL_BPF_H

#include "base/sb.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Attach types younger than the headers that scry is built with. */
enum {
	KBPF_NETFILTER = 45,
	KBPF_TCX_INGRESS,
	KBPF_TCX_EGRESS,
	KBPF_TRACE_UPROBE_MULTI,
	KBPF_CGROUP_UNIX_CONNECT,
	KBPF_CGROUP_UNIX_SENDMSG,
	KBPF_CGROUP_UNIX_RECVMSG,
	KBPF_CGROUP_UNIX_GETPEERNAME,
	KBPF_CGROUP_UNIX_GETSOCKNAME,
	KBPF_NETKIT_PRIMARY,
	KBPF_NETKIT_PEER,
	KBPF_TRACE_KPROBE_SESSION,
	KBPF_TRACE_UPROBE_SESSION,
};
enum { KBPF_PROG_NETFILTER = 32 }; /* a program type */
/* The kernel's own function that a session's program asks whether it runs at the return. */
#define KBPF_SESSION_IS_RETURN "bpf_session_is_return"

struct kbpf_map {
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries;
	uint32_t flags;	  /* BPF_F_... */
	const char *name; /* any text: the kernel gets its first 15 clean characters */
	int inner_fd;	  /* maps of maps: one of their kind; else 0 */
};

int kbpf_map_create(const struct kbpf_map *m);
/* -ENOENT: no such key. Values of per-CPU maps: kbpf_percpu_size() bytes. */
int kbpf_map_lookup(int fd, const void *key, void *value);
int kbpf_map_update(int fd, const void *key, const void *value, uint64_t flags);
int kbpf_map_delete(int fd, const void *key);
/* key NULL: the first one. -ENOENT: no more. */
int kbpf_map_next_key(int fd, const void *key, void *next);
/*
 * Reads up to *count elements from where *in_batch points (NULL: from the start); *count
 * becomes the number read and out_batch, at least 4 bytes or the key's size, the place to
 * continue. -ENOENT: these were the last ones, *count is still valid. -ENOSPC: *count is too
 * small for a bucket. -EINVAL, -EOPNOTSUPP: the kernel has no batches for this map.
 */
int kbpf_map_lookup_batch(int fd, const void *in_batch, void *out_batch, void *keys,
			  void *values, uint32_t *count);
/* Bytes of one element's values on all possible CPUs, as lookups of per-CPU maps give them. */
size_t kbpf_percpu_size(uint32_t value_size);
/*
 * Maps an array made with BPF_F_MMAPABLE into memory, readable and writable; size is rounded up
 * to pages. Returns 0 and the address, to be released with munmap().
 */
int kbpf_map_mmap(int fd, size_t size, void **addr);

struct kbpf_prog {
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach;
	uint32_t attach_btf_id; /* of the kernel's own BTF, or of attach_btf_fd's */
	int attach_btf_fd;	/* BTF object of a module; 0 = the kernel's own */
	uint32_t flags;		/* BPF_F_SLEEPABLE ... */
	const char *name;	/* as in struct kbpf_map */
	const struct bpf_insn *insns;
	uint32_t ninsns;
	/* Of a program of several functions: where each begins, the first at 0; else NULL. */
	const uint32_t *funcs;
	uint32_t nfuncs;
	uint32_t log_level; /* 0: the verifier's log is kept only when loading fails */
	uint32_t dev;	    /* interface whose device runs it; 0: the kernel does */
};

/*
 * Loads a program, licence "GPL". Returns a descriptor or -errno; log (may be NULL) then holds
 * what the verifier said, "" when it was not even asked. Up to 16 MB of log are kept.
 */
int kbpf_prog_load(const struct kbpf_prog *p, struct sb *log);
/*
 * Runs a raw tracepoint program once, here and now, without a context. Its result is in *ret,
 * which may be NULL.
 */
int kbpf_prog_run(int fd, uint32_t *ret);
/*
 * Runs an XDP program n times on a packet of 14 bytes: the last result in *ret, the average
 * time of a run in *ns. Other programs: once each, the time by the kernel's statistics, which
 * the caller has switched on (kbpf_enable_stats) and which include the reading of a clock.
 */
int kbpf_prog_bench(int fd, uint32_t n, uint32_t *ret, uint64_t *ns);

/*
 * Attaches to an open perf event; bpf_get_attach_cookie() gives cookie. Returns a link, which
 * keeps the event open too. -EINVAL: before 5.15.
 */
int kbpf_link_perf(int prog_fd, int perf_fd, uint64_t cookie);

struct kbpf_kprobe_multi {
	const char *const *syms; /* either names */
	const uint64_t *addrs;	 /* or addresses */
	const uint64_t *cookies; /* one each, or NULL */
	uint32_t n;
	bool is_ret;
	uint32_t attach_type; /* 0: BPF_TRACE_KPROBE_MULTI */
};
int kbpf_link_kprobe_multi(int prog_fd, const struct kbpf_kprobe_multi *k);

struct kbpf_uprobe_multi {
	const char *path;
	const uint64_t *offsets;   /* of instructions in the file */
	const uint64_t *refcounts; /* of counters of users in the file, one each, or NULL */
	const uint64_t *cookies;   /* one each, or NULL */
	uint32_t n;
	bool is_ret;
	pid_t pid;	      /* 0: all processes */
	uint32_t attach_type; /* 0: KBPF_TRACE_UPROBE_MULTI */
};
int kbpf_link_uprobe_multi(int prog_fd, const struct kbpf_uprobe_multi *u);

/* A link to an interface (its number) or a descriptor, by attach type. */
int kbpf_link_to(int prog_fd, int target, uint32_t attach_type);
/* A link to a hook of netfilter: NFPROTO_..., NF_INET_..., a lower priority runs earlier. */
int kbpf_link_netfilter(int prog_fd, uint32_t family, uint32_t hook, int32_t priority);

/* Does the kernel know multi-uprobes? prog was loaded for KBPF_TRACE_UPROBE_MULTI. */
bool kbpf_try_uprobe_multi(int prog_fd);

/* name NULL for BTF programs, which know their tracepoint (fentry and fexit too). */
int kbpf_raw_tp_open(int prog_fd, const char *name);

/* What an iterator must be told; nothing: all objects of its kind. */
struct kbpf_iter {
	pid_t pid;    /* of tasks: those of this process */
	bool cgroups; /* it is one of cgroups: all of them, each before those below it */
};
/*
 * Attaches a BPF_TRACE_ITER program and gives an iterator: reading it to its end runs the
 * program on every object.
 */
int kbpf_iter_open(int prog_fd, const struct kbpf_iter *of);
/* The same, for whoever reads the file, which is made in a bpf file system. Returns 0 or
 * -errno. */
int kbpf_iter_pin(int prog_fd, const struct kbpf_iter *of, const char *path);

int kbpf_prog_info(int fd, struct bpf_prog_info *info);
int kbpf_map_info(int fd, struct bpf_map_info *info);
/*
 * The instructions as the kernel rewrote them; *insns is on the heap, for the caller to free.
 * -EPERM: hidden (kptr_restrict, bpf_jit_harden).
 */
int kbpf_prog_xlated(int fd, struct bpf_insn **insns, uint32_t *n);
/*
 * Opens the BTF object of a loaded module by its name. Returns a descriptor or -errno; -ENOENT:
 * it has none.
 */
int kbpf_btf_open(const char *name);
/* The name of the first BTF object, the kernel's own: "" before 5.11. Returns 0 or -errno. */
int kbpf_first_btf_name(char *name, size_t size);
/*
 * Events that passed a kprobe link unseen, since it was busy or had no room for more returns.
 * 0 for other links, and from kernels that do not tell (before 6.7).
 */
uint64_t kbpf_link_missed(int link_fd);
/* Switches on run_time_ns and run_cnt for as long as the returned descriptor is open. */
int kbpf_enable_stats(void);

#endif
