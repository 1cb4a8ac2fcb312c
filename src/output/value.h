/*
 * value.h - what a trace has to say, between the bytes of an event and a format.
 *
 * session/decode.c makes a small tree of values from raw bytes; sinks print it.  Nothing here
 * knows about BPF, types or symbols: a value already carries its text where the kernel's bytes
 * needed a lookup (symbols, stacks, times).  Values point into memory of whoever made them and
 * are valid during the call that passes them.
 */
#ifndef SCRY_OUTPUT_VALUE_H
#define SCRY_OUTPUT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	V_NONE,
	V_INT,	   /* signed, i */
	V_UINT,	   /* u */
	V_BOOL,	   /* u */
	V_FLOAT,   /* f; rounded: computed, six digits of it are shown */
	V_PTR,	   /* u, shown as 0x... */
	V_ENUM,	   /* i, and text (NUL-terminated) when the number has a name, else NULL */
	V_STRING,  /* text, len; truncated: cut by its size limit */
	V_BUFFER,  /* text, len: raw bytes */
	V_TEXT,	   /* text, len: made by a lookup (symbol, time, user name ...) */
	V_STACK,   /* items: one V_TEXT per frame, in the layout of its mode; indent below */
	V_TUPLE,   /* items */
	V_ARRAY,   /* items */
	V_RECORD,  /* items with names: struct, record */
	V_STATS,   /* n, total; average is total / n */
	V_HIST,	   /* buckets, of the form that hist_* below say */
	V_TSERIES, /* items: one per interval, V_NONE where nothing was seen; start, step */
};

struct value_bucket {
	bool has_lo, has_hi;
	int64_t lo, hi; /* [lo, hi) */
	uint64_t n;
};

struct value {
	enum value_kind kind;
	bool truncated;
	bool rounded;	/* V_FLOAT */
	bool is_signed; /* V_STATS: of total */
	bool is_float;	/* V_STATS: total is the bits of a double */
	bool is_kernel; /* V_STACK */
	bool log2;	/* V_HIST: power-of-two labels (hist), else linear (lhist) */
	int hist_bits;	/* V_HIST: of hist() */
	union {
		int64_t hist_step; /* V_HIST: of lhist() */
		int64_t step;	   /* V_TSERIES: ns of an interval */
	};
	union {
		int64_t i;
		uint64_t u;
		double f;
	};
	const char *text;
	size_t len;
	const struct value *items;
	/* V_RECORD: one per item; V_STACK: the function, or what else tells frames apart */
	const char *const *names;
	/* V_HIST: first to last non-empty one, zeros between */
	const struct value_bucket *buckets;
	size_t nitems; /* of items or buckets */
	uint64_t n;    /* V_STATS */
	union {
		int64_t total; /* V_STATS */
		int64_t start; /* V_TSERIES: wall-clock ns of the first interval */
	};
	/* V_STATS: the average is shown divided by it, V_HIST: the counts; 0 or 1: as it is. */
	uint64_t div;
	int indent; /* V_STACK: spaces before each frame in text form */
};

/* The average of V_STATS, V_FLOAT, V_INT or V_UINT as is_float and is_signed say. */
struct value stats_average(const struct value *v);
/* V_STATS as the V_RECORD { count, average, total } that users see; its items go to items. */
struct value stats_record(const struct value *v, struct value items[3]);
/* The count that bucket i of V_HIST shows. */
uint64_t hist_count(const struct value *v, size_t i);

/* One entry of a map; a scalar map has one entry with key == NULL. */
struct map_entry {
	const struct value *key; /* V_TUPLE for a multi-part key */
	struct value value;
};

/*
 * A map being shown.  Its entries are made one at a time, so that a map of a million keys never
 * exists as a million values.
 */
struct map_view {
	const char *name; /* with its @ */
	bool keyed;
	/* How JSON classes it. */
	enum { MAP_PLAIN, MAP_HIST, MAP_STATS, MAP_TSERIES } kind;
	size_t nentries; /* after the cut to the top asked for */
	/* Entry i in the order to show; valid until the next call. */
	const struct map_entry *(*entry)(const struct map_view *m, size_t i);
	const void *arg; /* entry's own */
};

/* An entry function for entries that stand in an array, which is arg. */
const struct map_entry *map_array_entry(const struct map_view *m, size_t i);

#endif
