#include "kernel/proc.h"

#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

long proc_read_small(const char *path, char *buf, size_t size)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) != 0) {
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	buf[len] = '\0';
	return (long)len;
}

bool cpu_list_parse(struct arena *a, const char *text, struct cpu_list *out)
{
	enum { CPU_LIMIT = 1 << 16 };

	while (*text && *text != '\n') {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end == text)
			return false;
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text)
				return false;
		}
		if (last < first || last >= CPU_LIMIT)
			return false;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			vec_push(a, out, (unsigned)cpu);
		text = *end == ',' ? end + 1 : end;
		if (*end && *end != ',' && *end != '\n')
			return false;
	}
	return out->len > 0;
}

enum { CPU_TEXT = 4096 };

unsigned cpus_possible(void)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};
	char text[CPU_TEXT];

	if (proc_read_small("/sys/devices/system/cpu/possible", text, sizeof(text)) > 0 &&
	    cpu_list_parse(&a, text, &cpus))
		return vec_last(&cpus) + 1;
	return (unsigned)sysconf(_SC_NPROCESSORS_CONF);
}

uint64_t memory_of_machine(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

void cpus_online(struct arena *a, struct cpu_list *out)
{
	char text[CPU_TEXT];

	if (proc_read_small("/sys/devices/system/cpu/online", text, sizeof(text)) > 0 &&
	    cpu_list_parse(a, text, out))
		return;
	out->len = 0;
	vec_push(a, out, 0u);
}

unsigned cpu_first_online(void)
{
	auto_arena struct arena a = {};
	struct cpu_list cpus = {};

	cpus_online(&a, &cpus);
	return cpus.data[0];
}

bool cap_has(unsigned cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (cap >= 32 * _LINUX_CAPABILITY_U32S_3 || syscall(SYS_capget, &head, data))
		return false;
	return data[cap / 32].effective & (1u << (cap % 32));
}

int proc_may_trace(struct err *e)
{
	const char *missing = NULL;

	if (cap_has(CAP_SYS_ADMIN))
		return 0;
	if (!cap_has(CAP_BPF))
		missing = "CAP_BPF";
	else if (!cap_has(CAP_PERFMON))
		missing = "CAP_PERFMON";
	if (!missing)
		return 0;
	err_set(e, -EPERM, "tracing needs the capability %s", missing);
	return err_hint(e, "run as root");
}

enum lockdown kernel_lockdown(void)
{
	char text[128];

	/* "none [integrity] confidentiality"; no file, no lockdown */
	if (proc_read_small("/sys/kernel/security/lockdown", text, sizeof(text)) < 0)
		return LOCKDOWN_NONE;
	if (strstr(text, "[confidentiality]"))
		return LOCKDOWN_CONFIDENTIALITY;
	return strstr(text, "[integrity]") ? LOCKDOWN_INTEGRITY : LOCKDOWN_NONE;
}

int proc_hint_denied(struct err *e, const char *what)
{
	struct err missing = {};

	if (proc_may_trace(&missing))
		return err_hint(e, "run as root: %s", missing.msg);
	if (kernel_lockdown() != LOCKDOWN_NONE)
		return err_hint(e, "kernel lockdown forbids %s, to root too", what);
	return err_hint(e,
			"privilege is not what is missing: this kernel forbids %s by its "
			"configuration or a security module",
			what);
}

const char *kernel_release(struct arena *a)
{
	struct utsname u;

	return uname(&u) ? "" : arena_strdup(a, u.release);
}

const char *kernel_arch(struct arena *a)
{
	struct utsname u;

	return uname(&u) ? "" : arena_strdup(a, u.machine);
}

int pidfd_open_pid(pid_t pid)
{
	long r = syscall(SYS_pidfd_open, pid, 0);

	return r < 0 ? -errno : (int)r;
}

int pidfd_wait(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r = poll(&p, 1, timeout_ms);

	return r < 0 ? -errno : r;
}

int proc_threads(struct arena *a, pid_t pid, struct tid_list *out)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *d; (d = readdir(dir));)
		if (d->d_name[0] != '.')
			vec_push(a, out, (pid_t)atoi(d->d_name));
	closedir(dir);
	return 0;
}

void proc_allow_files(unsigned long n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= n)
		return;
	limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int cgroup_id(const char *path, uint64_t *id)
{
	/* The kernel's id is the file handle of the directory in cgroup2, 8 bytes long. */
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u = { .h.handle_bytes = sizeof(uint64_t) };
	struct statfs fs;
	int mount_id;

	if (statfs(path, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EMEDIUMTYPE;
	if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount_id, 0))
		return -errno;
	memcpy(id, u.h.f_handle, sizeof(*id));
	return 0;
}
