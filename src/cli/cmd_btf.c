#include "base/auto.h"
#include "cli/cmd_bpf.h"
#include "cli/facts.h"
#include "kernel/bpf.h"
#include "object/btf_text.h"
#include "types/btf_list.h"

#include <errno.h>
#include <string.h>

/* --- show --- */

struct btf_users {
	uint32_t btf_id;
	VEC(uint32_t) ids;
};

static int use_if_map(struct btf_users *u, int fd)
{
	struct bpf_map_info info;
	int err = kbpf_map_info(fd, &info);

	if (!err && info.btf_id == u->btf_id)
		vec_push(NULL, &u->ids, info.id);
	return err;
}

static int use_if_prog(struct btf_users *u, int fd)
{
	struct bpf_prog_info info;
	int err = kbpf_prog_info(fd, &info);

	if (!err && info.btf_id == u->btf_id)
		vec_push(NULL, &u->ids, info.id);
	return err;
}

/* The programs or maps that have a BTF object's types; none where they may not be listed. */
static void put_users(struct facts *f, const char *name, const char *before,
		      enum kbpf_object what, uint32_t btf_id)
{
	struct btf_users u = { .btf_id = btf_id };
	uint32_t id = 0;

	while (btf_id && !kbpf_next_id(what, &id)) {
		auto_close int fd = kbpf_open_id(what, id);

		if (fd >= 0)
			what == KBPF_MAP ? use_if_map(&u, fd) : use_if_prog(&u, fd);
	}
	if (u.ids.len) {
		facts_numbers(f, name, before, u.ids.data, (uint32_t)u.ids.len);
	} else {
		facts_list(f, name);
		facts_close(f);
	}
	vec_free(&u.ids);
}

static int show_btf(struct bpf_task *t, int fd, void *arg)
{
	char name[64] = "";
	struct bpf_btf_info info = { .name = (uint64_t)(uintptr_t)name,
				     .name_len = sizeof(name) };
	struct facts *f = &t->facts;
	int err = kbpf_info(fd, &info, sizeof(info));

	(void)arg;
	if (err)
		return err_set(&t->err, err, "ask about a BTF object");
	facts_object(f, NULL);
	facts_number(f, "id", "", info.id, ": ");
	facts_say(f, info.kernel_btf ? "name [%s]  " : "name %s  ", *name ? name : "<anon>");
	facts_number(f, "size", "size ", info.btf_size, "B");
	put_users(f, "prog_ids", "  prog_ids ", KBPF_PROG, info.id);
	put_users(f, "map_ids", "  map_ids ", KBPF_MAP, info.id);
	bpf_put_processes(t, KBPF_BTF, info.id);
	facts_bool(f, "kernel", NULL, info.kernel_btf);
	if (*name)
		facts_text(f, "name", NULL, name, "");
	facts_say(f, "\n");
	facts_close(f);
	return 0;
}

static int btf_show(struct bpf_task *t)
{
	return bpf_show_list(t, KBPF_BTF, show_btf);
}

/* --- dump --- */

struct btf_task {
	struct btf_bytes bytes;
	uint32_t ids[2]; /* the types that are wanted; none: all */
	unsigned nids;
	bool as_c;
};

/* BTF with that id, of a program or map that has such. */
static int bytes_of_id(struct bpf_task *t, struct btf_task *b, uint32_t id, const char *whose)
{
	if (!id)
		return err_set(&t->err, -ENOENT, "the %s has no BTF", whose);
	auto_close int fd = kbpf_open_id(KBPF_BTF, id);
	if (fd < 0)
		return err_set(&t->err, fd, "open BTF %u", id);
	return btf_bytes_of_object(&b->bytes, fd, &t->err);
}

static int bytes_of_prog(struct bpf_task *t, struct btf_task *b)
{
	auto_close int fd = inspect_open(KBPF_PROG, &t->words, &t->err);
	struct bpf_prog_info info;
	int err = fd < 0 ? fd : kbpf_prog_info(fd, &info);

	if (fd < 0)
		return fd;
	return err ? err_set(&t->err, err, "ask about a program")
		   : bytes_of_id(t, b, info.btf_id, "program");
}

static int bytes_of_map(struct bpf_task *t, struct btf_task *b)
{
	auto_close int fd = inspect_open(KBPF_MAP, &t->words, &t->err);
	struct bpf_map_info info;
	int err = fd < 0 ? fd : kbpf_map_info(fd, &info);

	if (fd < 0)
		return fd;
	if (err)
		return err_set(&t->err, err, "ask about a map");
	if (!bpf_next_is(t, "all")) {
		bool key = bpf_next_is(t, "key"), value = bpf_next_is(t, "value"),
		     both = !key && !value;

		bpf_next_is(t, "kv");
		if ((key || both) && info.btf_key_type_id)
			b->ids[b->nids++] = info.btf_key_type_id;
		if ((value || both) && info.btf_value_type_id)
			b->ids[b->nids++] = info.btf_value_type_id;
		if (!b->nids && info.btf_id)
			return err_set(&t->err, -ENOENT,
				       "the map's BTF does not tell that type");
	}
	return bytes_of_id(t, b, info.btf_id, "map");
}

static int bytes_of_object(struct bpf_task *t, struct btf_task *b)
{
	auto_close int fd = inspect_open(KBPF_BTF, &t->words, &t->err);

	return fd < 0 ? fd : btf_bytes_of_object(&b->bytes, fd, &t->err);
}

static int find_bytes(struct bpf_task *t, struct btf_task *b)
{
	if (bpf_next_is(t, "prog"))
		return bytes_of_prog(t, b);
	if (bpf_next_is(t, "map"))
		return bytes_of_map(t, b);
	if (!bpf_next_is(t, "file"))
		return bytes_of_object(t, b);
	const char *path = bpf_next_word(t);
	const char *base = bpf_next_is(t, "base") ? bpf_next_word(t) : t->base_btf;
	return btf_bytes_of_file(&b->bytes, path, base, &t->err);
}

static int take_format(struct bpf_task *t, struct btf_task *b)
{
	if (bpf_next_is(t, "format")) {
		const char *format = bpf_next_word(t);

		b->as_c = !strcmp(format, "c");
		if (!b->as_c && strcmp(format, "raw") != 0)
			return err_set(&t->err, -EINVAL, "format: '%s' is none of raw, c",
				       format);
	}
	if (bpf_end_of_words(t))
		return t->err.code;
	if (b->as_c && t->json)
		return err_set(&t->err, -EINVAL,
			       "C is no JSON: -j and format c exclude each other");
	return 0;
}

static void list_one(struct bpf_task *t, const struct btf *btf, uint32_t id)
{
	auto_sb struct sb text = {};

	btf_list(btf, id, &text, t->json ? &t->facts.w : NULL);
	fputs(sb_str(&text), stdout);
}

static void list_types(struct bpf_task *t, const struct btf *btf, const struct btf_task *b)
{
	facts_object(&t->facts, NULL);
	facts_list(&t->facts, "types");
	for (unsigned i = 0; i < b->nids; i++)
		list_one(t, btf, b->ids[i]);
	for (uint32_t id = btf_first_id(btf); !b->nids && id < btf_ntypes(btf); id++)
		list_one(t, btf, id);
	facts_close(&t->facts);
	facts_close(&t->facts);
}

/* Read here in any case: what libbpf does not check is checked then. */
static int write_types(struct bpf_task *t, struct btf_task *b)
{
	struct btf *base = NULL, *own = NULL;

	if (b->bytes.base.len)
		base = btf_from_bytes(b->bytes.base.s, b->bytes.base.len, NULL, &t->err);
	if (!t->err.code)
		own = btf_from_bytes(b->bytes.own.s, b->bytes.own.len, base, &t->err);
	if (!t->err.code && b->as_c)
		btf_write_c(&b->bytes, b->ids, b->nids, stdout, &t->err);
	else if (!t->err.code)
		list_types(t, own, b);
	btf_free(own);
	btf_free(base);
	return t->err.code;
}

static int btf_dump(struct bpf_task *t)
{
	struct btf_task b = {};
	int err = find_bytes(t, &b);

	if (!err)
		err = take_format(t, &b);
	if (!err)
		err = write_types(t, &b);
	btf_bytes_fini(&b.bytes);
	return err;
}

static const char USAGE[] =
	"usage: scry btf [{show|list} [id N]] [-j|-p]\n"
	"       scry btf dump SOURCE [format {raw|c}] [-B FILE] [-j|-p]   its types\n"
	"SOURCE: id N, prog PROG, map MAP [key|value|kv|all], file FILE [base FILE]\n"
	"PROG, MAP: id N, or pinned PATH\n";

int cmd_btf(int argc, char **argv)
{
	static const struct bpf_verb VERBS[] = {
		{ "show", btf_show }, { "list", btf_show }, { "dump", btf_dump }, { 0 }
	};

	return bpf_command(argc, argv, VERBS, USAGE);
}
