/*
 * clang.h - C programs for BPF, compiled by the clang that is installed.
 */
#ifndef SCRY_CLI_CLANG_H
#define SCRY_CLI_CLANG_H

#include "base/err.h"
#include "base/sb.h"

/*
 * Compiles the C file at path; object gets the bytes of the ELF file.  What clang has to say
 * goes to standard error. Returns 0 or -errno with e filled in: -ENOENT without a clang.
 */
int clang_compile(const char *path, struct sb *object, struct err *e);

#endif
