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
	"       scry map update MAP KEY VALUE\n"
	"       scry map delete MAP KEY\n"
	"       scry map pin MAP PATH\n"
	"MAP: id N, or pinned PATH\n"
	"KEY, VALUE: by the map's BTF: 12, -1, NAME of an enum, '\"text\"', '{1, {2, 3}}';\n"
	"            'hex 01 02 ...' for any, and without BTF\n";

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

static int parse_key(struct bpf_task *t, struct opened *o)
{
	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the key is missing");
	t->words.n--;
	return typed_parse(&o->m.t, o->m.key, *t->words.words++, o->key, o->m.info.key_size,
			   &t->err);
}

/* A per-CPU map gets the same value on each. */
static int parse_value(struct bpf_task *t, struct opened *o)
{
	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the value is missing");
	t->words.n--;
	int err = typed_parse(&o->m.t, o->m.value, *t->words.words++, o->value,
			      o->m.info.value_size, &t->err);
	for (size_t at = o->stride; !err && o->m.is_percpu && at < o->m.value_bytes;
	     at += o->stride)
		memcpy(o->value + at, o->value, o->m.info.value_size);
	return err;
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

static int lookup(struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	return err ? err
		   : typed_map_show_entry(&o->m, o->key, sink_find(t->json ? "json" : "text"),
					  stdout, &t->err);
}

static int update(struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	if (!err)
		err = parse_value(t, o);
	return err ? err
		   : change(t, kbpf_map_update(o->fd, o->key, o->value, BPF_ANY), "update", o);
}

static int delete (struct bpf_task *t, struct opened *o)
{
	int err = parse_key(t, o);

	return err ? err : change(t, kbpf_map_delete(o->fd, o->key), "delete from", o);
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

static int map_pin(struct bpf_task *t)
{
	return bpf_pin(t, KBPF_MAP);
}

int cmd_map(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", map_show },	  { "list", map_show },
		{ "dump", map_dump },	  { "lookup", map_lookup },
		{ "update", map_update }, { "delete", map_delete },
		{ "pin", map_pin },	  { 0 },
	};

	return bpf_command(argc, argv, VERBS, USAGE);
}
