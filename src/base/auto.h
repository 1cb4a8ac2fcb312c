/*
 * auto.h - locals that release what they hold when they leave scope.
 */
#ifndef SCRY_BASE_AUTO_H
#define SCRY_BASE_AUTO_H

#include "base/sb.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto_free_fn(void *p)
{
	free(*(void **)p);
}

static inline void auto_close_fn(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_fclose_fn(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define auto_free   __attribute__((cleanup(auto_free_fn)))
#define auto_close  __attribute__((cleanup(auto_close_fn)))
#define auto_fclose __attribute__((cleanup(auto_fclose_fn)))
#define auto_sb	    __attribute__((cleanup(sb_free)))
#define auto_arena  __attribute__((cleanup(arena_free)))

#endif
