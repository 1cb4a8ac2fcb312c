/*
 * scry prog load, loadall: the programs of an object file, pinned.  attach, detach: to maps of
 * sockets, and of the flow dissector.
 */
#include "base/auto.h"
#include "base/vec.h"
#include "cli/cmd_prog.h"
#include "object/object.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>

struct load {
	const char *file, *path, *type, *maps; /* maps: where they are pinned, or NULL */
	bool all, autoattach;
	struct object o;
};

/* "map idx 0 pinned PATH", "map name m id 5": the object's map is to be that one. */
static int take_map(struct bpf_task *t, struct load *l)
{
	bool by_index = bpf_next_is(t, "idx");
	struct bpf_map *m = NULL;

	if (!by_index && !bpf_next_is(t, "name"))
		return err_set(&t->err, -EINVAL, "map: idx N or name NAME is missing");
	const char *word = bpf_next_word(t);
	if (!by_index)
		m = bpf_object__find_map_by_name(l->o.bpf, word);
	for (unsigned long i = by_index ? strtoul(word, NULL, 0) + 1 : 0; i; i--)
		if (!(m = bpf_object__next_map(l->o.bpf, m)))
			break;
	if (!m)
		return err_set(&t->err, -EINVAL, "%s has no map '%s'", l->file, word);
	auto_close int fd = inspect_open(KBPF_MAP, &t->words, &t->err);
	if (fd < 0)
		return fd;
	int err = bpf_map__reuse_fd(m, fd);
	return err ? err_set(&t->err, err, "give the map '%s' to the program", word) : 0;
}

static int take_type(struct bpf_task *t, struct load *l)
{
	enum bpf_attach_type attach;
	enum bpf_prog_type type;
	struct bpf_program *p;
	auto_sb struct sb section = {};

	/* A section's name: some types have more behind a '/'. */
	l->type = bpf_next_word(t);
	sb_printf(&section, "%s/", l->type);
	if (libbpf_prog_type_by_name(sb_str(&section), &type, &attach) &&
	    libbpf_prog_type_by_name(l->type, &type, &attach))
		return err_set(&t->err, -EINVAL, "there is no type of program '%s'", l->type);
	bpf_object__for_each_program(p, l->o.bpf)
	{
		bpf_program__set_type(p, type);
		bpf_program__set_expected_attach_type(p, attach);
	}
	return 0;
}

static int take_words(struct bpf_task *t, struct load *l)
{
	while (t->words.n) {
		if (bpf_next_is(t, "type")) {
			if (take_type(t, l))
				return t->err.code;
		} else if (bpf_next_is(t, "map")) {
			if (take_map(t, l))
				return t->err.code;
		} else if (bpf_next_is(t, "pinmaps") && t->words.n) {
			l->maps = bpf_next_word(t);
		} else if (bpf_next_is(t, "autoattach")) {
			l->autoattach = true;
		} else {
			err_set(&t->err, -EINVAL, "load: '%s' is not known here",
				bpf_next_word(t));
			return err_hint(&t->err, "there are type TYPE, map {idx N|name NAME} "
						 "MAP, pinmaps FOLDER, autoattach");
		}
	}
	return 0;
}

static int pin_below(struct bpf_task *t, const char *folder, const char *name, int fd)
{
	char path[PATH_MAX];

	mkdir(folder, 0700);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	/* bpf file systems have no dots in names. */
	for (char *c = path + strlen(folder) + 1; *c; c++)
		*c = *c == '.' ? '_' : *c;
	return bpf_pin_at(t, fd, path);
}

/* The program, or what it is attached by. */
static int pin_program(struct bpf_task *t, const struct load *l, const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);
	int fd = bpf_program__fd(p), err;

	if (l->autoattach) {
		struct bpf_link *link = bpf_program__attach(p);

		if (!link)
			return err_set(&t->err, -errno, "attach %s", name);
		err = l->all ? pin_below(t, l->path, name, bpf_link__fd(link))
			     : bpf_pin_at(t, bpf_link__fd(link), l->path);
		bpf_link__disconnect(link);
		bpf_link__destroy(link);
		return err;
	}
	return l->all ? pin_below(t, l->path, name, fd) : bpf_pin_at(t, fd, l->path);
}

static int pin_all(struct bpf_task *t, const struct load *l)
{
	struct bpf_program *p;
	struct bpf_map *m;
	int err = 0;

	bpf_object__for_each_program(p, l->o.bpf)
	{
		err = pin_program(t, l, p);
		if (err || !l->all)
			break;
	}
	for (m = NULL; !err && l->maps && (m = bpf_object__next_map(l->o.bpf, m));)
		err = pin_below(t, l->maps, bpf_map__name(m), bpf_map__fd(m));
	return err;
}

/* What was pinned before a failure goes again. */
static void unpin_all(const struct load *l)
{
	struct bpf_program *p;
	char path[PATH_MAX];

	if (!l->all)
		return;
	bpf_object__for_each_program(p, l->o.bpf)
	{
		snprintf(path, sizeof(path), "%s/%s", l->path, bpf_program__name(p));
		unlink(path);
	}
	rmdir(l->path);
}

static int load(struct bpf_task *t, bool all)
{
	struct load l = { .all = all };

	l.file = bpf_next_word(t);
	if (!t->words.n)
		return err_set(&t->err, -EINVAL, "the object file or the path is missing");
	l.path = bpf_next_word(t);
	int err = object_open(&l.o, l.file, &t->err);
	if (!err)
		err = take_words(t, &l);
	if (!err)
		err = object_load(&l.o, &t->err);
	if (!err && !bpf_object__next_program(l.o.bpf, NULL))
		err = err_set(&t->err, -EINVAL, "%s: there is no program in it", l.file);
	if (!err) {
		err = pin_all(t, &l);
		if (err)
			unpin_all(&l);
	}
	object_close(&l.o);
	return err;
}

int prog_load(struct bpf_task *t)
{
	return load(t, false);
}

int prog_loadall(struct bpf_task *t)
{
	return load(t, true);
}

/* --- attach, detach --- */

static int attach(struct bpf_task *t, bool off)
{
	static const struct {
		const char *name;
		enum bpf_attach_type type;
	} TYPES[] = { { "sk_msg_verdict", BPF_SK_MSG_VERDICT },
		      { "sk_skb_verdict", BPF_SK_SKB_VERDICT },
		      { "sk_skb_stream_verdict", BPF_SK_SKB_STREAM_VERDICT },
		      { "sk_skb_stream_parser", BPF_SK_SKB_STREAM_PARSER },
		      { "flow_dissector", BPF_FLOW_DISSECTOR },
		      /* as older versions of bpftool call them */
		      { "msg_verdict", BPF_SK_MSG_VERDICT },
		      { "skb_verdict", BPF_SK_SKB_VERDICT },
		      { "stream_verdict", BPF_SK_SKB_STREAM_VERDICT },
		      { "stream_parser", BPF_SK_SKB_STREAM_PARSER } };
	enum { NTYPES = sizeof(TYPES) / sizeof(*TYPES) };
	auto_close int prog = inspect_open(KBPF_PROG, &t->words, &t->err);
	size_t i = 0;

	if (prog < 0)
		return prog;
	const char *word = bpf_next_word(t);
	while (i < NTYPES && strcmp(TYPES[i].name, word) != 0)
		i++;
	if (i == NTYPES)
		return err_set(&t->err, -EINVAL,
			       "'%s' is none of sk_msg_verdict, sk_skb_verdict, "
			       "sk_skb_stream_verdict, sk_skb_stream_parser, flow_dissector",
			       word);
	bool is_flow = TYPES[i].type == BPF_FLOW_DISSECTOR;
	auto_close int map = is_flow ? -1 : inspect_open(KBPF_MAP, &t->words, &t->err);
	if (map < 0 && !is_flow)
		return map;
	int err = off ? kbpf_detach(prog, is_flow ? 0 : map, TYPES[i].type)
		      : kbpf_attach(prog, is_flow ? 0 : map, TYPES[i].type, 0);
	return err ? err_set(&t->err, err, off ? "detach the program" : "attach the program")
		   : 0;
}

int prog_attach(struct bpf_task *t)
{
	return attach(t, false);
}

int prog_detach(struct bpf_task *t)
{
	return attach(t, true);
}
