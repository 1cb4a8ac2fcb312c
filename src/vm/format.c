#include "vm/format.h"

#include "vm/vm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct out {
	char *to;
	size_t size, len;
};

static void put(struct out *o, const char *s, size_t n)
{
	if (o->len < o->size) {
		size_t room = o->size - o->len;
		memcpy(o->to + o->len, s, n < room ? n : room);
	}
	o->len += n;
}

static void put_string(struct out *o, struct scry_vm_run *run, uint64_t addr)
{
	for (; vm_check(run, addr, 1, false) && *(const char *)(uintptr_t)addr; addr++)
		put(o, (const char *)(uintptr_t)addr, 1);
}

/* One conversion: its flags and width (spec, without the %), how long it is, and what it is. */
static int put_number(struct out *o, const char *spec, size_t len, unsigned longs, char kind,
		      uint64_t arg)
{
	char fmt[32], text[128];

	if (len > 16)
		return -EINVAL;
	if (!longs)
		arg = kind == 'd' || kind == 'i' ? (uint64_t)(int32_t)arg : (uint32_t)arg;
	snprintf(fmt, sizeof(fmt), "%%%.*sll%c", (int)len, spec, kind);
	int n = snprintf(text, sizeof(text), fmt, (unsigned long long)arg);
	if (n >= (int)sizeof(text))
		return -EINVAL;
	put(o, text, (size_t)n);
	return 0;
}

static int convert(struct out *o, struct scry_vm_run *run, const char **fmt, uint64_t arg)
{
	const char *spec = *fmt, *p = spec;
	unsigned longs = 0;

	while (*p && strchr("-+ #0123456789", *p))
		p++;
	size_t len = (size_t)(p - spec);
	for (; *p == 'l'; p++)
		longs++;
	if (longs > 2)
		return -EINVAL;
	*fmt = p + 1;
	switch (*p) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X': return put_number(o, spec, len, longs, *p, arg);
	case 'p': return put_number(o, "016", 3, 2, 'x', arg);
	case 'c': put(o, &(char){ (char)arg }, 1); return 0;
	case 's': put_string(o, run, arg); return 0;
	default: return -EINVAL;
	}
}

int vm_format(struct scry_vm_run *run, char *to, size_t size, const char *fmt, size_t len,
	      const uint64_t *args, unsigned nargs)
{
	struct out o = { to, size, 0 };

	if (!len || fmt[len - 1])
		return -EINVAL;
	while (*fmt) {
		if (*fmt != '%') {
			put(&o, fmt++, 1);
		} else if (fmt[1] == '%') {
			put(&o, "%", 1);
			fmt += 2;
		} else {
			fmt++;
			if (!nargs--)
				return -EINVAL;
			int ret = convert(&o, run, &fmt, *args++);
			if (ret)
				return ret;
		}
	}
	put(&o, "", 1);
	if (size && o.len > size)
		to[size - 1] = '\0';
	return (int)o.len;
}
