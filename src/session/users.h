/*
 * users.h - user ids to names, from /etc/passwd.
 *
 * Only that file: asking the name services would load libraries into a static program.
 */
#ifndef SCRY_SESSION_USERS_H
#define SCRY_SESSION_USERS_H

#include "base/vec.h"

#include <stdint.h>

struct user {
	uint64_t uid;
	const char *name;
};

struct users {
	struct arena arena;
	VEC(struct user) list;
};

/* Reads a file in the form of passwd(5); one that cannot be read has no users. */
void users_load(struct users *u, const char *path);
void users_fini(struct users *u);
/* The name of the first user with that id, or NULL. */
const char *users_find(const struct users *u, uint64_t uid);

#endif
