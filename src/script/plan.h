/*
 * plan.h - a compiled script: all that the session needs to run it, and nothing of the tree.
 *
 * A plan is pure data: programs as BPF instructions with relocations, the kernel maps they use,
 * the script's maps with their types, the layout of every event, every counter of losses.  It
 * holds no descriptor and needs no privilege; the kernel and the user-space VM run it alike.
 *
 * The globals.  Kernel map 0 is a plain array with one element that user space maps into its
 * memory (BPF_F_MMAPABLE).  Its value:
 *
 *	[0 ...]            u64 exit request: 0, or 1 << 32 | status (EXIT_REQUEST)
 *	[8 ...]            u64 EV_WATCH records that a process waits for, ever
 *	[zeros_off ...]    bytes that stay zero, to insert new aggregates from
 *	[slots_off ...]    scalar maps of up to 8 bytes: u64 value, u64 set
 *	[stripes_off ...]  ncpus_pow2 stripes of stripe_size bytes: scalar aggregates (agg.h)
 *	[counters_off ...] u64 pairs: number of times, last return code
 *
 * BPF code reaches stripe cpu & (ncpus_pow2 - 1) and adds atomically; user space reads, and
 * clears by atomic exchange, without a system call.
 */
#ifndef SCRY_SCRIPT_PLAN_H
#define SCRY_SCRIPT_PLAN_H

#include "base/source.h"
#include "codegen/codegen.h"
#include "output/format.h"
#include "probe/provider.h"
#include "types/agg.h"
#include "types/type.h"

/* A map of the kernel (or the VM). */
struct plan_kmap {
	const char *name; /* at most 15 characters, as the kernel shows it */
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries;
	uint32_t flags;	    /* BPF_F_... */
	bool scratch;	    /* value_size is settled after code generation */
	const void *init;   /* ARRAY: contents of element 0 to write before loading, or NULL */
	const char *cgroup; /* CGROUP_ARRAY: the folder that is element 0 */
	/* ARRAY_OF_MAPS: of the arrays in it, whatever their length */
	uint32_t inner_value_size;
};

enum { EXIT_REQUEST_OFF = 0, WATCH_WAITS_OFF = 8, GLOBALS_HEAD = 16 };
#define EXIT_REQUEST (1ull << 32)

enum { KMAP_GLOBALS = 0, KMAP_RING = 1, KMAP_FIRST_FREE = 2 };

enum map_store {
	STORE_SLOT,   /* u64 value and u64 set in the globals; keyless */
	STORE_STRIPE, /* an aggregate in every stripe; keyless */
	STORE_HASH,   /* kmap: key bytes -> value bytes (a keyless one has a u64 key of 0) */
	STORE_PERCPU_HASH, /* kmap: key bytes -> an aggregate per CPU */
};

/* A map of the script. */
struct plan_map {
	const char *name;	/* with its @ */
	const struct type *key; /* NULL: scalar */
	const struct type *value;
	enum map_store store;
	uint32_t kmap; /* hash kinds */
	uint32_t off;  /* STORE_SLOT: in the globals; STORE_STRIPE: in a stripe */
	uint32_t max_entries;
	struct span span; /* first use */
};

enum event_kind {
	EV_PRINTF,	/* format, args */
	EV_PRINT_VALUE, /* one arg */
	EV_PRINT_MAP,	/* map; top, div */
	EV_CLEAR,	/* map */
	EV_ZERO,	/* map */
	EV_EXIT,	/* the status is in the globals (EXIT_REQUEST) even if this was lost */
	EV_TIME,	/* text: a strftime format */
	EV_JOIN,	/* text: separator; args: n strings in a row, see join_max, join_size */
	EV_CAT,		/* format, args */
	EV_SYSTEM,	/* format, args */
	EV_ERRORF,
	EV_WARNF,   /* format, args */
	EV_UNWATCH, /* u64 behind the header: the address */
	EV_WATCH,   /* the same; text: the watchpoint; top: the process waits for it */
	EV_PACKET,  /* text: the file; not in the ring, see PACKET_... */
};

struct event_arg {
	const struct type *type;
	uint32_t off; /* in the record */
};

/*
 * One kind of record in the ring.  A record starts with u32 event (index in plan.events) and
 * u32 counter site of the program that wrote it; arguments follow at their offsets. A kind
 * without arguments is 8 bytes long.
 */
struct plan_event {
	enum event_kind kind;
	struct span span;
	uint32_t size; /* bytes of the record, header included */
	struct format format;
	const char *text;
	const struct event_arg *args;
	unsigned nargs;
	uint32_t map; /* index in plan.maps */
	int64_t top, div;
	uint32_t join_max, join_size; /* EV_JOIN: strings, bytes each */
};
enum { EVENT_HEADER = 8, EVENT_ADDRESS = 16 };

/* What can go wrong inside a program; each place that can fail has a counter. */
enum counter_kind {
	COUNT_LOST,	 /* ring full: an event of this program was not recorded */
	COUNT_SCRATCH,	 /* no scratch memory: the program did not run */
	COUNT_MAP_FULL,	 /* a map update failed */
	COUNT_DELETE,	 /* delete() of a key that is not there, result unused */
	COUNT_READ,	 /* a memory read failed and gave zeros */
	COUNT_DIV_ZERO,	 /* a division by zero gave 1 */
	COUNT_INDEX,	 /* an array index was out of bounds and gave zero */
	COUNT_STACK,	 /* a stack could not be taken */
	COUNT_HELPER,	 /* a call that was to change something failed */
	COUNT_UNWIND,	 /* a user stack ended before the outermost function */
	COUNT_UNWIND_FP, /* it was walked by frame pointers, without knowing better */
	COUNT_NEEDLE,	 /* a text to look for was too long and so was not found */
	COUNT_ADDED,	 /* LRU maps, no failure: a key that was not there came in */
	COUNT_REMOVED,	 /* LRU maps, no failure: the script deleted a key */
	COUNT_LOOKUP,	 /* with -k: a key was read that is not there, and gave zero */
};

struct plan_counter {
	enum counter_kind kind;
	struct span span;
	uint32_t off;	    /* in the globals: u64 times, then u64 last return code */
	const char *helper; /* "map_update_elem", or NULL */
	bool quiet;	    /* counted, but shown with -k or --strict only */
	uint32_t prog;	    /* index in plan.progs: where it is counted */
	int32_t map;	    /* index in plan.maps of the map it is about, or -1 */
};

/*
 * User stacks by unwind tables (builtin/unwind.h).  plan.unwind_maps is a trie of what
 * processes have mapped: key u32 UNWIND_KEY_BITS, or fewer for a range; u32 process; u64
 * address, big endian.  Its value says how to find a row; plan.unwind_tables holds an array of
 * rows (symbol/cfi_row.h) for each file.  plan.unwind_files has a value of the same form for
 * files by u64 inode, u32 device (12 bits of major, 20 of minor), u32 0; its bias is that of a
 * mapping whose first byte would be at address 0.
 */
enum {
	UNWIND_KEY_SIZE = 16,
	UNWIND_KEY_BITS = 96,
	UNWIND_VALUE_SIZE = 16,
	UNWIND_FILES = 4096
};
enum {
	UNWIND_BIAS = 0,  /* u64: an address less this is a row's */
	UNWIND_FILE = 8,  /* u32: index in unwind_tables */
	UNWIND_STEP = 12, /* u32: the largest power of two below the number of rows, or 0 */
};

/*
 * Packets (skboutput) go to plan.packets_kmap, a PERF_EVENT_ARRAY: u32 event, u32 bytes left
 * out at the begin; u64 time (CLOCK_BOOTTIME); u32 length asked for, u32 0; then the bytes of
 * the packet from its begin, at most PACKET_MAX, since a record of perf has a length of 16
 * bits.
 */
enum {
	PACKET_EVENT = 0,
	PACKET_SKIP = 4,
	PACKET_TIME = 8,
	PACKET_LEN = 16,
	PACKET_DATA = 24,
	PACKET_MAX = 0xff00,
};

enum prog_when { PROG_BEGIN, PROG_END, PROG_SIGNAL, PROG_TEST, PROG_BENCH, PROG_ATTACHED };

/* What a session is for: begin and end programs are run in all of them, others in one. */
enum plan_purpose { FOR_TRACE, FOR_TESTS, FOR_BENCHES };

struct plan_prog {
	const char *name; /* the probe, for messages; the kernel gets a cleaned 15 characters */
	enum prog_when when;
	struct group *group;
	uint32_t probe_base; /* attach point id of group->targets[0]; the others follow */
	struct image image;
	uint32_t select_kmap; /* ATTACH_SYSCALL_TP: the table; 0 = none */
	struct span span;
};

struct plan {
	struct arena *arena;
	struct sources *sources;
	struct typetab *types;
	VEC(struct plan_kmap) kmaps;
	VEC(struct plan_map) maps; /* sorted by name in ASCII order */
	VEC(struct plan_event) events;
	VEC(struct plan_counter) counters;
	VEC(struct plan_prog) progs;   /* in source order of their probes */
	VEC(const char *) probe_names; /* by attach point id; ascending names within a script */
	VEC(const char *) strings; /* texts that values refer to by index (strftime formats) */
	uint32_t counters_off, zeros_off, zeros_size;
	uint32_t slots_off, stripes_off, stripe_size, ncpus_pow2;
	enum plan_purpose purpose; /* of the programs that are not for it there are none here */
	unsigned nattached;	   /* attach points of these, begin and end included */
	unsigned ntests, nbenches; /* in the script, whether they are here or not */
	bool uses_ring;
	bool calls_kernel; /* functions of the kernel, by numbers that only this one knows */
	uint32_t unwind_maps, unwind_tables, unwind_files; /* kmaps; 0: there are none */
	uint32_t packets_kmap;				   /* 0: there is none */
	bool unwind_follow; /* of all files that the processes map the tables are made */
	bool unwind_each; /* and all they map belongs into unwind_maps: not all programs ask */
	bool uses_user_symbols; /* addresses of processes are among the values */
};

/* Is there a program for that occasion? */
static inline bool plan_has(const struct plan *p, enum prog_when when)
{
	for (size_t i = 0; i < p->progs.len; i++)
		if (p->progs.data[i].when == when)
			return true;
	return false;
}

/* The clock of a timestamp, in its last word. */
enum timestamp_clock { TIMESTAMP_BOOT, TIMESTAMP_TAI, TIMESTAMP_NONE };

/* The index of a text in plan->strings, added when it is new. */
uint32_t plan_string(struct plan *p, const char *s);

#endif
