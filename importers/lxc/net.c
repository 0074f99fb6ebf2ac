/*
 * Interfaces: the keys of each lxc.net.N together. Each lxc.network.type of
 * LXC 1 and 2 has got the next number (lines.c). Reference: targets.md 2.3.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/num.h"
#include "facts.h"
#include "importers/lxc/table.h"

enum { NICS_MAX = 256 }; /* interfaces of one guest */

static struct lx_nic *nic_of(struct reading *r, const char *number)
{
	struct lxc *x = lxc_of(r);
	struct lx_nic *n;

	for (size_t i = 0; i < x->nics.n; i++)
		if (str_eq(x->nics.v[i]->number, number))
			return x->nics.v[i];
	if (x->nics.n >= NICS_MAX)
		return NULL;
	n = pvec_add(r->g->mem, &x->nics);
	n->number = number;
	return n;
}

int lxc_nic_key(struct reading *r, const char *value, struct err *e)
{
	const char *rest = lxc_of(r)->under->name + strlen("lxc.net.");
	const size_t n = strspn(rest, "0123456789");
	struct lx_nic *nic;

	if (n == 0 || n > 9 || rest[n] != '.')
		return err_set(e, 0, "no number of an interface");
	nic = nic_of(r, arena_strndup(r->g->mem, rest, n));
	if (nic == NULL)
		return err_set(e, 0, "more than %d interfaces", NICS_MAX);
	*vec_add(r->g->mem, &nic->pieces) = (struct lx_piece){
		.s = r->cur, .key = rest + n + 1, .text = value
	};
	return 0;
}

/* --- pieces ------------------------------------------------------------ */

static const struct lx_piece *piece(const struct lx_nic *n, const char *key)
{
	for (size_t i = 0; i < n->pieces.n; i++)
		if (str_eq(n->pieces.v[i].key, key))
			return &n->pieces.v[i];
	return NULL;
}

static const char *text_of(const struct lx_nic *n, const char *key)
{
	const struct lx_piece *p = piece(n, key);

	return p == NULL ? NULL : p->text;
}

static void bad(struct reading *r, const struct lx_piece *p, const char *why)
{
	lxc_end_find(r, p->s, BIN_INVALID, FIND_NET_BAD_VALUE,
		     arena_printf(r->g->mem, "%s: left out", why));
}

static void end_all(struct reading *r, const struct lx_nic *n, enum bin bin,
		    const char *note)
{
	for (size_t i = 0; i < n->pieces.n; i++)
		lxc_end(r, n->pieces.v[i].s, bin, note);
}

/* --- one interface ----------------------------------------------------- */

/* The kernel takes the first number that no interface before it has. */
static const char *free_name(const struct guest *g)
{
	for (unsigned i = 0;; i++) {
		const char *name = arena_printf(g->mem, "eth%u", i);
		bool taken = false;

		for (size_t k = 0; k < g->nics.n; k++)
			taken = taken || str_eq(g->nics.v[k]->name.v, name);
		if (!taken)
			return name;
	}
}

static void set_name(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const struct lx_piece *p = piece(g, "name");
	const char *link = text_of(g, "link");

	if (p != NULL && inet_ifname_ok(p->text)) {
		reading_resume(r, p->s);
		take_str(r, FIELD_NIC_NAME, n, p->text);
		return;
	}
	if (p != NULL)
		bad(r, p, "not a legal name of an interface");
	if (str_eq(text_of(g, "type"), "phys") && link != NULL)
		reading_default(r, FIELD_NIC_NAME, n, link,
				"targets.md 2.3: it keeps its name");
	else
		reading_default(
			r, FIELD_NIC_NAME, n, free_name(r->g),
			"targets.md 2.3: eth and the first free number");
}

/* The word of nic.attach for a type; NULL: none has it. */
static const char *attach_word(const struct lx_nic *g)
{
	const char *type = text_of(g, "type");

	if (str_eq(type, "veth") && str_eq(text_of(g, "veth.mode"), "router"))
		return "routed";
	if (str_eq(type, "veth"))
		return "bridge";
	if (str_eq(type, "vlan"))
		return "phys";
	if (str_eq(type, "macvlan") || str_eq(type, "ipvlan") ||
	    str_eq(type, "phys"))
		return type;
	return NULL;
}

static void set_attach(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const struct lx_piece *type = piece(g, "type"),
			      *link = piece(g, "link");
	const struct lx_piece *mode = piece(g, "veth.mode");
	const char *word = attach_word(g);

	if (link != NULL && !inet_ifname_ok(link->text)) {
		bad(r, link, "not a legal name of an interface");
		link = NULL;
	}
	reading_resume(r, link == NULL ? type->s : link->s);
	if (link != NULL)
		take_str(r, FIELD_NIC_ATTACH, n,
			 arena_printf(r->g->mem, "%s:%s", word, link->text));
	else if (str_eq(type->text, "veth"))
		take_str(r, FIELD_NIC_ATTACH, n, "p2p");
	else
		take_str(r, FIELD_NIC_ATTACH, n, "none");
	if (link == NULL && str_eq(type->text, "veth"))
		reading_find(r, FIND_NET_P2P,
			     "%s: no bridge is named: its host's end was "
			     "attached by a script, or not at all",
			     n->name.v);
	else if (link == NULL)
		reading_find(r, FIND_NET_BAD_VALUE,
			     "%s: type %s wants a link: left out", n->name.v,
			     type->text);
	reading_resume(r, type->s);
	take_part(r, FIELD_NIC_ATTACH, n);
	if (mode == NULL)
		return;
	reading_resume(r, mode->s);
	take_part(r, FIELD_NIC_ATTACH, n);
}

/* The host answers for the addresses of a routed guest. */
static void set_proxy(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const struct lx_piece *p = piece(g, "l2proxy");
	const bool through_host =
		str_starts(n->attach.v, "routed:") ||
		(n->mode.from != NULL && str_starts(n->mode.v, "l3"));

	if (p == NULL)
		return;
	if (str_eq(p->text, "0"))
		lxc_end(r, p->s, BIN_INERT, "as without it");
	else if (through_host)
		lxc_end(r, p->s, BIN_CARRIED, "written beside the attachment");
	else
		lxc_end_find(r, p->s, BIN_DROPPED, FIND_NET_SYSCTL,
			     "the host answered for the guest's addresses on "
			     "the link: set proxy_arp and proxy_ndp there");
}

static void set_up(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const struct lx_piece *p = piece(g, "flags");

	if (p == NULL) {
		reading_default(r, FIELD_NIC_UP, n, "no",
				"targets.md 2.3: without flags it stays down");
		return;
	}
	reading_resume(r, p->s);
	take_bool(r, FIELD_NIC_UP, n, true);
	if (!str_eq(p->text, "up"))
		reading_find(r, FIND_SRC_MEANT,
			     "flags \"%s\": any value sets the link up",
			     lxc_shown(r, p->text));
}

static void set_mac(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const struct lx_piece *p = piece(g, "hwaddr");
	char text[18];
	uint8_t mac[6];
	struct err e;

	if (p == NULL)
		return;
	if (strlen(p->text) == 17 && strpbrk(p->text, "xX") != NULL) {
		lxc_end_find(r, p->s, BIN_APPROXIMATED, FIND_NET_NAME,
			     "digits written x were chosen at each start: the "
			     "kernel chooses the whole address now");
		return;
	}
	if (inet_mac_parse(p->text, mac, &e) < 0 || (mac[0] & 1) != 0) {
		bad(r, p, "not a hardware address that an interface can have");
		return;
	}
	inet_mac_show(mac, text);
	reading_resume(r, p->s);
	take_str(r, FIELD_NIC_MAC, n, text);
}

static void set_number(struct reading *r, struct nic *n, const struct lx_nic *g,
		       const char *key, enum field_id id)
{
	const struct lx_piece *p = piece(g, key);
	uint64_t v;
	struct err e;

	if (p == NULL)
		return;
	if (id == FIELD_NIC_VLAN && str_eq(p->text, "none")) {
		lxc_end(r, p->s, BIN_INERT, "no VLAN");
		return;
	}
	if (num_u64(p->text, &v, &e) < 0) {
		bad(r, p, e.msg);
		return;
	}
	reading_resume(r, p->s);
	take_u64(r, id, n, v);
}

static void set_host_name(struct reading *r, struct nic *n,
			  const struct lx_nic *g)
{
	const struct lx_piece *p = piece(g, "veth.pair");

	if (p == NULL)
		return;
	if (!inet_ifname_ok(p->text)) {
		bad(r, p, "not a legal name of an interface");
		return;
	}
	reading_resume(r, p->s);
	take_str(r, FIELD_NIC_HOST_NAME, n, p->text);
}

/* Which key counts for the type, and what holds without it. */
static const struct mode_row {
	const char *type, *key, *usual;
} mode_rows[] = {
	{ "macvlan", "macvlan.mode", "private" },
	{ "ipvlan", "ipvlan.mode", "l2" },
};

static void set_mode(struct reading *r, struct nic *n, const struct lx_nic *g)
{
	const char *type = text_of(g, "type");

	for (size_t i = 0; i < COUNT(mode_rows); i++) {
		const struct lx_piece *p = piece(g, mode_rows[i].key);

		if (!str_eq(mode_rows[i].type, type)) {
			if (p != NULL)
				bad(r, p, "not for this type of interface");
		} else if (p != NULL) {
			reading_resume(r, p->s);
			take_str(r, FIELD_NIC_MODE, n, p->text);
		} else {
			reading_default(r, FIELD_NIC_MODE, n,
					mode_rows[i].usual, "targets.md 2.3");
		}
	}
}

/* The address that the bridge had on the captured host; NULL: not known. */
static const char *bridge_address(struct reading *r, const struct lx_nic *g,
				  int family)
{
	const struct facts *f = r->source->host->facts;
	const char *link = text_of(g, "link");
	char text[INET_TEXT];

	for (size_t i = 0; f != NULL && i < f->addresses.n; i++) {
		const struct facts_address *a = &f->addresses.v[i];

		if (!str_eq(a->dev, link) || a->net.addr.family != family)
			continue;
		inet_show(&a->net.addr, text);
		return arena_strdup(r->g->mem, text);
	}
	return NULL;
}

static void auto_gateway(struct reading *r, struct nic *n,
			 const struct lx_nic *g, const struct lx_piece *p,
			 int family)
{
	const char *ip = bridge_address(r, g, family);

	if (ip == NULL) {
		lxc_end_find(r, p->s, BIN_DROPPED, FIND_NET_NO_GATEWAY,
			     arena_printf(r->g->mem,
					  "%s: gateway auto is the address of "
					  "%s on the old host, which is not "
					  "known",
					  n->name.v,
					  text_of(g, "link") == NULL ?
						  "the bridge" :
						  text_of(g, "link")));
		return;
	}
	reading_resume(r, p->s);
	take_str(r, family == AF_INET ? FIELD_NIC_GATEWAY4 : FIELD_NIC_GATEWAY6,
		 n, ip);
	reading_approx(r, "auto is the address of %s, %s on the old host",
		       text_of(g, "link"), ip);
}

static void set_gateway(struct reading *r, struct nic *n,
			const struct lx_nic *g, int family)
{
	const bool v4 = family == AF_INET;
	const struct lx_piece *p =
		piece(g, v4 ? "ipv4.gateway" : "ipv6.gateway");
	struct inet_addr ip;
	struct err e;

	if (p == NULL)
		return;
	if (str_eq(p->text, "auto")) {
		auto_gateway(r, n, g, p, family);
	} else if (str_eq(p->text, "dev")) {
		lxc_end_find(r, p->s, BIN_DROPPED, FIND_NET_NO_GATEWAY,
			     arena_printf(r->g->mem,
					  "%s: a default route without a "
					  "router: give its address with --set "
					  "nic.%s.gateway%d=ADDRESS",
					  n->name.v, n->name.v, v4 ? 4 : 6));
	} else if (inet_parse(p->text, &ip, &e) < 0 || ip.family != family) {
		bad(r, p, v4 ? "not an IPv4 address" : "not an IPv6 address");
	} else {
		reading_resume(r, p->s);
		take_str(r, v4 ? FIELD_NIC_GATEWAY4 : FIELD_NIC_GATEWAY6, n,
			 p->text);
	}
}

/* --- addresses --------------------------------------------------------- */

/* By its class where no prefix is given, as liblxc did it. */
static unsigned class_prefix(const struct inet_addr *ip)
{
	if (ip->family == AF_INET6)
		return 64;
	if (ip->b[0] < 128)
		return 8;
	return ip->b[0] < 192 ? 16 : 24;
}

static int parse_address(const char *text, struct inet_net *ret, struct err *e)
{
	if (strchr(text, '/') != NULL)
		return inet_net_parse(text, ret, e);
	if (inet_parse(text, &ret->addr, e) < 0)
		return -1;
	ret->prefix = class_prefix(&ret->addr);
	return 0;
}

static bool is_known(const struct guest *g, const char *ip)
{
	for (size_t i = 0; i < g->addrs.n; i++)
		if (str_eq(g->addrs.v[i]->ip.v, ip))
			return true;
	return false;
}

static void take_address(struct reading *r, struct nic *n,
			 const struct lx_piece *p, const struct inet_net *net,
			 const char *broadcast)
{
	struct inet_addr computed;
	char ip[INET_TEXT];
	struct addr *a;

	inet_show(&net->addr, ip);
	if (is_known(r->g, ip)) {
		lxc_end(r, p->s, BIN_OVERRIDDEN,
			"the address stands there "
			"twice");
		return;
	}
	reading_resume(r, p->s);
	a = take_addr(r);
	a->nic = n;
	take_str(r, FIELD_ADDR_IP, a, ip);
	take_u64(r, FIELD_ADDR_PREFIX, a, net->prefix);
	if (broadcast != NULL)
		take_str(r, FIELD_ADDR_BROADCAST, a, broadcast);
	if (broadcast != NULL || net->prefix > 30 ||
	    !inet_broadcast(net, &computed))
		return;
	inet_show(&computed, ip);
	reading_default(r, FIELD_ADDR_BROADCAST, a, arena_strdup(r->g->mem, ip),
			"targets.md 2.3: that of the network");
}

static void set_address(struct reading *r, struct nic *n,
			const struct lx_piece *p, int family)
{
	const struct strv w = strv_split(r->g->mem, p->text, " \t");
	struct inet_addr broadcast;
	struct inet_net net;
	struct err e;

	if (w.n == 0 || w.n > (family == AF_INET ? 2U : 1U) ||
	    parse_address(w.v[0], &net, &e) < 0 || net.addr.family != family ||
	    (w.n == 2 && inet_parse(w.v[1], &broadcast, &e) < 0)) {
		lxc_end_find(r, p->s, BIN_INVALID, FIND_NET_BAD_ADDRESS,
			     arena_printf(r->g->mem,
					  "%s: not an address: left out",
					  lxc_shown(r, p->text)));
		return;
	}
	if (inet_is_any(&net.addr)) {
		lxc_end(r, p->s, BIN_INERT, "no address");
		return;
	}
	take_address(r, n, p, &net, w.n == 2 ? w.v[1] : NULL);
	if (strchr(w.v[0], '/') == NULL && !p->s->decided)
		reading_find(r, FIND_NET_SPELLING,
			     "%s has no prefix: /%u by its class, as LXC took "
			     "it",
			     w.v[0], net.prefix);
}

static void set_addresses(struct reading *r, struct nic *n,
			  const struct lx_nic *g)
{
	for (size_t i = 0; i < g->pieces.n; i++) {
		const struct lx_piece *p = &g->pieces.v[i];

		if (str_eq(p->key, "ipv4.address") || str_eq(p->key, "ipv4"))
			set_address(r, n, p, AF_INET);
		else if (str_eq(p->key, "ipv6.address") ||
			 str_eq(p->key, "ipv6"))
			set_address(r, n, p, AF_INET6);
	}
}

/* --- all --------------------------------------------------------------- */

static void set_scripts(struct reading *r, const struct lx_nic *g)
{
	static const char *const keys[] = { "script.up", "script.down" };

	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct lx_piece *p = piece(g, keys[i]);
		struct err e;

		if (p == NULL)
			continue;
		reading_resume(r, p->s);
		if (lxc_hook(r, p->text, &e) < 0)
			bad(r, p, e.msg);
	}
}

static bool has_multicast(const struct nic *n)
{
	return !str_starts(n->attach.v, "routed:") &&
	       !(n->mode.from != NULL && str_starts(n->mode.v, "l3"));
}

static void make_nic(struct reading *r, const struct lx_nic *g)
{
	struct nic *n = take_nic(r);

	set_name(r, n, g);
	set_attach(r, n, g);
	set_up(r, n, g);
	set_mac(r, n, g);
	set_number(r, n, g, "mtu", FIELD_NIC_MTU);
	set_number(r, n, g,
		   str_eq(text_of(g, "type"), "vlan") ? "vlan.id" :
							"veth.vlan.id",
		   FIELD_NIC_VLAN);
	set_host_name(r, n, g);
	set_mode(r, n, g);
	set_proxy(r, n, g);
	set_gateway(r, n, g, AF_INET);
	set_gateway(r, n, g, AF_INET6);
	set_addresses(r, n, g);
	if (has_multicast(n))
		reading_default(r, FIELD_MULTICAST, r->g, "yes",
				"targets.md 2.3: the link is an Ethernet");
	end_all(r, g, BIN_INERT, "not for this type of interface");
}

/* From LXC 4.0.7 on the type wipes what stands before it. */
static void find_late_type(struct reading *r, const struct lx_nic *g)
{
	const struct lx_piece *type = piece(g, "type");

	if (type == &g->pieces.v[0])
		return;
	reading_resume(r, type->s);
	reading_find(r, FIND_SRC_MEANT,
		     "the type does not stand first: LXC 4.0.7 and later "
		     "forget what stands before it; it was read as before");
}

static void settle_nic(struct reading *r, const struct lx_nic *g)
{
	const struct lx_piece *type = piece(g, "type");

	set_scripts(r, g);
	if (type == NULL) {
		reading_resume(r, g->pieces.v[0].s);
		reading_find(r, FIND_NET_BAD_VALUE,
			     "interface %s has no type: LXC refuses it",
			     g->number);
		end_all(r, g, BIN_INVALID, "the interface has no type");
		return;
	}
	find_late_type(r, g);
	if (str_eq(type->text, "none")) {
		reading_resume(r, type->s);
		take_str(r, FIELD_NS_NET, r->g, "host");
		reading_find(r, FIND_NET_HOST_STACK,
			     "type none: the guest has the host's network");
		end_all(r, g, BIN_INERT, "type none makes no interface");
	} else if (str_eq(type->text, "empty")) {
		lxc_end(r, type->s, BIN_CARRIED, "a loopback alone");
		end_all(r, g, BIN_INERT, "the loopback alone is set up");
	} else if (attach_word(g) == NULL) {
		bad(r, type, "LXC has no such type of interface");
		end_all(r, g, BIN_INVALID, "the interface has no legal type");
	} else {
		make_nic(r, g);
	}
}

void lxc_net_settle(struct reading *r)
{
	const struct lxc *x = lxc_of(r);

	for (size_t i = 0; i < x->nics.n; i++)
		settle_nic(r, x->nics.v[i]);
	if (x->nics.n == 0 && r->g->ns_net.from->kind == ORIGIN_DEFAULT)
		reading_find_at(r, FIND_SRC_MEANT,
				reading_origin(r, ORIGIN_FILE, x->path, 0,
					       "lxc.net", NULL),
				"no interface is named: LXC 1.0 and later give "
				"the guest a network of its own with nothing "
				"in it, LXC before 1.0 the host's");
}
