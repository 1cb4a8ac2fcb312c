/*
 * scry prog dump xlated PROG visual: basic blocks and the ways between them, in the language of
 * Graphviz, in bpftool's form.  Functions begin where calls lead.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "cli/cmd_prog.h"

#include <stdio.h>
#include <string.h>

enum { ENTRY, EXIT, FIRST }; /* numbers of blocks */

#define EDGE \
	"\tfn_%u_bb_%u:s -> fn_%u_bb_%u:n [style=\"%s\", color=black, weight=10, constraint=true];\n"

struct graph {
	const struct bpf_insn *insns;
	const struct bpf_disasm_opts *opts;
	unsigned func;
	uint32_t from, to; /* of the function */
	uint32_t *block;   /* of each instruction: the block that begins there, or 0 */
	bool *is_head;
};

static bool is_jump(const struct bpf_insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static uint32_t target(const struct bpf_insn *insns, uint32_t i)
{
	/* The long jump of 32 bits has its distance in the other place. */
	bool is_long = insns[i].code == (BPF_JMP32 | BPF_JA);

	return i + 1 + (uint32_t)(is_long ? insns[i].imm : insns[i].off);
}

static void find_heads(struct graph *g)
{
	g->is_head[g->from] = true;
	for (uint32_t i = g->from; i < g->to; i++) {
		if (!is_jump(&g->insns[i]))
			continue;
		uint32_t to = target(g->insns, i);
		if (to >= g->from && to < g->to)
			g->is_head[to] = true;
		if (i + 1 < g->to)
			g->is_head[i + 1] = true;
	}
}

static void put_escaped(const char *text)
{
	for (; *text; text++) {
		if (strchr("|<>{}&", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void put_insn(const struct graph *g, uint32_t i, bool first)
{
	auto_sb struct sb text = {};

	bpf_disasm(&text, g->insns, g->to, i, g->opts);
	printf("%s%4u: ", first ? "" : " | ", i - g->from);
	put_escaped(sb_str(&text));
	puts("\\l\\");
}

static void put_blocks(struct graph *g)
{
	unsigned n = FIRST;

	printf("\tfn_%u_bb_%u [shape=Mdiamond,style=filled,label=\"ENTRY\"];\n\n", g->func,
	       ENTRY);
	for (uint32_t i = g->from; i < g->to; i++) {
		if (g->is_head[i]) {
			g->block[i] = n++;
			printf("\tfn_%u_bb_%u [shape=record,style=filled,label=\"{", g->func,
			       g->block[i]);
		}
		put_insn(g, i, g->is_head[i]);
		if (g->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
		if (i + 1 >= g->to || g->is_head[i + 1])
			puts("}\"];\n");
	}
	printf("\tfn_%u_bb_%u [shape=Mdiamond,style=filled,label=\"EXIT\"];\n\n", g->func,
	       EXIT);
}

static void put_edge(const struct graph *g, unsigned from, unsigned to)
{
	printf(EDGE, g->func, from, g->func, to, "solid,bold");
}

/* The ways out of a block whose last instruction is number i. */
static void put_ways(const struct graph *g, unsigned block, uint32_t i)
{
	const struct bpf_insn *insn = &g->insns[i];
	uint8_t class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
	bool ways = class == BPF_JMP || class == BPF_JMP32;
	uint32_t next = i + 1;

	if (ways && op == BPF_EXIT) {
		put_edge(g, block, EXIT);
		return;
	}
	if (!(ways && op == BPF_JA) && next < g->to)
		put_edge(g, block, g->block[next]);
	/* A call is a jump to the next instruction, to bpftool. */
	uint32_t to = ways ? op == BPF_CALL ? next : target(g->insns, i) : g->to;
	if (to >= g->from && to < g->to)
		put_edge(g, block, g->block[to]);
}

static void put_edges(const struct graph *g)
{
	unsigned block = FIRST;

	put_edge(g, ENTRY, FIRST);
	for (uint32_t i = g->from; i < g->to; i++) {
		uint32_t at = i;

		if (g->is_head[i])
			block = g->block[i];
		if (g->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
		if (i + 1 >= g->to || g->is_head[i + 1])
			put_ways(g, block, at == i ? i : at);
	}
	printf("\tfn_%u_bb_%u:s -> fn_%u_bb_%u:n [style=\"invis\", constraint=true];\n",
	       g->func, ENTRY, g->func, EXIT);
}

static void put_graph(struct graph *g)
{
	printf("subgraph \"cluster_%u\" {\n\tstyle=\"dashed\";\n\tcolor=\"black\";\n"
	       "\tlabel=\"func_%u ()\";\n",
	       g->func, g->func);
	find_heads(g);
	put_blocks(g);
	put_edges(g);
	puts("}");
}

/* Where functions begin, besides at 0. */
static void find_functions(const struct bpf_insn *insns, uint32_t n, bool *begins)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t to = (uint64_t)((int64_t)i + 1 + insns[i].imm);

		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_CALL && to < n)
			begins[to] = true;
	}
}

void prog_graph(const struct bpf_insn *insns, uint32_t n, const struct bpf_disasm_opts *opts)
{
	auto_free bool *begins = xcalloc(n + 1u, sizeof(*begins));
	auto_free bool *is_head = xcalloc(n + 1u, sizeof(*is_head));
	auto_free uint32_t *block = xcalloc(n + 1u, sizeof(*block));
	struct graph g = { .insns = insns, .opts = opts, .block = block, .is_head = is_head };

	find_functions(insns, n, begins);
	puts("digraph \"DOT graph for eBPF program\" {");
	for (uint32_t i = 1; i <= n; i++) {
		if (i < n && !begins[i])
			continue;
		g.to = i;
		put_graph(&g);
		g.func++;
		g.from = i;
	}
	puts("}");
}
