#include "cli/vm_input.h"

#include "base/auto.h"
#include "bpf/asm.h"
#include "cli/kconfig.h"
#include "cli/vm_types.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vm_read_file(const char *path, struct sb *out, struct err *e)
{
	int err = sb_read_file(out, path);

	return err ? err_set(e, err, "read %s", path) : 0;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

bool vm_read_hex(const char *text, size_t len, struct sb *out)
{
	for (size_t i = 0; i < len; i++) {
		if (isspace((unsigned char)text[i]))
			continue;
		if (i + 1 == len || !isxdigit((unsigned char)text[i]) ||
		    !isxdigit((unsigned char)text[i + 1]))
			return false;
		sb_putc(out, (char)(digit(text[i]) << 4 | digit(text[i + 1])));
		i++;
	}
	return true;
}

static int take_bytes(struct arena *a, const char *name, const char *bytes, size_t len,
		      struct vm_source *out, struct err *e)
{
	if (!len || len % sizeof(struct bpf_insn))
		return err_set(e, -EINVAL,
			       "%s: %zu bytes are no program: instructions have %zu each", name,
			       len, sizeof(struct bpf_insn));
	out->n = (uint32_t)(len / sizeof(struct bpf_insn));
	out->insns = arena_array(a, struct bpf_insn, out->n);
	memcpy(out->insns, bytes, len);
	return 0;
}

static int take_object(struct arena *a, const char *name, const struct sb *file,
		       const struct vm_wanted *wanted, struct vm_source *out, struct err *e)
{
	struct err why = { 0 };
	struct kconfig kconfig = {};
	struct vm_types types = { .path = wanted->btf };
	const struct bpf_object_outside outside = vm_types_begin(&types, a);
	int ret = bpf_object_read(a, file->s, file->len,
				  &(struct bpf_object_config){ kconfig_value, &kconfig },
				  &outside, &out->object, &why);

	kconfig_fini(&kconfig);
	vm_types_fini(&types);
	if (ret)
		return err_set(e, ret, "%s: %s", name, why.msg);
	vec_each(p, &out->object.progs) {
		if (wanted->prog ? !strcmp(p->name, wanted->prog) : !p->refused) {
			if (p->refused)
				return err_set(e, -ENOTSUP, "%s: %s", name, p->refused);
			out->prog = p;
			out->insns = p->insns;
			out->n = p->n;
			return 0;
		}
	}
	return err_set(e, -EINVAL, "%s: there is no program '%s' in it", name, wanted->prog);
}

static bool is_object(const struct sb *file)
{
	return file->len >= SELFMAG && !memcmp(file->s, ELFMAG, SELFMAG);
}

int vm_read_program(struct arena *a, const char *name, const struct sb *text,
		    const struct vm_wanted *wanted, struct vm_source *out, struct err *e)
{
	auto_sb struct sb bytes = { 0 };

	if (is_object(text))
		return take_object(a, name, text, wanted, out, e);
	if (text->len && memchr(text->s, '\0', text->len))
		return take_bytes(a, name, text->s, text->len, out, e);
	if (vm_read_hex(sb_str(text), text->len, &bytes) && bytes.len) {
		/* Objects are looked at where they are, so they stay. */
		struct sb file = { arena_strndup(a, bytes.s, bytes.len), bytes.len, 0 };

		return is_object(&file) ? take_object(a, name, &file, wanted, out, e)
					: take_bytes(a, name, file.s, file.len, out, e);
	}

	struct err where = { 0 };
	int ret = bpf_asm(a, sb_str(text), text->len, &out->insns, &out->n, &where);
	if (ret)
		return err_set(e, ret, "%s:%s", name, where.msg);
	return out->n ? 0 : err_set(e, -EINVAL, "%s: there is no instruction in it", name);
}

/* The number up to the next colon, behind which *text is moved; false for anything else. */
static bool take_size(const char **text, uint32_t *size)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	uint64_t value = strtoull(*text, &end, 0);
	if (errno || value > UINT32_MAX || (*end && *end != ':'))
		return false;
	*size = (uint32_t)value;
	*text = end + (*end == ':');
	return true;
}

/* "=1,2" behind the name */
static int read_elements(const char *text, struct vm_map_def *m, struct err *e)
{
	const char *s = text;
	char *end;

	while (*s) {
		if (m->nelements == VM_ELEMENTS)
			return err_set(e, -EINVAL, "more than %d elements in '%s'", VM_ELEMENTS,
				       text);
		uint64_t number = strtoull(s + 1, &end, 10);
		if (!isdigit((unsigned char)s[1]) || number > UINT32_MAX ||
		    (*end && *end != ','))
			return err_set(e, -EINVAL, "'%s' are no numbers of maps", text + 1);
		m->elements[m->nelements++] = (uint32_t)number;
		s = end;
	}
	return 0;
}

int vm_read_map(const char *text, struct vm_map_def *out, struct err *e)
{
	struct scry_vm_map *map = &out->def;

	static const struct {
		const char *name;
		uint32_t type;
	} TYPES[] = {
		{ "hash", BPF_MAP_TYPE_HASH },
		{ "array", BPF_MAP_TYPE_ARRAY },
		{ "prog_array", BPF_MAP_TYPE_PROG_ARRAY },
		{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH },
		{ "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY },
		{ "lru_hash", BPF_MAP_TYPE_LRU_HASH },
		{ "lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH },
		{ "lpm_trie", BPF_MAP_TYPE_LPM_TRIE },
		{ "queue", BPF_MAP_TYPE_QUEUE },
		{ "stack", BPF_MAP_TYPE_STACK },
		{ "ringbuf", BPF_MAP_TYPE_RINGBUF },
		{ "perf_event_array", BPF_MAP_TYPE_PERF_EVENT_ARRAY },
		{ "stack_trace", BPF_MAP_TYPE_STACK_TRACE },
		{ "array_of_maps", BPF_MAP_TYPE_ARRAY_OF_MAPS },
		{ "hash_of_maps", BPF_MAP_TYPE_HASH_OF_MAPS },
	};
	size_t len = strcspn(text, ":");
	const char *p = text + len + (text[len] == ':');

	*out = (struct vm_map_def){ 0 };
	if (!take_size(&p, &map->key_size) || !take_size(&p, &map->value_size) ||
	    !take_size(&p, &map->max_entries))
		return err_set(e, -EINVAL,
			       "map '%s' is not TYPE:KEY:VALUE:ENTRIES[:NAME] with numbers up "
			       "to %u",
			       text, UINT32_MAX);
	snprintf(out->name, sizeof(out->name), "%.*s", (int)strcspn(p, "="), p);
	map->name = *out->name ? out->name : NULL;
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(*TYPES); i++) {
		if (strlen(TYPES[i].name) != len || memcmp(TYPES[i].name, text, len))
			continue;
		map->type = TYPES[i].type;
		if (map->type == BPF_MAP_TYPE_LPM_TRIE)
			map->flags = BPF_F_NO_PREALLOC;
		if (!strstr(TYPES[i].name, "_of_maps"))
			return 0;
		map->inner = (int)map->value_size;
		map->value_size = 4;
		return read_elements(p + strcspn(p, "="), out, e);
	}
	return err_set(e, -EINVAL, "map '%s': there is no type '%.*s'", text, (int)len, text);
}

int vm_context_by_name(const char *name)
{
	static const char *const NAMES[] = {
		[SCRY_VM_MEMORY] = "memory",	     [SCRY_VM_SOCKET] = "socket",
		[SCRY_VM_CLASSIFIER] = "classifier", [SCRY_VM_XDP] = "xdp",
		[SCRY_VM_TRACEPOINT] = "tracepoint",
	};

	for (int i = 0; i < (int)(sizeof(NAMES) / sizeof(*NAMES)); i++) {
		if (!strcmp(NAMES[i], name))
			return i;
	}
	return -1;
}

enum scry_vm_context vm_context_of_section(const char *section)
{
	static const struct {
		const char *prefix;
		enum scry_vm_context context;
	} SECTIONS[] = {
		{ "socket", SCRY_VM_SOCKET },	      { "xdp", SCRY_VM_XDP },
		{ "tc", SCRY_VM_CLASSIFIER },	      { "classifier", SCRY_VM_CLASSIFIER },
		{ "tracepoint", SCRY_VM_TRACEPOINT }, { "tp", SCRY_VM_TRACEPOINT },
	};

	for (size_t i = 0; i < sizeof(SECTIONS) / sizeof(*SECTIONS); i++) {
		if (!strncmp(section, SECTIONS[i].prefix, strlen(SECTIONS[i].prefix)))
			return SECTIONS[i].context;
	}
	return SCRY_VM_MEMORY;
}
