/*
 * The network of a guest as a whole: which stack and process ids it had, its
 * interface directories one after the other (net_addr.c makes the addresses),
 * the veth pairs of a named network namespace.
 *
 * Source: util-vserver scripts/vserver.functions, _generateSpaceOptions,
 * _handleNetNS, _generateInterfaceOptions; scripts/legacy/vserver.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/str.h"
#include "derive.h"
#include "importers/vserver/net.h"

static const char ref_geth[] = "guest's end of a veth pair: geth0, geth1 ...";

struct link { /* netns/interfaces/<name> */
	const char *name;
	struct vserver_net_value v[NET_LINK__MAX];
};

struct vserver_net {
	PVEC(struct vserver_net_iface) ifaces;
	PVEC(struct link) links;
	struct vserver_net_value up[NET__MAX]; /* of interfaces/ itself */
	struct vserver_net_value vlandev;      /* of .defaults/interfaces */
	struct vserver_net_value space[NET_SPACE__MAX];
	struct setting *all; /* IPROOT names every address */
};

void vserver_net_begin(struct reading *r)
{
	vserver_of(r)->net = arena_alloc(r->g->mem, sizeof(struct vserver_net));
}

/* What the current setting says. */
static struct vserver_net_value current(struct reading *r, const char *value)
{
	return (struct vserver_net_value){
		.s = r->cur,
		.text = value == NULL ? "" : value,
		.unterminated = vserver_of(r)->unterminated,
	};
}

static struct vserver_net_iface *iface(struct reading *r, const char *name)
{
	struct vserver_net *n = vserver_of(r)->net;
	struct vserver_net_iface *i;

	for (size_t k = 0; k < n->ifaces.n; k++)
		if (str_eq(n->ifaces.v[k]->name, name))
			return n->ifaces.v[k];
	i = pvec_add(r->g->mem, &n->ifaces);
	i->name = arena_strdup(r->g->mem, name);
	return i;
}

static struct link *link_of(struct reading *r, const char *name)
{
	struct vserver_net *n = vserver_of(r)->net;
	struct link *l;

	for (size_t k = 0; k < n->links.n; k++)
		if (str_eq(n->links.v[k]->name, name))
			return n->links.v[k];
	l = pvec_add(r->g->mem, &n->links);
	l->name = arena_strdup(r->g->mem, name);
	return l;
}

/* A file of two names (gateway, gw), or a legacy variable: the last holds. */
static void keep(struct reading *r, struct vserver_net_value *place,
		 const char *value)
{
	struct setting *s = r->cur;

	if (place->s != NULL && !place->s->decided) {
		reading_resume(r, place->s);
		reading_decide(r, BIN_OVERRIDDEN, "%s won", s->from.key);
		reading_find(r, FIND_SRC_MULTIPLE, "given twice: %s:%u is used",
			     s->from.file, s->from.line);
		reading_resume(r, s);
	}
	*place = current(r, value);
}

int vserver_net_keep(struct reading *r, const char *value, struct err *e)
{
	const enum vserver_net_key key = VS_N_OF(r->cur->row->arg);
	struct vserver_net_iface *i = iface(r, vserver_of(r)->star);
	struct vserver_net_value *detail;

	(void)e;
	if (key != NET_TUN_DETAIL) {
		keep(r, &i->v[key], value);
		return 0;
	}
	detail = pvec_add(r->g->mem, &i->details);
	*detail = current(r, value);
	return 0;
}

int vserver_net_keep_default(struct reading *r, const char *value,
			     struct err *e)
{
	struct vserver_net *n = vserver_of(r)->net;

	(void)e;
	keep(r, &n->up[VS_N_OF(r->cur->row->arg)], value);
	return 0;
}

int vserver_net_keep_vlandev(struct reading *r, const char *value,
			     struct err *e)
{
	(void)e;
	vserver_of(r)->net->vlandev = current(r, value);
	return 0;
}

int vserver_net_keep_space(struct reading *r, const char *value, struct err *e)
{
	struct vserver_net *n = vserver_of(r)->net;

	(void)e;
	keep(r, &n->space[VS_N_OF(r->cur->row->arg)], value);
	return 0;
}

int vserver_net_keep_link(struct reading *r, const char *value, struct err *e)
{
	struct link *l = link_of(r, vserver_of(r)->star);

	(void)e;
	keep(r, &l->v[VS_N_OF(r->cur->row->arg)], value);
	return 0;
}

void vserver_net_legacy_all(struct reading *r)
{
	vserver_of(r)->net->all = r->cur;
}

/* The tool made alias devices dev:NAME, dev:NAME1 ...; none without device. */
void vserver_net_legacy_address(struct reading *r, const char *dev,
				const char *ip, const char *mask)
{
	struct vserver_net *n = vserver_of(r)->net;
	struct vserver_net_iface *i;

	i = iface(r, arena_printf(r->g->mem, "%zu", n->ifaces.n));
	i->v[NET_IP] = current(r, ip);
	if (dev != NULL)
		i->v[NET_DEV] = current(r, dev);
	if (mask != NULL)
		i->v[NET_MASK] = current(r, mask);
}

static void end(struct reading *r, const struct vserver_net_value *v,
		enum bin bin, const char *note)
{
	if (v->s == NULL || v->s->decided || v->s->parts.n > 0)
		return;
	reading_resume(r, v->s);
	reading_decide(r, bin, "%s", note);
}

/* --- namespaces --- */

/* First line of a small file, without blanks; NULL: it cannot be read. */
static const char *first_line(struct reading *r, const char *path)
{
	struct slice rest, line;
	const char *data;
	struct err e;
	size_t n;

	if (tree_read(vserver_of(r)->t, path, 4096, r->g->mem, &data, &n, &e) <
	    0)
		return NULL;
	rest = (struct slice){ data, n };
	if (!slice_next(&rest, '\n', &line))
		return "";
	return slice_dup(r->g->mem, slice_trim(line));
}

/* Whether another guest makes the network namespace of that name. */
static bool makes_netns(struct reading *r, const char *guest, const char *name)
{
	struct vserver *v = vserver_of(r);
	const char *dir =
		arena_printf(r->g->mem, "%s/%s/netns", v->confdir, guest);
	const char *own;

	if (guest[0] == '.' || str_eq(guest, v->name) ||
	    !tree_is_dir(v->t, dir) ||
	    tree_exists(v->t, arena_printf(r->g->mem, "%s/shared", dir)))
		return false;
	own = first_line(r, arena_printf(r->g->mem, "%s/name", dir));
	return str_eq(own == NULL ? guest : own, name);
}

/* The guest that makes the namespace; its name where there is none. */
static const char *netns_holder(struct reading *r, const char *name)
{
	struct vserver *v = vserver_of(r);
	struct tree_entries entries;
	struct err e;

	if (tree_list(v->t, v->confdir, r->g->mem, &entries, &e) < 0)
		return name;
	for (size_t k = 0; k < entries.n; k++)
		if (makes_netns(r, entries.v[k].name, name))
			return arena_strdup(r->g->mem, entries.v[k].name);
	return name;
}

static void take_shared(struct reading *r, enum field_id field,
			const char *holder)
{
	take_str(r, field, r->g, arena_printf(r->g->mem, "shared:%s", holder));
	if (field == FIELD_NS_NET)
		reading_find(r, FIND_NET_SHARED_STACK,
			     "the network stack is that of %s", holder);
}

/* spaces/pid, spaces/net; false: the file is not there, or says nothing. */
static bool take_space(struct reading *r, const struct vserver_net_value *v,
		       enum field_id field)
{
	if (v->s == NULL)
		return false;
	reading_resume(r, v->s);
	if (v->unterminated && v->text[0] != '\0') {
		reading_find(r, FIND_SRC_NO_NEWLINE,
			     "\"%s\" has no newline: the old tools took it as "
			     "empty and made a new namespace",
			     v->text);
		take_str(r, field, r->g, "private");
	} else if (v->text[0] == '\0' || str_eq(v->text, vserver_of(r)->name)) {
		take_str(r, field, r->g, "private");
	} else if (str_eq(v->text, "0")) {
		reading_decide(r, BIN_INERT, "0 asks for nothing");
		return false;
	} else {
		take_shared(r, field, v->text);
	}
	return true;
}

static const struct vserver_net_value *netns(const struct vserver_net *n)
{
	static const enum vserver_net_space keys[] = { NET_NETNS_NAME,
						       NET_NETNS_SHARED,
						       NET_NETNS };

	for (size_t k = 0; k < COUNT(keys); k++)
		if (n->space[keys[k]].s != NULL)
			return &n->space[keys[k]];
	for (size_t k = 0; k < n->links.n; k++)
		for (size_t j = 0; j < NET_LINK__MAX; j++)
			if (n->links.v[k]->v[j].s != NULL)
				return &n->links.v[k]->v[j];
	return NULL;
}

/* The named namespace; false: there is none, or it is switched off. */
static bool take_netns(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	const struct vserver_net_value *name = &n->space[NET_NETNS_NAME];
	const struct vserver_net_value *shared = &n->space[NET_NETNS_SHARED];
	const struct vserver_net_value *v = netns(n);
	const char *text = vserver_of(r)->name;

	if (v == NULL || n->space[NET_NONETNS].s != NULL)
		return false;
	if (name->s != NULL && name->text[0] != '\0')
		text = name->text;
	reading_resume(r, v->s);
	if (shared->s == NULL) {
		take_str(r, FIELD_NS_NET, r->g, "private");
	} else {
		reading_resume(r, shared->s);
		take_shared(r, FIELD_NS_NET, netns_holder(r, text));
		if (name->s != NULL) {
			reading_resume(r, name->s);
			take_part(r, FIELD_NS_NET, r->g);
		}
	}
	return true;
}

static void take_host(struct reading *r, struct setting *s, const char *why)
{
	reading_resume(r, s);
	take_str(r, FIELD_NS_NET, r->g, "host");
	reading_find(r, FIND_NET_HOST_STACK,
		     "%s: the guest could use every address of the host", why);
}

static bool has_setting(const struct guest *g, const char *key)
{
	for (size_t i = 0; i < g->settings.n; i++)
		if (str_eq(g->settings.v[i]->from.key, key))
			return true;
	return false;
}

/* Without IPROOT the tool bound the guest to 0.0.0.0. */
static void legacy_stack(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	struct guest *g = r->g;
	const struct origin *at;
	struct finding *f;

	if (n->all != NULL) {
		take_host(r, n->all, "IPROOT names all addresses");
		return;
	}
	if (n->ifaces.n > 0)
		return;
	at = derive_origin(g, ORIGIN_DEFAULT, r->source->path, 0, "IPROOT",
			   NULL);
	f = reading_find_at(r, FIND_NET_HOST_STACK, at,
			    has_setting(g, "IPROOT") ?
				    "IPROOT is made by code and not known: "
				    "taken as every address of the host" :
				    "no IPROOT: the guest could use every "
				    "address of the host");
	derive_str(g, FIELD_NS_NET, g, "host", at, f);
}

static void take_stack(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	const struct vserver_net_value *open = &n->space[NET_NONCONTEXT];
	bool confined = take_netns(r);

	if (take_space(r, &n->space[NET_SPACE_NET], FIELD_NS_NET))
		confined = true;
	if (confined)
		end(r, open, BIN_INERT,
		    "the network namespace confines the guest");
	else if (open->s != NULL)
		take_host(r, open->s, "noncontext without a namespace");
	if (vserver_of(r)->legacy)
		legacy_stack(r);
	take_space(r, &n->space[NET_SPACE_PID], FIELD_NS_PID);
	end(r, &n->space[NET_NONETNS], BIN_INERT,
	    "netns directories are ignored");
	for (size_t k = 0; k < NET_SPACE__MAX; k++)
		end(r, &n->space[k], BIN_INERT,
		    "without effect beside the others");
}

/* --- veth pairs --- */

static bool bad_link(struct reading *r, const struct link *l)
{
	const struct vserver_net_value *host = &l->v[NET_LINK_HOST];
	const struct vserver_net_value *type = &l->v[NET_LINK_TYPE];
	const struct vserver_net_value *any = &l->v[NET_LINK_GUEST];
	const char *why = NULL;

	if (host->s == NULL || host->text[0] == '\0')
		why = "no name for the host's end: the old tools stopped here";
	else if (!inet_ifname_ok(host->text))
		why = "no name of a device";
	else if (type->s != NULL && !str_eq(type->text, "veth"))
		why = "a kind of link that is not carried";
	if (why == NULL)
		return false;
	if (host->s != NULL)
		any = host;
	else if (any->s == NULL)
		any = type;
	reading_resume(r, any->s);
	reading_find(r, FIND_NET_BAD_VALUE, "netns/interfaces/%s: %s", l->name,
		     why);
	for (size_t k = 0; k < NET_LINK__MAX; k++)
		end(r, &l->v[k], BIN_INVALID, why);
	return true;
}

static void take_link(struct reading *r, const struct link *l,
		      unsigned *counter)
{
	const struct vserver_net_value *guest = &l->v[NET_LINK_GUEST];
	struct nic *nic;

	if (bad_link(r, l))
		return;
	nic = take_nic(r);
	if (guest->s != NULL && inet_ifname_ok(guest->text)) {
		reading_resume(r, guest->s);
		take_str(r, FIELD_NIC_NAME, nic, guest->text);
	} else {
		end(r, guest, BIN_INVALID, "no name of a device");
		reading_default(r, FIELD_NIC_NAME, nic,
				arena_printf(r->g->mem, "geth%u", (*counter)++),
				ref_geth);
	}
	if (l->v[NET_LINK_TYPE].s != NULL) {
		reading_resume(r, l->v[NET_LINK_TYPE].s);
		take_part(r, FIELD_NIC_ATTACH, nic);
	}
	reading_resume(r, l->v[NET_LINK_HOST].s);
	take_str(r, FIELD_NIC_ATTACH, nic, "p2p");
	take_str(r, FIELD_NIC_HOST_NAME, nic, l->v[NET_LINK_HOST].text);
	reading_find(r, FIND_NET_P2P,
		     "veth pair %s (host) and %s (guest): its addresses stand "
		     "in no file",
		     l->v[NET_LINK_HOST].text, nic->name.v);
}

static void take_links(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	const char *why = NULL;
	unsigned counter = 0;

	if (n->space[NET_NONETNS].s != NULL)
		why = "nonetns: netns directories are ignored";
	else if (n->space[NET_NETNS_SHARED].s != NULL)
		why = "a shared namespace: its links are its maker's";
	for (size_t k = 0; k < n->links.n; k++) {
		if (why == NULL) {
			take_link(r, n->links.v[k], &counter);
			continue;
		}
		for (size_t j = 0; j < NET_LINK__MAX; j++)
			end(r, &n->links.v[k]->v[j], BIN_INERT, why);
	}
}

/* --- addresses --- */

static void loopback(struct reading *r)
{
	const struct vserver_net_value *v = &vserver_of(r)->net->up[NET_LBACK];
	struct inet_addr ip;
	struct err e;

	if (v->s == NULL)
		return;
	reading_resume(r, v->s);
	if (inet_parse(v->text, &ip, &e) == 0) {
		take_str(r, FIELD_LOOPBACK, r->g, v->text);
		return;
	}
	reading_decide(r, BIN_INVALID, "\"%s\" is no address", v->text);
	reading_find(r, FIND_NET_BAD_VALUE,
		     "\"%s\" is no loopback address: left out", v->text);
}

static bool any_vlan(const struct guest *g)
{
	for (size_t k = 0; k < g->addrs.n; k++)
		if (g->addrs.v[k]->vlan.from != NULL)
			return true;
	return false;
}

/* What stands in interfaces/ itself and no interface made use of. */
static void end_defaults(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	const enum bin bin = any_vlan(r->g) ? BIN_HOSTSIDE : BIN_INERT;
	const char *note =
		any_vlan(r->g) ? "VLAN devices have to exist on the new host" :
				 "no interface lies on a VLAN device";

	end(r, &n->up[NET_VLANDEV], bin, note);
	end(r, &n->vlandev, bin, note);
	for (size_t k = 0; k < NET__MAX; k++)
		end(r, &n->up[k], BIN_INERT,
		    "no interface made use of it: each has its own, or a "
		    "stronger value");
}

/* The interface commands always ran in the host's own stack. */
static void mixed(struct reading *r)
{
	const struct guest *g = r->g;

	if (g->addrs.n == 0 || !str_eq(g->ns_net.v, "private"))
		return;
	reading_find_at(r, FIND_NET_P2P, g->ns_net.from,
			"what interfaces/ says was added to the host's stack, "
			"not to the namespace (addresses: %zu): a script moved "
			"it, or it was not used",
			g->addrs.n);
}

void vserver_net_settle(struct reading *r)
{
	struct vserver_net *n = vserver_of(r)->net;
	const struct vserver_net_around around = {
		.up = n->up,
		.vlandev = &n->vlandev,
	};

	take_stack(r);
	for (size_t k = 0; k < n->ifaces.n; k++)
		vserver_net_address(r, &around, n->ifaces.v[k]);
	take_links(r);
	loopback(r);
	end_defaults(r);
	mixed(r);
}
