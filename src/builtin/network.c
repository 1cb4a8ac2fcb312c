/*
 * Builtins about network addresses.
 */
#include "builtin/builtin.h"
#include "script/lower.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16, MAC_SIZE = 6 };

/* ntop([family,] address): a number in memory order, or an array of 4 or 16 bytes. */
static bool check_ntop(struct unit *u, struct expr *e)
{
	const struct expr *addr = e->args[e->nargs - 1];
	const struct type *t = addr->type;
	bool bytes = t->kind == T_ARRAY || t->kind == T_STRING;

	if (e->nargs > 1 && !type_is_integral(e->args[0]->type))
		return builtin_bad_arg(u, e->args[0],
				       "ntop() expects the address family as a number");
	if (bytes && t->size != IPV4_SIZE && t->size != IPV6_SIZE)
		return builtin_bad_arg(u, addr,
				       "ntop() argument must be 4 or 16 bytes in size");
	if (!bytes && !type_is_integral(t))
		return builtin_bad_arg(u, addr, "ntop() expects a number or an array of bytes");
	e->type = &type_inet;
	return true;
}

static void lower_ntop(struct unit *u, struct expr *e, const struct dest *d)
{
	enum { FAMILY_OFF = 0, ADDR_OFF = 8 };
	struct irb *b = &u->b;
	struct expr *addr = e->args[e->nargs - 1];
	bool bytes = !type_is_scalar(addr->type);
	bool six = bytes && addr->type->size == IPV6_SIZE;
	ref family = e->nargs > 1 ? lower_scalar(u, e->args[0])
				  : ir_const(b, six ? AF_INET6 : AF_INET);

	ir_zero(b, d->ptr, d->off, d->type->size);
	ir_store(b, 4, d->ptr, d->off + FAMILY_OFF, family);
	if (!bytes) {
		ir_store(b, 4, d->ptr, d->off + ADDR_OFF, lower_scalar(u, addr));
		return;
	}
	struct place p = lower_place(u, addr);
	read_bytes(u, &p, addr->type->size, d->ptr, d->off + ADDR_OFF, e->span);
}

static bool check_macaddr(struct unit *u, struct expr *e)
{
	const struct type *t = e->args[0]->type;
	bool bytes = t->kind == T_ARRAY || t->kind == T_STRING;

	if (e->args[0]->kind == E_STRING)
		return builtin_bad_arg(u, e->args[0],
				       "macaddr() does not support literal string arguments");
	if ((bytes && t->size != MAC_SIZE) || (!bytes && t->kind != T_PTR))
		return builtin_bad_arg(u, e->args[0],
				       "macaddr() argument must be 6 bytes in size");
	e->type = &type_mac;
	return true;
}

static void lower_macaddr(struct unit *u, struct expr *e, const struct dest *d)
{
	struct expr *a = e->args[0];
	struct place p = a->type->kind == T_PTR
				 ? place_of_pointer(u, lower_scalar(u, a), a->type->as)
				 : lower_place(u, a);

	read_bytes(u, &p, MAC_SIZE, d->ptr, d->off, e->span);
}

/* pton("address") is known now: 4 or 16 bytes. */
static bool check_pton(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	uint8_t *bytes = arena_alloc(c->arena, IPV6_SIZE);
	const char *text;
	size_t len;

	literal_text(u, e->args[0], &text, &len);
	bool six = strchr(text, ':');
	if (inet_pton(six ? AF_INET6 : AF_INET, text, bytes) != 1)
		return builtin_bad_arg(u, e->args[0],
				       arena_printf(c->arena,
						    "pton() expects an address (%s provided)",
						    text));
	e->data = bytes;
	e->type = type_array(c->tt, type_int(c->tt, 1, false), six ? IPV6_SIZE : IPV4_SIZE);
	return true;
}

static void lower_pton(struct unit *u, struct expr *e, const struct dest *d)
{
	struct irb *b = &u->b;
	const uint8_t *bytes = e->data;

	for (uint32_t off = 0; off < e->type->size; off += 4) {
		int32_t word;

		memcpy(&word, bytes + off, sizeof(word));
		ir_store(b, 4, d->ptr, d->off + (int32_t)off, ir_const(b, word));
	}
}

/* The member of what `of` is or points to. */
static struct expr *member(struct compiler *c, struct expr *of, const char *name)
{
	struct expr *e = arena_new(c->arena, struct expr);

	*e = (struct expr){
		.kind = E_FIELD, .span = of->span, .name_span = of->span, .name = name, .a = of
	};
	return e;
}

/*
 * Read where the kernel keeps it. The helper that would make one for a socket without is not
 * for all probes; so a socket that nobody asked yet has 0.
 */
static bool check_socket_cookie(struct unit *u, struct expr *e)
{
	struct compiler *c = u->c;
	struct expr *sk = e->args[0];
	const struct type *t = sk->type;

	if (t->kind != T_PTR || t->elem->kind != T_STRUCT || strcmp(t->elem->name, "sock") != 0)
		return builtin_bad_arg(u, sk, "socket_cookie() expects a struct sock *");
	struct expr *cookie = member(c, member(c, sk, "__sk_common"), "skc_cookie");
	struct span span = e->span;
	*e = *member(c, cookie, "counter");
	e->span = span;
	check_expr(u, e);
	return !type_is_error(e->type);
}

BUILTINS(network) = {
	{ "ntop", "? ntop(any, [any])", 0, check_ntop, .lower_mem = lower_ntop,
	  .doc = "An IPv4 or IPv6 address as text: ntop(address), ntop(family, address)." },
	{ "macaddr", "? macaddr(any)", 0, check_macaddr, .lower_mem = lower_macaddr,
	  .doc = "Six bytes as a MAC address." },
	{ "pton", "? pton(lit)", 0, check_pton, .lower_mem = lower_pton,
	  .doc = "The bytes of an IPv4 or IPv6 address, a uint8[4] or uint8[16]." },
	{ "socket_cookie", "? socket_cookie(any)", 0, check_socket_cookie,
	  .doc = "The cookie of a struct sock *; 0 when the kernel has not given it one yet." },
	{ 0 },
};
