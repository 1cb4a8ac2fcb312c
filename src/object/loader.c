#include "object/object.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "object/verdict.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_MAX = 16 << 20 };

/* libbpf passes nothing along to its print function; one object is worked on at a time. */
static struct sb *heard;

static int hear(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && heard && heard->len < LOG_MAX)
		sb_vprintf(heard, fmt, ap);
	return 0;
}

static void listen(struct object *o)
{
	heard = &o->log;
	libbpf_set_print(hear);
}

/*
 * libbpf trusts what an object says of itself and dies of some that are damaged.  So a process
 * of its own reads the file first, and has some seconds for that.
 */
static bool survives_reading(const char *path)
{
	enum { SECONDS = 10 };
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		signal(SIGFPE, SIG_DFL);
		signal(SIGALRM, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		alarm(SECONDS);
		close(STDERR_FILENO);
		bpf_object__open(path);
		_exit(0);
	}
	return pid < 0 || (waitpid(pid, &status, 0) == pid && !status);
}

int object_open(struct object *o, const char *path, struct err *e)
{
	*o = (struct object){ .path = path };
	if (!survives_reading(path))
		return err_set(e, -EINVAL, "%s: the object is damaged: reading it fails", path);
	listen(o);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	o->bpf = bpf_object__open(path);
	if (o->bpf)
		return 0;
	return verdict_set(e, -errno, path, "not a BPF object that can be read",
			   sb_str(&o->log));
}

int object_only(struct object *o, const char *name, struct err *e)
{
	struct bpf_program *p;

	if (!bpf_object__find_program_by_name(o->bpf, name))
		return err_set(e, -ENOENT, "%s: there is no program '%s' in it", o->path, name);
	bpf_object__for_each_program(p, o->bpf)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), name));
	return 0;
}

/* --- what the programs print --- */

/* Bytes of the conversion behind a '%'; letters may follow a pointer's: %pI4, %pks. */
static size_t conversion_len(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && s[i] && strchr("-+ #0123456789.lhzjt", s[i]))
		i++;
	if (i == len || !s[i])
		return i;
	if (s[i++] != 'p')
		return i;
	while (i < len && s[i] && strchr("IKikuUsbBtT46fS", s[i]))
		i++;
	return i;
}

/* A format of trace_printk(), its conversions as '*'. */
static const char *pattern_of(struct arena *a, const char *fmt, size_t len)
{
	auto_sb struct sb out = {};

	for (size_t i = 0; i < len && fmt[i]; i++) {
		if (fmt[i] == '%') {
			sb_putc(&out, '*');
			i += conversion_len(fmt + i + 1, len - i - 1);
		} else if (fmt[i] != '\n') {
			sb_putc(&out, fmt[i]);
		}
	}
	return arena_strdup(a, sb_str(&out));
}

/* The text that an address in a section of constants means. */
static const char *constant_text(const struct object *o, int map_fd, uint32_t off, size_t *len)
{
	struct bpf_map *m;
	size_t size;

	bpf_object__for_each_map(m, o->bpf)
	{
		if (bpf_map__fd(m) != map_fd || !bpf_map__is_internal(m))
			continue;
		const char *data = bpf_map__initial_value(m, &size);
		*len = data && off < size ? size - off : 0;
		return *len ? data + off : NULL;
	}
	return NULL;
}

/*
 * The format of a call is where r1 was last set to an address before it; one that lies on the
 * stack is unknown, and then anything may be printed.
 */
static void note_call(struct object *o, const struct bpf_insn *insns, size_t call)
{
	for (size_t i = call; i-- > 0;) {
		const struct bpf_insn *p = &insns[i];
		size_t len;

		if (p->dst_reg != BPF_REG_1 || BPF_CLASS(p->code) == BPF_STX ||
		    BPF_CLASS(p->code) == BPF_ST || !p->code)
			continue;
		const char *fmt = p->code == (BPF_LD | BPF_IMM | BPF_DW) &&
						  p->src_reg == BPF_PSEUDO_MAP_VALUE
					  ? constant_text(o, p[0].imm, (uint32_t)p[1].imm, &len)
					  : NULL;
		vec_push(&o->arena, &o->prints, fmt ? pattern_of(&o->arena, fmt, len) : "*");
		return;
	}
	vec_push(&o->arena, &o->prints, "*");
}

static void note_prints(struct object *o, const struct bpf_program *p)
{
	const struct bpf_insn *insns = bpf_program__insns(p);
	size_t n = bpf_program__insn_cnt(p);

	for (size_t i = 0; insns && i < n; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg ||
		    (insns[i].imm != BPF_FUNC_trace_printk &&
		     insns[i].imm != BPF_FUNC_trace_vprintk))
			continue;
		o->is_printing = true;
		note_call(o, insns, i);
	}
}

int object_load(struct object *o, struct err *e)
{
	struct bpf_program *p;

	listen(o);
	sb_clear(&o->log);
	int err = bpf_object__load(o->bpf);
	if (err)
		return verdict_set(e, err, o->path, "the kernel does not take it",
				   sb_str(&o->log));
	bpf_object__for_each_program(p, o->bpf)
	{
		if (bpf_program__fd(p) >= 0)
			note_prints(o, p);
	}
	return 0;
}

/* --- attaching --- */

/* Uprobes and USDT of one process: libbpf's own attaching by section knows none. */
static struct bpf_link *attach_user(const struct bpf_program *p, pid_t pid, bool *is_user)
{
	auto_free char *kind = NULL, *path = NULL, *a = NULL, *b = NULL;
	const char *section = bpf_program__section_name(p);
	long off = 0;
	int n = sscanf(section, "%m[^/]/%m[^:]:%m[^:+]%m[:+]", &kind, &path, &a, &b);

	*is_user = n >= 3 && (!strncmp(kind, "uprobe", 6) || !strncmp(kind, "uretprobe", 9) ||
			      !strcmp(kind, "usdt"));
	if (!*is_user)
		return NULL;
	const char *rest = section + strlen(kind) + 1 + strlen(path) + 1 + strlen(a);
	if (!strcmp(kind, "usdt"))
		return bpf_program__attach_usdt(p, pid, path, a, *rest ? rest + 1 : "", NULL);
	if (*rest == '+')
		off = strtol(rest + 1, NULL, 0);
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = a,
		    .retprobe = !strncmp(kind, "uretprobe", 9));
	return bpf_program__attach_uprobe_opts(p, pid, path, (size_t)off, &opts);
}

static void note(struct object *o, const struct bpf_program *p, const char *what)
{
	sb_printf(&o->notes, "program %s (section \"%s\"): %s\n", bpf_program__name(p),
		  bpf_program__section_name(p), what);
}

static bool is_walk(const struct bpf_program *p)
{
	return bpf_program__expected_attach_type(p) == BPF_TRACE_ITER;
}

static int attach_one(struct object *o, const struct bpf_program *p, pid_t pid, struct err *e)
{
	bool is_user = false;

	sb_clear(&o->log);
	if (is_walk(p)) {
		int fd = kbpf_iter_open(bpf_program__fd(p), pid);
		if (fd < 0)
			return err_set(e, fd, "%s: attach program %s", o->path,
				       bpf_program__name(p));
		vec_push(NULL, &o->walks, fd);
		return 0;
	}
	struct bpf_link *link = pid ? attach_user(p, pid, &is_user) : NULL;
	errno = is_user && !link ? errno : 0;
	if (!is_user)
		link = bpf_program__attach(p);
	if (link) {
		vec_push(NULL, &o->links, link);
		if (pid && !is_user)
			note(o, p, "it sees all processes, -p and -c do not limit it");
		return 0;
	}
	if (!errno || errno == EOPNOTSUPP || errno == ESRCH) {
		note(o, p, "loaded, but not attached: its section does not say where");
		return 0;
	}
	char what[128];
	snprintf(what, sizeof(what), "attach program %s (section \"%s\")", bpf_program__name(p),
		 bpf_program__section_name(p));
	return verdict_set(e, -errno, o->path, what, sb_str(&o->log));
}

int object_attach(struct object *o, pid_t pid, struct err *e)
{
	struct bpf_program *p;
	int err = 0;

	listen(o);
	bpf_object__for_each_program(p, o->bpf)
	{
		if (!err && bpf_program__fd(p) >= 0)
			err = attach_one(o, p, pid, e);
	}
	if (!err && !o->links.len && !o->walks.len) {
		err_set(e, -ENOENT, "%s: there is nothing in it that can be attached", o->path);
		return err_hint(e, "%s", sb_str(&o->notes));
	}
	return err;
}

void object_detach(struct object *o)
{
	for (size_t i = o->links.len; i-- > 0;)
		bpf_link__destroy(o->links.data[i]);
	vec_each(fd, &o->walks)
		close(*fd);
	vec_free(&o->links);
	vec_free(&o->walks);
}

void object_close(struct object *o)
{
	object_detach(o);
	bpf_object__close(o->bpf);
	sb_free(&o->log);
	sb_free(&o->notes);
	arena_free(&o->arena);
	heard = NULL;
}

/* --- looking at it --- */

bool object_map_at(const struct object *o, unsigned i, struct object_map *out)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, o->bpf)
	{
		if (i--)
			continue;
		const char *name = bpf_map__name(m);
		*out = (struct object_map){ .name = name,
					    .fd = bpf_map__fd(m),
					    .type = bpf_map__type(m),
					    .max_entries = bpf_map__max_entries(m),
					    .is_const = bpf_map__is_internal(m) &&
							(strstr(name, ".rodata") ||
							 strstr(name, ".kconfig")) };
		return true;
	}
	return false;
}

unsigned object_btf_id(const struct object *o)
{
	struct bpf_prog_info info;
	struct bpf_program *p;

	bpf_object__for_each_program(p, o->bpf)
	{
		if (bpf_program__fd(p) >= 0 && !kbpf_prog_info(bpf_program__fd(p), &info) &&
		    info.btf_id)
			return info.btf_id;
	}
	return 0;
}
