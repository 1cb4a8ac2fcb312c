#include "symbol/ksyms.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/*
 * The file does not say where symbols end, and behind the kernel's and each module's last one
 * there is a gap, where modules may have been that are gone.  Areas of modules end with a page
 * and are followed by an empty one, so what lies two pages behind is something else.
 */
enum { SYMBOL_MAX = 16 << 20, LAST_GAP = 64 << 10, AREA_PAGE = 4096 };

/* Longer lines are no symbols: names of kernels end at 512 bytes (KSYM_NAME_LEN). */
enum { LINE_MAX_LEN = 4096, READ_SIZE = 64 * 1024 };

void ksyms_fini(struct ksyms *ks)
{
	vec_each(m, &ks->modules)
		free(*m);
	vec_free(&ks->modules);
	vec_free(&ks->names);
	vec_free(&ks->syms);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static uint32_t add_name(struct ksyms *ks, const char *s, size_t len)
{
	uint32_t at = (uint32_t)ks->names.len;

	while (ks->names.cap - ks->names.len < len + 1)
		vec_grow(NULL, &ks->names, 1);
	memcpy(ks->names.data + at, s, len);
	ks->names.data[at + len] = '\0';
	ks->names.len += len + 1;
	return at;
}

/* Symbols of one module stand together, so the last one is most often the right one. */
static uint16_t find_module(struct ksyms *ks, const char *s, size_t len)
{
	for (size_t i = ks->modules.len; i > 0; i--) {
		const char *m = ks->modules.data[i - 1];

		if (!strncmp(m, s, len) && !m[len])
			return (uint16_t)i;
	}
	if (ks->modules.len == UINT16_MAX)
		return 0;

	char *name = xcalloc(1, len + 1);
	memcpy(name, s, len);
	vec_push(NULL, &ks->modules, name);
	return (uint16_t)ks->modules.len;
}

/* "address type name", then a tab and "[module]" for a module's. */
static void add_line(struct ksyms *ks, const char *p, const char *end)
{
	struct ksyms_entry sym = {};

	for (int digit; p < end && (digit = hex_digit(*p)) >= 0; p++)
		sym.addr = sym.addr << 4 | (uint64_t)digit;
	if (end - p < 4 || p[0] != ' ' || p[2] != ' ')
		return;
	sym.type = (uint8_t)p[1];
	p += 3;

	/* Absolute symbols are offsets into per-CPU memory; hidden ones are all 0. */
	if (!sym.addr || sym.type == 'A' || sym.type == 'a')
		return;

	const char *tab = memchr(p, '\t', (size_t)(end - p));
	sym.name = add_name(ks, p, (size_t)((tab ? tab : end) - p));
	if (tab && end - tab > 3 && tab[1] == '[' && end[-1] == ']')
		sym.module = find_module(ks, tab + 2, (size_t)(end - tab) - 3);
	vec_push(NULL, &ks->syms, sym);
}

/* Takes the complete lines of buf, returns how many bytes they are. */
static size_t add_lines(struct ksyms *ks, const char *buf, size_t len)
{
	const char *p = buf, *end = buf + len, *nl;

	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		add_line(ks, p, nl);
		p = nl + 1;
	}
	return (size_t)(p - buf);
}

static int read_symbols(struct ksyms *ks, int fd)
{
	char buf[LINE_MAX_LEN + READ_SIZE];
	size_t len = 0; /* of a line not yet complete */

	for (;;) {
		ssize_t n = read(fd, buf + len, READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		len += (size_t)n;

		size_t taken = add_lines(ks, buf, len);
		len -= taken;
		if (len > LINE_MAX_LEN)
			return -EINVAL;
		memmove(buf, buf + taken, len);
	}
}

static int alias_rank(uint8_t type)
{
	switch (type) {
	case 'T': return 0;
	case 'W':
	case 'w': return 1;
	case 't': return 2;
	default: return 3;
	}
}

static int by_address(const void *pa, const void *pb)
{
	const struct ksyms_entry *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;

	int ra = alias_rank(a->type), rb = alias_rank(b->type);
	if (ra != rb)
		return ra - rb;
	return a->name < b->name ? -1 : a->name > b->name;
}

/* Merges two sorted neighbours in place, from the back; tmp holds the second. */
static void merge(struct ksyms_entry *s, size_t nhead, size_t n, struct ksyms_entry *tmp)
{
	size_t ntail = n - nhead, out = n;

	memcpy(tmp, s + nhead, ntail * sizeof(*s));
	while (ntail) {
		if (nhead && by_address(&s[nhead - 1], &tmp[ntail - 1]) > 0)
			s[--out] = s[--nhead];
		else
			s[--out] = tmp[--ntail];
	}
}

/* Puts symbols of one address in order; the addresses are in order already. */
static void sort_aliases(struct ksyms_entry *s, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct ksyms_entry e = s[i];
		size_t j = i;

		while (j && s[j - 1].addr == e.addr && by_address(&s[j - 1], &e) > 0) {
			s[j] = s[j - 1];
			j--;
		}
		s[j] = e;
	}
}

/*
 * The kernel's own symbols come in order of address; modules and generated code follow in any
 * order.  Only these are sorted, and then merged with the long rest.
 */
static void sort_symbols(struct ksyms *ks)
{
	struct ksyms_entry *s = ks->syms.data;
	size_t n = ks->syms.len, nhead = 1;

	while (nhead < n && s[nhead - 1].addr <= s[nhead].addr)
		nhead++;
	sort_aliases(s, nhead < n ? nhead : n);
	if (nhead >= n)
		return;

	auto_free struct ksyms_entry *tmp = xcalloc(n - nhead, sizeof(*tmp));
	qsort(s + nhead, n - nhead, sizeof(*s), by_address);
	merge(s, nhead, n, tmp);
}

int ksyms_load(struct ksyms *ks, const char *path, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : read_symbols(ks, fd);

	if (err) {
		ksyms_fini(ks);
		return err_set(e, err, "read %s", path);
	}
	/* Some symbols may sit at 0, so only an all-zero file means they were hidden. */
	if (!ks->syms.len) {
		ksyms_fini(ks);
		err_set(e, -EPERM, "read %s: every address is hidden", path);
		return err_hint(e, "run as root; kptr_restrict=2 hides them from root too");
	}
	sort_symbols(ks);
	return 0;
}

static void describe(const struct ksyms *ks, const struct ksyms_entry *s, uint64_t addr,
		     struct ksym *out)
{
	*out = (struct ksym){
		.name = ks->names.data + s->name,
		.module = s->module ? ks->modules.data[s->module - 1] : NULL,
		.addr = s->addr,
		.offset = addr - s->addr,
		.type = (char)s->type,
	};
}

/* Where the symbol at i, the last one at its address, ends at most. */
static uint64_t end_of(const struct ksyms *ks, size_t i)
{
	const struct ksyms_entry *s = &ks->syms.data[i], *next = s + 1;

	if (i + 1 < ks->syms.len && next->module == s->module &&
	    (!s->module || next->addr - s->addr < LAST_GAP))
		return s->addr + SYMBOL_MAX;
	return (s->addr / AREA_PAGE + 2) * AREA_PAGE;
}

bool ksyms_lookup(const struct ksyms *ks, uint64_t addr, struct ksym *out)
{
	const struct ksyms_entry *s = ks->syms.data;
	size_t lo = 0, hi = ks->syms.len;

	/* The first symbol behind addr ... */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= end_of(ks, lo - 1))
		return false;

	/* ... and before it the first of those that share one address. */
	size_t i = lo - 1;
	while (i && s[i - 1].addr == s[i].addr)
		i--;
	describe(ks, &s[i], addr, out);
	return true;
}

static bool is_better(const struct ksyms_entry *a, const struct ksyms_entry *b)
{
	bool global_a = a->type < 'a', global_b = b->type < 'a';

	return global_a != global_b ? global_a : a->addr < b->addr;
}

static const struct ksyms_entry *entry_of_name(const struct ksyms *ks, uint32_t name)
{
	vec_each(s, &ks->syms) {
		if (s->name == name)
			return s;
	}
	return NULL;
}

/* Names are searched as bytes: one pass over 3 MB is quick, and an index would double them. */
bool ksyms_find(const struct ksyms *ks, const char *name, struct ksym *out)
{
	const char *p = ks->names.data, *end = p + ks->names.len;
	const struct ksyms_entry *best = NULL;
	size_t len = strlen(name) + 1;

	while (len > 1 && (p = memmem(p, (size_t)(end - p), name, len))) {
		bool is_whole = p == ks->names.data || !p[-1];
		const struct ksyms_entry *s =
			is_whole ? entry_of_name(ks, (uint32_t)(p - ks->names.data)) : NULL;

		if (s && (!best || is_better(s, best)))
			best = s;
		p += len;
	}
	if (best)
		describe(ks, best, best->addr, out);
	return best;
}
