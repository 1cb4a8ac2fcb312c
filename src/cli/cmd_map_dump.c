/*
 * scry map dump, lookup, getnext, peek, pop: what is in a map, in bpftool's forms.
 *
 * With BTF the text is JSON in lines, without the bytes; JSON has the bytes, and with BTF
 * beside them "formatted".
 */
#include "base/arena.h"
#include "base/auto.h"
#include "cli/cmd_map.h"
#include "kernel/bpf.h"
#include "kernel/proc.h"
#include "types/btf_value.h"

#include <errno.h>
#include <string.h>

/* Longer keys and values get lines of their own. */
enum { LINE_BYTES = 16, PAIR_BYTES = 24 };

void map_put_hex(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *before = i % LINE_BYTES == 0 ? i ? "\n" : ""
				     : i % 8 == 0	 ? "  "
							 : " ";

		printf("%s%02x", before, bytes[i]);
	}
}

static void put_bytes(struct jw *w, const char *name, const uint8_t *bytes, size_t n)
{
	jw_list(w, name);
	for (size_t i = 0; i < n; i++)
		jw_raw(w, NULL, "\"0x%02x\"", bytes[i]);
	jw_close(w);
}

/* Is there a type for the values? One of another size is not believed. */
static bool is_typed(const struct opened *o)
{
	const struct bpf_map_info *i = &o->m.info;

	return i->key_size && o->m.t.btf && i->btf_value_type_id &&
	       btf_value_size(o->m.t.btf, i->btf_value_type_id) == i->value_size;
}

/* --- one entry --- */

/* typed: by the map's BTF, else as bytes. */
static void put_value(struct jw *w, const struct opened *o, const uint8_t *value, bool typed,
		      bool plain)
{
	const struct bpf_map_info *i = &o->m.info;

	if (typed)
		btf_value(w, "value", o->m.t.btf, i->btf_value_type_id, value, i->value_size,
			  plain);
	else
		put_bytes(w, "value", value, i->value_size);
}

static void put_values(struct jw *w, const struct opened *o, const uint8_t *value, bool typed,
		       bool plain)
{
	if (!o->m.is_percpu) {
		put_value(w, o, value, typed, plain);
		return;
	}
	jw_list(w, "values");
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		jw_object(w, NULL);
		jw_number(w, "cpu", cpu);
		put_value(w, o, value + cpu * o->stride, typed, plain);
		jw_close(w);
	}
	jw_close(w);
}

static void put_typed(struct jw *w, const struct opened *o, bool plain)
{
	const struct bpf_map_info *i = &o->m.info;

	if (i->btf_key_type_id)
		btf_value(w, "key", o->m.t.btf, i->btf_key_type_id, o->key, i->key_size, plain);
	put_values(w, o, o->value, true, plain);
	jw_close(w);
}

static void put_entry_json(struct jw *w, const struct opened *o)
{
	jw_object(w, NULL);
	put_bytes(w, "key", o->key, o->m.info.key_size);
	put_values(w, o, o->value, false, false);
	if (is_typed(o)) {
		jw_object(w, "formatted");
		put_typed(w, o, false);
	}
	jw_close(w);
}

static void put_entry_bytes(const struct opened *o)
{
	const struct bpf_map_info *i = &o->m.info;
	bool wide = i->key_size > LINE_BYTES || i->value_size > LINE_BYTES;
	const char *name_end = wide || o->m.is_percpu ? "\n" : " ";

	if (i->key_size) {
		printf("key:%s", name_end);
		map_put_hex(o->key, i->key_size);
		bool one_line =
			!o->m.is_percpu && !wide && i->key_size + i->value_size <= PAIR_BYTES;
		fputs(one_line ? "  " : "\n", stdout);
	}
	if (!o->m.is_percpu) {
		printf("value:%s", name_end);
		map_put_hex(o->value, i->value_size);
		putchar('\n');
		return;
	}
	for (unsigned cpu = 0; cpu < cpus_possible(); cpu++) {
		printf("value (CPU %02u):%s", cpu, i->value_size > LINE_BYTES ? "\n" : " ");
		map_put_hex(o->value + cpu * o->stride, i->value_size);
		putchar('\n');
	}
}

/* As text: w is for people; as JSON it is the answer. */
static void put_entry(struct bpf_task *t, struct jw *w, const struct opened *o)
{
	if (t->json) {
		put_entry_json(w, o);
	} else if (is_typed(o)) {
		jw_object(w, NULL);
		put_typed(w, o, true);
	} else {
		put_entry_bytes(o);
	}
}

/* --- dump --- */

/* What cannot be read has the kernel's reason in its place. */
static void put_failure(struct bpf_task *t, struct jw *w, const struct opened *o, int err)
{
	if (t->json) {
		jw_object(w, NULL);
		put_bytes(w, "key", o->key, o->m.info.key_size);
		jw_object(w, "value");
		jw_text(w, "error", strerror(-err));
		jw_close(w);
		jw_close(w);
	} else if (!is_typed(o)) {
		fputs("key:\n", stdout);
		map_put_hex(o->key, o->m.info.key_size);
		printf("\nvalue:\n%s\n", strerror(-err));
	}
}

static int dump_entries(struct bpf_task *t, struct opened *o, struct jw *w)
{
	const void *from = NULL;
	unsigned found = 0;
	int err = 0;

	/* Entries may come and go meanwhile; more than there is room for are not read. */
	for (uint64_t n = 0; n < o->m.info.max_entries; n++) {
		err = kbpf_map_next_key(o->fd, from, o->key);
		if (err)
			break;
		from = o->key;
		int missing = kbpf_map_lookup(o->fd, o->key, o->value);
		if (!missing)
			put_entry(t, w, o);
		else if (missing != -ENOENT)
			put_failure(t, w, o, missing);
		found += !missing;
	}
	if (!t->json && !is_typed(o))
		printf("Found %u element%s\n", found, found == 1 ? "" : "s");
	return err == -ENOENT ? 0 : err;
}

/* Rings, queues and the like have no keys to be walked. In JSON the exit code says it. */
static int explain(struct bpf_task *t, const struct opened *o, int err)
{
	const char *type = inspect_map_type(o->m.info.type);

	if (err == -EINVAL)
		err = -EOPNOTSUPP;
	if (err && !t->json) {
		err_set(&t->err, err, "read map %s, a %s", o->m.info.name, type ? type : "map");
		if (err == -EOPNOTSUPP)
			err_hint(&t->err,
				 "its entries cannot be listed: try peek or event_pipe");
	}
	return err;
}

static int dump(struct bpf_task *t, struct opened *o)
{
	struct jw plain, *w = t->json ? &t->facts.w : &plain;
	bool lines = !t->json && is_typed(o);

	jw_init(&plain, stdout, true);
	if (lines || t->json)
		jw_list(w, t->json && t->facts.w.depth ? "elements" : NULL);
	int err = dump_entries(t, o, w);
	if (lines)
		jw_fini(&plain);
	else if (t->json)
		jw_close(w);
	return explain(t, o, err);
}

/* Of several maps with one name each begins with what it is. */
static int dump_headed(struct bpf_task *t, struct opened *o, bool first)
{
	const struct bpf_map_info *i = &o->m.info;
	const char *type = inspect_map_type(i->type);
	struct facts *f = &t->facts;

	facts_say(f, "%s", first ? "" : "\n");
	facts_object(f, NULL);
	facts_number(f, "id", "", i->id, ": ");
	facts_text(f, "type", "", type ? type : "unknown", "  ");
	facts_text(f, "name", "name ", i->name, "  ");
	facts_number(f, "flags", NULL, i->map_flags, "");
	facts_say(f, "flags 0x%x\n", i->map_flags);
	int err = dump(t, o);
	facts_close(f);
	return err;
}

static int dump_each(struct bpf_task *t, struct inspect_fds *fds)
{
	int err = 0;

	if (fds->len > 1)
		facts_list(&t->facts, NULL);
	for (size_t i = 0; !err && i < fds->len; i++) {
		struct opened o;

		err = map_open(t, &o, fds->data[i]);
		if (!err)
			err = fds->len > 1 ? dump_headed(t, &o, !i) : dump(t, &o);
		map_close(&o);
	}
	if (!err && fds->len > 1)
		facts_close(&t->facts);
	return err;
}

int map_dump(struct bpf_task *t)
{
	struct inspect_fds fds = {};
	int err = inspect_open_all(KBPF_MAP, &t->words, &fds, &t->err);

	if (!err)
		err = bpf_end_of_words(t);
	if (!err)
		err = dump_each(t, &fds);
	inspect_close_all(&fds);
	return err;
}

/* --- one of them --- */

static int show_entry(struct bpf_task *t, struct opened *o)
{
	struct jw plain, *w = t->json ? &t->facts.w : &plain;

	jw_init(&plain, stdout, true);
	put_entry(t, w, o);
	if (plain.any)
		jw_fini(&plain);
	return 0;
}

static int lookup(struct bpf_task *t, struct opened *o)
{
	int err = map_parse_key(t, o);

	if (!err)
		err = bpf_end_of_words(t);
	if (err)
		return err;
	err = kbpf_map_lookup(o->fd, o->key, o->value);
	if (!err)
		return show_entry(t, o);
	if (err != -ENOENT)
		return err_set(&t->err, err, "read map %s", o->m.info.name);
	/* In JSON the answer is null. */
	if (t->json)
		return err;
	fputs("key:\n", stdout);
	map_put_hex(o->key, o->m.info.key_size);
	fputs("\n\nNot found\n", stdout);
	return err_set(&t->err, err, "map %s has no such key", o->m.info.name);
}

/* The key behind a key, or the first one. */
static int getnext(struct bpf_task *t, struct opened *o)
{
	auto_free uint8_t *next = xcalloc(1, o->m.info.key_size + 8u);
	uint32_t size = o->m.info.key_size;
	bool first = !t->words.n;
	int err = first ? 0 : map_parse_key(t, o);

	if (err)
		return err;
	err = kbpf_map_next_key(o->fd, first ? NULL : o->key, next);
	if (err)
		return err_set(&t->err, err,
			       err == -ENOENT ? "map %s has no more keys" : "walk map %s",
			       o->m.info.name);
	if (t->json) {
		jw_object(&t->facts.w, NULL);
		if (first)
			jw_text(&t->facts.w, "key", NULL);
		else
			put_bytes(&t->facts.w, "key", o->key, size);
		put_bytes(&t->facts.w, "next_key", next, size);
		jw_close(&t->facts.w);
		return 0;
	}
	fputs(first ? "key: None" : "key:\n", stdout);
	map_put_hex(o->key, first ? 0 : size);
	fputs("\nnext key:\n", stdout);
	map_put_hex(next, size);
	putchar('\n');
	return 0;
}

static int head(struct bpf_task *t, struct opened *o, bool take)
{
	int err = map_check_keyless(t, o);

	if (err)
		return err;
	err = take ? kbpf_map_take(o->fd, o->value) : kbpf_map_lookup(o->fd, NULL, o->value);
	if (!err)
		return show_entry(t, o);
	if (err == -ENOENT && t->json)
		return err;
	return err_set(&t->err, err, err == -ENOENT ? "map %s is empty" : "read map %s",
		       o->m.info.name);
}

static int peek(struct bpf_task *t, struct opened *o)
{
	return head(t, o, false);
}

static int pop(struct bpf_task *t, struct opened *o)
{
	return head(t, o, true);
}

int map_lookup(struct bpf_task *t)
{
	return map_with(t, lookup);
}

int map_getnext(struct bpf_task *t)
{
	return map_with(t, getnext);
}

int map_peek(struct bpf_task *t)
{
	return map_with(t, peek);
}

int map_pop(struct bpf_task *t)
{
	return map_with(t, pop);
}
