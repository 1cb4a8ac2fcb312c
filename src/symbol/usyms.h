/*
 * usyms.h - addresses in processes to names.
 *
 * What a process has mapped is read from /proc when the process is first heard of, and kept:
 * its addresses have names also when it has ended.  Somebody who watches processes
 * (procwatch.h) adds what is mapped later; otherwise /proc is read again when an address is in
 * none of the mappings known, or the process has executed another program.  Files are opened
 * through the process itself, so that a container's or a replaced file is the right one.
 *
 * Of code without a file, perf-PID.map tells the functions.  Names of C++ and Rust are made
 * readable.  At most USYMS_PROCESSES are kept, fewer, but USYMS_ALWAYS, when they have much
 * mapped; those not asked for longest go first.
 */
#ifndef SCRY_SYMBOL_USYMS_H
#define SCRY_SYMBOL_USYMS_H

#include "symbol/procmaps.h"

enum { USYMS_PROCESSES = 32768, USYMS_ALWAYS = 8192 };

struct usyms;

struct usym {
	const char *name;   /* NULL: only the module is known; good until the next lookup */
	uint64_t offset;    /* of the address from where the function begins */
	const char *module; /* the mapped file, "[vdso]" and the like; NULL: not known */
};

struct usyms_file;

/*
 * Code that a process has mapped; file is NULL when it is of none.  An empty range: the file is
 * about to be mapped by somebody.
 */
struct usyms_range {
	uint64_t start, end, offset; /* of start in the file */
	const struct usyms_file *file;
};

/* Is told what processes map. The same mapping may be told again. */
struct usyms_watcher {
	void (*mapped)(void *arg, pid_t pid, const struct usyms_range *m);
	void (*gone)(void *arg, pid_t pid); /* nothing that was told is mapped any more */
	void *arg;
};

/* Where the code at an address comes from. Strings are good as long as the usyms. */
struct usym_line {
	const char
		*name; /* of an inlined function; NULL: of the one that usyms_lookup() tells */
	const char *file; /* without folders */
	int line;
};

enum { USYM_LINES_MAX = 17 };

/* How files are read. */
struct usyms_how {
	const char *debug_dirs; /* see elf_debug_open() */
	bool lines;		/* usyms_lines() will be asked; it keeps files open */
	bool mangled;		/* names of C++ and Rust stay as the compilers encode them */
};

struct usyms *usyms_new(void);
/* Before the first process; what how points to must stay. */
void usyms_set(struct usyms *us, const struct usyms_how *how);
void usyms_free(struct usyms *us);
/* From now on, instead of the one before; without functions: nobody. */
void usyms_watch(struct usyms *us, const struct usyms_watcher *watcher);

/* Tells the watcher again what a process has mapped, as far as that is known. */
void usyms_tell(struct usyms *us, pid_t pid);

/* A file that processes are about to map. */
void usyms_expect(struct usyms *us, const char *path);
/* Reads what a process has mapped now, unless it has ended. */
void usyms_remember(struct usyms *us, pid_t pid);
/* The process has mapped code; it replaces what was there. */
void usyms_add_mapping(struct usyms *us, pid_t pid, const struct mapping *m);
/* The process executed another program, or is a new one: nothing is mapped. */
void usyms_start_over(struct usyms *us, pid_t pid);
/* The process has ended; its addresses keep their names. */
void usyms_ended(struct usyms *us, pid_t pid);
/* A new process has what its parent has. */
void usyms_fork(struct usyms *us, pid_t parent, pid_t pid);

/* Returns false, and an empty out, when nothing is known about the address. */
bool usyms_lookup(struct usyms *us, pid_t pid, uint64_t addr, struct usym *out);
/*
 * How often an address was looked up of a process that nothing is known of: it ended unseen, or
 * had to go for others.
 */
uint64_t usyms_unknown(const struct usyms *us);
/*
 * The source line of an address, by the debug information of the file: first of the function
 * that was inlined deepest, last of the one that has the code. is_return: the address is behind
 * the instruction meant. Returns how many there are, at most USYM_LINES_MAX.
 */
unsigned usyms_lines(struct usyms *us, pid_t pid, uint64_t addr, bool is_return,
		     struct usym_line out[USYM_LINES_MAX]);
/*
 * The build id, as hexadecimal digits, of the file that is mapped there, and the address's
 * place in that file. NULL when there is none, or it is not known.
 */
const char *usyms_build_id(struct usyms *us, pid_t pid, uint64_t addr, uint64_t *place);

#endif
