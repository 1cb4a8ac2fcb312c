/*
 * tracefs.h - a tracepoint's record, from the text of its `format` file.
 *
 * The file says for each field its C declaration, offset, size and sign.  Offset, size and sign
 * are the truth: a system call's argument that is declared as an int takes the 8 bytes the file
 * gives it.  The C text only tells arrays, pointers, chars and bools apart.
 */
#ifndef SCRY_TYPES_TRACEFS_H
#define SCRY_TYPES_TRACEFS_H

#include "base/err.h"
#include "types/type.h"

enum tp_kind {
	TP_PLAIN,
	TP_ARRAY,
	TP_DATA_LOC, /* u32: offset from the record's start in the low half, length in the high
		      */
	TP_REL_LOC,  /* the same, with the offset counted from the end of the word */
};

struct tp_field {
	const char *name;
	const char *decl; /* type and name as the file has them: "char prev_comm[16]" */
	const char *type; /* the C type alone; of arrays and __data_loc that of an element */
	enum tp_kind kind;
	uint32_t offset, size; /* bytes */
	uint32_t nelems;       /* TP_ARRAY: as declared, 0 if that is no number */
	bool is_signed;
	bool is_common; /* of every tracepoint (common_pid ...), not to be shown as an argument
			 */
	bool is_user;	/* marked as a pointer into user memory */
};

struct tp_format {
	struct tp_field *fields; /* in the file's order */
	uint32_t nfields;
	uint32_t size; /* end of the last field */
};

/*
 * Reads the text of a format file, which need not be terminated. Returns 0, or -EINVAL with e
 * filled in. All memory comes from the arena; nothing points into text.
 */
int tp_format_parse(struct arena *a, const char *text, size_t len, struct tp_format *out,
		    struct err *e);

/*
 * The record as a struct of that name: all fields, the common ones too. Pointers point into as,
 * or into user memory where the field is marked so.
 */
const struct type *tp_format_type(struct typetab *tt, const struct tp_format *f,
				  const char *name, enum addr_space as);

#endif
