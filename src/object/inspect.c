#include "object/inspect.h"

#include "base/arena.h"
#include "base/auto.h"
#include "kernel/bpf.h"
#include "object/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of enum bpf_prog_type, bpf_map_type and bpf_link_type (linux/bpf.h). */
static const char *const PROG_TYPES[] = {
	"unspec",
	"socket_filter",
	"kprobe",
	"sched_cls",
	"sched_act",
	"tracepoint",
	"xdp",
	"perf_event",
	"cgroup_skb",
	"cgroup_sock",
	"lwt_in",
	"lwt_out",
	"lwt_xmit",
	"sock_ops",
	"sk_skb",
	"cgroup_device",
	"sk_msg",
	"raw_tracepoint",
	"cgroup_sock_addr",
	"lwt_seg6local",
	"lirc_mode2",
	"sk_reuseport",
	"flow_dissector",
	"cgroup_sysctl",
	"raw_tracepoint_writable",
	"cgroup_sockopt",
	"tracing",
	"struct_ops",
	"ext",
	"lsm",
	"sk_lookup",
	"syscall",
	"netfilter",
};

static const char *const MAP_TYPES[] = {
	"unspec",
	"hash",
	"array",
	"prog_array",
	"perf_event_array",
	"percpu_hash",
	"percpu_array",
	"stack_trace",
	"cgroup_array",
	"lru_hash",
	"lru_percpu_hash",
	"lpm_trie",
	"array_of_maps",
	"hash_of_maps",
	"devmap",
	"sockmap",
	"cpumap",
	"xskmap",
	"sockhash",
	"cgroup_storage",
	"reuseport_sockarray",
	"percpu_cgroup_storage",
	"queue",
	"stack",
	"sk_storage",
	"devmap_hash",
	"struct_ops",
	"ringbuf",
	"inode_storage",
	"task_storage",
	"bloom_filter",
	"user_ringbuf",
	"cgrp_storage",
	"arena",
};

static const char *const LINK_TYPES[] = {
	"unspec",	"raw_tracepoint", "tracing",	  "cgroup",	"iter",	     "netns",
	"xdp",		"perf_event",	  "kprobe_multi", "struct_ops", "netfilter", "tcx",
	"uprobe_multi", "netkit",	  "sockmap",
};

/* In the order of enum bpf_attach_type. */
static const char *const ATTACH_TYPES[] = {
	"cgroup_inet_ingress",
	"cgroup_inet_egress",
	"cgroup_inet_sock_create",
	"cgroup_sock_ops",
	"sk_skb_stream_parser",
	"sk_skb_stream_verdict",
	"cgroup_device",
	"sk_msg_verdict",
	"cgroup_inet4_bind",
	"cgroup_inet6_bind",
	"cgroup_inet4_connect",
	"cgroup_inet6_connect",
	"cgroup_inet4_post_bind",
	"cgroup_inet6_post_bind",
	"cgroup_udp4_sendmsg",
	"cgroup_udp6_sendmsg",
	"lirc_mode2",
	"flow_dissector",
	"cgroup_sysctl",
	"cgroup_udp4_recvmsg",
	"cgroup_udp6_recvmsg",
	"cgroup_getsockopt",
	"cgroup_setsockopt",
	"trace_raw_tp",
	"trace_fentry",
	"trace_fexit",
	"modify_return",
	"lsm_mac",
	"trace_iter",
	"cgroup_inet4_getpeername",
	"cgroup_inet6_getpeername",
	"cgroup_inet4_getsockname",
	"cgroup_inet6_getsockname",
	"xdp_devmap",
	"cgroup_inet_sock_release",
	"xdp_cpumap",
	"sk_lookup",
	"xdp",
	"sk_skb_verdict",
	"sk_reuseport_select",
	"sk_reuseport_select_or_migrate",
	"perf_event",
	"trace_kprobe_multi",
	"lsm_cgroup",
	"struct_ops",
	"netfilter",
	"tcx_ingress",
	"tcx_egress",
	"trace_uprobe_multi",
	"cgroup_unix_connect",
	"cgroup_unix_sendmsg",
	"cgroup_unix_recvmsg",
	"cgroup_unix_getpeername",
	"cgroup_unix_getsockname",
	"netkit_primary",
	"netkit_peer",
	"trace_kprobe_session",
	"trace_uprobe_session",
};

#define NAME_IN(list, i) ((i) < sizeof(list) / sizeof(*(list)) ? (list)[i] : NULL)

const char *inspect_prog_type(uint32_t type)
{
	return NAME_IN(PROG_TYPES, type);
}

const char *inspect_map_type(uint32_t type)
{
	return NAME_IN(MAP_TYPES, type);
}

const char *inspect_link_type(uint32_t type)
{
	return NAME_IN(LINK_TYPES, type);
}

const char *inspect_attach_type(uint32_t type)
{
	return NAME_IN(ATTACH_TYPES, type);
}

static const char *const WHAT[] = {
	[KBPF_PROG] = "program",
	[KBPF_MAP] = "map",
	[KBPF_LINK] = "link",
	[KBPF_BTF] = "BTF",
};

static const char *take(struct inspect_words *w)
{
	w->n--;
	return *w->words++;
}

/* What is pinned somewhere may be of any kind; its info tells by its size. */
static int open_pinned(enum kbpf_object what, const char *path, struct err *e)
{
	int fd = kbpf_open_pin(path);
	enum kbpf_object is;

	if (fd < 0)
		return err_set(e, fd, "open what is pinned at %s", path);
	if (holders_kind(fd, &is) && is != what) {
		close(fd);
		return err_set(e, -EINVAL, "what is pinned at %s is no %s", path, WHAT[what]);
	}
	return fd;
}

/* Is the object of that name or tag? BPF_OBJ_NAME_LEN - 1 characters of a name are known. */
static bool is_named(enum kbpf_object what, int fd, const char *name, const char *tag)
{
	struct bpf_prog_info prog;
	struct bpf_map_info map;
	char text[17];

	if (what == KBPF_MAP)
		return name && !kbpf_map_info(fd, &map) && !strcmp(map.name, name);
	if (what != KBPF_PROG || kbpf_prog_info(fd, &prog))
		return false;
	for (int i = 0; i < 8; i++)
		snprintf(text + 2 * i, 3, "%02x", prog.tag[i]);
	return name ? !strncmp(prog.name, name, sizeof(prog.name) - 1) : !strcmp(text, tag);
}

/* All objects with a name or tag. */
static int open_named(enum kbpf_object what, const char *name, const char *tag,
		      struct inspect_fds *out, struct err *e)
{
	uint32_t id = 0;

	while (!kbpf_next_id(what, &id)) {
		int fd = kbpf_open_id(what, id);

		if (fd >= 0 && is_named(what, fd, name, tag))
			vec_push(NULL, out, fd);
		else if (fd >= 0)
			close(fd);
	}
	return out->len ? 0
			: err_set(e, -ENOENT, "there is no %s '%s'", WHAT[what],
				  name ? name : tag);
}

static int open_id(enum kbpf_object what, const char *word, struct err *e)
{
	char *end;
	unsigned long id = strtoul(word, &end, 10);

	if (!*word || *end || id > UINT32_MAX) {
		err_set(e, -EINVAL, "which %s? '%s' is no id", WHAT[what], word);
		return err_hint(e, what == KBPF_PROG || what == KBPF_MAP
					   ? "give id N, name NAME, or pinned PATH"
					   : "give id N, or pinned PATH");
	}
	int fd = kbpf_open_id(what, (uint32_t)id);
	if (fd == -ENOENT)
		return err_set(e, fd, "there is no %s with id %lu", WHAT[what], id);
	if (fd < 0)
		err_set(e, fd, "open %s %lu", WHAT[what], id);
	return fd == -EPERM ? err_hint(e, "run as root, or with CAP_BPF") : fd;
}

int inspect_open_all(enum kbpf_object what, struct inspect_words *w, struct inspect_fds *out,
		     struct err *e)
{
	const char *word = w->n ? take(w) : "";
	int fd;

	if (!strcmp(word, "name") && w->n && (what == KBPF_PROG || what == KBPF_MAP))
		return open_named(what, take(w), NULL, out, e);
	if (!strcmp(word, "tag") && w->n && what == KBPF_PROG)
		return open_named(what, NULL, take(w), out, e);
	if (!strcmp(word, "pinned") && w->n)
		fd = open_pinned(what, take(w), e);
	else
		fd = open_id(what, !strcmp(word, "id") && w->n ? take(w) : word, e);
	if (fd < 0)
		return fd;
	vec_push(NULL, out, fd);
	return 0;
}

void inspect_close_all(struct inspect_fds *fds)
{
	vec_each(fd, fds)
		close(*fd);
	vec_free(fds);
}

int inspect_open(enum kbpf_object what, struct inspect_words *w, struct err *e)
{
	const char *name = w->n > 1 ? w->words[1] : "";
	struct inspect_fds fds = {};
	int err = inspect_open_all(what, w, &fds, e);

	if (!err && fds.len > 1) {
		err_set(e, -EINVAL, "%zu %ss are called '%s'", (size_t)fds.len, WHAT[what],
			name);
		err = err_hint(e, "give id N, or pinned PATH");
	}
	int fd = err ? err : dup(fds.data[0]);
	inspect_close_all(&fds);
	return fd;
}

static uint64_t ptr64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Where each array goes: sizes from a first question, memory for the second. */
static void place_arrays(struct inspect_prog *p, const struct bpf_prog_info *n)
{
	size_t sizes[] = { n->xlated_prog_len,
			   n->jited_prog_len,
			   n->nr_map_ids * sizeof(uint32_t),
			   n->nr_jited_func_lens * sizeof(uint32_t),
			   n->nr_jited_ksyms * sizeof(uint64_t),
			   n->nr_func_info * sizeof(struct bpf_func_info),
			   n->nr_line_info * sizeof(struct bpf_line_info),
			   n->nr_jited_line_info * sizeof(uint64_t) };
	size_t total = 8;
	char *at;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		total += sizes[i] = (sizes[i] + 7) & ~(size_t)7;
	at = p->block = xcalloc(1, total);
	void **const to[] = { (void **)&p->xlated,  (void **)&p->jited,
			      (void **)&p->map_ids, (void **)&p->func_lens,
			      (void **)&p->ksyms,   (void **)&p->funcs,
			      (void **)&p->lines,   (void **)&p->line_addrs };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); at += sizes[i++])
		*to[i] = at;
}

static void ask_for_arrays(const struct inspect_prog *p, const struct bpf_prog_info *n,
			   struct bpf_prog_info *ask)
{
	*ask = (struct bpf_prog_info){
		.xlated_prog_len = n->xlated_prog_len,
		.xlated_prog_insns = ptr64(p->xlated),
		.jited_prog_len = n->jited_prog_len,
		.jited_prog_insns = ptr64(p->jited),
		.nr_map_ids = n->nr_map_ids,
		.map_ids = ptr64(p->map_ids),
		.nr_jited_func_lens = n->nr_jited_func_lens,
		.jited_func_lens = ptr64(p->func_lens),
		.nr_jited_ksyms = n->nr_jited_ksyms,
		.jited_ksyms = ptr64(p->ksyms),
		.nr_func_info = n->nr_func_info,
		.func_info_rec_size = sizeof(struct bpf_func_info),
		.func_info = ptr64(p->funcs),
		.nr_line_info = n->nr_line_info,
		.line_info_rec_size = sizeof(struct bpf_line_info),
		.line_info = ptr64(p->lines),
		.nr_jited_line_info = n->nr_jited_line_info,
		.jited_line_info_rec_size = sizeof(uint64_t),
		.jited_line_info = ptr64(p->line_addrs),
	};
}

int inspect_prog(struct inspect_prog *p, int fd)
{
	struct bpf_prog_info sizes;
	struct err e;
	int err;

	*p = (struct inspect_prog){};
	err = kbpf_prog_info(fd, &sizes);
	if (err)
		return err;
	place_arrays(p, &sizes);
	ask_for_arrays(p, &sizes, &p->info);
	err = kbpf_info(fd, &p->info, sizeof(p->info));
	if (err)
		return err;
	p->nxlated = p->info.xlated_prog_insns ? p->info.xlated_prog_len / 8 : 0;
	if (!p->nxlated)
		p->xlated = NULL;
	if (!p->info.jited_prog_insns || !p->info.jited_prog_len)
		p->jited = NULL;
	auto_close int btf = p->info.btf_id ? kbpf_open_id(KBPF_BTF, p->info.btf_id) : -1;
	if (btf >= 0 && !kbpf_btf_bytes(btf, &p->btf_bytes))
		p->btf = btf_from_bytes(p->btf_bytes.s, p->btf_bytes.len, NULL, &e);
	return 0;
}

void inspect_prog_fini(struct inspect_prog *p)
{
	btf_free(p->btf);
	sb_free(&p->btf_bytes);
	free(p->block);
}

const char *inspect_func_at(const struct inspect_prog *p, uint32_t insn)
{
	for (uint32_t i = 0; p->btf && i < p->info.nr_func_info; i++)
		if (p->funcs[i].insn_off == insn)
			return btf_name(p->btf, p->funcs[i].type_id);
	return NULL;
}

const char *inspect_text(const struct inspect_prog *p, uint32_t off)
{
	return p->btf ? btf_text(p->btf, off) : "";
}
