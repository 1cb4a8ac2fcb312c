/*
 * script_files.h - the scripts of the tests as files, and how to damage them.
 */
#ifndef SCRY_TESTS_SCRIPT_FILES_H
#define SCRY_TESTS_SCRIPT_FILES_H

#include "script_text.h"

#include <glob.h>

static inline void for_each_file(const char *pattern, void (*fn)(const char *path, void *arg),
				 void *arg)
{
	glob_t g = { 0 };

	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			fn(g.gl_pathv[i], arg);
	globfree(&g);
}

static inline void write_text(const char *path, const char *text)
{
	auto_fclose FILE *f = fopen(path, "we");

	if (f)
		fputs(text, f);
}

/* xorshift32: the same damage in every run. */
static inline uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Changes a few places: a byte, a piece left out, a piece doubled, a sign put in. */
static inline void damage(struct sb *out, const char *text, size_t len, uint32_t *seed)
{
	static const char signs[] = "{}()[];,:/\"@$#*+-.=<>!~\\'0x\n\0\xff";
	size_t pos = 0;

	for (uint32_t n = next_random(seed) % 4 + 1; n > 0 && pos < len; n--) {
		size_t keep = next_random(seed) % (len - pos), piece = next_random(seed) % 16;

		piece = piece < len - pos - keep ? piece : len - pos - keep;
		sb_write(out, text + pos, keep);
		pos += keep;
		switch (next_random(seed) % 4) {
		case 0: pos += piece; break;
		case 1: sb_write(out, text + pos, piece); break;
		case 2: pos += 1; /* fall through */
		default: sb_putc(out, signs[next_random(seed) % sizeof(signs)]); break;
		}
	}
	if (pos < len)
		sb_write(out, text + pos, len - pos);
}

#endif
