/*
 * Interfaces with their addresses and routes, and which network stack the
 * guest has: without interface and privnet the host's. Reference: libvirt.md
 * 2.10, 2.14, 3.6, 5.5.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/inet.h"
#include "importers/libvirt/network.h"
#include "importers/libvirt/table.h"

enum { VLAN_MAX = 4095 };

struct link {
	const struct xml_node *node, *source;
	struct lv_value type;
	struct nic *nic;
	struct lv_wire wire; /* of type network */
};

static void take_text(struct reading *r, struct lv_value v, enum field_id f,
		      void *object, const char *text)
{
	reading_resume(r, v.s);
	take_str(r, f, object, text);
}

static void bad(struct reading *r, struct lv_value v, enum finding_id id,
		const struct err *e)
{
	libvirt_end_find(r, v.s, BIN_INVALID, id,
			 arena_printf(r->g->mem, "%s: left out", e->msg));
}

/* --- name, hardware address --- */

static bool has_name(const struct guest *g, const char *name)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->name.from != NULL &&
		    str_eq(g->nics.v[i]->name.v, name))
			return true;
	return false;
}

/* ethN counts interfaces without a name of their own. */
static void set_name(struct reading *r, struct link *l)
{
	const struct lv_value dev =
		libvirt_attr(xml_child(l->node, "guest"), "dev");
	const char *name;

	if (dev.s != NULL && inet_ifname_ok(dev.text) &&
	    !str_eq(dev.text, "lo") && !has_name(r->g, dev.text)) {
		reading_resume(r, dev.s);
		l->nic = take_nic(r);
		take_str(r, FIELD_NIC_NAME, l->nic, dev.text);
		return;
	}
	libvirt_end_find(r, dev.s, BIN_INVALID, FIND_NET_BAD_VALUE,
			 "not a name that an interface of its own can have");
	l->nic = take_nic(r);
	do
		name = arena_printf(r->g->mem, "eth%u",
				    libvirt_of(r)->auto_nic++);
	while (has_name(r->g, name));
	reading_default(r, FIELD_NIC_NAME, l->nic, name, "libvirt.md 2.10");
}

static void set_mac(struct reading *r, const struct link *l)
{
	const struct lv_value v =
		libvirt_attr(xml_child(l->node, "mac"), "address");
	char text[18];
	uint8_t mac[6];
	struct err e;

	if (v.s == NULL)
		return;
	if (inet_mac_parse(v.text, mac, &e) < 0 || (mac[0] & 1) != 0) {
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_NET_BAD_VALUE,
				 "not a hardware address that a single "
				 "interface can have: left out");
		return;
	}
	inet_mac_show(mac, text);
	if (str_eq(text, "00:00:00:00:00:00"))
		libvirt_end(r, v.s, BIN_INERT, "none");
	else
		take_text(r, v, FIELD_NIC_MAC, l->nic, text);
}

/* Names that libvirt made up while the guest ran; 1.3. */
static void set_host_name(struct reading *r, const struct link *l)
{
	static const char *const made_up[] = { "vnet", "macvtap", "macvlan",
					       "vif", "veth" };
	const struct lv_value v =
		libvirt_attr(xml_child(l->node, "target"), "dev");

	if (v.s == NULL)
		return;
	for (size_t i = 0; i < COUNT(made_up); i++) {
		const size_t n = strlen(made_up[i]);

		if (str_starts(v.text, made_up[i]) && v.text[n] >= '0' &&
		    v.text[n] <= '9')
			libvirt_end(r, v.s, BIN_INERT,
				    "a name that libvirt made up");
	}
	if (!inet_ifname_ok(v.text))
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_NET_BAD_VALUE,
				 "not a name of an interface: left out");
	else if (!v.s->decided)
		take_text(r, v, FIELD_NIC_HOST_NAME, l->nic, v.text);
}

/* --- how it reaches the wire --- */

static void attach(struct reading *r, const struct link *l, struct lv_value v,
		   const char *text)
{
	take_text(r, v, FIELD_NIC_ATTACH, l->nic, text);
	if (l->type.s == NULL || l->type.s == v.s)
		return;
	reading_resume(r, l->type.s);
	take_part(r, FIELD_NIC_ATTACH, l->nic);
}

static void attach_bridge(struct reading *r, const struct link *l)
{
	const struct lv_value v = libvirt_attr(l->source, "bridge");

	attach(r, l, v, arena_printf(r->g->mem, "bridge:%s", v.text));
	libvirt_end(r, libvirt_attr(l->source, "network").s, BIN_INERT,
		    "the bridge that it was found to be stands there too");
}

static void attach_direct(struct reading *r, const struct link *l)
{
	const struct lv_value dev = libvirt_attr(l->source, "dev");
	const struct lv_value mode = libvirt_attr(l->source, "mode");
	static const char *const known[] = { "vepa", "private", "bridge" };

	attach(r, l, dev, arena_printf(r->g->mem, "macvlan:%s", dev.text));
	libvirt_end(r, libvirt_attr(l->source, "network").s, BIN_INERT,
		    "the device that it was found to be stands there too");
	if (mode.s == NULL) {
		reading_default(r, FIELD_NIC_MODE, l->nic, "vepa",
				"libvirt.md 2.10");
		return;
	}
	if (str_eq(mode.text, "passthrough"))
		take_text(r, mode, FIELD_NIC_MODE, l->nic, "passthru");
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(mode.text, known[i]))
			take_text(r, mode, FIELD_NIC_MODE, l->nic, known[i]);
	libvirt_end_find(r, mode.s, BIN_INVALID, FIND_NET_BAD_VALUE,
			 "not a mode of macvlan");
}

static void attach_network(struct reading *r, struct link *l)
{
	const struct lv_value name = libvirt_attr(l->source, "network");
	const struct lv_value group = libvirt_attr(l->source, "portgroup");
	const struct xml_node *actual = xml_child(l->node, "actual");
	const struct lv_value bridge =
		libvirt_attr(xml_child(actual, "source"), "bridge");

	l->wire = libvirt_network(r, name.text, group.text);
	libvirt_end(r, group.s, BIN_CARRIED, "a group of ports of the network");
	if (l->wire.attach == NULL && bridge.s != NULL)
		l->wire.attach =
			arena_printf(r->g->mem, "bridge:%s", bridge.text);
	if (l->wire.attach == NULL) {
		libvirt_end_find(r, name.s, BIN_DROPPED, FIND_NET_UNRESOLVED,
				 arena_printf(r->g->mem, "network %s: %s",
					      libvirt_shown(r, name.text),
					      l->wire.why_not));
		libvirt_end(r, l->type.s, BIN_DROPPED,
			    "the network is not "
			    "known");
		reading_default(r, FIELD_NIC_ATTACH, l->nic, "p2p",
				"libvirt.md 2.14: the network is not known");
		return;
	}
	attach(r, l, name, l->wire.attach);
	if (l->wire.mode != NULL)
		take_str(r, FIELD_NIC_MODE, l->nic, l->wire.mode);
	reading_resume(r, name.s);
	if (l->wire.by_libvirt)
		reading_find(r, FIND_NET_LIBVIRT_BRIDGE,
			     "network %s is %s, which libvirt makes",
			     libvirt_shown(r, name.text), l->wire.attach);
}

/* What venet of OpenVZ was: addresses that the host routes. */
static void attach_routed(struct reading *r, const struct link *l)
{
	libvirt_end(r, l->type.s, BIN_CARRIED, "routed, as venet was");
	reading_default(r, FIELD_NIC_PARENT, l->nic, "venet0",
			"libvirt.md 2.16");
	reading_default(r, FIELD_NIC_SOURCE_FILTER, l->nic, "yes",
			"openvz.md 3.5: other sources are dropped");
}

static bool is_type(const struct link *l, const char *type)
{
	return libvirt_is(l->type, type);
}

/* Whether the source has what its type wants. */
static const char *type_fault(struct reading *r, const struct link *l)
{
	static const struct {
		const char *type, *attr;
	} rows[] = { { "bridge", "bridge" },
		     { "network", "network" },
		     { "direct", "dev" } };

	if (is_type(l, "ethernet"))
		return NULL;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!is_type(l, rows[i].type))
			continue;
		if (libvirt_attr(l->source, rows[i].attr).s == NULL)
			return arena_printf(r->g->mem,
					    "an interface of type %s without "
					    "source %s",
					    rows[i].type, rows[i].attr);
		return NULL;
	}
	return arena_printf(r->g->mem,
			    "an interface of type %s cannot be carried: give "
			    "the guest another one",
			    l->type.s == NULL ? "user" :
						libvirt_shown(r, l->type.text));
}

static void set_attach(struct reading *r, struct link *l)
{
	if (is_type(l, "bridge"))
		attach_bridge(r, l);
	else if (is_type(l, "direct"))
		attach_direct(r, l);
	else if (is_type(l, "network"))
		attach_network(r, l);
	else if (libvirt_of(r)->driver == LV_OPENVZ)
		attach_routed(r, l);
	else
		attach(r, l, l->type, "p2p");
}

/* --- addresses and routes --- */

static bool is_v6(const struct xml_node *node)
{
	return libvirt_is(libvirt_attr(node, "family"), "ipv6");
}

/* /8, /16, /24 by the first bits; 2.10. */
static unsigned class_prefix(const char *ip)
{
	struct inet_addr a;
	struct err e;

	if (inet_parse(ip, &a, &e) < 0 || a.family == AF_INET6)
		return 64;
	return a.b[0] < 128 ? 8 : a.b[0] < 192 ? 16 : a.b[0] < 224 ? 24 : 32;
}

static void set_prefix(struct reading *r, const struct xml_node *node,
		       struct addr *a, struct lv_value address)
{
	const struct lv_value v = libvirt_attr(node, "prefix");
	struct finding *f;
	struct err e;
	uint64_t n;

	if (v.s != NULL &&
	    libvirt_number(v.text, 0, is_v6(node) ? 128 : 32, &n, &e) == 0) {
		reading_resume(r, v.s);
		take_u64(r, FIELD_ADDR_PREFIX, a, n);
		return;
	}
	if (v.s != NULL)
		bad(r, v, FIND_NET_BAD_VALUE, &e);
	if (libvirt_of(r)->driver == LV_OPENVZ) {
		reading_default(r, FIELD_ADDR_PREFIX, a,
				is_v6(node) ? "128" : "32", "libvirt.md 2.16");
		return;
	}
	n = class_prefix(a->ip.v);
	reading_default(r, FIELD_ADDR_PREFIX, a,
			arena_printf(r->g->mem, "%" PRIu64, n),
			"libvirt.md 2.10");
	reading_resume(r, address.s);
	f = reading_find(r, FIND_NET_CLASSFUL,
			 "%s has no prefix: /%" PRIu64
			 " of the old classes was "
			 "used",
			 a->ip.v, n);
	(void)f;
}

static bool has_addr(const struct guest *g, const char *ip)
{
	for (size_t i = 0; i < g->addrs.n; i++)
		if (str_eq(g->addrs.v[i]->ip.v, ip))
			return true;
	return false;
}

static void add_addr(struct reading *r, const struct link *l,
		     const struct xml_node *node)
{
	const struct lv_value v = libvirt_attr(node, "address");
	const struct lv_value family = libvirt_attr(node, "family");
	const struct lv_value peer = libvirt_attr(node, "peer");
	char ip[INET_TEXT];
	struct addr *a;
	struct err e;

	if (v.s == NULL || libvirt_ip(v.text, is_v6(node), ip, &e) < 0) {
		if (v.s != NULL)
			bad(r, v, FIND_NET_BAD_ADDRESS, &e);
		libvirt_end_below(r, node, BIN_INVALID, "of that address");
		return;
	}
	reading_resume(r, v.s);
	if (has_addr(r->g, ip)) {
		libvirt_end_below(r, node, BIN_OVERRIDDEN,
				  "the address stands there twice");
		return;
	}
	a = take_addr(r);
	a->nic = l->nic;
	take_str(r, FIELD_ADDR_IP, a, ip);
	if (!str_eq(v.text, ip) && !is_v6(node))
		reading_find(r, FIND_NET_SPELLING, "%s is %s",
			     libvirt_shown(r, v.text), ip);
	set_prefix(r, node, a, v);
	reading_default(r, FIELD_ADDR_DEV, a, l->nic->name.v,
			"libvirt.md 2.10");
	if (family.s != NULL) {
		reading_resume(r, family.s);
		take_part(r, FIELD_ADDR_IP, a);
	}
	if (peer.s != NULL)
		take_text(r, peer, FIELD_ADDR_PEER, a, peer.text);
}

/* The prefix of a route; -1: it is none that libvirt takes. */
static int route_prefix(const struct xml_node *node, const char *dest)
{
	const struct lv_value prefix = libvirt_attr(node, "prefix");
	const struct lv_value mask = libvirt_attr(node, "netmask");
	const bool any = str_eq(dest, "0.0.0.0") || str_eq(dest, "::");
	struct err e;
	uint64_t n;
	unsigned bits;

	if (prefix.s != NULL && mask.s != NULL)
		return -1;
	if (prefix.s != NULL)
		return libvirt_number(prefix.text, 0, is_v6(node) ? 128 : 32,
				      &n, &e) < 0 ?
			       -1 :
			       (int)n;
	if (mask.s != NULL)
		return inet_mask(mask.text, &bits, &e) < 0 ? -1 : (int)bits;
	return any ? 0 : -1;
}

/* The default route of a family is the interface's gateway. */
static bool is_gateway(const struct nic *n, bool v6, int prefix)
{
	return prefix == 0 &&
	       (v6 ? n->gateway6.from : n->gateway4.from) == NULL;
}

static void add_route(struct reading *r, const struct link *l,
		      const struct xml_node *node)
{
	const struct lv_value dest = libvirt_attr(node, "address");
	const struct lv_value via = libvirt_attr(node, "gateway");
	const bool v6 = is_v6(node);
	char to[INET_TEXT], by[INET_TEXT];
	struct route *route;
	int prefix;
	struct err e;

	if (dest.s == NULL || via.s == NULL ||
	    libvirt_ip(dest.text, v6, to, &e) < 0 ||
	    libvirt_ip(via.text, v6, by, &e) < 0 ||
	    (prefix = route_prefix(node, to)) < 0) {
		reading_find_at(r, FIND_NET_BAD_VALUE,
				libvirt_at(r, node, "route"),
				"not a route that libvirt takes: left out");
		libvirt_end_below(r, node, BIN_INVALID, "of that route");
		return;
	}
	if (is_gateway(l->nic, v6, prefix)) {
		take_text(r, via, v6 ? FIELD_NIC_GATEWAY6 : FIELD_NIC_GATEWAY4,
			  l->nic, by);
		libvirt_end_below(r, node, BIN_CARRIED,
				  "the default route of the interface");
		return;
	}
	reading_resume(r, dest.s);
	route = take_route(r);
	route->nic = l->nic;
	take_str(r, FIELD_ROUTE_DEST, route,
		 arena_printf(r->g->mem, "%s/%d", to, prefix));
	take_text(r, via, FIELD_ROUTE_VIA, route, by);
	libvirt_end_below(r, node, BIN_CARRIED, "of that route");
}

/* Addresses of a machine are its own; these are hints for the host's filter. */
static void hints(struct reading *r, const struct link *l)
{
	const struct xml_node *ip = xml_child(l->node, "ip");

	for (; ip != NULL; ip = xml_again(ip))
		libvirt_end_find(r, libvirt_attr(ip, "address").s, BIN_INERT,
				 FIND_NET_UNUSED,
				 "what the host's script let pass: the machine "
				 "set its addresses itself");
}

static void set_up(struct reading *r, const struct link *l)
{
	const struct lv_value state =
		libvirt_attr(xml_child(l->node, "link"), "state");
	const bool has_ip = xml_child(l->node, "ip") != NULL;
	const bool up = libvirt_is(state, "up") || has_ip;

	if (libvirt_of(r)->driver != LV_LXC && state.s == NULL) {
		reading_default(r, FIELD_NIC_UP, l->nic, "yes",
				"libvirt.md 2.10");
		return;
	}
	if (state.s == NULL) {
		reading_default(r, FIELD_NIC_UP, l->nic, up ? "yes" : "no",
				"libvirt.md 2.10");
		return;
	}
	reading_resume(r, state.s);
	take_bool(r, FIELD_NIC_UP, l->nic, up);
	if (has_ip && libvirt_is(state, "down"))
		reading_find(r, FIND_SRC_MEANT,
			     "down, and yet set up by libvirt, for it has an "
			     "address");
}

/* --- what the host's end had --- */

static bool is_ovs(const struct link *l)
{
	const struct xml_node *const of[] = { l->node, l->wire.group,
					      l->wire.root };

	for (size_t i = 0; i < COUNT(of); i++)
		if (libvirt_is(libvirt_attr(xml_child(of[i], "virtualport"),
					    "type"),
			       "openvswitch"))
			return true;
	return false;
}

static void vlan_tag(struct reading *r, const struct link *l,
		     const struct xml_node *vlan, const struct xml_node *tag)
{
	const struct lv_value id = libvirt_attr(tag, "id");
	const struct lv_value native = libvirt_attr(tag, "nativeMode");
	const bool only = xml_child(vlan, "tag") == tag &&
			  xml_again(tag) == NULL &&
			  !libvirt_is(libvirt_attr(vlan, "trunk"), "yes");
	struct err e;
	uint64_t n;

	if (id.s == NULL)
		return;
	if (libvirt_number(id.text, 0, VLAN_MAX, &n, &e) < 0) {
		bad(r, id, FIND_NET_NO_VLAN, &e);
	} else if (!only && !libvirt_is(native, "untagged")) {
		libvirt_end_find(r, id.s, BIN_DROPPED, FIND_NET_TRUNK,
				 arena_printf(r->g->mem,
					      "VLAN %" PRIu64 " came with its "
					      "tag: lxc.net.N.veth.vlan.tagged."
					      "id adds it",
					      n));
	} else {
		reading_resume(r, id.s);
		take_u64(r, FIELD_NIC_VLAN, l->nic, n);
		reading_find(r, FIND_NET_VLAN, "VLAN %" PRIu64, n);
		libvirt_end(r, native.s, BIN_CARRIED, "frames without a tag");
	}
}

static void set_vlan(struct reading *r, const struct link *l)
{
	const struct xml_node *const of[] = { l->node, l->wire.group,
					      l->wire.root };
	const struct xml_node *vlan = NULL;

	for (size_t i = 0; vlan == NULL && i < COUNT(of); i++)
		vlan = xml_child(of[i], "vlan");
	if (vlan == NULL)
		return;
	if (!is_ovs(l)) {
		libvirt_end_find(r,
				 libvirt_attr(xml_child(vlan, "tag"), "id").s,
				 BIN_INERT, FIND_NET_UNUSED,
				 "libvirt before 11.0 set no VLAN on a bridge "
				 "of Linux: --set nic.NAME.vlan=N does");
	} else {
		for (const struct xml_node *t = xml_child(vlan, "tag");
		     t != NULL; t = xml_again(t))
			vlan_tag(r, l, vlan, t);
	}
	libvirt_end_below(r, vlan, BIN_INERT, "of those VLANs");
}

static void drop_part(struct reading *r, const struct xml_node *of,
		      const char *name, enum finding_id id, const char *what)
{
	const struct xml_node *node = xml_child(of, name);

	if (node == NULL)
		return;
	reading_find_at(r, id, libvirt_at(r, node, name), "%s", what);
	libvirt_end_below(r, node, BIN_HOSTSIDE, what);
}

static void host_end(struct reading *r, const struct link *l)
{
	const struct lv_value filter =
		libvirt_attr(xml_child(l->node, "filterref"), "filter");
	const struct lv_value mtu =
		libvirt_attr(xml_child(l->node, "mtu"), "size");
	const struct lv_value port =
		libvirt_attr(xml_child(l->node, "virtualport"), "type");

	if (filter.s != NULL)
		drop_part(r, l->node, "filterref", FIND_NET_FILTER,
			  arena_printf(r->g->mem,
				       "filter %s of the host's end is not "
				       "carried",
				       libvirt_shown(r, filter.text)));
	drop_part(r, l->node, "bandwidth", FIND_NET_SHAPING,
		  "the rate of the interface was limited on the host's end");
	drop_part(r, l->wire.group, "bandwidth", FIND_NET_SHAPING,
		  "the rate of the group's interfaces was limited");
	drop_part(r, l->node, "port", FIND_NET_PORT,
		  "the port was isolated from others of the bridge");
	drop_part(r, l->node, "script", FIND_INI_HOOK,
		  "a script of the host set the interface up");
	if (xml_child(xml_child(l->node, "virtualport"), "parameters") != NULL)
		reading_find_at(r, FIND_NET_PORT,
				port.s != NULL ?
					&port.s->from :
					libvirt_at(r, l->node, "virtualport"),
				"the switch knew the port by an id: set it on "
				"the new host's end where it matters");
	libvirt_end(r, port.s, BIN_CARRIED,
		    "LXC takes a bridge of Open vSwitch by its name");
	if (mtu.s != NULL && libvirt_is_machine(r)) {
		uint64_t n;
		struct err e;

		if (libvirt_number(mtu.text, 68, 65535, &n, &e) < 0) {
			bad(r, mtu, FIND_NET_BAD_VALUE, &e);
			return;
		}
		reading_resume(r, mtu.s);
		take_u64(r, FIELD_NIC_MTU, l->nic, n);
	}
	libvirt_end_find(r, mtu.s, BIN_INERT, FIND_NET_UNUSED,
			 "the LXC driver ignores it: the bridge's counts");
}

/* --- all of it --- */

static void interface(struct reading *r, const struct xml_node *node)
{
	struct link l = { .node = node,
			  .source = xml_child(node, "source"),
			  .type = libvirt_attr(node, "type") };
	const char *why = type_fault(r, &l);

	if (why != NULL) {
		reading_find_at(r, FIND_NET_TYPE,
				libvirt_at(r, node, "interface"), "%s", why);
		libvirt_end_below(r, node, BIN_DROPPED, why);
		return;
	}
	set_name(r, &l);
	set_mac(r, &l);
	set_attach(r, &l);
	set_host_name(r, &l);
	if (libvirt_is_machine(r)) {
		hints(r, &l);
	} else {
		for (const struct xml_node *n = xml_child(node, "ip");
		     n != NULL; n = xml_again(n))
			add_addr(r, &l, n);
		for (const struct xml_node *n = xml_child(node, "route");
		     n != NULL; n = xml_again(n))
			add_route(r, &l, n);
	}
	set_up(r, &l);
	set_vlan(r, &l);
	host_end(r, &l);
	if (l.source != NULL && l.source->child != NULL)
		reading_find_at(r, FIND_NET_ROUTE,
				libvirt_at(r, l.source, "source"),
				"addresses and routes of the host's end are "
				"not carried");
	libvirt_end_below(r, node, BIN_INERT,
			  "no effect on an interface of this type");
}

/* A stack of its own, or the host's. */
void libvirt_stack_settle(struct reading *r)
{
	const struct lv_value privnet =
		libvirt_flag(libvirt_first(r, "features/privnet"));

	if (privnet.s != NULL && r->g->ns_net.from == NULL) {
		reading_resume(r, privnet.s);
		take_str(r, FIELD_NS_NET, r->g, "private");
	}
	libvirt_end(r, privnet.s, BIN_INERT, "another stack is named");
	reading_default(r, FIELD_NS_NET, r->g,
			r->g->nics.n > 0 || libvirt_of(r)->driver != LV_LXC ?
				"private" :
				"host",
			"libvirt.md 3.1");
	if (str_eq(r->g->ns_net.v, "host"))
		reading_find_at(r, FIND_NET_HOST_STACK,
				libvirt_at(r, libvirt_of(r)->domain,
					   "devices/interface"),
				"no interface and no privnet: libvirt gave it "
				"the host's network");
	if (r->g->nics.n > 0)
		reading_default(r, FIELD_MULTICAST, r->g, "yes",
				"libvirt.md 3.6: a veth is an Ethernet");
}

void libvirt_net_settle(struct reading *r)
{
	const struct lv_nodes all = libvirt_all(r, "devices/interface");

	for (size_t i = 0; i < all.list.n; i++)
		interface(r, all.list.v[i]);
	libvirt_networks_end(r);
}
