/*
 * bpf_ids.h - the BPF objects that are in the kernel: found by id, described, pinned.
 *
 * As in bpf.h every function gives 0 (or a descriptor) or -errno and prints nothing.
 */
#ifndef SCRY_KERNEL_BPF_IDS_H
#define SCRY_KERNEL_BPF_IDS_H

#include "base/sb.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

enum kbpf_object { KBPF_PROG, KBPF_MAP, KBPF_LINK, KBPF_BTF };

/* The id behind *id, which starts as 0. -ENOENT: there is none. */
int kbpf_next_id(enum kbpf_object what, uint32_t *id);
/* Opens the object with an id; -ENOENT: it is gone, or never was. */
int kbpf_open_id(enum kbpf_object what, uint32_t id);
/* Opens what is pinned at a path of a bpf file system; which kind it is the caller must know.
 */
int kbpf_open_pin(const char *path);
int kbpf_pin(int fd, const char *path);
/* The value that a queue or stack gives next, taken out of it. -ENOENT: it is empty. */
int kbpf_map_take(int fd, void *value);
/* System calls may not change the map any more; programs may. */
int kbpf_map_freeze(int fd);
/* Takes a link off what it is attached to, whoever holds it. -EOPNOTSUPP: not of this type. */
int kbpf_link_detach(int fd);
/* Fills info, which the caller has prepared with its buffers, up to size bytes. */
int kbpf_info(int fd, void *info, uint32_t size);
/* The bytes of a BTF object, appended to out. */
int kbpf_btf_bytes(int fd, struct sb *out);

/* A run of a program on given bytes (BPF_PROG_TEST_RUN); sizes out: the room, then what came.
 */
struct kbpf_test {
	const void *data_in, *ctx_in; /* or NULL */
	void *data_out, *ctx_out;     /* or NULL */
	uint32_t data_size_in, data_size_out, ctx_size_in, ctx_size_out;
	uint32_t repeat;
	uint32_t retval, duration; /* ns, the average */
};
int kbpf_test(int fd, struct kbpf_test *t);

/* Attaches a program to what target_fd is (a map, a cgroup), detaches it. */
int kbpf_attach(int prog_fd, int target_fd, uint32_t attach_type, uint32_t flags);
int kbpf_detach(int prog_fd, int target_fd, uint32_t attach_type);
/*
 * The programs at a cgroup; effective: those above that work here too. *n is the room, then how
 * many there are. -ENOSPC: more than the room.
 */
int kbpf_attached(int target_fd, uint32_t attach_type, bool effective, uint32_t *ids,
		  uint32_t *n, uint32_t *flags);

#endif
