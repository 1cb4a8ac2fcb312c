/*
 * Classic BPF: any bytes as a filter, behind them the packet.  A filter that is one gives the
 * same by its interpreter, translated by interpreter and JIT, and as a plain function.
 */
#include "base/arena.h"
#include "base/auto.h"
#include "bpf/classic.h"
#include "scry_vm.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 48 };

static void check(uint32_t want, uint64_t got, const char *how)
{
	if (want != (uint32_t)got)
		BUG("classic: %u, %s: %u", want, how, (uint32_t)got);
}

static void run_all(struct scry_vm *vm, int prog, const uint8_t *packet, uint32_t size,
		    uint32_t want)
{
	uint32_t skb[48] = { size };
	static const struct {
		const char *how;
		unsigned jit, run;
	} WAYS[] = { { "interpreter", 0, SCRY_VM_INTERPRET },
		     { "JIT", 0, 0 },
		     { "function", SCRY_VM_UNSAFE, SCRY_VM_UNSAFE } };

	for (unsigned i = 0; i < 3; i++) {
		struct scry_vm_input in = { .mem = skb,
					    .mem_size = sizeof(skb),
					    .packet = packet,
					    .packet_size = size,
					    .flags = WAYS[i].run };
		struct scry_vm_result out;

		if (scry_vm_jit(vm, prog, WAYS[i].jit) || scry_vm_run(vm, prog, &in, &out))
			BUG("%s", out.words);
		check(want, out.r0, WAYS[i].how);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct sock_filter filter[MAX];
	struct bpf_insn *insns;
	struct err e = { 0 };
	auto_sb struct sb text = { 0 };
	uint32_t n = size ? data[0] % MAX : 0, count;

	if (!size || 1 + n * sizeof(*filter) > size)
		return 0;
	memcpy(filter, data + 1, n * sizeof(*filter));
	data += 1 + n * sizeof(*filter);
	size -= 1 + n * sizeof(*filter);
	for (uint32_t i = 0; i < n; i++)
		classic_disasm(&text, filter, i);
	if (classic_check(filter, n, &e) ||
	    classic_translate(&a, filter, n, &insns, &count, &e))
		return 0;

	struct scry_vm *vm = scry_vm_new();
	int prog = scry_vm_load(vm, insns, count,
				&(struct scry_vm_program){ "filter", SCRY_VM_SOCKET, 0 });
	if (prog < 0)
		BUG("%s", scry_vm_error(vm));
	uint8_t *packet = xcalloc(1, size + 1); /* of its very size: reads behind it are seen */
	packet = xrealloc(packet, size ? size : 1);
	memcpy(packet, data, size);
	run_all(vm, prog, packet, (uint32_t)size,
		classic_run(filter, packet, (uint32_t)size, (uint32_t)size));
	free(packet);
	scry_vm_free(vm);
	return 0;
}
