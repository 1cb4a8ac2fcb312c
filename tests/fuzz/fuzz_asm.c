/*
 * The assembler on any text: it refuses it, or what the disassembler prints of the result, in
 * either dialect, gives the same bytes.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/asm.h"
#include "bpf/disasm.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_read(const struct bpf_insn *insns, uint32_t n, enum insn_dialect dialect)
{
	struct bpf_disasm_opts opts = { .dialect = dialect };
	auto_arena struct arena a = { 0 };
	auto_sb struct sb text = { 0 };
	struct bpf_insn *again;
	struct err e = { 0 };
	uint32_t m;

	for (uint32_t i = 0; i < n;) {
		i += bpf_disasm(&text, insns, n, i, &opts);
		sb_putc(&text, '\n');
	}
	if (bpf_asm(&a, sb_str(&text), text.len, &again, &m, &e))
		BUG("%s in what was printed:\n%s", e.msg, sb_str(&text));
	if (n != m || (n && memcmp(insns, again, n * sizeof(*insns)) != 0))
		BUG("other bytes from what was printed:\n%s", sb_str(&text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct bpf_insn *insns;
	struct err e = { 0 };
	uint32_t n;

	if (bpf_asm(&a, (const char *)data, size, &insns, &n, &e))
		return 0;
	print_and_read(insns, n, INSN_KERNEL);
	print_and_read(insns, n, INSN_MNEMONIC);
	return 0;
}
