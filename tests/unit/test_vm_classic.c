/*
 * Classic BPF: what is no filter, its text, and its meaning: random filters on random packets
 * give the same by our interpreter, translated on the machine (interpreter and JIT), and in the
 * kernel's own translation.
 */
#include "base/auto.h"
#include "bpf/classic.h"
#include "scry_vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t seed = 0x123456789abcdefull;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % below;
}

static void bad_filters_are_refused(void **state)
{
	(void)state;
	static const struct {
		struct sock_filter insns[2];
		uint32_t n;
		const char *words;
	} CASES[] = {
		{ { { BPF_LD | BPF_IMM, 0, 0, 1 } }, 1, "ends with ret" },
		{ { { 0xffff, 0, 0, 1 }, { BPF_RET | BPF_K } }, 2, "unknown opcode" },
		{ { { BPF_JMP | BPF_JA, 0, 0, 1 }, { BPF_RET | BPF_K } }, 2, "jumps out" },
		{ { { BPF_JMP | BPF_JEQ, 0, 1, 1 }, { BPF_RET | BPF_K } }, 2, "jumps out" },
		{ { { BPF_ST, 0, 0, 16 }, { BPF_RET | BPF_K } }, 2, "16 memory slots" },
		{ { { BPF_ALU | BPF_DIV, 0, 0, 0 }, { BPF_RET | BPF_K } }, 2, "divides by 0" },
		{ { { BPF_ALU | BPF_LSH, 0, 0, 32 }, { BPF_RET | BPF_K } }, 2, "shifts by 32" },
		{ { { 0 } }, 0, "0 instructions" },
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct err e = { 0 };

		assert_int_equal(classic_check(CASES[i].insns, CASES[i].n, &e), -EINVAL);
		if (!strstr(e.msg, CASES[i].words))
			fail_msg("'%s' and not '%s'", e.msg, CASES[i].words);
	}
}

static void numbers_come_back(void **state)
{
	(void)state;
	static const char TEXT[] = "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n";
	auto_arena struct arena a = { 0 };
	auto_sb struct sb out = { 0 };
	struct sock_filter *insns;
	struct err e = { 0 };
	uint32_t n;

	assert_int_equal(classic_read(&a, TEXT, strlen(TEXT), &insns, &n, &e), 0);
	classic_print_numbers(&out, insns, n);
	assert_string_equal(sb_str(&out), TEXT);
	sb_clear(&out);
	classic_disasm(&out, insns, 1);
	assert_string_equal(sb_str(&out), "(001) jeq      #0x800           jt 2\tjf 3");
	assert_int_equal(classic_read(&a, "2\n6 0 0 0\n", 10, &insns, &n, &e), -EINVAL);
}

enum { NMEMORY = 4 }; /* codes that need memory slots, and so a stack */

static void random_filter(struct sock_filter *f, uint32_t n, bool slots)
{
	static const uint16_t CODES[] = {
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_MEM,
		BPF_ST,
		BPF_STX,
		BPF_LD | BPF_IMM,
		BPF_LDX | BPF_IMM,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LDX | BPF_W | BPF_LEN,
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_IND,
		BPF_LD | BPF_H | BPF_IND,
		BPF_LD | BPF_B | BPF_IND,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_ALU | BPF_NEG,
		BPF_JMP | BPF_JA,
		BPF_JMP | BPF_JEQ,
		BPF_JMP | BPF_JGT | BPF_X,
		BPF_JMP | BPF_JSET,
		BPF_JMP | BPF_JGE,
		BPF_JMP | BPF_JEQ | BPF_X,
		BPF_ALU | BPF_ADD,
		BPF_ALU | BPF_SUB | BPF_X,
		BPF_ALU | BPF_MUL | BPF_X,
		BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_MOD | BPF_X,
		BPF_ALU | BPF_DIV,
		BPF_ALU | BPF_AND,
		BPF_ALU | BPF_OR | BPF_X,
		BPF_ALU | BPF_XOR | BPF_X,
		BPF_ALU | BPF_LSH | BPF_X,
		BPF_ALU | BPF_RSH | BPF_X,
		BPF_ALU | BPF_RSH,
		BPF_JMP | BPF_JSET | BPF_X,
	};

	for (uint32_t i = 0; i + 1 < n; i++) {
		uint32_t left = n - i - 1;
		unsigned first = slots ? 0 : NMEMORY;
		uint16_t code = CODES[first + pick(sizeof(CODES) / sizeof(*CODES) - first)];
		uint32_t k = pick(4) ? pick(24) : (uint32_t)seed;

		if (BPF_CLASS(code) == BPF_ST || BPF_CLASS(code) == BPF_STX ||
		    (BPF_CLASS(code) <= BPF_LDX && BPF_MODE(code) == BPF_MEM))
			k %= 16;
		if (BPF_CLASS(code) <= BPF_LDX &&
		    (BPF_MODE(code) == BPF_ABS || BPF_MODE(code) == BPF_MSH))
			k %= 66;
		if (BPF_CLASS(code) == BPF_ALU && BPF_SRC(code) == BPF_K)
			k = 1 + k % 31;
		if (code == (BPF_JMP | BPF_JA))
			k %= left;
		f[i] = (struct sock_filter){ code, (uint8_t)pick(left), (uint8_t)pick(left),
					     k };
		if (BPF_CLASS(code) != BPF_JMP)
			f[i].jt = f[i].jf = 0;
	}
	f[n - 1] = (struct sock_filter){ BPF_RET | (pick(4) ? BPF_A : BPF_K), 0, 0, 77 };
}

static uint32_t run_translated(struct scry_vm *vm, int prog, const uint8_t *data,
			       uint32_t caplen, uint32_t len, unsigned flags)
{
	uint32_t skb[48] = { len };
	struct scry_vm_input in = { .mem = skb,
				    .mem_size = sizeof(skb),
				    .packet = data,
				    .packet_size = caplen,
				    .flags = flags };
	struct scry_vm_result out;

	if (scry_vm_run(vm, prog, &in, &out))
		fail_msg("%s", out.words);
	return (uint32_t)out.r0;
}

/* The kernel takes a shift's count modulo 32; libpcap, and so we, shift everything out. */
static bool shifts_by_x(const struct sock_filter *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (f[i].code == (BPF_ALU | BPF_LSH | BPF_X) ||
		    f[i].code == (BPF_ALU | BPF_RSH | BPF_X))
			return true;
	}
	return false;
}

/*
 * The kernel's answer: how much of a datagram a filtered socket receives. Returns false where
 * the filter is not for the kernel, which wants memory slots written before they are read.
 */
static bool kernel_verdict(struct sock_filter *f, uint32_t n, const uint8_t *data, uint32_t len,
			   uint32_t *received)
{
	struct sock_fprog prog = { (unsigned short)n, f };
	uint8_t buffer[128];
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	bool attached = !setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
	*received = 0;
	if (attached && send(fds[0], data, len, MSG_DONTWAIT) == (ssize_t)len) {
		ssize_t got = recv(fds[1], buffer, sizeof(buffer), MSG_DONTWAIT);
		*received = got > 0 ? (uint32_t)got : 0;
	}
	close(fds[0]);
	close(fds[1]);
	return attached;
}

/* Compiled without checks; tells whether that made it a plain function. */
static bool check_unchecked(struct scry_vm *vm, int prog, const uint8_t *data, uint32_t want)
{
	uint32_t skb[48] = { 64 };

	assert_int_equal(scry_vm_jit(vm, prog, SCRY_VM_UNSAFE), 0);
	scry_vm_function fn = scry_vm_jit_function(vm, prog);
	assert_int_equal(run_translated(vm, prog, data, 64, 64, SCRY_VM_UNSAFE), want);
	for (uint32_t cut = 0; fn && cut <= 64; cut += 8) {
		struct scry_vm_result out;
		struct scry_vm_input in = { .mem = skb,
					    .mem_size = sizeof(skb),
					    .packet = data,
					    .packet_size = cut,
					    .flags = SCRY_VM_INTERPRET };

		assert_int_equal(scry_vm_run(vm, prog, &in, &out), 0);
		assert_int_equal(fn(skb, sizeof(skb), data, cut), out.r0);
	}
	assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
	return fn;
}

static void all_executors_agree(void **state)
{
	(void)state;
	static const struct scry_vm_program SOCKET = { "filter", SCRY_VM_SOCKET, 0 };
	unsigned by_kernel = 0, functions = 0, safe = 0;
	struct scry_vm_verdict verdict;

	for (unsigned round = 0; round < 6000; round++) {
		auto_arena struct arena a = { 0 };
		struct sock_filter f[32];
		struct bpf_insn *insns;
		struct err e = { 0 };
		uint8_t data[64];
		uint32_t n = 2 + pick(30), translated, received;

		random_filter(f, n, round % 2);
		if (classic_check(f, n, &e))
			fail_msg("%s", e.msg);
		assert_int_equal(classic_translate(&a, f, n, &insns, &translated, &e), 0);
		struct scry_vm *vm = scry_vm_new();
		int prog = scry_vm_load(vm, insns, translated, &SOCKET);
		if (prog < 0)
			fail_msg("%s", scry_vm_error(vm));
		/* Among others: no register is read that was not written. */
		if (!scry_vm_verify(vm, prog, &verdict))
			safe++;
		else if (!strstr(verdict.words, "is never reached"))
			fail_msg("%s", verdict.words);
		assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
		for (unsigned packet = 0; packet < 4; packet++) {
			for (unsigned i = 0; i < 64; i++)
				data[i] = (uint8_t)pick(packet ? 256 : 4);
			uint32_t want = classic_run(f, data, 64, 64);
			assert_int_equal(run_translated(vm, prog, data, 64, 64, 0), want);
			assert_int_equal(
				run_translated(vm, prog, data, 64, 64, SCRY_VM_INTERPRET),
				want);
			functions += check_unchecked(vm, prog, data, want);
			if (packet || shifts_by_x(f, n) ||
			    !kernel_verdict(f, n, data, 64, &received))
				continue;
			assert_int_equal(received, want < 64 ? want : 64);
			by_kernel++;
		}
		scry_vm_free(vm);
	}
	/* Half of the filters have no slots; each packet of each is run. */
	assert_true(functions >= 3000 * 4);
	assert_true(safe > 1500);
	print_message("%u filters also by the kernel\n", by_kernel);
}

/* What the checker lets through, the interpreter knows. */
static void every_instruction_runs(void **state)
{
	(void)state;
	static const uint8_t PACKET[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	unsigned known = 0;

	for (unsigned code = 0; code <= UINT16_MAX; code++) {
		struct sock_filter f[] = { { (uint16_t)code, 0, 0, 0 },
					   { BPF_RET | BPF_K, 0, 0, 9 } };
		bool by_0 = code == (BPF_ALU | BPF_DIV) || code == (BPF_ALU | BPF_MOD);
		struct err e = { 0 };

		f[0].k = by_0; /* a constant 0 is refused */
		if (classic_check(f, 2, &e))
			continue;
		known++;
		/* x is 0: division by it ends the filter. */
		uint32_t want = code == (BPF_RET | BPF_K) || code == (BPF_RET | BPF_A) ||
						code == (BPF_ALU | BPF_DIV | BPF_X) ||
						code == (BPF_ALU | BPF_MOD | BPF_X)
					? 0
					: 9;
		assert_int_equal(classic_run(f, PACKET, sizeof(PACKET), sizeof(PACKET)), want);
	}
	assert_int_equal(known, 49);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_filters_are_refused),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(all_executors_agree),
		cmocka_unit_test(every_instruction_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
