/*
 * engine.h - what a session does with maps and programs, in the kernel or on the machine in
 * user space: the same calls, the same results.
 *
 * The machine (scry_vm.h) needs no privilege; its programs run here, in the session's thread,
 * checked at each step.
 */
#ifndef SCRY_SESSION_ENGINE_H
#define SCRY_SESSION_ENGINE_H

#include "kernel/bpf.h"
#include "session/load.h"

#include <stddef.h>

/* Makes the machine that l's maps and programs go to; without it they go to the kernel. */
void engine_start(struct loaded *l);
void engine_stop(struct loaded *l);

/* As their namesakes of kernel/bpf.h; the machine sets e where it has words. */
int engine_map_create(const struct loaded *l, const struct kbpf_map *m, struct err *e);
int engine_map_lookup(const struct loaded *l, int map, const void *key, void *value);
int engine_map_update(const struct loaded *l, int map, const void *key, const void *value,
		      uint64_t flags);
int engine_map_delete(const struct loaded *l, int map, const void *key);
int engine_map_next_key(const struct loaded *l, int map, const void *key, void *next);
int engine_map_lookup_batch(const struct loaded *l, int map, const void *in, void *out,
			    void *keys, void *values, uint32_t *count);

/* On the machine: the program's number in *prog. Returns 0 or -errno with e set. */
int engine_prog_load(const struct loaded *l, const struct kbpf_prog *p, int *prog,
		     struct err *e);
/* Runs a program once, without a context. Returns 0 or -errno with e set. */
int engine_prog_run(const struct loaded *l, int prog, const char *name, struct err *e);
/* The same, with the program's result in *ret. */
int engine_prog_test(const struct loaded *l, int prog, const char *name, uint32_t *ret,
		     struct err *e);
/*
 * Runs a program n times: the last result in *ret, the average time of a run in *ns. Returns 0
 * or -errno with e set.
 */
int engine_prog_bench(const struct loaded *l, int prog, const char *name, uint32_t n,
		      uint32_t *ret, uint64_t *ns, struct err *e);

/* On the machine: the memory of an array. */
void *engine_map_memory(const struct loaded *l, int map);
/* On the machine: ring.h's ring_read() and whether there is more. */
size_t engine_ring_read(const struct loaded *l, int map,
			bool (*fn)(void *arg, const void *data, uint32_t len), void *arg);
bool engine_ring_pending(const struct loaded *l, int map);

#endif
