/*
 * tc_action.h - BPF programs as actions of traffic control (act_bpf), which libbpf cannot
 * attach.
 */
#ifndef SCRY_KERNEL_TC_ACTION_H
#define SCRY_KERNEL_TC_ACTION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Adds a filter that takes every packet of the interface and has the program as its action,
 * below the qdisc clsact, which must be there. handle and priority name it, for libbpf's
 * bpf_tc_detach(). Returns 0 or -errno.
 */
int tc_action_add(uint32_t dev, bool egress, int prog_fd, const char *name, uint32_t *handle,
		  uint32_t *priority);

#endif
