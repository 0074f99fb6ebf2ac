/*
 * The one real change of paradigm: the old guest owned addresses on the host's
 * interfaces, the new one owns interfaces. Groups the addresses by the device
 * that carried them, decides how each interface reaches the wire, and finds
 * prefix and gateway. Reference: vserver.md 4.2.
 *
 * Who decides, strongest first: --set and the site file's guest block (after
 * this pass, by kind of origin), subnet, device, what capture recorded, the
 * word default-attach.
 */
#include <sys/socket.h>
#include <inttypes.h>
#include <string.h>

#include "base/inet.h"
#include "base/str.h"
#include "derive.h"
#include "facts.h"
#include "plan/net.h"
#include "plan/plan.h"

const struct origin *plan_net_facts_origin(struct plan *p,
					   const struct facts_line *at,
					   const char *key,
					   const struct origin *because)
{
	struct origin *o = arena_alloc(p->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = ORIGIN_FACTS,
			      .file = p->facts->file,
			      .line = at->line,
			      .key = key,
			      .text = at->text,
			      .because = because };
	return o;
}

const struct origin *plan_net_site_origin(struct plan *p, unsigned line,
					  const char *key,
					  const struct origin *because)
{
	struct origin *o = arena_alloc(p->g->mem, sizeof(*o));

	*o = (struct origin){ .kind = ORIGIN_SITE,
			      .file = p->site->file,
			      .line = line,
			      .key = key,
			      .because = because };
	return o;
}

static bool parse_ip(const struct addr *a, struct inet_addr *ret)
{
	struct err e;

	return a->ip.from != NULL && inet_parse(a->ip.v, ret, &e) == 0;
}

/* The word assume-dev, where nothing better is known. */
static void assume_device(struct plan *p, struct addr *a)
{
	const char *dev = site_choice(p->site, "assume-dev");
	const unsigned line = site_choice_line(p->site, "assume-dev");

	if (dev[0] == '\0')
		return;
	derive_str(p->g, FIELD_ADDR_DEV, a, dev,
		   plan_net_site_origin(p, line, "assume-dev", a->nodev.from),
		   NULL);
	finding_add(p->g, FIND_NET_NODEV_FOUND, NULL, a->nodev.from,
		    "%s: its device is not known, %s is assumed (%s:%u)",
		    a->ip.v, dev, p->site->file, line);
}

/* The device of an address that only the host knew (nodev). */
static void find_device(struct plan *p, struct addr *a)
{
	const struct facts_address *f = NULL;
	const struct origin *from;
	struct inet_addr ip;

	if (a->nodev.from == NULL || !a->nodev.v || !parse_ip(a, &ip))
		return;
	if (a->dev.from != NULL) {
		finding_add(p->g, FIND_NET_NODEV_FOUND, NULL, a->nodev.from,
			    "%s was only bound to the guest: the host had it, "
			    "taken as on %s, which its configuration names",
			    a->ip.v, a->dev.v);
		return;
	}
	if (p->facts != NULL)
		f = facts_find(p->facts, &ip);
	if (f == NULL) {
		assume_device(p, a);
		return;
	}
	from = plan_net_facts_origin(p, &f->at, "address", a->nodev.from);
	derive_str(p->g, FIELD_ADDR_DEV, a, f->dev, from, NULL);
	finding_add(p->g, FIND_NET_NODEV_FOUND, NULL, from,
		    "%s was on %s of the host (%s:%u): attached like it",
		    a->ip.v, f->dev, p->facts->file, f->at.line);
}

/* How an address reaches the wire, and who says so. */
struct attachment {
	const char *attach; /* NULL: not known */
	const struct origin *from;
	bool by_default;
	long vlan, mtu; /* -1: not given */
};

static void attach_site(struct plan *p, const struct addr *a,
			struct attachment *ret)
{
	const struct site_subnet *s = NULL;
	const struct site_device *d = NULL;
	struct inet_addr ip;

	if (parse_ip(a, &ip))
		s = site_subnet(p->site, &ip);
	if (a->dev.from != NULL)
		d = site_device(p->site, a->dev.v);
	if (d != NULL) {
		ret->vlan = d->vlan;
		ret->mtu = d->mtu;
	}
	if (s != NULL && s->attach != NULL) {
		ret->attach = s->attach;
		ret->vlan = s->vlan >= 0 ? s->vlan : ret->vlan;
		ret->from =
			plan_net_site_origin(p, s->line, "subnet", a->dev.from);
	} else if (d != NULL && d->attach != NULL) {
		ret->attach = d->attach;
		ret->from =
			plan_net_site_origin(p, d->line, "device", a->dev.from);
	}
}

/* A device that is a bridge, or a port of one, on the captured host. */
static void attach_facts(struct plan *p, const struct addr *a,
			 struct attachment *ret)
{
	const struct facts_link *l;
	const char *bridge = NULL;

	if (p->facts == NULL)
		return;
	l = facts_link(p->facts, a->dev.v);
	if (l == NULL)
		return;
	if (l->is_bridge)
		bridge = l->name;
	else if (l->master != NULL && facts_link(p->facts, l->master) != NULL &&
		 facts_link(p->facts, l->master)->is_bridge)
		bridge = l->master;
	if (bridge == NULL)
		return;
	ret->attach = arena_printf(p->g->mem, "bridge:%s", bridge);
	ret->from = plan_net_facts_origin(p, &l->at, "link", a->dev.from);
}

/* On a device of the old host that carries addresses and no wire. */
static bool is_unwired(const struct addr *a)
{
	return (a->unwired.from != NULL && a->unwired.v) ||
	       (a->dev.from != NULL &&
		(str_eq(a->dev.v, "lo") || str_starts(a->dev.v, "dummy")));
}

static struct attachment attachment(struct plan *p, const struct addr *a)
{
	const char *word = site_choice(p->site, "default-attach");
	struct attachment t = { .vlan = -1, .mtu = -1 };

	attach_site(p, a, &t);
	if (t.attach != NULL || a->dev.from == NULL)
		return t;
	attach_facts(p, a, &t);
	if (t.attach != NULL)
		return t;
	if (str_eq(word, "none"))
		t.attach = "none";
	else if (is_unwired(a))
		t.attach = "routed:lo";
	else
		t.attach = arena_printf(p->g->mem, "%s:%s", word, a->dev.v);
	t.from = plan_origin(p, "net", a->dev.from);
	t.by_default = true;
	return t;
}

static struct nic *find_nic(struct guest *g, const char *attach, uint64_t vlan)
{
	for (size_t i = 0; i < g->nics.n; i++) {
		struct nic *n = g->nics.v[i];

		if (n->attach.from != NULL && str_eq(n->attach.v, attach) &&
		    (n->vlan.from == NULL ? 0 : n->vlan.v) == vlan)
			return n;
	}
	return NULL;
}

static const char *free_name(struct guest *g)
{
	for (unsigned i = 0;; i++) {
		const char *name = arena_printf(g->mem, "eth%u", i);
		bool taken = false;

		for (size_t j = 0; j < g->nics.n; j++)
			if (g->nics.v[j]->name.from != NULL &&
			    str_eq(g->nics.v[j]->name.v, name))
				taken = true;
		if (!taken)
			return name;
	}
}

static struct finding *find_attach(struct plan *p, const struct addr *a,
				   const struct attachment *t)
{
	if (t->by_default)
		return finding_add(p->g, FIND_NET_ATTACH_DEFAULT, NULL, t->from,
				   "addresses on %s: attached as %s", a->dev.v,
				   t->attach);
	return finding_add(p->g, FIND_NET_ATTACH_SITE, NULL, t->from,
			   "addresses on %s: attached as %s, as %s:%u says",
			   a->dev.from != NULL ? a->dev.v : "no device",
			   t->attach, t->from->file, t->from->line);
}

/* A VLAN id is the bridge's business; other attachments use the device. */
static uint64_t vlan_of(const struct addr *a, const struct attachment *t)
{
	if (t->vlan >= 0)
		return (uint64_t)t->vlan;
	if (a->vlan.from != NULL && str_starts(t->attach, "bridge:") &&
	    t->from->kind != ORIGIN_FACTS)
		return a->vlan.v;
	return 0;
}

/*
 * All routed addresses share one interface: LXC writes one default route, and
 * the host's reverse path filter wants answers to leave where questions came
 * in. Tried on LXC 5.0.2: a second gateway of a family fails the start.
 */
static struct nic *find_routed(struct guest *g)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->attach.from != NULL &&
		    str_starts(g->nics.v[i]->attach.v, "routed:"))
			return g->nics.v[i];
	return NULL;
}

static struct nic *join_routed(struct plan *p, const struct addr *a,
			       const struct attachment *t, struct nic *n)
{
	struct guest *g = p->g;
	struct finding *f;

	if (str_eq(n->attach.v, t->attach) || str_eq(t->attach, "routed:lo"))
		return n;
	if (str_eq(n->attach.v, "routed:lo")) {
		f = find_attach(p, a, t);
		derive_str(g, FIELD_NIC_ATTACH, n, t->attach,
			   plan_origin(p, "net", n->attach.from), f);
		derive_str(g, FIELD_NIC_PARENT, n, a->dev.v,
			   plan_origin(p, "net", n->parent.from), NULL);
		return n;
	}
	finding_add(g, FIND_NET_SYSCTL, NULL, t->from,
		    "%s was on %s and shares interface %s (%s): the host "
		    "answers for it there by ip neigh add proxy %s dev %s",
		    a->ip.v, a->dev.v, n->name.v, n->attach.v, a->ip.v,
		    strchr(t->attach, ':') + 1);
	return n;
}

static struct nic *make_nic(struct plan *p, const struct addr *a,
			    const struct attachment *t)
{
	struct guest *g = p->g;
	const uint64_t vlan = vlan_of(a, t);
	struct nic *n = find_nic(g, t->attach, vlan);
	struct finding *f, *name;

	if (n != NULL)
		return n;
	if (str_starts(t->attach, "routed:") && find_routed(g) != NULL)
		return join_routed(p, a, t, find_routed(g));
	f = find_attach(p, a, t);
	n = pvec_add(g->mem, &g->nics);
	derive_str(g, FIELD_NIC_NAME, n, free_name(g),
		   plan_origin(p, "net", t->from), f);
	name = finding_add(g, FIND_NET_NAME, NULL, t->from,
			   "interface %s takes the addresses of %s", n->name.v,
			   a->dev.from != NULL ? a->dev.v : t->attach);
	finding_covers(g, name, FIELD_NIC_NAME, n->name.v);
	derive_str(g, FIELD_NIC_ATTACH, n, t->attach, t->from, f);
	derive_bool(g, FIELD_NIC_UP, n, a->up.from == NULL || a->up.v, t->from,
		    f);
	if (a->dev.from != NULL)
		derive_str(g, FIELD_NIC_PARENT, n, a->dev.v, t->from, NULL);
	if (vlan != 0)
		derive_u64(g, FIELD_NIC_VLAN, n, vlan, t->from, f);
	if (t->mtu > 0)
		derive_u64(g, FIELD_NIC_MTU, n, (uint64_t)t->mtu, t->from, f);
	plan_net_source_filter(p, n);
	return n;
}

static void no_device(struct plan *p, struct addr *a)
{
	struct finding *f;

	f = finding_add(p->g, FIND_NET_NODEV, NULL, a->ip.from,
			"%s: no device of the old host is known for it: no "
			"interface is made",
			a->ip.v);
	finding_covers(p->g, f, FIELD_ADDR_IP, a->ip.v);
	finding_covers(p->g, f, FIELD_ADDR_PREFIX, a->ip.v);
	finding_covers(p->g, f, FIELD_ADDR_BROADCAST, a->ip.v);
}

/* Whether an address before it says the same of its device. */
static bool is_repeated(const struct plan *p, const struct addr *a)
{
	for (size_t i = 0; p->g->addrs.v[i] != a; i++)
		if (p->g->addrs.v[i]->dev.from != NULL &&
		    str_eq(p->g->addrs.v[i]->dev.v, a->dev.v))
			return true;
	return false;
}

/* How traffic came to it is no longer there, however it is attached. */
static void find_unwired(struct plan *p, const struct addr *a)
{
	if (a->dev.from == NULL || !is_unwired(a) || is_repeated(p, a))
		return;
	finding_add(p->g, FIND_NET_UNWIRED, NULL, a->dev.from,
		    "addresses on %s, %s the first: traffic came to them by "
		    "the old host's own routes and rules",
		    a->dev.v, a->ip.v);
}

static void group(struct plan *p, struct addr *a)
{
	struct attachment t;

	if (a->nic != NULL || a->ip.from == NULL || plan_net_is_placed(a))
		return;
	find_device(p, a);
	find_unwired(p, a);
	t = attachment(p, a);
	if (t.attach == NULL)
		no_device(p, a);
	else
		a->nic = make_nic(p, a, &t);
}

static const struct addr *first_of(const struct guest *g, const struct nic *n)
{
	for (size_t i = 0; i < g->addrs.n; i++)
		if (g->addrs.v[i]->nic == n)
			return g->addrs.v[i];
	return NULL;
}

/* Where the captured host sent what it had no other route for. */
static void uplink_facts(struct plan *p, struct attachment *t,
			 const struct origin *because)
{
	const struct facts_route *r = NULL;

	if (p->facts != NULL)
		r = facts_gateway(p->facts, NULL, AF_INET);
	if (r == NULL || r->dev == NULL)
		return;
	t->attach = arena_printf(p->g->mem, "routed:%s", r->dev);
	t->from = plan_net_facts_origin(p, &r->at, "route", because);
}

/*
 * An interface that the source has and attaches to nothing it names: the old
 * host routed to it (venet of OpenVZ). It needs the new host's uplink.
 */
static void attach_routed(struct plan *p, struct nic *n)
{
	const struct addr *a = first_of(p->g, n);
	struct attachment t = { .vlan = -1, .mtu = -1 };
	struct finding *f;

	if (n->attach.from != NULL || n->name.from == NULL)
		return;
	if (a != NULL)
		attach_site(p, a, &t);
	if (t.attach == NULL)
		uplink_facts(p, &t, n->name.from);
	if (t.attach == NULL) {
		t.attach = "routed:eth0";
		t.from = plan_origin(p, "net", n->name.from);
		t.by_default = true;
	}
	f = finding_add(
		p->g,
		t.by_default ? FIND_NET_ATTACH_DEFAULT : FIND_NET_ATTACH_SITE,
		NULL, t.from, "%s was routed by the old host: attached as %s%s",
		n->name.v, t.attach,
		t.by_default ? ", its uplink is not known" : "");
	derive_str(p->g, FIELD_NIC_ATTACH, n, t.attach, t.from, f);
	if (t.vlan > 0)
		derive_u64(p->g, FIELD_NIC_VLAN, n, (uint64_t)t.vlan, t.from,
			   f);
	if (t.mtu > 0)
		derive_u64(p->g, FIELD_NIC_MTU, n, (uint64_t)t.mtu, t.from, f);
}

static bool has_own_net(const struct guest *g)
{
	return str_eq(g->ns_net.v, "filtered") ||
	       str_eq(g->ns_net.v, "private") ||
	       (g->ns_net.from != NULL && g->ns_net.from->kind > ORIGIN_TEXT);
}

int plan_net(struct plan *p, struct err *e)
{
	struct guest *g = p->g;

	if (g->ns_net.from == NULL)
		return 0;
	if (has_own_net(g)) {
		for (size_t i = 0; i < g->addrs.n; i++)
			group(p, g->addrs.v[i]);
		for (size_t i = 0; i < g->nics.n; i++)
			attach_routed(p, g->nics.v[i]);
		/* --set nic.0.attach decides before prefix and gateway */
		if (plan_options_pass(p, e) < 0)
			return -1;
		plan_net_carriers(p);
		for (size_t i = 0; i < g->addrs.n; i++)
			plan_net_prefix(p, g->addrs.v[i]);
		plan_net_gateways(p);
	}
	if (g->addrs.n == 0 && g->nics.n == 0 &&
	    str_eq(g->ns_net.v, "filtered"))
		finding_add(g, FIND_NET_NONE, NULL,
			    plan_origin(p, "net", g->ns_net.from),
			    "no address is configured: only loopback is made");
	plan_net_check(p);
	return 0;
}
