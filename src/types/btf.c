#include "types/btf_raw.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MAGIC = 0xeb9f, MAGIC_SWAPPED = 0x9feb, VERSION = 1 };

/* Bytes of a type's items, behind its record: so many, and so many per member. */
static const struct items {
	uint8_t fixed, each;
} items[BTF_KINDS] = {
	[BTF_INT] = { .fixed = 4 },
	[BTF_VAR] = { .fixed = 4 },
	[BTF_DECL_TAG] = { .fixed = 4 },
	[BTF_ARRAY] = { .fixed = sizeof(struct raw_array) },
	[BTF_STRUCT] = { .each = sizeof(struct raw_member) },
	[BTF_UNION] = { .each = sizeof(struct raw_member) },
	[BTF_ENUM] = { .each = sizeof(struct raw_enum) },
	[BTF_ENUM64] = { .each = sizeof(struct raw_enum64) },
	[BTF_DATASEC] = { .each = 12 },
	[BTF_FUNC_PROTO] = { .each = sizeof(struct raw_param) },
};

static int damaged(struct err *e, const char *name, const char *what)
{
	return err_set(e, -EINVAL, "read %s: damaged BTF: %s", name, what);
}

/* Walks all types once: notes where each lies, counts, and checks that it lies inside. */
static int scan(struct btf *b, const char *name, struct err *e)
{
	const uint32_t end = b->types_len, record = sizeof(struct raw_type);
	uint32_t off = 0, n = 0;

	/* Room for the most there can be; what is not used is never touched. */
	b->offs = b->arena ? arena_array(b->arena, uint32_t, end / record)
			   : xrealloc(NULL, end / record * sizeof(*b->offs));
	while (end - off >= record) {
		const struct raw_type *t = (const struct raw_type *)(b->types + off);
		unsigned kind = raw_kind(t);

		if (kind == BTF_VOID || kind >= BTF_KINDS)
			return err_set(e, -EINVAL, "read %s: BTF has a type of unknown kind %u",
				       name, kind);

		uint32_t len = record + items[kind].fixed + raw_vlen(t) * items[kind].each;
		if (len > end - off)
			return damaged(e, name, "a type ends behind its section");
		b->offs[n++] = off;
		off += len;
	}
	b->ntypes = n;
	return off == end ? 0 : damaged(e, name, "the last type is cut short");
}

static bool is_inside(uint64_t off, uint64_t len, size_t size)
{
	return off <= size && len <= size - off;
}

/* Finds the two sections of the file. */
static int check_header(struct btf *b, const unsigned char *bytes, size_t size,
			const char *name, struct err *e)
{
	const struct raw_header *h = (const struct raw_header *)bytes;

	if ((uintptr_t)bytes % 4)
		return damaged(e, name, "not aligned");
	if (size < sizeof(*h))
		return err_set(e, -EINVAL, "read %s: not a BTF file", name);
	if (h->magic == MAGIC_SWAPPED)
		return err_set(e, -EINVAL, "read %s: BTF of the other byte order", name);
	if (h->magic != MAGIC)
		return err_set(e, -EINVAL, "read %s: not a BTF file", name);
	if (h->version != VERSION)
		return err_set(e, -ENOTSUP, "read %s: unknown version %u of BTF", name,
			       h->version);
	if (h->hdr_len < sizeof(*h) || h->hdr_len > size || h->hdr_len % 4 || h->type_off % 4)
		return damaged(e, name, "wrong header");

	size -= h->hdr_len;
	if (!is_inside(h->type_off, h->type_len, size) ||
	    !is_inside(h->str_off, h->str_len, size))
		return damaged(e, name, "a section ends behind the file");

	b->types = bytes + h->hdr_len + h->type_off;
	b->types_len = h->type_len;
	b->strs = (const char *)bytes + h->hdr_len + h->str_off;
	b->strs_len = h->str_len;
	if (b->strs_len && b->strs[b->strs_len - 1])
		return damaged(e, name, "the strings are not terminated");
	return 0;
}

static int init(struct btf *b, const void *bytes, size_t size, const char *name, struct err *e)
{
	int err = check_header(b, bytes, size, name, e);

	if (err)
		return err;
	b->first_id = b->base ? btf_ntypes(b->base) : 1;
	b->first_str = b->base ? b->base->first_str + b->base->strs_len : 0;
	b->index = btf_index_new(b->arena);
	return scan(b, name, e);
}

static int read_all(int fd, unsigned char *buf, size_t size)
{
	while (size) {
		ssize_t n = read(fd, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		buf += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Maps the file, or copies it where that is refused. */
static int take_file(struct btf *b, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0)
		return -EIO;
	b->map_size = (size_t)st.st_size;
	b->map = mmap(NULL, b->map_size, PROT_READ, MAP_PRIVATE, fd, 0);
	b->is_mapped = b->map != MAP_FAILED;
	if (b->is_mapped)
		return 0;
	b->map = xrealloc(NULL, b->map_size);
	return read_all(fd, b->map, b->map_size);
}

struct btf *btf_open(const char *path, const struct btf *base, struct err *e)
{
	bool is_kernel = !strcmp(path, BTF_KERNEL_PATH);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		if (err_set(e, -errno, "read %s", path) == -ENOENT && is_kernel)
			err_hint(e, "the kernel must be built with CONFIG_DEBUG_INFO_BTF");
		err_hint_unmounted(e, path);
		return NULL;
	}

	struct btf *b = xcalloc(1, sizeof(*b));
	int err = take_file(b, fd);

	b->base = base;
	if (err)
		err_set(e, err, "read %s", path);
	else
		err = init(b, b->map, b->map_size, path, e);
	if (!err)
		return b;
	btf_free(b);
	return NULL;
}

struct btf *btf_from_bytes(const void *bytes, size_t size, const struct btf *base,
			   struct err *e)
{
	struct btf *b = xcalloc(1, sizeof(*b));

	b->base = base;
	if (!init(b, bytes, size, "BTF", e))
		return b;
	btf_free(b);
	return NULL;
}

const struct btf *btf_in_arena(struct arena *a, const void *bytes, size_t size, struct err *e)
{
	struct btf *b = arena_new(a, struct btf);

	b->arena = a;
	return init(b, bytes, size, "BTF", e) ? NULL : b;
}

void btf_free(struct btf *b)
{
	if (!b)
		return;
	if (b->is_mapped)
		munmap(b->map, b->map_size);
	else
		free(b->map);
	btf_index_free(b->index);
	free(b->offs);
	free(b);
}

uint32_t btf_ntypes(const struct btf *b)
{
	return b->first_id + b->ntypes;
}

const struct raw_type *btf_at(const struct btf *b, uint32_t id)
{
	static const struct raw_type raw_void = {};

	while (b && id < b->first_id)
		b = b->base;
	if (!b || id - b->first_id >= b->ntypes)
		return &raw_void;

	return btf_own(b, id - b->first_id);
}

const char *btf_str(const struct btf *b, uint32_t off)
{
	while (b && off < b->first_str)
		b = b->base;
	if (!b || off - b->first_str >= b->strs_len)
		return "";
	return b->strs + (off - b->first_str);
}

const char *btf_name(const struct btf *b, uint32_t id)
{
	return btf_str(b, btf_at(b, id)->name_off);
}

static uint32_t strip(const struct btf *b, uint32_t id, uint32_t kinds)
{
	for (int i = 0; i < BTF_DEPTH_MAX; i++) {
		const struct raw_type *t = btf_at(b, id);

		if (!(kinds >> raw_kind(t) & 1))
			return id;
		id = t->type;
	}
	return 0;
}

enum {
	QUALIFIERS = 1 << BTF_CONST | 1 << BTF_VOLATILE | 1 << BTF_RESTRICT | 1 << BTF_TYPE_TAG,
};

uint32_t btf_strip(const struct btf *b, uint32_t id)
{
	return strip(b, id, QUALIFIERS | 1 << BTF_TYPEDEF);
}

uint32_t btf_strip_quals(const struct btf *b, uint32_t id)
{
	return strip(b, id, QUALIFIERS);
}

/*
 * With kind_flag, an offset holds the size of a bit-field in its upper 8 bits; without, the
 * integer type of the member holds offset and size itself.
 */
struct btf_member btf_member_at(const struct btf *b, const struct raw_type *t, uint32_t i)
{
	const struct raw_member *raw = (const struct raw_member *)raw_items(t) + i;
	struct btf_member m = {
		.name = btf_str(b, raw->name_off),
		.type = raw->type,
		.bit_off = raw->offset,
	};

	if (raw_flag(t)) {
		m.bit_off = raw->offset & 0xffffff;
		m.bit_size = raw->offset >> 24;
		return m;
	}

	const struct raw_type *type = btf_at(b, btf_strip(b, raw->type));
	if (raw_kind(type) == BTF_INT) {
		uint32_t encoding = *(const uint32_t *)raw_items(type);
		uint32_t bits = encoding & 0xff;

		if (bits != type->size * 8) {
			m.bit_off += encoding >> 16 & 0xff;
			m.bit_size = (uint8_t)bits;
		}
	}
	return m;
}

struct enum_const btf_enum_at(const struct btf *b, const struct raw_type *t, uint32_t i)
{
	if (raw_kind(t) == BTF_ENUM64) {
		const struct raw_enum64 *c = (const struct raw_enum64 *)raw_items(t) + i;

		return (struct enum_const){ btf_str(b, c->name_off),
					    (int64_t)((uint64_t)c->hi << 32 | c->lo) };
	}

	const struct raw_enum *c = (const struct raw_enum *)raw_items(t) + i;
	return (struct enum_const){ btf_str(b, c->name_off),
				    raw_flag(t) ? c->value : (int64_t)(uint32_t)c->value };
}

const char *btf_text(const struct btf *b, uint32_t off)
{
	return btf_str(b, off);
}
