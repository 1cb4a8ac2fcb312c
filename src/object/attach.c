#include "object/attach.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/bpf_ids.h"
#include "kernel/perf.h"
#include "kernel/proc.h"
#include "kernel/tracefs.h"
#include "object/verdict.h"
#include "symbol/elf_funcs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 99 }; /* samples a second: not in step with anything that happens by 10s */

int spot_keep(struct spot *s, struct bpf_link *link)
{
	if (!link)
		return errno ? -errno : -EOPNOTSUPP;
	vec_push(NULL, &s->o->links, link);
	return 0;
}

static void release_fd(struct object_hold *h)
{
	close(h->fd);
}

int spot_keep_fd(struct spot *s, int fd)
{
	if (fd >= 0)
		vec_push(NULL, &s->o->holds, ((struct object_hold){ release_fd, .fd = fd }));
	return fd < 0 ? fd : 0;
}

int spot_say(struct spot *s, int err, const char *fmt, ...)
{
	va_list ap;

	sb_printf(&s->o->log, "program %s (section \"%s\"): ", bpf_program__name(s->prog),
		  bpf_program__section_name(s->prog));
	va_start(ap, fmt);
	sb_vprintf(&s->o->log, fmt, ap);
	va_end(ap);
	sb_putc(&s->o->log, '\n');
	return err;
}

static int bad_place(struct spot *s)
{
	return spot_say(s, -EINVAL, "'%s' is not %s", s->place, s->shape);
}

static int attach_auto(struct spot *s)
{
	errno = 0;
	return spot_keep(s, bpf_program__attach(s->prog));
}

/* --- the kernel's functions and events --- */

/* "NAME+OFFSET" */
static const char *split_offset(struct spot *s, const char *place, unsigned long *off)
{
	const char *plus = strchr(place, '+');

	*off = plus ? strtoul(plus + 1, NULL, 0) : 0;
	return plus ? arena_strndup(&s->o->arena, place, (size_t)(plus - place)) : place;
}

static int attach_kprobe(struct spot *s)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .retprobe = !strcmp(s->kind, "kretprobe"));

	if (!s->is_users)
		return attach_auto(s);
	const char *name = split_offset(s, s->place, &opts.offset);
	return spot_keep(s, bpf_program__attach_kprobe_opts(s->prog, name, &opts));
}

static int attach_ksyscall(struct spot *s)
{
	LIBBPF_OPTS(bpf_ksyscall_opts, opts, .retprobe = !strcmp(s->kind, "kretsyscall"));

	return s->is_users
		       ? spot_keep(s, bpf_program__attach_ksyscall(s->prog, s->place, &opts))
		       : attach_auto(s);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

VEC_TYPE(names, const char *);

/* Functions that can be traced and whose name fits the pattern, each once; they are in list. */
static int find_functions(struct spot *s, struct sb *list, struct names *out)
{
	struct err e = {};
	struct tracefs *t = tracefs_open(&e);
	int err = t ? tracefs_read(t, "available_filter_functions", list, &e) : e.code;
	size_t n = 0;

	tracefs_close(t);
	if (err)
		return spot_say(s, err, "%s", e.msg);
	for (char *save = NULL, *line = strtok_r(list->s, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " \t")] = '\0';
		if (!fnmatch(s->place, line, 0))
			vec_push(NULL, out, line);
	}
	if (out->len)
		qsort(out->data, out->len, sizeof(*out->data), by_name);
	for (size_t i = 0; i < out->len; i++)
		if (!n || strcmp(out->data[n - 1], out->data[i]) != 0)
			out->data[n++] = out->data[i];
	out->len = n;
	return 0;
}

static int no_function(struct spot *s, const char *pattern, const char *hint)
{
	s->hint = hint;
	return spot_say(s, -ENOENT, "no function fits '%s'", pattern);
}

/* All in one link. The kernel says EINVAL or EOPNOTSUPP to what it does not know. */
static int attach_kprobes(struct spot *s)
{
	bool is_session = !strcmp(s->kind, "kprobe.session");
	auto_sb struct sb list = {};
	struct names names = {};
	int err = find_functions(s, &list, &names);

	if (!err && !names.len)
		err = no_function(
			s, s->place,
			"scry -l 'kprobe:PATTERN' lists those that can be traced; *, ? "
			"and [abc] stand for characters, --at NAME=PATTERN names "
			"others");
	if (!err) {
		struct kbpf_kprobe_multi k = {
			.syms = names.data,
			.n = (uint32_t)names.len,
			.is_ret = !strncmp(s->kind, "kret", 4),
			.attach_type = is_session ? KBPF_TRACE_KPROBE_SESSION : 0,
		};
		err = kbpf_link_kprobe_multi(bpf_program__fd(s->prog), &k);
		if (err == -EINVAL || err == -EOPNOTSUPP)
			err = spot_say(s, -EOPNOTSUPP, "this kernel has no %s (%s)", s->kind,
				       is_session ? "Linux 6.10 has it"
						  : "Linux 5.18 with CONFIG_FPROBE has it");
	}
	vec_free(&names);
	return spot_keep_fd(s, err);
}

static int attach_tracepoint(struct spot *s)
{
	const char *slash = strchr(s->place, '/');

	if (!slash)
		return bad_place(s);
	if (!s->is_users)
		return attach_auto(s);
	const char *category =
		arena_strndup(&s->o->arena, s->place, (size_t)(slash - s->place));
	return spot_keep(s, bpf_program__attach_tracepoint(s->prog, category, slash + 1));
}

static int attach_raw(struct spot *s)
{
	return s->is_users ? spot_keep(s, bpf_program__attach_raw_tracepoint(s->prog, s->place))
			   : attach_auto(s);
}

/* --- programs and libraries --- */

static pid_t pid_of(const struct spot *s)
{
	return s->where->pid ? s->where->pid : -1;
}

static int attach_usdt(struct spot *s)
{
	auto_free char *path = NULL, *provider = NULL, *name = NULL;

	if (sscanf(s->place, "%m[^:]:%m[^:]:%m[^\n]", &path, &provider, &name) != 3)
		return bad_place(s);
	return spot_keep(
		s, bpf_program__attach_usdt(s->prog, pid_of(s), path, provider, name, NULL));
}

static bool is_return(const struct spot *s)
{
	return !strncmp(s->kind, "uret", 4);
}

/* PATH:FUNCTION, PATH:FUNCTION+OFFSET or PATH:OFFSET in the file */
static int attach_uprobe(struct spot *s)
{
	auto_free char *path = NULL, *name = NULL;
	unsigned long off;

	if (sscanf(s->place, "%m[^:]:%m[^\n]", &path, &name) != 2)
		return bad_place(s);
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = is_return(s));
	if (*name >= '0' && *name <= '9')
		off = strtoul(name, NULL, 0);
	else
		opts.func_name = split_offset(s, name, &off);
	return spot_keep(s,
			 bpf_program__attach_uprobe_opts(s->prog, pid_of(s), path, off, &opts));
}

VEC_TYPE(offsets, uint64_t);

/* Where in the file the functions that fit begin; one with several names is one place. */
static int find_offsets(struct spot *s, const char *path, const char *pattern,
			struct offsets *out)
{
	struct elf_funcs funcs = {};
	struct err e = {};
	struct elf f;
	uint64_t off;

	if (elf_open(&f, path, &e))
		return spot_say(s, e.code, "%s", e.msg);
	elf_funcs_load(&funcs, &f, NULL);
	vec_each(fn, &funcs.list) {
		if (!fn->is_indirect && !fnmatch(pattern, elf_func_name(&funcs, fn), 0) &&
		    elf_offset_of(&f, fn->addr, &off) &&
		    (!out->len || out->data[out->len - 1] != off))
			vec_push(NULL, out, off);
	}
	elf_funcs_fini(&funcs);
	elf_close(&f);
	if (out->len)
		return 0;
	return no_function(
		s, pattern,
		"scry -l 'uprobe:PATH:PATTERN' lists those of a file; *, ? and [abc] "
		"stand for characters, --at NAME=PATH:PATTERN names others");
}

/* Entry and return as one, which only the kernel's own link can. */
static int attach_uprobe_session(struct spot *s, const char *path, const struct offsets *places)
{
	const struct kbpf_uprobe_multi u = { .path = path,
					     .offsets = places->data,
					     .n = (uint32_t)places->len,
					     .attach_type = KBPF_TRACE_UPROBE_SESSION,
					     .pid = s->where->pid };
	int fd = kbpf_link_uprobe_multi(bpf_program__fd(s->prog), &u);

	if (fd == -EINVAL || fd == -EOPNOTSUPP)
		return spot_say(s, -EOPNOTSUPP,
				"this kernel has no uprobe.session (Linux 6.13 has it)");
	return spot_keep_fd(s, fd);
}

/* PATH:PATTERN */
static int attach_uprobes(struct spot *s)
{
	auto_free char *path = NULL, *pattern = NULL;
	struct offsets places = {};

	if (sscanf(s->place, "%m[^:]:%m[^\n]", &path, &pattern) != 2)
		return bad_place(s);
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = is_return(s));
	int err = find_offsets(s, path, pattern, &places);
	if (!err && !strcmp(s->kind, "uprobe.session"))
		err = attach_uprobe_session(s, path, &places);
	else
		vec_each(off, &places)
			err = err ? err
				  : spot_keep(s,
					      bpf_program__attach_uprobe_opts(
						      s->prog, pid_of(s), path, *off, &opts));
	vec_free(&places);
	return err;
}

/* --- others --- */

static const struct event {
	const char *name;
	uint32_t type;
	uint64_t config;
} EVENTS[] = {
	{ "cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
	{ "task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK },
	{ "page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
	{ "context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES },
	{ "cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS },
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
	{ "cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES },
	{ "cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
	{ "branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
	{ "branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
	{ "bus-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES },
	{ "ref-cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_REF_CPU_CYCLES },
};

static int no_event(struct spot *s)
{
	const char *names = EVENTS[0].name;

	for (size_t i = 1; i < sizeof(EVENTS) / sizeof(*EVENTS); i++)
		names = arena_printf(&s->o->arena, "%s, %s", names, EVENTS[i].name);
	s->hint = arena_printf(&s->o->arena, "there are %s", names);
	return spot_say(s, -EINVAL, "there is no event '%s'", s->place);
}

static int keep_sampler(struct spot *s, int fd)
{
	if (fd < 0)
		return fd;
	errno = 0;
	struct bpf_link *link = bpf_program__attach_perf_event(s->prog, fd);
	int err = spot_keep(s, link);

	if (err)
		close(fd);
	return err;
}

/* "EVENT", so often a second, or "EVENT:COUNT"; "" is the first of them. */
static int parse_event(struct spot *s, struct perf_count *c)
{
	size_t len = strcspn(s->place, ":");
	const struct event *ev = NULL;
	char *end;

	for (size_t i = 0; !ev && i < sizeof(EVENTS) / sizeof(*EVENTS); i++)
		if (!len || (!strncmp(s->place, EVENTS[i].name, len) && !EVENTS[i].name[len]))
			ev = &EVENTS[i];
	if (!ev)
		return no_event(s);
	*c = (struct perf_count){ .type = ev->type, .config = ev->config };
	if (!s->place[len]) {
		c->freq = s->where->rate ? s->where->rate : RATE;
		return 0;
	}
	c->period = strtoull(s->place + len + 1, &end, 10);
	if (!isdigit((unsigned char)s->place[len + 1]) || *end || !c->period)
		return spot_say(s, -EINVAL, "'%s' is no count of events", s->place + len + 1);
	return 0;
}

/* On every CPU, or of the watched process; the place may name an event. */
static int attach_samples(struct spot *s)
{
	struct perf_count c;
	struct arena a = {};
	struct cpu_list cpus = {};
	int err = parse_event(s, &c);

	if (err)
		return err;
	if (s->where->pid)
		return keep_sampler(s, perf_open_thread(&c, s->where->pid));
	cpus_online(&a, &cpus);
	vec_each(cpu, &cpus)
		err = err ? err : keep_sampler(s, perf_open_cpu(&c, *cpu));
	arena_free(&a);
	return err;
}

static int attach_iter(struct spot *s)
{
	const char *kind = strrchr(bpf_program__section_name(s->prog), '/');
	struct kbpf_iter of = { .pid = s->where->pid,
				.cgroups = kind && !strcmp(kind, "/cgroup") };
	int fd = kbpf_iter_open(bpf_program__fd(s->prog), &of);

	if (fd >= 0)
		vec_push(NULL, &s->o->walks, fd);
	return fd < 0 ? fd : 0;
}

/* Runs once, here and now, on a context of zeros. */
static int run_syscall(struct spot *s)
{
	static uint8_t zeros[4096];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = zeros, .ctx_size_in = sizeof(zeros));
	int err = bpf_prog_test_run_opts(bpf_program__fd(s->prog), &opts);

	if (!err)
		sb_printf(&s->o->notes, "program %s: ran once, its result is %d\n",
			  bpf_program__name(s->prog), (int)opts.retval);
	return err;
}

static int never(struct spot *s)
{
	s->missing = "a socket, route or device that a program of your own sets up";
	return -EDESTADDRREQ;
}

static int in_struct(struct spot *s)
{
	s->missing = NULL; /* structs_attach() does it */
	return -EDESTADDRREQ;
}

/* --- kinds --- */

enum { PLACE = 1, BEFORE_LOAD = 2, ONE_PROCESS = 4 };

static const struct kind {
	const char *names;
	attach_fn attach;
	unsigned flags; /* it needs a place; at load already; -p limits it */
	const char *place;
} KINDS[] = {
	{ "kprobe kretprobe", attach_kprobe, PLACE, "FUNCTION[+OFFSET]" },
	{ "ksyscall kretsyscall", attach_ksyscall, PLACE, "SYSCALL" },
	{ "kprobe.multi kretprobe.multi kprobe.session", attach_kprobes, PLACE, "PATTERN" },
	{ "uprobe uretprobe", attach_uprobe, PLACE | ONE_PROCESS, "PATH:FUNCTION[+OFFSET]" },
	{ "uprobe.multi uretprobe.multi uprobe.session", attach_uprobes, PLACE | ONE_PROCESS,
	  "PATH:PATTERN" },
	{ "usdt", attach_usdt, PLACE | ONE_PROCESS, "PATH:PROVIDER:NAME" },
	{ "tracepoint tp", attach_tracepoint, PLACE, "CATEGORY/NAME" },
	{ "raw_tracepoint raw_tp raw_tracepoint.w raw_tp.w", attach_raw, PLACE, "NAME" },
	{ "fentry fexit fmod_ret", attach_auto, PLACE | BEFORE_LOAD, "FUNCTION" },
	{ "lsm", attach_auto, PLACE | BEFORE_LOAD, "HOOK" },
	{ "tp_btf", attach_auto, PLACE | BEFORE_LOAD, "NAME" },
	{ "freplace", attach_auto, PLACE | BEFORE_LOAD, "PROGRAM-ID:FUNCTION" },
	{ "iter", attach_iter, PLACE | BEFORE_LOAD | ONE_PROCESS, "KIND" },
	{ "perf_event", attach_samples, ONE_PROCESS, "EVENT[:COUNT]" },
	{ "xdp xdp.frags xdp_devmap xdp_cpumap", attach_xdp, 0, NULL },
	{ "tc classifier action", attach_tc, 0, "egress" },
	{ "tcx netkit", attach_tcx, 0, NULL },
	{ "socket", attach_socket, 0, NULL },
	{ "cgroup cgroup_skb sockops lsm_cgroup", attach_cgroup, 0, NULL },
	{ "sk_lookup flow_dissector", attach_netns, 0, NULL },
	{ "sk_skb sk_msg", attach_sockmap, 0, "MAP" },
	{ "netfilter", attach_netfilter, PLACE, "[ipv6:]HOOK[:PRIORITY]" },
	{ "syscall", run_syscall, 0, NULL },
	{ "struct_ops", in_struct, 0, NULL },
	{ "sk_reuseport lwt_in lwt_out lwt_xmit lwt_seg6local lirc_mode2", never, 0, NULL },
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *s = words; (s = strstr(s, word)); s += len)
		if ((s == words || s[-1] == ' ') && (!s[len] || s[len] == ' '))
			return true;
	return false;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++)
		if (has_word(KINDS[i].names, name))
			return &KINDS[i];
	return NULL;
}

/* "?fentry.s/vfs_read": fentry, at vfs_read. */
static void read_section(struct spot *s)
{
	const char *section = bpf_program__section_name(s->prog);
	size_t len;

	section += *section == '?';
	len = strcspn(section, "/");
	s->place = section[len] ? section + len + 1 : "";
	if (len > 2 && !strncmp(section + len - 2, ".s", 2))
		len -= 2;
	s->kind = arena_strndup(&s->o->arena, section, len);
	vec_each(p, &s->o->places) {
		if (!strcmp(p->prog, bpf_program__name(s->prog))) {
			s->place = p->place;
			s->is_users = true;
		}
	}
}

static void note(struct object *o, const struct bpf_program *p, const char *what)
{
	sb_printf(&o->notes, "program %s (section \"%s\"): %s\n", bpf_program__name(p),
		  bpf_program__section_name(p), what);
}

static void note_missing(const struct spot *s, const struct kind *kind, const char *how)
{
	const char *name = bpf_program__name(s->prog);

	sb_printf(&s->o->notes,
		  "program %s (section \"%s\"): %s: its section does not say where", name,
		  bpf_program__section_name(s->prog), how);
	if (s->missing)
		sb_printf(&s->o->notes, "; %s does", s->missing);
	else if (kind && kind->place)
		sb_printf(&s->o->notes, "; --at %s=%s does", name, kind->place);
	sb_putc(&s->o->notes, '\n');
}

/* --- before loading --- */

/* "ID:FUNCTION" of a program in the kernel */
static int set_replaced(struct object *o, struct bpf_program *p, const char *place,
			struct err *e)
{
	char *func;
	unsigned long id = strtoul(place, &func, 10);

	if (*func != ':' || !func[1])
		return err_set(e, -EINVAL, "--at: '%s' is not PROGRAM-ID:FUNCTION", place);
	int fd = kbpf_open_id(KBPF_PROG, (uint32_t)id);
	if (fd < 0)
		return err_set(e, fd, "open program %lu", id);
	vec_push(NULL, &o->holds, ((struct object_hold){ release_fd, .fd = fd }));
	return bpf_program__set_attach_target(p, fd, func + 1);
}

int place_set(struct object *o, struct bpf_program *p, const char *place, struct err *e)
{
	struct spot s = { .o = o, .prog = p };
	const struct object_place at = { bpf_program__name(p), place };
	int err = 0;

	read_section(&s);
	const struct kind *kind = find_kind(s.kind);
	if (!kind || !kind->place)
		return err_set(e, -EINVAL,
			       "--at: a program of section \"%s\" has no place to name",
			       bpf_program__section_name(p));
	if (!strcmp(s.kind, "freplace"))
		err = set_replaced(o, p, place, e);
	else if (kind->flags & BEFORE_LOAD)
		err = bpf_program__set_attach_target(p, 0, place);
	if (err)
		return e->code ? err : verdict_set(e, err, o->path, place, sb_str(&o->log));
	bpf_program__set_autoload(p, true);
	vec_push(&o->arena, &o->places, at);
	return 0;
}

void places_check(struct object *o)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, o->bpf)
	{
		struct spot s = { .o = o, .prog = p };

		if (!bpf_program__autoload(p))
			continue;
		read_section(&s);
		const struct kind *kind = find_kind(s.kind);
		bool is_replacing = !strcmp(s.kind, "freplace") && !s.is_users;
		if (!kind || !(kind->flags & BEFORE_LOAD) || (*s.place && !is_replacing))
			continue;
		bpf_program__set_autoload(p, false);
		note_missing(&s, kind, "not loaded");
	}
}

/* --- attaching --- */

static int fail(const struct spot *s, int err, struct err *e)
{
	char what[256];

	snprintf(what, sizeof(what), "attach program %s (section \"%s\")%s%s",
		 bpf_program__name(s->prog), bpf_program__section_name(s->prog),
		 s->is_users ? " at " : "", s->is_users ? s->place : "");
	verdict_set(e, err, s->o->path, what, sb_str(&s->o->log));
	return s->hint ? err_hint(e, "%s", s->hint) : err;
}

int program_attach(struct object *o, const struct bpf_program *p,
		   const struct object_where *where, struct err *e)
{
	struct spot s = { .o = o, .prog = p, .where = where };

	sb_clear(&o->log);
	read_section(&s);
	const struct kind *kind = find_kind(s.kind);
	int err = -EDESTADDRREQ;

	errno = 0;
	s.shape = kind ? kind->place : NULL;
	if (!kind || !(kind->flags & PLACE) || *s.place)
		err = (kind ? kind->attach : attach_auto)(&s);
	if (!err) {
		o->nattached++;
		if (where->pid && kind && !(kind->flags & ONE_PROCESS))
			note(o, p, "it sees all processes, -p and -c do not limit it");
		return 0;
	}
	if (err == -EDESTADDRREQ && kind && kind->attach == in_struct)
		return 0;
	/* libbpf knows no place for a section that is not of our table. */
	if (err == -EDESTADDRREQ || (!kind && (err == -EOPNOTSUPP || err == -ESRCH))) {
		note_missing(&s, kind, "loaded, but not attached");
		return 0;
	}
	return fail(&s, err, e);
}

static bool loads_struct_programs(const struct object *o)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, o->bpf)
	{
		if (bpf_program__type(p) == BPF_PROG_TYPE_STRUCT_OPS &&
		    bpf_program__autoload(p))
			return true;
	}
	return false;
}

int structs_attach(struct object *o, struct err *e)
{
	struct bpf_map *m;

	/* The user chose others: the structs would be empty. */
	if (!loads_struct_programs(o))
		return 0;
	bpf_object__for_each_map(m, o->bpf)
	{
		if (bpf_map__type(m) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		struct bpf_link *link = bpf_map__attach_struct_ops(m);
		if (!link)
			return err_set(e, -errno, "%s: attach struct %s: %s", o->path,
				       bpf_map__name(m), strerror(errno));
		vec_push(NULL, &o->links, link);
		o->nattached++;
	}
	return 0;
}

void holds_release(struct object *o)
{
	for (size_t i = o->holds.len; i-- > 0;)
		o->holds.data[i].release(&o->holds.data[i]);
	vec_free(&o->holds);
}
