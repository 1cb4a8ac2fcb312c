/*
 * verify.h - the inside of the verifier.
 *
 * The verifier walks every path of a program and keeps, per path, what each register and each
 * stack slot holds (struct vreg).  Where paths meet it compares with the states that went on
 * from there before: a state that allows no more than one that was proved safe needs no second
 * walk.  A state that comes round again unchanged is a loop without progress.
 *
 *	verify.c	the walk, and where it may stop
 *	verify_flow.c	functions, unreachable code, which registers are still needed
 *	verify_state.c	states: copy, compare
 *	verify_alu.c	arithmetic and comparisons
 *	verify_mem.c	loads and stores
 *	verify_call.c	helpers
 *	verify_callback.c	functions that helpers call back
 *
 * It is meant to accept only what the kernel's verifier accepts as safe
 * (kernel/bpf/verifier.c), and is stricter where that is simpler.
 */
#ifndef SCRY_VM_VERIFY_H
#define SCRY_VM_VERIFY_H

#include "vm/range.h"
#include "vm/vm.h"

enum {
	V_SLOTS = BPF_STACK_SIZE / 8,
	V_MAX_REFS = 16,
	V_MAX_VISITS = 1000000,
	V_MAX_OFFSET = 1 << 29, /* of a pointer, as in the kernel */
	V_MAX_PACKET = 0xffff,
};

enum vtype {
	V_NONE, /* nothing was written yet */
	V_SCALAR,
	V_CTX,
	V_STACK,
	V_MAP,
	V_FUNC,	       /* a function of the program: size is its first instruction */
	V_MAP_OR_NULL, /* of a map in a map: map is what all there are like */
	V_VALUE,
	V_VALUE_OR_NULL,
	V_KEY, /* a key of the map, read only */
	V_PACKET,
	V_PACKET_END,
	V_MEM, /* the memory of SCRY_VM_MEMORY */
	V_RECORD,
	V_RECORD_OR_NULL,
};

struct vreg {
	enum vtype type;
	uint32_t frame; /* V_STACK: whose */
	int32_t off;	/* pointers: the fixed part of the offset; the rest is in range */
	/* Pointers that are null together; packet pointers of the same base; copies of a
	 * number. */
	uint32_t id;
	uint32_t ref;  /* V_RECORD: what must be given back */
	uint32_t size; /* V_MEM, V_RECORD, V_FUNC */
	int32_t reach; /* V_PACKET: bytes from the base that are proved to be there */
	const struct vm_map *map;
	struct range range; /* the number, or the variable part of the offset */
};

/* What a byte of the stack holds. */
enum vbyte { BYTE_NONE, BYTE_DATA, BYTE_ZERO, BYTE_REG };

struct vslot {
	uint8_t bytes[8];
	struct vreg reg; /* when all bytes are BYTE_REG */
};

struct vframe {
	struct vreg regs[11];
	uint32_t ret;	       /* where the caller goes on */
	uint32_t entry;	       /* first instruction of the function */
	bool called_back;      /* by the helper called at ret */
	uint32_t callers_refs; /* called_back: records held when it was called */
	uint32_t nslots; /* those behind were never touched; only the current state has them */
	struct vslot slots[V_SLOTS]; /* slot 0 is at r10 - 8 */
};

struct vseen;

struct vstate {
	uint32_t insn;
	uint32_t nframes;
	uint32_t nrefs;
	uint32_t refs[V_MAX_REFS];
	struct vseen *parent; /* the last kept state on the way here */
	struct vframe *frames[BPF_CALL_DEPTH];
};

/* A state that was kept. */
struct vseen {
	struct vstate *state; /* NULL when it was dropped to save room, and is in no list */
	uint32_t branches;    /* ways from here that are not walked to their end */
	struct vseen *parent, *next;
};

struct verifier {
	const struct vm_prog *prog;
	struct scry_vm_verdict *verdict;
	struct arena arena; /* flow and struct vseen */
	struct vstate *cur;
	VEC(struct vstate *) pending;
	struct vseen **seen; /* per instruction */
	uint16_t *live;	     /* per instruction: registers that are read later */
	uint16_t *needed;    /* per instruction: those whose number matters */
	uint32_t *function;  /* per instruction: first instruction of its function */
	uint32_t *depth;     /* per function's first instruction: bytes of stack */
	bool *is_join;	     /* per instruction: it is reached in more than one way */
	uint32_t last_id;
	uint32_t since_kept; /* instructions since a state was kept */
};

/* Rejects at the current instruction, whose text goes in front; returns -EACCES. */
int v_reject(struct verifier *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "a scalar", "a pointer to the stack" */
const char *v_type_name(enum vtype t);

static inline struct vframe *v_frame(struct verifier *v)
{
	return v->cur->frames[v->cur->nframes - 1];
}

static inline struct vreg *v_reg(struct verifier *v, unsigned n)
{
	return &v_frame(v)->regs[n];
}

static inline bool v_is_pointer(const struct vreg *r)
{
	return r->type > V_SCALAR;
}

/*
 * verify_state.c: copies, and what vstate_pack() was called for, have only the slots that are
 * used; they can be changed and compared, and walked on once they are unpacked.
 */
struct vstate *vstate_copy(const struct vstate *s);
void vstate_pack(struct vstate *s);
void vstate_unpack(struct vstate *s);
void vstate_free(struct vstate *s);
struct vframe *vframe_new(uint32_t entry, uint32_t frame);
/* Does `is` allow nothing that `was` did not? With same: are they the same? */
bool vstate_within(const struct verifier *v, const struct vstate *is, const struct vstate *was,
		   bool same);
/*
 * A callback came back: where a number is not what it was before, any number may be there after
 * more turns.
 */
void vstate_widen(struct vstate *is, const struct vstate *was);
void vreg_scalar(struct vreg *r, struct range range);
void vreg_none(struct vreg *r);
/* Applies fn to every register and spilled register of the current state. */
void vstate_each(struct verifier *v, void (*fn)(struct vreg *r, uint32_t arg), uint32_t arg);

/* verify_flow.c: fills live, needed, function, is_join; rejects bad shapes. */
int v_flow(struct verifier *v);
/* Bytes of stack of the deepest chain of calls; rounded: as the kernel counts them. */
uint32_t v_stack_depth(struct verifier *v, bool rounded);

/* verify_alu.c */
int v_need(struct verifier *v, unsigned reg);
/* The register's number is about to be copied: copies know each other by their id. */
void v_mark_copied(struct verifier *v, unsigned reg);
int v_alu(struct verifier *v, const struct bpf_insn *p);
/* Decides a conditional jump: 0, 1, or -1 with the current state split into *taken. */
int v_branch(struct verifier *v, const struct bpf_insn *p, int *way, struct vstate **taken);

/* verify_mem.c */
int v_load(struct verifier *v, const struct bpf_insn *p);
int v_store(struct verifier *v, const struct bpf_insn *p);
int v_atomic(struct verifier *v, const struct bpf_insn *p);
/*
 * May a helper read (write: write) size bytes at the register's pointer? Reading asks for
 * initialised memory; writing a known size initialises it.
 */
int v_helper_memory(struct verifier *v, unsigned reg, uint64_t size, bool write,
		    bool known_size);

/* verify_call.c */
int v_call(struct verifier *v, const struct vm_op *op, uint32_t id);

/* verify_callback.c */
bool v_calls_back(const struct bpf_insn *p);
/*
 * The arguments of the helper are checked: one more turn enters the function; the way on,
 * without another turn, is left in *done.
 */
int v_callback_enter(struct verifier *v, const struct helper *h, struct vstate **done);
/* The function of the uppermost frame ends: back at the call, which decides again. */
int v_callback_exit(struct verifier *v);

#endif
