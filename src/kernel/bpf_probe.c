#include "kernel/bpf_probe.h"

#include "base/sb.h"
#include "kernel/bpf.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Types younger than the headers that scry is built with. */
enum { PROG_NETFILTER = 32, MAP_CGRP_STORAGE = 32, MAP_ARENA, ENOTSUPP_OF_KERNEL = 524 };

/* --- programs --- */

/* What a program type needs to be loaded; `says` is how the kernel refuses one that it knows.
 */
static const struct prog_needs {
	uint32_t type, expected_attach, attach_btf_id, flags;
	const char *says;
} PROG_NEEDS[] = {
	{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, 0, 0, NULL },
	{ BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, 0, 0, NULL },
	{ BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 0, 0, NULL },
	{ BPF_PROG_TYPE_SYSCALL, 0, 0, BPF_F_SLEEPABLE, NULL },
	{ PROG_NETFILTER, 45 /* BPF_NETFILTER */, 0, 0, NULL },
	{ BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 1, 0, "attach_btf_id 1 is not a function" },
	{ BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 1, 0, "attach_btf_id 1 is not a function" },
	{ BPF_PROG_TYPE_EXT, 0, 1, 0, "Cannot replace kernel functions" },
	{ BPF_PROG_TYPE_STRUCT_OPS, 0, 1, 0, "attach_btf_id 1 is not a supported" },
};

static const struct prog_needs *needs_of(uint32_t type)
{
	static const struct prog_needs NOTHING = {};

	for (size_t i = 0; i < sizeof(PROG_NEEDS) / sizeof(*PROG_NEEDS); i++)
		if (PROG_NEEDS[i].type == type)
			return &PROG_NEEDS[i];
	return &NOTHING;
}

/* A program that is tried. */
struct trial {
	uint32_t type, attach, dev;
	const struct bpf_insn *insns;
	uint32_t n;
};

/* Returns 0 or -errno; log has what the verifier said to a refusal. */
static int try_load(const struct trial *t, struct sb *log)
{
	const struct prog_needs *needs = needs_of(t->type);
	struct kbpf_prog p = { .type = (enum bpf_prog_type)t->type,
			       .expected_attach = (enum bpf_attach_type)t->attach,
			       .attach_btf_id = needs->attach_btf_id,
			       .flags = needs->flags,
			       .insns = t->insns,
			       .ninsns = t->n,
			       .dev = t->dev };
	int fd = kbpf_prog_load(&p, log);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static const struct bpf_insn NOTHING[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
	{ .code = BPF_JMP | BPF_EXIT },
};

bool bpf_probe_attach_type(uint32_t prog_type, uint32_t attach)
{
	const struct trial t = { prog_type, attach, 0, NOTHING, 2 };
	struct sb log = {};
	int err = needs_of(prog_type)->says ? 0 : try_load(&t, &log);
	/* A program that must not return 0 is looked at, and so known. */
	bool known = err != -EINVAL || log.len;

	sb_free(&log);
	return known;
}

bool bpf_probe_prog_type(uint32_t type, uint32_t dev)
{
	const struct prog_needs *needs = needs_of(type);
	const struct trial t = { type, needs->expected_attach, dev, NOTHING, 2 };
	struct sb log = {};
	int err = try_load(&t, &log);
	bool known = !err || (needs->says && strstr(sb_str(&log), needs->says));

	sb_free(&log);
	return known;
}

bool bpf_probe_knows_helpers(uint32_t prog_type)
{
	return !needs_of(prog_type)->says;
}

bool bpf_probe_helper(uint32_t prog_type, uint32_t helper, uint32_t dev)
{
	/* How kernels of different ages say that a program type does not have a helper. */
	static const char *const REFUSALS[] = { "unknown func ", "invalid func ",
						"program of this type cannot use helper" };
	const struct bpf_insn call[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = (int32_t)helper },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct trial t = { prog_type, needs_of(prog_type)->expected_attach, dev, call,
				 2 };
	struct sb log = {};
	int err = try_load(&t, &log);
	bool refused = err && !log.len;

	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(*REFUSALS); i++)
		refused |= strstr(sb_str(&log), REFUSALS[i]) != NULL;
	sb_free(&log);
	return !refused;
}

bool bpf_probe_insns(const struct bpf_insn *insns, uint32_t n, uint32_t dev)
{
	const struct trial t = { BPF_PROG_TYPE_SOCKET_FILTER, 0, dev, insns, n };

	return !try_load(&t, NULL);
}

int bpf_probe_unprivileged(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = 0;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* --- maps --- */

/* BTF with one type, int: storages of objects want types for key and value. */
static const struct {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, type_off, type_len, str_off, str_len;
	uint32_t name, info, size, encoding;
	char strings[5];
} INT_BTF = { 0xeb9f, 1, 0, 24, 0, 16, 16, 5, 1, 1 << 24, 4, 1 << 24 | 32, "\0int" };

static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static int load_int_btf(void)
{
	union bpf_attr attr = { .btf = (uint64_t)(uintptr_t)&INT_BTF,
				.btf_size = offsetof(__typeof__(INT_BTF), strings) + 5 };

	return sys_bpf(BPF_BTF_LOAD, &attr);
}

enum { TYPED = 1, INNER = 2 }; /* needs BTF, a map in it */

/* Those that differ from a key and value of 4 bytes and one entry. */
static const struct map_needs {
	uint32_t type, key, value, entries, flags;
	unsigned more;
} MAP_NEEDS[] = {
	{ BPF_MAP_TYPE_STACK_TRACE, 4, 8, 1, 0, 0 },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 8, 1, BPF_F_NO_PREALLOC, 0 },
	{ BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0, 0, 0 },
	{ BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 16, 8, 0, 0, 0 },
	{ BPF_MAP_TYPE_QUEUE, 0, 4, 1, 0, 0 },
	{ BPF_MAP_TYPE_STACK, 0, 4, 1, 0, 0 },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 1, 0, 0 },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 0 },
	{ BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0, 0 },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 1, 0, INNER },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 1, 0, INNER },
	{ BPF_MAP_TYPE_SK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC, TYPED },
	{ BPF_MAP_TYPE_INODE_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC, TYPED },
	{ BPF_MAP_TYPE_TASK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC, TYPED },
	{ MAP_CGRP_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC, TYPED },
	{ MAP_ARENA, 0, 0, 1, BPF_F_MMAPABLE, 0 },
};

static struct map_needs map_needs_of(uint32_t type)
{
	for (size_t i = 0; i < sizeof(MAP_NEEDS) / sizeof(*MAP_NEEDS); i++)
		if (MAP_NEEDS[i].type == type)
			return MAP_NEEDS[i];
	return (struct map_needs){ type, 4, 4, 1, 0, 0 };
}

bool bpf_probe_map_type(uint32_t type, uint32_t dev)
{
	struct map_needs n = map_needs_of(type);
	struct kbpf_map inner = { BPF_MAP_TYPE_HASH, 4, 4, 1, 0, "", 0 };
	union bpf_attr attr = { .map_type = type,
				.key_size = n.key,
				.value_size = n.value,
				.max_entries = n.entries,
				.map_flags = n.flags,
				.map_ifindex = dev };
	int part = n.more & TYPED   ? load_int_btf()
		   : n.more & INNER ? kbpf_map_create(&inner)
				    : -1;

	if (n.more & TYPED) {
		attr.btf_fd = (uint32_t)part;
		attr.btf_key_type_id = attr.btf_value_type_id = 1;
	} else if (n.more & INNER) {
		attr.inner_map_fd = (uint32_t)part;
	} else if (type == BPF_MAP_TYPE_STRUCT_OPS) {
		attr.btf_vmlinux_value_type_id = 1;
	}
	int fd = sys_bpf(BPF_MAP_CREATE, &attr);
	if (fd >= 0)
		close(fd);
	if (part >= 0)
		close(part);
	/* Type 1 of the kernel is no struct_ops, which one that has them finds out. */
	return fd >= 0 || (type == BPF_MAP_TYPE_STRUCT_OPS && fd == -ENOTSUPP_OF_KERNEL);
}
