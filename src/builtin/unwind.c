/*
 * The kernel calls the step from frame to frame as a function of its own (bpf_loop), so that
 * its verifier looks at one step only.  All that changes on the way lies in scratch memory,
 * which the verifier knows nothing about: it does not follow numbers that are read from there.
 */
#include "builtin/unwind.h"

#include "builtin/ustack.h"
#include "probe/arch.h"
#include "script/lower.h"
#include "symbol/cfi_row.h"
#include "types/kernel_types.h"

#include <string.h>

/* sigcontext from rbp to rip: rbp rbx rdx rax rcx rsp rip */
enum { SIGNAL_BP = 0, SIGNAL_SP = 40, SIGNAL_RA = 48, SIGNAL_SIZE = 56 };

/* The memory of a walk; offsets in bytes. */
enum {
	W_PC = 0,
	W_SP = 8,
	W_BP = 16,
	W_N = 24, /* frames so far */
	W_STATUS = 32,
	W_BACK = 40, /* a return address is looked up by the call before it: 1, else 0 */
	W_ROW = 48,
	W_POS = 56,
	W_STEP = 64,
	W_TRY = 72,  /* u32: key of the rows */
	W_FILE = 76, /* u32: key of the tables */
	W_KEY = 80,  /* as plan.h has it */
	W_BIAS = 96,
	W_INODE = 104, /* key of the files: u64 inode, u32 device, u32 0 */
	W_DEVICE = 112,
	W_VMA = 120, /* address of the first byte of the file, were it mapped as this part is */
	W_LOW = 128, /* where the last mapping begins that the kernel told of */
	W_SIZE = 136,  /* its bytes; 0: there is none */
	W_FIRST = 144, /* and the first step in its rows */
	W_MEM = 152,   /* what was read of the process */
	W_FRAMES = W_MEM + SIGNAL_SIZE,
};

enum status { WALKING, ENDED, ENDED_EARLY, UNKNOWN_PROCESS };

struct walk {
	struct irb *b;
	ref s; /* the memory of the walk */
	blkid go_on, stop;
};

static ref get(struct walk *w, int32_t off)
{
	return ir_load(w->b, 8, w->s, off);
}

static void set(struct walk *w, int32_t off, ref v)
{
	ir_store(w->b, 8, w->s, off, v);
}

static ref num(struct walk *w, int64_t v)
{
	return ir_const(w->b, v);
}

static ref plus(struct walk *w, ref v, int64_t n)
{
	return ir_bin(w->b, OP_ADD, v, num(w, n));
}

static void finish(struct walk *w, enum status status)
{
	set(w, W_STATUS, num(w, status));
	ir_jmp(w->b, w->stop);
}

/* Goes on in a new block when the condition holds; else the walk is over. */
static void need(struct walk *w, ref cond, enum status otherwise)
{
	blkid yes = ir_block(w->b), no = ir_block(w->b);

	ir_br(w->b, cond, yes, no);
	ir_start(w->b, no);
	finish(w, otherwise);
	ir_start(w->b, yes);
}

/* Reads memory of the process to W_MEM. */
static void read_user(struct walk *w, ref from, uint32_t size)
{
	ref ret = ir_call(w->b, BPF_FUNC_probe_read_user, 3, plus(w, w->s, W_MEM), num(w, size),
			  from);

	need(w, ir_bin(w->b, OP_EQ, ret, num(w, 0)), ENDED_EARLY);
}

/* To the caller; an outermost function returns to nowhere. */
static void move_up(struct walk *w, ref sp, ref bp, ref pc, int64_t back)
{
	set(w, W_SP, sp);
	set(w, W_BP, bp);
	set(w, W_PC, pc);
	set(w, W_BACK, num(w, back));
	need(w, pc, ENDED);
	ir_jmp(w->b, w->go_on);
}

/* The frame of code without rows: *rbp is the caller's, the return address above it. */
static void step_by_pointer(struct walk *w)
{
	ref bp = get(w, W_BP);

	need(w, bp, ENDED);
	need(w, ir_bin(w->b, OP_UGE, bp, get(w, W_SP)), ENDED_EARLY);
	read_user(w, bp, 16);
	move_up(w, plus(w, bp, 16), get(w, W_MEM), get(w, W_MEM + 8), 1);
}

/* Where the kernel put what it interrupted. */
static void step_signal(struct walk *w, ref n)
{
	read_user(w, plus(w, ir_bin(w->b, OP_ADD, get(w, W_SP), n), -SIGNAL_SP), SIGNAL_SIZE);
	move_up(w, get(w, W_MEM + SIGNAL_SP), get(w, W_MEM + SIGNAL_BP),
		get(w, W_MEM + SIGNAL_RA), 0);
}

/* The caller's rbp. */
static ref saved_bp(struct walk *w, ref row, ref cfa)
{
	struct irb *b = w->b;
	struct meet m = meet_new(b), at = meet_new(b);
	blkid same = ir_block(b), saved = ir_block(b), lost = ir_block(b), read = ir_block(b);
	blkid below = ir_block(b), above = ir_block(b);
	ref code = ir_bin(b, OP_AND, ir_bin(b, OP_SHR, row, num(w, CFI_SAVED_SHIFT)),
			  num(w, (1 << CFI_SAVED_BITS) - 1));

	ir_br(b, code, saved, same);
	ir_start(b, same);
	meet_from(b, &m, get(w, W_BP));
	ir_start(b, saved);
	ir_br(b, ir_bin(b, OP_EQ, code, num(w, CFI_SAVED_UNKNOWN)), lost, read);
	ir_start(b, lost);
	meet_from(b, &m, num(w, 0));
	ir_start(b, read);
	ir_br(b, ir_bin(b, OP_EQ, code, num(w, CFI_SAVED_AT_BP)), above, below);
	ir_start(b, above);
	meet_from(b, &at, get(w, W_BP));
	ir_start(b, below);
	meet_from(b, &at, ir_bin(b, OP_SUB, cfa, ir_bin(b, OP_SHL, code, num(w, 3))));
	read_user(w, meet_here(b, &at), 8);
	meet_from(b, &m, get(w, W_MEM));
	return meet_here(b, &m);
}

/* From the CFA: the stack grows down, so a caller's frame is above. */
static void step_to(struct walk *w, ref row, ref cfa)
{
	struct irb *b = w->b;

	need(w, ir_bin(b, OP_UGT, cfa, get(w, W_SP)), ENDED_EARLY);
	read_user(w, plus(w, cfa, -8), 8);
	set(w, W_PC, get(w, W_MEM));
	ref bp = saved_bp(w, row, cfa);
	move_up(w, cfa, bp, get(w, W_PC), 1);
}

/* 8, and 8 more from byte n of the entry on. */
static ref plt_offset(struct walk *w, ref n)
{
	struct irb *b = w->b;
	struct meet m = meet_new(b);
	blkid pushed = ir_block(b), not_yet = ir_block(b);
	ref at = ir_bin(b, OP_AND, get(w, W_PC), num(w, 15));

	ir_br(b, ir_bin(b, OP_UGE, ir_bin(b, OP_SHL, at, num(w, 3)), n), pushed, not_yet);
	ir_start(b, pushed);
	meet_from(b, &m, num(w, 16));
	ir_start(b, not_yet);
	meet_from(b, &m, num(w, 8));
	return meet_here(b, &m);
}

/* Jumps to a new block of that rule, and goes on where the others are looked at. */
static blkid case_of(struct walk *w, ref kind, enum cfi_rule rule)
{
	blkid yes = ir_block(w->b), no = ir_block(w->b);

	ir_br(w->b, ir_bin(w->b, OP_EQ, kind, num(w, rule)), yes, no);
	ir_start(w->b, no);
	return yes;
}

/* One step as the row of W_ROW says. */
static void step_by_row(struct walk *w)
{
	struct irb *b = w->b;
	struct meet m = meet_new(b);
	ref row = get(w, W_ROW);
	ref kind = ir_bin(b, OP_AND, row, num(w, (1 << CFI_RULE_BITS) - 1));
	ref n = ir_bin(b, OP_AND, ir_bin(b, OP_SHR, row, num(w, CFI_N_SHIFT)),
		       num(w, (1 << CFI_N_BITS) - 1));
	blkid by_sp, by_bp, plt, deref, signal, none, end;

	n = ir_bin(b, OP_SHL, n, num(w, 3));
	by_sp = case_of(w, kind, CFI_SP);
	by_bp = case_of(w, kind, CFI_BP);
	plt = case_of(w, kind, CFI_PLT);
	none = case_of(w, kind, CFI_NONE);
	end = case_of(w, kind, CFI_END);
	deref = case_of(w, kind, CFI_BP_DEREF);
	signal = case_of(w, kind, CFI_SIGNAL);
	finish(w, ENDED_EARLY);

	ir_start(b, none);
	step_by_pointer(w);
	ir_start(b, end);
	finish(w, ENDED);
	ir_start(b, signal);
	step_signal(w, n);
	ir_start(b, by_sp);
	meet_from(b, &m, ir_bin(b, OP_ADD, get(w, W_SP), n));
	ir_start(b, by_bp);
	meet_from(b, &m, ir_bin(b, OP_ADD, get(w, W_BP), n));
	ir_start(b, plt);
	meet_from(b, &m, ir_bin(b, OP_ADD, get(w, W_SP), plt_offset(w, n)));
	ir_start(b, deref);
	read_user(w, ir_bin(b, OP_SUB, get(w, W_BP), n), 8);
	meet_from(b, &m, get(w, W_MEM));
	step_to(w, row, meet_here(b, &m));
}

/*
 * The last row that is not above the address: W_ROW.  Steps are halved from the largest that
 * the table has room for; a key behind its end finds nothing.
 */
static void search_rows(struct walk *w, ref table, ref pc)
{
	enum { TURNS = 24 };
	struct irb *b = w->b;
	struct counted c;
	blkid on = ir_block(b), found = ir_block(b), take = ir_block(b);
	ref want = ir_bin(b, OP_OR, ir_bin(b, OP_SHL, pc, num(w, CFI_PC_SHIFT)),
			  num(w, UINT32_MAX));

	set(w, W_ROW, num(w, CFI_NONE));
	set(w, W_POS, num(w, 0));
	counted_begin(b, &c, OP_ULT, num(w, 0), num(w, TURNS));
	ref step = get(w, W_STEP);
	ir_br(b, step, on, c.done);
	ir_start(b, on);
	set(w, W_STEP, ir_bin(b, OP_SHR, step, num(w, 1)));
	ref at = ir_bin(b, OP_ADD, get(w, W_POS), step);
	ir_store(b, 4, w->s, W_TRY, at);
	ref row = ir_call(b, BPF_FUNC_map_lookup_elem, 2, table, plus(w, w->s, W_TRY));
	ir_br(b, row, found, c.next);
	ir_start(b, found);
	row = ir_load(b, 8, row, 0);
	ir_br(b, ir_bin(b, OP_ULE, row, want), take, c.next);
	ir_start(b, take);
	set(w, W_POS, at);
	set(w, W_ROW, row);
	counted_end(b, &c);
}

/* The value of a map's entry whose key lies at an offset; none when there is no such entry. */
static ref lookup(struct walk *w, uint32_t map, int32_t key, blkid none)
{
	blkid some = ir_block(w->b);
	ref value = ir_call(w->b, BPF_FUNC_map_lookup_elem, 2, ir_map(w->b, map),
			    plus(w, w->s, key));

	ir_br(w->b, value, some, none);
	ir_start(w->b, some);
	return value;
}

/* Members of kernel structs, which the kernel's own types know. */
struct vma_offsets {
	int32_t start, end, pgoff, file, inode, number, super, device;
};

static bool find_offset(struct unit *u, const char *type, const char *member, int32_t *out)
{
	struct typetab *tt = u->c->tt;
	const struct btf *btf = kernel_btf(tt, NULL);
	uint32_t id = btf ? btf_find(btf, BTF_STRUCTS, type) : 0;
	struct field f;

	if (!id || !type_member(tt, btf_type(tt, btf, id), member, &f))
		return false;
	*out = (int32_t)(f.bit_off / 8);
	return true;
}

/* Samples are taken with interrupts off, where the kernel looks up one mapping at most. */
static bool can_find_vma(struct unit *u, struct vma_offsets *o)
{
	return u->group->prog_type != BPF_PROG_TYPE_PERF_EVENT &&
	       probe_has_feature(u->c->opt->env, "find_vma") &&
	       find_offset(u, "vm_area_struct", "vm_start", &o->start) &&
	       find_offset(u, "vm_area_struct", "vm_end", &o->end) &&
	       find_offset(u, "vm_area_struct", "vm_pgoff", &o->pgoff) &&
	       find_offset(u, "vm_area_struct", "vm_file", &o->file) &&
	       find_offset(u, "file", "f_inode", &o->inode) &&
	       find_offset(u, "inode", "i_ino", &o->number) &&
	       find_offset(u, "inode", "i_sb", &o->super) &&
	       find_offset(u, "super_block", "s_dev", &o->device);
}

/* Goes on where a pointer is not NULL. */
static ref follow(struct walk *w, ref at, int32_t off)
{
	blkid some = ir_block(w->b);
	ref p = ir_load(w->b, 8, at, off);

	ir_br(w->b, p, some, w->stop);
	ir_start(w->b, some);
	return p;
}

/* What bpf_find_vma() calls with the mapping: notes which file it is of, and where. */
static void lower_vma(struct walk *w, ref vma, const struct vma_offsets *o)
{
	enum { PAGE_BITS = 12 };
	struct irb *b = w->b;
	ref inode = follow(w, follow(w, vma, o->file), o->inode);
	ref super = follow(w, inode, o->super);
	ref off = ir_bin(b, OP_SHL, ir_load(b, 8, vma, o->pgoff), num(w, PAGE_BITS));

	set(w, W_INODE, ir_load(b, 8, inode, o->number));
	set(w, W_DEVICE, ir_load(b, 4, super, o->device));
	ref start = ir_load(b, 8, vma, o->start);
	set(w, W_VMA, ir_bin(b, OP_SUB, start, off));
	set(w, W_LOW, start);
	set(w, W_SIZE, ir_bin(b, OP_SUB, ir_load(b, 8, vma, o->end), start));
	ir_jmp(b, w->stop);
}

struct function {
	struct irb outer;
	struct walk w;
	uint32_t number; /* among the program's */
};

/* A function that the kernel calls back; its context leads to the memory of the walk. */
static void begin_function(struct unit *u, unsigned param, struct function *f)
{
	f->outer = u->b;
	f->number = (uint32_t)u->fns.len;
	u->b = (struct irb){ .fn = ir_fn_new(u->c->arena, u->target->name),
			     .span = f->outer.span };
	vec_push(u->c->arena, &u->fns, u->b.fn);
	if (++u->depth > u->depth_max)
		u->depth_max = u->depth;
	f->w = (struct walk){ .b = &u->b, .go_on = ir_block(&u->b), .stop = ir_block(&u->b) };
	f->w.s = ir_load(&u->b, 8, ir_param(&u->b, param), 0);
}

static void end_function(struct unit *u, struct function *f, int64_t stop)
{
	ir_start(&u->b, f->w.go_on);
	ir_ret(&u->b, ir_const(&u->b, 0));
	ir_start(&u->b, f->w.stop);
	ir_ret(&u->b, ir_const(&u->b, stop));
	u->depth--;
	u->b = f->outer;
}

/*
 * What is mapped there, asked from the kernel, which knows it before it is told us, and what a
 * process has that has just executed another program.  Leaves to unknown when that is no file
 * that is known.
 */
static void ask_kernel(struct unit *u, struct walk *w, ref at, const struct vma_offsets *o,
		       blkid unknown)
{
	enum { PARAM_VMA = 1, PARAM_CONTEXT };
	struct irb *b = &u->b;
	struct function f;

	begin_function(u, PARAM_CONTEXT, &f);
	lower_vma(&f.w, ir_param(b, PARAM_VMA), o);
	end_function(u, &f, 0);

	ref context = ir_slot(b, 8);
	ir_store(b, 8, context, 0, w->s);
	set(w, W_INODE, num(w, 0));
	set(w, W_DEVICE, num(w, 0));
	ref ret = ir_call(b, BPF_FUNC_find_vma, 5, ir_call(b, BPF_FUNC_get_current_task_btf, 0),
			  at, ir_func(b, f.number), context, num(w, 0));
	blkid found = ir_block(b);
	ir_br(b, ret, unknown, found);
	ir_start(b, found);
	ref file = lookup(w, u->c->plan->unwind_files, W_INODE, unknown);
	set(w, W_BIAS, ir_bin(b, OP_ADD, get(w, W_VMA), ir_load(b, 8, file, UNWIND_BIAS)));
	set(w, W_FIRST, ir_load(b, 4, file, UNWIND_STEP));
	ir_store(b, 4, w->s, W_FILE, ir_load(b, 4, file, UNWIND_FILE));
}

/* Keeps the address as a frame and goes to its caller. */
static void lower_step(struct unit *u, struct walk *w, ref index, uint32_t depth)
{
	const struct plan *p = u->c->plan;
	struct irb *b = w->b;
	blkid unmapped = ir_block(b), unknown = ir_block(b), no_table = ir_block(b);
	blkid located = ir_block(b);
	struct vma_offsets o;

	ref i = ir_ext(b, false, 4, index);
	need(w, ir_bin(b, OP_ULT, i, num(w, depth)), ENDED);
	ref pc = get(w, W_PC);
	ir_store(b, 8, ir_bin(b, OP_ADD, w->s, ir_bin(b, OP_SHL, i, num(w, 3))), W_FRAMES, pc);
	set(w, W_N, plus(w, i, 1));

	ref at = ir_bin(b, OP_SUB, pc, get(w, W_BACK));
	if (can_find_vma(u, &o)) {
		blkid other = ir_block(b);

		/* A caller is mostly of the same file. */
		ref off = ir_bin(b, OP_SUB, at, get(w, W_LOW));
		ir_br(b, ir_bin(b, OP_ULT, off, get(w, W_SIZE)), located, other);
		ir_start(b, other);
		ask_kernel(u, w, at, &o, unmapped);
		ir_jmp(b, located);
	} else {
		ir_jmp(b, unmapped);
	}
	ir_start(b, unmapped);
	set(w, W_SIZE, num(w, 0));
	set(w, W_KEY + 8, ir_bswap(b, 8, at));
	ref map = lookup(w, p->unwind_maps, W_KEY, unknown);
	set(w, W_BIAS, ir_load(b, 8, map, UNWIND_BIAS));
	set(w, W_FIRST, ir_load(b, 4, map, UNWIND_STEP));
	ir_store(b, 4, w->s, W_FILE, ir_load(b, 4, map, UNWIND_FILE));
	ir_jmp(b, located);

	ir_start(b, located);
	set(w, W_STEP, get(w, W_FIRST));
	ref table = lookup(w, p->unwind_tables, W_FILE, no_table);
	search_rows(w, table, ir_bin(b, OP_SUB, at, get(w, W_BIAS)));
	step_by_row(w);

	ir_start(b, unknown);
	need(w, i, UNKNOWN_PROCESS);
	ir_jmp(b, no_table);
	ir_start(b, no_table);
	step_by_pointer(w);
}

/* The function that the kernel calls for each frame; its number among the program's. */
static uint32_t make_step(struct unit *u, uint32_t depth)
{
	enum { PARAM_INDEX, PARAM_CONTEXT };
	struct function f;

	begin_function(u, PARAM_CONTEXT, &f);
	lower_step(u, &f.w, ir_param(&u->b, PARAM_INDEX), depth);
	end_function(u, &f, 1);
	return f.number;
}

/* --- around the walk --- */

static uint32_t add_map(struct plan *p, const struct plan_kmap *map)
{
	vec_push(p->arena, &p->kmaps, *map);
	return (uint32_t)p->kmaps.len - 1;
}

static void need_maps(struct plan *p)
{
	if (p->unwind_maps)
		return;
	p->unwind_maps = add_map(p, &(struct plan_kmap){ .name = "unwind_maps",
							 .type = BPF_MAP_TYPE_LPM_TRIE,
							 .key_size = UNWIND_KEY_SIZE,
							 .value_size = UNWIND_VALUE_SIZE,
							 .max_entries = 1 << 20,
							 .flags = BPF_F_NO_PREALLOC });
	p->unwind_tables = add_map(p, &(struct plan_kmap){ .name = "unwind_tables",
							   .type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
							   .key_size = 4,
							   .value_size = 4,
							   .max_entries = UNWIND_FILES,
							   .inner_value_size = 8 });
	p->unwind_files = add_map(p, &(struct plan_kmap){ .name = "unwind_files",
							  .type = BPF_MAP_TYPE_HASH,
							  .key_size = UNWIND_KEY_SIZE,
							  .value_size = UNWIND_VALUE_SIZE,
							  .max_entries = UNWIND_FILES });
}

static ref user_register(struct unit *u, ref regs, const char *name)
{
	const struct arch_reg *reg = arch_find_reg(&arch_host, name);

	return ir_load(&u->b, 8, regs, reg ? (int32_t)reg->off : 0);
}

/* The registers that the process was left with: at a probe in its own code the context. */
static ref user_registers(struct unit *u)
{
	struct irb *b = &u->b;

	if (u->group->provider->flags & PV_USER && u->group->prog_type == BPF_PROG_TYPE_KPROBE)
		return u->ctx;
	return ir_call(b, BPF_FUNC_task_pt_regs, 1,
		       ir_call(b, BPF_FUNC_get_current_task_btf, 0));
}

static void begin_walk(struct unit *u, struct walk *w, uint32_t depth)
{
	struct irb *b = &u->b;
	ref regs = user_registers(u);

	set(w, W_PC, user_register(u, regs, "ip"));
	set(w, W_SP, user_register(u, regs, "sp"));
	set(w, W_BP, user_register(u, regs, "bp"));
	set(w, W_N, num(w, 0));
	set(w, W_STATUS, num(w, WALKING));
	set(w, W_BACK, num(w, 0));
	set(w, W_SIZE, num(w, 0));
	set(w, W_KEY, ir_bin(b, OP_OR, lower_pid_above(u), num(w, UNWIND_KEY_BITS)));
	ir_zero(b, w->s, W_FRAMES, depth * 8);
}

struct unwound unwind_lower(struct unit *u, const struct expr *e)
{
	struct irb *b = &u->b;
	uint32_t depth = e->type->depth, counter;
	struct walk w = { .b = b };
	blkid early = ir_block(b), done = ir_block(b);

	need_maps(u->c->plan);
	/* Never on the stack, where a frame's place would have to be known. */
	w.s = ir_slot(b, W_FRAMES + (depth < 64 ? 64 : depth) * 8);
	begin_walk(u, &w, depth);
	ref context = ir_slot(b, 8);
	ir_store(b, 8, context, 0, w.s);
	uint32_t func = make_step(u, depth);
	ir_call(b, BPF_FUNC_loop, 4, num(&w, depth), ir_func(b, func), context, num(&w, 0));

	ref status = get(&w, W_STATUS);
	counter = counter_new(u, COUNT_UNWIND, e->span, NULL, false);
	ir_br(b, ir_bin(b, OP_EQ, status, num(&w, ENDED_EARLY)), early, done);
	ir_start(b, early);
	count_failure(u, counter, num(&w, 0));
	ir_jmp(b, done);
	ir_start(b, done);
	return (struct unwound){ plus(&w, w.s, W_FRAMES), get(&w, W_N),
				 ir_bin(b, OP_EQ, status, num(&w, UNKNOWN_PROCESS)) };
}

/* --- whether --- */

static enum unwind_mode mode_of(const struct unit *u)
{
	return u->c->opt->unwind ? u->c->opt->unwind : u->c->cfg->unwind;
}

bool unwind_was_asked(const struct unit *u, const struct expr *e)
{
	return e->name[0] == 'd' || mode_of(u) == UNWIND_CFI || u->c->opt->filter.pid;
}

/* What the machine or the kernel lacks for it, or NULL. */
static const char *missing(struct unit *u)
{
	struct probe_env *env = u->c->opt->env;

	if (strcmp(arch_host.name, "x86_64") != 0)
		return "unwinding by tables is for x86_64 only";
	if (!probe_has_feature(env, "loop") || !probe_has_feature(env, "task_pt_regs"))
		return "unwinding by tables needs the helpers loop and task_pt_regs (Linux 5.17)";
	return NULL;
}

/*
 * A probe in a file: the tables of the file and its libraries are there, and the kernel can be
 * asked what any process has mapped.
 */
static bool is_in_known_file(struct unit *u)
{
	struct vma_offsets o;

	return u->group->provider->flags & PV_USER && u->target->file && can_find_vma(u, &o);
}

bool unwind_by_tables(struct unit *u, const struct expr *e, bool *ok)
{
	bool named = e->name[0] == 'd'; /* dw_ustack */
	enum unwind_mode mode = mode_of(u);
	bool follow = unwind_was_asked(u, e);
	struct vma_offsets o;
	const char *words;

	*ok = true;
	if (!named && mode == UNWIND_FP)
		return false;
	words = missing(u);
	if (!words && (follow || is_in_known_file(u))) {
		u->c->plan->unwind_follow |= follow;
		u->c->plan->unwind_each |= follow && !can_find_vma(u, &o);
		return true;
	}
	if (!named && mode == UNWIND_AUTO)
		return false;
	diag(u->c->dx, E0402_FEATURE, e->span, words);
	*ok = false;
	return false;
}
