#include "need.h"

#include "base/arena.h"
#include "base/auto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing"

/* Whether a symbol table has a function of this name; modules' names count too. */
static bool has_symbol(const char *name)
{
	auto_fclose FILE *f = fopen("/proc/kallsyms", "re");
	auto_free char *text = NULL;
	size_t cap = 0;

	while (f && getline(&text, &cap, f) > 0) {
		char symbol[256];

		if (sscanf(text, "%*x %*c %255s", symbol) == 1 && !strcmp(symbol, name))
			return true;
	}
	return false;
}

static bool has_root(const char *arg)
{
	(void)arg;
	return geteuid() == 0;
}

static bool has_guest(const char *arg)
{
	(void)arg;
	return getenv("GUEST") != NULL;
}

static bool has_host(const char *arg)
{
	return !has_guest(arg);
}

static bool has_btf(const char *arg)
{
	(void)arg;
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static bool has_kprobe(const char *arg)
{
	(void)arg;
	return !access("/sys/bus/event_source/devices/kprobe/type", R_OK);
}

static bool has_uprobe(const char *arg)
{
	(void)arg;
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

static bool has_kprobe_multi(const char *arg)
{
	(void)arg;
	return has_symbol("bpf_kprobe_multi_link_attach") && has_symbol("register_fprobe_ips");
}

static bool has_disk(const char *arg)
{
	(void)arg;
	return !access("/dev/vda", R_OK | W_OK);
}

static bool has_tracefs(const char *arg)
{
	(void)arg;
	return !access(TRACEFS "/events", R_OK);
}

static bool has_event(const char *arg)
{
	char path[256];
	const char *colon = strchr(arg, ':');

	if (!colon)
		return false;
	snprintf(path, sizeof(path), TRACEFS "/events/%.*s/%s", (int)(colon - arg), arg,
		 colon + 1);
	return !access(path, F_OK);
}

static bool has_file(const char *arg)
{
	return !access(arg, F_OK);
}

static bool has_command(const char *arg)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v '%s' >/dev/null 2>&1", arg);
	return !system(command);
}

/* For what a kernel does differently, not for what it can do: that is asked from it. */
static bool has_kernel(const char *arg)
{
	struct utsname u;
	unsigned have[2] = { 0 }, want[2] = { 0 };

	uname(&u);
	sscanf(u.release, "%u.%u", &have[0], &have[1]);
	sscanf(arg, "%u.%u", &want[0], &want[1]);
	return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

static bool is_older(const char *arg)
{
	return !has_kernel(arg);
}

static const struct need {
	const char *word; /* the whole word, or what an argument follows */
	bool (*met)(const char *arg);
	const char *doc;
} NEEDS[] = {
	{ "root", has_root, "the super-user" },
	{ "guest", has_guest, "a guest of its own: all processes may be traced" },
	{ "host", has_host, "no guest: what would take too long there" },
	{ "btf", has_btf, "the kernel's type information" },
	{ "tracefs", has_tracefs, "tracefs is mounted" },
	{ "kprobe", has_kprobe, "kprobes" },
	{ "uprobe", has_uprobe, "uprobes" },
	{ "kprobe.multi", has_kprobe_multi, "many kprobes by one link" },
	{ "disk", has_disk, "a disk to read and write, /dev/vda" },
	{ "kernel>=", has_kernel, "kernel>=6.12" },
	{ "kernel<", is_older, "kernel<6.12" },
	{ "symbol:", has_symbol, "symbol:FUNCTION of the kernel" },
	{ "event:", has_event, "event:CATEGORY:NAME, a tracepoint" },
	{ "file:", has_file, "file:PATH" },
	{ "command:", has_command, "command:NAME in the PATH" },
};

/* The row of a word; *arg is what follows the row's name. */
static const struct need *need_find(const char *word, const char **arg)
{
	for (size_t i = 0; i < sizeof(NEEDS) / sizeof(*NEEDS); i++) {
		const struct need *n = &NEEDS[i];
		size_t len = strlen(n->word);
		bool takes_arg = strchr(":=<", n->word[len - 1]);

		if (takes_arg ? !strncmp(word, n->word, len) : !strcmp(word, n->word)) {
			*arg = word + len;
			return n;
		}
	}
	return NULL;
}

bool need_met(const char *words, struct sb *why)
{
	auto_free char *copy = xstrdup(words);
	char *rest;

	for (char *word = strtok_r(copy, " ,\n", &rest); word;
	     word = strtok_r(NULL, " ,\n", &rest)) {
		const char *arg = NULL;
		const struct need *n = need_find(word, &arg);

		if (n && n->met(arg))
			continue;
		sb_printf(why, n ? "this machine has no %s" : "unknown need '%s'", word);
		return false;
	}
	return true;
}

void need_list(struct sb *out)
{
	for (size_t i = 0; i < sizeof(NEEDS) / sizeof(*NEEDS); i++)
		sb_printf(out, "%-14s %s\n", NEEDS[i].word, NEEDS[i].doc);
}
