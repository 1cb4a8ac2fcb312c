#include "object/btf_text.h"

#include "base/arena.h"
#include "base/auto.h"
#include "kernel/bpf_ids.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_FOLDER "/sys/kernel/btf/"
#define KERNEL_FILE   KERNEL_FOLDER "vmlinux"

void btf_bytes_fini(struct btf_bytes *b)
{
	sb_free(&b->own);
	sb_free(&b->base);
}

static int read_file(const char *path, struct sb *out, struct err *e)
{
	enum { BYTES_MAX = 1 << 30, STEP = 1 << 16 };
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *piece = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "read %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "read %s: it is no file", path);
	piece = xcalloc(1, STEP);
	while ((n = read(fd, piece, STEP)) > 0 && out->len <= BYTES_MAX)
		sb_write(out, piece, (size_t)n);
	if (n > 0)
		return err_set(e, -EFBIG, "read %s", path);
	return n < 0 ? err_set(e, -errno, "read %s", path) : 0;
}

static bool is_inside(uint64_t at, uint64_t len, size_t size)
{
	return at <= size && len <= size - at;
}

static const Elf64_Shdr *section_at(const struct sb *f, const Elf64_Ehdr *h, unsigned i)
{
	return (const Elf64_Shdr *)(f->s + h->e_shoff) + i;
}

/* Keeps of an ELF file its section .BTF. */
static int take_section(struct sb *f, const char *path, struct err *e)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)f->s;
	const Elf64_Shdr *names;

	if (f->len < sizeof(*h) || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_set(e, -EINVAL, "read %s: no 64-bit little-endian ELF file", path);
	if (h->e_shoff % 8 || h->e_shentsize != sizeof(*names) || h->e_shstrndx >= h->e_shnum ||
	    !is_inside(h->e_shoff, (uint64_t)h->e_shnum * sizeof(*names), f->len))
		return err_set(e, -EINVAL, "read %s: the ELF file is damaged or cut short",
			       path);
	names = section_at(f, h, h->e_shstrndx);
	if (!is_inside(names->sh_offset, names->sh_size, f->len))
		return err_set(e, -EINVAL, "read %s: the ELF file is damaged or cut short",
			       path);
	for (unsigned i = 0; i < h->e_shnum; i++) {
		const Elf64_Shdr *s = section_at(f, h, i);

		if (s->sh_type == SHT_NOBITS || names->sh_size < sizeof(".BTF") ||
		    s->sh_name > names->sh_size - sizeof(".BTF") ||
		    memcmp(f->s + names->sh_offset + s->sh_name, ".BTF", sizeof(".BTF")) != 0)
			continue;
		if (!is_inside(s->sh_offset, s->sh_size, f->len))
			return err_set(e, -EINVAL, "read %s: its section .BTF is cut short",
				       path);
		size_t size = s->sh_size;
		memmove(f->s, f->s + s->sh_offset, size);
		f->len = size;
		return 0;
	}
	err_set(e, -ENOENT, "read %s: it has no section .BTF", path);
	return err_hint(e, "compile it with -g; a program's own debug information is no BTF");
}

static int take_file(struct sb *out, const char *path, struct err *e)
{
	int err = read_file(path, out, e);

	if (!err && out->len >= SELFMAG && !memcmp(out->s, ELFMAG, SELFMAG))
		err = take_section(out, path, e);
	return err;
}

int btf_bytes_of_file(struct btf_bytes *b, const char *path, const char *base, struct err *e)
{
	int err;

	*b = (struct btf_bytes){};
	if (!base && !strncmp(path, KERNEL_FOLDER, strlen(KERNEL_FOLDER)) &&
	    strcmp(path, KERNEL_FILE) != 0)
		base = KERNEL_FILE;
	err = take_file(&b->own, path, e);
	return !err && base ? take_file(&b->base, base, e) : err;
}

int btf_bytes_of_object(struct btf_bytes *b, int fd, struct err *e)
{
	char name[64] = "";
	struct bpf_btf_info info = { .name = (uint64_t)(uintptr_t)name,
				     .name_len = sizeof(name) };
	int err;

	*b = (struct btf_bytes){};
	err = kbpf_info(fd, &info, sizeof(info));
	if (!err)
		err = kbpf_btf_bytes(fd, &b->own);
	if (err)
		return err_set(e, err, "read BTF");
	if (info.kernel_btf && strcmp(name, "vmlinux") != 0)
		return take_file(&b->base, KERNEL_FILE, e);
	return 0;
}

/* --- as C --- */

static int silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

static void put(void *out, const char *fmt, va_list ap)
{
	vfprintf(out, fmt, ap);
}

/* libbpf 1.1 reads types that continue others from files alone. */
static struct btf *read_split(const struct sb *bytes, struct btf *base)
{
	char path[64];
	int fd = memfd_create("btf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes->s, bytes->len) != (ssize_t)bytes->len)
		return NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return btf__parse_raw_split(path, base);
}

/* How the process that writes C ends. */
enum { C_DAMAGED = 1, C_UNWRITTEN };

static void write_types(const struct btf_bytes *b, const uint32_t *ids, unsigned n, FILE *out)
{
	struct btf *base = b->base.len ? btf__new(b->base.s, (uint32_t)b->base.len) : NULL;
	struct btf *own =
		base ? read_split(&b->own, base) : btf__new(b->own.s, (uint32_t)b->own.len);
	struct btf_dump *d = own ? btf_dump__new(own, put, out, NULL) : NULL;
	int err = d ? 0 : -1;

	if (!err)
		fputs("#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n"
		      "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
		      "#pragma clang attribute push (__attribute__((preserve_access_index)), "
		      "apply_to = record)\n#endif\n\n",
		      out);
	for (unsigned i = 0; !err && i < n; i++)
		err = btf_dump__dump_type(d, ids[i]);
	for (uint32_t id = base ? btf__type_cnt(base) : 1;
	     !err && !n && id < btf__type_cnt(own); id++)
		err = btf_dump__dump_type(d, id);
	if (!err)
		fputs("#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n"
		      "#endif\n\n#endif /* __VMLINUX_H__ */\n",
		      out);
	/* fflush() has nothing to fail at when a write before it failed. */
	_exit(err ? C_DAMAGED : fflush(out) || ferror(out) ? C_UNWRITTEN : 0);
}

int btf_write_c(const struct btf_bytes *b, const uint32_t *ids, unsigned n, FILE *out,
		struct err *e)
{
	enum { SECONDS = 60 };
	static const int DEATHS[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGALRM };
	int status = 0;

	fflush(out);
	pid_t pid = fork();
	if (!pid) {
		for (size_t i = 0; i < sizeof(DEATHS) / sizeof(*DEATHS); i++)
			signal(DEATHS[i], SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		alarm(SECONDS);
		close(STDERR_FILENO);
		libbpf_set_print(silent);
		libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
		write_types(b, ids, n, out);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return err_set(e, -errno, "start a process that writes C");
	/* A reader that has seen enough is no error. */
	if (!status || (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == C_UNWRITTEN)
		return err_set(e, -EIO,
			       "not all types could be written as C: the output is full");
	return err_set(e, -EINVAL, "these types cannot be written as C: the BTF is damaged");
}
