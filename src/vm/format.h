/*
 * format.h - the printf of BPF programs (bpf_trace_printk, bpf_snprintf; kernel/bpf/helpers.c).
 *
 * %% %c %d %i %u %x %X %p with flags, width and l or ll; %s of memory the program may read.
 */
#ifndef SCRY_VM_FORMAT_H
#define SCRY_VM_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct scry_vm_run;

/*
 * Writes at most size bytes with a NUL at the end; fmt has len bytes, the last of them NUL.
 * Returns the bytes the whole text needs, its NUL included, or -EINVAL for a bad format.
 */
int vm_format(struct scry_vm_run *run, char *to, size_t size, const char *fmt, size_t len,
	      const uint64_t *args, unsigned nargs);

#endif
