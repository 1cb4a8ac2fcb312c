/*
 * kconfig.h - the configuration of the running kernel.
 */
#ifndef SCRY_CLI_KCONFIG_H
#define SCRY_CLI_KCONFIG_H

#include "base/sb.h"

#include <stdbool.h>

struct kconfig {
	bool is_read;
	struct sb text; /* of /proc/config.gz or /boot/config-RELEASE; "" where there is none */
	struct sb value;
};

/*
 * For struct bpf_object_config, arg is a struct kconfig: the file is read when it is first
 * asked. LINUX_KERNEL_VERSION is the running kernel's, what libbpf probes (LINUX_HAS_...) is
 * not set. The text is valid until the next question.
 */
const char *kconfig_value(void *arg, const char *name);
void kconfig_fini(struct kconfig *k);

#endif
