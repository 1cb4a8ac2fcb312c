/*
 * Builtins that look for one text in another, or compare bytes.
 *
 * The search is Shift-And (Baeza-Yates and Gonnet, "A New Approach to Text Searching", 1992): a
 * table says for each byte at which places of the needle it stands, one bit per place; bit i of
 * a running word says whether the last i + 1 bytes read are the first i + 1 of the needle.  A
 * byte costs a load, a shift, an or, an and, and no branch.  That is what the kernel's verifier
 * asks for: it follows each branch of each round of a loop, and gives up after 8,192 of them.
 */
#include "builtin/builtin.h"
#include "builtin/memory.h"
#include "script/match.h"

#include <string.h>

enum {
	CHUNK = 16,	 /* bytes per round */
	NEEDLE_MAX = 64, /* bits of the word */
	TABLE_SIZE = 256 * 8,
};

static bool check_needle(struct unit *u, struct expr *e)
{
	struct expr *needle = e->args[1];
	const char *s;
	size_t len;

	if (!literal_text(u, needle, &s, &len) || len <= NEEDLE_MAX)
		return true;
	return builtin_bad_arg(u, needle,
			       arena_printf(u->c->arena, "%s() looks for at most %d bytes",
					    e->name, NEEDLE_MAX));
}

/* What is looked for: its table and its length. */
struct needle {
	ref table, len;
	ref too_long; /* 0, or says whether it has more than NEEDLE_MAX bytes */
};

/* The table of a literal is made now and comes with the program. */
static void literal_needle(struct unit *u, const struct expr *e, struct needle *n)
{
	struct plan *p = u->c->plan;
	uint64_t *table = arena_array(p->arena, uint64_t, TABLE_SIZE / sizeof(uint64_t));

	for (size_t i = 0; i < e->str.len; i++)
		table[(uint8_t)e->str.s[i]] |= 1ull << i;
	vec_push(p->arena, &p->kmaps,
		 (struct plan_kmap){
			 .name = "needle",
			 .type = BPF_MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = TABLE_SIZE,
			 .max_entries = 1,
			 .init = table,
		 });
	n->table = ir_mapval(&u->b, (uint32_t)p->kmaps.len - 1, 0);
	n->len = ir_const(&u->b, (int64_t)e->str.len);
	n->too_long = 0;
}

/*
 * Notes each byte in a table that was all zeros, then forgets the NULs behind the text. The
 * length is asked from a helper: counted here, the verifier would know 64 lengths and follow
 * the search with each of them.
 */
static void read_needle(struct unit *u, struct expr *e, struct needle *n)
{
	struct irb *b = &u->b;
	uint32_t max = e->type->size < NEEDLE_MAX ? e->type->size : NEEDLE_MAX;
	ref text = lower_addr(u, e), i = ir_slot(b, 8);
	blkid head = ir_block(b), body = ir_block(b), done = ir_block(b);

	n->len = lower_text_len(u, text, max + 1);
	n->too_long = max < NEEDLE_MAX ? 0 : ir_bin(b, OP_UGT, n->len, ir_const(b, NEEDLE_MAX));
	n->table = ir_slot(b, TABLE_SIZE);
	ir_zero(b, n->table, 0, TABLE_SIZE);
	ir_store(b, 8, i, 0, ir_const(b, 0));
	ir_jmp(b, head);

	ir_start(b, head);
	ref at = ir_load(b, 8, i, 0);
	ir_br(b, ir_bin(b, OP_ULT, at, ir_const(b, max)), body, done);
	ir_start(b, body);
	ref c = ir_load(b, 1, ir_bin(b, OP_ADD, text, at), 0);
	ref entry = ir_bin(b, OP_ADD, n->table, ir_bin(b, OP_SHL, c, ir_const(b, 3)));
	ref bit = ir_bin(b, OP_SHL, ir_const(b, 1), at);
	ir_store(b, 8, entry, 0, ir_bin(b, OP_OR, ir_load(b, 8, entry, 0), bit));
	ir_store(b, 8, i, 0, ir_bin(b, OP_ADD, at, ir_const(b, 1)));
	ir_jmp(b, head);

	ir_start(b, done);
	ir_store(b, 8, n->table, 0, ir_const(b, 0));
}

/* Reads a chunk; bit i of the result says that a needle ends at its byte i. */
static ref search_chunk(struct unit *u, const struct needle *n, ref text, ref state)
{
	struct irb *b = &u->b;
	ref one = ir_const(b, 1), last = ir_bin(b, OP_SUB, n->len, one);
	ref word = ir_load(b, 8, state, 0), hits = ir_const(b, 0);

	for (int i = 0; i < CHUNK; i++) {
		ref c = ir_load(b, 1, text, i);
		ref entry = ir_bin(b, OP_ADD, n->table, ir_bin(b, OP_SHL, c, ir_const(b, 3)));

		word = ir_bin(b, OP_OR, ir_bin(b, OP_SHL, word, one), one);
		word = ir_bin(b, OP_AND, word, ir_load(b, 8, entry, 0));
		ref hit = ir_bin(b, OP_AND, ir_bin(b, OP_SHR, word, last), one);
		hits = ir_bin(b, OP_OR, hits, ir_bin(b, OP_SHL, hit, ir_const(b, i)));
	}
	ir_store(b, 8, state, 0, word);
	return hits;
}

/* The number of the lowest bit that is set in a word of 16 bits that is not 0. */
static ref lowest_bit(struct unit *u, ref v)
{
	static const uint32_t with_bit[] = { 0xaaaa, 0xcccc, 0xf0f0, 0xff00 };
	struct irb *b = &u->b;
	ref lowest = ir_bin(b, OP_AND, v, ir_un(b, OP_NEG, v)), n = ir_const(b, 0);

	for (int i = 0; i < 4; i++) {
		ref part = ir_bin(b, OP_AND, lowest, ir_const(b, with_bit[i]));
		ref bit = ir_bin(b, OP_NE, part, ir_const(b, 0));

		n = ir_bin(b, OP_OR, n, ir_bin(b, OP_SHL, bit, ir_const(b, i)));
	}
	return n;
}

/* Goes through the chunks; continues with the place of the first match, or goes to absent. */
static ref search(struct unit *u, const struct needle *n, ref text, uint32_t size, blkid absent)
{
	struct irb *b = &u->b;
	ref at = ir_slot(b, 8), state = ir_slot(b, 8);
	blkid head = ir_block(b), body = ir_block(b), more = ir_block(b), next = ir_block(b),
	      found = ir_block(b);

	ir_store(b, 8, at, 0, ir_const(b, 0));
	ir_store(b, 8, state, 0, ir_const(b, 0));
	ir_jmp(b, head);
	ir_start(b, head);
	ref off = ir_load(b, 8, at, 0);
	ir_br(b, ir_bin(b, OP_ULT, off, ir_const(b, size)), body, absent);

	ir_start(b, body);
	ref chunk = ir_bin(b, OP_ADD, text, off);
	ref hits = search_chunk(u, n, chunk, state);
	ir_br(b, hits, found, more);
	ir_start(b, more); /* text that ended has zeros up to the chunk's last byte */
	ir_br(b, ir_load(b, 1, chunk, CHUNK - 1), next, absent);
	ir_start(b, next);
	ir_store(b, 8, at, 0, ir_bin(b, OP_ADD, off, ir_const(b, CHUNK)));
	ir_jmp(b, head);

	ir_start(b, found);
	ref end = ir_bin(b, OP_ADD, off, lowest_bit(u, hits));
	return ir_bin(b, OP_SUB, end, ir_bin(b, OP_SUB, n->len, ir_const(b, 1)));
}

/* Leaves to `absent` with a count when the needle does not fit the word. */
static void refuse_long(struct unit *u, const struct needle *n, struct span span, blkid absent)
{
	struct irb *b = &u->b;

	if (!n->too_long)
		return;

	uint32_t counter = counter_new(u, COUNT_NEEDLE, span, NULL, false);
	blkid bad = ir_block(b), ok = ir_block(b);
	ir_br(b, n->too_long, bad, ok);
	ir_start(b, bad);
	count_failure(u, counter, ir_const(b, 0));
	ir_jmp(b, absent);
	ir_start(b, ok);
}

static ref lower_strstr(struct unit *u, struct expr *e)
{
	struct irb *b = &u->b;
	uint32_t size;
	ref text = lower_chunked(u, e->args[0], CHUNK, &size);
	blkid absent = ir_block(b), empty = ir_block(b), some = ir_block(b), done = ir_block(b);
	struct needle n;

	if (e->args[1]->kind == E_STRING)
		literal_needle(u, e->args[1], &n);
	else
		read_needle(u, e->args[1], &n);
	refuse_long(u, &n, e->span, absent);
	ir_br(b, n.len, some, empty);
	ir_start(b, some);
	ref at = search(u, &n, text, size, absent);
	ir_jmp(b, done);
	ir_start(b, empty);
	ref zero = ir_const(b, 0);
	ir_jmp(b, done);
	ir_start(b, absent);
	ref none = ir_const(b, -1);
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 3, (ref[]){ at, zero, none });
}

/* memcmp(a, b, n): n is a constant, so that the comparison is straight code. */
static bool check_memcmp(struct unit *u, struct expr *e)
{
	enum { COMPARE_MAX = 256 };
	struct compiler *c = u->c;
	int64_t n = e->args[2]->const_value;

	if (n < 0 || n > COMPARE_MAX)
		return builtin_bad_arg(u, e->args[2], "memcmp() compares from 0 to 256 bytes");
	for (int i = 0; i < 2; i++) {
		const struct type *t = e->args[i]->type;

		if (!memory_has(t, n))
			return builtin_bad_arg(
				u, e->args[i],
				arena_printf(c->arena,
					     "memcmp() has no %lld bytes to compare in %s",
					     (long long)n, type_text(c, t)));
	}
	return true;
}

/* Words are compared; the first two that differ are ordered by their first byte. */
static ref lower_memcmp(struct unit *u, struct expr *e)
{
	enum { WORDS_MAX = 256 / 8 + 3 };
	struct irb *b = &u->b;
	uint32_t n = (uint32_t)e->args[2]->const_value, nwords = 0;
	ref xs[WORDS_MAX], ys[WORDS_MAX];

	if (!n)
		return ir_const(b, 0);

	ref x = memory_copy(u, e->args[0], n), y = memory_copy(u, e->args[1], n);
	blkid differ = ir_block(b), done = ir_block(b);
	for (uint32_t off = 0; off < n;) {
		uint32_t unit = n - off >= 8 ? 8 : n - off >= 4 ? 4 : n - off >= 2 ? 2 : 1;
		blkid next = ir_block(b);

		xs[nwords] = ir_load(b, unit, x, (int32_t)off);
		ys[nwords] = ir_load(b, unit, y, (int32_t)off);
		ir_br(b, ir_bin(b, OP_EQ, xs[nwords], ys[nwords]), next, differ);
		ir_start(b, next);
		nwords++;
		off += unit;
	}
	ref same = ir_const(b, 0);
	ir_jmp(b, done);

	ir_start(b, differ);
	ref big_x = ir_bswap(b, 8, ir_phi(b, nwords, xs));
	ref big_y = ir_bswap(b, 8, ir_phi(b, nwords, ys));
	ref greater = ir_bin(b, OP_UGT, big_x, big_y);
	ref sign = ir_bin(b, OP_SUB, ir_bin(b, OP_ADD, greater, greater), ir_const(b, 1));
	ir_jmp(b, done);
	ir_start(b, done);
	return ir_phi(b, 2, (ref[]){ same, sign });
}

static bool check_glob(struct unit *u, struct expr *e)
{
	return check_match(u, e, e->args[1], PATTERN_GLOB);
}

static ref lower_glob(struct unit *u, struct expr *e)
{
	return lower_match(u, e, e->args[0]);
}

BUILTINS(search) = {
	{ "strstr", "i64 strstr(str, str)", 0, check_needle, .lower = lower_strstr,
	  .doc = "Where the second text begins in the first; -1 when it is not in it." },
	{ "glob", "bool glob(str, raw)", 0, check_glob, .lower = lower_glob,
	  .doc = "Is the text, from its begin to its end, what the pattern says: * ? [a-z] [!a]" },
	{ "memcmp", "i64 memcmp(any, any, num)", 0, check_memcmp, .lower = lower_memcmp,
	  .doc = "Compares n bytes of memory: 0, or -1 or 1 as C's memcmp() is ordered." },
	{ 0 },
};
