/*
 * provider.h - the contract of a probe source.
 *
 * A provider turns attach points into targets (the places that exist in this kernel or
 * program), says as data where each argument lies, and attaches loaded programs.  It emits no
 * code.  The compiler sees targets and shapes; the session sees groups.
 *
 *	attach point ("kprobe:vfs_*")  --expand-->  targets ("kprobe:vfs_read", ...)
 *	targets that can share one program  --group-->  struct group, with its way of attaching
 *	group + program fd  --attach-->  links, held by descriptors only
 *
 * A new provider is a file with a struct provider and a row in providers.def.
 */
#ifndef SCRY_PROBE_PROVIDER_H
#define SCRY_PROBE_PROVIDER_H

#include "base/diag.h"
#include "base/err.h"
#include "types/btf.h"
#include "types/type.h"

#include <linux/bpf.h>
#include <sys/types.h>

/* Where a value lies when the program runs. */
enum argloc_kind {
	LOC_NONE,
	LOC_CTX,   /* size bytes at ctx + off */
	LOC_DEREF, /* the word at ctx + off points to kernel memory; size bytes at that + off2
		    */
	LOC_BTF, /* the word at ctx + off points to trusted memory: plain load at that + off2 */
	LOC_CONST, /* the number in imm */
	/*
	 * User memory: size bytes at the word at ctx + off (unless that is LOC_NO_REG), plus,
	 * if scale is not 0, the word at ctx + off2 times scale, plus imm. With is_ref what is
	 * there is the value's address.
	 */
	LOC_USER,
	LOC_PAIR,   /* a struct: the words at ctx + off and ctx + off2, one behind the other */
	LOC_TRIPLE, /* the same, and the one at ctx + imm */
	LOC_SUM,    /* the word at ctx + off, plus imm */
};

#define LOC_NO_REG UINT32_MAX

struct argloc {
	enum argloc_kind kind;
	uint32_t off, off2;
	uint8_t size; /* 1, 2, 4, 8 */
	bool is_signed;
	bool is_ref;   /* LOC_USER */
	bool is_typed; /* LOC_CTX: the verifier takes the word for more than a number */
	uint8_t scale; /* LOC_USER: 0, 1, 2, 4, 8 */
	int64_t imm;
	const char *why; /* LOC_NONE: that it cannot be read, as "is ..."; or NULL */
};

struct probe_arg {
	const char *name;
	const struct type *type; /* T_ARRAY, T_STRUCT: loc says where it starts */
	struct argloc loc;
	/* The word at loc says where a string lies: at ctx + data_base + (word & 0xffff). */
	bool data_loc;
	uint32_t data_base;
	const char *missing; /* why it cannot be read here, or NULL */
	bool is_unsure;	     /* callers may not have passed it: the compiler does not say */
};

/* What the body of a probe may use, and where it is. All memory in the session's arena. */
struct shape {
	const struct probe_arg *args; /* args.NAME; NULL when the provider has none */
	unsigned nargs;
	const struct argloc *regs; /* arg0, arg1, ... */
	unsigned nregs;
	struct argloc retval; /* LOC_NONE: no retval */
	const struct type *retval_type;
	struct argloc func_ip; /* LOC_NONE: use the get_func_ip helper, if has_func */
	bool has_func, has_ctx;
	const struct type *ctx_type; /* what ctx points to, or NULL */
	enum addr_space arg_space;   /* whose memory pointers in arguments point into */
	bool stack_ok;		     /* kstack, ustack allowed */
	uint8_t kstack_skip;	     /* frames on top of kstack that are not the kernel's */
};

/* One place to attach to. */
struct target {
	const struct provider *provider;
	const char *name;      /* canonical: "kprobe:vfs_read"; the value of `probe` */
	const char *user_name; /* overrides name as the value of `probe`, or NULL */
	struct span span;
	/* What the parts mean is up to the provider. */
	const char *category, *event; /* tracepoint; event alone for rawtracepoint, software */
	const char *module, *symbol;  /* kprobe; watchpoint */
	uint32_t prog;		      /* fentry: the id of the BPF program with the symbol */
	uint64_t offset;	      /* kprobe:f+off */
	uint64_t period;	      /* ns, or count for software/hardware */
	uint64_t frequency;	      /* Hz for profile:hz */
	uint32_t config; /* perf event number; with ATTACH_SYSCALL_TP the selector's value */
	uint64_t addr;	 /* of a kprobe where its name is not enough, of a watchpoint; or 0 */
	uint64_t entry;	 /* of a kprobe, where the function begins, if that was looked up */
	uint32_t len, access; /* of a watchpoint: bytes, HW_BREAKPOINT_... */
	/*
	 * A watchpoint of what argument config of the function symbol points to: does the
	 * process go on at once, before the watchpoint is set?
	 */
	bool in_passing;
	bool from_wildcard; /* one of many: that it cannot be attached is no error */
	/* uprobe, usdt: places in a file */
	const char *file;	  /* as the kernel is to open it */
	uint64_t file_offset;	  /* of the instruction */
	uint64_t refcount_offset; /* of the semaphore to be counted up, or 0 */
	const char *operands; /* where the arguments of a usdt probe lie, as its note says */
	const char *pin;      /* of an iterator that stays: the file to read it by; or NULL */
	uint64_t pc;	      /* the instruction's address as the file was linked */
	bool by_line;	      /* named by its source line */
	bool is_inlined;      /* a copy of the function that was inlined into another */
	bool is_32bit;	      /* in a file of 32 bits, which passes arguments otherwise */
	bool by_insn; /* a uretprobe: a return instruction, without a hook in the stack */
};

VEC_TYPE(targets, struct target *);

enum attach_way {
	ATTACH_NONE, /* begin, end, self: run by the session itself */
	ATTACH_PERF, /* a perf event per target: kprobe, tracepoint, software, profile */
	ATTACH_KPROBE_MULTI,
	ATTACH_RAW_TP,
	ATTACH_SYSCALL_TP,   /* one BTF raw tracepoint for many syscalls, see selector */
	ATTACH_UPROBE_MULTI, /* all targets are in one file */
	ATTACH_TRAMPOLINE,   /* fentry, fexit: the function's own trampoline */
	ATTACH_ITER,	     /* a walk that links.walks starts */
};

/*
 * Targets served by one program.  When `probe` is asked and there is more than one target, the
 * program finds out which one fired from the attach cookie (cookie: its index in targets, or
 * that of an earlier target of the same name), or,
 * with ATTACH_SYSCALL_TP, from the selector: the word at `selector` indexes a table of
 * `nselect` entries that the compiler builds (target index + 1; 0: not traced, leave at once).
 */
struct group {
	const struct provider *provider;
	struct targets targets;
	enum attach_way way;
	const char
		*why; /* one line for -v: why this way, or what was missing for a better one */
	enum bpf_prog_type prog_type;
	enum bpf_attach_type expected_attach;
	uint32_t attach_btf_id;
	const char *attach_btf_module; /* whose BTF has that id; NULL: the kernel's own */
	uint32_t attach_prog_id; /* the BPF program whose BTF has it, and that is traced */
	bool has_cookie;	 /* bpf_get_attach_cookie works here */
	struct argloc selector;
	uint32_t nselect;
	/*
	 * Unless LOC_NONE: the program leaves at once when the word here is not only_if_value,
	 * or, with only_if_not, when it is.
	 */
	struct argloc only_if;
	int64_t only_if_value;
	bool only_if_not;
	bool sleepable, preemptible;
	bool named_args; /* the script asks for args.NAME */
};

VEC_TYPE(groups, struct group *);

/* What the body of the probe asks of its programs. */
struct group_wants {
	bool one_each;	 /* it depends on a target's own arguments: one program per target */
	bool other_args; /* those are more than args.ret, which system calls have in common */
	bool own_place;	 /* it depends on where in a file a target is */
	bool which; /* it asks which target fired (`probe`): cookie, selector, or one each */
	bool func;  /* it uses `func` */
	bool retval;
	bool result; /* it returns a value to the kernel */
};

/* What providers know of the system; filled lazily, one per session. Opaque to most. */
struct probe_env {
	struct arena *arena;
	struct typetab *types;
	struct diags *dx;
	struct tracefs *tracefs;    /* kernel/tracefs.h; opened on first use */
	pid_t pid;		    /* -p or -c; 0 = all */
	bool pid_in_program;	    /* programs tell whose event it is: none is bound to pid */
	bool pid_waits;		    /* -c: it has not executed its program yet */
	const char *program;	    /* what pid runs, or will; NULL: none */
	const char *traceable_file; /* replaces available_filter_functions, or NULL */
	unsigned max_probes;
	bool no_kernel;	   /* programs run on the machine in user space */
	bool probe_inline; /* uprobes are attached to inlined copies, too */
	bool unsafe;	   /* --unsafe: kprobes at any address */
	/* --no-feature */
	bool no_kprobe_multi, no_kprobe_session, no_uprobe_multi;
	enum { MISSING_ERROR, MISSING_WARN, MISSING_IGNORE } missing;
	struct probe_cache *cache;    /* lists already read, owned by match.c */
	const char *debug_dirs;	      /* --debuginfo, see elf_debug_open() */
	struct user_file *user_files; /* opened files of uprobe and usdt, see user_file.h */
};

/* The process that events of a source are to be bound to; 0: to none. */
static inline pid_t env_event_pid(const struct probe_env *env)
{
	return env->pid_in_program ? 0 : env->pid;
}

/* One attachment: what keeps it alive. */
struct link {
	int event;		      /* a perf event, or -1 */
	int link;		      /* a BPF link, or -1 */
	bool is_slow;		      /* closing it waits for an RCU grace period */
	const struct target *watched; /* the watchpoint that links_unwatch() may end, or NULL */
	uint64_t watch_addr; /* where that is; without an event: where it could not be */
	uint32_t prog;	     /* which program it runs: set and read by the session */
};

/* A match of a wildcard that the kernel would not attach to. */
struct link_skip {
	const struct target *target;
	int err; /* -errno */
};

/* Open links, detached together; on the heap. */
struct links {
	VEC(struct link) list;
	VEC(struct link_skip) skipped;
	/* Iterators: reading one to its end runs its program on every object. */
	VEC(int) walks;
	/* Iterators that stay in the kernel, by their files. */
	VEC(const struct target *) pinned;
};

/*
 * Detaches everything, so that no program runs any more, and empties links.
 *
 * Closing a perf event waits for a grace period of 20-70 ms, one event at a time inside the
 * kernel, so that hundreds of them would hold up ^C for many seconds.  Hence a child process
 * gets the slow descriptors: it releases the programs first, all at once, and the caller waits
 * for that, half a second at most; the events, which then do nothing any more, are closed by
 * the child in its own time, after which it is gone.
 */
void links_detach(struct links *links);

/* Ends the watchpoints of an address, if there are any. */
void links_unwatch(struct links *links, uint64_t addr);

/* An attach point for providers: see script/ast.h's struct attach_point, same meaning. */
struct attach_text {
	struct span span;
	const char *text, *user_name;
	const char *const *parts; /* [0] is the provider, already resolved */
	unsigned nparts;
};

enum provider_flag {
	PV_ENTRY_ARGS = 1 << 0, /* argN */
	PV_RETVAL = 1 << 1,
	PV_NAMED_ARGS = 1 << 2,	   /* args.NAME, which differ from target to target */
	PV_NO_COUNT_LIST = 1 << 3, /* not in a plain -l */
	PV_PID_IMPLICIT = 1 << 4,  /* -p needs a filter in the program */
	PV_OURS = 1 << 5,	   /* begin, end, self, test, bench: run by scry itself */
	PV_NO_TASK = 1 << 9,	   /* the current task has nothing to do with the event */
	PV_USER = 1 << 8,	   /* of processes: `*:` means it with a file or with -p only */
	PV_TIMED = 1 << 10, /* needs no more than a timer: runs without the kernel, too */
	PV_LAST_FIRST =
		1 << 6, /* of several programs on one place the last attached runs first */
};

struct provider {
	const char *name;	    /* canonical, lower case */
	const char *const *aliases; /* case-sensitive, NULL-terminated */
	unsigned flags;
	const char *doc;   /* one line */
	const char *usage; /* "kprobe:FUNCTION[+OFFSET]" */
	/*
	 * Appends the targets that the attach point names, wildcards included, in the order of
	 * the source list. Reports wrong parts and missing targets through env->dx (as
	 * env->missing says) and returns false then. No root is needed for exact names of kinds
	 * that can be checked without; an unreadable list is an error that says so.
	 */
	bool (*expand)(struct probe_env *env, const struct attach_text *at,
		       struct targets *out);
	/*
	 * What can be used in a program for this target. g is NULL before the targets are
	 * grouped: types are final then, but locations are not. Returns 0 or -errno with e set.
	 */
	int (*shape)(struct probe_env *env, const struct target *t, const struct group *g,
		     struct shape *out, struct err *e);
	/*
	 * Splits the targets of one script probe into groups of one program each and picks the
	 * way to attach.
	 */
	int (*group)(struct probe_env *env, const struct targets *targets,
		     const struct group_wants *wants, struct groups *out, struct err *e);
	/*
	 * Can one program, attached once, serve two groups, as the way of attaching stands: g
	 * when a function is entered, ret when it returns? Then g becomes the group of it, and
	 * *is_return the BTF id of the kernel's function that tells which it is. NULL: never.
	 */
	bool (*join)(struct probe_env *env, struct group *g, const struct group *ret,
		     uint32_t *is_return);
	/*
	 * Attaches a loaded program to all targets of the group, without those of a wildcard
	 * that cannot be attached, which are noted in out->skipped. Returns 0 or -errno, e set;
	 * what was attached is in out in any case.
	 */
	int (*attach)(struct probe_env *env, const struct group *g, int prog_fd,
		      struct links *out, struct err *e);
	/*
	 * Calls fn with each target whose name without the provider matches pattern, in which
	 * '*' crosses colons. The target is fn's during the call only. Returns 0 or -errno, e
	 * set; NULL: there is nothing to list.
	 */
	int (*list)(struct probe_env *env, const char *pattern,
		    void (*fn)(void *arg, const struct target *t), void *arg, struct err *e);
	/* Calls fn with "TYPE NAME" of each parameter, for -lv; NULL: they have none. */
	int (*params)(struct probe_env *env, const struct target *t,
		      void (*fn)(void *arg, const char *text), void *arg, struct err *e);
};

/* All providers, in providers.def order; NULL-terminated. */
extern const struct provider *const providers[];
/*
 * The provider that a word names: an alias exactly, or a full name in any case. NULL when there
 * is none; *nearest then is a near name or NULL.
 */
const struct provider *provider_find(const char *word, const char **nearest);

/* Does text match a pattern whose only wildcard is '*'? */
bool wildcard_match(const char *pattern, const char *text);
static inline bool wildcard_has(const char *pattern)
{
	for (; *pattern; pattern++)
		if (*pattern == '*')
			return true;
	return false;
}

/*
 * Expands one attach point as written: finds the provider (wildcards in its name too) and calls
 * its expand. Returns false after reporting.
 */
bool probe_expand(struct probe_env *env, const struct attach_text *at, struct targets *out);

/*
 * Calls line with every line of `-l PATTERN`: probes that match, with their parameters below
 * them when verbose, or the C text of `struct NAME`, `union NAME`, `enum NAME`. An empty
 * pattern lists all kernel probes. Returns 0, also when nothing matches, or -errno with e set.
 */
int probe_list(struct probe_env *env, const char *pattern, bool verbose,
	       void (*line)(void *arg, const char *text), void *arg, struct err *e);

/* How a script calls a type: "NAME", "struct NAME", ... */
enum type_word { WORD_PLAIN, WORD_STRUCT, WORD_UNION, WORD_ENUM };
/*
 * A type, or an enumerator, of the program that a target is in, or else of the one that is
 * traced (-p, -c), by its debug information; NULL, false: it has none of that name.
 */
const struct type *probe_user_type(struct probe_env *env, const struct target *t,
				   enum type_word word, const char *name);
bool probe_user_const(struct probe_env *env, const struct target *t, const char *name,
		      int64_t *value, const struct type **type);

/*
 * Can the running kernel do that? By its name in kernel/feature.def; asked once, then known.
 */
bool probe_has_feature(struct probe_env *env, const char *name);
/*
 * May a program of that group, or one that scry runs itself (NULL), call the kernel's function
 * with that BTF id? Asked once, then known; -EPERM: we may not ask.
 */
int probe_kernel_call(struct probe_env *env, const struct group *g, uint32_t id);
/*
 * A type that only a module has: find(btf, name) is tried on the types of each loaded one, by
 * their names, until it gives an id. NULL: none has it.
 */
const struct btf *probe_module_type(struct probe_env *env,
				    uint32_t (*find)(const struct btf *b, const char *name),
				    const char *name, uint32_t *id);
/* Finds a register of struct pt_regs by name; false when the machine has none like it. */
bool probe_find_reg(const char *name, struct argloc *out);

/*
 * A symbol of the file that a target in user space lies in: its address as the file was linked,
 * and its size. Returns 0, or -errno with e set.
 */
int probe_user_symbol(struct probe_env *env, const struct target *t, const char *name,
		      uint64_t *addr, uint64_t *size, struct err *e);

/* Releases what env holds open: tracefs, lists. Not the arena, not the types. */
void probe_env_fini(struct probe_env *env);

#endif
