#include "cli/machine_code.h"

#include <dlfcn.h>

/* In a static program there is nothing that could load a library. */
#pragma weak dlopen
#pragma weak dlsym

/* Of capstone.h, versions 4 and 5: where struct cs_insn has its size, bytes and texts. */
enum {
	CS_ARCH_X86 = 3,
	CS_MODE_64 = 1 << 3,
	INSN_SIZE = 16,
	INSN_BYTES = 18,
};

bool machine_code_open(struct machine_code *mc)
{
	void *lib = dlopen ? dlopen("libcapstone.so.4", RTLD_NOW) : NULL;
	bool is_4 = lib;

	if (!lib && dlopen)
		lib = dlopen("libcapstone.so.5", RTLD_NOW);
	if (!lib)
		return false;
	int (*open)(int arch, int mode, size_t *handle) =
		(int (*)(int, int, size_t *))dlsym(lib, "cs_open");
	*(void **)&mc->disasm = dlsym(lib, "cs_disasm");
	*(void **)&mc->free = dlsym(lib, "cs_free");
	mc->mnemonic = is_4 ? 34 : 42;
	mc->operands = mc->mnemonic + 32;
	mc->stride = is_4 ? 240 : 248;
	return open && mc->disasm && mc->free && !open(CS_ARCH_X86, CS_MODE_64, &mc->handle);
}

void machine_code_each(const struct machine_code *mc, const uint8_t *code, size_t size,
		       uint64_t address,
		       void (*fn)(void *arg, uint64_t at, const uint8_t *bytes, size_t n,
				  const char *name, const char *operands),
		       void *arg)
{
	void *insns = NULL;
	size_t n = mc->disasm(mc->handle, code, size, address, 0, &insns);

	for (size_t i = 0; i < n; i++) {
		const uint8_t *insn = (const uint8_t *)insns + i * mc->stride;

		fn(arg, *(const uint64_t *)(insn + 8), insn + INSN_BYTES,
		   *(const uint16_t *)(insn + INSN_SIZE), (const char *)insn + mc->mnemonic,
		   (const char *)insn + mc->operands);
	}
	if (n)
		mc->free(insns, n);
}

static void print_one(void *out, uint64_t at, const uint8_t *bytes, size_t n, const char *name,
		      const char *operands)
{
	sb_printf(out, "%8llx: ", (unsigned long long)at);
	for (size_t i = 0; i < n; i++)
		sb_printf(out, "%02x ", bytes[i]);
	sb_fill(out, ' ', 34 - 3 * (long)n);
	sb_printf(out, "%s %s\n", name, operands);
}

void machine_code_print(const struct machine_code *mc, struct sb *out, const uint8_t *code,
			size_t size, uint64_t address)
{
	machine_code_each(mc, code, size, address, print_one, out);
}
