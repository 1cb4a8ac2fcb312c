/*
 * link_info.h - struct bpf_link_info as of Linux 6.18 (include/uapi/linux/bpf.h).
 *
 * The headers of a build machine may be older than its kernel.  Kernels fill in what they know;
 * the rest stays zero.  Where a member is an address, the caller says where the kernel writes a
 * text (of "room" bytes) or "count" numbers.
 */
#ifndef SCRY_KERNEL_LINK_INFO_H
#define SCRY_KERNEL_LINK_INFO_H

#include <stdint.h>

enum kbpf_link_type {
	KBPF_LINK_RAW_TRACEPOINT = 1,
	KBPF_LINK_TRACING,
	KBPF_LINK_CGROUP,
	KBPF_LINK_ITER,
	KBPF_LINK_NETNS,
	KBPF_LINK_XDP,
	KBPF_LINK_PERF_EVENT,
	KBPF_LINK_KPROBE_MULTI,
	KBPF_LINK_STRUCT_OPS,
	KBPF_LINK_NETFILTER,
	KBPF_LINK_TCX,
	KBPF_LINK_UPROBE_MULTI,
	KBPF_LINK_NETKIT,
	KBPF_LINK_SOCKMAP,
};

/* What a link of a perf event is about; 0: the kernel does not tell (before 6.6). */
enum kbpf_perf_type {
	KBPF_PERF_UPROBE = 1,
	KBPF_PERF_URETPROBE,
	KBPF_PERF_KPROBE,
	KBPF_PERF_KRETPROBE,
	KBPF_PERF_TRACEPOINT,
	KBPF_PERF_EVENT,
};

enum { KBPF_MULTI_RETURN = 1 }; /* in flags of both kinds of multi links */

struct kbpf_link_info {
	uint32_t type, id, prog_id, pad;
	union {
		struct {
			uint64_t name;
			uint32_t room, pad;
			uint64_t cookie;
		} raw_tracepoint;
		struct {
			uint32_t attach_type, target_obj_id, target_btf_id, pad;
			uint64_t cookie;
		} tracing;
		struct {
			uint64_t cgroup_id;
			uint32_t attach_type;
		} cgroup;
		struct {
			uint64_t name;
			uint32_t room, map_id;
			union {
				struct {
					uint64_t cgroup_id;
					uint32_t order;
				};
				struct {
					uint32_t tid, pid;
				};
			};
		} iter;
		/* netns: inode; xdp, tcx, netkit: index of the device; sockmap, struct_ops: map
		 */
		struct {
			uint32_t of, attach_type;
		} place;
		struct {
			uint32_t pf, hook;
			int32_t priority;
			uint32_t flags;
		} netfilter;
		struct {
			uint64_t addrs;
			uint32_t count, flags;
			uint64_t missed, cookies;
		} kprobe_multi;
		struct {
			uint64_t path, offsets, refcounts, cookies;
			uint32_t room, count, flags, pid;
		} uprobe_multi;
		struct {
			uint32_t type, pad;
			uint64_t name; /* of an event: its config */
			uint32_t room; /* of an event: its type */
			uint32_t offset;
			union {
				uint64_t cookie; /* uprobe, tracepoint, event */
				struct {
					uint64_t addr, missed, cookie;
				} kprobe;
			};
		} perf;
	};
};

#endif
