/*
 * Runs the instruction vectors in tests/bpf/ by interpreter, by JIT (blinded, too) and, where
 * it may load programs, by the kernel: all must give the result that the vector states.
 *
 * A vector is a name ("== name"), a program in either dialect, and:
 *	-- mem 00 11 ...	the context
 *	-- r0 N			the result
 *	-- error N		the run ends with -errno N
 *	-- error load WORDS	the program is not loaded, for a reason with these words
 *	-- kernel no		not for the kernel
 */
#include "base/auto.h"
#include "bpf/asm.h"
#include "scry_vm.h"
#include "vm_kernel.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct vector {
	char name[128];
	struct sb text;
	uint8_t mem[256];
	size_t mem_size;
	uint64_t r0;
	int error;
	char load_error[128];
	bool not_kernel;
};

static unsigned kernel_runs;

static void read_mem(struct vector *v, const char *p)
{
	unsigned byte;
	int n;

	for (v->mem_size = 0; sscanf(p, "%2x%n", &byte, &n) == 1; p += n)
		v->mem[v->mem_size++] = (uint8_t)byte;
}

static void read_directive(struct vector *v, const char *line)
{
	if (!strncmp(line, "-- mem ", 7))
		read_mem(v, line + 7);
	else if (!strncmp(line, "-- r0 ", 6))
		v->r0 = strtoull(line + 6, NULL, 0);
	else if (!strncmp(line, "-- error load ", 14))
		snprintf(v->load_error, sizeof(v->load_error), "%.*s",
			 (int)strcspn(line + 14, "\n"), line + 14);
	else if (!strncmp(line, "-- error ", 9))
		v->error = atoi(line + 9);
	else if (!strncmp(line, "-- kernel no", 12))
		v->not_kernel = true;
	else
		fail_msg("%s: what is '%s'?", v->name, line);
}

static const char *executor(unsigned flags)
{
	return flags & SCRY_VM_INTERPRET ? "interpreter"
	       : flags & SCRY_VM_BLIND	 ? "JIT, blinded"
					 : "JIT";
}

static void check_run(struct scry_vm *vm, int prog, const struct vector *v, unsigned flags)
{
	uint8_t mem[sizeof(v->mem)];
	struct scry_vm_input in = { .mem = v->mem_size ? mem : NULL,
				    .mem_size = v->mem_size,
				    .flags = flags,
				    .steps = 1000000 };
	struct scry_vm_result out;

	memcpy(mem, v->mem, sizeof(mem));
	int ret = scry_vm_run(vm, prog, &in, &out);
	if (ret != v->error)
		fail_msg("%s (%s): %d %s", v->name, executor(flags), ret, out.words);
	if (!ret && out.r0 != v->r0)
		fail_msg("%s (%s): r0 is 0x%llx, not 0x%llx", v->name, executor(flags),
			 (unsigned long long)out.r0, (unsigned long long)v->r0);
}

static void check_kernel(const struct vector *v, const struct bpf_insn *insns, uint32_t n)
{
	struct sb log = { 0 };
	uint64_t r0;

	int ret = vm_kernel_run(insns, n, v->mem, v->mem_size, &r0, &log);
	if (ret == -EPERM)
		return;
	kernel_runs++;
	if (ret)
		fail_msg("%s (kernel): %d\n%s", v->name, ret, sb_str(&log));
	sb_free(&log);
	if (r0 != v->r0)
		fail_msg("%s (kernel): r0 is 0x%llx, not 0x%llx", v->name,
			 (unsigned long long)r0, (unsigned long long)v->r0);
}

static void check_vector(const struct vector *v)
{
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };
	struct bpf_insn *insns;
	uint32_t n;

	if (bpf_asm(&a, sb_str(&v->text), v->text.len, &insns, &n, &e))
		fail_msg("%s: %s", v->name, e.msg);

	struct scry_vm *vm = scry_vm_new();
	int prog = scry_vm_load(vm, insns, n, NULL);
	if (v->load_error[0]) {
		assert_true(prog < 0);
		if (!strstr(scry_vm_error(vm), v->load_error))
			fail_msg("%s: '%s'", v->name, scry_vm_error(vm));
	} else {
		if (prog < 0)
			fail_msg("%s: %s", v->name, scry_vm_error(vm));
		check_run(vm, prog, v, SCRY_VM_INTERPRET);
		assert_int_equal(scry_vm_jit(vm, prog, 0), 0);
		check_run(vm, prog, v, 0);
		assert_int_equal(scry_vm_jit(vm, prog, SCRY_VM_BLIND), 0);
		check_run(vm, prog, v, SCRY_VM_BLIND);
		if (!v->not_kernel && !v->error)
			check_kernel(v, insns, n);
	}
	scry_vm_free(vm);
}

static void run_file(const char *path, unsigned *count)
{
	auto_fclose FILE *f = fopen(path, "re");
	struct vector v = { 0 };
	char line[512];

	assert_non_null(f);
	for (;;) {
		bool more = fgets(line, sizeof(line), f);

		if (v.name[0] && (!more || !strncmp(line, "== ", 3))) {
			check_vector(&v);
			sb_free(&v.text);
			++*count;
		}
		if (!more)
			return;
		if (!strncmp(line, "== ", 3)) {
			v = (struct vector){ 0 };
			snprintf(v.name, sizeof(v.name), "%s: %.*s", strrchr(path, '/') + 1,
				 (int)strcspn(line + 3, "\n"), line + 3);
		} else if (!strncmp(line, "-- ", 3)) {
			read_directive(&v, line);
		} else if (v.name[0]) {
			sb_puts(&v.text, line);
		}
	}
}

static void all_executors_agree_on_every_vector(void **state)
{
	(void)state;
	unsigned count = 0;
	DIR *dir = opendir("tests/bpf");

	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		char path[512];

		snprintf(path, sizeof(path), "tests/bpf/%s", d->d_name);
		if (strstr(d->d_name, ".txt"))
			run_file(path, &count);
	}
	closedir(dir);
	print_message("%u vectors, %u also by the kernel\n", count, kernel_runs);
	assert_true(count > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_executors_agree_on_every_vector),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
