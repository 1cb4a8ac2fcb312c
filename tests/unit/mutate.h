/*
 * mutate.h - bytes in memory, changed a little, for readers that must survive them.
 */
#ifndef TESTS_UNIT_MUTATE_H
#define TESTS_UNIT_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* The next of a row of numbers of 24 bits that is the same in every run. */
static inline uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Changes one to four bytes, or cuts off the end; the size that is left. */
static inline size_t mutate(char *data, size_t size, uint32_t *seed)
{
	static const uint8_t ODD[] = { 0, 1, 0x7f, 0x80, 0xff };

	if (draw(seed) % 8 == 0)
		return draw(seed) % size;
	for (unsigned n = 1 + draw(seed) % 4; n--;)
		data[draw(seed) % size] =
			(char)(draw(seed) % 2 ? ODD[draw(seed) % 5] : draw(seed));
	return size;
}

#endif
