/*
 * Programs in C (tests/verify/c), compiled by clang at three levels: our verifier takes them,
 * and whatever it takes the kernel takes, too.  Without a clang that knows BPF there is nothing
 * to do.
 */
#include "base/auto.h"
#include "bpf/object.h"
#include "scry_vm.h"
#include "vm_kernel.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned taken, by_kernel;

static int kernel_map(const struct bpf_object_map *m)
{
	union bpf_attr attr;
	uint32_t key = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = m->type;
	attr.key_size = m->key_size;
	attr.value_size = m->value_size;
	attr.max_entries = m->max_entries;
	int fd = vm_kernel_bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0 || !m->data)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)m->data;
	vm_kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	return fd;
}

static void offer(const char *name, const struct bpf_object *o, const struct bpf_object_prog *p,
		  enum bpf_prog_type type)
{
	auto_sb struct sb log = { 0 };
	int fds[8];
	size_t n = 0;

	assert_true(o->maps.len <= 8);
	vec_each(m, &o->maps)
		fds[n++] = kernel_map(m);
	for (uint32_t i = 0; i < p->n; i++) {
		if (insn_is_wide(&p->insns[i]) && p->insns[i].src_reg)
			p->insns[i].imm = fds[p->insns[i].imm - 1];
	}
	int fd = vm_kernel_load(type, p->insns, p->n, &log);
	while (n)
		close(fds[--n]);
	if (fd == -EPERM)
		return;
	if (fd < 0)
		fail_msg("%s: the kernel rejects it (%d)\n%s", name, fd, sb_str(&log));
	close(fd);
	by_kernel++;
}

static void check_object(const char *name, const void *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct scry_vm *vm = scry_vm_new();
	struct scry_vm_verdict verdict;
	struct bpf_object o = { 0 };
	struct err e = { 0 };

	if (bpf_object_read(&a, data, size, NULL, NULL, &o, &e))
		fail_msg("%s: %s", name, e.msg);
	assert_int_equal(o.progs.len, 1);
	vec_each(m, &o.maps) {
		struct scry_vm_map def = { m->type,	   m->key_size, m->value_size,
					   m->max_entries, m->flags,	.name = m->name };

		assert_true(scry_vm_map_add(vm, &def) > 0);
	}
	const struct bpf_object_prog *p = &o.progs.data[0];
	bool xdp = !strcmp(p->section, "xdp");
	struct scry_vm_program info = { p->name, xdp ? SCRY_VM_XDP : SCRY_VM_SOCKET, 0 };
	int prog = scry_vm_load(vm, p->insns, p->n, &info);
	if (prog < 0 || scry_vm_verify(vm, prog, &verdict))
		fail_msg("%s: %s", name, prog < 0 ? scry_vm_error(vm) : verdict.words);
	taken++;
	offer(name, &o, p, xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SOCKET_FILTER);
	scry_vm_free(vm);
}

static void compile_and_check(const char *dir, const char *source, const char *options)
{
	char object[64], command[256];
	static uint8_t data[1 << 18];

	snprintf(object, sizeof(object), "%s/sample.o", dir);
	snprintf(command, sizeof(command), "clang -g -target bpf %s -c %s -o %s", options,
		 source, object);
	if (system(command) != 0)
		fail_msg("%s", command);
	auto_fclose FILE *f = fopen(object, "re");
	assert_non_null(f);
	size_t n = fread(data, 1, sizeof(data), f);
	assert_true(n < sizeof(data));
	check_object(source, data, n);
	unlink(object);
}

static void compiled_programs_are_taken(void **state)
{
	static const char *const OPTIONS[] = { "-O1 -mcpu=v2", "-O2 -mcpu=v3", "-Os -mcpu=v1" };
	char dir[] = "/tmp/compiled-XXXXXX";
	glob_t g = { 0 };

	(void)state;
	if (system("echo 'int x;' | clang -target bpf -x c -c - -o /dev/null 2>/dev/null") !=
	    0) {
		print_message("no clang that compiles to BPF\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	assert_int_equal(glob("tests/verify/c/*.c", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		for (unsigned k = 0; k < sizeof(OPTIONS) / sizeof(*OPTIONS); k++)
			compile_and_check(dir, g.gl_pathv[i], OPTIONS[k]);
	}
	print_message("%u programs, %u also by the kernel\n", taken, by_kernel);
	globfree(&g);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiled_programs_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
