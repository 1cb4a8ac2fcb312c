/*
 * Types of a program as C writes them.
 */
#include "types/dwarf.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

static void print_type(Dwarf_Die *die, bool has_type, struct sb *out, int depth);

static void print_target(Dwarf_Die *die, struct sb *out, int depth)
{
	Dwarf_Die target;
	bool has_type = die_ref(die, DW_AT_type, &target);

	print_type(&target, has_type, out, depth + 1);
}

/* "const char *", but "char *const" */
static void print_qualified(Dwarf_Die *die, const char *word, struct sb *out, int depth)
{
	Dwarf_Die target;
	bool is_ptr =
		die_ref(die, DW_AT_type, &target) && dwarf_tag(&target) == DW_TAG_pointer_type;

	if (!is_ptr)
		sb_printf(out, "%s ", word);
	print_target(die, out, depth);
	if (is_ptr)
		sb_puts(out, word);
}

static void print_pointer(Dwarf_Die *die, const char *mark, struct sb *out, int depth)
{
	size_t before = out->len;

	print_target(die, out, depth);
	if (out->len > before && !strchr("*&", sb_str(out)[out->len - 1]))
		sb_putc(out, ' ');
	sb_puts(out, mark);
}

static void print_array(Dwarf_Die *die, struct sb *out, int depth)
{
	Dwarf_Die range;

	print_target(die, out, depth);
	if (!die_first(die, &range))
		return;
	do {
		uint64_t upper = die_number(&range, DW_AT_upper_bound, UINT64_MAX);
		uint64_t n = die_number(&range, DW_AT_count, upper + 1);

		if (n)
			sb_printf(out, "[%lu]", n);
		else
			sb_puts(out, "[]");
	} while (die_next(&range));
}

static void print_tagged(Dwarf_Die *die, const char *keyword, struct sb *out)
{
	const char *name = die_name(die);

	sb_puts(out, keyword);
	sb_puts(out, name ? name : "{...}");
}

static void print_type(Dwarf_Die *die, bool has_type, struct sb *out, int depth)
{
	if (!has_type || depth > DEPTH_MAX) {
		sb_puts(out, "void");
		return;
	}
	switch (dwarf_tag(die)) {
	case DW_TAG_pointer_type: print_pointer(die, "*", out, depth); break;
	case DW_TAG_reference_type: print_pointer(die, "&", out, depth); break;
	case DW_TAG_rvalue_reference_type: print_pointer(die, "&&", out, depth); break;
	case DW_TAG_const_type: print_qualified(die, "const", out, depth); break;
	case DW_TAG_volatile_type: print_qualified(die, "volatile", out, depth); break;
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type: print_target(die, out, depth); break;
	case DW_TAG_array_type: print_array(die, out, depth); break;
	case DW_TAG_structure_type: print_tagged(die, "struct ", out); break;
	case DW_TAG_class_type: print_tagged(die, "class ", out); break;
	case DW_TAG_union_type: print_tagged(die, "union ", out); break;
	case DW_TAG_enumeration_type: print_tagged(die, "enum ", out); break;
	case DW_TAG_subroutine_type: print_tagged(die, "function ", out); break;
	default: print_tagged(die, "", out); break;
	}
}

void dwarf_print_type_of(Dwarf_Die *die, struct sb *out)
{
	print_target(die, out, 0);
}
