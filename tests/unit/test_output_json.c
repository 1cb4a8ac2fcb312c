#include "base/arena.h"
#include "output_values.h"

#include <math.h>

/* --- a validator: one line of JSON (RFC 8259), in UTF-8 --- */

struct reader {
	const unsigned char *at, *end;
};

static bool read_char(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

static bool read_word(struct reader *r, const char *word)
{
	while (*word)
		if (!read_char(r, *word++))
			return false;
	return true;
}

static void skip_spaces(struct reader *r)
{
	while (read_char(r, ' '))
		;
}

/* One code point, decoded and checked independently of the encoder's tables. */
static bool read_utf8(struct reader *r)
{
	unsigned lead = *r->at++;
	int more = lead < 0x80	     ? 0
		   : lead >> 5 == 6  ? 1
		   : lead >> 4 == 14 ? 2
		   : lead >> 3 == 30 ? 3
				     : -1;
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

	if (more < 0 || r->end - r->at < more)
		return false;
	uint32_t cp = more ? lead & (0x3fu >> more) : lead;
	for (int i = 0; i < more; i++) {
		if (*r->at >> 6 != 2)
			return false;
		cp = cp << 6 | (*r->at++ & 0x3f);
	}
	return cp >= least[more] && cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

static bool read_escape(struct reader *r)
{
	if (r->at == r->end || !strchr("\"\\/bfnrtu", *r->at))
		return false;
	if (*r->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, r->at++)
		if (r->at == r->end || !strchr("0123456789abcdefABCDEF", *r->at) || !*r->at)
			return false;
	return true;
}

static bool read_string(struct reader *r)
{
	if (!read_char(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		if (*r->at < 0x20)
			return false;
		if (read_char(r, '\\') ? !read_escape(r) : !read_utf8(r))
			return false;
	}
	return read_char(r, '"');
}

static bool read_digits(struct reader *r)
{
	const unsigned char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > start;
}

static bool read_number(struct reader *r)
{
	read_char(r, '-');
	if (!read_char(r, '0') && !read_digits(r))
		return false;
	if (read_char(r, '.') && !read_digits(r))
		return false;
	if (!read_char(r, 'e') && !read_char(r, 'E'))
		return true;
	if (!read_char(r, '+'))
		read_char(r, '-');
	return read_digits(r);
}

static bool read_value(struct reader *r);

static bool read_members(struct reader *r, char close, bool named)
{
	skip_spaces(r);
	if (read_char(r, close))
		return true;
	do {
		skip_spaces(r);
		if (named && (!read_string(r) || !read_char(r, ':')))
			return false;
		skip_spaces(r);
		if (!read_value(r))
			return false;
	} while (read_char(r, ','));
	return read_char(r, close);
}

static bool read_value(struct reader *r)
{
	if (r->at == r->end)
		return false;
	switch (*r->at) {
	case '{': return r->at++, read_members(r, '}', true);
	case '[': return r->at++, read_members(r, ']', false);
	case '"': return read_string(r);
	case 't': return read_word(r, "true");
	case 'f': return read_word(r, "false");
	case 'n': return read_word(r, "null");
	default: return read_number(r);
	}
}

static bool is_json_line(const char *text, size_t len)
{
	struct reader r = { (const unsigned char *)text, (const unsigned char *)text + len };

	return len && *text == '{' && read_value(&r) && read_char(&r, '\n') && r.at == r.end;
}

static void the_validator_tells_good_from_bad(void **state)
{
	static const char *const good[] = { "{}\n",
					    "{\"a\": [1,-2.5e+7,\"\\u00ff\xc3\xbf\",null]}\n" };
	static const char *const bad[] = { "{}",
					   "{\"a\": 01}\n",
					   "{\"a\"}\n",
					   "{\"a\": \"\xff\"}\n",
					   "{\"a\": \"\n\"}\n",
					   "{\"a\": [1,]}\n",
					   "{\"a\": \"\\x\"}\n",
					   "{\"a\": \"\xc0\x80\"}\n" };
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(is_json_line(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(is_json_line(bad[i], strlen(bad[i])));
}

/* --- the lines --- */

static const struct sink *json(void)
{
	return sink_find("json");
}

static void check_value(const struct value *v, const char *data)
{
	auto_sb struct sb line = {};

	sb_printf(&line, "{\"type\": \"value\", \"data\": %s}\n", data);
	assert_writes(sb_str(&line), json()->value(out, v));
}
#define assert_data(v, data) check_value(&(v), (data))

static void notices_are_data(void **state)
{
	(void)state;
	assert_false(json()->notices_apart);
	assert_writes(
		"{\"type\": \"attached_probes\", \"count\": 3, \"data\": {\"probes\": 3}}\n",
		json()->attached(out, 3));
	assert_writes("{\"type\": \"lost_events\", \"count\": 5, \"data\": {\"events\": 5}}\n",
		      json()->lost(out, 5));
	assert_writes("", json()->end(out));
}

static void texts_are_strings(void **state)
{
	(void)state;
	assert_writes("{\"type\": \"printf\", \"data\": \"hi 5\\n\"}\n",
		      json()->text(out, TEXT_PRINTF, "hi 5\n", 5));
	assert_writes("{\"type\": \"time\", \"data\": \"18:00:01\\n\"}\n",
		      json()->text(out, TEXT_TIME, "18:00:01\n", 9));
	assert_writes("{\"type\": \"cat\", \"data\": \"Linux\\n\"}\n",
		      json()->text(out, TEXT_CAT, "Linux\n", 6));
	assert_writes("{\"type\": \"join\", \"data\": \"ls -l\"}\n",
		      json()->text(out, TEXT_JOIN, "ls -l", 5));
	assert_writes("{\"type\": \"syscall\", \"data\": \"hi\\n\"}\n",
		      json()->text(out, TEXT_SYSTEM, "hi\n", 3));
}

static void values_keep_their_type(void **state)
{
	static const char *const x[] = { "x" };
	struct value record = VITEMS(V_RECORD, VINT(3));
	struct value stack = VITEMS(V_STACK, VTEXT("f+1"), VTEXT("g+2"));
	record.names = x;
	stack.indent = 8;
	(void)state;

	assert_data(VTUPLE(VINT(1), VSTR("two"), record), "[1,\"two\",{\"x\": 3}]");
	assert_data(VBOOL(1), "true");
	assert_data(VBOOL(0), "false");
	assert_data(V(V_NONE), "null");
	assert_data(VPTR(5), "5");
	assert_data(V(V_ENUM, .i = 10, .text = "TCP_LISTEN"), "10");
	assert_data(VBUF("a\n\xff"), "[97,10,-1]");
	assert_data(VITEMS(V_ARRAY, VINT(1), VINT(2)), "[1,2]");
	assert_data(stack, "\"\\n        f+1\\n        g+2\\n\"");
	assert_data(V(V_STRING, .text = "ab", .len = 2, .truncated = true), "\"ab..\"");
	assert_data(V(V_FLOAT, .f = 0.5), "0.5");
	assert_data(V(V_FLOAT, .f = INFINITY), "\"inf\"");
}

static void integers_that_a_double_cannot_hold_are_strings(void **state)
{
	(void)state;
	assert_data(VINT(1LL << 53), "9007199254740992");
	assert_data(VINT((1LL << 53) + 1), "\"9007199254740993\"");
	assert_data(VINT(-(1LL << 53) - 1), "\"-9007199254740993\"");
	assert_data(VINT((1LL << 53) + 2), "9007199254740994");
	assert_data(VINT(INT64_MIN), "-9223372036854775808");
	assert_data(VINT(INT64_MAX), "\"9223372036854775807\"");
	assert_data(VUINT(UINT64_MAX), "\"18446744073709551615\"");
}

static void strings_are_escaped(void **state)
{
	(void)state;
	assert_data(VSTR("\"\\\n\r\t\x01\x1f\b\x7f"),
		    "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u0008\x7f\"");
	assert_data(VSTR("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
		    "\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
	assert_data(VSTR("\xff\xc3 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82"),
		    "\"\\u00ff\\u00c3 \\u00c0\\u0080 \\u00ed\\u00a0\\u0080 "
		    "\\u00f4\\u0090\\u0080\\u0080 \\u00e2\\u0082\"");
	assert_data(V(V_STRING, .text = "a\0b", .len = 3), "\"a\\u0000b\"");
}

static void maps_are_objects_by_key(void **state)
{
	const struct map_entry scalar[] = { { NULL, VINT(5) } };
	const struct map_entry keyed[] = { { &VTUPLE(VSTR("bash"), VUINT(12)), VINT(7) },
					   { &VTUPLE(VSTR("cat"), VUINT(3)), VINT(9) } };
	const struct map_entry spaced[] = {
		{ &VTUPLE(VSTR("a b"), VTUPLE(VINT(1), VSTR("x"))), VSTR("a b") },
		{ &VPTR(7), VTUPLE(VINT(1), VSTR("a")) },
	};
	(void)state;

	assert_writes("{\"type\": \"map\", \"data\": {\"@s\": 5}}\n",
		      json()->map(out, MAP(MAP_PLAIN, "@s", false, scalar)));
	assert_writes(
		"{\"type\": \"map\", \"data\": {\"@m\": {\"bash,12\": 7, \"cat,3\": 9}}}\n",
		json()->map(out, MAP(MAP_PLAIN, "@m", true, keyed)));
	assert_writes("{\"type\": \"map\", \"data\": {\"@m\": "
		      "{\"ab,(1,x)\": \"a b\", \"0x7\": [1,\"a\"]}}}\n",
		      json()->map(out, MAP(MAP_PLAIN, "@m", true, spaced)));
}

static void stats_are_objects(void **state)
{
	const struct map_entry keyed[] = { { &VSTR("k"), VSTATS(2, 6) } };
	const struct map_entry avg[] = { { &VTUPLE(VSTR("b"), VINT(1)), VINT(4) } };
	(void)state;

	assert_writes("{\"type\": \"stats\", \"data\": {\"@s\": "
		      "{\"k\": {\"count\": 2, \"average\": 3, \"total\": 6}}}}\n",
		      json()->map(out, MAP(MAP_STATS, "@s", true, keyed)));
	assert_writes("{\"type\": \"stats\", \"data\": {\"@a\": {\"b,1\": 4}}}\n",
		      json()->map(out, MAP(MAP_STATS, "@a", true, avg)));
}

static void histograms_are_arrays_of_buckets(void **state)
{
	static const struct value_bucket b[] = { BUCKET_BELOW(0, 1), BUCKET(0, 1, 4),
						 BUCKET(2, 4, 9) };
	static const struct value_bucket above[] = { BUCKET_ABOVE(15, 1) };
	static const struct value_bucket last[] = { BUCKET(1LL << 62, INT64_MIN, 1) };
	const struct map_entry scalar[] = { { NULL, VHIST(b, .log2 = true) } };
	const struct map_entry keyed[] = { { &VSTR("a"), VHIST(above, .hist_step = 5) },
					   { &VSTR("b"), VHIST(last, .log2 = true) } };
	(void)state;

	assert_writes("{\"type\": \"hist\", \"data\": {\"@h\": [{\"max\": -1, \"count\": 1},"
		      "{\"min\": 0, \"max\": 0, \"count\": 4},"
		      "{\"min\": 2, \"max\": 3, \"count\": 9}]}}\n",
		      json()->map(out, MAP(MAP_HIST, "@h", false, scalar)));
	assert_writes("{\"type\": \"hist\", \"data\": {\"@h\": {"
		      "\"a\": [{\"min\": 15, \"count\": 1}], "
		      "\"b\": [{\"min\": 4611686018427387904, "
		      "\"max\": \"9223372036854775807\", \"count\": 1}]}}}\n",
		      json()->map(out, MAP(MAP_HIST, "@h", true, keyed)));
}

static void empty_maps_are_silent_except_a_single_histogram(void **state)
{
	struct map_view m = { .name = "@h" };
	(void)state;

	assert_writes("", json()->map(out, &m));
	m.kind = MAP_HIST;
	assert_writes("{\"type\": \"hist\", \"data\": {\"@h\": []}}\n", json()->map(out, &m));
	m.keyed = true;
	assert_writes("", json()->map(out, &m));
}

static void problems_carry_their_place(void **state)
{
	struct runtime_problem p = { .msg = "say \"no\"",
				     .helper = "map_update_elem",
				     .retcode = -7,
				     .filename = "stdin",
				     .line = 1,
				     .col = 9,
				     .end_col = 12 };
	(void)state;

	assert_writes("{\"type\": \"helper_error\", \"msg\": \"say \\\"no\\\"\", "
		      "\"helper\": \"map_update_elem\", \"retcode\": -7, "
		      "\"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n",
		      json()->problem(out, &p));
	p.helper = NULL;
	assert_writes("{\"type\": \"runtime_error\", \"msg\": \"say \\\"no\\\"\", "
		      "\"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n",
		      json()->problem(out, &p));
	assert_writes("{\"type\": \"errorf\", \"msg\": \"say \\\"no\\\"\", "
		      "\"filename\": \"stdin\", \"line\": 1, \"col\": 9}\n",
		      json()->message(out, true, &p));
	p.filename = NULL;
	assert_writes("{\"type\": \"warnf\", \"msg\": \"say \\\"no\\\"\"}\n",
		      json()->message(out, false, &p));
}

/* --- random trees --- */

struct grower {
	struct arena arena;
	uint64_t seed;
};

static uint64_t next_random(struct grower *g)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return g->seed;
}

static char *random_bytes(struct grower *g, size_t len)
{
	char *s = arena_alloc(&g->arena, len + 1);

	/* Every fourth byte is anything but NUL, the others favour what UTF-8 is made of. */
	for (size_t i = 0; i < len; i++) {
		uint64_t r = next_random(g);
		static const unsigned char likely[] = { 'a',  ' ',  '"',  '\\', '(',  0xc3,
							0xa9, 0xe2, 0x82, 0xac, 0xed, 0xa0,
							0xf0, 0x9f, 0x80, 0xf4 };

		s[i] = (char)(r % 4 ? likely[r >> 8 & 15] : 1 + (r >> 8) % 255);
	}
	return s;
}

static void grow(struct grower *g, struct value *v, int depth);

static void grow_items(struct grower *g, struct value *v, int depth)
{
	size_t n = next_random(g) % 4;
	struct value *items = arena_array(&g->arena, struct value, n);
	const char **names = arena_array(&g->arena, const char *, n);

	for (size_t i = 0; i < n; i++) {
		names[i] = random_bytes(g, next_random(g) % 5);
		grow(g, &items[i], depth - 1);
	}
	v->items = items;
	v->names = names;
	v->nitems = n;
}

static void grow_buckets(struct grower *g, struct value *v)
{
	size_t n = next_random(g) % 5;
	struct value_bucket *buckets = arena_array(&g->arena, struct value_bucket, n);

	for (size_t i = 0; i < n; i++) {
		uint64_t r = next_random(g);

		buckets[i] = (struct value_bucket){
			.has_lo = r & 1,
			.has_hi = r & 2,
			.lo = (int64_t)next_random(g) | INT64_MIN >> (r >> 8 & 63),
			.hi = (int64_t)(next_random(g) >> (r >> 16 & 63)),
			.n = next_random(g) >> (r >> 24 & 63)
		};
		if (!v->log2 && buckets[i].hi == INT64_MIN)
			buckets[i].hi = 0;
	}
	v->log2 = next_random(g) & 1;
	v->hist_step = (int64_t)(next_random(g) % 3000);
	v->hist_bits = (int)(next_random(g) % 6);
	v->buckets = buckets;
	v->nitems = n;
}

static void grow(struct grower *g, struct value *v, int depth)
{
	static const enum value_kind inner[] = { V_TUPLE, V_ARRAY, V_RECORD };
	uint64_t r = next_random(g);

	*v = (struct value){ .kind = (enum value_kind)(r % (V_HIST + 1)), .u = next_random(g) };
	if (depth > 3)
		v->kind = inner[r % 3];
	v->u >>= r >> 32 & 63;
	v->len = r >> 8 & 15;
	v->text = random_bytes(g, v->len);
	v->truncated = r >> 16 & 1;
	v->is_signed = r >> 17 & 1;
	v->n = next_random(g) >> (r >> 20 & 63);
	v->total = (int64_t)next_random(g);
	v->indent = (int)(r >> 40 & 15);
	v->div = r >> 50 & 3;

	if (v->kind == V_HIST)
		grow_buckets(g, v);
	else if (v->kind >= V_STACK && depth > 0)
		grow_items(g, v, depth);
}

static void check_random_line(struct grower *g)
{
	char *line = NULL;
	size_t len = 0;
	struct value key;
	struct map_entry entries[3];
	struct map_view m = { .name = "@m", .keyed = next_random(g) & 1, .nentries = 1 };

	m.entry = map_array_entry;
	m.arg = entries;
	m.kind = (next_random(g) & 1) ? MAP_PLAIN : MAP_HIST;
	m.nentries += m.keyed ? next_random(g) % 3 : 0;
	grow(g, &key, 4);
	for (size_t i = 0; i < m.nentries; i++) {
		entries[i].key = m.keyed ? &key : NULL;
		grow(g, &entries[i].value, 4);
	}

	FILE *out = open_memstream(&line, &len);
	json()->map(out, &m);
	fclose(out);
	if (!is_json_line(line, len))
		fail_msg("not JSON: %s", line);
	free(line);

	out = open_memstream(&line, &len);
	sink_find("text")->map(out, &m);
	fclose(out);
	assert_true(len > 0 && line[len - 1] == '\n');
	free(line);
}

static void any_tree_is_valid_json(void **state)
{
	struct grower g = { .seed = 88172645463325252ull };
	(void)state;

	for (int i = 0; i < 5000; i++) {
		check_random_line(&g);
		arena_free(&g.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_validator_tells_good_from_bad),
		cmocka_unit_test(notices_are_data),
		cmocka_unit_test(texts_are_strings),
		cmocka_unit_test(values_keep_their_type),
		cmocka_unit_test(integers_that_a_double_cannot_hold_are_strings),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(maps_are_objects_by_key),
		cmocka_unit_test(stats_are_objects),
		cmocka_unit_test(histograms_are_arrays_of_buckets),
		cmocka_unit_test(empty_maps_are_silent_except_a_single_histogram),
		cmocka_unit_test(problems_carry_their_place),
		cmocka_unit_test(any_tree_is_valid_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
