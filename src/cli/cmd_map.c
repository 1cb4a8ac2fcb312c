#include "base/arena.h"
#include "base/auto.h"
#include "cli/cmd_bpf.h"
#include "cli/facts.h"
#include "kernel/bpf.h"
#include "object/typed.h"

#include <errno.h>
#include <string.h>

static const char USAGE[] =
	"usage: scry map [show [MAP]] [-j]\n"
	"       scry map dump MAP [-j]\n"
	"       scry map lookup MAP KEY [-j]\n"
	"       scry map getnext MAP [KEY] [-j]\n"
	"       scry map update MAP KEY VALUE [any|exist|noexist]\n"
	"       scry map delete MAP KEY\n"
	"       scry map pin MAP PATH\n"
	"       scry map {push|enqueue} MAP VALUE\n"
	"       scry map {peek|pop|dequeue} MAP [-j]\n"
	"       scry map freeze MAP\n"
	"       scry map create PATH type TYPE key SIZE value SIZE entries N [name NAME] [flags N]\n"
	"MAP: id N, name NAME, or pinned PATH\n"
	"KEY, VALUE: by the map's BTF: 12, -1, NAME of an enum, '\"text\"', '{1, {2, 3}}';\n"
	"            'hex 01 02 ...' for any, and without BTF; or key BYTE..., value BYTE..., each\n"
	"            with hex before it or not, as bpftool has them\n";

static int show_map(struct bpf_task *t, int fd, void *arg)
{
	struct bpf_map_info info;
	struct facts *f = arg;
	int err = kbpf_map_info(fd, &info);

	if (err)
		return err_set(&t->err, err, "ask about a map");
	const char *type = inspect_map_type(info.type);
	facts_begin(f);
	facts_number(f, "id", info.id);
	facts_text(f, "type", type ? type : "unknown");
	facts_text(f, "name", info.name);
	facts_number(f, "flags", info.map_flags);
	facts_number(f, "bytes_key", info.key_size);
	facts_number(f, "bytes_value", info.value_size);
	facts_number(f, "max_entries", info.max_entries);
	facts_number(f, "bytes_memlock", bpf_memlock(fd));
	if (info.btf_id)
		facts_number(f, "btf_id", info.btf_id);
	facts_end(f);
	return 0;
}

static int map_show(struct bpf_task *t)
{
	return bpf_show(t, KBPF_MAP, show_map);
}

/* --- one map --- */

struct opened {
	int fd;
	struct typed_map m;
	uint8_t *key, *value;
	size_t stride; /* of one CPU's value */
};

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

static int parse_key(struct bpf_task *t, struct opened *o)
{
	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the key is missing");
	if (bpf_next_is(t, "key"))
		return parse_bytes(t, "key", o->key, o->m.info.key_size);
	return typed_parse(&o->m.t, o->m.key, bpf_next_word(t), o->key, o->m.info.key_size,
			   &t->err);
}

/* A per-CPU map gets the same value on each. */
static int parse_value(struct bpf_task *t, struct opened *o)
{
	int err;

	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the value is missing");
	if (bpf_next_is(t, "value"))
		err = parse_bytes(t, "value", o->value, o->m.info.value_size);
	else
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

static int dump(struct bpf_task *t, struct opened *o)
{
	return typed_map_show(&o->m, sink_find(t->json ? "json" : "text"), stdout, false,
			      &t->err);
}

static const struct sink *sink_of(const struct bpf_task *t)
{
	return sink_find(t->json ? "json" : "text");
}

static int lookup(struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	return err ? err
		   : typed_map_show_entry(&o->m, o->key, false, sink_of(t), stdout, &t->err);
}

static int update(struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	if (!err)
		err = parse_value(t, o);
	if (err)
		return err;
	uint64_t flags = parse_flags(t);
	err = t->words.n ? 0 : kbpf_map_update(o->fd, o->key, o->value, flags);
	if (err == -EEXIST)
		return err_set(&t->err, err, "map %s has that key", o->m.info.name);
	return change(t, err, "update", o);
}

static int delete (struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	return err ? err : change(t, kbpf_map_delete(o->fd, o->key), "delete from", o);
}

static void put_bytes(const char *name, const uint8_t *bytes, uint32_t n, bool json)
{
	printf(json ? "\"%s\":[" : "%s:", name);
	for (uint32_t i = 0; i < n; i++)
		printf(json ? "%s\"0x%02x\"" : "%s%02x", json ? i ? "," : "" : " ", bytes[i]);
	printf(json ? "]" : "\n");
}

/* The key behind a key, or the first one. */
static int getnext(struct bpf_task *t, struct opened *o)
{
	auto_free uint8_t *next = xcalloc(1, o->m.info.key_size + 8u);
	bool first = !t->words.n;
	int err = first ? 0 : parse_key(t, o);

	if (err)
		return err;
	err = kbpf_map_next_key(o->fd, first ? NULL : o->key, next);
	if (err == -ENOENT)
		return err_set(&t->err, err, "map %s has no more keys", o->m.info.name);
	if (err)
		return change(t, err, "walk", o);
	if (t->json && !first) {
		putchar('{');
		put_bytes("key", o->key, o->m.info.key_size, true);
		putchar(',');
	} else if (t->json) {
		fputs("{\"key\":null,", stdout);
	}
	put_bytes(t->json ? "next_key" : "next key", next, o->m.info.key_size, t->json);
	fputs(t->json ? "}\n" : "", stdout);
	return 0;
}

static int check_keyless(struct bpf_task *t, const struct opened *o)
{
	if (!o->m.info.key_size)
		return 0;
	err_set(&t->err, -EINVAL, "map %s has keys: it is no queue or stack", o->m.info.name);
	return err_hint(&t->err, "scry map lookup and update read and write its entries");
}

static int push(struct bpf_task *t, struct opened *o)
{
	int err = check_keyless(t, o);

	if (!err)
		err = parse_value(t, o);

	return err ? err
		   : change(t, kbpf_map_update(o->fd, NULL, o->value, BPF_ANY), "push to", o);
}

static int peek(struct bpf_task *t, struct opened *o)
{
	int err = check_keyless(t, o);

	return err ? err
		   : typed_map_show_entry(&o->m, NULL, false, sink_of(t), stdout, &t->err);
}

static int pop(struct bpf_task *t, struct opened *o)
{
	int err = check_keyless(t, o);

	return err ? err : typed_map_show_entry(&o->m, NULL, true, sink_of(t), stdout, &t->err);
}

static int freeze(struct bpf_task *t, struct opened *o)
{
	return change(t, kbpf_map_freeze(o->fd), "freeze", o);
}

static int with_map(struct bpf_task *t, int (*work)(struct bpf_task *t, struct opened *o))
{
	auto_close int fd = inspect_open(KBPF_MAP, &t->words, &t->err);
	struct opened o = { .fd = fd };

	if (fd < 0)
		return fd;
	int err = typed_map_init(&o.m, fd);
	if (err) {
		err_set(&t->err, err, "ask about a map");
	} else {
		o.key = xcalloc(1, o.m.info.key_size + 8u);
		o.value = xcalloc(1, o.m.value_bytes + 8u);
		o.stride = (o.m.info.value_size + 7u) & ~(size_t)7;
		err = work(t, &o);
	}
	if (!err && t->words.n)
		err = err_set(&t->err, -EINVAL, "'%s' is one word too many", t->words.words[0]);
	free(o.key);
	free(o.value);
	typed_map_fini(&o.m);
	return err;
}

static int map_dump(struct bpf_task *t)
{
	return with_map(t, dump);
}

static int map_lookup(struct bpf_task *t)
{
	return with_map(t, lookup);
}

static int map_update(struct bpf_task *t)
{
	return with_map(t, update);
}

static int map_delete(struct bpf_task *t)
{
	return with_map(t, delete);
}

static int map_getnext(struct bpf_task *t)
{
	return with_map(t, getnext);
}

static int map_push(struct bpf_task *t)
{
	return with_map(t, push);
}

static int map_peek(struct bpf_task *t)
{
	return with_map(t, peek);
}

static int map_pop(struct bpf_task *t)
{
	return with_map(t, pop);
}

static int map_freeze(struct bpf_task *t)
{
	return with_map(t, freeze);
}

static int map_event_pipe(struct bpf_task *t)
{
	err_set(&t->err, -EINVAL, "event_pipe is not there");
	return err_hint(&t->err,
			"scry run OBJECT shows the records of its ring and perf buffers");
}

/* --- a new map --- */

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
		       "'%s' is none of type, key, value, entries, name, flags", what);
}

static int map_create(struct bpf_task *t)
{
	struct kbpf_map m = { .name = "" };
	const char *path = t->words.n ? bpf_next_word(t) : NULL;

	if (!path)
		return err_set(&t->err, -EINVAL, "the path to pin it at is missing");
	while (t->words.n)
		if (take_pair(t, &m))
			return t->err.code;
	if (!m.type)
		return err_set(&t->err, -EINVAL, "the type of the map is missing");
	auto_close int fd = kbpf_map_create(&m);
	int err = fd < 0 ? fd : kbpf_pin(fd, path);
	if (fd < 0)
		return err_set(&t->err, err, "create a map of type %s",
			       inspect_map_type(m.type));
	if (!err)
		return 0;
	err_set(&t->err, err, "pin at %s", path);
	return err_hint(&t->err, "the path must be new, and in a bpf file system");
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
		{ "lookup", map_lookup },
		{ "update", map_update },
		{ "delete", map_delete },
		{ "pin", map_pin },
		{ "getnext", map_getnext },
		{ "push", map_push },
		{ "enqueue", map_push },
		{ "peek", map_peek },
		{ "pop", map_pop },
		{ "dequeue", map_pop },
		{ "freeze", map_freeze },
		{ "create", map_create },
		{ "event_pipe", map_event_pipe },
		{ 0 },
	};

	return bpf_command(argc, argv, VERBS, USAGE);
}
