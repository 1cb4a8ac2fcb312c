#include "base/auto.h"
#include "cli/cmd_map.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>

static uint32_t map_type(const char *name)
{
	const char *known;

	for (uint32_t i = 1; (known = inspect_map_type(i)); i++)
		if (!strcmp(known, name))
			return i;
	return 0;
}

/* The words behind the path: pairs of a name and a value. */
static int take_pair(struct bpf_task *t, struct kbpf_map *m)
{
	const char *what = bpf_next_word(t), *value = t->words.n ? bpf_next_word(t) : "";
	const struct {
		const char *name;
		uint32_t *to;
	} NUMBERS[] = { { "key", &m->key_size },
			{ "value", &m->value_size },
			{ "entries", &m->max_entries },
			{ "flags", &m->flags } };
	char *end;

	if (!strcmp(what, "inner_map")) {
		/* The first of its words is taken already. */
		t->words.words--;
		t->words.n++;
		m->inner_fd = inspect_open(KBPF_MAP, &t->words, &t->err);
		return m->inner_fd < 0 ? m->inner_fd : 0;
	}
	if (!strcmp(what, "name")) {
		m->name = value;
		return 0;
	}
	if (!strcmp(what, "type")) {
		m->type = map_type(value);
		return m->type ? 0
			       : err_set(&t->err, -EINVAL, "there is no type of map '%s'",
					 value);
	}
	for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(*NUMBERS); i++) {
		if (strcmp(NUMBERS[i].name, what) != 0)
			continue;
		unsigned long v = strtoul(value, &end, 0);
		if (!*value || *end || v > UINT32_MAX)
			return err_set(&t->err, -EINVAL, "%s: '%s' is no number", what, value);
		*NUMBERS[i].to = (uint32_t)v;
		return 0;
	}
	return err_set(&t->err, -EINVAL,
		       "'%s' is none of type, key, value, entries, name, flags, "
		       "inner_map",
		       what);
}

static int create(struct bpf_task *t, const struct kbpf_map *m, const char *path)
{
	auto_close int fd = kbpf_map_create(m);

	return fd < 0 ? err_set(&t->err, fd, "create a map of type %s",
				inspect_map_type(m->type))
		      : bpf_pin_at(t, fd, path);
}

int map_create(struct bpf_task *t)
{
	struct kbpf_map m = { .name = "" };
	const char *path = t->words.n ? bpf_next_word(t) : NULL;
	int err = 0;

	if (!path)
		return err_set(&t->err, -EINVAL, "the path to pin it at is missing");
	while (!err && t->words.n)
		err = take_pair(t, &m);
	if (!err)
		err = m.type ? create(t, &m, path)
			     : err_set(&t->err, -EINVAL, "the type of the map is missing");
	if (m.inner_fd > 0)
		close(m.inner_fd);
	return err;
}
