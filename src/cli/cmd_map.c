#include "cli/cmd_map.h"
#include "base/arena.h"
#include "base/auto.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <string.h>

static const char USAGE[] =
	"usage: scry map [{show|list} [MAP]] [-f] [-j|-p]\n"
	"       scry map dump MAP\n"
	"       scry map lookup MAP KEY\n"
	"       scry map getnext MAP [KEY]\n"
	"       scry map update MAP KEY VALUE [any|exist|noexist]\n"
	"       scry map delete MAP KEY\n"
	"       scry map pin MAP PATH\n"
	"       scry map {push|enqueue} MAP VALUE\n"
	"       scry map {peek|pop|dequeue} MAP\n"
	"       scry map freeze MAP\n"
	"       scry map event_pipe MAP [cpu N index N]   what programs write there, until ^C\n"
	"       scry map create PATH type TYPE key SIZE value SIZE entries N [name NAME] [flags N]\n"
	"                      [inner_map MAP]\n"
	"MAP: id N, name NAME, or pinned PATH\n"
	"KEY, VALUE: by the map's BTF: 12, -1, NAME of an enum, '\"text\"', '{1, {2, 3}}';\n"
	"            'hex 01 02 ...' for any, and without BTF; or key BYTE..., value BYTE..., each\n"
	"            with hex before it or not, as bpftool has them; value MAP or PROG for maps\n"
	"            of maps and of programs\n";

/* A program array says which programs it takes. */
static void put_owner(struct facts *f, int fd)
{
	uint64_t type = bpf_fdinfo(fd, "owner_prog_type");
	const char *name = inspect_prog_type((uint32_t)type);

	if (!type)
		return;
	facts_say(f, "\n\t");
	if (name)
		facts_text(f, "owner_prog_type", "owner_prog_type ", name, "  ");
	else
		facts_number(f, "owner_prog_type", "owner_prog_type ", type, "  ");
	facts_bool(f, "owner_jited", "owner jited", bpf_fdinfo(fd, "owner_jited"));
}

static void put_head(struct facts *f, const struct bpf_map_info *info)
{
	const char *type = inspect_map_type(info->type);

	facts_number(f, "id", "", info->id, ": ");
	if (type)
		facts_text(f, "type", "", type, "  ");
	else
		facts_number(f, "type", "type ", info->type, "  ");
	if (*info->name)
		facts_text(f, "name", "name ", info->name, "  ");
	facts_number(f, "flags", NULL, info->map_flags, "");
	facts_say(f, "flags 0x%x", info->map_flags);
}

static int show_map(struct bpf_task *t, int fd, void *arg)
{
	struct facts *f = &t->facts;
	struct bpf_map_info info;
	int err = kbpf_map_info(fd, &info);

	(void)arg;
	if (err)
		return err_set(&t->err, err, "ask about a map");
	uint64_t memlock = bpf_fdinfo(fd, "memlock"), frozen = bpf_fdinfo(fd, "frozen");
	facts_object(f, NULL);
	put_head(f, &info);
	facts_number(f, "bytes_key", "\n\tkey ", info.key_size, "B");
	facts_number(f, "bytes_value", "  value ", info.value_size, "B");
	facts_number(f, "max_entries", "  max_entries ", info.max_entries, "");
	facts_number(f, "bytes_memlock", "  memlock ", memlock, "B");
	put_owner(f, fd);
	if (!t->json)
		bpf_put_paths(t, KBPF_MAP, info.id);
	facts_number(f, "frozen", NULL, frozen, "");
	if (info.btf_id)
		facts_number(f, "btf_id", "\n\tbtf_id ", info.btf_id, "");
	if (frozen)
		facts_say(f, "%sfrozen", info.btf_id ? "  " : "\n\t");
	if (t->json)
		bpf_put_paths(t, KBPF_MAP, info.id);
	bpf_put_processes(t, KBPF_MAP, info.id);
	facts_say(f, "\n");
	facts_close(f);
	return 0;
}

static int map_show(struct bpf_task *t)
{
	return bpf_show_list(t, KBPF_MAP, show_map);
}

/* --- one map --- */

/* "key" and "value" are followed by a word for each byte, as bpftool takes them. */
static int parse_bytes(struct bpf_task *t, const char *what, uint8_t *out, uint32_t size)
{
	int base = bpf_next_is(t, "hex") ? 16 : 0;

	for (uint32_t i = 0; i < size; i++) {
		if (!t->words.n)
			return err_set(&t->err, -EINVAL, "%s: %u bytes are wanted, not %u",
				       what, size, i);
		const char *word = bpf_next_word(t);
		char *end;
		unsigned long v = strtoul(word, &end, base);
		if (!*word || *end || v > 255)
			return err_set(&t->err, -EINVAL, "%s: '%s' is no byte", what, word);
		out[i] = (uint8_t)v;
	}
	return 0;
}

int map_parse_key(struct bpf_task *t, struct opened *o)
{
	if (!t->words.n && !o->m.info.key_size)
		return 0;
	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the key is missing");
	if (bpf_next_is(t, "key"))
		return parse_bytes(t, "key", o->key, o->m.info.key_size);
	return typed_parse(&o->m.t, o->m.key, bpf_next_word(t), o->key, o->m.info.key_size,
			   &t->err);
}

/* Arrays of programs and maps of maps take objects. Returns 1 when none is named. */
static int parse_object(struct bpf_task *t, struct opened *o)
{
	static const char *const WORDS[] = { "id", "name", "tag", "pinned" };
	uint32_t type = o->m.info.type;
	bool maps = type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;

	if (!maps && type != BPF_MAP_TYPE_PROG_ARRAY)
		return 1;
	for (size_t i = 0; i < sizeof(WORDS) / sizeof(*WORDS); i++) {
		if (!t->words.n || strcmp(t->words.words[0], WORDS[i]) != 0)
			continue;
		o->part = inspect_open(maps ? KBPF_MAP : KBPF_PROG, &t->words, &t->err);
		memcpy(o->value, &o->part, sizeof(o->part));
		return o->part < 0 ? o->part : 0;
	}
	return 1;
}

/* A per-CPU map gets the same value on each. */
static int parse_value(struct bpf_task *t, struct opened *o)
{
	int err;

	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the value is missing");
	bool bytes = bpf_next_is(t, "value");
	err = parse_object(t, o);
	if (err == 1 && bytes)
		err = parse_bytes(t, "value", o->value, o->m.info.value_size);
	else if (err == 1)
		err = typed_parse(&o->m.t, o->m.value, bpf_next_word(t), o->value,
				  o->m.info.value_size, &t->err);
	for (size_t at = o->stride; !err && o->m.is_percpu && at < o->m.value_bytes;
	     at += o->stride)
		memcpy(o->value + at, o->value, o->m.info.value_size);
	return err;
}

static uint64_t parse_flags(struct bpf_task *t)
{
	if (bpf_next_is(t, "noexist"))
		return BPF_NOEXIST;
	if (bpf_next_is(t, "exist"))
		return BPF_EXIST;
	bpf_next_is(t, "any");
	return BPF_ANY;
}

static int change(struct bpf_task *t, int err, const char *what, const struct opened *o)
{
	if (err == -ENOENT)
		return err_set(&t->err, err, "map %s has no such key", o->m.info.name);
	return err ? err_set(&t->err, err, "%s map %s", what, o->m.info.name) : 0;
}

static int update(struct bpf_task *t, struct opened *o)
{
	int err = map_parse_key(t, o);

	if (!err)
		err = parse_value(t, o);
	if (err)
		return err;
	uint64_t flags = parse_flags(t);
	err = t->words.n ? 0
			 : kbpf_map_update(o->fd, o->m.info.key_size ? o->key : NULL, o->value,
					   flags);
	if (err == -EEXIST)
		return err_set(&t->err, err, "map %s has that key", o->m.info.name);
	return change(t, err, "update", o);
}

static int delete (struct bpf_task *t, struct opened *o)
{
	int err = map_parse_key(t, o);

	return err ? err : change(t, kbpf_map_delete(o->fd, o->key), "delete from", o);
}

int map_check_keyless(struct bpf_task *t, const struct opened *o)
{
	if (!o->m.info.key_size)
		return 0;
	err_set(&t->err, -EINVAL, "map %s has keys: it is no queue or stack", o->m.info.name);
	return err_hint(&t->err, "scry map lookup and update read and write its entries");
}

static int push(struct bpf_task *t, struct opened *o)
{
	int err = map_check_keyless(t, o);

	if (!err)
		err = parse_value(t, o);

	return err ? err
		   : change(t, kbpf_map_update(o->fd, NULL, o->value, BPF_ANY), "push to", o);
}

static int freeze(struct bpf_task *t, struct opened *o)
{
	return change(t, kbpf_map_freeze(o->fd), "freeze", o);
}

int map_open(struct bpf_task *t, struct opened *o, int fd)
{
	*o = (struct opened){ .fd = fd, .part = -1 };
	int err = typed_map_init(&o->m, fd);
	if (err)
		return err_set(&t->err, err, "ask about a map");
	o->key = xcalloc(1, o->m.info.key_size + 8u);
	o->value = xcalloc(1, o->m.value_bytes + 8u);
	o->stride = (o->m.info.value_size + 7u) & ~(size_t)7;
	return 0;
}

void map_close(struct opened *o)
{
	if (o->part >= 0)
		close(o->part);
	free(o->key);
	free(o->value);
	typed_map_fini(&o->m);
}

int map_with(struct bpf_task *t, int (*work)(struct bpf_task *t, struct opened *o))
{
	auto_close int fd = inspect_open(KBPF_MAP, &t->words, &t->err);
	struct opened o;

	if (fd < 0)
		return fd;
	int err = map_open(t, &o, fd);
	if (!err)
		err = work(t, &o);
	map_close(&o);
	return err ? err : bpf_end_of_words(t);
}

static int map_update(struct bpf_task *t)
{
	return map_with(t, update);
}

static int map_delete(struct bpf_task *t)
{
	return map_with(t, delete);
}

static int map_push(struct bpf_task *t)
{
	return map_with(t, push);
}

static int map_freeze(struct bpf_task *t)
{
	return map_with(t, freeze);
}

static int map_pin(struct bpf_task *t)
{
	return bpf_pin(t, KBPF_MAP);
}

int cmd_map(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", map_show },
		{ "list", map_show },
		{ "dump", map_dump },
		{ "update", map_update },
		{ "lookup", map_lookup },
		{ "getnext", map_getnext },
		{ "delete", map_delete },
		{ "pin", map_pin },
		{ "event_pipe", map_event_pipe },
		{ "peek", map_peek },
		{ "push", map_push },
		{ "enqueue", map_push },
		{ "pop", map_pop },
		{ "dequeue", map_pop },
		{ "freeze", map_freeze },
		{ "create", map_create },
		{ 0 },
	};

	return bpf_command(argc, argv, VERBS, USAGE);
}
