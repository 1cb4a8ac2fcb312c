#include "output/sink.h"

#include "base/sb.h"

#include <string.h>

#define SINK(name) extern const struct sink sink_##name;
#include "output/sinks.def"
#undef SINK

static const struct sink *const sinks[] = {
#define SINK(name) &sink_##name,
#include "output/sinks.def"
#undef SINK
};

const char *const sink_names[] = {
#define SINK(name) #name,
#include "output/sinks.def"
#undef SINK
	NULL,
};

const struct sink *sink_find(const char *name)
{
	for (size_t i = 0; sink_names[i]; i++)
		if (strcmp(sink_names[i], name) == 0)
			return sinks[i];
	return NULL;
}

void record_write(struct sb *sb, FILE *out)
{
	fwrite_unlocked(sb_str(sb), 1, sb->len, out);
	sb_clear(sb);
}
