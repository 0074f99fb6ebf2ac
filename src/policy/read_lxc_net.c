/*
 * The interfaces of an LXC config: lxc.net.N.*; targets.md 2.3. The type
 * stands first, as what stands before it is wiped by liblxc.
 */
#include <stddef.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"
#include "policy/read_lxc_parts.h"

static struct read_lxc_nic *find_nic(struct read_lxc *r, const char *number)
{
	struct read_lxc_nic *n;

	for (size_t i = 0; i < r->nics.n; i++)
		if (str_eq(r->nics.v[i]->number, number))
			return r->nics.v[i];
	n = pvec_add(r->mem, &r->nics);
	n->number = number;
	return n;
}

/* Keys that are text to keep, and for which type (NULL: any). */
static const struct text_row {
	const char *name;
	size_t offset;
	const char *type;
} text_rows[] = {
#define AT(member) offsetof(struct read_lxc_nic, member)
	{ "link", AT(link), NULL },
	{ "name", AT(name), NULL },
	{ "hwaddr", AT(mac), NULL },
	{ "mtu", AT(mtu), NULL },
	{ "ipv4.gateway", AT(gateway4), NULL },
	{ "ipv6.gateway", AT(gateway6), NULL },
	{ "veth.pair", AT(pair), "veth" },
	{ "veth.vlan.id", AT(vlan), "veth" },
	{ "vlan.id", AT(vlan), "vlan" },
	{ "macvlan.mode", AT(mode), "macvlan" },
	{ "ipvlan.mode", AT(mode), "ipvlan" },
#undef AT
};

/* "A/P [BROADCAST]"; without a prefix liblxc would guess. */
static int take_addr(struct read_lxc *r, struct read_lxc_nic *n, bool v4,
		     const char *value, struct err *e)
{
	const struct strv w = strv_split(r->mem, value, " \t");
	const char *slash = w.n == 0 ? NULL : strchr(w.v[0], '/');
	struct read_lxc_addr a = { 0 };
	struct inet_net net;

	if (slash == NULL || w.n > (v4 ? 2U : 1U))
		return err_set(e, 0, "\"%s\" is no address with a prefix",
			       value);
	if (inet_net_parse(w.v[0], &net, e) < 0)
		return -1;
	a.ip = arena_strndup(r->mem, w.v[0], (size_t)(slash - w.v[0]));
	a.prefix = slash + 1;
	a.broadcast = w.n > 1 ? w.v[1] : NULL;
	*vec_add(r->mem, &n->addrs) = a;
	return 0;
}

static int take_type(struct read_lxc *r, struct read_lxc_nic *n,
		     const char *value, struct err *e)
{
	static const char *const types[] = { "veth", "macvlan", "ipvlan",
					     "vlan", "phys",    "empty",
					     "none" };

	(void)r;
	for (size_t i = 0; i < COUNT(types); i++) {
		if (str_eq(types[i], value)) {
			*n = (struct read_lxc_nic){ .number = n->number,
						    .type = types[i] };
			return 0;
		}
	}
	return err_set(e, 0, "no type \"%s\"", value);
}

static int take_text(struct read_lxc_nic *n, const char *key, const char *value,
		     struct err *e)
{
	for (size_t i = 0; i < COUNT(text_rows); i++) {
		const struct text_row *row = &text_rows[i];

		if (!str_eq(row->name, key))
			continue;
		if ((row->type != NULL && !str_eq(row->type, n->type)) ||
		    str_eq(n->type, "empty"))
			return err_set(e, 0, "not for type %s", n->type);
		*(const char **)(void *)((char *)n + row->offset) = value;
		return 0;
	}
	return err_set(e, 0, "unknown key \"%s\"", key);
}

int read_lxc_net(struct read_lxc *r, const struct read_lxc_key *k,
		 const char *rest, const char *value, struct err *e)
{
	const char *dot = strchr(rest, '.');
	struct read_lxc_nic *n;
	const char *key;
	uint64_t number;

	(void)k;
	if (dot == NULL)
		return err_set(e, 0, "no number and key");
	key = dot + 1;
	rest = arena_strndup(r->mem, rest, (size_t)(dot - rest));
	if (num_u64(rest, &number, e) < 0)
		return -1;
	n = find_nic(r, rest);
	if (str_eq(key, "type"))
		return take_type(r, n, value, e);
	if (n->type == NULL)
		return err_set(e, 0, "stands before the type");
	if (str_eq(key, "flags"))
		n->up = value[0] != '\0';
	else if (str_eq(key, "veth.mode"))
		n->router = str_eq(value, "router");
	else if (str_eq(key, "l2proxy")) /* makes the attachment work */
		return 0;
	else if (str_eq(key, "ipv4.address") || str_eq(key, "ipv6.address"))
		return take_addr(r, n, key[3] == '4', value, e);
	else
		return take_text(n, key, value, e);
	return 0;
}

/* The word of nic.attach; NULL for a loopback alone. */
static const char *attach_of(struct arena *mem, const struct read_lxc_nic *n)
{
	const char *word = n->type;

	if (str_eq(n->type, "empty"))
		return NULL;
	if (str_eq(n->type, "veth"))
		word = n->router       ? "routed" :
		       n->link != NULL ? "bridge" :
					 "p2p";
	else if (str_eq(n->type, "vlan"))
		word = "phys";
	if (n->router && n->link == NULL)
		return "routed:lo"; /* the host answers for it nowhere */
	return n->link == NULL ? word :
				 arena_printf(mem, "%s:%s", word, n->link);
}

static void add_addrs(struct read_lxc *r, const struct read_lxc_nic *n,
		      const char *nic)
{
	for (size_t i = 0; i < n->addrs.n; i++) {
		const struct read_lxc_addr *a = &n->addrs.v[i];

		policy_add(r->p, FIELD_ADDR_IP, a->ip, a->ip);
		policy_add(r->p, FIELD_ADDR_PREFIX, a->ip, a->prefix);
		policy_add(r->p, FIELD_ADDR_NIC, a->ip, nic);
		if (a->broadcast != NULL)
			policy_add(r->p, FIELD_ADDR_BROADCAST, a->ip,
				   a->broadcast);
	}
}

static void add_nic(struct read_lxc *r, const struct read_lxc_nic *n)
{
	const char *name = n->name == NULL ? "?" : n->name;
	const struct {
		enum field_id field;
		const char *value;
	} items[] = {
		{ FIELD_NIC_NAME, name },
		{ FIELD_NIC_ATTACH, attach_of(r->mem, n) },
		{ FIELD_NIC_VLAN, n->vlan },
		{ FIELD_NIC_MAC, n->mac },
		{ FIELD_NIC_MTU, n->mtu },
		{ FIELD_NIC_HOST_NAME, n->pair },
		{ FIELD_NIC_MODE, n->mode },
		{ FIELD_NIC_UP, n->up ? "yes" : "no" },
		{ FIELD_NIC_GATEWAY4, n->gateway4 },
		{ FIELD_NIC_GATEWAY6, n->gateway6 },
	};

	for (size_t i = 0; i < COUNT(items); i++)
		if (items[i].value != NULL)
			policy_add(r->p, items[i].field, name, items[i].value);
	if (!n->router && !(str_eq(n->type, "ipvlan") && n->mode != NULL &&
			    str_starts(n->mode, "l3")))
		policy_add(r->p, FIELD_MULTICAST, "", "yes");
	add_addrs(r, n, name);
}

void read_lxc_add_nets(struct read_lxc *r)
{
	for (size_t i = 0; i < r->nics.n; i++) {
		const struct read_lxc_nic *n = r->nics.v[i];

		if (str_eq(n->type, "none"))
			policy_add(r->p, FIELD_NS_NET, "", "host");
		else if (attach_of(r->mem, n) != NULL)
			add_nic(r, n);
	}
}
