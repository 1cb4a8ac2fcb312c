#include "codegen/explain.h"

#include "bpf/helper.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_LINES = 8 };

struct line {
	const char *s;
	int len;
};

/* The line that ends before *end; moves *end to its start. False at the start of the log. */
static bool line_before(const char *log, const char **end, struct line *out)
{
	const char *e = *end;

	if (e == log)
		return false;
	if (e[-1] == '\n')
		e--;
	const char *s = e;
	while (s > log && s[-1] != '\n')
		s--;
	*out = (struct line){ s, (int)(e - s) };
	*end = s;
	return true;
}

static bool contains(struct line l, const char *words)
{
	return l.len && memmem(l.s, (size_t)l.len, words, strlen(words)) != NULL;
}

/* "12: (79) r1 = ...": an instruction, with its number. */
static bool is_insn(struct line l, int64_t *number)
{
	int i = 0;

	while (i < l.len && isdigit((unsigned char)l.s[i]))
		i++;
	if (!i || i + 3 > l.len || memcmp(l.s + i, ": (", 3) != 0)
		return false;
	*number = strtoll(l.s, NULL, 10);
	return true;
}

/* Lines of bookkeeping: register states, path markers, statistics, quoted source. */
static bool is_noise(struct line l)
{
	static const char *const starts[] = { "processed ",
					      "verification time ",
					      "stack depth ",
					      "max_states",
					      "total_states",
					      "peak_states",
					      "mark_read ",
					      "from ",
					      "caller:",
					      "callee:",
					      "mark_precise: ",
					      "last_idx ",
					      "first_idx ",
					      "regs=",
					      "parent ",
					      "func#",
					      "; " };
	int i = 0;

	if (!l.len)
		return true;
	for (size_t k = 0; k < sizeof(starts) / sizeof(*starts); k++)
		if (!strncmp(l.s, starts[k], strlen(starts[k])))
			return true;
	while (i < l.len && isdigit((unsigned char)l.s[i]))
		i++;
	return i > 0 && i < l.len && l.s[i] == ':';
}

/* Messages that carry an instruction number of their own: "... insn 12", "at insn 12". */
static int64_t number_in(struct line l)
{
	static const char *const marks[] = { "at insn ", "from insn ", "insn " };

	for (size_t k = 0; k < sizeof(marks) / sizeof(*marks) && l.len; k++) {
		const char *p = memmem(l.s, (size_t)l.len, marks[k], strlen(marks[k]));

		if (p && isdigit((unsigned char)p[strlen(marks[k])]))
			return strtoll(p + strlen(marks[k]), NULL, 10);
	}
	return -1;
}

/* What well-known words of the verifier mean for the author of a script. */
static const struct {
	const char *words, *advice;
} advices[] = {
	{ "infinite loop", "the kernel must see that a loop ends: count it up to a constant" },
	{ "back-edge", "this kernel allows no loops (5.3 and newer do): use unroll(N)" },
	{ "too large",
	  "the kernel gave up counting steps: make loops shorter or split the probe" },
	{ "too complex", "the probe has too many branches: split it into several probes" },
	{ "too many", "the probe is too long for this kernel: split it into several probes" },
	{ "bpf_override_return", /* whichever way a kernel without it says so */
	  "override() needs a kernel with CONFIG_BPF_KPROBE_OVERRIDE, which few are built with" },
	{ "cannot use helper", "a function used here is not allowed in this kind of probe" },
	{ "unknown func",
	  "this kernel does not have a function used here, or not in this kind of "
	  "probe; scry --info lists what it has" },
	{ "helper call is not allowed",
	  "a function used here is not allowed in this probe; path() only in those functions "
	  "that the kernel lists for it: security_file_permission, vfs_truncate, "
	  "vfs_fallocate, dentry_open, vfs_getattr, filp_close and some others" },
	{ "from non-GPL compatible", "the script's license must be GPL compatible" },
	{ "invalid bpf_context access",
	  "this kernel does not let this kind of probe read that" },
	{ "stack",
	  "too much is kept on the BPF stack (512 bytes): a lower on_stack_limit moves "
	  "values to other memory" },
	{ "invalid mem access", "memory was used that the kernel could not prove to be valid" },
	{ "out of bounds", "an index or a size could leave its memory: check its range first" },
	{ "unbounded", "an index or a size could leave its memory: check its range first" },
};

/* "unknown func bpf_d_path#147": a helper by its number, which older kernels do not know. */
static const struct helper *unknown_helper(struct line l)
{
	const char *hash = l.len ? memchr(l.s, '#', (size_t)l.len) : NULL;

	return hash && !contains(l, "bpf_override_return") &&
			       (contains(l, "unknown func") || contains(l, "invalid func"))
		       ? helper_by_id((uint32_t)strtoul(hash + 1, NULL, 10))
		       : NULL;
}

static const char *find_advice(struct line l)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++)
		if (contains(l, advices[i].words))
			return advices[i].advice;
	return "";
}

void explain_log(const char *log, struct verdict *out)
{
	const char *end = log + strlen(log);
	struct line l, reason = {};
	int64_t insn = -1;

	while (line_before(log, &end, &l)) {
		if (is_insn(l, &insn)) {
			/* A loop is told of on the line of the jump that closes it. */
			const char *loop = memmem(l.s, (size_t)l.len, "infinite loop", 13);

			if (loop)
				reason = (struct line){ loop, l.len - (int)(loop - l.s) };
			break;
		}
		if (!is_noise(l))
			reason = l; /* the first one behind the instruction wins */
	}
	if (number_in(reason) >= 0)
		insn = number_in(reason);
	*out = (struct verdict){ .insn = insn,
				 .reason = reason.s,
				 .reason_len = reason.len,
				 .advice = reason.len ? find_advice(reason) : "" };
}

/* The last lines of the log, statistics left out, oldest first. */
static void add_notes(struct diag *d, const char *log)
{
	const char *end = log + strlen(log);
	struct line lines[NOTE_LINES], l;
	int n = 0;

	while (n < NOTE_LINES && line_before(log, &end, &l))
		if (l.len && strncmp(l.s, "processed ", 10) != 0)
			lines[n++] = l;
	while (n-- > 0)
		diag_note(d, (struct span){}, "%.*s", lines[n].len, lines[n].s);
}

void explain_rejection(struct diags *dx, const struct image *img, const char *probe,
		       struct span fallback, const char *log)
{
	static const char no_reason[] = "it gives no reason";
	struct span span = fallback;
	struct verdict v;

	explain_log(log, &v);
	if (v.insn >= 0 && v.insn < img->ninsns && img->spans && img->spans[v.insn].beg)
		span = img->spans[v.insn];
	if (!v.reason_len) {
		v.reason = no_reason;
		v.reason_len = sizeof(no_reason) - 1;
	}

	struct diag *d = diag(dx, E0410_VERIFIER, span, probe, v.reason_len, v.reason);
	const struct helper *h = unknown_helper((struct line){ v.reason, v.reason_len });
	if (h)
		diag_hint(d, "bpf_%s() is in Linux since %s, and not for all kinds of probes",
			  h->name, h->since);
	else if (*v.advice)
		diag_hint(d, "%s", v.advice);
	add_notes(d, log);
}
