/*
 * smoke ROUNDS FILE...: a harness without libFuzzer.
 *
 * Hands the files to it as they are, then ROUNDS times damaged: the same damage in every run,
 * and every input is over in the time that a suite has.  libFuzzer itself is `make fuzz`.
 */
#include "base/arena.h"
#include "base/auto.h"

#include <stdint.h>
#include <string.h>

enum { INPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *data;
	size_t size;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static struct input read_input(const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	struct input in = { xcalloc(1, INPUT_MAX), 0 };

	if (f)
		in.size = fread(in.data, 1, INPUT_MAX, f);
	return in;
}

/* One change: a byte, a bit, a piece left out, doubled, or taken from another input. */
static void change(struct input *in, const struct input *other, uint32_t *seed)
{
	size_t at = in->size ? next_random(seed) % in->size : 0;
	size_t n = 1 + next_random(seed) % 16;

	switch (next_random(seed) % 5) {
	case 0:
		if (in->size)
			in->data[at] = (uint8_t)next_random(seed);
		break;
	case 1:
		if (in->size)
			in->data[at] ^= (uint8_t)(1u << next_random(seed) % 8);
		break;
	case 2:
		n = n < in->size - at ? n : in->size - at;
		memmove(in->data + at, in->data + at + n, in->size - at - n);
		in->size -= n;
		break;
	case 3:
		if (in->size + n > INPUT_MAX || at + n > in->size)
			break;
		memmove(in->data + at + n, in->data + at, in->size - at);
		in->size += n;
		break;
	default:
		if (other->size < n || at + n > in->size)
			break;
		memcpy(in->data + at, other->data + next_random(seed) % (other->size - n + 1),
		       n);
	}
}

static void run_damaged(const struct input *inputs, size_t n, uint32_t *seed)
{
	const struct input *from = &inputs[next_random(seed) % n];
	struct input in = { xcalloc(1, INPUT_MAX), from->size };

	memcpy(in.data, from->data, from->size);
	for (unsigned k = 1 + next_random(seed) % 8; k; k--)
		change(&in, &inputs[next_random(seed) % n], seed);
	LLVMFuzzerTestOneInput(in.data, in.size);
	free(in.data);
}

/* Without files, and besides them: bytes of all lengths. */
static struct input random_input(uint32_t *seed)
{
	struct input in = { xcalloc(1, INPUT_MAX), next_random(seed) % 512 };

	for (size_t i = 0; i < in.size; i++)
		in.data[i] = (uint8_t)next_random(seed);
	return in;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 0, nrandom = 32;
	size_t n = 0;
	struct input *inputs = xcalloc((size_t)argc + nrandom, sizeof(*inputs));
	uint32_t seed = 0x2545f491;

	for (int i = 2; i < argc; i++)
		inputs[n++] = read_input(argv[i]);
	while (nrandom--)
		inputs[n++] = random_input(&seed);
	for (size_t i = 0; i < n; i++)
		LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
	for (unsigned round = 0; round < rounds; round++)
		run_damaged(inputs, n, &seed);
	printf("%zu inputs, %u damaged\n", n, rounds);
	while (n--)
		free(inputs[n].data);
	free(inputs);
	return 0;
}
