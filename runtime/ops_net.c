/*
 * The lab and the guest's interfaces. The policy of an older package does not
 * say which interface an address is on: it goes to the one whose router is in
 * its net, or else to the first.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"
#include "policy/host_side.h"
#include "runtime/ops.h"

struct nic {
	const char *name;
	const char *bridge; /* of the lab, or NULL: it has a wire of its own */
	const char *vlan;   /* of the bridge's that it is in, or NULL */
	const char *lab;    /* what the lab answers by on that bridge */
	const char *end;    /* its other end in the lab, where it has one */
};

/* The lab's own port of a VLAN on a bridge. */
struct vlan_port {
	const char *bridge, *id, *name;
};

enum how { HOW_BRIDGE, HOW_PARENT, HOW_ROUTED, HOW_PAIR, HOW_WITHHELD };

struct nets {
	const struct ops_input *in;
	struct ops *ops;
	VEC(struct nic) nics;
	VEC(const char *) bridges;
	VEC(struct vlan_port) vlans;
	struct strv parents, walls; /* interfaces, and the bridge beyond each */
	bool beyond;                /* what is beyond the host is there */
	bool filtered; /* the source filter is loaded, or cannot be */
};

static const char *get(const struct nets *n, enum field_id f, const char *key)
{
	return policy_get(n->in->p, f, key);
}

static void add_bridge(struct nets *n, const char *name)
{
	struct arena *mem = n->ops->mem;

	for (size_t i = 0; i < n->bridges.n; i++)
		if (str_eq(n->bridges.v[i], name))
			return;
	ops_add(n->ops, OP_BRIDGE, name, NULL, NULL, NULL);
	ops_add(n->ops, OP_NEIGHBOUR, name,
		arena_printf(mem, "nb%zu", n->bridges.n), NULL, NULL);
	*vec_add(mem, &n->bridges) = name;
}

/*
 * How each word of nic.attach is made. kind: of an interface, where the kernel
 * may lack it.
 */
static const struct attach_row {
	const char *word;
	enum how how;
	const char *kind, *why;
	enum op_kind op;
} attach_rows[] = {
	{ "bridge", HOW_BRIDGE, NULL, NULL, OP_VETH },
	{ "macvlan", HOW_PARENT, "macvlan", NULL, OP_MACVLAN },
	{ "ipvlan", HOW_PARENT, "ipvlan", NULL, OP_IPVLAN },
	{ "routed", HOW_ROUTED, NULL, NULL, OP_PAIR },
	{ "p2p", HOW_PAIR, NULL, NULL, OP_PAIR },
	{ "phys", HOW_WITHHELD, NULL,
	  "withheld: physical interfaces are the host's", OP_VETH },
	{ "none", HOW_WITHHELD, NULL, "the lab attaches it to a bridge",
	  OP_VETH },
};

static bool has_ipv6(const struct nets *n)
{
	for (size_t i = 0; i < n->in->p->items.n; i++)
		if (n->in->p->items.v[i].field == FIELD_ADDR_IP &&
		    strchr(n->in->p->items.v[i].key, ':') != NULL)
			return true;
	return false;
}

static void set_param(struct nets *n, const char *name, const char *value)
{
	ops_add(n->ops, OP_PARAM, name, value, NULL, NULL);
}

/*
 * A neighbour beyond the host that the guest is routed through: what it gets
 * has passed the host. Reverse path filtering is off, whatever the lab has of
 * this host, so that the filter alone is seen.
 */
static void add_beyond(struct nets *n)
{
	static const char bridge[] = "rehost-beyond";
	static const char *const routes[][2] = {
		{ "198.18.0.1", OPS_BEYOND4 },
		{ "fd72:6568:6f73:74::1", OPS_BEYOND6 },
	};

	if (n->beyond)
		return;
	n->beyond = true;
	ops_add(n->ops, OP_BRIDGE, bridge, NULL, NULL, NULL);
	ops_add(n->ops, OP_NEIGHBOUR, bridge, "nbx", OPS_BEYOND4 "/30",
		OPS_BEYOND6 "/64");
	for (size_t i = 0; i < COUNT(routes); i++) {
		ops_add(n->ops, OP_LAB_ADDR, bridge, routes[i][0], NULL, NULL);
		ops_add(n->ops, OP_LAB_ROUTE, bridge, routes[i][1], NULL, NULL);
	}
	set_param(n, "net/ipv4/conf/all/rp_filter", "0");
	set_param(n, "net/ipv4/conf/default/rp_filter", "0");
}

/* What the package says that the host has to have and do. */
static void plan_host_side(struct nets *n, const struct nic *nic,
			   const char *link)
{
	struct strv names = { 0 };

	add_beyond(n);
	if (link != NULL) {
		add_bridge(n, link); /* the uplink, where nothing may arrive */
		names = host_side_params(n->ops->mem, link, has_ipv6(n));
	}
	for (size_t i = 0; i < names.n; i++)
		set_param(n, names.v[i], "1");
	if (get(n, FIELD_NIC_SOURCE_FILTER, nic->name) == NULL)
		return;
	if (n->in->h->no_filter != NULL)
		ops_withhold(n->ops, FIELD_NIC_SOURCE_FILTER, nic->name,
			     n->in->h->no_filter);
	else if (n->in->o->filter != NULL && !n->filtered)
		ops_add(n->ops, OP_RULES, n->in->o->filter, NULL, NULL, NULL);
	n->filtered = true;
}

/* "bridge:br0" is "bridge"; where nothing is said it is a bridge. */
static const struct attach_row *row_of(const char *attach)
{
	for (size_t i = 0; attach != NULL && i < COUNT(attach_rows); i++) {
		const struct attach_row *row = &attach_rows[i];
		const size_t n = strlen(row->word);

		if (str_starts(attach, row->word) &&
		    (attach[n] == '\0' || attach[n] == ':'))
			return row;
	}
	return &attach_rows[0];
}

/* The interface that it names; NULL: none, or none that the lab can have. */
static const char *link_of(const char *attach)
{
	const char *colon = attach == NULL ? NULL : strchr(attach, ':');

	return colon != NULL && inet_ifname_ok(colon + 1) &&
			       !str_eq(colon + 1, "lo") ?
		       colon + 1 :
		       NULL;
}

/* IEEE 802.1Q: 0 is no VLAN, 4095 is reserved. */
static bool is_vlan_id(const char *text)
{
	uint64_t id;
	struct err e;

	return num_u64(text, &id, &e) == 0 && id >= 1 && id <= 4094;
}

/* "eth2.2003": a VLAN on eth2, as the old tools and LXC name it. */
static bool is_vlan(struct arena *mem, const char *link,
		    const char **ret_parent, const char **ret_id)
{
	const char *dot = strrchr(link, '.');

	if (dot == NULL || dot == link || !is_vlan_id(dot + 1))
		return false;
	*ret_parent = arena_strndup(mem, link, (size_t)(dot - link));
	*ret_id = dot + 1;
	return true;
}

/*
 * The parent of a macvlan: its wire ends on a bridge of the lab. Frames of
 * a VLAN leave it tagged, and lose the tag on the other side only.
 */
static const char *add_parent(struct nets *n, const char *link)
{
	struct arena *mem = n->ops->mem;
	const char *bridge, *wire, *parent = link, *id;

	for (size_t i = 0; i < n->parents.n; i++)
		if (str_eq(n->parents.v[i], link))
			return n->walls.v[i];
	bridge = arena_printf(mem, "lab%zu", n->parents.n);
	wire = arena_printf(mem, "wire%zu", n->parents.n);
	strv_add(mem, &n->parents, link);
	strv_add(mem, &n->walls, bridge);
	add_bridge(n, bridge);
	if (strv_has(&n->in->h->no_links, "vlan") ||
	    !is_vlan(mem, link, &parent, &id)) {
		ops_add(n->ops, OP_PARENT, link, wire, bridge, NULL);
		return bridge;
	}
	ops_add(n->ops, OP_PARENT, parent, wire, NULL, NULL);
	ops_add(n->ops, OP_VLAN, parent, link, id, NULL);
	ops_add(n->ops, OP_VLAN, wire, arena_printf(mem, "%s.%s", wire, id), id,
		bridge);
	return bridge;
}

/*
 * A VLAN of a bridge is a wire of its own: the lab has a port in it to answer
 * by, and a neighbour. The bridge's own interface stays where no tag is.
 */
static const char *add_vlan(struct nets *n, const char *bridge, const char *id)
{
	struct arena *mem = n->ops->mem;
	const size_t number = n->vlans.n;
	struct vlan_port *v;
	const char *ends[2], *names[2];

	for (size_t i = 0; i < n->vlans.n; i++)
		if (str_eq(n->vlans.v[i].bridge, bridge) &&
		    str_eq(n->vlans.v[i].id, id))
			return n->vlans.v[i].name;
	for (size_t i = 0; i < COUNT(names); i++) {
		names[i] =
			arena_printf(mem, i == 0 ? "tag%zu" : "nt%zu", number);
		ends[i] = arena_printf(mem, "%sb", names[i]);
	}
	v = vec_add(mem, &n->vlans);
	*v = (struct vlan_port){ bridge, id, names[0] };
	ops_add(n->ops, OP_FILTER, bridge, NULL, NULL, NULL);
	ops_add(n->ops, OP_PARENT, names[0], ends[0], bridge, NULL);
	ops_add(n->ops, OP_NEIGHBOUR, bridge, names[1], NULL, NULL);
	for (size_t i = 0; i < COUNT(ends); i++)
		ops_add(n->ops, OP_LAB_PORT, id, ends[i], NULL, NULL);
	return v->name;
}

static void withhold_attach(struct nets *n, const struct nic *nic,
			    const char *why)
{
	static const enum field_id fields[] = { FIELD_NIC_ATTACH,
						FIELD_NIC_MODE };

	for (size_t i = 0; i < COUNT(fields); i++)
		if (get(n, fields[i], nic->name) != NULL)
			ops_withhold(n->ops, fields[i], nic->name, why);
}

/* Where it cannot be as asked for, a bridge of the lab takes its place. */
static const struct attach_row *instead(struct nets *n, struct nic *nic,
					const char *why)
{
	withhold_attach(n, nic, why);
	nic->bridge = arena_printf(n->ops->mem, "lab.%s", nic->name);
	if (!inet_ifname_ok(nic->bridge))
		nic->bridge = "lab.other";
	add_bridge(n, nic->bridge);
	return &attach_rows[0];
}

/* Why it cannot be in that VLAN; NULL: it can. */
static const char *no_vlan(const struct nets *n, const struct nic *nic,
			   const char *id)
{
	const char *link = link_of(get(n, FIELD_NIC_ATTACH, nic->name));

	if (link == NULL || nic->bridge == NULL || !str_eq(nic->bridge, link))
		return "it is not on a bridge that the policy names";
	if (!is_vlan_id(id))
		return "it is not between 1 and 4094";
	if (strv_has(&n->in->h->no_links, HOST_VLAN_BRIDGE))
		return "bridges of this host's kernel do not filter VLANs";
	return NULL;
}

static void plan_vlan(struct nets *n, struct nic *nic)
{
	const char *id = get(n, FIELD_NIC_VLAN, nic->name);
	const char *why;

	nic->lab = nic->bridge;
	if (id == NULL)
		return;
	why = no_vlan(n, nic, id);
	if (why != NULL) {
		ops_withhold(n->ops, FIELD_NIC_VLAN, nic->name, why);
		return;
	}
	nic->vlan = id;
	nic->lab = add_vlan(n, nic->bridge, id);
}

static const struct attach_row *plan_attach(struct nets *n, struct nic *nic)
{
	const char *attach = get(n, FIELD_NIC_ATTACH, nic->name);
	const struct attach_row *row = row_of(attach);
	const char *link = link_of(attach);

	if (row->kind != NULL && strv_has(&n->in->h->no_links, row->kind))
		return instead(n, nic,
			       arena_printf(n->ops->mem,
					    "this host's kernel has no %s",
					    row->kind));
	if (row->how == HOW_WITHHELD)
		return instead(n, nic, row->why);
	if (link == NULL && row->how != HOW_PAIR && row->how != HOW_ROUTED)
		return instead(n, nic, "it names no interface");
	if (row->how == HOW_BRIDGE)
		add_bridge(n, nic->bridge = link);
	else if (row->how == HOW_PARENT)
		nic->bridge = add_parent(n, link);
	else if (row->how == HOW_ROUTED)
		plan_host_side(n, nic, link);
	else if (link != NULL)
		add_bridge(n, link);
	return row;
}

static void plan_link(struct nets *n, struct nic *nic,
		      const struct attach_row *row)
{
	struct arena *mem = n->ops->mem;
	const size_t number = n->nics.n - 1;
	const char *host = get(n, FIELD_NIC_HOST_NAME, nic->name);
	const char *guest = arena_printf(mem, "rehost%zu", number);

	if (host == NULL)
		host = arena_printf(mem, "veth%zu", number);
	if (row->how == HOW_PARENT) {
		ops_add(n->ops, row->op,
			link_of(get(n, FIELD_NIC_ATTACH, nic->name)), guest,
			get(n, FIELD_NIC_MODE, nic->name), NULL);
	} else if (nic->bridge != NULL) {
		ops_add(n->ops, OP_VETH, nic->bridge, host, guest, NULL);
		if (nic->vlan != NULL)
			ops_add(n->ops, OP_PORT, nic->vlan, host, NULL, NULL);
	} else {
		nic->end = host;
		ops_add(n->ops, OP_PAIR, host, guest, NULL, NULL);
	}
	if (row->how == HOW_ROUTED) /* as LXC does, and the host with IPv6 */
		ops_add(n->ops, OP_END_PARAM,
			arena_printf(mem, "net/ipv4/conf/%s/forwarding", host),
			"1", NULL, NULL);
	ops_add(n->ops, OP_LINK, guest, nic->name,
		get(n, FIELD_NIC_MAC, nic->name),
		get(n, FIELD_NIC_MTU, nic->name));
}

static void plan_nic(struct nets *n, struct nic *nic)
{
	const struct attach_row *row = plan_attach(n, nic);

	plan_vlan(n, nic);
	plan_link(n, nic, row);
}

/*
 * The lab answers on the bridge, on its port of a VLAN, or on the other end of
 * the guest's wire.
 */
static void answer(struct nets *n, const struct nic *nic, const char *ip)
{
	ops_add(n->ops, nic->end != NULL ? OP_END_ADDR : OP_LAB_ADDR,
		nic->end != NULL ? nic->end : nic->lab, ip, NULL, NULL);
}

/* Parses what the policy has; what is no address is an error. */
static int parse(const char *ip, const char *prefix, struct inet_net *ret,
		 struct arena *mem, struct err *e)
{
	return inet_net_parse(
		prefix == NULL ? ip : arena_printf(mem, "%s/%s", ip, prefix),
		ret, e);
}

static const char *gateway(const struct nets *n, const struct nic *nic,
			   int family)
{
	return get(n,
		   family == AF_INET ? FIELD_NIC_GATEWAY4 : FIELD_NIC_GATEWAY6,
		   nic->name);
}

/* What the guest is to do by files of its own is not done for it. */
static bool guest_sets(const struct nets *n)
{
	const char *owner = get(n, FIELD_NET_OWNER, "");

	return owner != NULL && str_eq(owner, "guest");
}

static const struct nic *nic_of(const struct nets *n, const char *ip,
				const struct inet_net *net)
{
	const char *carrier = get(n, FIELD_ADDR_NIC, ip);

	for (size_t i = 0; i < n->nics.n; i++)
		if (str_eq(n->nics.v[i].name, carrier))
			return &n->nics.v[i];
	for (size_t i = 0; i < n->nics.n; i++) {
		const char *gw = gateway(n, &n->nics.v[i], net->addr.family);
		struct inet_addr a;
		struct err e;

		if (gw != NULL && inet_parse(gw, &a, &e) == 0 &&
		    inet_net_has(net, &a))
			return &n->nics.v[i];
	}
	return &n->nics.v[0];
}

static int plan_addr(struct nets *n, const char *ip, struct err *e)
{
	struct arena *mem = n->ops->mem;
	const char *prefix = get(n, FIELD_ADDR_PREFIX, ip);
	struct inet_net net;
	const struct nic *nic;

	if (parse(ip, prefix, &net, mem, e) < 0)
		return -1;
	nic = nic_of(n, ip, &net);
	if (!guest_sets(n))
		ops_add(n->ops, OP_ADDR, nic->name,
			arena_printf(mem, "%s/%u", ip, net.prefix),
			get(n, FIELD_ADDR_BROADCAST, ip),
			get(n, FIELD_ADDR_PEER, ip));
	ops_add(n->ops, nic->end != NULL ? OP_END_ROUTE : OP_LAB_ROUTE,
		nic->end != NULL ? nic->end : nic->lab, ip, NULL, NULL);
	return 0;
}

/* Whether one of the nets of the interface's own holds the router. */
static bool reachable(const struct nets *n, const struct nic *nic,
		      const char *router)
{
	struct inet_addr a;
	struct err e;

	if (inet_parse(router, &a, &e) < 0)
		return false;
	if (inet_is_linklocal(&a))
		return a.family == AF_INET6;
	for (size_t i = 0; i < n->in->p->items.n; i++) {
		const struct policy_item *it = &n->in->p->items.v[i];
		struct inet_net net;

		if (it->field == FIELD_ADDR_IP &&
		    parse(it->key, get(n, FIELD_ADDR_PREFIX, it->key), &net,
			  n->ops->mem, &e) == 0 &&
		    inet_net_has(&net, &a) && nic_of(n, it->key, &net) == nic)
			return true;
	}
	return false;
}

/* "dev": through the interface, to no router; lxc.container.conf(5). */
static bool is_dev(const char *gw)
{
	return str_eq(gw, "dev");
}

static void plan_gateway(struct nets *n, const struct nic *nic, int family)
{
	const char *gw = gateway(n, nic, family);

	if (gw == NULL)
		return;
	if (!is_dev(gw))
		answer(n, nic, gw);
	if (guest_sets(n))
		return;
	/* as LXC does: a route to the router first */
	if (!is_dev(gw) && !reachable(n, nic, gw))
		ops_add(n->ops, OP_ROUTE, nic->name, gw, NULL, NULL);
	ops_add(n->ops, OP_ROUTE, nic->name,
		family == AF_INET ? "0.0.0.0/0" : "::/0",
		is_dev(gw) ? NULL : gw, NULL);
}

static int plan_addrs(struct nets *n, struct err *e)
{
	for (size_t i = 0; i < n->in->p->items.n; i++) {
		const struct policy_item *it = &n->in->p->items.v[i];

		if (it->field == FIELD_ADDR_IP && n->nics.n == 0)
			ops_withhold(n->ops, it->field, it->key,
				     "the guest has no interface for it");
		else if (it->field == FIELD_ADDR_IP &&
			 plan_addr(n, it->key, e) < 0)
			return -1;
		if (it->field == FIELD_DNS_SERVERS && n->nics.n > 0)
			answer(n, &n->nics.v[0],
			       it->key[0] == '\0' ? it->value : it->key);
	}
	return 0;
}

static void plan_routes(struct nets *n)
{
	for (size_t i = 0; i < n->nics.n; i++) {
		const struct nic *nic = &n->nics.v[i];

		if (!str_eq(get(n, FIELD_NIC_UP, nic->name), "yes"))
			continue;
		ops_add(n->ops, OP_LINK_UP, nic->name, NULL, NULL, NULL);
		plan_gateway(n, nic, AF_INET);
		plan_gateway(n, nic, AF_INET6);
	}
	for (size_t i = 0; n->nics.n > 0 && i < n->in->p->items.n; i++) {
		const struct policy_item *it = &n->in->p->items.v[i];

		if (it->field == FIELD_ROUTE_DEST)
			ops_add(n->ops, OP_ROUTE, n->nics.v[0].name, it->value,
				get(n, FIELD_ROUTE_VIA, it->key), NULL);
	}
}

/* The host's resolv.conf where the guest has that; NULL: its own. */
static const char *bound_resolvers(const struct nets *n)
{
	const char *source = get(n, FIELD_MOUNT_SOURCE, "/etc/resolv.conf");

	return source != NULL && source[0] == '/' ? source : NULL;
}

int ops_net(const struct ops_input *in, struct ops *ops, struct err *e)
{
	struct nets n = { .in = in, .ops = ops };

	for (size_t i = 0; i < in->p->items.n; i++) {
		const struct policy_item *it = &in->p->items.v[i];

		if (it->field != FIELD_NIC_NAME)
			continue;
		if (!inet_ifname_ok(it->value))
			return err_set(e, EINVAL, "interface name \"%s\"",
				       it->value);
		*vec_add(ops->mem, &n.nics) = (struct nic){ .name = it->value };
		plan_nic(&n, &n.nics.v[n.nics.n - 1]);
	}
	ops_add(ops, OP_LO, NULL, NULL, NULL, NULL);
	if (plan_addrs(&n, e) < 0)
		return -1;
	plan_routes(&n);
	if (n.nics.n > 0 && in->o->rootfs != NULL)
		ops_add(ops, OP_RESOLVERS,
			n.bridges.n > 0 ? n.bridges.v[0] : "lo", in->o->rootfs,
			bound_resolvers(&n), NULL);
	return 0;
}
