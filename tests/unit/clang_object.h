/*
 * clang_object.h - an object file for BPF, made of C by clang where there is one.
 */
#ifndef TESTS_UNIT_CLANG_OBJECT_H
#define TESTS_UNIT_CLANG_OBJECT_H

#include "base/sb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* Appends the object file to out; false without a compiler. */
static bool compile(const char *source, struct sb *out)
{
	char dir[] = "/tmp/test_object.XXXXXX", command[256], path[64], chunk[4096];
	size_t n;

	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof(command),
		 "clang -target bpf -O2 -g -x c -c -o %s/o - 2>/dev/null", dir);
	FILE *cc = popen(command, "w");
	fputs(source, cc);
	bool ok = !pclose(cc);
	snprintf(path, sizeof(path), "%s/o", dir);
	FILE *f = ok ? fopen(path, "re") : NULL;
	while (f && (n = fread(chunk, 1, sizeof(chunk), f)))
		sb_write(out, chunk, n);
	if (f)
		fclose(f);
	unlink(path);
	rmdir(dir);
	return f;
}

#endif
