#include "cli/kconfig.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

/* gzopen() reads files that are not compressed too. */
static bool read_file(struct kconfig *k, const char *path)
{
	gzFile f = gzopen(path, "re");
	char chunk[16384];
	int n;

	while (f && (n = gzread(f, chunk, sizeof(chunk))) > 0)
		sb_write(&k->text, chunk, (size_t)n);
	if (f)
		gzclose(f);
	return k->text.len;
}

static void read_once(struct kconfig *k, const struct utsname *system)
{
	char path[sizeof(system->release) + 32];

	if (k->is_read)
		return;
	k->is_read = true;
	snprintf(path, sizeof(path), "/boot/config-%s", system->release);
	if (!read_file(k, "/proc/config.gz"))
		read_file(k, path);
}

const char *kconfig_value(void *arg, const char *name)
{
	struct kconfig *k = arg;
	struct utsname system;
	unsigned a = 0, b = 0, c = 0;
	size_t len = strlen(name);

	uname(&system);
	sb_clear(&k->value);
	if (!strcmp(name, "LINUX_KERNEL_VERSION")) {
		sscanf(system.release, "%u.%u.%u", &a, &b, &c);
		sb_printf(&k->value, "%u", a << 16 | b << 8 | (c < 255 ? c : 255));
		return sb_str(&k->value);
	}
	read_once(k, &system);
	for (const char *s = sb_str(&k->text); *s; s += strcspn(s, "\n"), s += *s == '\n') {
		if (strncmp(s, name, len) != 0 || s[len] != '=')
			continue;
		sb_write(&k->value, s + len + 1, strcspn(s + len + 1, "\n"));
		return sb_str(&k->value);
	}
	return NULL;
}

void kconfig_fini(struct kconfig *k)
{
	sb_free(&k->text);
	sb_free(&k->value);
}
