#include "session/decode.h"

#include "output/sort.h"
#include "session/cgroups.h"
#include "session/clock.h"
#include "symbol/ksyms.h"
#include "symbol/usyms.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_INDENT = 8, NEST_MAX = 32 };

/* One decoding: the decoder, where results live, how deep structs are nested. */
struct job {
	struct decoder *d;
	struct arena *a;
	int depth;
};

static void value_of(struct job *j, const struct type *t, const uint8_t *p, struct value *out);

void decoder_init(struct decoder *d, const struct plan *plan)
{
	*d = (struct decoder){ .plan = plan };
}

void decoder_fini(struct decoder *d)
{
	if (d->ksyms) {
		ksyms_fini(d->ksyms);
		free(d->ksyms);
	}
	d->ksyms = NULL;
	usyms_free(d->usyms);
	d->usyms = NULL;
	users_fini(&d->users);
}

struct usyms *decoder_usyms(struct decoder *d)
{
	if (!d->usyms)
		d->usyms = usyms_new();
	usyms_set(d->usyms, &(struct usyms_how){ d->debug_dirs, d->source_lines, d->mangled });
	return d->usyms;
}

static uint64_t load(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static uint64_t extend(uint64_t v, unsigned bits, bool is_signed)
{
	unsigned gap = 64 - bits;

	if (!bits || !gap)
		return v;
	v <<= gap;
	return is_signed ? (uint64_t)((int64_t)v >> gap) : v >> gap;
}

static void put_text(struct value *out, const char *text)
{
	out->kind = V_TEXT;
	out->text = text;
	out->len = strlen(text);
}

static void put_enum(struct job *j, const struct type *t, int64_t v, struct value *out)
{
	uint32_t n;
	const struct enum_const *consts = type_enum_consts(j->d->plan->types, t, &n);

	out->kind = V_ENUM;
	out->i = v;
	for (uint32_t i = 0; i < n; i++) {
		if (consts[i].value != v)
			continue;
		out->text = consts[i].name;
		out->len = strlen(out->text);
		return;
	}
}

/* A number of a scalar type, already extended. */
static void put_scalar(struct job *j, const struct type *t, uint64_t v, struct value *out)
{
	switch (t->kind) {
	case T_BOOL: out->kind = V_BOOL; break;
	case T_PTR: out->kind = V_PTR; break;
	case T_ENUM: put_enum(j, t, (int64_t)v, out); return;
	default: out->kind = t->is_signed ? V_INT : V_UINT;
	}
	out->u = v;
}

static void put_float(const struct type *t, const uint8_t *p, struct value *out)
{
	float f;

	out->kind = V_FLOAT;
	if (t->size == sizeof(double)) {
		memcpy(&out->f, p, sizeof(double));
	} else if (t->size == sizeof(float)) {
		memcpy(&f, p, sizeof(f));
		out->f = (double)f;
	}
	if (out->f != out->f) /* one NaN is as good as another, but for its sign in text */
		out->f = __builtin_nan("");
}

static void put_chars(const uint8_t *p, uint32_t size, struct value *out)
{
	out->kind = V_STRING;
	out->text = (const char *)p;
	out->len = strnlen((const char *)p, size);
}

/* A string that fills its memory was cut. */
static void put_string(struct job *j, const struct type *t, const uint8_t *p, struct value *out)
{
	const char *trailer = j->d->trunc_trailer;

	put_chars(p, t->size, out);
	if (out->len < t->size || !t->size)
		return;
	j->d->cut++;
	if (!trailer) {
		out->truncated = true;
		return;
	}
	out->text = arena_printf(j->a, "%.*s%s", (int)out->len, out->text, trailer);
	out->len += strlen(trailer);
}

static void put_buffer(const struct type *t, const uint8_t *p, struct value *out)
{
	uint32_t room = t->size - sizeof(uint32_t);
	uint32_t len = (uint32_t)load(p, sizeof(uint32_t));

	out->kind = V_BUFFER;
	out->text = (const char *)p + sizeof(uint32_t);
	out->len = len < room ? len : room;
}

static void put_array(struct job *j, const struct type *t, const uint8_t *p, struct value *out)
{
	uint32_t n = t->nelems;

	if (t->elem->is_char) {
		put_string(j, t, p, out);
		return;
	}
	struct value *items = arena_array(j->a, struct value, n);
	for (uint32_t i = 0; i < n; i++)
		value_of(j, t->elem, p + (size_t)i * t->elem->size, &items[i]);
	out->kind = V_ARRAY;
	out->items = items;
	out->nitems = n;
}

/* Bits off ... off + size - 1 of little-endian memory. */
static uint64_t load_bits(const uint8_t *p, uint32_t off, unsigned size)
{
	unsigned __int128 v = 0;
	unsigned nbytes = (off % 8 + size + 7) / 8;

	for (unsigned i = 0; i < nbytes; i++)
		v |= (unsigned __int128)p[off / 8 + i] << (8 * i);
	return (uint64_t)(v >> (off % 8));
}

static void put_member(struct job *j, const struct field *f, const uint8_t *p,
		       struct value *out)
{
	if (!f->bit_size) {
		value_of(j, f->type, p + f->bit_off / 8, out);
		return;
	}
	*out = (struct value){};
	put_scalar(
		j, f->type,
		extend(load_bits(p, f->bit_off, f->bit_size), f->bit_size, f->type->is_signed),
		out);
}

/* A nameless member of a struct shows its members in its place; parts of tuples have none. */
static bool is_anonymous(const struct type *t, const struct field *f)
{
	return t->kind == T_STRUCT && f->type->kind == T_STRUCT && (!f->name || !*f->name);
}

static size_t count_members(struct job *j, const struct type *t, int depth)
{
	uint32_t n;
	const struct field *fields = type_fields(j->d->plan->types, t, &n);
	size_t count = 0;

	for (uint32_t i = 0; i < n && depth < NEST_MAX; i++)
		count += is_anonymous(t, &fields[i])
				 ? count_members(j, fields[i].type, depth + 1)
				 : 1;
	return count;
}

struct members {
	struct value *items;
	const char **names;
	size_t n;
};

static void put_members(struct job *j, const struct type *t, const uint8_t *p, int depth,
			struct members *m)
{
	uint32_t n;
	const struct field *fields = type_fields(j->d->plan->types, t, &n);

	for (uint32_t i = 0; i < n && depth < NEST_MAX; i++) {
		const struct field *f = &fields[i];

		if (is_anonymous(t, f)) {
			put_members(j, f->type, p + f->bit_off / 8, depth + 1, m);
			continue;
		}
		m->names[m->n] = f->name;
		put_member(j, f, p, &m->items[m->n++]);
	}
}

static void put_record(struct job *j, const struct type *t, const uint8_t *p, struct value *out)
{
	size_t n = count_members(j, t, 0);
	struct members m = { .items = arena_array(j->a, struct value, n),
			     .names = arena_array(j->a, const char *, n) };

	put_members(j, t, p, 0, &m);
	out->kind = t->kind == T_TUPLE ? V_TUPLE : V_RECORD;
	out->items = m.items;
	out->names = t->kind == T_TUPLE ? NULL : m.names;
	out->nitems = m.n;
}

static const struct ksyms *kernel_symbols(struct decoder *d)
{
	if (!d->ksyms && !d->ksyms_failed) {
		d->ksyms = xcalloc(1, sizeof(*d->ksyms));
		if (ksyms_load(d->ksyms, KSYMS_PATH, &d->ksyms_err) < 0) {
			d->ksyms_failed = true;
			free(d->ksyms);
			d->ksyms = NULL;
		}
	}
	return d->ksyms;
}

void decoder_prepare(struct decoder *d, const struct type *t)
{
	uint32_t n;

	if (t->kind == T_KSYM || t->kind == T_KSTACK) {
		kernel_symbols(d);
	} else if (t->kind == T_TUPLE || t->kind == T_RECORD) {
		const struct field *f = type_fields(d->plan->types, t, &n);

		for (uint32_t i = 0; i < n; i++)
			decoder_prepare(d, f[i].type);
	}
}

/* An address without a name; none at all is shown as bpftrace shows it. */
static const char *hex(struct job *j, uint64_t addr)
{
	if (!addr)
		return "0";
	return arena_printf(j->a, "0x%" PRIx64, addr);
}

static bool find_ksym(struct job *j, uint64_t addr, struct ksym *out)
{
	const struct ksyms *ks = kernel_symbols(j->d);

	return ks && ksyms_lookup(ks, addr, out);
}

static void put_ksym(struct job *j, uint64_t addr, struct value *out)
{
	struct ksym sym;

	put_text(out, find_ksym(j, addr, &sym) ? sym.name : hex(j, addr));
}

/* A frame as its mode shows it, and the name that tells functions apart. */
struct frame {
	const char *text, *name;
};

static struct frame kernel_frame(struct job *j, enum stack_mode mode, uint64_t addr)
{
	struct ksym sym;
	struct frame f;

	if (mode == STACK_RAW || mode == STACK_BUILD_ID) {
		f.text = f.name = arena_printf(j->a, "%" PRIx64, addr);
		return f;
	}

	bool known = find_ksym(j, addr, &sym);
	f.name = known ? sym.name : "[unknown]";
	if (mode == STACK_PERF && known)
		f.text = arena_printf(j->a, "\t%" PRIx64 " %s+%" PRIu64, addr, sym.name,
				      sym.offset);
	else if (mode == STACK_PERF)
		f.text = arena_printf(j->a, "\t%" PRIx64 " 0x%" PRIx64, addr, addr);
	else
		f.text = known ? arena_printf(j->a, "%s+%" PRIu64, sym.name, sym.offset)
			       : hex(j, addr);
	return f;
}

static bool find_usym(struct job *j, uint32_t pid, uint64_t addr, struct usym *out)
{
	*out = (struct usym){};
	return !j->d->no_user_symbols &&
	       usyms_lookup(decoder_usyms(j->d), (pid_t)pid, addr, out);
}

/*
 * The function of a frame that was left by a call. If that is the last thing the function does
 * (of abort() and the like nobody returns), the return address is behind it.
 */
static bool find_caller(struct job *j, uint32_t pid, uint64_t addr, struct usym *out)
{
	bool known = find_usym(j, pid, addr, out);
	struct usym before;

	if ((out->name && out->offset) || !find_usym(j, pid, addr - 1, &before) || !before.name)
		return known;
	*out = before;
	out->offset++;
	return true;
}

static unsigned find_lines(struct job *j, uint32_t pid, uint64_t addr, bool is_return,
			   struct usym_line *out)
{
	return j->d->source_lines
		       ? usyms_lines(decoder_usyms(j->d), (pid_t)pid, addr, is_return, out)
		       : 0;
}

/* "f+12@file.c:34" */
static const char *at_line(struct job *j, const char *text, const struct usym_line *l)
{
	return arena_printf(j->a, "%s@%s:%d", text, l->file, l->line);
}

static void put_usym(struct job *j, uint32_t pid, uint64_t addr, struct value *out)
{
	struct usym_line lines[USYM_LINES_MAX];
	const char *text;
	struct usym sym;
	unsigned n;

	find_usym(j, pid, addr, &sym);
	text = sym.name ? arena_strdup(j->a, sym.name) : hex(j, addr);
	n = sym.name ? find_lines(j, pid, addr, false, lines) : 0;
	put_text(out, n ? at_line(j, text, &lines[n - 1]) : text);
}

/* Of code without symbols the file is the name. */
static const char *user_name(struct job *j, const struct usym *sym)
{
	const char *slash = sym->module ? strrchr(sym->module, '/') : NULL;

	if (sym->name)
		return arena_strdup(j->a, sym->name);
	if (!sym->module)
		return "[unknown]";
	return slash ? arena_printf(j->a, "[%s]", slash + 1) : arena_strdup(j->a, sym->module);
}

static const char *build_id_frame(struct job *j, uint32_t pid, uint64_t addr)
{
	uint64_t offset;
	const char *id = usyms_build_id(decoder_usyms(j->d), (pid_t)pid, addr, &offset);

	return id ? arena_printf(j->a, "%s 0x%" PRIx64, id, offset)
		  : arena_printf(j->a, "%" PRIx64, addr);
}

static struct frame user_frame(struct job *j, enum stack_mode mode, uint32_t pid, uint64_t addr,
			       bool is_return, const struct usym_line *line)
{
	struct frame f;
	struct usym sym;

	if (mode == STACK_RAW || mode == STACK_BUILD_ID) {
		f.text = f.name = mode == STACK_RAW ? arena_printf(j->a, "%" PRIx64, addr)
						    : build_id_frame(j, pid, addr);
		return f;
	}
	(is_return ? find_caller : find_usym)(j, pid, addr, &sym);
	f.name = user_name(j, &sym);
	f.text =
		sym.name ? arena_printf(j->a, "%s+%" PRIu64, f.name, sym.offset) : hex(j, addr);
	if (line)
		f.text = at_line(j, f.text, line);
	if (mode == STACK_PERF)
		f.text = arena_printf(j->a, "\t%" PRIx64 " %s (%s)", addr, f.text,
				      sym.module ? sym.module : "[unknown]");
	return f;
}

struct frames {
	VEC(struct value) items;
	VEC(const char *) names;
};

static void add_frame(struct job *j, struct frames *out, struct frame f)
{
	struct value v = {};

	put_text(&v, f.text);
	vec_push(j->a, &out->items, v);
	vec_push(j->a, &out->names, f.name);
}

/* The frame, and in front of it, when lines are shown, what was inlined there. */
static void add_user_frames(struct job *j, struct frames *out, enum stack_mode mode,
			    uint32_t pid, uint64_t addr, bool is_return)
{
	struct usym_line lines[USYM_LINES_MAX];
	bool is_named = mode == STACK_SCRY || mode == STACK_PERF;
	unsigned n = is_named ? find_lines(j, pid, addr, is_return, lines) : 0;
	const struct usym_line *l = lines, *end = lines + n;

	for (; l < end && l->name; l++) {
		const char *mark = mode == STACK_PERF ? "\t[inlined] " : "[inlined] ";
		const char *text = arena_printf(j->a, "%s%s", mark, l->name);

		add_frame(j, out,
			  (struct frame){ at_line(j, text, l), arena_strdup(j->a, l->name) });
	}
	add_frame(j, out, user_frame(j, mode, pid, addr, is_return, l < end ? l : NULL));
}

/* How a stack lies in memory: the number of frames, the process, the addresses. */
static uint32_t stack_depth(const struct type *t, const uint8_t *p)
{
	uint32_t n = (uint32_t)load(p, sizeof(uint32_t));

	return n > t->depth ? t->depth : n;
}

static uint32_t stack_pid(const uint8_t *p)
{
	return (uint32_t)load(p + sizeof(uint32_t), sizeof(uint32_t));
}

static uint64_t stack_addr(const uint8_t *p, uint32_t i)
{
	enum { IPS = 8 }; /* offset of ip[] */

	return load(p + IPS + (size_t)i * 8, 8);
}

/* Was the frame that comes next left by a signal, at any instruction, and not by a call? */
static bool was_interrupted(const struct frames *f)
{
	return f->names.len && !strcmp(vec_last(&f->names), "__restore_rt");
}

/* The frames from number i on, up to number end. */
static void put_frames(struct job *j, const struct type *t, const uint8_t *p, uint32_t i,
		       uint32_t end, struct value *out)
{
	uint32_t pid = stack_pid(p);
	struct frames frames = {};

	for (; i < end; i++) {
		uint64_t addr = stack_addr(p, i);

		if (t->kind == T_KSTACK)
			add_frame(j, &frames, kernel_frame(j, t->stack_mode, addr));
		else
			add_user_frames(j, &frames, t->stack_mode, pid, addr,
					i > 0 && !was_interrupted(&frames));
	}
	out->kind = V_STACK;
	out->is_kernel = t->kind == T_KSTACK;
	out->items = frames.items.data;
	out->names = frames.names.data;
	out->nitems = (unsigned)frames.items.len;
	out->indent = t->stack_mode == STACK_SCRY ? FRAME_INDENT : 0;
}

static void put_stack(struct job *j, const struct type *t, const uint8_t *p, struct value *out)
{
	put_frames(j, t, p, 0, stack_depth(t, p), out);
}

static void put_probe(struct job *j, uint64_t id, struct value *out)
{
	const struct plan *plan = j->d->plan;

	put_text(out, id < plan->probe_names.len ? plan->probe_names.data[id] : "");
}

static void put_timestamp(struct job *j, const uint8_t *p, struct value *out)
{
	const struct plan *plan = j->d->plan;
	uint64_t ns = load(p, 8), format = load(p + 8, 4);
	clockid_t clock = load(p + 12, 4) == TIMESTAMP_TAI ? CLOCK_TAI : CLOCK_BOOTTIME;

	if (format >= plan->strings.len) {
		put_text(out, "");
		return;
	}
	put_text(out, clock_format(j->a, plan->strings.data[format], clock_to_wall(clock, ns)));
}

static void put_user(struct job *j, uint64_t uid, struct value *out)
{
	struct decoder *d = j->d;

	if (!d->users_loaded)
		users_load(&d->users, "/etc/passwd");
	d->users_loaded = true;

	const char *name = users_find(&d->users, uid);
	put_text(out, name ? name : arena_printf(j->a, "%" PRIu64, uid));
}

static void put_inet(struct job *j, const uint8_t *p, struct value *out)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop((int)load(p, 4), p + 8, text, sizeof(text)))
		text[0] = '\0';
	put_text(out, arena_strdup(j->a, text));
}

static void put_mac(struct job *j, const uint8_t *p, struct value *out)
{
	put_text(out, arena_printf(j->a, "%02X:%02X:%02X:%02X:%02X:%02X", p[0], p[1], p[2],
				   p[3], p[4], p[5]));
}

static void put_cgroup_path(struct job *j, const uint8_t *p, struct value *out)
{
	const struct plan *plan = j->d->plan;
	uint64_t filter = load(p + 8, 4);

	put_text(out, filter < plan->strings.len
			      ? cgroup_paths(j->a, load(p, 8), plan->strings.data[filter])
			      : "");
}

static void value_of(struct job *j, const struct type *t, const uint8_t *p, struct value *out)
{
	*out = (struct value){};
	if (++j->depth > NEST_MAX) {
		j->depth--;
		return;
	}
	switch (t->kind) {
	case T_BOOL:
	case T_INT:
	case T_ENUM:
	case T_PTR:
		put_scalar(j, t, extend(load(p, t->size), t->size * 8, t->is_signed), out);
		break;
	case T_FLOAT: put_float(t, p, out); break;
	case T_STRING: put_string(j, t, p, out); break;
	case T_BUFFER: put_buffer(t, p, out); break;
	case T_ARRAY: put_array(j, t, p, out); break;
	case T_STRUCT:
	case T_TUPLE:
	case T_RECORD: put_record(j, t, p, out); break;
	case T_KSYM: put_ksym(j, load(p, 8), out); break;
	case T_USYM: put_usym(j, (uint32_t)load(p + 8, 4), load(p, 8), out); break;
	case T_KSTACK:
	case T_USTACK: put_stack(j, t, p, out); break;
	case T_PROBE: put_probe(j, load(p, 8), out); break;
	case T_TIMESTAMP: put_timestamp(j, p, out); break;
	case T_USERNAME: put_user(j, load(p, 8), out); break;
	case T_INET: put_inet(j, p, out); break;
	case T_MAC: put_mac(j, p, out); break;
	case T_CGROUP_PATH: put_cgroup_path(j, p, out); break;
	default: break;
	}
	j->depth--;
}

void decode(struct decoder *d, struct arena *a, const struct type *t, const void *bytes,
	    struct value *out)
{
	struct job j = { .d = d, .a = a };

	value_of(&j, t, bytes, out);
}

static bool is_stack(const struct type *t)
{
	return t->kind == T_KSTACK || t->kind == T_USTACK;
}

/* Other addresses may have the same name: these frames do not tell stacks apart. */
static bool stacks_apart(struct job *j, const struct type *t, const uint8_t *x,
			 const uint8_t *y, struct value *vx, struct value *vy)
{
	uint32_t nx = stack_depth(t, x), ny = stack_depth(t, y);

	if (stack_pid(x) != stack_pid(y))
		return false;
	for (uint32_t i = 0; i < nx && i < ny; i++) {
		if (stack_addr(x, i) == stack_addr(y, i))
			continue;
		put_frames(j, t, x, i, i + 1, vx);
		put_frames(j, t, y, i, i + 1, vy);
		if (map_compare_keys(vx, vy))
			return true;
	}
	put_frames(j, t, x, 0, 0, vx);
	put_frames(j, t, y, 0, 0, vy);
	return nx == ny && !memcmp(x, y, (1 + nx) * sizeof(uint64_t));
}

static bool tuples_apart(struct job *j, const struct type *t, const uint8_t *x,
			 const uint8_t *y, struct value *vx, struct value *vy)
{
	uint32_t n;
	const struct field *f = type_fields(j->d->plan->types, t, &n);
	struct value *ix = arena_array(j->a, struct value, n);
	struct value *iy = arena_array(j->a, struct value, n);
	bool any = false;

	*vx = (struct value){ .kind = V_TUPLE, .items = ix, .nitems = n };
	*vy = (struct value){ .kind = V_TUPLE, .items = iy, .nitems = n };
	for (uint32_t i = 0; i < n; i++) {
		uint32_t off = f[i].bit_off / 8;

		if (is_stack(f[i].type)) {
			if (!stacks_apart(j, f[i].type, x + off, y + off, &ix[i], &iy[i]))
				return false;
			any = true;
		} else {
			value_of(j, f[i].type, x + off, &ix[i]);
			value_of(j, f[i].type, y + off, &iy[i]);
		}
	}
	return any;
}

bool decode_stacks_apart(struct decoder *d, struct arena *a, const struct type *t,
			 const void *x, const void *y, struct value *vx, struct value *vy)
{
	struct job j = { .d = d, .a = a };

	*vx = *vy = (struct value){};
	if (is_stack(t))
		return stacks_apart(&j, t, x, y, vx, vy) && vx->nitems;
	return t->kind == T_TUPLE && tuples_apart(&j, t, x, y, vx, vy);
}
