#include "kernel/progs.h"

#include "base/auto.h"
#include "base/vec.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sys_bpf(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

int kprog_open(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

int kprog_next(uint32_t *id)
{
	for (;;) {
		union bpf_attr attr = { .start_id = *id };
		int fd = sys_bpf(BPF_PROG_GET_NEXT_ID, &attr);

		if (fd < 0)
			return fd;
		*id = attr.next_id;
		fd = kprog_open(*id);
		if (fd != -ENOENT)
			return fd;
	}
}

/* Takes the type ids out of records whose size the kernel tells. */
static uint32_t *take_types(const char *records, uint32_t n, uint32_t size)
{
	uint32_t *types = xcalloc(n, sizeof(*types));

	for (uint32_t i = 0; i < n; i++)
		types[i] =
			((const struct bpf_func_info *)(records + (size_t)i * size))->type_id;
	return types;
}

static int obj_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info.bpf_fd = (uint32_t)fd,
				.info.info_len = size,
				.info.info = (uint64_t)(uintptr_t)info };

	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int kprog_functions(int fd, uint32_t *btf_id, uint32_t **types)
{
	struct bpf_prog_info info;
	int err = kbpf_prog_info(fd, &info);
	uint32_t n = info.nr_func_info, size = info.func_info_rec_size;

	*types = NULL;
	*btf_id = info.btf_id;
	if (err || !n || !info.btf_id || size < sizeof(struct bpf_func_info))
		return err;

	auto_free char *records = xcalloc(n, size);
	info = (struct bpf_prog_info){ .nr_func_info = n,
				       .func_info_rec_size = size,
				       .func_info = (uint64_t)(uintptr_t)records };
	err = obj_info(fd, &info, sizeof(info));
	if (err || info.nr_func_info != n)
		return err;
	*types = take_types(records, n, size);
	return (int)n;
}

void *kbtf_bytes(uint32_t btf_id, size_t *size)
{
	union bpf_attr attr = { .btf_id = btf_id };
	struct bpf_btf_info info = {};
	auto_close int fd = sys_bpf(BPF_BTF_GET_FD_BY_ID, &attr);
	void *bytes;

	if (fd < 0 || obj_info(fd, &info, sizeof(info)) || !info.btf_size)
		return NULL;
	*size = info.btf_size;
	bytes = xcalloc(1, *size);
	info = (struct bpf_btf_info){ .btf = (uint64_t)(uintptr_t)bytes,
				      .btf_size = (uint32_t)*size };
	if (!obj_info(fd, &info, sizeof(info)))
		return bytes;
	free(bytes);
	return NULL;
}
