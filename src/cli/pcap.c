#include "cli/pcap.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

/* In a static program there is nothing that could load a library. */
#pragma weak dlopen
#pragma weak dlsym

static const struct {
	const char *name;
	size_t offset;
} FUNCTIONS[] = {
#define FUNCTION(name)                                         \
	{                                                      \
		"pcap_" #name, offsetof(struct pcap_api, name) \
	}
	FUNCTION(open_dead), FUNCTION(open_offline),   FUNCTION(open_live),
	FUNCTION(close),     FUNCTION(compile),	       FUNCTION(freecode),
	FUNCTION(setfilter), FUNCTION(offline_filter), FUNCTION(next_ex),
	FUNCTION(geterr),    FUNCTION(datalink),       FUNCTION(datalink_name_to_val),
	FUNCTION(dump_open), FUNCTION(dump),	       FUNCTION(dump_flush),
	FUNCTION(dump_file), FUNCTION(dump_close),
#undef FUNCTION
};

int pcap_load(struct pcap_api *api, struct err *e)
{
	static const char *const NAMES[] = { "libpcap.so.0.8", "libpcap.so.1", "libpcap.so" };
	void *lib = NULL;

	if (!dlopen)
		return err_set(e, -ENOTSUP,
			       "this static scry cannot load libpcap: use one that is "
			       "linked dynamically");
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES) && !lib; i++)
		lib = dlopen(NAMES[i], RTLD_NOW);
	if (!lib) {
		err_set(e, -ENOTSUP, "libpcap is not installed");
		return err_hint(e, "install the package libpcap0.8");
	}
	for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(*FUNCTIONS); i++) {
		void *fn = dlsym(lib, FUNCTIONS[i].name);

		if (!fn)
			return err_set(e, -ENOTSUP, "libpcap has no %s", FUNCTIONS[i].name);
		*(void **)((char *)api + FUNCTIONS[i].offset) = fn;
	}
	return 0;
}
