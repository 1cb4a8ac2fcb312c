#include "object/verdict.h"

#include "kernel/proc.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char BEGIN[] = "-- BEGIN PROG LOAD LOG --\n", END[] = "-- END PROG LOAD LOG --";

struct text {
	const char *s;
	int len;
};

static struct text line_at(const char *s)
{
	return (struct text){ s, (int)strcspn(s, "\n") };
}

static const char *next_line(const char *s)
{
	s += strcspn(s, "\n");
	return *s ? s + 1 : s;
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Lines of the verifier's log that are no reason: state, statistics. */
static bool is_filler(const char *s)
{
	return *s == '\n' || starts(s, "processed ") || starts(s, "verification time") ||
	       starts(s, "stack depth") || starts(s, "max_states") || starts(s, "arg#");
}

/* The last reason between BEGIN and END, and the source line that stands before it. */
static void read_log(const char *log, const char *end, struct text *reason, struct text *source)
{
	struct text last_source = { "", 0 };

	*reason = *source = last_source;
	for (const char *s = log; s < end; s = next_line(s)) {
		if (starts(s, "; ")) {
			last_source = line_at(s + 2);
		} else if (!is_filler(s)) {
			*reason = line_at(s);
			*source = last_source;
		}
	}
}

/* 'NAME' in "libbpf: prog 'NAME': ...", the last one before `before`. */
static struct text program_before(const char *log, const char *before)
{
	static const char mark[] = "prog '";
	struct text found = { "", 0 };

	for (const char *s = log; (s = strstr(s, mark)) && s < before;) {
		s += strlen(mark);
		found = (struct text){ s, (int)strcspn(s, "'\n") };
	}
	return found;
}

static struct text first_complaint(const char *log)
{
	static const char mark[] = "libbpf: ", harmless[] = "BTF is optional, ignoring.\n";
	const char *btf = strstr(log, harmless);

	/* A kernel that does not take the BTF is told about first, and is not the reason. */
	if (btf && btf[strlen(harmless)])
		log = btf + strlen(harmless);
	if (starts(log, mark))
		log += strlen(mark);
	return line_at(log);
}

/* What libbpf complains about, and where to look. */
static const struct {
	const char *says, *hint;
} HINTS[] = {
	{ "failed to find kernel BTF type ID",
	  "the kernel has no such function, hook, tracepoint or iterator; scry -l 'fentry:PATTERN', "
	  "'rawtracepoint:PATTERN' and 'iter:*' list what it has" },
	{ "failed to create kprobe",
	  "scry -l 'kprobe:PATTERN' lists the functions that can be traced" },
	{ "failed to create kretprobe",
	  "scry -l 'kprobe:PATTERN' lists the functions that can be traced" },
	{ "failed to determine tracepoint",
	  "scry -l 'tracepoint:PATTERN' lists those of this kernel" },
	{ "failed to attach to raw tracepoint",
	  "scry -l 'rawtracepoint:PATTERN' lists those of this kernel" },
	{ "failed to find symbol",
	  "scry -l 'uprobe:PATH:PATTERN' lists the functions of a file" },
};

static void hint_at_cure(struct err *e)
{
	for (size_t i = 0; i < sizeof(HINTS) / sizeof(*HINTS); i++)
		if (strstr(e->msg, HINTS[i].says))
			err_hint(e, "%s", HINTS[i].hint);
}

int verdict_set(struct err *e, int code, const char *path, const char *what, const char *log)
{
	const char *begin = strstr(log, BEGIN);
	const char *end = begin ? strstr(begin, END) : NULL;
	struct text reason, source, prog;

	if (!end) {
		struct text words = first_complaint(log);

		if (!words.len)
			return err_set(e, code, "%s: %s: %s", path, what, strerror(-code));
		err_set(e, code, "%s: %.*s", path, words.len, words.s);
		if (code == -EPERM)
			proc_hint_denied(e, "programs or maps of this kind");
		hint_at_cure(e);
		return code;
	}
	read_log(begin + strlen(BEGIN), end, &reason, &source);
	prog = program_before(log, begin);
	err_set(e, code, "%s: program %.*s: %.*s", path, prog.len, prog.s, reason.len,
		reason.s);
	if (source.len)
		err_hint(e, "this is about the source line: %.*s", source.len, source.s);
	return code;
}
