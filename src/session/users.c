#include "session/users.h"

#include "base/auto.h"

#include <string.h>

/* "name:password:uid:..." */
static void add_line(struct users *u, char *line)
{
	char *rest = line, *name = strsep(&rest, ":");

	strsep(&rest, ":");
	const char *uid = strsep(&rest, ":");
	char *end;

	if (!uid || !*uid)
		return;
	uint64_t n = strtoull(uid, &end, 10);
	if (!*end)
		vec_push(&u->arena, &u->list,
			 (struct user){ n, arena_strdup(&u->arena, name) });
}

void users_load(struct users *u, const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	auto_free char *line = NULL;
	size_t cap = 0;

	*u = (struct users){};
	while (f && getline(&line, &cap, f) > 0)
		add_line(u, line);
}

void users_fini(struct users *u)
{
	arena_free(&u->arena);
	*u = (struct users){};
}

const char *users_find(const struct users *u, uint64_t uid)
{
	vec_each(user, &u->list)
		if (user->uid == uid)
			return user->name;
	return NULL;
}
