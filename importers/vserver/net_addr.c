/*
 * One interface directory: the address that came out of its files and those of
 * interfaces/ above it. What the old tools did rules; what was probably meant
 * goes into a finding. Source: util-vserver scripts/vserver.functions,
 * _processSingleInterface, and src/mask2prefix.c.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/net.h"

enum { VLAN_MAX = 4094, LABEL_MAX = 15 /* bytes of "eth0:web" */ };

static const char ref_prefix[] =
	"no prefix: ip addr add makes a host route of it";

/* The files of interfaces/ that hold for interfaces without their own. */
static const enum vserver_net_key inherited_keys[] = {
	NET_DEV, NET_PREFIX, NET_MASK, NET_BCAST, NET_SCOPE, NET_EXTIP,
};

/* Without effect on an address that the host has already. */
static const enum vserver_net_key unused_with_nodev[] = {
	NET_BCAST,     NET_NAME, NET_PEER, NET_DOWN,     NET_VLANDEV,
	NET_NOVLANDEV, NET_TUN,  NET_TAP,  NET_INDIRECT,
};

struct making {
	struct reading *r;
	const struct vserver_net_around *around;
	struct vserver_net_iface *i;
	struct addr *a;
	struct inet_addr ip;
	const char *text;  /* of the address, canonical */
	const char *in_ip; /* what stood behind a '/' in ip, or NULL */
	const char *dev;   /* NULL: none */
	unsigned vlan;     /* that its name implies; 0: none */
	bool nodev;
};

/* Ends a value that has a setting; one that is ended stays as it is. */
static void end(struct making *m, const struct vserver_net_value *v,
		enum bin bin, const char *note)
{
	if (v == NULL || v->s == NULL || v->s->decided || v->s->parts.n > 0)
		return;
	reading_resume(m->r, v->s);
	reading_decide(m->r, bin, "%s", note);
}

static void end_find(struct making *m, const struct vserver_net_value *v,
		     enum bin bin, enum finding_id id, const char *note)
{
	if (v == NULL || v->s == NULL || v->s->decided)
		return;
	reading_resume(m->r, v->s);
	reading_decide(m->r, bin, "%s", note);
	reading_find(m->r, id, "%s", note);
}

static void end_all(struct making *m, enum bin bin, const char *note)
{
	for (size_t k = 0; k < NET__MAX; k++)
		end(m, &m->i->v[k], bin, note);
	for (size_t k = 0; k < m->i->details.n; k++)
		end(m, m->i->details.v[k], bin, note);
}

static bool has(const struct vserver_net_value *v)
{
	return v != NULL && v->s != NULL && v->text != NULL &&
	       v->text[0] != '\0';
}

static bool is_set(const struct making *m, enum vserver_net_key key)
{
	return m->i->v[key].s != NULL;
}

static bool is_inherited_key(enum vserver_net_key key)
{
	for (size_t k = 0; k < COUNT(inherited_keys); k++)
		if (inherited_keys[k] == key)
			return true;
	return false;
}

/*
 * The value that the old tools' read loop left: an own one without newline (or
 * empty) is read on past where there is one above. NULL: none.
 */
static const struct vserver_net_value *pick(struct making *m,
					    enum vserver_net_key key)
{
	const struct vserver_net_value *own = &m->i->v[key];
	const struct vserver_net_value *up = &m->around->up[key];
	struct arena *mem = m->r->g->mem;

	if (!is_inherited_key(key) || up->s == NULL)
		return own->s == NULL ? NULL : own;
	if (own->s == NULL)
		return up;
	if (own->text[0] != '\0' && !own->unterminated)
		return own;
	if (own->text[0] == '\0')
		end(m, own, BIN_INERT,
		    arena_printf(mem, "empty: %s holds", up->s->from.key));
	else
		end_find(m, own, BIN_OVERRIDDEN, FIND_SRC_NO_NEWLINE,
			 arena_printf(mem,
				      "\"%s\" has no newline: \"%s\" of %s won",
				      own->text, up->text, up->s->from.key));
	return up;
}

bool vserver_net_mask(const char *mask, unsigned *ret)
{
	unsigned n = 0;

	for (unsigned octet = 0; octet < 4; octet++) {
		const size_t digits = strspn(mask, "0123456789");
		unsigned v = 0;

		if (digits == 0 || digits > 3 ||
		    (mask[digits] != '.' && mask[digits] != '\0'))
			return false;
		for (size_t k = 0; k < digits; k++)
			v = v * 10 + (unsigned)(mask[k] - '0');
		if (v > 255)
			return false;
		for (unsigned bit = 0x80; (v & bit) != 0; bit >>= 1)
			n++;
		if (v != 255 || mask[digits] == '\0')
			break;
		mask += digits + 1;
	}
	*ret = n;
	return true;
}

static unsigned vlan_id(const char *digits)
{
	uint64_t id;
	struct err e;

	if (digits[0] < '0' || digits[0] > '9' ||
	    num_u64(digits, &id, &e) < 0 || id > VLAN_MAX)
		return 0;
	return (unsigned)id;
}

unsigned vserver_net_vlan(struct arena *mem, const char *dev,
			  const char **ret_parent)
{
	const char *dot = strrchr(dev, '.');

	*ret_parent = NULL;
	if (str_starts(dev, "vlan"))
		return vlan_id(dev + 4);
	if (dot == NULL || dot == dev)
		return 0;
	*ret_parent = arena_strndup(mem, dev, (size_t)(dot - dev));
	return vlan_id(dot + 1);
}

/* "192.000.002.010" without the zeros; NULL: not of that form. */
static const char *without_zeros(struct arena *mem, const char *text)
{
	const struct strv parts = strv_split(mem, text, ".");
	struct strv out = { 0 };

	if (parts.n != 4 || strspn(text, "0123456789.") < strlen(text))
		return NULL;
	for (size_t k = 0; k < parts.n; k++) {
		const char *p = parts.v[k];

		p += strspn(p, "0");
		strv_add(mem, &out, *p == '\0' ? "0" : p);
	}
	return strv_join(mem, &out, ".");
}

/* Why a text that is no literal stands there. */
static const char *why_not(struct arena *mem, const char *text)
{
	const char *plain = without_zeros(mem, text);
	struct inet_addr ip;
	struct err e;

	if (strchr(text, '%') != NULL)
		return "a zone index is no part of an address";
	if (plain != NULL && inet_parse(plain, &ip, &e) == 0)
		return arena_printf(mem,
				    "leading zeros are octal to some: %s was "
				    "probably meant",
				    plain);
	if (plain != NULL || strchr(text, ':') != NULL ||
	    strspn(text, "0123456789.") == strlen(text))
		return "no legal address";
	return "a host name or the name of a device: resolve it on the old "
	       "host";
}

static bool is_mapped(const struct inet_addr *ip)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return ip->family == AF_INET6 && memcmp(ip->b, head, 12) == 0;
}

/* Why it is no address that a guest can own; NULL: it is one. */
static const char *refuse(struct arena *mem, const char *text,
			  struct inet_addr *ret)
{
	struct err e;

	if (inet_parse(text, ret, &e) < 0)
		return why_not(mem, text);
	if (inet_is_any(ret))
		return "every address of the host, none of the guest's own";
	if (inet_is_multicast(ret))
		return "a multicast address";
	if (inet_is_loopback(ret))
		return "a loopback address: every guest has its own";
	if (is_mapped(ret))
		return "an IPv4 address in IPv6 form: give the IPv4 one";
	return NULL;
}

static const struct addr *find_addr(const struct guest *g, const char *ip)
{
	for (size_t k = 0; k < g->addrs.n; k++)
		if (g->addrs.v[k]->ip.from != NULL &&
		    str_eq(g->addrs.v[k]->ip.v, ip))
			return g->addrs.v[k];
	return NULL;
}

/* The setting that says the address, or the one that says there is none. */
static bool no_address(struct making *m)
{
	struct vserver_net_value *ip = &m->i->v[NET_IP];
	struct arena *mem = m->r->g->mem;
	const char *note = arena_printf(mem,
					"interfaces/%s has no address: left "
					"out",
					m->i->name);

	if (has(ip))
		return false;
	for (size_t k = 0; k < NET__MAX; k++) {
		if (m->i->v[k].s == NULL)
			continue;
		reading_resume(m->r, m->i->v[k].s);
		reading_find(m->r, FIND_NET_NO_ADDRESS, "%s", note);
		break;
	}
	end_all(m, BIN_DROPPED, note);
	return true;
}

static bool bad_address(struct making *m)
{
	struct vserver_net_value *ip = &m->i->v[NET_IP];
	struct arena *mem = m->r->g->mem;
	const char *slash = strchr(ip->text, '/'), *text = ip->text, *why;
	char canonical[INET_TEXT];

	if (slash != NULL) {
		text = arena_strndup(mem, text, (size_t)(slash - text));
		m->in_ip = slash + 1;
	}
	why = refuse(mem, text, &m->ip);
	if (why == NULL) {
		inet_show(&m->ip, canonical);
		m->text = arena_strdup(mem, canonical);
		return false;
	}
	end_find(m, ip, BIN_INVALID, FIND_NET_BAD_ADDRESS,
		 arena_printf(mem, "\"%s\" is %s: left out", ip->text, why));
	end_all(m, BIN_DROPPED,
		arena_printf(mem, "the address of interfaces/%s is left out",
			     m->i->name));
	return true;
}

static bool second_time(struct making *m)
{
	const struct addr *other = find_addr(m->r->g, m->text);
	const char *note;

	if (other == NULL)
		return false;
	note = arena_printf(m->r->g->mem, "%s is given by %s already", m->text,
			    other->ip.from->key);
	end_find(m, &m->i->v[NET_IP], BIN_OVERRIDDEN, FIND_SRC_MULTIPLE, note);
	end_all(m, BIN_OVERRIDDEN, note);
	return true;
}

/* A length, or a mask where a length belongs; false: neither. */
static bool length(const struct making *m, const char *text, unsigned *ret,
		   bool *ret_mask)
{
	const unsigned bits = inet_bits(&m->ip);
	uint64_t n;
	struct err e;

	*ret_mask = false;
	if (num_u64(text, &n, &e) == 0) {
		*ret = (unsigned)n;
		return n <= bits;
	}
	*ret_mask = strchr(text, '.') != NULL;
	return *ret_mask && m->ip.family == AF_INET &&
	       vserver_net_mask(text, ret);
}

static void take_prefix(struct making *m, const struct vserver_net_value *v,
			unsigned n)
{
	reading_resume(m->r, v->s);
	take_u64(m->r, FIELD_ADDR_PREFIX, m->a, n);
	if (m->ip.family == AF_INET6 && n <= 32 && v != &m->i->v[NET_PREFIX])
		reading_find(m->r, FIND_NET_PREFIX_FAMILY,
			     "%s of %s applied to %s: taken as /%u; /64 was "
			     "probably meant",
			     v->text, v->s->from.key, m->text, n);
}

static void bad_prefix(struct making *m, const struct vserver_net_value *v)
{
	reading_resume(m->r, v->s);
	reading_find(m->r, FIND_NET_BAD_VALUE,
		     "\"%s\" of %s is no prefix for %s: left out", v->text,
		     v->s->from.key, m->text);
	if (v == &m->i->v[NET_PREFIX] || v == &m->i->v[NET_MASK])
		end(m, v, BIN_INVALID,
		    arena_printf(m->r->g->mem, "\"%s\" is no prefix", v->text));
}

/* The mask never had an effect; it is said where it would have been another. */
static void beat_mask(struct making *m, const struct vserver_net_value *by,
		      unsigned prefix)
{
	const struct vserver_net_value *mask = pick(m, NET_MASK);
	struct arena *mem = m->r->g->mem;
	unsigned n = 0;

	if (!has(mask))
		return;
	reading_resume(m->r, mask->s);
	if (!vserver_net_mask(mask->text, &n) || n != prefix)
		reading_find(m->r, FIND_NET_PREFIX_BEATS_MASK,
			     "prefix %s of %s won over %s: %s taken as /%u, "
			     "not /%u",
			     by->text, by->s->from.key, mask->text, m->text,
			     prefix, n);
	if (mask == &m->i->v[NET_MASK])
		end(m, mask, BIN_OVERRIDDEN,
		    arena_printf(mem, "%s won: /%u", by->s->from.key, prefix));
}

static bool prefix_file(struct making *m)
{
	const struct vserver_net_value *v = pick(m, NET_PREFIX);
	bool is_mask;
	unsigned n;

	if (!has(v))
		return false;
	if (!length(m, v->text, &n, &is_mask)) {
		bad_prefix(m, v);
		return false;
	}
	take_prefix(m, v, n);
	if (is_mask)
		reading_find(m->r, FIND_NET_MASK_IN_PREFIX,
			     "%s in a prefix file: taken as /%u", v->text, n);
	if (m->in_ip != NULL)
		reading_find(m->r, FIND_SRC_NOT_STARTED,
			     "%s/%s has a prefix of its own: %s is used",
			     m->text, m->in_ip, v->text);
	beat_mask(m, v, n);
	return true;
}

static bool mask_file(struct making *m)
{
	const struct vserver_net_value *v = pick(m, NET_MASK);
	unsigned n, all;
	struct err e;

	if (!has(v))
		return false;
	if (!vserver_net_mask(v->text, &n)) {
		bad_prefix(m, v);
		return false;
	}
	if (n == 0) {
		end(m, v, BIN_INERT,
		    "a mask without ones in front stood for none");
		return false;
	}
	take_prefix(m, v, n);
	if (inet_mask(v->text, &all, &e) < 0)
		reading_find(m->r, FIND_NET_MASK_HOLES, "%s counted as /%u",
			     v->text, n);
	return true;
}

static bool prefix_in_ip(struct making *m)
{
	bool is_mask;
	unsigned n;

	if (m->in_ip == NULL)
		return false;
	if (!length(m, m->in_ip, &n, &is_mask)) {
		bad_prefix(m, &m->i->v[NET_IP]);
		return false;
	}
	reading_resume(m->r, m->i->v[NET_IP].s);
	take_u64(m->r, FIELD_ADDR_PREFIX, m->a, n);
	return true;
}

static void prefix(struct making *m)
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

/* Whether the old tools made the VLAN device at the start; reference 1.9. */
static bool makes_vlan(const struct making *m)
{
	const struct vserver_net_value *up = m->around->up;

	if (is_set(m, NET_VLANDEV))
		return true;
	if (is_set(m, NET_NOVLANDEV))
		return false;
	return up[NET_VLANDEV].s != NULL ||
	       (m->around->vlandev->s != NULL && up[NET_NOVLANDEV].s == NULL);
}

static void device_vlan(struct making *m)
{
	const char *parent;

	m->vlan = vserver_net_vlan(m->r->g->mem, m->dev, &parent);
	if (m->vlan == 0)
		return;
	take_u64(m->r, FIELD_ADDR_VLAN, m->a, m->vlan);
	reading_find(m->r, FIND_NET_VLAN, "%s: VLAN %u of %s, %s", m->dev,
		     m->vlan, parent != NULL ? parent : "a device not named",
		     makes_vlan(m) && parent != NULL ?
			     "made at the start by the old tools" :
			     "there before the start on the old host");
}

/* "eth0:1" was a device to ifconfig, never to ip. */
static const char *cut_label(struct making *m, const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon == NULL)
		return text;
	take_str(m->r, FIELD_ADDR_LABEL, m->a, text);
	text = arena_strndup(m->r->g->mem, text, (size_t)(colon - text));
	reading_find(m->r, FIND_SRC_NOT_STARTED,
		     "an alias is no device: %s taken as %s",
		     m->r->cur->from.text, text);
	return text;
}

static void no_device(struct making *m)
{
	if (m->nodev)
		return;
	reading_resume(m->r, m->i->v[NET_IP].s);
	take_bool(m->r, FIELD_ADDR_NODEV, m->a, true);
	if (vserver_of(m->r)->legacy) /* then no alias was made: no error */
		return;
	reading_find(m->r, FIND_SRC_NOT_STARTED,
		     "%s has neither a device nor nodev: taken as if the host "
		     "had it",
		     m->text);
}

static void device(struct making *m)
{
	const struct vserver_net_value *v = m->nodev ? &m->i->v[NET_DEV] :
						       pick(m, NET_DEV);
	const char *text;

	if (!has(v)) {
		no_device(m);
		return;
	}
	reading_resume(m->r, v->s);
	text = cut_label(m, v->text);
	if (!inet_ifname_ok(text)) {
		reading_find(m->r, FIND_NET_BAD_VALUE,
			     "\"%s\" is no name of a device: left out", text);
		end(m, v, BIN_INVALID, "no name of a device");
		return;
	}
	m->dev = text;
	take_str(m->r, FIELD_ADDR_DEV, m->a, text);
	if (m->nodev)
		reading_approx(m->r, "never used beside nodev: taken as where "
				     "the host has the address");
	device_vlan(m);
}

static void nodev(struct making *m)
{
	static const enum vserver_net_key keys[] = { NET_NODEV, NET_ONLY_IP };

	for (size_t k = 0; k < COUNT(keys); k++) {
		if (!is_set(m, keys[k]))
			continue;
		m->nodev = true;
		reading_resume(m->r, m->i->v[keys[k]].s);
		take_bool(m->r, FIELD_ADDR_NODEV, m->a, true);
	}
	for (size_t k = 0; m->nodev && k < COUNT(unused_with_nodev); k++)
		end_find(m, &m->i->v[unused_with_nodev[k]], BIN_INERT,
			 FIND_NET_UNUSED, "without effect beside nodev");
}

static void broadcast(struct making *m)
{
	const struct vserver_net_value *v = pick(m, NET_BCAST);
	struct inet_addr ip;
	struct err e;

	if (!has(v) || m->nodev)
		return;
	if (m->ip.family == AF_INET6) {
		if (v == &m->i->v[NET_BCAST])
			end_find(m, v, BIN_INERT, FIND_NET_UNUSED,
				 "IPv6 has no broadcast address");
		return;
	}
	if (str_eq(v->text, "+") || str_eq(v->text, "-")) {
		if (v == &m->i->v[NET_BCAST])
			end(m, v, BIN_INERT, "left to the kernel");
		return;
	}
	reading_resume(m->r, v->s);
	if (inet_parse(v->text, &ip, &e) == 0 && ip.family == AF_INET) {
		take_str(m->r, FIELD_ADDR_BROADCAST, m->a, v->text);
		return;
	}
	reading_find(m->r, FIND_NET_BAD_VALUE,
		     "\"%s\" is no broadcast address: left out", v->text);
	end(m, v, BIN_INVALID, "no broadcast address");
}

static void label(struct making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_NAME];
	const char *text;

	if (!has(v) || m->nodev)
		return;
	if (m->ip.family == AF_INET6) {
		end_find(m, v, BIN_INERT, FIND_NET_UNUSED,
			 "IPv6 addresses have no labels");
		return;
	}
	reading_resume(m->r, v->s);
	text = m->dev == NULL ?
		       v->text :
		       arena_printf(m->r->g->mem, "%s:%s", m->dev, v->text);
	if (strlen(text) > LABEL_MAX)
		reading_find(m->r, FIND_SRC_NOT_STARTED,
			     "label %s has more than %d bytes", text,
			     LABEL_MAX);
	take_str(m->r, FIELD_ADDR_LABEL, m->a, text);
}

static void peer(struct making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_PEER];
	struct inet_net net;
	struct err e;

	if (!has(v) || m->nodev)
		return;
	if (inet_net_parse(v->text, &net, &e) < 0) {
		end_find(m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			 arena_printf(m->r->g->mem,
				      "\"%s\" is no address of a peer: left "
				      "out",
				      v->text));
		return;
	}
	reading_resume(m->r, v->s);
	take_str(m->r, FIELD_ADDR_PEER, m->a, v->text);
}

static void down(struct making *m)
{
	if (!is_set(m, NET_DOWN) || m->nodev)
		return;
	reading_resume(m->r, m->i->v[NET_DOWN].s);
	take_bool(m->r, FIELD_ADDR_UP, m->a, false);
	reading_find(m->r, FIND_NET_LINK_DOWN,
		     "%s was added without setting its link up", m->text);
}

static void tun(struct making *m)
{
	static const enum vserver_net_key keys[] = { NET_TUN, NET_TAP };
	bool any = false;

	for (size_t k = 0; k < COUNT(keys); k++) {
		const struct vserver_net_value *v = &m->i->v[keys[k]];

		if (v->s == NULL || v->s->decided)
			continue;
		any = true;
		reading_resume(m->r, v->s);
		take_bool(m->r, FIELD_TUN_CREATE, m->r->g, true);
	}
	for (size_t k = 0; k < m->i->details.n; k++) {
		const struct vserver_net_value *v = m->i->details.v[k];

		if (any)
			end_find(m, v, BIN_DROPPED, FIND_NET_DEVICE_OWNER,
				 v->s->row->note);
		else
			end_find(m, v, BIN_INERT, FIND_NET_UNUSED,
				 "without effect without tun and tap");
	}
}

/*
 * Where there is a file mac the old tools made an address up in its place;
 * scripts/vserver.functions, _generateMac.
 */
static const char *made_up(const struct making *m)
{
	const struct guest *g = m->r->g;
	const uint64_t id = g->nid.from != NULL ? g->nid.v : g->xid.v;
	uint64_t n;
	struct err e;

	if (num_u64(m->i->name, &n, &e) < 0 ||
	    (g->nid.from == NULL && g->xid.from == NULL))
		return "none and the start ended there";
	return arena_printf(g->mem, "f0:ff:%02x:%02x:%02x:%02x",
			    (unsigned)(~(n >> 8) & 0xff), (unsigned)(n & 0xff),
			    (unsigned)(id >> 8 & 0xff), (unsigned)(id & 0xff));
}

static void dummy(struct making *m)
{
	const struct vserver_net_value *mac = &m->i->v[NET_MAC];
	const struct vserver_net_value *on = &m->i->v[NET_INDIRECT];
	const char *dev = m->dev != NULL ? m->dev : "?";

	if (on->s == NULL || on->s->decided) {
		end_find(m, mac, BIN_INERT, FIND_NET_UNUSED,
			 "without effect without indirect");
		return;
	}
	end_find(m, on, BIN_DROPPED, FIND_NET_MAC_NEW,
		 arena_printf(m->r->g->mem,
			      "the dummy device %s is not made: the guest gets "
			      "an interface with a hardware address of its own",
			      dev));
	end_find(
		m, mac, BIN_INERT, FIND_NET_MAC_NEW,
		arena_printf(m->r->g->mem,
			     "%s was never applied: the dummy device %s got %s",
			     has(mac) ? mac->text : "?", dev, made_up(m)));
}

/* gateway, table, net: what other tools put beside the address. */
static void route(struct making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_GATEWAY];
	const struct vserver_net_value *table = &m->i->v[NET_TABLE];
	struct inet_addr via;
	struct route *route;
	struct err e;

	end_find(m, &m->i->v[NET_NET], BIN_HOSTSIDE, FIND_NET_ROUTE,
		 "a rule by source network: it belongs to the host");
	if (has(v) && inet_parse(v->text, &via, &e) < 0)
		end_find(m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			 arena_printf(m->r->g->mem,
				      "\"%s\" is no router: left out",
				      v->text));
	if (!has(v) || v->s->decided) {
		end_find(m, table, BIN_HOSTSIDE, FIND_NET_ROUTE,
			 "a routing table of the host's");
		return;
	}
	route = take_route(m->r);
	reading_resume(m->r, v->s);
	take_str(m->r, FIELD_ROUTE_DEST, route, "default");
	take_str(m->r, FIELD_ROUTE_VIA, route, v->text);
	if (!has(table))
		return;
	reading_resume(m->r, table->s);
	take_str(m->r, FIELD_ROUTE_TABLE, route, table->text);
}

static void own_vlan(struct making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_VLAN];
	unsigned id;

	if (!has(v))
		return;
	id = vlan_id(v->text);
	if (id == 0) {
		end_find(m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			 arena_printf(m->r->g->mem,
				      "\"%s\" is no VLAN id: left out",
				      v->text));
		return;
	}
	reading_resume(m->r, v->s);
	take_u64(m->r, FIELD_ADDR_VLAN, m->a, id);
}

/* Values that were read and never used. */
static void unused(struct making *m)
{
	const struct vserver_net_value *scope = pick(m, NET_SCOPE);

	if (has(scope)) {
		reading_resume(m->r, scope->s);
		take_str(m->r, FIELD_ADDR_SCOPE, m->a, scope->text);
		if (!scope->s->decided) {
			reading_decide(m->r, BIN_INERT, "%s",
				       scope->s->row->note);
			reading_find(m->r, FIND_NET_UNUSED, "scope %s",
				     scope->text);
		}
	}
	end_find(m, &m->i->v[NET_EXTIP], BIN_INERT, FIND_NET_UNUSED,
		 "address translation that was never written");
	if (m->vlan != 0 && makes_vlan(m))
		end(m, &m->i->v[NET_VLANDEV], BIN_HOSTSIDE,
		    "the VLAN device has to exist on the new host");
	end_all(m, BIN_INERT, "empty, or without effect beside the others");
}

void vserver_net_address(struct reading *r,
			 const struct vserver_net_around *around,
			 struct vserver_net_iface *i)
{
	struct making m = { .r = r, .around = around, .i = i };

	if (is_set(&m, NET_DISABLED)) {
		end_all(&m, BIN_INERT,
			arena_printf(r->g->mem, "interfaces/%s is disabled",
				     i->name));
		return;
	}
	if (no_address(&m) || bad_address(&m) || second_time(&m))
		return;
	m.a = take_addr(r);
	reading_resume(r, i->v[NET_IP].s);
	take_str(r, FIELD_ADDR_IP, m.a, m.text);
	nodev(&m);
	prefix(&m);
	device(&m);
	own_vlan(&m);
	broadcast(&m);
	label(&m);
	peer(&m);
	down(&m);
	tun(&m);
	dummy(&m);
	route(&m);
	unused(&m);
}
