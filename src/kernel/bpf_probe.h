/*
 * bpf_probe.h - which program types, map types and helpers a kernel has: by trying each.
 *
 * A type that cannot be loaded without more (tracing, ext, lsm, struct_ops) is known by the
 * words of its refusal.  dev is the interface whose device would run programs and hold maps
 * (offloading), 0 for the kernel itself.
 */
#ifndef SCRY_KERNEL_BPF_PROBE_H
#define SCRY_KERNEL_BPF_PROBE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

bool bpf_probe_prog_type(uint32_t type, uint32_t dev);
/* Can programs of a type that it has be for that attach type? Of some types it cannot be told:
 * yes. */
bool bpf_probe_attach_type(uint32_t prog_type, uint32_t attach);
bool bpf_probe_map_type(uint32_t type, uint32_t dev);
/* Can that be asked? Not of types whose programs are refused before their calls are looked at.
 */
bool bpf_probe_knows_helpers(uint32_t prog_type);
bool bpf_probe_helper(uint32_t prog_type, uint32_t helper, uint32_t dev);
/* Is a program of these instructions accepted as a socket filter? */
bool bpf_probe_insns(const struct bpf_insn *insns, uint32_t n, uint32_t dev);

/*
 * This thread asks as a user without privilege would from now on: it gives up its effective
 * capabilities. Returns 0 or -errno.
 */
int bpf_probe_unprivileged(void);

#endif
