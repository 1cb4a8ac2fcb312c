/*
 * cmd_bpf.h - `scry prog`, `map`, `link`, `btf`, `feature`, ...: the kernel's own BPF objects.
 *
 * Words, text and JSON are those of bpftool.
 */
#ifndef SCRY_CLI_CMD_BPF_H
#define SCRY_CLI_CMD_BPF_H

#include "base/err.h"
#include "cli/facts.h"
#include "object/holders.h"
#include "object/inspect.h"

/* argv[0] is the subcommand; each returns the exit code. */
int cmd_prog(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_link(int argc, char **argv);
int cmd_btf(int argc, char **argv);
int cmd_feature(int argc, char **argv);

/* How many of the words are options of these commands that stand before one. */
int bpf_leading_options(int argc, char **argv);

/* What is left of the command line behind the verb, and how to answer. */
struct bpf_task {
	bool json;
	bool pretty;	      /* -p: JSON in lines */
	bool paths;	      /* -f: show where objects are pinned */
	bool no_mount;	      /* -n: never mount a bpf file system */
	bool help;	      /* -h */
	const char *base_btf; /* -B FILE, or NULL */
	struct inspect_words words;
	struct facts facts; /* the answer */
	struct holders holders;
	bool has_holders;
	struct err err;
};

/* One verb: returns 0 or -errno with t->err set; -ENOENT without: the answer says it. */
struct bpf_verb {
	const char *name;
	int (*run)(struct bpf_task *t);
};
/* Runs the verb that argv[1] names or begins, the first one when there is none. */
int bpf_command(int argc, char **argv, const struct bpf_verb *verbs, const char *usage);
/* Shows all objects of a kind, or those that the words name. */
int bpf_show(struct bpf_task *t, enum kbpf_object what,
	     int (*show)(struct bpf_task *t, int fd, void *arg), void *arg);
/* The same as a list, or as one object when the words name only one. */
int bpf_show_list(struct bpf_task *t, enum kbpf_object what,
		  int (*show)(struct bpf_task *t, int fd, void *arg));
/* "memlock" of /proc/self/fdinfo, which bpf(2) does not tell; or another of its numbers. */
uint64_t bpf_fdinfo(int fd, const char *name);
/* "pin id N PATH" */
int bpf_pin(struct bpf_task *t, enum kbpf_object what);
/* Pins at a path; mounts /sys/fs/bpf when the path is there and it is not mounted. */
int bpf_pin_at(struct bpf_task *t, int fd, const char *path);
/* Facts about who holds an object: paths it is pinned at (with -f), processes. */
void bpf_put_paths(struct bpf_task *t, enum kbpf_object what, uint32_t id);
void bpf_put_processes(struct bpf_task *t, enum kbpf_object what, uint32_t id);

/*
 * From now on ^C makes this descriptor, the caller's, readable instead of ending the program;
 * -1: it could not be had, and ^C still ends it.
 */
int bpf_stop_signals(void);
/* Takes the next of the words that are left; "" when there is none. */
const char *bpf_next_word(struct bpf_task *t);
/* Takes the next word if it is that one. */
bool bpf_next_is(struct bpf_task *t, const char *word);
/* -EINVAL when words are left. */
int bpf_end_of_words(struct bpf_task *t);

#endif
