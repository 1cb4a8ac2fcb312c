/*
 * The parts of an attach point.
 *
 * Its text is split on ':' and '@' outside quotes; the '@' stays as a part of its own, so that
 * "uprobe:bin@file.c:12" keeps what it said.  Positional parameters are replaced first and
 * their text is split like the script's own.
 */
#include "base/auto.h"
#include "script/parse_state.h"

#include <ctype.h>
#include <string.h>

/* The text with each $N outside quotes replaced; reports and stops at one that is none. */
static void replace_params(struct parser *p, struct span span, const char *text, struct sb *out)
{
	bool quoted = false;

	for (const char *s = text; *s;) {
		if (*s == '\\' && quoted && s[1])
			sb_putc(out, *s++);
		else if (*s == '"')
			quoted = !quoted;
		if (*s != '$' || quoted) {
			sb_putc(out, *s++);
			continue;
		}

		size_t digits = strspn(s + 1, "0123456789");
		uint32_t at = span.beg + (uint32_t)(s - text);
		struct span here = { at, at + 1 + (uint32_t)digits };
		unsigned long n = strtoul(s + 1, NULL, 10);
		s += 1 + digits;
		if (n == 0 || isalpha((unsigned char)*s) || *s == '_') {
			struct diag *d =
				diag(p->dx, E0008_POSITIONAL, here,
				     "invalid positional parameter in an attach point");
			diag_hint(d,
				  "write $1 to $9...; put quotes around text that follows it");
			return;
		}
		if (p->opt && n <= p->opt->nparams)
			sb_puts(out, p->opt->params[n - 1]);
		else
			diag(p->dx, W0103_PARAM_MISSING, here, (unsigned long long)n);
	}
}

/* "name=" in front of the provider: its length without the '=', 0 for none. */
static size_t user_name_len(const char *s)
{
	size_t n = 0;

	while (s[n] == '_' || isalnum((unsigned char)s[n]))
		n++;
	return n && !isdigit((unsigned char)*s) && s[n] == '=' ? n : 0;
}

struct parts {
	struct arena *arena;
	VEC(const char *) list;
	struct sb part; /* under construction */
};

static void end_part(struct parts *x)
{
	vec_push(x->arena, &x->list, arena_strndup(x->arena, sb_str(&x->part), x->part.len));
	sb_clear(&x->part);
}

/* Past the quoted text that begins at s, whose contents are added to the part. */
static const char *quoted_text(struct parts *x, const char *s)
{
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		sb_putc(&x->part, *s);
	}
	return *s ? s + 1 : s;
}

static void split(struct parts *x, const char *s)
{
	while (*s) {
		if (*s == '"') {
			s = quoted_text(x, s);
			continue;
		}
		if (*s == ':') {
			end_part(x);
		} else if (*s == '@') {
			if (x->part.len)
				end_part(x);
			sb_putc(&x->part, '@');
			end_part(x);
			if (!s[1])
				return;
		} else {
			sb_putc(&x->part, *s);
		}
		s++;
	}
	end_part(x);
}

static const char *join(struct parts *x)
{
	bool after_at = true;

	vec_each(part, &x->list) {
		bool at = !strcmp(*part, "@");

		if (!after_at && !at)
			sb_putc(&x->part, ':');
		sb_puts(&x->part, *part);
		after_at = at;
	}
	return arena_strndup(x->arena, sb_str(&x->part), x->part.len);
}

void parse_attach_point(struct parser *p, struct span span, struct attach_point *ap)
{
	const char *raw = source_text(p->dx->sources, p->arena, span);
	size_t name_len = user_name_len(raw);
	struct parts x = { .arena = p->arena };
	auto_sb struct sb text = {};

	ap->span = span;
	if (name_len) {
		ap->user_name = arena_strndup(p->arena, raw, name_len);
		raw += name_len + 1;
		span.beg += (uint32_t)name_len + 1;
	}
	replace_params(p, span, raw, &text);
	split(&x, sb_str(&text));
	ap->parts = x.list.data;
	ap->nparts = (unsigned)x.list.len;
	ap->text = join(&x);
	sb_free(&x.part);
}
