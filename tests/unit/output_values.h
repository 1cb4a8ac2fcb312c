/*
 * output_values.h - short ways to write values and to catch what a sink prints.
 */
#ifndef SCRY_TESTS_OUTPUT_VALUES_H
#define SCRY_TESTS_OUTPUT_VALUES_H

#include "base/auto.h"
#include "output/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V(k, ...) ((struct value){ .kind = (k), __VA_ARGS__ })
#define VINT(x)	  V(V_INT, .i = (x))
#define VUINT(x)  V(V_UINT, .u = (x))
#define VBOOL(x)  V(V_BOOL, .u = (x))
#define VPTR(x)	  V(V_PTR, .u = (x))
#define VSTR(s)	  V(V_STRING, .text = (s), .len = strlen(s))
#define VTEXT(s)  V(V_TEXT, .text = (s), .len = strlen(s))
#define VBUF(s)	  V(V_BUFFER, .text = (s), .len = sizeof(s) - 1)
#define VITEMS(k, ...)                                         \
	V((k), .items = (const struct value[]){ __VA_ARGS__ }, \
	  .nitems = sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value))
#define VTUPLE(...)	   VITEMS(V_TUPLE, __VA_ARGS__)
#define VSTATS(count, sum) V(V_STATS, .is_signed = true, .n = (count), .total = (sum))

#define BUCKET(a, b, count)                                                        \
	{                                                                          \
		.has_lo = true, .has_hi = true, .lo = (a), .hi = (b), .n = (count) \
	}
#define BUCKET_BELOW(b, count)                          \
	{                                               \
		.has_hi = true, .hi = (b), .n = (count) \
	}
#define BUCKET_ABOVE(a, count)                          \
	{                                               \
		.has_lo = true, .lo = (a), .n = (count) \
	}
#define VHIST(array, ...) \
	V(V_HIST, .buckets = (array), .nitems = sizeof(array) / sizeof((array)[0]), __VA_ARGS__)

#define MAP(map_kind, map_name, is_keyed, array)       \
	(&(struct map_view){ .name = (map_name),       \
			     .keyed = (is_keyed),      \
			     .kind = (map_kind),       \
			     .entry = map_array_entry, \
			     .arg = (array),           \
			     .nentries = sizeof(array) / sizeof((array)[0]) })

/* Runs a statement that writes to the stream `out` and compares what it wrote. */
#define assert_writes(expected, statement)                    \
	do {                                                  \
		char *written_ = NULL;                        \
		size_t len_ = 0;                              \
		FILE *out = open_memstream(&written_, &len_); \
		statement;                                    \
		fclose(out);                                  \
		assert_string_equal(written_, (expected));    \
		free(written_);                               \
	} while (0)

static inline void check_value_text(const struct value *v, const char *expected)
{
	auto_sb struct sb sb = {};

	value_text(v, &sb);
	assert_string_equal(sb_str(&sb), expected);
}
#define assert_value_text(v, expected) check_value_text(&(v), (expected))

#endif
