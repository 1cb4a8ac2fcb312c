#include "session/clock.h"

#include "base/auto.h"

#include <string.h>

enum { NSEC = 1000000000, TEXT_MAX = 1 << 16 };

struct timespec clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * NSEC + t.tv_nsec;
}

struct timespec clock_to_wall(clockid_t clock, uint64_t ns)
{
	int64_t wall = (int64_t)ns + (nanoseconds(CLOCK_REALTIME) - nanoseconds(clock));
	int64_t sec = wall / NSEC, rest = wall % NSEC;

	if (rest < 0) {
		rest += NSEC;
		sec--;
	}
	return (struct timespec){ .tv_sec = sec, .tv_nsec = rest };
}

/* Replaces our own conversions by digits; strftime() does the others. */
static void put_fractions(const char *fmt, long ns, struct sb *out)
{
	for (; *fmt; fmt++) {
		if (*fmt != '%' || !fmt[1]) {
			sb_putc(out, *fmt);
			continue;
		}
		switch (*++fmt) {
		case 'f': sb_printf(out, "%06ld", ns / 1000); break;
		case 'k': sb_printf(out, "%09ld", ns); break;
		case 'l': sb_printf(out, "%03ld", ns / 1000000); break;
		default: sb_putc(out, '%'); sb_putc(out, *fmt);
		}
	}
}

const char *clock_format(struct arena *a, const char *fmt, struct timespec t)
{
	auto_sb struct sb sb = {};
	struct tm tm;

	if (!*fmt)
		return "";
	localtime_r(&t.tv_sec, &tm);
	put_fractions(fmt, t.tv_nsec, &sb);

	/* 0 means too long, or empty as "%p" may be. */
	for (size_t size = 128 + sb.len; size <= TEXT_MAX; size *= 4) {
		char *text = arena_alloc(a, size);

		if (strftime(text, size, sb_str(&sb), &tm))
			return text;
	}
	return "";
}
