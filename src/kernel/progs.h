/*
 * progs.h - the BPF programs that the kernel holds, and what types they were loaded with.
 */
#ifndef SCRY_KERNEL_PROGS_H
#define SCRY_KERNEL_PROGS_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The next program behind *id, which is 0 for the first and becomes the program's. Returns a
 * descriptor, -ENOENT behind the last one, or another -errno; a program that ends meanwhile is
 * passed over.
 */
int kprog_next(uint32_t *id);
/* A program by its id; a descriptor or -errno. */
int kprog_open(uint32_t id);
/*
 * The types of its functions, the program itself first: BTF ids, on the heap. Returns how many,
 * 0 when it has no types, or -errno; *btf_id is the id of its BTF object.
 */
int kprog_functions(int fd, uint32_t *btf_id, uint32_t **types);
/* A BTF object's bytes, on the heap; NULL when it is gone. */
void *kbtf_bytes(uint32_t btf_id, size_t *size);

#endif
