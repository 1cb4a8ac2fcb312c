/*
 * scry feature probe, list_builtins: what the kernel offers to BPF programs, in bpftool's form:
 * sentences, #define lines, or JSON.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/helper.h"
#include "cli/cmd_bpf.h"
#include "cli/commands.h"
#include "cli/kconfig.h"
#include "kernel/bpf_probe.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

struct probe {
	struct bpf_task *t;
	struct facts *f;
	bool macros, full, unprivileged, told_what; /* told_what: kernel, or a device */
	const char *prefix;			    /* of the macros */
	uint32_t dev;				    /* interface, or 0 */
};

/* --- the three forms --- */

static void begin_section(struct probe *p, const char *name, const char *title,
			  const char *comment)
{
	if (p->macros)
		printf("/*** %s ***/\n", comment);
	else
		facts_say(p->f, "%s\n", title);
	facts_object(p->f, name);
}

static void end_section(struct probe *p)
{
	facts_say(p->f, "\n");
	facts_close(p->f);
}

/* "have_x": true, #define HAVE_X, or `text is available`. */
static void put_feature(struct probe *p, const char *name, const char *text, bool has)
{
	if (p->f->json) {
		jw_bool(&p->f->w, name, has);
		return;
	}
	if (!p->macros) {
		printf("%s is %savailable\n", text, has ? "" : "NOT ");
		return;
	}
	printf("#define %s%s", p->prefix, has ? "" : "NO_");
	for (; *name; name++)
		putchar(toupper((unsigned char)*name));
	putchar('\n');
}

/* --- configuration --- */

/* A number of /proc/sys and what it means; `other` has a place for it. */
static const struct setting {
	const char *path, *name;
	const char *unknown;  /* it cannot be read */
	const char *words[3]; /* 0, 1, 2 */
	const char *other;
} SETTINGS[] = {
	{ "kernel/unprivileged_bpf_disabled",
	  "unprivileged_bpf_disabled",
	  "Unable to retrieve required privileges for bpf() syscall",
	  { "bpf() syscall for unprivileged users is enabled",
	    "bpf() syscall restricted to privileged users (without recovery)",
	    "bpf() syscall restricted to privileged users (admin can change)" },
	  "bpf() syscall restriction has unknown value %ld\n" },
	{ "net/core/bpf_jit_enable",
	  "bpf_jit_enable",
	  "Unable to retrieve JIT-compiler status",
	  { "JIT compiler is disabled", "JIT compiler is enabled",
	    "JIT compiler is enabled with debugging traces in kernel logs" },
	  "JIT-compiler status has unknown value %ld\n" },
	{ "net/core/bpf_jit_harden",
	  "bpf_jit_harden",
	  "Unable to retrieve JIT hardening status",
	  { "JIT compiler hardening is disabled",
	    "JIT compiler hardening is enabled for unprivileged users",
	    "JIT compiler hardening is enabled for all users" },
	  "JIT hardening status has unknown value %ld\n" },
	{ "net/core/bpf_jit_kallsyms",
	  "bpf_jit_kallsyms",
	  "Unable to retrieve JIT kallsyms export status",
	  { "JIT compiler kallsyms exports are disabled",
	    "JIT compiler kallsyms exports are enabled for root", NULL },
	  "JIT kallsyms exports status has unknown value %ld\n" },
	{ "net/core/bpf_jit_limit",
	  "bpf_jit_limit",
	  "Unable to retrieve global memory limit for JIT compiler for unprivileged users",
	  { NULL, NULL, NULL },
	  "Global memory limit for JIT compiler for unprivileged users is %ld bytes\n" },
};

static const char *const OPTIONS[] = {
	"BPF",
	"BPF_SYSCALL",
	"HAVE_EBPF_JIT",
	"BPF_JIT",
	"BPF_JIT_ALWAYS_ON",
	"DEBUG_INFO_BTF",
	"DEBUG_INFO_BTF_MODULES",
	"CGROUPS",
	"CGROUP_BPF",
	"CGROUP_NET_CLASSID",
	"SOCK_CGROUP_DATA",
	"BPF_EVENTS",
	"KPROBE_EVENTS",
	"UPROBE_EVENTS",
	"TRACING",
	"FTRACE_SYSCALLS",
	"FUNCTION_ERROR_INJECTION",
	"BPF_KPROBE_OVERRIDE",
	"NET",
	"XDP_SOCKETS",
	"LWTUNNEL_BPF",
	"NET_ACT_BPF",
	"NET_CLS_BPF",
	"NET_CLS_ACT",
	"NET_SCH_INGRESS",
	"XFRM",
	"IP_ROUTE_CLASSID",
	"IPV6_SEG6_BPF",
	"BPF_LIRC_MODE2",
	"BPF_STREAM_PARSER",
	"NETFILTER_XT_MATCH_BPF",
	"BPFILTER",
	"BPFILTER_UMH",
	"TEST_BPF",
	"HZ",
};

static void put_setting(struct facts *f, const struct setting *s)
{
	char path[64], text[32] = "";

	snprintf(path, sizeof(path), "/proc/sys/%s", s->path);
	auto_fclose FILE *in = fopen(path, "re");
	bool known = in && fgets(text, sizeof(text), in);
	long v = known ? strtol(text, NULL, 10) : -1;

	if (f->json)
		jw_raw(&f->w, s->name, "%ld", v);
	else if (!known)
		puts(s->unknown);
	else if (v >= 0 && v < 3 && s->words[v])
		puts(s->words[v]);
	else
		printf(s->other, v);
}

static void put_option(struct probe *p, struct kconfig *config, const char *option)
{
	char name[64];

	snprintf(name, sizeof(name), "CONFIG_%s", option);
	const char *v = kconfig_value(config, name);
	if (p->f->json)
		jw_text(&p->f->w, name, v);
	else if (p->macros && v && !strcmp(option, "HZ"))
		printf("#define %s%s %s\n", p->prefix, name, v);
	else if (p->macros && !v && !strcmp(option, "HZ"))
		printf("/* %s%s is not set */\n", p->prefix, name);
	else if (!p->macros && v)
		printf("%s is set to %s\n", name, v);
	else if (!p->macros)
		printf("%s is not set\n", name);
}

static void probe_config(struct probe *p)
{
	struct kconfig config = {};

	begin_section(p, "system_config", "Scanning system configuration...",
		      "Misc kernel config items");
	for (size_t i = 0; !p->macros && i < sizeof(SETTINGS) / sizeof(*SETTINGS); i++)
		put_setting(p->f, &SETTINGS[i]);
	for (size_t i = 0; i < sizeof(OPTIONS) / sizeof(*OPTIONS); i++)
		put_option(p, &config, OPTIONS[i]);
	end_section(p);
	kconfig_fini(&config);
}

/* --- types and helpers --- */

/* Devices that run programs themselves take these alone. */
static bool is_offered(const struct probe *p, const char *what, uint32_t type)
{
	if (!p->dev)
		return true;
	return *what == 'p' ? type == BPF_PROG_TYPE_SCHED_CLS || type == BPF_PROG_TYPE_XDP
			    : type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY;
}

static void probe_types(struct probe *p, const char *section, const char *what,
			const char *title, const char *comment,
			const char *(*name_of)(uint32_t type),
			bool (*has)(uint32_t type, uint32_t dev))
{
	char name[64], text[64];

	begin_section(p, section, title, comment);
	for (uint32_t i = 1; name_of(i); i++) {
		if (!is_offered(p, what, i))
			continue;
		snprintf(name, sizeof(name), "have_%s_%s_type", name_of(i), what);
		snprintf(text, sizeof(text), "eBPF %s_type %s",
			 *what == 'p' ? "program" : "map", name_of(i));
		put_feature(p, name, text, has(i, p->dev));
	}
	end_section(p);
}

/* Asking for these writes a warning into the kernel's log. */
static bool is_loud(const char *helper)
{
	return !strcmp(helper, "trace_printk") || !strcmp(helper, "trace_vprintk") ||
	       !strcmp(helper, "probe_write_user");
}

/* The helpers of one program type. */
static void probe_helpers_of(struct probe *p, uint32_t type)
{
	bool known = bpf_probe_prog_type(type, p->dev), can_ask = bpf_probe_knows_helpers(type);
	const char *prog = inspect_prog_type(type);
	char list[64], name[64];
	size_t n;
	const struct helper *all = helper_all(&n);

	snprintf(list, sizeof(list), "%s_available_helpers", prog);
	facts_list(p->f, list);
	if (!p->macros)
		facts_say(p->f, "eBPF helpers supported for program type %s:\n", prog);
	if (!p->macros && !known)
		facts_say(p->f, "\tProgram type not supported\n");
	else if (!p->macros && !can_ask)
		facts_say(p->f, "\tCould not determine which helpers are available\n");
	for (size_t i = 0; i < n; i++) {
		if (!all[i].id || (is_loud(all[i].name) && !p->full))
			continue;
		bool has = known && can_ask && bpf_probe_helper(type, all[i].id, p->dev);
		snprintf(name, sizeof(name), "bpf_%s", all[i].name);
		if (p->macros)
			printf("#define %sBPF__PROG_TYPE_%s__HELPER_%s %d\n", p->prefix, prog,
			       name, has);
		else if (has && p->f->json)
			jw_text(&p->f->w, NULL, name);
		else if (has)
			printf("\t- %s\n", name);
	}
	facts_close(p->f);
}

static void probe_helpers(struct probe *p)
{
	begin_section(p, "helpers", "Scanning eBPF helper functions...",
		      "eBPF helper functions");
	if (p->macros)
		printf("/*\n"
		       " * %sHAVE_PROG_TYPE_HELPER(xdp, bpf_redirect) is 1 when programs of\n"
		       " * that type can call that helper, else 0.\n"
		       " */\n"
		       "#define %sHAVE_PROG_TYPE_HELPER(prog_type, helper)\t\\\n"
		       "\t%sBPF__PROG_TYPE_ ## prog_type ## __HELPER_ ## helper\n",
		       p->prefix, p->prefix, p->prefix);
	for (uint32_t type = 1; inspect_prog_type(type); type++)
		if (is_offered(p, "prog", type))
			probe_helpers_of(p, type);
	end_section(p);
}

static bool takes_large_programs(const struct probe *p)
{
	enum { N = 4097 };
	struct bpf_insn *insns = xcalloc(N, sizeof(*insns));

	for (int i = 0; i < N; i++)
		insns[i].code = BPF_ALU64 | BPF_MOV | BPF_K;
	insns[N - 1].code = BPF_JMP | BPF_EXIT;
	bool has = bpf_probe_insns(insns, N, p->dev);
	free(insns);
	return has;
}

static void probe_misc(struct probe *p)
{
	/* r0 = 10; up: r0 -= 1; if r0 != 0 goto up */
	static const struct bpf_insn LOOP[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = -1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .off = -2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_insn jump[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_JLT | BPF_K, .off = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	begin_section(p, "misc", "Scanning miscellaneous eBPF features...",
		      "eBPF misc features");
	put_feature(p, "have_large_insn_limit", "Large program size limit",
		    takes_large_programs(p));
	put_feature(p, "have_bounded_loops", "Bounded loop support",
		    bpf_probe_insns(LOOP, 4, p->dev));
	put_feature(p, "have_v2_isa_extension", "ISA extension v2",
		    bpf_probe_insns(jump, 4, p->dev));
	jump[1].code = BPF_JMP32 | BPF_JLT | BPF_K;
	put_feature(p, "have_v3_isa_extension", "ISA extension v3",
		    bpf_probe_insns(jump, 4, p->dev));
	end_section(p);
}

/* --- the commands --- */

/* "kernel", or "dev NAME" */
static int take_component(struct bpf_task *t, struct probe *p, bool is_dev)
{
	if (p->told_what)
		return err_set(&t->err, -EINVAL, "probe: kernel or dev NAME, once");
	p->told_what = true;
	if (!is_dev)
		return 0;
	const char *name = bpf_next_word(t);
	p->dev = if_nametoindex(name);
	return p->dev ? 0 : err_set(&t->err, -EINVAL, "dev: there is no interface '%s'", name);
}

static int take_words(struct bpf_task *t, struct probe *p)
{
	int err = 0;

	while (!err && t->words.n) {
		const char *word = bpf_next_word(t);

		if (!strcmp(word, "full")) {
			p->full = true;
		} else if (!strcmp(word, "unprivileged")) {
			p->unprivileged = true;
		} else if (!strcmp(word, "macros")) {
			p->macros = true;
		} else if (!strcmp(word, "prefix") && t->words.n) {
			p->prefix = bpf_next_word(t);
		} else if (!strcmp(word, "kernel") || !strcmp(word, "dev")) {
			err = take_component(t, p, *word == 'd');
		} else {
			err_set(&t->err, -EINVAL, "probe: '%s' is not known here", word);
			return err_hint(&t->err,
					"there are kernel, dev NAME, full, unprivileged, "
					"macros, prefix WORD");
		}
	}
	if (!err && p->macros && t->json)
		return err_set(&t->err, -EINVAL, "macros are no JSON");
	return err;
}

/* Who may not ask gets no false answers, unless the question is what such a one may do. */
static int check_privilege(struct bpf_task *t, const struct probe *p)
{
	if (p->unprivileged) {
		int err = bpf_probe_unprivileged();

		return err ? err_set(&t->err, err, "give up privileges") : 0;
	}
	if (bpf_probe_map_type(BPF_MAP_TYPE_ARRAY, 0))
		return 0;
	err_set(&t->err, -EPERM, "the kernel does not let us make a map");
	return err_hint(&t->err,
			"run as root, or with CAP_BPF; `unprivileged` asks what is left");
}

static int feature_probe(struct bpf_task *t)
{
	struct probe p = { .t = t, .f = &t->facts, .prefix = "" };
	int err = take_words(t, &p);

	if (!err)
		err = check_privilege(t, &p);
	if (err)
		return err;
	facts_object(p.f, NULL);
	if (!p.dev)
		probe_config(&p);
	begin_section(&p, "syscall_config", "Scanning system call availability...",
		      "System call availability");
	put_feature(&p, "have_bpf_syscall", "bpf() syscall", true);
	end_section(&p);
	probe_types(&p, "program_types", "prog", "Scanning eBPF program types...",
		    "eBPF program types", inspect_prog_type, bpf_probe_prog_type);
	probe_types(&p, "map_types", "map", "Scanning eBPF map types...", "eBPF map types",
		    inspect_map_type, bpf_probe_map_type);
	probe_helpers(&p);
	probe_misc(&p);
	facts_close(p.f);
	return 0;
}

static const char *helper_name(uint32_t id)
{
	const struct helper *h = helper_by_id(id);

	return h ? h->name : id ? NULL : "unspec";
}

static int feature_list(struct bpf_task *t)
{
	static const struct {
		const char *name;
		const char *(*name_of)(uint32_t i);
	} GROUPS[] = { { "prog_types", inspect_prog_type },
		       { "map_types", inspect_map_type },
		       { "attach_types", inspect_attach_type },
		       { "link_types", inspect_link_type },
		       { "helpers", helper_name } };
	enum { NGROUPS = sizeof(GROUPS) / sizeof(*GROUPS) };
	const char *word = bpf_next_word(t);
	size_t g = 0;

	while (g < NGROUPS && strcmp(GROUPS[g].name, word) != 0)
		g++;
	if (g == NGROUPS || bpf_end_of_words(t))
		return err_set(&t->err, -EINVAL,
			       "'%s' is none of prog_types, map_types, attach_types, "
			       "link_types, helpers",
			       word);
	facts_list(&t->facts, NULL);
	for (uint32_t i = 0; GROUPS[g].name_of(i); i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s",
			 GROUPS[g].name_of == helper_name ? "bpf_" : "", GROUPS[g].name_of(i));
		facts_say(&t->facts, "%s\n", name);
		if (t->json)
			jw_text(&t->facts.w, NULL, name);
	}
	facts_close(&t->facts);
	return 0;
}

static const char USAGE[] =
	"usage: scry feature                       what scry uses of this kernel, as scry --info\n"
	"       scry feature probe [kernel|dev NAME] [full] [unprivileged] [macros [prefix WORD]]\n"
	"                          [-j|-p]\n"
	"       scry feature list_builtins {prog_types|map_types|attach_types|link_types|helpers}\n";

int cmd_feature(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = { { "probe", feature_probe },
						 { "list_builtins", feature_list },
						 { 0 } };
	struct arena arena = {};
	struct options o = { .arena = &arena };

	if (argc > 1)
		return bpf_command(argc, argv, VERBS, USAGE);
	int code = cmd_info(&o);
	arena_free(&arena);
	return code;
}
