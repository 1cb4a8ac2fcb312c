/*
 * func_info.h - the type information that the kernel wants of a program of several functions.
 *
 * It takes the address of a function only when BTF says that it is a static one, so every
 * function gets a name and the type int(void); nobody looks at more.
 */
#ifndef SCRY_KERNEL_FUNC_INFO_H
#define SCRY_KERNEL_FUNC_INFO_H

#include "base/sb.h"

#include <linux/bpf.h>
#include <stdint.h>

/*
 * Appends to btf a blob that describes n functions, the program itself first, and to info the
 * array of struct bpf_func_info for them, where funcs has their first instructions. The program
 * is called name, an identifier, and the other functions name_1 and so on.
 */
void func_info_make(const char *name, const uint32_t *funcs, uint32_t n, struct sb *btf,
		    struct sb *info);

#endif
