#include "kernel/bpf_ids.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

int kbpf_next_id(enum kbpf_object what, uint32_t *id)
{
	static const enum bpf_cmd COMMANDS[] = {
		[KBPF_PROG] = BPF_PROG_GET_NEXT_ID,
		[KBPF_MAP] = BPF_MAP_GET_NEXT_ID,
		[KBPF_LINK] = BPF_LINK_GET_NEXT_ID,
		[KBPF_BTF] = BPF_BTF_GET_NEXT_ID,
	};
	union bpf_attr attr = { .start_id = *id };
	int r = call(COMMANDS[what], &attr);

	if (!r)
		*id = attr.next_id;
	return r;
}

int kbpf_open_id(enum kbpf_object what, uint32_t id)
{
	static const enum bpf_cmd COMMANDS[] = {
		[KBPF_PROG] = BPF_PROG_GET_FD_BY_ID,
		[KBPF_MAP] = BPF_MAP_GET_FD_BY_ID,
		[KBPF_LINK] = BPF_LINK_GET_FD_BY_ID,
		[KBPF_BTF] = BPF_BTF_GET_FD_BY_ID,
	};
	union bpf_attr attr = { .prog_id = id };

	return call(COMMANDS[what], &attr);
}

int kbpf_open_pin(const char *path)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)path };

	return call(BPF_OBJ_GET, &attr);
}

int kbpf_pin(int fd, const char *path)
{
	union bpf_attr attr = { .pathname = (uint64_t)(uintptr_t)path, .bpf_fd = (uint32_t)fd };

	return call(BPF_OBJ_PIN, &attr);
}

int kbpf_map_take(int fd, void *value)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd, .value = (uint64_t)(uintptr_t)value };

	return call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr);
}

int kbpf_map_freeze(int fd)
{
	union bpf_attr attr = { .map_fd = (uint32_t)fd };

	return call(BPF_MAP_FREEZE, &attr);
}

int kbpf_link_detach(int fd)
{
	union bpf_attr attr = { .link_detach.link_fd = (uint32_t)fd };

	return call(BPF_LINK_DETACH, &attr);
}

int kbpf_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = {
		.info.bpf_fd = (uint32_t)fd,
		.info.info_len = size,
		.info.info = (uint64_t)(uintptr_t)info,
	};

	return call(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

int kbpf_btf_bytes(int fd, struct sb *out)
{
	struct bpf_btf_info info = {};
	int r = kbpf_info(fd, &info, sizeof(info));

	if (r)
		return r;
	uint32_t size = info.btf_size;
	char *bytes = xcalloc(1, size + 1);

	info = (struct bpf_btf_info){ .btf = (uint64_t)(uintptr_t)bytes, .btf_size = size };
	r = kbpf_info(fd, &info, sizeof(info));
	if (!r)
		sb_write(out, bytes, size);
	free(bytes);
	return r;
}

static uint64_t ptr64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int kbpf_test(int fd, struct kbpf_test *t)
{
	union bpf_attr attr = {
		.test.prog_fd = (uint32_t)fd,
		.test.data_in = ptr64(t->data_in),
		.test.data_size_in = t->data_size_in,
		.test.data_out = ptr64(t->data_out),
		.test.data_size_out = t->data_size_out,
		.test.ctx_in = ptr64(t->ctx_in),
		.test.ctx_size_in = t->ctx_size_in,
		.test.ctx_out = ptr64(t->ctx_out),
		.test.ctx_size_out = t->ctx_size_out,
		.test.repeat = t->repeat,
	};
	int r = call(BPF_PROG_TEST_RUN, &attr);

	t->data_size_out = attr.test.data_size_out;
	t->ctx_size_out = attr.test.ctx_size_out;
	t->retval = attr.test.retval;
	t->duration = attr.test.duration;
	return r;
}

int kbpf_attach(int prog_fd, int target_fd, uint32_t attach_type, uint32_t flags)
{
	union bpf_attr attr = { .target_fd = (uint32_t)target_fd,
				.attach_bpf_fd = (uint32_t)prog_fd,
				.attach_type = attach_type,
				.attach_flags = flags };

	return call(BPF_PROG_ATTACH, &attr);
}

int kbpf_detach(int prog_fd, int target_fd, uint32_t attach_type)
{
	union bpf_attr attr = { .target_fd = (uint32_t)target_fd,
				.attach_bpf_fd = (uint32_t)prog_fd,
				.attach_type = attach_type };

	return call(BPF_PROG_DETACH, &attr);
}

int kbpf_attached(int target_fd, uint32_t attach_type, bool effective, uint32_t *ids,
		  uint32_t *n, uint32_t *flags)
{
	union bpf_attr attr = { .query.target_fd = (uint32_t)target_fd,
				.query.attach_type = attach_type,
				.query.query_flags = effective ? BPF_F_QUERY_EFFECTIVE : 0,
				.query.prog_ids = ptr64(ids),
				.query.prog_cnt = *n };
	int r = call(BPF_PROG_QUERY, &attr);

	*n = attr.query.prog_cnt;
	*flags = attr.query.attach_flags;
	return r;
}
