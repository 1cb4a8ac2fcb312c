/*
 * The BTF reader on arbitrary bytes: it may refuse them, but not crash or run away.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Isrc \
 *		tests/fuzz/fuzz_btf.c libscry.a -o fuzz_btf
 *	./fuzz_btf -max_total_time=60
 *
 * Half of a mutated file's headers are wrong, so a correct one is put before the bytes: the
 * first two say where the types end and the strings begin.
 */
#include "btf_read_all.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_bytes(const void *bytes, size_t size)
{
	struct err e;
	struct btf *b = btf_from_bytes(bytes, size, NULL, &e);

	if (b)
		btf_read_all(b, 1);
	btf_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { HEADER = 24 };

	if (size < 2 || size > 4096)
		return 0;

	uint32_t body = (uint32_t)size - 2, types = (data[0] | data[1] << 8) % (body + 1) & ~3u;
	uint32_t header[] = { 0x0001eb9f, HEADER, 0, types, types, body - types };
	uint8_t *bytes = malloc(HEADER + body);

	memcpy(bytes, header, HEADER);
	memcpy(bytes + HEADER, data + 2, body);
	read_bytes(bytes, HEADER + body);
	free(bytes);

	bytes = malloc(size);
	memcpy(bytes, data, size);
	read_bytes(bytes, size);
	free(bytes);
	return 0;
}
