/*
 * The lab and the guest's interfaces. The policy does not say which interface
 * an address is on: it goes to the one whose router is in its net, or else to
 * the first.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "base/str.h"
#include "runtime/ops.h"

struct nic {
	const char *name, *bridge;
};

struct nets {
	const struct ops_input *in;
	struct ops *ops;
	VEC(struct nic) nics;
	VEC(const char *) bridges;
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

/* How the guest is attached in the lab, where that is not as asked for. */
static const struct {
	const char *word, *why;
} attach_rows[] = {
	{ "ipvlan", "the lab attaches it to a bridge" },
	{ "routed", "the lab attaches it to a bridge" },
	{ "phys", "withheld: physical interfaces are the host's" },
	{ "p2p", "the lab attaches it to a bridge" },
	{ "none", "the lab attaches it to a bridge" },
};

static void plan_attach(struct nets *n, struct nic *nic)
{
	const char *attach = get(n, FIELD_NIC_ATTACH, nic->name);
	const char *colon = attach == NULL ? NULL : strchr(attach, ':');

	if (colon != NULL && inet_ifname_ok(colon + 1) &&
	    !str_eq(colon + 1, "lo"))
		nic->bridge = colon + 1;
	else
		nic->bridge =
			arena_printf(n->ops->mem, "lab%zu", n->nics.n - 1);
	add_bridge(n, nic->bridge);
	for (size_t i = 0; i < COUNT(attach_rows); i++)
		if (attach != NULL && str_starts(attach, attach_rows[i].word))
			ops_withhold(n->ops, FIELD_NIC_ATTACH, nic->name,
				     attach_rows[i].why);
	if (get(n, FIELD_NIC_VLAN, nic->name) != NULL)
		ops_withhold(n->ops, FIELD_NIC_VLAN, nic->name,
			     "the lab has no VLANs");
	if (str_eq(get(n, FIELD_NIC_SOURCE_FILTER, nic->name), "yes"))
		ops_withhold(n->ops, FIELD_NIC_SOURCE_FILTER, nic->name,
			     "the lab has no filter");
}

static void plan_link(struct nets *n, const struct nic *nic, size_t number)
{
	struct arena *mem = n->ops->mem;
	const char *attach = get(n, FIELD_NIC_ATTACH, nic->name);
	const char *host = get(n, FIELD_NIC_HOST_NAME, nic->name);
	const char *guest = arena_printf(mem, "rehost%zu", number);

	if (host == NULL)
		host = arena_printf(mem, "veth%zu", number);
	if (attach != NULL && str_starts(attach, "macvlan"))
		ops_add(n->ops, OP_MACVLAN, nic->bridge, guest,
			get(n, FIELD_NIC_MODE, nic->name), NULL);
	else
		ops_add(n->ops, OP_VETH, nic->bridge, host, guest, NULL);
	ops_add(n->ops, OP_LINK, guest, nic->name,
		get(n, FIELD_NIC_MAC, nic->name),
		get(n, FIELD_NIC_MTU, nic->name));
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

static const struct nic *nic_of(const struct nets *n,
				const struct inet_net *net)
{
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
	nic = nic_of(n, &net);
	ops_add(n->ops, OP_ADDR, nic->name,
		arena_printf(mem, "%s/%u", ip, net.prefix),
		get(n, FIELD_ADDR_BROADCAST, ip), get(n, FIELD_ADDR_PEER, ip));
	ops_add(n->ops, OP_LAB_ROUTE, nic->bridge, ip, NULL, NULL);
	return 0;
}

/* Whether one of the guest's nets holds the router. */
static bool reachable(const struct nets *n, const char *router)
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
		    inet_net_has(&net, &a))
			return true;
	}
	return false;
}

static void plan_gateway(struct nets *n, const struct nic *nic, int family)
{
	const char *gw = gateway(n, nic, family);

	if (gw == NULL)
		return;
	ops_add(n->ops, OP_LAB_ADDR, nic->bridge, gw, NULL, NULL);
	if (!reachable(n, gw)) /* as LXC does: a route to the router first */
		ops_add(n->ops, OP_ROUTE, nic->name, gw, NULL, NULL);
	ops_add(n->ops, OP_ROUTE, nic->name,
		family == AF_INET ? "0.0.0.0/0" : "::/0", gw, NULL);
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
			ops_add(n->ops, OP_LAB_ADDR, n->nics.v[0].bridge,
				it->key[0] == '\0' ? it->value : it->key, NULL,
				NULL);
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
		plan_attach(&n, &n.nics.v[n.nics.n - 1]);
		plan_link(&n, &n.nics.v[n.nics.n - 1], n.nics.n - 1);
	}
	ops_add(ops, OP_LO, NULL, NULL, NULL, NULL);
	if (plan_addrs(&n, e) < 0)
		return -1;
	plan_routes(&n);
	return 0;
}
