#include "base/auto.h"
#include "cli/cmd_bpf.h"
#include "cli/facts.h"
#include "kernel/bpf.h"
#include "symbol/ksyms.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <string.h>

static void put_attach_type(struct facts *f, const char *before, uint32_t type)
{
	const char *name = inspect_attach_type(type);

	facts_say(f, "%s", before);
	if (name)
		facts_text(f, "attach_type", "attach_type ", name, "  ");
	else
		facts_number(f, "attach_type", "attach_type ", type, "  ");
}

static void put_cookie(struct facts *f, uint64_t cookie)
{
	if (cookie)
		facts_number(f, "cookie", "cookie ", cookie, "  ");
}

static void put_raw_tracepoint(struct facts *f, const struct inspect_link *l)
{
	facts_text(f, "tp_name", "\n\ttp '", l->name, "'  ");
	put_cookie(f, l->info.raw_tracepoint.cookie);
}

static void put_tracing(struct facts *f, const struct inspect_link *l)
{
	auto_close int fd = kbpf_open_id(KBPF_PROG, l->info.prog_id);
	struct bpf_prog_info prog;

	if (fd >= 0 && !kbpf_prog_info(fd, &prog)) {
		const char *type = inspect_prog_type(prog.type);

		if (type)
			facts_text(f, "prog_type", "\n\tprog_type ", type, "  ");
		else
			facts_number(f, "prog_type", "\n\tprog_type ", prog.type, "  ");
	}
	put_attach_type(f, "", l->info.tracing.attach_type);
	facts_number(f, "target_obj_id", "\n\ttarget_obj_id ", l->info.tracing.target_obj_id,
		     "  ");
	facts_number(f, "target_btf_id", "target_btf_id ", l->info.tracing.target_btf_id, "  ");
	put_cookie(f, l->info.tracing.cookie);
}

static void put_cgroup(struct facts *f, const struct inspect_link *l)
{
	facts_number(f, "cgroup_id", "\n\tcgroup_id ", l->info.cgroup.cgroup_id, "  ");
	put_attach_type(f, "", l->info.cgroup.attach_type);
}

/* What an iterator is limited to depends on what it walks. */
static void put_iter(struct facts *f, const struct inspect_link *l)
{
	static const char *const ORDERS[] = { "order_unspec", "self_only", "descendants_pre",
					      "descendants_post", "ancestors_up" };

	facts_text(f, "target_name", "target_name ", l->name, "  ");
	if (!strcmp(l->name, "bpf_map_elem") || !strcmp(l->name, "bpf_sk_storage_map"))
		facts_number(f, "map_id", "map_id ", l->info.iter.map_id, "  ");
	if (!strncmp(l->name, "task", 4)) {
		if (l->info.iter.tid)
			facts_number(f, "tid", "tid ", l->info.iter.tid, " ");
		else if (l->info.iter.pid)
			facts_number(f, "pid", "pid ", l->info.iter.pid, " ");
	}
	if (!strcmp(l->name, "cgroup")) {
		uint32_t order = l->info.iter.order;

		facts_number(f, "cgroup_id", "cgroup_id ", l->info.iter.cgroup_id, "  ");
		facts_text(f, "order", "order ",
			   order < sizeof(ORDERS) / sizeof(*ORDERS) ? ORDERS[order] : "unknown",
			   "  ");
	}
}

static void put_netns(struct facts *f, const struct inspect_link *l)
{
	facts_number(f, "netns_ino", "\n\tnetns_ino ", l->info.place.of, "  ");
	put_attach_type(f, "", l->info.place.attach_type);
}

/* The name that a device has in our network namespace; it may be of another. */
static void put_device(struct facts *f, const struct inspect_link *l)
{
	char name[IF_NAMESIZE];
	const char *known = !l->info.place.of			     ? "(detached)"
			    : if_indextoname(l->info.place.of, name) ? name
								     : "(unknown)";

	facts_say(f, "\n\tifindex %s(%u)  ", known, l->info.place.of);
	facts_text(f, "devname", NULL, known, "");
	facts_number(f, "ifindex", NULL, l->info.place.of, "");
	if (l->info.type != KBPF_LINK_XDP)
		put_attach_type(f, "", l->info.place.attach_type);
}

static void put_map(struct facts *f, const struct inspect_link *l)
{
	facts_number(f, "map_id", "\n\tmap_id ", l->info.place.of, "  ");
	if (l->info.type == KBPF_LINK_SOCKMAP)
		put_attach_type(f, "", l->info.place.attach_type);
}

static void put_netfilter(struct facts *f, const struct inspect_link *l)
{
	facts_number(f, "pf", "\n\tpf ", l->info.netfilter.pf, " ");
	facts_number(f, "hook", "hook ", l->info.netfilter.hook, " ");
	facts_say(f, "prio %d ", l->info.netfilter.priority);
	if (f->json)
		jw_raw(&f->w, "prio", "%d", l->info.netfilter.priority);
	facts_number(f, "flags", "flags ", l->info.netfilter.flags, "  ");
}

static void put_event(struct facts *f, const struct inspect_link *l)
{
	static const char *const TYPES[] = {
		[PERF_TYPE_HARDWARE] = "hardware",
		[PERF_TYPE_SOFTWARE] = "software",
		[PERF_TYPE_TRACEPOINT] = "tracepoint",
		[PERF_TYPE_HW_CACHE] = "hw-cache",
		[PERF_TYPE_RAW] = "raw",
		[PERF_TYPE_BREAKPOINT] = "breakpoint",
	};
	uint32_t type = l->info.perf.room;

	if (type < sizeof(TYPES) / sizeof(*TYPES))
		facts_text(f, "event_type", "\n\tevent ", TYPES[type], ":");
	else
		facts_number(f, "event_type", "\n\tevent ", type, ":");
	facts_number(f, "event_config", "", l->info.perf.name, "  ");
}

static void put_kprobe(struct facts *f, const struct inspect_link *l)
{
	bool ret = l->info.perf.type == KBPF_PERF_KRETPROBE;

	facts_bool(f, "retprobe", NULL, ret);
	facts_say(f, "\n\t%s %016" PRIx64 "  ", ret ? "kretprobe" : "kprobe",
		  l->info.perf.kprobe.addr);
	facts_number(f, "addr", NULL, l->info.perf.kprobe.addr, "");
	facts_text(f, "func", "", l->name, "");
	if (l->info.perf.offset)
		facts_say(f, "+%#x", l->info.perf.offset);
	facts_say(f, "  ");
	facts_number(f, "offset", NULL, l->info.perf.offset, "");
	facts_number(f, "missed", l->info.perf.kprobe.missed ? "missed " : NULL,
		     l->info.perf.kprobe.missed, "  ");
}

static void put_uprobe(struct facts *f, const struct inspect_link *l)
{
	bool ret = l->info.perf.type == KBPF_PERF_URETPROBE;

	facts_bool(f, "retprobe", NULL, ret);
	facts_say(f, "\n\t%s %s+%#x  ", ret ? "uretprobe" : "uprobe", l->name,
		  l->info.perf.offset);
	facts_text(f, "file", NULL, l->name, "");
	facts_number(f, "offset", NULL, l->info.perf.offset, "");
}

static void put_perf(struct facts *f, const struct inspect_link *l)
{
	uint64_t cookie = l->info.perf.cookie;

	switch (l->info.perf.type) {
	case KBPF_PERF_UPROBE:
	case KBPF_PERF_URETPROBE: put_uprobe(f, l); break;
	case KBPF_PERF_KPROBE:
	case KBPF_PERF_KRETPROBE:
		put_kprobe(f, l);
		cookie = l->info.perf.kprobe.cookie;
		break;
	case KBPF_PERF_TRACEPOINT:
		facts_text(f, "tracepoint", "\n\ttracepoint ", l->name, "  ");
		break;
	case KBPF_PERF_EVENT: put_event(f, l); break;
	default: return; /* the kernel does not tell */
	}
	facts_number(f, "cookie", cookie ? "cookie " : NULL, cookie, "  ");
}

static void put_kprobes(struct facts *f, const struct inspect_link *l)
{
	bool ret = l->info.kprobe_multi.flags & KBPF_MULTI_RETURN;
	struct ksyms syms = {};
	struct err e;

	facts_bool(f, "retprobe", NULL, ret);
	facts_number(f, "func_cnt",
		     ret ? "\n\tkretprobe.multi  func_cnt " : "\n\tkprobe.multi  func_cnt ",
		     l->info.kprobe_multi.count, "  ");
	facts_number(f, "missed", l->info.kprobe_multi.missed ? "missed " : NULL,
		     l->info.kprobe_multi.missed, "  ");
	facts_list(f, "funcs");
	facts_say(f, "\n\t%-16s  cookie            func [module]", "addr");
	/* Without the right to see addresses they are all 0, and name nothing. */
	bool known = l->info.kprobe_multi.count && !ksyms_load(&syms, KSYMS_PATH, &e);
	for (uint32_t i = 0; i < l->info.kprobe_multi.count; i++) {
		struct ksym sym = {};

		if (!known || !l->addrs[i] || !ksyms_lookup(&syms, l->addrs[i], &sym))
			sym.name = "";
		facts_object(f, NULL);
		facts_say(f, "\n\t%016" PRIx64 "  %016" PRIx64 "  ", l->addrs[i],
			  l->cookies[i]);
		facts_number(f, "addr", NULL, l->addrs[i], "");
		facts_text(f, "func", "", sym.name, "");
		facts_text(f, "module", " [", sym.module, "]");
		facts_number(f, "cookie", NULL, l->cookies[i], "");
		facts_close(f);
	}
	facts_close(f);
	ksyms_fini(&syms);
}

static void put_uprobes(struct facts *f, const struct inspect_link *l)
{
	bool ret = l->info.uprobe_multi.flags & KBPF_MULTI_RETURN;

	facts_bool(f, "retprobe", NULL, ret);
	facts_say(f, "\n\t%s", ret ? "uretprobe.multi  " : "uprobe.multi  ");
	facts_text(f, "path", "path ", l->name, "  ");
	facts_number(f, "func_cnt", "func_cnt ", l->info.uprobe_multi.count, "  ");
	facts_number(f, "pid", l->info.uprobe_multi.pid ? "pid " : NULL,
		     l->info.uprobe_multi.pid, "  ");
	facts_list(f, "funcs");
	facts_say(f, "\n\t%-16s  %-16s  ref_ctr_offset", "offset", "cookie");
	for (uint32_t i = 0; i < l->info.uprobe_multi.count; i++) {
		facts_object(f, NULL);
		facts_say(f, "\n\t%#-16" PRIx64 "  %#-16" PRIx64 "  %#" PRIx64, l->addrs[i],
			  l->cookies[i], l->refcounts[i]);
		facts_number(f, "offset", NULL, l->addrs[i], "");
		facts_number(f, "ref_ctr_offset", NULL, l->refcounts[i], "");
		facts_number(f, "cookie", NULL, l->cookies[i], "");
		facts_close(f);
	}
	facts_close(f);
}

/* What there is to say of each type, beyond what all links have. */
static void (*const DETAILS[])(struct facts *f, const struct inspect_link *l) = {
	[KBPF_LINK_RAW_TRACEPOINT] = put_raw_tracepoint,
	[KBPF_LINK_TRACING] = put_tracing,
	[KBPF_LINK_CGROUP] = put_cgroup,
	[KBPF_LINK_ITER] = put_iter,
	[KBPF_LINK_NETNS] = put_netns,
	[KBPF_LINK_XDP] = put_device,
	[KBPF_LINK_PERF_EVENT] = put_perf,
	[KBPF_LINK_KPROBE_MULTI] = put_kprobes,
	[KBPF_LINK_STRUCT_OPS] = put_map,
	[KBPF_LINK_NETFILTER] = put_netfilter,
	[KBPF_LINK_TCX] = put_device,
	[KBPF_LINK_UPROBE_MULTI] = put_uprobes,
	[KBPF_LINK_NETKIT] = put_device,
	[KBPF_LINK_SOCKMAP] = put_map,
};

static int show_link(struct bpf_task *t, int fd, void *arg)
{
	struct facts *f = &t->facts;
	struct inspect_link l;
	int err = inspect_link(&l, fd);

	(void)arg;
	if (err) {
		inspect_link_fini(&l);
		return err_set(&t->err, err, "ask about a link");
	}
	uint32_t type = l.info.type;
	const char *name = inspect_link_type(type);
	facts_object(f, NULL);
	facts_number(f, "id", "", l.info.id, ": ");
	if (name)
		facts_text(f, "type", "", name, "  ");
	else
		facts_number(f, "type", "type ", type, "  ");
	facts_number(f, "prog_id", "prog ", l.info.prog_id, "  ");
	if (type < sizeof(DETAILS) / sizeof(*DETAILS) && DETAILS[type])
		DETAILS[type](f, &l);
	bpf_put_paths(t, KBPF_LINK, l.info.id);
	bpf_put_processes(t, KBPF_LINK, l.info.id);
	facts_say(f, "\n");
	facts_close(f);
	inspect_link_fini(&l);
	return 0;
}

static int link_show(struct bpf_task *t)
{
	return bpf_show_list(t, KBPF_LINK, show_link);
}

static int link_pin(struct bpf_task *t)
{
	return bpf_pin(t, KBPF_LINK);
}

static int link_detach(struct bpf_task *t)
{
	auto_close int fd = inspect_open(KBPF_LINK, &t->words, &t->err);
	struct kbpf_link_info info = {};
	int err;

	if (fd < 0)
		return fd;
	if (bpf_end_of_words(t))
		return t->err.code;
	err = kbpf_link_detach(fd);
	if (err != -EOPNOTSUPP)
		return err ? err_set(&t->err, err, "detach the link") : 0;
	kbpf_info(fd, &info, sizeof(info));
	const char *type = inspect_link_type(info.type);
	err_set(&t->err, err, "detach the link: its type is %s", type ? type : "unknown");
	return err_hint(&t->err, "the kernel detaches these types only when nothing holds them "
				 "any more: remove its pins, end its process");
}

static const char USAGE[] = "usage: scry link [show [LINK]] [-j]\n"
			    "       scry link pin LINK PATH\n"
			    "       scry link detach LINK\n"
			    "LINK: id N, or pinned PATH\n";

int cmd_link(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = { { "show", link_show },
						 { "list", link_show },
						 { "pin", link_pin },
						 { "detach", link_detach },
						 { 0 } };

	return bpf_command(argc, argv, VERBS, USAGE);
}
