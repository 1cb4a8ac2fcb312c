#include "object/inspect.h"

#include "base/arena.h"

#include <stdlib.h>

static uint64_t ptr64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Lists of count numbers; the kernel tells no more than it has. */
static void make_lists(struct inspect_link *l, uint32_t count)
{
	l->addrs = xcalloc(count + 1u, sizeof(uint64_t));
	l->cookies = xcalloc(count + 1u, sizeof(uint64_t));
	l->refcounts = xcalloc(count + 1u, sizeof(uint64_t));
}

/* Says where the texts and lists of a link of that type go. False: it has none. */
static bool prepare(struct inspect_link *l, const struct kbpf_link_info *first)
{
	struct kbpf_link_info *i = &l->info;
	uint64_t name = ptr64(l->name);
	enum { ROOM = sizeof(l->name) };

	*i = (struct kbpf_link_info){};
	switch (first->type) {
	case KBPF_LINK_RAW_TRACEPOINT:
		i->raw_tracepoint.name = name;
		i->raw_tracepoint.room = ROOM;
		return true;
	case KBPF_LINK_ITER:
		i->iter.name = name;
		i->iter.room = ROOM;
		return true;
	case KBPF_LINK_PERF_EVENT:
		if (!first->perf.type || first->perf.type >= KBPF_PERF_EVENT)
			return false;
		i->perf.name = name;
		i->perf.room = ROOM;
		return true;
	case KBPF_LINK_KPROBE_MULTI:
		make_lists(l, first->kprobe_multi.count);
		i->kprobe_multi.count = first->kprobe_multi.count;
		i->kprobe_multi.addrs = ptr64(i->kprobe_multi.count ? l->addrs : NULL);
		i->kprobe_multi.cookies = ptr64(i->kprobe_multi.count ? l->cookies : NULL);
		return i->kprobe_multi.count;
	case KBPF_LINK_UPROBE_MULTI:
		make_lists(l, first->uprobe_multi.count);
		i->uprobe_multi.count = first->uprobe_multi.count;
		i->uprobe_multi.path = name;
		i->uprobe_multi.room = ROOM;
		i->uprobe_multi.offsets = ptr64(l->addrs);
		i->uprobe_multi.cookies = ptr64(l->cookies);
		i->uprobe_multi.refcounts = ptr64(l->refcounts);
		return i->uprobe_multi.count;
	default: return false;
	}
}

int inspect_link(struct inspect_link *l, int fd)
{
	struct kbpf_link_info first = {};
	int err;

	*l = (struct inspect_link){};
	err = kbpf_info(fd, &first, sizeof(first));
	if (err || !prepare(l, &first)) {
		l->info = first;
		return err;
	}
	/* What cannot be told in full (a file that is gone) is told without. */
	if (kbpf_info(fd, &l->info, sizeof(l->info)))
		l->info = first;
	l->name[sizeof(l->name) - 1] = '\0';
	return 0;
}

void inspect_link_fini(struct inspect_link *l)
{
	free(l->addrs);
	free(l->cookies);
	free(l->refcounts);
}
