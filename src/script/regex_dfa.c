/*
 * From the tree of a pattern to the least table; see regex.h.
 */
#include "script/regex.h"

#include "base/strmap.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
	NODES_MAX = 8192,    /* of the automaton that is not deterministic */
	SUBSETS_MAX = 4096,  /* of its nodes, before equal ones are joined */
	WORK_MAX = 50000000, /* steps that the construction may take */
	BYTES = 256,
};

/* One node of Thompson's automaton; what it leads to has lower numbers, but for loops. */
struct node {
	enum { N_SET, N_SPLIT, N_ASSERT, N_MATCH } kind;
	enum rx_kind what; /* N_ASSERT */
	const struct byte_set *set;
	uint32_t a, b;
};

/* What stands before or behind a place of the text. */
enum side { SIDE_OTHER, SIDE_WORD, SIDE_EDGE };

VEC_TYPE(node_list, uint32_t);

/* A state: the nodes where a match may be, their assertions open, and what was read last. */
struct subset {
	const uint32_t *nodes;
	size_t n;
	enum side before;
};

struct builder {
	struct arena *a;
	VEC(struct node) nodes;
	bool words;	       /* some assertion asks for them */
	uint8_t class[BYTES];  /* bytes that the pattern does not tell apart have one number */
	uint8_t sample[BYTES]; /* a byte of each class */
	unsigned nclasses;
	VEC(struct subset) subsets;
	struct strmap index;	       /* their contents -> number + 1 */
	VEC(uint16_t) next;	       /* by subset and class */
	uint32_t *stamp, now;	       /* nodes that were seen in this walk */
	struct node_list found, stack; /* scratch */
	uint32_t start;
	size_t work;
	bool too_large;
};

static uint32_t add_node(struct builder *b, struct node n)
{
	if (b->nodes.len >= NODES_MAX) {
		b->too_large = true;
		return 0;
	}
	vec_push(b->a, &b->nodes, n);
	return (uint32_t)b->nodes.len - 1;
}

static uint32_t split(struct builder *b, uint32_t x, uint32_t y)
{
	return add_node(b, (struct node){ .kind = N_SPLIT, .a = x, .b = y });
}

static uint32_t emit(struct builder *b, const struct rx *x, uint32_t next);

static uint32_t emit_repeat(struct builder *b, const struct rx *x, uint32_t next)
{
	uint32_t at = next;

	if (x->max < 0) {
		uint32_t loop = split(b, 0, next);
		uint32_t body = emit(b, x->a, loop);

		b->nodes.data[loop].a = body;
		at = loop;
	}
	for (int i = x->min; i < x->max && !b->too_large; i++)
		at = split(b, emit(b, x->a, at), next);
	for (int i = 0; i < x->min && !b->too_large; i++)
		at = emit(b, x->a, at);
	return at;
}

/* The node where x begins, when what follows it begins at next. */
static uint32_t emit(struct builder *b, const struct rx *x, uint32_t next)
{
	if (b->too_large)
		return 0;
	switch (x->kind) {
	case RX_EMPTY: return next;
	case RX_SET: return add_node(b, (struct node){ N_SET, x->kind, x->set, next, 0 });
	case RX_CAT: return emit(b, x->a, emit(b, x->b, next));
	case RX_ALT: {
		uint32_t left = emit(b, x->a, next);

		return split(b, left, emit(b, x->b, next));
	}
	case RX_REPEAT: return emit_repeat(b, x, next);
	case RX_WORD:
	case RX_NOT_WORD: b->words = true; /* fallthrough */
	case RX_BEGIN:
	case RX_END: return add_node(b, (struct node){ N_ASSERT, x->kind, NULL, next, 0 });
	}
	return next;
}

/* The bytes that every set, and \b when it is asked for, treats alike. */
static void find_classes(struct builder *b)
{
	struct byte_set word = {};
	VEC(const struct byte_set *) sets = {};

	for (unsigned c = 0; c < BYTES; c++)
		if (regex_is_word(c))
			byte_set_add(&word, c);
	if (b->words)
		vec_push(b->a, &sets, &word);
	vec_each(n, &b->nodes) {
		if (n->kind == N_SET)
			vec_push(b->a, &sets, n->set);
	}

	/* The NUL is a class of its own. */
	b->nclasses = 2;
	for (unsigned c = 1; c < BYTES; c++)
		b->class[c] = 1;
	vec_each(s, &sets) {
		int split_to[BYTES];

		memset(split_to, -1, sizeof(split_to));
		unsigned before = b->nclasses;
		bool stays[BYTES] = {};
		for (unsigned c = 1; c < BYTES; c++)
			stays[b->class[c]] |= !byte_set_has(*s, c);
		for (unsigned c = 1; c < BYTES; c++) {
			unsigned k = b->class[c];

			if (!byte_set_has(*s, c) || !stays[k] || k >= before)
				continue;
			if (split_to[k] < 0)
				split_to[k] = (int)b->nclasses++;
			b->class[c] = (uint8_t)split_to[k];
		}
	}
	for (unsigned c = 0; c < BYTES; c++)
		b->sample[b->class[c]] = (uint8_t)c;
}

static bool holds(enum rx_kind what, enum side before, enum side behind)
{
	switch (what) {
	case RX_BEGIN: return before == SIDE_EDGE;
	case RX_END: return behind == SIDE_EDGE;
	case RX_WORD: return (before == SIDE_WORD) != (behind == SIDE_WORD);
	default: return (before == SIDE_WORD) == (behind == SIDE_WORD);
	}
}

static void visit(struct builder *b, uint32_t n)
{
	b->work++;
	if (b->stamp[n] == b->now)
		return;
	b->stamp[n] = b->now;
	vec_push(NULL, &b->stack, n);
}

/*
 * Follows what takes no byte from the nodes on the stack. decide: with the assertions that
 * hold; else they stay in the list, except that ^ is dropped where it cannot come true.
 * Returns whether a match ends here; b->found are the nodes that remain.
 */
static bool close_set(struct builder *b, enum side before, bool decide, enum side behind)
{
	bool match = false;

	while (b->stack.len) {
		uint32_t at = b->stack.data[--b->stack.len];
		const struct node *n = &b->nodes.data[at];

		if (n->kind == N_SPLIT) {
			visit(b, n->a);
			visit(b, n->b);
		} else if (n->kind == N_ASSERT && decide) {
			if (holds(n->what, before, behind))
				visit(b, n->a);
		} else if (n->kind != N_ASSERT || n->what != RX_BEGIN || before == SIDE_EDGE) {
			match |= n->kind == N_MATCH;
			vec_push(NULL, &b->found, at);
		}
	}
	return match;
}

static void begin_walk(struct builder *b)
{
	b->now++;
	b->found.len = b->stack.len = 0;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/* The number of the state whose nodes are in b->found. */
static unsigned subset_number(struct builder *b, enum side before)
{
	size_t n = b->found.len, bytes = (n + 1) * sizeof(uint32_t);

	if (!n)
		return DFA_DEAD;
	qsort(b->found.data, n, sizeof(uint32_t), by_number);

	uint32_t *key = arena_alloc(b->a, bytes);
	key[0] = before;
	memcpy(key + 1, b->found.data, n * sizeof(uint32_t));
	uintptr_t old = (uintptr_t)strmap_get(&b->index, (const char *)key, bytes);
	if (old)
		return (unsigned)old - 1;
	if (b->subsets.len >= SUBSETS_MAX) {
		b->too_large = true;
		return DFA_DEAD;
	}
	vec_push(b->a, &b->subsets, (struct subset){ key + 1, n, before });
	strmap_set(&b->index, (const char *)key, bytes, (void *)(uintptr_t)b->subsets.len);
	return (unsigned)b->subsets.len - 1;
}

static unsigned first_subset(struct builder *b)
{
	begin_walk(b);
	visit(b, b->start);
	close_set(b, SIDE_EDGE, false, SIDE_EDGE);
	return subset_number(b, SIDE_EDGE);
}

static enum side side_of(const struct builder *b, unsigned c)
{
	return !c ? SIDE_EDGE : b->words && regex_is_word(c) ? SIDE_WORD : SIDE_OTHER;
}

/* Where byte c leads from a state. The search begins anew at every byte. */
static unsigned step(struct builder *b, unsigned from, unsigned c)
{
	struct subset s = b->subsets.data[from];
	enum side behind = side_of(b, c);

	begin_walk(b);
	for (size_t i = 0; i < s.n; i++)
		visit(b, s.nodes[i]);
	if (close_set(b, s.before, true, behind))
		return DFA_ACCEPT;
	if (!c)
		return DFA_DEAD;

	struct node_list here = b->found;
	b->found = (struct node_list){};
	begin_walk(b);
	for (size_t i = 0; i < here.len; i++) {
		const struct node *n = &b->nodes.data[here.data[i]];

		if (n->kind == N_SET && byte_set_has(n->set, c))
			visit(b, n->a);
	}
	vec_free(&here);
	visit(b, b->start);
	close_set(b, behind, false, SIDE_OTHER);
	return subset_number(b, behind);
}

/* All states that can be reached, DFA_DEAD and DFA_ACCEPT first. */
static unsigned construct(struct builder *b)
{
	vec_push(b->a, &b->subsets, (struct subset){});
	vec_push(b->a, &b->subsets, (struct subset){});
	for (unsigned i = 0; i < 2 * b->nclasses; i++)
		vec_push(b->a, &b->next, (uint16_t)(i / b->nclasses));

	unsigned start = first_subset(b);
	for (unsigned s = 2; s < b->subsets.len && !b->too_large; s++) {
		for (unsigned k = 0; k < b->nclasses && !b->too_large; k++) {
			uint16_t to = (uint16_t)step(b, s, b->sample[k]);

			vec_push(b->a, &b->next, to);
			b->too_large |= b->work > WORK_MAX;
		}
	}
	return start;
}

/*
 * Moore's refinement: states are one as long as no byte leads them to different ones; at first
 * it is the NUL that tells those that accept from the others.  group[s] becomes the number of
 * s's group; DFA_DEAD and DFA_ACCEPT keep theirs.  Returns how many there are.
 */
static unsigned refine(struct builder *b, uint16_t *group)
{
	unsigned n = (unsigned)b->subsets.len, ngroups = 0, before;
	size_t row = (b->nclasses + 1) * sizeof(uint16_t);
	uint16_t *rows = xcalloc(n, row), *fresh = xcalloc(n, sizeof(*fresh));

	for (unsigned s = 0; s < n; s++)
		group[s] = b->next.data[s * b->nclasses];
	do {
		struct arena scratch = {};
		struct strmap seen;

		before = ngroups;
		ngroups = 0;
		strmap_init(&seen, &scratch);
		for (unsigned s = 0; s < n; s++) {
			uint16_t *key = rows + (size_t)s * (b->nclasses + 1);

			key[0] = group[s];
			for (unsigned k = 0; k < b->nclasses; k++)
				key[1 + k] = group[b->next.data[s * b->nclasses + k]];
			uintptr_t old = (uintptr_t)strmap_get(&seen, (char *)key, row);
			if (!old) {
				old = ++ngroups;
				strmap_set(&seen, (char *)key, row, (void *)old);
			}
			fresh[s] = (uint16_t)(old - 1);
		}
		memcpy(group, fresh, n * sizeof(*group));
		arena_free(&scratch);
	} while (ngroups != before);
	free(rows);
	free(fresh);
	return ngroups;
}

static void make_table(struct builder *b, struct arena *a, unsigned start, struct dfa *out)
{
	uint16_t *group = xcalloc(b->subsets.len, sizeof(*group));

	out->nstates = refine(b, group);
	out->start = group[start];
	if (out->nstates > DFA_STATES_MAX) {
		b->too_large = true;
		free(group);
		return;
	}
	out->next = arena_alloc(a, out->nstates * sizeof(*out->next));
	for (unsigned s = 0; s < b->subsets.len; s++)
		for (unsigned c = 0; c < BYTES; c++)
			out->next[group[s]][c] =
				group[b->next.data[s * b->nclasses + b->class[c]]];
	free(group);
}

bool regex_compile(struct arena *a, const char *s, size_t len, enum pattern_kind kind,
		   struct dfa *out, struct regex_error *err)
{
	struct arena scratch = {};
	struct builder b = { .a = &scratch };
	const struct rx *tree =
		(kind == PATTERN_GLOB ? glob_parse : regex_parse)(&scratch, s, len, err);

	if (tree && len > NODES_MAX)
		b.too_large = true;
	if (tree && !b.too_large) {
		b.start = emit(&b, tree, add_node(&b, (struct node){ .kind = N_MATCH }));
		strmap_init(&b.index, &scratch);
	}
	if (tree && !b.too_large) {
		b.stamp = arena_array(&scratch, uint32_t, b.nodes.len);
		find_classes(&b);
		unsigned start = construct(&b);
		if (!b.too_large)
			make_table(&b, a, start, out);
	}
	if (tree && b.too_large)
		*err = (struct regex_error){ .len = len, .too_large = true };
	vec_free(&b.found);
	vec_free(&b.stack);
	arena_free(&scratch);
	return tree && !b.too_large;
}

bool dfa_matches(const struct dfa *d, const char *text, size_t len)
{
	unsigned state = d->start;

	for (size_t i = 0; i < len && state > DFA_ACCEPT; i++)
		state = d->next[state][(uint8_t)text[i]];
	return d->next[state][0] == DFA_ACCEPT;
}
