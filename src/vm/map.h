/*
 * map.h - maps with the kernel's semantics and results.
 *
 * A kind of map is a struct vm_map_ops in maps.c's table.  Values are in one block of memory
 * made with the map, so that a machine's memory check knows each map as one region and a
 * value's address stays valid as long as the map.
 */
#ifndef SCRY_VM_MAP_H
#define SCRY_VM_MAP_H

#include "base/err.h"
#include "scry_vm.h"

#include <pthread.h>

struct vm_map;

/* All but init and fini are called with the map locked. A NULL slot gives -EINVAL (or NULL). */
struct vm_map_ops {
	const char *name;
	bool per_cpu, no_key, no_value, holds_ids;
	bool only_helpers; /* programs reach it by helpers of its own only */
	/* Checks the definition and allocates. */
	int (*init)(struct vm_map *m, struct err *e);
	void (*fini)(struct vm_map *m);
	/* The value's place (per-CPU: the first copy), or NULL. */
	void *(*lookup)(struct vm_map *m, const void *key);
	/* Finds the place to write to, by the rules of flags, or NULL with *ret < 0. */
	void *(*place)(struct vm_map *m, const void *key, uint64_t flags, int *ret);
	int (*delete)(struct vm_map *m, const void *key);
	int (*next_key)(struct vm_map *m, const void *key, void *next);
	int (*push)(struct vm_map *m, const void *value, uint64_t flags);
	int (*pop)(struct vm_map *m, void *value, bool remove);
};

struct vm_map {
	struct scry_vm_map def;
	int id;
	const struct vm_map_ops *ops;
	pthread_mutex_t lock;
	uint32_t cpus;	       /* copies of each value: 1 unless per-CPU */
	uint32_t value_stride; /* bytes of one copy, rounded up to 8 */
	uint32_t price;	       /* steps that an operation takes besides: it is a long search */
	uint8_t *mem;	       /* all that programs may touch */
	size_t mem_size;
	void *priv;
};

extern const struct vm_map_ops VM_MAP_HASH, VM_MAP_PERCPU_HASH, VM_MAP_LRU, VM_MAP_PERCPU_LRU,
	VM_MAP_LPM, VM_MAP_HASH_OF_MAPS, VM_MAP_QUEUE, VM_MAP_STACK, VM_MAP_RING, VM_MAP_PERF,
	VM_MAP_STACKS;

/* Makes a map, or returns NULL with e filled in. */
struct vm_map *vm_map_new(const struct scry_vm_map *def, uint32_t cpus, struct err *e);
void vm_map_free(struct vm_map *m);
/* Zeroed memory from the system, which takes no room until it is touched; NULL when refused. */
void *vm_map_alloc(size_t count, size_t size);

/* As helpers do it: one CPU's copy of a value. */
void *vm_map_find(struct vm_map *m, const void *key, uint32_t cpu);
/* Prog arrays and maps in maps: the number that is there now; 0: none. */
uint32_t vm_map_find_id(struct vm_map *m, const void *key);
int vm_map_set(struct vm_map *m, const void *key, const void *value, uint64_t flags,
	       uint32_t cpu);
/* As bpf(2) does it: all copies. */
int vm_map_get_all(struct vm_map *m, const void *key, void *value);
int vm_map_set_all(struct vm_map *m, const void *key, const void *value, uint64_t flags);
int vm_map_remove(struct vm_map *m, const void *key);
int vm_map_next(struct vm_map *m, const void *key, void *next);
int vm_map_push(struct vm_map *m, const void *value, uint64_t flags);
int vm_map_pop(struct vm_map *m, void *value, bool remove);

/* map_ring.c */
void *vm_ring_reserve(struct vm_map *m, uint64_t size);
/* Ends a reservation; returns -EINVAL for an address that is none. */
int vm_ring_commit(struct vm_map *m, void *record, bool discard);
int vm_ring_read(struct vm_map *m, void (*fn)(void *, const void *, size_t), void *user);
const void *vm_ring_peek(struct vm_map *m, size_t *size);
void vm_ring_consume(struct vm_map *m);
/* bpf_ringbuf_query() */
uint64_t vm_ring_query(struct vm_map *m, uint64_t what);

/* map_perf.c: bpf_perf_event_output(); -E2BIG, -ENOENT (not open), -ENOSPC (counted as lost) */
int vm_perf_output(struct vm_map *m, uint32_t index, const void *data, uint32_t size);
int vm_perf_read(struct vm_map *m, uint32_t index, void (*fn)(void *, const void *, size_t),
		 void *user, uint64_t *lost);

#endif
