/*
 * cmd_bpf.h - `scry prog`, `map`, `link`, `btf`, `feature`: the kernel's own BPF objects.
 */
#ifndef SCRY_CLI_CMD_BPF_H
#define SCRY_CLI_CMD_BPF_H

#include "base/err.h"
#include "object/inspect.h"

/* argv[0] is the subcommand; each returns the exit code. */
int cmd_prog(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_link(int argc, char **argv);
int cmd_btf(int argc, char **argv);
int cmd_feature(int argc, char **argv);

/* What is left of the command line behind the verb, and how to answer. */
struct bpf_task {
	bool json;
	struct inspect_words words;
	struct err err;
};

/* One verb: returns 0 or -errno with t->err set. The verb without a word comes first. */
struct bpf_verb {
	const char *name;
	int (*run)(struct bpf_task *t);
};
/* Runs the verb that argv[1] names, "show" when there is none. */
int bpf_command(int argc, char **argv, const struct bpf_verb *verbs, const char *usage);
/* Prints the facts (struct facts) that show puts of each object, or of the one that is named.
 */
int bpf_show(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *facts));
/* Calls show with each object of a kind, or with the one that the words name. */
int bpf_each(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *arg), void *arg);
/* "memlock" of /proc/self/fdinfo, which bpf(2) does not tell. */
uint64_t bpf_memlock(int fd);
/* "pin id N PATH" */
int bpf_pin(struct bpf_task *t, enum kbpf_object what);

/* cmd_prog_dump.c */
int prog_dump(struct bpf_task *t);

/* Takes the next of the words that are left; "" when there is none. */
const char *bpf_next_word(struct bpf_task *t);
/* Takes the next word if it is that one. */
bool bpf_next_is(struct bpf_task *t, const char *word);

#endif
