/*
 * One interface directory: the address that came out of its files and those of
 * interfaces/ above it. What the old tools did rules; what was probably meant
 * goes into a finding. Source: util-vserver scripts/vserver.functions,
 * _processSingleInterface.
 */
#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/num.h"
#include "base/str.h"
#include "importers/vserver/net_making.h"

enum { LABEL_MAX = 15 /* bytes of "eth0:web" */ };

/* The files of interfaces/ that hold for interfaces without their own. */
static const enum vserver_net_key inherited_keys[] = {
	NET_DEV, NET_PREFIX, NET_MASK, NET_BCAST, NET_SCOPE, NET_EXTIP,
};

/* Without effect on an address that the host has already. */
static const enum vserver_net_key unused_with_nodev[] = {
	NET_BCAST,     NET_NAME, NET_PEER, NET_DOWN,     NET_VLANDEV,
	NET_NOVLANDEV, NET_TUN,  NET_TAP,  NET_INDIRECT,
};

/* Ends a value that has a setting; one that is ended stays as it is. */
void vserver_net_end(struct vserver_net_making *m,
		     const struct vserver_net_value *v, enum bin bin,
		     const char *note)
{
	if (v == NULL || v->s == NULL || v->s->decided || v->s->parts.n > 0)
		return;
	reading_resume(m->r, v->s);
	reading_decide(m->r, bin, "%s", note);
}

void vserver_net_end_find(struct vserver_net_making *m,
			  const struct vserver_net_value *v, enum bin bin,
			  enum finding_id id, const char *note)
{
	if (v == NULL || v->s == NULL || v->s->decided)
		return;
	reading_resume(m->r, v->s);
	reading_decide(m->r, bin, "%s", note);
	reading_find(m->r, id, "%s", note);
}

static void end_all(struct vserver_net_making *m, enum bin bin,
		    const char *note)
{
	for (size_t k = 0; k < NET__MAX; k++)
		vserver_net_end(m, &m->i->v[k], bin, note);
	for (size_t k = 0; k < m->i->details.n; k++)
		vserver_net_end(m, m->i->details.v[k], bin, note);
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
const struct vserver_net_value *vserver_net_pick(struct vserver_net_making *m,
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
		vserver_net_end(m, own, BIN_INERT,
				arena_printf(mem, "empty: %s holds",
					     up->s->from.key));
	else
		vserver_net_end_find(
			m, own, BIN_OVERRIDDEN, FIND_SRC_NO_NEWLINE,
			arena_printf(mem,
				     "\"%s\" has no newline: \"%s\" of %s won",
				     own->text, up->text, up->s->from.key));
	return up;
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
static bool no_address(struct vserver_net_making *m)
{
	struct vserver_net_value *ip = &m->i->v[NET_IP];
	struct arena *mem = m->r->g->mem;
	const char *note = arena_printf(mem,
					"interfaces/%s has no address: left "
					"out",
					m->i->name);

	if (vserver_net_has(ip))
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

static bool bad_address(struct vserver_net_making *m)
{
	struct vserver_net_value *ip = &m->i->v[NET_IP];
	struct arena *mem = m->r->g->mem;
	const char *slash = strchr(ip->text, '/'), *text = ip->text, *why;
	char canonical[INET_TEXT];

	if (slash != NULL) {
		text = arena_strndup(mem, text, (size_t)(slash - text));
		m->in_ip = slash + 1;
	}
	why = vserver_net_ip(mem, text, &m->ip, &m->odd);
	if (why == NULL) {
		inet_show(&m->ip, canonical);
		m->text = arena_strdup(mem, canonical);
		return false;
	}
	vserver_net_end_find(m, ip, BIN_INVALID, FIND_NET_BAD_ADDRESS,
			     arena_printf(mem, "\"%s\" is %s: left out",
					  ip->text, why));
	end_all(m, BIN_DROPPED,
		arena_printf(mem, "the address of interfaces/%s is left out",
			     m->i->name));
	return true;
}

static bool second_time(struct vserver_net_making *m)
{
	const struct addr *other = find_addr(m->r->g, m->text);
	const char *note;

	if (other == NULL)
		return false;
	note = arena_printf(m->r->g->mem, "%s is given by %s already", m->text,
			    other->ip.from->key);
	vserver_net_end_find(m, &m->i->v[NET_IP], BIN_OVERRIDDEN,
			     FIND_SRC_MULTIPLE, note);
	end_all(m, BIN_OVERRIDDEN, note);
	return true;
}

/* Whether the old tools made the VLAN device at the start; reference 1.9. */
static bool makes_vlan(const struct vserver_net_making *m)
{
	const struct vserver_net_value *up = m->around->up;

	if (vserver_net_is_set(m, NET_VLANDEV))
		return true;
	if (vserver_net_is_set(m, NET_NOVLANDEV))
		return false;
	return up[NET_VLANDEV].s != NULL ||
	       (m->around->vlandev->s != NULL && up[NET_NOVLANDEV].s == NULL);
}

static void device_vlan(struct vserver_net_making *m)
{
	const char *parent;

	m->vlan = vserver_net_vlan(m->r->g->mem, m->dev, &parent);
	if (vserver_net_no_vlan(m->dev) != NULL)
		reading_find(m->r, FIND_NET_NO_VLAN,
			     "%s: no VLAN has the number %s: taken as a device "
			     "of that name",
			     m->dev, vserver_net_no_vlan(m->dev));
	if (m->vlan == 0)
		return;
	take_u64(m->r, FIELD_ADDR_VLAN, m->a, m->vlan);
	reading_find(m->r, FIND_NET_VLAN, "%s: VLAN %u of %s, %s", m->dev,
		     m->vlan, parent != NULL ? parent : "a device not named",
		     makes_vlan(m) && parent != NULL ?
			     "made at the start by the old tools" :
			     "there before the start on the old host");
	if (makes_vlan(m) && parent == NULL)
		reading_find(m->r, FIND_SRC_NOT_STARTED,
			     "%s: the old tools made no device with a name of "
			     "that form",
			     m->dev);
}

/* "eth0:1" was a device to ifconfig, never to ip. */
static const char *cut_label(struct vserver_net_making *m, const char *text)
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

/* What the kernel of the old host compared: the first 15 bytes. */
static const char *cut_device(struct vserver_net_making *m, const char *text)
{
	const char *cut;

	if (strlen(text) < IFNAMSIZ)
		return text;
	cut = arena_strndup(m->r->g->mem, text, IFNAMSIZ - 1);
	if (!inet_ifname_ok(cut))
		return text;
	reading_find(m->r, FIND_NET_DEVICE_CUT,
		     "%s has more than %d bytes: taken as %s", text,
		     IFNAMSIZ - 1, cut);
	return cut;
}

static void no_device(struct vserver_net_making *m)
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

static void device(struct vserver_net_making *m)
{
	const struct vserver_net_value *v =
		m->nodev ? &m->i->v[NET_DEV] : vserver_net_pick(m, NET_DEV);
	const char *text;

	if (!vserver_net_has(v)) {
		no_device(m);
		return;
	}
	reading_resume(m->r, v->s);
	text = cut_device(m, cut_label(m, v->text));
	if (!inet_ifname_ok(text)) {
		reading_find(m->r, FIND_NET_BAD_VALUE,
			     "\"%s\" is no name of a device: left out", text);
		vserver_net_end(m, v, BIN_INVALID, "no name of a device");
		return;
	}
	m->dev = text;
	take_str(m->r, FIELD_ADDR_DEV, m->a, text);
	if (m->nodev)
		reading_approx(m->r, "never used beside nodev: taken as where "
				     "the host has the address");
	device_vlan(m);
}

static void nodev(struct vserver_net_making *m)
{
	static const enum vserver_net_key keys[] = { NET_NODEV, NET_ONLY_IP };

	for (size_t k = 0; k < COUNT(keys); k++) {
		if (!vserver_net_is_set(m, keys[k]))
			continue;
		m->nodev = true;
		reading_resume(m->r, m->i->v[keys[k]].s);
		take_bool(m->r, FIELD_ADDR_NODEV, m->a, true);
	}
	for (size_t k = 0; m->nodev && k < COUNT(unused_with_nodev); k++)
		vserver_net_end_find(m, &m->i->v[unused_with_nodev[k]],
				     BIN_INERT, FIND_NET_UNUSED,
				     "without effect beside nodev");
}

/* A host route has no network to be outside of. */
static bool is_outside(const struct vserver_net_making *m,
		       const struct inet_addr *ip)
{
	const struct inet_net net = {
		.addr = m->ip,
		.prefix = (unsigned)m->a->prefix.v,
	};
	struct inet_addr last;

	return inet_broadcast(&net, &last) && !inet_net_has(&net, ip);
}

static void broadcast(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = vserver_net_pick(m, NET_BCAST);
	struct inet_addr ip;
	struct err e;

	if (!vserver_net_has(v) || m->nodev)
		return;
	if (m->ip.family == AF_INET6) {
		if (v == &m->i->v[NET_BCAST])
			vserver_net_end_find(m, v, BIN_INERT, FIND_NET_UNUSED,
					     "IPv6 has no broadcast address");
		return;
	}
	if (str_eq(v->text, "+") || str_eq(v->text, "-")) {
		if (v == &m->i->v[NET_BCAST])
			vserver_net_end(m, v, BIN_INERT, "left to the kernel");
		return;
	}
	reading_resume(m->r, v->s);
	if (inet_parse(v->text, &ip, &e) == 0 && ip.family == AF_INET) {
		take_str(m->r, FIELD_ADDR_BROADCAST, m->a, v->text);
		if (is_outside(m, &ip))
			reading_find(m->r, FIND_NET_BROADCAST_OUTSIDE,
				     "%s is outside the network of %s/%" PRIu64,
				     v->text, m->text, m->a->prefix.v);
		return;
	}
	reading_find(m->r, FIND_NET_BAD_VALUE,
		     "\"%s\" is no broadcast address: left out", v->text);
	vserver_net_end(m, v, BIN_INVALID, "no broadcast address");
}

static void label(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_NAME];
	const char *text;

	if (!vserver_net_has(v) || m->nodev)
		return;
	if (m->ip.family == AF_INET6) {
		vserver_net_end_find(m, v, BIN_INERT, FIND_NET_UNUSED,
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

static void peer(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_PEER];
	struct inet_net net;
	struct err e;

	if (!vserver_net_has(v) || m->nodev)
		return;
	if (inet_net_parse(v->text, &net, &e) < 0) {
		vserver_net_end_find(
			m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			arena_printf(m->r->g->mem,
				     "\"%s\" is no address of a peer: left "
				     "out",
				     v->text));
		return;
	}
	reading_resume(m->r, v->s);
	take_str(m->r, FIELD_ADDR_PEER, m->a, v->text);
}

static void down(struct vserver_net_making *m)
{
	if (!vserver_net_is_set(m, NET_DOWN) || m->nodev)
		return;
	reading_resume(m->r, m->i->v[NET_DOWN].s);
	take_bool(m->r, FIELD_ADDR_UP, m->a, false);
	reading_find(m->r, FIND_NET_LINK_DOWN,
		     "%s was added without setting its link up", m->text);
}

static void contradict(struct vserver_net_making *m, enum vserver_net_key key,
		       const char *text)
{
	reading_resume(m->r, m->i->v[key].s);
	reading_find(m->r, FIND_NET_CONTRADICTION, "%s", text);
}

/* The guest makes all its devices; another interface may have said so. */
static void take_tun(struct vserver_net_making *m,
		     const struct vserver_net_value *v)
{
	struct guest *g = m->r->g;

	take_bool(m->r, FIELD_ADDR_UNWIRED, m->a, true);
	if (g->tun_create.from == NULL || !g->tun_create.v) {
		take_bool(m->r, FIELD_TUN_CREATE, g, true);
		return;
	}
	take_part(m->r, FIELD_TUN_CREATE, g);
	reading_find(m->r, FIND_NET_TUN, "%s", v->s->row->note);
}

static void tun(struct vserver_net_making *m)
{
	static const enum vserver_net_key keys[] = { NET_TUN, NET_TAP };
	bool any = false;

	for (size_t k = 0; k < COUNT(keys); k++) {
		const struct vserver_net_value *v = &m->i->v[keys[k]];

		if (v->s == NULL || v->s->decided)
			continue;
		any = true;
		reading_resume(m->r, v->s);
		take_tun(m, v);
	}
	if (vserver_net_is_set(m, NET_TUN) && vserver_net_is_set(m, NET_TAP) &&
	    any)
		contradict(m, NET_TUN,
			   "tun and tap at once: one device cannot "
			   "be both");
	for (size_t k = 0; k < m->i->details.n; k++) {
		const struct vserver_net_value *v = m->i->details.v[k];

		if (any)
			vserver_net_end_find(m, v, BIN_DROPPED,
					     FIND_NET_DEVICE_OWNER,
					     v->s->row->note);
		else
			vserver_net_end_find(
				m, v, BIN_INERT, FIND_NET_UNUSED,
				"without effect without tun and tap");
	}
}

/*
 * Where there is a file mac the old tools made an address up in its place;
 * scripts/vserver.functions, _generateMac.
 */
static const char *made_up(const struct vserver_net_making *m)
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

static void dummy(struct vserver_net_making *m)
{
	const struct vserver_net_value *mac = &m->i->v[NET_MAC];
	const struct vserver_net_value *on = &m->i->v[NET_INDIRECT];
	const char *dev = m->dev != NULL ? m->dev : "?";

	if (on->s == NULL || on->s->decided) {
		vserver_net_end_find(m, mac, BIN_INERT, FIND_NET_UNUSED,
				     "without effect without indirect");
		return;
	}
	reading_resume(m->r, on->s);
	take_bool(m->r, FIELD_ADDR_UNWIRED, m->a, true);
	vserver_net_end_find(
		m, mac, BIN_INERT, FIND_NET_MAC_NEW,
		arena_printf(m->r->g->mem,
			     "%s was never applied: the dummy device %s got %s",
			     vserver_net_has(mac) ? mac->text : "?", dev,
			     made_up(m)));
}

/* gateway, table, net: what other tools put beside the address. */
static void route(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_GATEWAY];
	const struct vserver_net_value *table = &m->i->v[NET_TABLE];
	struct inet_addr via;
	struct route *route;
	struct err e;

	vserver_net_end_find(
		m, &m->i->v[NET_NET], BIN_HOSTSIDE, FIND_NET_ROUTE,
		"a rule by source network: it belongs to the host");
	if (vserver_net_has(v) && inet_parse(v->text, &via, &e) < 0)
		vserver_net_end_find(
			m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			arena_printf(m->r->g->mem,
				     "\"%s\" is no router: left out", v->text));
	if (!vserver_net_has(v) || v->s->decided) {
		vserver_net_end_find(m, table, BIN_HOSTSIDE, FIND_NET_ROUTE,
				     "a routing table of the host's");
		return;
	}
	route = take_route(m->r);
	reading_resume(m->r, v->s);
	take_str(m->r, FIELD_ROUTE_DEST, route, "default");
	take_str(m->r, FIELD_ROUTE_VIA, route, v->text);
	if (!vserver_net_has(table))
		return;
	reading_resume(m->r, table->s);
	take_str(m->r, FIELD_ROUTE_TABLE, route, table->text);
}

static void own_vlan(struct vserver_net_making *m)
{
	const struct vserver_net_value *v = &m->i->v[NET_VLAN];
	unsigned id;

	if (!vserver_net_has(v))
		return;
	id = vserver_net_vlan_id(v->text);
	if (id == 0) {
		vserver_net_end_find(
			m, v, BIN_INVALID, FIND_NET_BAD_VALUE,
			arena_printf(m->r->g->mem,
				     "\"%s\" is no VLAN id: left out",
				     v->text));
		return;
	}
	reading_resume(m->r, v->s);
	take_u64(m->r, FIELD_ADDR_VLAN, m->a, id);
}

/* Values that were read and never used. */
static void unused(struct vserver_net_making *m)
{
	const struct vserver_net_value *scope = vserver_net_pick(m, NET_SCOPE);

	if (vserver_net_has(scope)) {
		reading_resume(m->r, scope->s);
		take_str(m->r, FIELD_ADDR_SCOPE, m->a, scope->text);
		if (!scope->s->decided) {
			reading_decide(m->r, BIN_INERT, "%s",
				       scope->s->row->note);
			reading_find(m->r, FIND_NET_UNUSED, "scope %s",
				     scope->text);
		}
	}
	vserver_net_end_find(m, &m->i->v[NET_EXTIP], BIN_INERT, FIND_NET_UNUSED,
			     "address translation that was never written");
	if (vserver_net_is_set(m, NET_VLANDEV) &&
	    vserver_net_is_set(m, NET_NOVLANDEV) && !m->nodev)
		contradict(m, NET_NOVLANDEV,
			   "vlandev and novlandev at once: vlandev won");
	if (m->vlan != 0 && makes_vlan(m))
		vserver_net_end(m, &m->i->v[NET_VLANDEV], BIN_HOSTSIDE,
				"the VLAN device has to exist on the new host");
	end_all(m, BIN_INERT, "empty, or without effect beside the others");
}

void vserver_net_address(struct reading *r,
			 const struct vserver_net_around *around,
			 struct vserver_net_iface *i)
{
	struct vserver_net_making m = { .r = r, .around = around, .i = i };

	if (vserver_net_is_set(&m, NET_DISABLED)) {
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
	if (m.odd != NULL)
		reading_find(r, FIND_NET_SPELLING, "%s taken as %s: %s",
			     i->v[NET_IP].text, m.text, m.odd);
	nodev(&m);
	vserver_net_prefix(&m);
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
