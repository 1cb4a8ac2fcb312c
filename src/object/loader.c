#include "object/object.h"

#include "base/auto.h"
#include "kernel/bpf.h"
#include "kernel/bpf_probe.h"
#include "object/attach.h"
#include "object/globals.h"
#include "object/verdict.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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
 * From here on bpf() and perf_event_open() give 0 and do nothing: a kernel that agrees to all.
 * That 0 is a descriptor which is there, and stays when it is closed. There is no next BTF,
 * which libbpf looks for until it has seen all modules.
 */
static bool leave_the_kernel(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_BTF_GET_NEXT_ID, 0, 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_perf_event_open, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_close, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDIN_FILENO, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int keep_silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

/*
 * Structs whose programs are all left out are left out, too: libbpf looks for their types in a
 * BTF that it has not read then, and dies of that.
 */
static void leave_structs(struct bpf_object *bpf)
{
	struct bpf_program *p;
	struct bpf_map *m;

	bpf_object__for_each_program(p, bpf)
	{
		if (bpf_program__type(p) == BPF_PROG_TYPE_STRUCT_OPS &&
		    bpf_program__autoload(p))
			return;
	}
	bpf_object__for_each_map(m, bpf)
	{
		if (bpf_map__type(m) == BPF_MAP_TYPE_STRUCT_OPS &&
		    !bpf_map__set_type(m, BPF_MAP_TYPE_ARRAY))
			bpf_map__set_autocreate(m, false);
	}
}

/*
 * libbpf trusts what an object says of itself and dies of some that are damaged.  So a process
 * of its own goes through reading and loading first, without a kernel, and has some seconds for
 * that.
 */
static bool survives_reading(const char *path)
{
	enum { SECONDS = 20 };
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
		libbpf_set_print(keep_silent);
		struct bpf_object *bpf = bpf_object__open(path);
		if (bpf)
			leave_structs(bpf);
		if (bpf && leave_the_kernel())
			bpf_object__load(bpf);
		_exit(0);
	}
	return pid < 0 || (waitpid(pid, &status, 0) == pid && !status);
}

int object_open(struct object *o, const char *path, struct err *e)
{
	*o = (struct object){ .path = path };
	sections_register();
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

static struct bpf_program *find_program(struct object *o, const char *name, struct err *e)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o->bpf, name);

	if (!p)
		err_set(e, -ENOENT, "%s: there is no program '%s' in it", o->path, name);
	return p;
}

int object_want(struct object *o, const char *name, bool wanted, struct err *e)
{
	struct bpf_program *p, *named = find_program(o, name, e);

	if (!named)
		return e->code;
	if (wanted && !o->is_chosen) {
		bpf_object__for_each_program(p, o->bpf) bpf_program__set_autoload(p, false);
		o->is_chosen = true;
	}
	bpf_program__set_autoload(named, wanted);
	return 0;
}

int object_place(struct object *o, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');

	if (!equals || !equals[1])
		return err_set(e, -EINVAL, "--at: '%s' is not PROGRAM=PLACE", text);
	const char *name = arena_strndup(&o->arena, text, (size_t)(equals - text));
	struct bpf_program *p = find_program(o, name, e);

	return p ? place_set(o, p, equals + 1, e) : e->code;
}

const void *object_btf(const struct object *o, uint32_t *size)
{
	const struct btf *btf = bpf_object__btf(o->bpf);

	return btf ? btf__raw_data(btf, size) : NULL;
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

static bool say_unknown(const struct object *o, const struct bpf_program *p, int code,
			const char *what, struct err *e)
{
	err_set(e, code, "%s: program %s (section \"%s\"): %s", o->path, bpf_program__name(p),
		bpf_program__section_name(p), what);
	if (code == -EOPNOTSUPP)
		err_hint(e,
			 "a younger kernel may have it, or one that is configured with it; "
			 "--without %s leaves it out",
			 bpf_program__name(p));
	return true;
}

/* To a kind that it does not know a kernel says EINVAL, and the verifier nothing. */
static bool find_unknown_kind(const struct object *o, struct err *e)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, o->bpf)
	{
		uint32_t type = (uint32_t)bpf_program__type(p);
		uint32_t attach = (uint32_t)bpf_program__expected_attach_type(p);

		if (!bpf_program__autoload(p))
			continue;
		if (type == BPF_PROG_TYPE_UNSPEC)
			return say_unknown(o, p, -EINVAL, "there is no such kind of section",
					   e);
		if (!bpf_probe_prog_type(type, 0))
			return say_unknown(o, p, -EOPNOTSUPP,
					   "this kernel has no programs of this type", e);
		if (!bpf_probe_attach_type(type, attach))
			return say_unknown(o, p, -EOPNOTSUPP,
					   "this kernel has no such place for programs", e);
	}
	return false;
}

int object_load(struct object *o, struct err *e)
{
	struct bpf_program *p;

	listen(o);
	sb_clear(&o->log);
	places_check(o);
	records_find(o);
	leave_structs(o->bpf);
	int err = bpf_object__load(o->bpf);
	if (err == -EINVAL && !strstr(sb_str(&o->log), "PROG LOAD LOG") &&
	    find_unknown_kind(o, e))
		return e->code;
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

int object_attach(struct object *o, const struct object_where *where, struct err *e)
{
	struct bpf_program *p;
	int err = 0;

	listen(o);
	bpf_object__for_each_program(p, o->bpf)
	{
		if (!err && bpf_program__fd(p) >= 0)
			err = program_attach(o, p, where, e);
	}
	if (!err)
		err = structs_attach(o, e);
	if (!err && !o->nattached)
		err_set(e, -ENOENT, "%s: there is nothing in it that can be attached", o->path);
	return err ? err : e->code;
}

void object_detach(struct object *o)
{
	for (size_t i = o->links.len; i-- > 0;)
		bpf_link__destroy(o->links.data[i]);
	vec_each(fd, &o->walks)
		close(*fd);
	holds_release(o);
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
					    .key_id = bpf_map__btf_key_type_id(m),
					    .value_id = bpf_map__btf_value_type_id(m),
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
