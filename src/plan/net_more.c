/*
 * Prefixes, gateways and what the move of an address touches elsewhere. See
 * net.c for who decides.
 */
#include <sys/socket.h>
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/str.h"
#include "derive.h"
#include "plan/fleet.h"
#include "plan/net.h"
#include "policy/policy.h"

void plan_net_source_filter(struct plan *p, struct nic *n)
{
	struct guest *g = p->g;
	const struct origin *from = plan_origin(p, "net", g->ns_net.from);
	struct finding *f;

	if (!str_eq(g->ns_net.v, "filtered"))
		return;
	f = finding_add(g, FIND_NET_OWN_STACK, NULL, from,
			"the guest saw only its own addresses of the host's "
			"stack and could send only from them");
	derive_bool(g, FIELD_NIC_SOURCE_FILTER, n, true, from, f);
	/* The same fact as before, said of the interface that now exists. */
	policy_add(g->policy, FIELD_NIC_SOURCE_FILTER, n->name.v, "yes");
	policy_sort(g->policy);
}

/* Attached to the LAN itself, where neighbours are reached directly. */
static bool on_lan(const struct nic *n)
{
	return n != NULL && n->attach.from != NULL &&
	       !str_starts(n->attach.v, "routed") &&
	       !str_eq(n->attach.v, "none") && !str_eq(n->attach.v, "p2p");
}

static void set_prefix(struct plan *p, struct addr *a, unsigned prefix,
		       const struct origin *from)
{
	struct finding *f;

	f = finding_add(p->g, FIND_NET_PREFIX_DERIVED, NULL, from,
			"%s/%" PRIu64 " becomes /%u, the LAN's prefix "
			"(%s:%u)",
			a->ip.v, a->prefix.v, prefix, from->file, from->line);
	derive_u64(p->g, FIELD_ADDR_PREFIX, a, prefix, from, f);
}

void plan_net_prefix(struct plan *p, struct addr *a)
{
	const struct facts_address *lan = NULL;
	const struct site_subnet *s;
	struct inet_addr ip;
	struct err e;

	if (!on_lan(a->nic) || a->ip.from == NULL ||
	    inet_parse(a->ip.v, &ip, &e) < 0)
		return;
	if (a->prefix.from != NULL && a->prefix.v != inet_bits(&ip))
		return;
	s = site_subnet(p->site, &ip);
	if (s != NULL) {
		set_prefix(p, a, s->net.prefix,
			   plan_net_site_origin(p, s->line, "subnet",
						a->prefix.from));
		return;
	}
	if (p->facts != NULL && a->dev.from != NULL)
		lan = facts_find_net(p->facts, a->dev.v, &ip);
	if (lan == NULL && p->facts != NULL)
		lan = facts_find_net(p->facts, NULL, &ip);
	if (lan != NULL)
		set_prefix(p, a, lan->net.prefix,
			   plan_net_facts_origin(p, &lan->at, "address",
						 a->prefix.from));
}

/* A container of the same kernel had the very interface that it gets. */
static bool as_before(const struct plan *p, const struct nic *n)
{
	return plan_was_container(p->g) && n->attach.from != NULL &&
	       n->attach.from->kind == ORIGIN_TEXT;
}

/* A default router and who says so. */
struct gateway {
	const char *ip; /* NULL: not known */
	const struct origin *from;
};

static const struct addr *first_addr(const struct guest *g, const struct nic *n,
				     int family, struct inet_addr *ret)
{
	struct err e;

	for (size_t i = 0; i < g->addrs.n; i++) {
		const struct addr *a = g->addrs.v[i];

		if (a->nic == n && a->ip.from != NULL &&
		    inet_parse(a->ip.v, ret, &e) == 0 && ret->family == family)
			return a;
	}
	return NULL;
}

static struct gateway gateway_site(struct plan *p, const struct nic *n,
				   const struct inet_addr *ip)
{
	const struct site_subnet *s = site_subnet(p->site, ip);
	const struct site_device *d = NULL;
	struct gateway gw = { 0 };

	if (s != NULL && s->gateway != NULL) {
		gw.ip = s->gateway;
		gw.from = plan_net_site_origin(p, s->line, "subnet", NULL);
		return gw;
	}
	if (n->parent.from != NULL)
		d = site_device(p->site, n->parent.v);
	if (d == NULL)
		return gw;
	gw.ip = ip->family == AF_INET ? d->gateway4 : d->gateway6;
	gw.from = plan_net_site_origin(p, d->line, "device", NULL);
	return gw;
}

/* A gateway file of another tool: a route to everywhere on the address. */
static struct gateway gateway_source(struct plan *p, const struct nic *n,
				     int family)
{
	struct gateway gw = { 0 };
	struct inet_addr via;
	struct err e;

	for (size_t i = 0; i < p->g->routes.n; i++) {
		const struct route *r = p->g->routes.v[i];

		if ((r->nic != NULL && r->nic != n) || r->via.from == NULL ||
		    !str_eq(r->dest.v, "default") ||
		    inet_parse(r->via.v, &via, &e) < 0 || via.family != family)
			continue;
		gw.ip = r->via.v;
		gw.from = plan_origin(p, "net", r->via.from);
	}
	return gw;
}

static struct gateway gateway_facts(struct plan *p, const struct nic *n,
				    int family)
{
	const struct facts_route *r = NULL;
	struct gateway gw = { 0 };
	char text[INET_TEXT];

	if (p->facts == NULL)
		return gw;
	if (n->parent.from != NULL)
		r = facts_gateway(p->facts, n->parent.v, family);
	if (r == NULL)
		r = facts_gateway(p->facts, NULL, family);
	if (r == NULL || !r->has_via)
		return gw;
	inet_show(&r->via, text);
	gw.ip = arena_strdup(p->g->mem, text);
	gw.from = plan_net_facts_origin(p, &r->at, "route", NULL);
	return gw;
}

static struct gateway gateway_of(struct plan *p, const struct nic *n,
				 int family)
{
	struct gateway gw = { 0 };
	struct inet_addr ip;

	if (n->name.from == NULL || n->attach.from == NULL ||
	    str_eq(n->attach.v, "p2p") || str_eq(n->attach.v, "none") ||
	    first_addr(p->g, n, family, &ip) == NULL)
		return gw;
	gw = gateway_site(p, n, &ip);
	if (gw.ip == NULL)
		gw = gateway_source(p, n, family);
	if (gw.ip == NULL)
		gw = gateway_facts(p, n, family);
	return gw;
}

/* The captured default route leaves through the interface's own device. */
static bool is_way_out(struct plan *p, const struct nic *n, int family)
{
	return p->facts != NULL && n->parent.from != NULL &&
	       facts_gateway(p->facts, n->parent.v, family) != NULL;
}

/* The interface that has the default route: one of a family (LXC). */
static struct nic *way_out(struct plan *p, int family)
{
	struct nic *first = NULL, *any = NULL;
	struct inet_addr ip;

	for (size_t i = 0; i < p->g->nics.n; i++) {
		struct nic *n = p->g->nics.v[i];

		if (first_addr(p->g, n, family, &ip) == NULL)
			continue;
		any = any == NULL ? n : any;
		if (gateway_of(p, n, family).ip == NULL)
			continue;
		if (is_way_out(p, n, family))
			return n;
		first = first == NULL ? n : first;
	}
	return first == NULL ? any : first;
}

static void other_gateway(struct plan *p, const struct nic *n,
			  const struct gateway *gw)
{
	if (gw->from->kind == ORIGIN_FACTS)
		return; /* the host's one default route, already given */
	finding_add(p->g, FIND_NET_ROUTE, NULL, gw->from,
		    "gateway %s of %s is not written: one interface has the "
		    "default route",
		    gw->ip, n->name.v);
}

/*
 * A routed guest reaches everything through its host, which answers for any
 * address that it has a route to: 169.254.0.1 where the LAN's router is not
 * known (reference 4.2).
 */
static struct gateway host_gateway(struct plan *p, const struct nic *n,
				   int family)
{
	struct gateway gw = { 0 };

	if (n->attach.from == NULL || !str_starts(n->attach.v, "routed:"))
		return gw;
	gw.ip = family == AF_INET ? "169.254.0.1" : "fe80::1";
	gw.from = plan_origin(p, "net", n->attach.from);
	return gw;
}

static struct finding *find_gateway(struct plan *p, const struct nic *n,
				    const struct gateway *gw, bool known)
{
	if (!known)
		return finding_add(p->g, FIND_NET_UPLINK, NULL, gw->from,
				   "no gateway is known for %s: the new host "
				   "is it, as %s, and needs a default route",
				   n->name.v, gw->ip);
	return finding_add(p->g, FIND_NET_GATEWAY_DERIVED, NULL, gw->from,
			   "gateway of %s: %s (%s:%u)", n->name.v, gw->ip,
			   gw->from->file, gw->from->line);
}

static void set_gateway(struct plan *p, struct nic *n, int family)
{
	struct gateway gw = gateway_of(p, n, family);
	const bool known = gw.ip != NULL;
	struct finding *f;

	if (!known)
		gw = host_gateway(p, n, family);
	if (gw.ip == NULL) {
		if (on_lan(n) && !as_before(p, n))
			finding_add(p->g, FIND_NET_NO_GATEWAY, NULL,
				    plan_origin(p, "net", n->attach.from),
				    "%s has no IPv%d gateway: only its own "
				    "network is reached",
				    n->name.v, family == AF_INET ? 4 : 6);
		return;
	}
	f = find_gateway(p, n, &gw, known);
	derive_str(p->g,
		   family == AF_INET ? FIELD_NIC_GATEWAY4 : FIELD_NIC_GATEWAY6,
		   n, gw.ip, gw.from, f);
}

/* The source names the router: LXC takes one of a family. */
static bool has_gateway(const struct guest *g, int family)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if ((family == AF_INET ? g->nics.v[i]->gateway4.from :
					 g->nics.v[i]->gateway6.from) != NULL)
			return true;
	return false;
}

static void set_gateways(struct plan *p, int family)
{
	struct nic *out = has_gateway(p->g, family) ? NULL : way_out(p, family);

	if (out != NULL)
		set_gateway(p, out, family);
	for (size_t i = 0; i < p->g->nics.n; i++) {
		const struct nic *n = p->g->nics.v[i];
		const struct gateway gw = gateway_of(p, n, family);

		if (n != out && gw.ip != NULL)
			other_gateway(p, n, &gw);
	}
}

void plan_net_gateways(struct plan *p)
{
	set_gateways(p, AF_INET);
	set_gateways(p, AF_INET6);
}

/* The first address of a device with the LAN's prefix is the host's own. */
static const struct facts_address *own_address(const struct facts *f,
					       const struct inet_addr *ip)
{
	const struct facts_address *a = facts_find(f, ip);

	if (a == NULL || a->net.prefix == inet_bits(ip))
		return NULL;
	for (size_t i = 0; i < f->addresses.n; i++) {
		const struct facts_address *b = &f->addresses.v[i];

		if (b->net.addr.family == ip->family && str_eq(b->dev, a->dev))
			return b == a ? a : NULL;
	}
	return NULL;
}

/* Whether the text holds the address as a word of its own. */
static bool names_address(const char *text, const char *ip)
{
	const size_t n = strlen(ip);
	static const char inside[] = "0123456789abcdefABCDEF.:";

	for (const char *at = strstr(text, ip); at != NULL;
	     at = strstr(at + 1, ip)) {
		const bool left = at == text || strchr(inside, at[-1]) == NULL;
		const bool port = at[n] == ':' && strchr(ip, ':') == NULL;
		const bool right = at[n] == '\0' || port ||
				   strchr(inside, at[n]) == NULL;

		if (left && right)
			return true;
	}
	return false;
}

static void check_facts(struct plan *p, const struct addr *a)
{
	const struct facts_address *own;
	struct inet_addr ip;
	struct err e;

	if (p->facts == NULL || inet_parse(a->ip.v, &ip, &e) < 0)
		return;
	own = own_address(p->facts, &ip);
	if (own != NULL)
		finding_add(p->g, FIND_NET_HOST_ADDRESS, NULL, a->ip.from,
			    "%s is the host's own address on %s (%s:%u)",
			    a->ip.v, own->dev, p->facts->file, own->at.line);
	for (size_t i = 0; i < p->facts->rules.n; i++) {
		const struct facts_rule *r = &p->facts->rules.v[i];

		if (names_address(r->at.text, a->ip.v))
			finding_add(p->g, FIND_NET_NAT, NULL,
				    plan_net_facts_origin(p, &r->at, "firewall",
							  a->ip.from),
				    "%s rule of the old host: %s",
				    r->nat ? "NAT" : "filter",
				    str_show(p->g->mem, r->at.text,
					     strlen(r->at.text), 200));
	}
}

static void check_clash(struct plan *p, const struct addr *a)
{
	struct strv others;

	if (p->fleet == NULL)
		return;
	others = fleet_same(p->fleet, p->g->mem, "address", a->ip.v, p->g->key);
	if (others.n != 0)
		finding_add(p->g, FIND_NET_CLASH, NULL, a->ip.from,
			    "%s is also an address of %s", a->ip.v,
			    strv_join(p->g->mem, &others, ", "));
}

/* Name servers on the host's loopback are gone from inside. */
static void check_dns(struct plan *p)
{
	struct slice rest, line, word;
	const char *data;
	size_t n;
	unsigned number = 0;
	struct err e;

	if (p->root == NULL || tree_read(p->root, "/etc/resolv.conf", 65536,
					 p->g->mem, &data, &n, &e) < 0)
		return;
	rest = (struct slice){ data, n };
	while (slice_next(&rest, '\n', &line)) {
		struct inet_addr ip;
		const char *text;

		number++;
		if (!slice_word(&line, &word) ||
		    !slice_eq(word, "nameserver") || !slice_word(&line, &word))
			continue;
		text = slice_dup(p->g->mem, word);
		if (inet_parse(text, &ip, &e) < 0 ||
		    (!inet_is_loopback(&ip) &&
		     (p->facts == NULL || own_address(p->facts, &ip) == NULL)))
			continue;
		finding_add(p->g, FIND_NET_DNS_HOST, NULL,
			    plan_origin(p, "net", p->g->rootfs.from),
			    "etc/resolv.conf:%u of the guest names %s", number,
			    text);
	}
}

/* The kernel hands nothing between a parent and the guests on it. */
static void check_host(struct plan *p)
{
	for (size_t i = 0; i < p->g->nics.n; i++) {
		const struct nic *n = p->g->nics.v[i];

		if (n->attach.from != NULL && !as_before(p, n) &&
		    (str_starts(n->attach.v, "macvlan:") ||
		     str_starts(n->attach.v, "ipvlan:")))
			finding_add(p->g, FIND_NET_HOST_UNREACHABLE, NULL,
				    plan_origin(p, "net", n->attach.from),
				    "%s: host and guest do not reach each "
				    "other",
				    n->attach.v);
	}
}

void plan_net_check(struct plan *p)
{
	for (size_t i = 0; i < p->g->addrs.n; i++) {
		const struct addr *a = p->g->addrs.v[i];

		if (a->ip.from == NULL)
			continue;
		check_facts(p, a);
		check_clash(p, a);
	}
	check_dns(p);
	check_host(p);
}
