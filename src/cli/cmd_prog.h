/*
 * cmd_prog.h - `scry prog`: the verbs that have files of their own.
 */
#ifndef SCRY_CLI_CMD_PROG_H
#define SCRY_CLI_CMD_PROG_H

#include "bpf/disasm.h"
#include "cli/cmd_bpf.h"

/* cmd_prog_dump.c */
int prog_dump(struct bpf_task *t);
/* cmd_prog_graph.c: the program as a graph for dot(1), a cluster for each function. */
void prog_graph(const struct bpf_insn *insns, uint32_t n, const struct bpf_disasm_opts *opts);
/* cmd_prog_load.c */
int prog_load(struct bpf_task *t);
int prog_loadall(struct bpf_task *t);
int prog_attach(struct bpf_task *t);
int prog_detach(struct bpf_task *t);
/* cmd_prog_profile.c */
int prog_profile(struct bpf_task *t);
/* cmd_prog_run.c */
int prog_run(struct bpf_task *t);
int prog_tracelog(struct bpf_task *t);

#endif
