/*
 * unit.h - a compile in progress: what the checker, the lowering and the builtins share.
 *
 * A unit is one program to be: the body of a probe for one group of its targets.  Units of the
 * same probe have their own copies of the tree, since args.x means something else in each.
 * Maps belong to the whole script; their types grow until nothing changes any more, then one
 * last pass reports what does not fit.
 */
#ifndef SCRY_SCRIPT_UNIT_H
#define SCRY_SCRIPT_UNIT_H

#include "base/strmap.h"
#include "cfront/cfront.h"
#include "script/ast.h"
#include "script/compile.h"

struct map_sym {
	const char *name;
	const struct type *key;	  /* NULL: scalar, or not known yet */
	const struct type *value; /* NULL: nothing assigned yet */
	bool scalar, keyed;	  /* how it was used */
	struct span first, key_span, value_span;
	struct span declared; /* let @m = ...; or no place */
	bool assigned;	      /* something is, even if it could not be checked */
	bool deleted;	      /* some delete() names it: entries come and go */
	uint32_t max_entries;
	enum bpf_map_type kind; /* declared, or 0 */
	uint32_t index;		/* in plan->maps, from storage on */
	struct plan_map *plan;	/* valid during lowering */
};

struct var_sym {
	const char *name;
	const struct type *type; /* NULL: not known yet */
	bool declared_type;	 /* let $x: T */
	bool implicit;		 /* made by its first assignment, not by let */
	bool hoisted;		 /* of the whole probe, see scope.c */
	bool warned;		 /* that it is */
	unsigned empty_in;	 /* let $x; and nothing else so far, in that pass */
	unsigned pass, home;	 /* hoisted: first assigned in that pass, in that scope */
	bool assigned;
	struct span span;
	ref slot; /* lowering: its memory */
};

struct compiler {
	struct arena *arena;
	struct diags *dx;
	struct sources *sources;
	struct typetab *tt;
	const struct compile_options *opt;
	struct script_config *cfg;
	struct script *script;
	struct cfront *cf;	  /* the script's own C */
	struct strmap maps;	  /* name -> struct map_sym * */
	struct foreign *foreigns; /* functions of imported objects, see foreign.h */
	struct strmap options;	  /* what getopt() asks for; builtin/option.c knows of what */
	VEC(struct unit *) units;
	struct plan *plan;
	struct macro *prelude; /* those of its macros that were used so far */
	unsigned expansions;   /* of macros, so far: numbers for fresh names */
	bool changed;	       /* a map or variable took another type in this pass */
	bool guessing;	       /* what is computed with an unknown number is a number */
	bool final;	       /* last pass: what is wrong is reported */
	bool damaged;	       /* something could not be read: maps may be assigned in it */
	uint32_t names_kmap;   /* of the probes, one after the other; 0: not made */
	uint32_t followed_kmap, cgroup_kmap; /* filter.c's, where the filter has them */
};

/* The macros whose bodies are being checked, innermost first. */
struct macro_use {
	const struct macro_use *up;
	const struct macro *macro;
};

/* A call of a function, with the copy of the body that it runs. */
struct inlined {
	struct inlined *up; /* the call around, while this one is checked or lowered */
	const struct subprog *f;
	struct stmt *body;
	struct strmap vars;	 /* of the whole body: parameters, result, hoisted ones */
	struct var_sym **params; /* as in f */
	struct var_sym *result;	 /* NULL: it returns nothing */
	bool ok;		 /* parameters and result have types */

	/* lowering */
	unsigned depth; /* unit.depth where the call stands: in which function of BPF */
	blkid end;	/* where return goes */
};

struct scope {
	struct scope *up;
	unsigned id;
	VEC(struct var_sym *) vars; /* of this block, so far */
};

struct unit {
	struct compiler *c;
	const struct probe *probe;
	struct expr *pred;
	struct stmt *body;
	struct group *group;
	const struct target *target; /* the first of the group */
	struct shape shape;
	enum prog_when when;
	bool unplaced; /* its probe has no place: only checked, and all it has may be used */
	bool returns;  /* the script gives the program a result: return VALUE */
	uint32_t probe_base;
	struct strmap vars;   /* of the whole probe, or function */
	struct strmap closed; /* made without let in blocks that have ended, in this pass */
	struct scope *scope;
	unsigned nscopes, pass;
	int loops;
	int map_loops; /* of them, those over a map */
	int macros;    /* depth of #define in #define */
	const struct macro_use *open_macros;
	struct inlined *in; /* the innermost function around, or NULL */
	unsigned nbodies;   /* of functions, written out so far */
	int dead;	    /* branches around that are never taken: their condition is known */
	bool ended;	    /* control cannot reach the next statement */

	/* lowering */
	/* The whole program, when it is no probe of the script's. */
	void (*lower_own)(struct unit *);
	const struct target *to_watch; /* what that one is about: see watch.h */
	struct irb b;
	ref ctx;
	ref which; /* attach point id, when asked before */
	uint32_t prog_index;
	blkid exit_blk;
	blkid break_blk, continue_blk;
	VEC(struct fn *)
	fns;	     /* the program itself, then the bodies of loops that are callbacks */
	ref context; /* of the body being built, 0 in the program itself */
	unsigned depth, depth_max; /* of bodies in bodies */
	unsigned leaves;	   /* how the body being built may be left: enum leave */
	uint32_t lost_counter;
	VEC(struct foreign *) foreigns; /* what it calls, by the number in CALL_FOREIGN */
};

/* check.c: sets e->type (never NULL afterwards) and resolves names below e. */
const struct type *check_expr(struct unit *u, struct expr *e);
/* The same for one that is not read, or not before it is written. */
const struct type *check_place_of(struct unit *u, struct expr *e);
/* An expression whose value is wanted: refuses none, turns readable aggregates into numbers. */
const struct type *check_value(struct unit *u, struct expr *e);
/* Says that what needs the kernel's BTF, and why there is none. */
void no_kernel_types(struct unit *u, struct span span, const char *what, const struct err *why);
/* Says that the aggregate of that call is not assigned to a map. */
void agg_alone(struct unit *u, const struct expr *e);
/* A map that nothing is assigned to was read: says so where that is the whole story. */
void report_undefined(struct unit *u, const struct expr *e);
/* Checks a unit's predicate and body. */
void check_unit(struct unit *u);
/* check_stmt.c */
void check_stmt(struct unit *u, struct stmt *s);
void check_block(struct unit *u, struct stmt *s);
/* A kernel that does not let us ask is not needed to compile for: it lacks nothing. */
bool kernel_lacks(struct unit *u, const char *helper);
bool check_condition(struct unit *u, struct expr *e);
/* The variable gets a value of e's type, which it takes, or must fit into. */
void var_assigned(struct unit *u, struct var_sym *v, const struct expr *e);

/* check_type.c: how types meet. */
/* The type that holds values of both, or NULL. */
const struct type *unify(struct compiler *c, const struct type *a, const struct type *b);
/* The string that holds each probe's name. */
const struct type *probe_text_type(struct compiler *c);
/* A probe where text is asked for: e becomes str(e). False when e is none. */
bool probe_as_text(struct unit *u, struct expr *e);
/*
 * Of the n parts f of a tuple or record: the one that becomes part i of t, which for records is
 * the one of the same name, wherever it stands; NULL when there is none.
 */
const struct field *part_like(const struct field *f, uint32_t n, const struct type *t,
			      uint32_t i);
/* A type as maps keep it, and variables that begin with a literal: integers in 64 bits. */
const struct type *widened(struct compiler *c, const struct type *t);
/* Are two integers compared or divided as signed numbers? */
bool signed_pair(const struct type *a, const struct type *b);
/* A type of the kernel or, after them, of its modules; NULL: there is none, or no BTF. */
const struct type *kernel_type(struct compiler *c, enum c_tag tag, const char *name);
/* What a type name in the script means; NULL after reporting. */
const struct type *resolve_type(struct unit *u, const struct type_name *tn);
/* How a field of that type is seen when read: char arrays are strings. */
const struct type *read_type(struct compiler *c, const struct type *t, enum addr_space as);
const char *type_text(struct compiler *c, const struct type *t);

/* check_map.c */
struct map_sym *map_of(struct unit *u, struct expr *e);
/* Checks @m or @m[key] at a place that reads or writes it. */
struct map_sym *check_map_use(struct unit *u, struct expr *e);
void map_assigned(struct unit *u, struct map_sym *m, const struct type *t, struct span span);
/* After the last pass: decides storage and fills plan->maps and kmaps. */
void settle_maps(struct compiler *c);

/* fold.c: constant expressions, exactly. Sets is_const; reports overflow. */
void fold_unary(struct unit *u, struct expr *e);
void fold_binary(struct unit *u, struct expr *e);
/* "a" + "b", and "abc" + 1, which is "bc": e becomes the literal. False: neither. */
bool fold_text(struct unit *u, struct expr *e);
void set_const(struct compiler *c, struct expr *e, int64_t v, bool beyond_int64);

/* Is it unknown which program a probe is about, and so what its names and types may be? */
static inline bool unit_program_unknown(const struct unit *u)
{
	return u->unplaced && (u->group->provider->flags & PV_USER);
}

/* names.c: identifiers that are neither variable nor map. */
bool resolve_name(struct unit *u, struct expr *e);
/* The text of a literal or of str($N); false when e is neither. */
bool literal_text(struct unit *u, struct expr *e, const char **s, size_t *len);
/* A use whose text is known becomes that string literal. */
void become_string(struct compiler *c, struct expr *e, const char *s, size_t len);
/* A parameter's number: decimal, 0x, 0b, octal, with a sign; beyond: of int64. */
bool param_number(const char *s, int64_t *v, bool *beyond);
const struct type *check_param(struct unit *u, struct expr *e, bool as_string);

/* macro.c: a call of a macro becomes its body; e is checked afterwards. */
/* Reports those of one shape that were defined twice. */
void declare_macros(struct compiler *c);
const struct macro *macro_find(const struct unit *u, const char *name);
const struct type *expand_macro(struct unit *u, struct expr *e);
/* A call of a #define with parameters. */
const struct type *expand_c_macro(struct unit *u, struct expr *e, const struct c_macro *cm);
/* The same for a builtin that is a macro of the prelude. */
const struct type *expand_prelude(struct unit *u, struct expr *e);

/* prelude.c: the first macro of that name, the others follow it; NULL when there is none. */
const struct macro *prelude_find(struct compiler *c, const char *name);

/* subprog.c: functions of the script. */
struct subprog *subprog_find(const struct unit *u, const char *name);
/* Reports names that were given twice. */
void declare_subprogs(struct compiler *c);
const struct type *check_subprog_call(struct unit *u, struct expr *e);
void check_return(struct unit *u, struct stmt *s);
void check_uncalled(struct unit *u);

/* check_cast.c: casts, addresses, questions about types. */
const struct type *check_cast(struct unit *u, struct expr *e);
const struct type *check_address(struct unit *u, struct expr *e);
/* A type as asked for; a bare name may be one or a value: what is known decides. */
const struct type *asked_type(struct unit *u, struct expr *e);
const struct type *check_sizeof(struct unit *u, struct expr *e);
const struct type *check_offsetof(struct unit *u, struct expr *e);
/*
 * May `what`, which the language may still change, be used? how is the setting named key.
 * Reports what is refused or warned of.
 */
bool check_stable(struct compiler *c, enum unstable how, struct span span, const char *what,
		  const char *key);
const struct type *check_typeinfo(struct unit *u, struct expr *e);
/* A field of typeinfo() becomes the literal that it is, which later passes ask for again. */
bool typeinfo_part(struct unit *u, struct expr *e);
/* header.c: finds and reads a file of C, for a cfront whose arg is a struct compiler. */
bool header_open(void *arg, const struct c_header_wish *wish, struct c_header *out);

/* import.c: reads what the script imports and adds it to the script; false after errors. */
bool load_imports(struct compiler *c, const struct source *src);

/* scope.c: which variable a name is. */
struct var_sym *var_new(struct unit *u, const char *name, struct span span);
void scope_open(struct unit *u, struct scope *s);
void scope_close(struct unit *u);
/* Known from here to the end of the block. */
void scope_declare(struct unit *u, struct var_sym *v);
/* The variable that a declaration here would hide; NULL: none. */
struct var_sym *scope_find(struct unit *u, const char *name);
/* The variable that is read at a place, or NULL; warns of one whose block has ended. */
struct var_sym *scope_use(struct unit *u, const char *name, struct span span);
/* A variable that is new here is one of the whole probe. */
void scope_whole(struct unit *u, const char *name, struct span span);
/* The variable that the statement assigns to, which may make it. */
struct var_sym *scope_assign(struct unit *u, struct stmt *s);

/* Reports E0006 at a place. */
void not_yet(struct unit *u, struct span span, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
