/*
 * Interfaces and addresses of an LXC config. Reference: targets.md 2.3 with
 * the rules found by booting LXC 5.0.2, vserver.md 4.2.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/digest.h"
#include "base/inet.h"
#include "base/str.h"
#include "emit/emit_lxc.h"
#include "policy/host_side.h"

/* The words of nic.attach. */
enum attach { A_BRIDGE, A_ROUTED, A_MACVLAN, A_IPVLAN, A_PHYS, A_P2P, A_NONE };

static const struct attach_row {
	const char *word;
	enum attach attach;
	bool link;             /* the word is followed by ":IF" */
	const char *type;      /* lxc.net.N.type */
	unsigned major, minor; /* first version of LXC that has it */
} attach_rows[] = {
	{ "bridge", A_BRIDGE, true, "veth", 3, 0 },
	{ "routed", A_ROUTED, true, "veth", 3, 2 },
	{ "macvlan", A_MACVLAN, true, "macvlan", 3, 0 },
	{ "ipvlan", A_IPVLAN, true, "ipvlan", 3, 2 },
	{ "phys", A_PHYS, true, "phys", 3, 0 },
	{ "p2p", A_P2P, false, "veth", 3, 0 },
	{ "none", A_NONE, false, "empty", 3, 0 },
};

/* An interface as it is written. */
struct link {
	const char *fault;       /* NULL: fine */
	enum finding_id finding; /* of the fault */
	const struct attach_row *row;
	const char *dev; /* bridge or parent; NULL: none */
};

static bool is_name(const char *s)
{
	return inet_ifname_ok(s) && emit_lxc_safe(s);
}

static bool has_vlan(const struct nic *n)
{
	return n->vlan.from != NULL && n->vlan.v != 0;
}

/* Bridges filter by VLAN, phys makes the device; others use IF.VID. */
static bool vlan_in_name(const struct nic *n, enum attach a)
{
	return has_vlan(n) && a != A_BRIDGE && a != A_PHYS && a != A_P2P;
}

static const struct attach_row *attach_row(const char *attach,
					   const char **ret_dev)
{
	const char *colon = strchr(attach, ':');

	*ret_dev = colon == NULL ? NULL : colon + 1;
	for (size_t i = 0; i < COUNT(attach_rows); i++) {
		const struct attach_row *row = &attach_rows[i];
		const size_t n = strlen(row->word);

		if (row->link && str_starts(attach, row->word) &&
		    attach[n] == ':')
			return row;
		if (!row->link && str_eq(attach, row->word))
			return row;
	}
	return NULL;
}

static struct link no_link(enum finding_id finding, const char *fault)
{
	return (struct link){ .fault = fault, .finding = finding };
}

static struct link link_of(struct emission *em, const struct nic *n)
{
	struct link l = { 0 };

	if (str_eq(em->g->ns_net.v, "host"))
		return no_link(FIND_NET_HOST_STACK,
			       "the guest has the host's interfaces");
	if (emit_lxc_shares_net(em->g))
		return no_link(FIND_NET_SHARED_STACK,
			       "give it to the guest that holds the stack");
	if (n == NULL)
		return no_link(FIND_NET_NODEV, "no interface carries it");
	if (n->name.from == NULL || !is_name(n->name.v))
		return no_link(FIND_NET_BAD_VALUE,
			       "the interface has no legal name");
	if (n->attach.from == NULL || !emit_lxc_safe(n->attach.v))
		return no_link(FIND_NET_BAD_VALUE,
			       "how the interface is attached is not known");
	l.row = attach_row(n->attach.v, &l.dev);
	if (l.row == NULL)
		return no_link(
			FIND_NET_BAD_VALUE,
			"the attachment is none of bridge:IF, "
			"routed:IF, macvlan:IF, ipvlan:IF, phys:IF, p2p, "
			"none");
	if (l.row->attach == A_NONE)
		return no_link(FIND_NET_NO_ADDRESS,
			       "attached to nothing: no interface is made");
	if (!emit_lxc_since(em, l.row->major, l.row->minor))
		return no_link(FIND_SYN_VERSION,
			       "this LXC does not know the attachment");
	if (l.row->link && vlan_in_name(n, l.row->attach))
		l.dev = arena_printf(em->mem, "%s.%" PRIu64, l.dev, n->vlan.v);
	if (l.row->link && !is_name(l.dev))
		return no_link(FIND_NET_BAD_VALUE,
			       "the attachment names no legal interface");
	return l;
}

static void refuse(struct emission *em, const struct link *l)
{
	const bool host = l->finding == FIND_NET_HOST_STACK ||
			  l->finding == FIND_NET_SHARED_STACK;

	emit_lxc_refuse(em, l->finding, host ? BIN_HOSTSIDE : BIN_DROPPED,
			l->fault);
}

static void put(struct emission *em, enum field_id id, const struct nic *n,
		const char *suffix, const char *value)
{
	emit_lxc_put(em, id, n, arena_printf(em->mem, "lxc.net.N.%s", suffix),
		     value);
}

static bool has_family(const struct guest *g, const struct nic *n, int family)
{
	struct inet_addr ip;
	struct err e;

	for (size_t i = 0; i < g->addrs.n; i++) {
		const struct addr *a = g->addrs.v[i];

		if (a->nic == n && a->ip.from != NULL &&
		    inet_parse(a->ip.v, &ip, &e) == 0 && ip.family == family)
			return true;
	}
	return false;
}

/* The modes that a type of interface has; the first is the default here. */
static const struct mode_row {
	enum attach attach;
	const char *mode;
} mode_rows[] = {
	{ A_MACVLAN, "bridge" }, { A_MACVLAN, "private" },
	{ A_MACVLAN, "vepa" },   { A_MACVLAN, "passthru" },
	{ A_IPVLAN, "l2" },      { A_IPVLAN, "l3" },
	{ A_IPVLAN, "l3s" },
};

static bool is_mode(enum attach a, const char *mode)
{
	for (size_t i = 0; i < COUNT(mode_rows); i++)
		if (mode_rows[i].attach == a && str_eq(mode_rows[i].mode, mode))
			return true;
	return false;
}

/* Layer 3 modes have neither broadcast nor neighbours. */
static bool is_layer3(const struct nic *n)
{
	return str_eq(n->mode.v, "l3") || str_eq(n->mode.v, "l3s");
}

bool emit_lxc_no_multicast(struct emission *em)
{
	for (size_t i = 0; i < em->g->nics.n; i++) {
		const struct nic *n = em->g->nics.v[i];
		const struct link l = link_of(em, n);

		if (l.fault == NULL && l.row->attach != A_ROUTED &&
		    (l.row->attach != A_IPVLAN || !is_layer3(n)))
			return false;
	}
	return true;
}

/* Neighbours are reached through the host, not on the link itself. */
static bool through_host(const struct link *l, const struct nic *n)
{
	return l->row->attach == A_ROUTED ||
	       (l->row->attach == A_IPVLAN && is_layer3(n));
}

/* A default route that names the device alone, whatever the LAN's router is. */
static const char *own_gateway(const struct link *l, const struct nic *n)
{
	if (l->row->attach == A_IPVLAN && is_layer3(n))
		return "dev";
	return NULL;
}

/*
 * Of addresses that no wire of the old host carried (lo, dummy0) the host need
 * not answer for anywhere: the veth has no device to proxy on.
 */
static bool is_wireless(const struct link *l)
{
	return l->row->attach == A_ROUTED && str_eq(l->dev, "lo");
}

static void put_own_gateway(struct emission *em, const struct link *l,
			    const struct nic *n, int family)
{
	const bool v4 = family == AF_INET;
	const char *gateway = own_gateway(l, n);
	struct finding *f;

	if (gateway == NULL || !has_family(em->g, n, family) ||
	    (n->up.from != NULL && !n->up.v))
		return;
	f = emit_find_at(em, FIND_NET_GATEWAY_DERIVED, FIELD_NIC_ATTACH, n,
			 "%s %s: IPv%d goes through the host, gateway %s",
			 n->name.v, n->attach.v, v4 ? 4 : 6, gateway);
	finding_covers(em->g, f, v4 ? FIELD_NIC_GATEWAY4 : FIELD_NIC_GATEWAY6,
		       n->name.v);
	put(em, FIELD_NIC_ATTACH, n, v4 ? "ipv4.gateway" : "ipv6.gateway",
	    gateway);
}

/* Modes are always written: the default of ipvlan changed with the releases. */
static void put_mode(struct emission *em, const struct link *l,
		     const struct nic *n)
{
	const bool ipvlan = l->row->attach == A_IPVLAN;
	const char *mode = ipvlan ? "l2" : "bridge";
	struct finding *f;

	if (!ipvlan && l->row->attach != A_MACVLAN)
		return;
	if (!is_mode(l->row->attach, n->mode.v)) {
		f = emit_find_at(em, FIND_NET_NAME, FIELD_NIC_ATTACH, n,
				 "%s: %s mode %s", n->name.v, l->row->type,
				 mode);
		finding_covers(em->g, f, FIELD_NIC_MODE, n->name.v);
	} else {
		mode = n->mode.v;
	}
	put(em, FIELD_NIC_ATTACH, n, ipvlan ? "ipvlan.mode" : "macvlan.mode",
	    mode);
}

static void put_up(struct emission *em, const struct nic *n)
{
	struct finding *f;

	if (n->up.from != NULL)
		return;
	f = emit_find_at(em, FIND_NET_NAME, FIELD_NIC_ATTACH, n,
			 "%s is set up at the start", n->name.v);
	finding_covers(em->g, f, FIELD_NIC_UP, n->name.v);
	put(em, FIELD_NIC_ATTACH, n, "flags", "up");
}

static void put_attach(struct emission *em, const struct link *l,
		       const struct nic *n)
{
	const enum attach a = l->row->attach;
	const bool vlan = a == A_PHYS && has_vlan(n);

	put(em, FIELD_NIC_ATTACH, n, "type", vlan ? "vlan" : l->row->type);
	if (l->dev != NULL && !is_wireless(l))
		put(em, FIELD_NIC_ATTACH, n, "link", l->dev);
	if (vlan)
		put(em, FIELD_NIC_ATTACH, n, "vlan.id",
		    arena_printf(em->mem, "%" PRIu64, n->vlan.v));
	if (a == A_ROUTED)
		put(em, FIELD_NIC_ATTACH, n, "veth.mode", "router");
	if (a == A_ROUTED && !is_wireless(l))
		emit_find_at(em, FIND_NET_SYSCTL, FIELD_NIC_ATTACH, n,
			     "net.ipv4.conf.%s.forwarding=1 on the host for "
			     "%s; with IPv6 net.ipv6.conf.all.forwarding=1 and "
			     "net.ipv6.conf.%s.proxy_ndp=1",
			     l->dev, n->name.v, l->dev);
	if (through_host(l, n) && !is_wireless(l))
		put(em, FIELD_NIC_ATTACH, n, "l2proxy", "1");
	put_mode(em, l, n);
	put_up(em, n);
	put_own_gateway(em, l, n, AF_INET);
	put_own_gateway(em, l, n, AF_INET6);
}

static void put_vlan(struct emission *em, const struct link *l,
		     const struct nic *n)
{
	const enum attach a = l->row->attach;
	struct finding *f;

	if (n->vlan.v > 4094 || a == A_P2P) {
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "VLAN %" PRIu64 " of %s: left out", n->vlan.v,
			     n->name.v);
	} else if (a == A_BRIDGE && !emit_lxc_since(em, 5, 0)) {
		emit_lxc_say(em, FIND_SYN_VERSION, BIN_DROPPED,
			     "VLAN %" PRIu64 " of %s: LXC before 5.0 has no "
			     "lxc.net.N.veth.vlan.id",
			     n->vlan.v, n->name.v);
	} else if (a == A_BRIDGE) {
		put(em, FIELD_NIC_VLAN, n, "veth.vlan.id",
		    arena_printf(em->mem, "%" PRIu64, n->vlan.v));
		emit_find_at(em, FIND_NET_VLAN, FIELD_NIC_VLAN, n,
			     "bridge %s of the new host has to filter VLAN "
			     "%" PRIu64,
			     l->dev, n->vlan.v);
	} else if (vlan_in_name(n, a)) {
		f = emit_lxc_say(em, FIND_NET_VLAN, BIN_APPROXIMATED,
				 "%s is attached to %s, which the new host has "
				 "to have",
				 n->name.v, l->dev);
		finding_covers(em->g, f, FIELD_NIC_ATTACH, n->name.v);
	}
}

static void put_mac(struct emission *em, const struct nic *n)
{
	uint8_t mac[6];
	struct err e;

	if (inet_mac_parse(n->mac.v, mac, &e) < 0)
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: no hardware address: left out", n->name.v);
	else
		put(em, FIELD_NIC_MAC, n, "hwaddr", n->mac.v);
}

static void put_mtu(struct emission *em, const struct nic *n)
{
	if (n->mtu.v < 68 || n->mtu.v > 65535) /* RFC 791; IP's own length */
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: MTU %" PRIu64 ": left out", n->name.v,
			     n->mtu.v);
	else
		put(em, FIELD_NIC_MTU, n, "mtu",
		    arena_printf(em->mem, "%" PRIu64, n->mtu.v));
}

static void put_host_name(struct emission *em, const struct link *l,
			  const struct nic *n)
{
	if (!str_eq(l->row->type, "veth") || !is_name(n->host_name.v))
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: only a veth has a name on the host, of 1 to "
			     "15 bytes: left out",
			     n->name.v);
	else
		put(em, FIELD_NIC_HOST_NAME, n, "veth.pair", n->host_name.v);
}

static void check_mode(struct emission *em, const struct link *l,
		       const struct nic *n)
{
	if (!is_mode(l->row->attach, n->mode.v))
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: no mode \"%s\" of %s", n->name.v,
			     str_show(em->mem, n->mode.v, strlen(n->mode.v),
				      40),
			     n->attach.v);
}

/*
 * The host's end of the interface: as the source calls it, or else after the
 * guest, for the filter has to name it. At most 15 bytes, of any one host.
 */
static const char *end_of(struct emission *em, const struct nic *n)
{
	char hex[DIGEST_HEX];
	const char *key;

	if (n->host_name.from != NULL && is_name(n->host_name.v))
		return n->host_name.v;
	key = arena_printf(em->mem, "%s %s", em->g->key, n->name.v);
	digest_of(key, strlen(key), hex);
	return arena_printf(em->mem, "veth%.8s", hex);
}

/* Routed, nothing arrives but by the host: it drops what is not routed back. */
static void filter_routed(struct emission *em, const struct nic *n)
{
	struct emit_lxc *st = em->state;
	const char *end = end_of(em, n);
	struct finding *f;

	f = emit_lxc_say(em, FIND_NET_SOURCE_FILTER_HOST, BIN_HOSTSIDE,
			 "%s is %s on the host, where " HOST_SIDE_FILTER
			 " keeps it to its own addresses: nft -f",
			 n->name.v, end);
	strv_add(em->mem, &st->filtered, end);
	if (n->host_name.from != NULL && str_eq(n->host_name.v, end))
		return;
	finding_covers(em->g, f, FIELD_NIC_HOST_NAME, n->name.v);
	put(em, FIELD_NIC_SOURCE_FILTER, n, "veth.pair", end);
}

void emit_lxc_filter_finish(struct emission *em)
{
	const struct emit_lxc *st = em->state;
	const char *text;

	if (st->filtered.n == 0)
		return;
	text = host_side_filter(
		em->mem, arena_printf(em->mem, "rehost-%s", st->filtered.v[0]),
		&st->filtered);
	emit_file_add(em, HOST_SIDE_FILTER, text, strlen(text));
}

static void put_source_filter(struct emission *em, const struct link *l,
			      const struct nic *n)
{
	if (!n->source_filter.v)
		emit_lxc_say(em, FIND_NET_NAME, BIN_CARRIED,
			     "%s sends from any address", n->name.v);
	else if (l->row->attach == A_ROUTED)
		filter_routed(em, n);
	else
		emit_lxc_say(em, FIND_NET_SOURCE_FILTER, BIN_DROPPED,
			     "%s: LXC does not keep the guest to its own "
			     "source addresses on %s",
			     n->name.v, n->attach.v);
}

static void put_accept_ra(struct emission *em, const struct nic *n)
{
	const char *name = arena_printf(
		em->g->mem, "net.ipv6.conf.%s.accept_ra", n->name.v);
	struct finding *f;

	if (strchr(n->name.v, '.') != NULL) {
		emit_lxc_say(em, FIND_NET_RA, BIN_DROPPED,
			     "%s: LXC cannot name the parameter of an "
			     "interface with a dot",
			     n->name.v);
		return;
	}
	f = emit_find_at(em, FIND_NET_RA, FIELD_NIC_ACCEPT_RA, n,
			 "kernel parameter %s=%d of the guest", name,
			 n->accept_ra.v);
	finding_covers(em->g, f, FIELD_SYSCTL_VALUE, name);
	emit_lxc_put(em, FIELD_NIC_ACCEPT_RA, n,
		     arena_printf(em->mem, "lxc.sysctl.%s", name),
		     n->accept_ra.v ? "1" : "0");
}

static void put_gateway(struct emission *em, enum field_id id,
			const struct link *l, const struct nic *n)
{
	const bool v4 = id == FIELD_NIC_GATEWAY4;
	const int family = v4 ? AF_INET : AF_INET6;
	const char *text = v4 ? n->gateway4.v : n->gateway6.v;
	struct inet_addr ip;
	struct err e;

	if (own_gateway(l, n) != NULL)
		emit_lxc_say(em, FIND_NET_GATEWAY_DERIVED, BIN_APPROXIMATED,
			     "%s: the host itself is the gateway, in place of "
			     "%s",
			     n->name.v,
			     str_show(em->mem, text, strlen(text), 60));
	else if (inet_parse(text, &ip, &e) < 0 || ip.family != family)
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: gateway %s is no IPv%d address: left out",
			     n->name.v,
			     str_show(em->mem, text, strlen(text), 60),
			     v4 ? 4 : 6);
	else if (!has_family(em->g, n, family) ||
		 (n->up.from != NULL && !n->up.v))
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s: gateway %s: LXC wants the link up and an "
			     "IPv%d address: left out",
			     n->name.v, text, v4 ? 4 : 6);
	else
		put(em, id, n, v4 ? "ipv4.gateway" : "ipv6.gateway", text);
}

/* Each field of an interface that is written. */
static void put_nic(struct emission *em, enum field_id id, const struct link *l,
		    const struct nic *n)
{
	if (id == FIELD_NIC_NAME)
		put(em, id, n, "name", n->name.v);
	else if (id == FIELD_NIC_ATTACH)
		put_attach(em, l, n);
	else if (id == FIELD_NIC_VLAN)
		put_vlan(em, l, n);
	else if (id == FIELD_NIC_MAC)
		put_mac(em, n);
	else if (id == FIELD_NIC_MTU)
		put_mtu(em, n);
	else if (id == FIELD_NIC_HOST_NAME)
		put_host_name(em, l, n);
	else if (id == FIELD_NIC_MODE)
		check_mode(em, l, n);
	else if (id == FIELD_NIC_UP && n->up.v)
		put(em, id, n, "flags", "up");
	else if (id == FIELD_NIC_SOURCE_FILTER)
		put_source_filter(em, l, n);
	else if (id == FIELD_NIC_ACCEPT_RA)
		put_accept_ra(em, n);
	else if (id == FIELD_NIC_GATEWAY4 || id == FIELD_NIC_GATEWAY6)
		put_gateway(em, id, l, n);
}

void emit_lxc_nic(struct emission *em, enum field_id id, const void *object,
		  const struct value *v)
{
	const struct link l = link_of(em, object);

	(void)v;
	if (l.fault != NULL)
		refuse(em, &l);
	else
		put_nic(em, id, &l, object);
}

/* An address as it is written. */
struct address {
	struct inet_net net;
	const char *broadcast; /* NULL: none */
};

/* The host's own prefix where neighbours are not reached directly. */
static unsigned prefix_of(const struct link *l, const struct addr *a,
			  const struct inet_addr *ip)
{
	if (through_host(l, a->nic) || a->prefix.from == NULL ||
	    a->prefix.v > inet_bits(ip))
		return inet_bits(ip);
	return (unsigned)a->prefix.v;
}

static void put_ip(struct emission *em, const struct addr *a,
		   const struct address *w)
{
	const bool v4 = w->net.addr.family == AF_INET;
	const char *text =
		arena_printf(em->mem, "%s/%u", a->ip.v, w->net.prefix);
	struct finding *f;

	if (a->prefix.from == NULL) {
		f = emit_find_at(em, FIND_NET_PREFIX_HOST, FIELD_ADDR_IP, a,
				 "%s has no prefix: written as /%u", a->ip.v,
				 w->net.prefix);
		finding_covers(em->g, f, FIELD_ADDR_PREFIX, a->ip.v);
	}
	if (w->broadcast != NULL && a->broadcast.from == NULL) {
		f = emit_find_at(em, FIND_NET_BROADCAST, FIELD_ADDR_IP, a,
				 "%s: broadcast %s is computed", a->ip.v,
				 w->broadcast);
		finding_covers(em->g, f, FIELD_ADDR_BROADCAST, a->ip.v);
	}
	if (w->broadcast != NULL)
		text = arena_printf(em->mem, "%s %s", text, w->broadcast);
	emit_lxc_put(em, FIELD_ADDR_IP, a,
		     v4 ? "lxc.net.N.ipv4.address" : "lxc.net.N.ipv6.address",
		     text);
}

static void put_addr(struct emission *em, enum field_id id,
		     const struct addr *a, const struct address *w)
{
	if (id == FIELD_ADDR_IP)
		put_ip(em, a, w);
	else if (id == FIELD_ADDR_PREFIX && a->prefix.v != w->net.prefix)
		emit_lxc_say(em, FIND_NET_PREFIX_HOST, BIN_APPROXIMATED,
			     "%s/%" PRIu64 " is written as /%u on %s", a->ip.v,
			     a->prefix.v, w->net.prefix, a->nic->attach.v);
	else if (id == FIELD_ADDR_NIC && !str_eq(a->carrier.v, a->nic->name.v))
		emit_lxc_say(em, FIND_NET_BAD_VALUE, BIN_DROPPED,
			     "%s is on interface %s", a->ip.v, a->nic->name.v);
	else if (id == FIELD_ADDR_BROADCAST &&
		 !str_eq(a->broadcast.v, w->broadcast))
		emit_lxc_say(em, FIND_NET_BROADCAST, BIN_DROPPED,
			     "%s: broadcast %s is not written", a->ip.v,
			     str_show(em->mem, a->broadcast.v,
				      strlen(a->broadcast.v), 60));
}

void emit_lxc_addr(struct emission *em, enum field_id id, const void *object,
		   const struct value *v)
{
	const struct addr *a = object;
	struct link l = link_of(em, a->nic);
	struct address w = { 0 };
	struct err e;

	(void)v;
	if (l.fault == NULL &&
	    (a->ip.from == NULL || inet_parse(a->ip.v, &w.net.addr, &e) < 0))
		l = no_link(FIND_NET_BAD_ADDRESS, "not an address: left out");
	if (l.fault != NULL) {
		refuse(em, &l);
		return;
	}
	w.net.prefix = prefix_of(&l, a, &w.net.addr);
	/* always written: LXC 5.0.1 to 6.0.3 compute a wrong one */
	w.broadcast = guest_broadcast(a, &w.net, em->mem);
	put_addr(em, id, a, &w);
}

void emit_lxc_net_finish(struct emission *em)
{
	const struct guest *g = em->g;
	bool any = false;

	if (str_eq(g->ns_net.v, "host")) {
		emit_lxc_add(em, LXC_NET, "lxc.net.0.type", "none");
		return;
	}
	for (size_t i = 0; i < g->nics.n; i++)
		if (link_of(em, g->nics.v[i]).fault == NULL)
			any = true;
	if (any || emit_lxc_shares_net(g))
		return;
	/* only a NIC with flags makes LXC set lo up */
	emit_lxc_add(em, LXC_NET, "lxc.net.0.type", "empty");
	emit_lxc_add(em, LXC_NET, "lxc.net.0.flags", "up");
}

/* Whether the interface's gateway is written, and is that one. */
static bool has_gateway(const struct emission *em, const struct nic *n,
			int family, const char *via)
{
	const struct opt_str *gw = family == AF_INET ? &n->gateway4 :
						       &n->gateway6;

	return gw->from != NULL && str_eq(gw->v, via) &&
	       has_family(em->g, n, family) && (n->up.from == NULL || n->up.v);
}

/* The interface whose gateway the route is; NULL: none. */
static const struct nic *gateway_nic(struct emission *em, const struct route *r,
				     struct link *ret)
{
	if (r->via.from == NULL || r->dest.from == NULL ||
	    !str_eq(r->dest.v, "default"))
		return NULL;
	for (size_t i = 0; i < em->g->nics.n; i++) {
		const struct nic *n = em->g->nics.v[i];

		*ret = link_of(em, n);
		if (ret->fault == NULL &&
		    (has_gateway(em, n, AF_INET, r->via.v) ||
		     has_gateway(em, n, AF_INET6, r->via.v)))
			return n;
	}
	return NULL;
}

void emit_lxc_route(struct emission *em, enum field_id id, const void *object,
		    const struct value *v)
{
	const struct route *r = object;
	struct link l;
	const struct nic *n = gateway_nic(em, r, &l);

	if (n == NULL) {
		emit_lxc_comment(em, id, object, v);
		return;
	}
	if (own_gateway(&l, n) != NULL)
		emit_bin(em, BIN_APPROXIMATED, "the host is the gateway of %s",
			 n->name.v);
	else
		emit_bin(em, BIN_CARRIED, "the gateway of %s", n->name.v);
	emit_find_at(em, FIND_NET_GATEWAY_DERIVED, id, object,
		     "the default route by %s is the gateway of %s", r->via.v,
		     n->name.v);
}
