#include "cli/options.h"

#include "base/auto.h"
#include "cli/dump.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row;
typedef int (*parse_fn)(struct options *o, const struct row *row, const char *arg,
			struct err *e);

struct row {
	const char *name, *arg;
	char letter;
	parse_fn parse;
	size_t field; /* offset in struct options */
};

/* The option as the user knows it: "--pid", "-e". */
static const char *spelling(const struct row *row, char buf[32])
{
	if (row->name)
		snprintf(buf, 32, "--%s", row->name);
	else
		snprintf(buf, 32, "-%c", row->letter);
	return buf;
}

static void *field_of(struct options *o, const struct row *row)
{
	return (char *)o + row->field;
}

static int set_flag(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)arg, (void)e;
	*(bool *)field_of(o, row) = true;
	return 0;
}

static int set_text(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)e;
	*(const char **)field_of(o, row) = arg;
	return 0;
}

static int add_text(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)e;
	vec_push(o->arena, (struct texts *)field_of(o, row), arg);
	return 0;
}

/* Up to bpftrace 0.21 -d has no argument, and -dd says more: then arg is the next word. */
static int add_stage(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	bool more = !strcmp(arg, "d");

	if (!more && (dump_knows(arg) || (*arg != '-' && access(arg, R_OK))))
		return add_text(o, row, arg, e);
	if (more)
		add_text(o, row, "ir", e);
	else
		optind--;
	return add_text(o, row, "ast", e);
}

static int set_pid(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	enum { PID_LIMIT = 1 << 22 }; /* PID_MAX_LIMIT of the kernel */
	char *end;
	long pid = strtol(arg, &end, 10);

	if (end == arg || *end)
		return err_set(e, -EINVAL, "--%s: '%s' is not a process id", row->name, arg);
	if (pid < 1 || pid > PID_LIMIT)
		return err_set(e, -EINVAL, "--%s: %s is not in 1 ... %d", row->name, arg,
			       PID_LIMIT);
	*(pid_t *)field_of(o, row) = (pid_t)pid;
	return 0;
}

/* The index of arg in a NULL-terminated list of words, or -1. */
static int find_word(const char *const *list, const char *arg, size_t len)
{
	for (int i = 0; list[i]; i++)
		if (strlen(list[i]) == len && !memcmp(list[i], arg, len))
			return i;
	return -1;
}

/* An option whose argument is one of some words: its index, or below 0 with e set. */
static int one_of(const struct row *row, const char *arg, const char *const *words,
		  struct err *e)
{
	int i = find_word(words, arg, strlen(arg));
	auto_sb struct sb list = { 0 };
	char buf[32];

	if (i >= 0)
		return i;
	for (unsigned k = 0; words[k]; k++)
		sb_printf(&list, "%s%s", k ? ", " : "", words[k]);
	return err_set(e, -EINVAL, "%s: '%s' is none of %s", spelling(row, buf), arg,
		       sb_str(&list));
}

static int set_buffering(struct options *o, const struct row *row, const char *arg,
			 struct err *e)
{
	static const char *const words[] = {
		[BUFFER_LINE] = "line", [BUFFER_FULL] = "full", [BUFFER_NONE] = "none", NULL
	};
	int i = one_of(row, arg, words, e);

	if (i < 0)
		return i;
	*(enum session_buffering *)field_of(o, row) = (enum session_buffering)i;
	return 0;
}

static int set_unwind(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	static const char *const words[] = {
		[UNWIND_AUTO] = "auto", [UNWIND_FP] = "fp", [UNWIND_CFI] = "cfi", NULL
	};
	int i = one_of(row, arg, words, e);

	if (i < 0)
		return i;
	*(enum unwind_mode *)field_of(o, row) = (enum unwind_mode)i;
	return 0;
}

static int set_engine(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	static const char *const words[] = {
		[ENGINE_KERNEL] = "kernel", [ENGINE_VM] = "vm", NULL
	};
	int i = one_of(row, arg, words, e);

	if (i < 0)
		return i;
	*(enum session_engine *)field_of(o, row) = (enum session_engine)i;
	return 0;
}

/* "1s", "500ms", "2m"; a number alone is seconds. */
/* Who names one process to be unwound by tables gets that for whoever is traced. */
static int set_dwarf_pid(struct options *o, const struct row *row, const char *arg,
			 struct err *e)
{
	return set_unwind(o, row, *arg ? "cfi" : arg, e);
}

static int set_elf(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	o->build = true;
	return set_text(o, row, arg, e);
}

static int set_aot(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	o->aot = true;
	return set_elf(o, row, arg, e);
}

static int set_every(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "", 1000000000 }, { "s", 1000000000 },	{ "ms", 1000000 },
		      { "us", 1000 },	  { "m", 60000000000 }, { "h", 3600000000000 } };
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	for (size_t i = 0; i < sizeof(units) / sizeof(*units) && isdigit((unsigned char)*arg);
	     i++) {
		if (strcmp(units[i].unit, end) != 0 || !n || n > INT64_MAX / units[i].ns)
			continue;
		*(uint64_t *)field_of(o, row) = n * units[i].ns;
		return 0;
	}
	err_set(e, -EINVAL, "--%s: '%s' is no time", row->name, arg);
	return err_hint(e, "write 1s, 500ms, 2m");
}

static int set_count(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (!isdigit((unsigned char)*arg) || *end || !n)
		return err_set(e, -EINVAL, "--%s: '%s' is not a number from 1 up", row->name,
			       arg);
	*(uint64_t *)field_of(o, row) = n;
	return 0;
}

static int use_mode(struct options *o, enum run_mode mode, struct err *e)
{
	if (o->mode != MODE_TRACE && o->mode != mode)
		return err_set(e, -EINVAL, "only one of --mode, --test, --bench can be used");
	o->mode = mode;
	return 0;
}

static int set_mode(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	static const struct {
		const char *word;
		enum run_mode mode;
	} modes[] = { { "codegen", MODE_CODEGEN },
		      { "compiler-bench", MODE_COMPILER_BENCH },
		      { "test", MODE_TEST },
		      { "bench", MODE_BENCH } };

	(void)row;
	if (!strcmp(arg, "format")) {
		o->fmt = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(arg, modes[i].word))
			return use_mode(o, modes[i].mode, e);
	return err_set(e, -EINVAL,
		       "--mode: '%s' is not a mode; there are codegen, compiler-bench, format, "
		       "test, bench",
		       arg);
}

static int set_test(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)row, (void)arg;
	return use_mode(o, MODE_TEST, e);
}

static int set_bench(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)row, (void)arg;
	return use_mode(o, MODE_BENCH, e);
}

static int set_no_feature(struct options *o, const struct row *row, const char *arg,
			  struct err *e)
{
	static const char *const words[] = { "kprobe_multi", "uprobe_multi", "kprobe_session",
					     NULL };
	bool *flags[] = { &o->no_feature.kprobe_multi, &o->no_feature.uprobe_multi,
			  &o->no_feature.kprobe_session };

	(void)row;
	while (*arg) {
		size_t len = strcspn(arg, ",");
		int i = find_word(words, arg, len);

		if (i < 0)
			return err_set(e, -EINVAL, "--no-feature: '%.*s' is none of %s, %s, %s",
				       (int)len, arg, words[0], words[1], words[2]);
		*flags[i] = true;
		arg += len + (arg[len] == ',');
	}
	return 0;
}

static int accept(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	(void)o, (void)row, (void)arg, (void)e;
	return 0;
}

static int no_llvm(struct options *o, const struct row *row, const char *arg, struct err *e)
{
	char buf[32];

	(void)o, (void)arg;
	err_set(e, -EINVAL, "option %s: scry has its own compiler, there is no LLVM in it",
		spelling(row, buf));
	return err_hint(e, "-d ir and -d bpf print what scry makes of a program");
}

static const struct row rows[] = {
#define SECTION(heading)
#define OPTION(name, letter, arg, parse, field, help) \
	{ name, arg, letter, parse, offsetof(struct options, field) },
#include "cli/options.def"
#undef OPTION
#undef SECTION
};

const struct option_help option_helps[] = {
#define SECTION(heading)			      { .title = heading },
#define OPTION(name, letter, arg, parse, field, help) { NULL, name, arg, help, letter },
#include "cli/options.def"
#undef OPTION
#undef SECTION
};
const unsigned option_nhelps = sizeof(option_helps) / sizeof(*option_helps);

enum { NROWS = sizeof(rows) / sizeof(*rows), LONG_BASE = 256 };

/* getopt's own tables: letters, and long names whose value is LONG_BASE + row. */
static void build_tables(char *letters, struct option *longs)
{
	*letters++ = ':'; /* tell a missing argument from an unknown option */
	for (int i = 0; i < NROWS; i++) {
		const struct row *row = &rows[i];

		if (row->letter) {
			*letters++ = row->letter;
			if (row->arg)
				*letters++ = ':';
		}
		if (row->name)
			*longs++ = (struct option){ row->name, row->arg ? 1 : 0, NULL,
						    LONG_BASE + i };
	}
	*letters = '\0';
	*longs = (struct option){};
}

static const struct row *find_row(int c)
{
	if (c >= LONG_BASE)
		return &rows[c - LONG_BASE];
	for (int i = 0; i < NROWS; i++)
		if (rows[i].letter == c)
			return &rows[i];
	return NULL;
}

static int bad_option(int c, char **argv, struct err *e)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		err_set(e, -EINVAL, "option %s needs an argument", word);
	else if (optopt && optopt < LONG_BASE)
		err_set(e, -EINVAL, "there is no option -%c", optopt);
	else if (optopt)
		err_set(e, -EINVAL, "option %s takes no argument", word);
	else
		err_set(e, -EINVAL, "there is no option %s, or it is ambiguous", word);
	return err_hint(e, "scry --help lists the options");
}

static int check_together(const struct options *o, struct err *e)
{
	if (o->cmd && o->pid)
		return err_set(e, -EINVAL, "-c and -p cannot be used together");
	if (o->no_warnings && o->all_problems)
		return err_set(e, -EINVAL, "-k and --no-warnings cannot be used together");
	return 0;
}

int options_parse(struct options *o, struct arena *a, int argc, char **argv, struct err *e)
{
	char letters[2 * NROWS + 2];
	struct option longs[NROWS + 1];
	int c;

	*o = (struct options){ .arena = a };
	build_tables(letters, longs);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct row *row = c == ':' || c == '?' ? NULL : find_row(c);

		if (!row)
			return bad_option(c, argv, e);
		int err = row->parse(o, row, optarg, e);
		if (err)
			return err;
	}
	o->words = argv + optind;
	o->nwords = argc - optind;
	return check_together(o, e);
}
