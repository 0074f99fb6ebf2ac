/*
 * The prefix of an address: from a prefix file, a mask, or what stood behind
 * the address. Source: util-vserver scripts/vserver.functions,
 * _transformMask2Prefix; src/mask2prefix.c.
 */
#include <sys/socket.h>
#include <inttypes.h>
#include <string.h>

#include "base/inet.h"
#include "base/str.h"
#include "importers/vserver/net_making.h"

static const char ref_prefix[] =
	"no prefix: ip addr add makes a host route of it";

/* What a text said where a prefix length belongs. */
struct length {
	uint64_t n;
	const char *odd; /* what is odd about it, or NULL */
	bool is_mask;
};

/* A length, or a mask where a length belongs; false: neither. */
static bool length(const struct vserver_net_making *m, const char *text,
		   struct length *ret)
{
	unsigned n;

	*ret = (struct length){ 0 };
	if (vserver_net_length(m->r->g->mem, text, &ret->n, &ret->odd))
		return ret->n <= inet_bits(&m->ip);
	ret->is_mask = strchr(text, '.') != NULL && m->ip.family == AF_INET &&
		       vserver_net_mask(text, &n);
	if (ret->is_mask)
		ret->n = n;
	return ret->is_mask;
}

static void take_prefix(struct vserver_net_making *m,
			const struct vserver_net_value *v, uint64_t n)
{
	reading_resume(m->r, v->s);
	take_u64(m->r, FIELD_ADDR_PREFIX, m->a, n);
	if (m->ip.family == AF_INET6 && n <= 32 && v != &m->i->v[NET_PREFIX])
		reading_find(m->r, FIND_NET_PREFIX_FAMILY,
			     "%s of %s applied to %s: taken as /%" PRIu64
			     "; /64 was probably meant",
			     v->text, v->s->from.key, m->text, n);
}

static void bad_prefix(struct vserver_net_making *m,
		       const struct vserver_net_value *v)
{
	reading_resume(m->r, v->s);
	reading_find(m->r, FIND_NET_BAD_VALUE,
		     "\"%s\" of %s is no prefix for %s: left out", v->text,
		     v->s->from.key, m->text);
	if (v == &m->i->v[NET_PREFIX] || v == &m->i->v[NET_MASK])
		vserver_net_end(m, v, BIN_INVALID,
				arena_printf(m->r->g->mem,
					     "\"%s\" is no prefix", v->text));
}

/* The mask never had an effect; it is said where it would have been another. */
static void beat_mask(struct vserver_net_making *m,
		      const struct vserver_net_value *by, uint64_t prefix)
{
	const struct vserver_net_value *mask = vserver_net_pick(m, NET_MASK);
	struct arena *mem = m->r->g->mem;
	unsigned n = 0;

	if (!vserver_net_has(mask))
		return;
	reading_resume(m->r, mask->s);
	if (!vserver_net_mask(mask->text, &n) || n != prefix)
		reading_find(m->r, FIND_NET_PREFIX_BEATS_MASK,
			     "prefix %s of %s won over %s: %s taken as "
			     "/%" PRIu64 ", not /%u",
			     by->text, by->s->from.key, mask->text, m->text,
			     prefix, n);
	if (mask == &m->i->v[NET_MASK])
		vserver_net_end(m, mask, BIN_OVERRIDDEN,
				arena_printf(mem, "%s won: /%" PRIu64,
					     by->s->from.key, prefix));
}

/* "192.0.2.1/24" in an ip file. */
static void tell_in_ip(struct vserver_net_making *m, const char *used)
{
	reading_resume(m->r, m->i->v[NET_IP].s);
	reading_find(m->r, FIND_NET_SPELLING,
		     "%s/%s has a prefix of its own: %s is used", m->text,
		     m->in_ip, used);
}

static bool prefix_file(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = vserver_net_pick(m, NET_PREFIX);
	struct length l;

	if (!vserver_net_has(v))
		return false;
	if (!length(m, v->text, &l)) {
		bad_prefix(m, v);
		return false;
	}
	take_prefix(m, v, l.n);
	if (l.is_mask)
		reading_find(m->r, FIND_NET_MASK_IN_PREFIX,
			     "%s in a prefix file: taken as /%" PRIu64, v->text,
			     l.n);
	if (l.odd != NULL)
		reading_find(m->r, FIND_NET_SPELLING,
			     "%s in a prefix file: taken as /%" PRIu64 ": %s",
			     v->text, l.n, l.odd);
	if (m->in_ip != NULL)
		tell_in_ip(m, v->text);
	beat_mask(m, v, l.n);
	return true;
}

/* The old tools stopped at it: what was meant is taken. */
static bool refused_mask(struct vserver_net_making *m,
			 const struct vserver_net_value *v)
{
	unsigned n;

	if (m->ip.family != AF_INET || !vserver_net_mask_meant(v->text, &n)) {
		bad_prefix(m, v);
		return false;
	}
	take_prefix(m, v, n);
	reading_find(m->r, FIND_NET_SPELLING,
		     "%s in a mask file: taken as /%u: the old tools stopped "
		     "at it",
		     v->text, n);
	return true;
}

/* No ones in front: it stood for none, whatever was meant. */
static void empty_mask(struct vserver_net_making *m,
		       const struct vserver_net_value *v)
{
	unsigned n;

	vserver_net_end(m, v, BIN_INERT,
			"a mask without ones in front stood for none");
	reading_resume(m->r, v->s);
	if (vserver_net_mask_meant(v->text, &n))
		reading_find(m->r, FIND_NET_SPELLING,
			     "%s in a mask file stood for no mask; /%u was "
			     "probably meant",
			     v->text, n);
	else if (!str_eq(v->text, "0.0.0.0"))
		reading_find(m->r, FIND_NET_MASK_HOLES,
			     "%s has no ones in front: it stood for no mask",
			     v->text);
}

static bool mask_file(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = vserver_net_pick(m, NET_MASK);
	unsigned n, all;
	struct err e;

	if (!vserver_net_has(v))
		return false;
	if (!vserver_net_mask(v->text, &n))
		return refused_mask(m, v);
	if (n == 0) {
		empty_mask(m, v);
		return false;
	}
	take_prefix(m, v, n);
	if (strv_split(m->r->g->mem, v->text, ".").n < 4)
		reading_find(m->r, FIND_NET_SPELLING, "%s counted as /%u",
			     v->text, n);
	else if (inet_mask(v->text, &all, &e) < 0)
		reading_find(m->r, FIND_NET_MASK_HOLES, "%s counted as /%u",
			     v->text, n);
	return true;
}

static bool prefix_in_ip(struct vserver_net_making *m)
{
	struct length l;

	if (m->in_ip == NULL)
		return false;
	if (!length(m, m->in_ip, &l)) {
		bad_prefix(m, &m->i->v[NET_IP]);
		return false;
	}
	tell_in_ip(m, m->in_ip);
	take_u64(m->r, FIELD_ADDR_PREFIX, m->a, l.n);
	return true;
}

/* An address that a network keeps for itself. */
static void edges(struct vserver_net_making *m)
{
	struct inet_net net = { .addr = m->ip };
	struct inet_addr first, last;
	const char *what;

	net.prefix = (unsigned)m->a->prefix.v;
	if (!inet_broadcast(&net, &last))
		return;
	inet_net_first(&net, &first);
	if (inet_equal(&first, &m->ip))
		what = "address";
	else if (inet_equal(&last, &m->ip))
		what = "broadcast address";
	else
		return;
	reading_resume(m->r, m->i->v[NET_IP].s);
	reading_find(m->r, FIND_NET_EDGE, "%s is the %s of its own network /%u",
		     m->text, what, net.prefix);
}

static void own_prefix(struct vserver_net_making *m)
{
	const unsigned bits = inet_bits(&m->ip);

	if (prefix_file(m) || mask_file(m) || prefix_in_ip(m))
		return;
	reading_resume(m->r, m->i->v[NET_IP].s);
	reading_default(m->r, FIELD_ADDR_PREFIX, m->a,
			bits == 32 ? "32" : "128", ref_prefix);
	reading_find(m->r, FIND_NET_PREFIX_HOST,
		     "%s stands alone: taken as /%u", m->text, bits);
}

void vserver_net_prefix(struct vserver_net_making *m)
{
	own_prefix(m);
	edges(m);
}
