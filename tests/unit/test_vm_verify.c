/*
 * Runs the cases in tests/verify/: the verifier must accept, or reject with the given words.
 * What it accepts is offered to the kernel, which must accept it too.
 *
 * A case is a name ("== name"), a program, and:
 *	-- context socket|classifier|xdp	what the program gets (default: socket)
 *	-- map TYPE KEY VALUE ENTRIES [INNER]	map 1, 2, ...; INNER: like those inside
 *	-- helper N				a helper that the machine does not have itself
 *	-- accept | -- reject WORDS
 *	-- kernel maybe				the kernel may accept what we reject
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

struct test_case {
	char name[160];
	struct sb text;
	enum scry_vm_context context;
	struct scry_vm_map maps[4];
	unsigned nmaps;
	uint32_t helper;
	bool accept, kernel_may;
	char words[160];
};

static unsigned accepted, rejected, kernel_stricter, kernel_agreed;

static uint32_t map_type(const char *name)
{
	return !strcmp(name, "hash")		? BPF_MAP_TYPE_HASH
	       : !strcmp(name, "array")		? BPF_MAP_TYPE_ARRAY
	       : !strcmp(name, "hash_of_maps")	? BPF_MAP_TYPE_HASH_OF_MAPS
	       : !strcmp(name, "array_of_maps") ? BPF_MAP_TYPE_ARRAY_OF_MAPS
	       : !strcmp(name, "ringbuf")	? BPF_MAP_TYPE_RINGBUF
						: 0;
}

static void read_directive(struct test_case *t, const char *line)
{
	char word[32];
	struct scry_vm_map *m = &t->maps[t->nmaps];

	if (sscanf(line, "-- context %31s", word) == 1)
		t->context = !strcmp(word, "xdp")	   ? SCRY_VM_XDP
			     : !strcmp(word, "classifier") ? SCRY_VM_CLASSIFIER
							   : SCRY_VM_SOCKET;
	else if (sscanf(line, "-- map %31s %u %u %u %d", word, &m->key_size, &m->value_size,
			&m->max_entries, &m->inner) >= 4)
		t->maps[t->nmaps++].type = map_type(word);
	else if (sscanf(line, "-- helper %u", &t->helper) == 1)
		return;
	else if (!strncmp(line, "-- accept", 9))
		t->accept = true;
	else if (sscanf(line, "-- reject %159[^\n]", t->words) == 1)
		t->accept = false;
	else if (!strncmp(line, "-- kernel maybe", 15))
		t->kernel_may = true;
	else
		fail_msg("%s: what is '%s'?", t->name, line);
}

static int kernel_map(const struct scry_vm_map *m, const int *fds)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = m->type;
	attr.key_size = m->key_size;
	attr.value_size = m->value_size;
	attr.max_entries = m->max_entries;
	if (m->inner)
		attr.inner_map_fd = (uint32_t)fds[m->inner - 1];
	return vm_kernel_bpf(BPF_MAP_CREATE, &attr);
}

/* Loads into the kernel with its maps in place of numbers; returns its answer. */
static int offer(const struct test_case *t, struct bpf_insn *insns, uint32_t n, struct sb *log)
{
	static const enum bpf_prog_type TYPES[] = {
		[SCRY_VM_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER,
		[SCRY_VM_CLASSIFIER] = BPF_PROG_TYPE_SCHED_CLS,
		[SCRY_VM_XDP] = BPF_PROG_TYPE_XDP,
	};
	int fds[4] = { -1, -1, -1, -1 };

	for (unsigned i = 0; i < t->nmaps; i++)
		fds[i] = kernel_map(&t->maps[i], fds);
	for (uint32_t i = 0; i < n; i++) {
		if (insn_is_wide(&insns[i]) && insns[i].src_reg &&
		    insns[i].src_reg != BPF_PSEUDO_FUNC)
			insns[i].imm = fds[insns[i].imm - 1];
	}
	int fd = vm_kernel_load(TYPES[t->context], insns, n, log);
	for (unsigned i = 0; i < t->nmaps; i++)
		close(fds[i]);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void compare_with_kernel(const struct test_case *t, struct bpf_insn *insns, uint32_t n,
				bool we_accept)
{
	auto_sb struct sb log = { 0 };
	int ret = offer(t, insns, n, &log);

	if (ret == -EPERM)
		return;
	if (we_accept && ret)
		fail_msg("%s: the kernel rejects it (%d):\n%s", t->name, ret, sb_str(&log));
	if (!we_accept && !ret && !t->kernel_may)
		fail_msg("%s: the kernel accepts it", t->name);
	kernel_stricter += !we_accept && !ret;
	kernel_agreed += we_accept == !ret;
}

static uint64_t any_helper(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
			   struct scry_vm_run *run)
{
	(void)r1, (void)r2, (void)r3, (void)r4, (void)r5, (void)run;
	return 0;
}

static void check_case(const struct test_case *t)
{
	auto_arena struct arena a = { 0 };
	struct scry_vm_verdict verdict;
	struct scry_vm_program info = { .context = t->context };
	struct err e = { 0 };
	struct bpf_insn *insns;
	uint32_t n;

	if (bpf_asm(&a, sb_str(&t->text), t->text.len, &insns, &n, &e))
		fail_msg("%s: %s", t->name, e.msg);
	struct scry_vm *vm = scry_vm_new();
	for (unsigned i = 0; i < t->nmaps; i++)
		assert_true(scry_vm_map_add(vm, &t->maps[i]) > 0);
	if (t->helper)
		scry_vm_helper_add(vm, t->helper, "test", any_helper, 0);
	int prog = scry_vm_load(vm, insns, n, &info);
	if (prog < 0)
		fail_msg("%s: %s", t->name, scry_vm_error(vm));

	scry_vm_verify(vm, prog, &verdict);
	if (verdict.accepted != t->accept)
		fail_msg("%s: %s %s", t->name,
			 verdict.accepted ? "accepted" : "rejected:", verdict.words);
	if (!t->accept && !strstr(verdict.words, t->words))
		fail_msg("%s: '%s' and not '%s'", t->name, verdict.words, t->words);
	accepted += t->accept;
	rejected += !t->accept;
	compare_with_kernel(t, insns, n, t->accept);
	scry_vm_free(vm);
}

static void run_file(const char *path)
{
	auto_fclose FILE *f = fopen(path, "re");
	struct test_case t = { 0 };
	char line[512];

	assert_non_null(f);
	for (;;) {
		bool more = fgets(line, sizeof(line), f);

		if (t.name[0] && (!more || !strncmp(line, "== ", 3))) {
			check_case(&t);
			sb_free(&t.text);
		}
		if (!more)
			return;
		if (!strncmp(line, "== ", 3)) {
			t = (struct test_case){ .context = SCRY_VM_SOCKET };
			snprintf(t.name, sizeof(t.name), "%s: %.*s", strrchr(path, '/') + 1,
				 (int)strcspn(line + 3, "\n"), line + 3);
		} else if (!strncmp(line, "-- ", 3)) {
			read_directive(&t, line);
		} else if (t.name[0]) {
			sb_puts(&t.text, line);
		}
	}
}

static void every_case_has_its_verdict(void **state)
{
	(void)state;
	DIR *dir = opendir("tests/verify");

	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));) {
		char path[512];

		snprintf(path, sizeof(path), "tests/verify/%s", d->d_name);
		if (strstr(d->d_name, ".txt"))
			run_file(path);
	}
	closedir(dir);
	print_message("%u accepted, %u rejected; the kernel agrees on %u, accepts %u more\n",
		      accepted, rejected, kernel_agreed, kernel_stricter);
	assert_true(accepted > 20 && rejected > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_has_its_verdict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
