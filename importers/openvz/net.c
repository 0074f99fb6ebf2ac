/*
 * Addresses of venet0, name service, devices of the host, and interfaces.
 * venet was no Ethernet: the host routed each address to the guest, answered
 * for it on the wire, and dropped whatever the guest sent from another one.
 * So an interface without an attachment here is a routed one, and the plan
 * finds the uplink. Reference: openvz.md 3.5, 5.5.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/inet.h"
#include "importers/openvz/table.h"

static const char venet[] = "venet0";

int openvz_address(struct reading *r, const char *value, struct err *e)
{
	struct openvz *v = openvz_of(r);

	(void)e;
	*vec_add(r->g->mem, &v->addresses) =
		(struct ov_value){ .s = r->cur, .text = value };
	return 0;
}

int openvz_ext_address(struct reading *r, const char *value, struct err *e)
{
	struct inet_net net;

	(void)r;
	return inet_net_parse(value, &net, e);
}

int openvz_dns(struct reading *r, const char *value, struct err *e)
{
	const bool search = OV_N_OF(r->cur->row->arg) == 1;
	struct inet_addr ip;

	if (str_eq(value, "inherit")) {
		reading_decide(r, BIN_HOSTSIDE,
			       "copied from the host at each start: write the "
			       "guest's resolv.conf");
		return 0;
	}
	if (!search && inet_parse(value, &ip, e) < 0)
		return -1;
	take_element(r, search ? FIELD_DNS_SEARCH : FIELD_DNS_SERVERS, r->g,
		     value);
	return 0;
}

int openvz_netdev(struct reading *r, const char *value, struct err *e)
{
	static const char *const refused[] = { "venet", "tun", "tap", "lo" };
	struct nic *n;

	for (size_t i = 0; i < COUNT(refused); i++)
		if (str_starts(value, refused[i]))
			return err_set(e, 0,
				       "%s: the old tools moved no such device",
				       openvz_shown(r, value));
	if (!inet_ifname_ok(value))
		return err_set(e, 0, "not a name of a device");
	n = take_nic(r);
	take_str(r, FIELD_NIC_NAME, n, value);
	take_str(r, FIELD_NIC_ATTACH, n,
		 arena_printf(r->g->mem, "phys:%s", value));
	return 0;
}

int openvz_shaping(struct reading *r, const char *value, struct err *e)
{
	const bool rate = OV_N_OF(r->cur->row->arg) == 1;

	(void)e;
	if (!rate && !str_eq(value, "yes")) {
		reading_decide(r, BIN_INERT, "no shaping");
		return 0;
	}
	reading_decide(r, BIN_HOSTSIDE, "%s", r->cur->row->note);
	if (rate)
		reading_find(r, FIND_NET_SHAPING, "%s: %s",
			     openvz_shown(r, value), r->cur->row->note);
	return 0;
}

/* --- addresses -------------------------------------------------------- */

/* "a.b.c.d", "a.b.c.d/24", "a.b.c.d/255.255.255.0", "x::y/64". */
static int parse_net(struct reading *r, const char *text, struct inet_net *ret,
		     struct err *e)
{
	const char *slash = strchr(text, '/');
	struct inet_net net;

	if (slash == NULL || strchr(slash, '.') == NULL)
		return inet_net_parse(text, ret, e);
	if (inet_net_parse(arena_strndup(r->g->mem, text,
					 (size_t)(slash - text)),
			   &net, e) < 0 ||
	    inet_mask(slash + 1, &net.prefix, e) < 0)
		return -1;
	*ret = net;
	return 0;
}

static const struct addr *find_addr(const struct guest *g, const char *ip)
{
	for (size_t i = 0; i < g->addrs.n; i++)
		if (g->addrs.v[i]->ip.from != NULL &&
		    str_eq(g->addrs.v[i]->ip.v, ip))
			return g->addrs.v[i];
	return NULL;
}

static struct nic *find_nic(struct guest *g, const char *name)
{
	for (size_t i = 0; i < g->nics.n; i++)
		if (g->nics.v[i]->name.from != NULL &&
		    str_eq(g->nics.v[i]->name.v, name))
			return g->nics.v[i];
	return NULL;
}

/* What every routed interface of the old host had; openvz.md 3.5. */
static void routed(struct reading *r, struct nic *n)
{
	reading_default(r, FIELD_NIC_PARENT, n, venet, "openvz.md 3.5");
	reading_default(r, FIELD_NIC_SOURCE_FILTER, n, "yes",
			"openvz.md 3.5: other sources are dropped");
	reading_default(r, FIELD_NIC_UP, n, "yes", "openvz.md 3.5");
}

static struct nic *venet_nic(struct reading *r)
{
	struct nic *n = find_nic(r->g, venet);

	if (n != NULL)
		return n;
	n = take_nic(r);
	take_str(r, FIELD_NIC_NAME, n, venet);
	routed(r, n);
	return n;
}

/* The address that is left of a setting; NULL: it was ended. */
static struct addr *new_addr(struct reading *r, struct setting *s,
			     const char *text, struct inet_net *ret)
{
	char ip[INET_TEXT];
	struct addr *a;
	struct err e;

	reading_resume(r, s);
	if (parse_net(r, text, ret, &e) < 0) {
		openvz_end_find(r, s, BIN_INVALID, FIND_NET_BAD_ADDRESS,
				arena_printf(r->g->mem, "%s: left out", e.msg));
		return NULL;
	}
	if (inet_is_any(&ret->addr)) {
		reading_decide(r, BIN_INERT, "stands for no address");
		return NULL;
	}
	inet_show(&ret->addr, ip);
	if (find_addr(r->g, ip) != NULL) {
		reading_decide(r, BIN_INERT, "the address stands there twice");
		return NULL;
	}
	a = take_addr(r);
	take_str(r, FIELD_ADDR_IP, a, ip);
	return a;
}

static void mask_unused(struct reading *r, const char *text,
			const struct inet_net *net)
{
	if (strchr(text, '/') != NULL && net->prefix != inet_bits(&net->addr))
		reading_find(r, FIND_NET_UNUSED,
			     "%s: venet0 had each address alone, the mask was "
			     "not used",
			     openvz_shown(r, text));
}

static void venet_address(struct reading *r, const struct ov_value *k)
{
	struct inet_net net;
	struct addr *a = new_addr(r, k->s, k->text, &net);

	if (a == NULL)
		return;
	a->nic = venet_nic(r);
	reading_default(r, FIELD_ADDR_DEV, a, venet, "openvz.md 3.5");
	if (openvz_is_yes(r, OVK_VENET_MASK))
		take_u64(r, FIELD_ADDR_PREFIX, a, net.prefix);
	else
		mask_unused(r, k->text, &net);
	reading_default(r, FIELD_ADDR_PREFIX, a,
			net.addr.family == AF_INET ? "32" : "128",
			"openvz.md 3.5: a host route for each address");
}

/* IPV6="no": the host sent the guest nothing of it. */
static bool is_off(struct reading *r, const char *text)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_IPV6];

	return k->s != NULL && str_eq(k->text, "no") &&
	       strchr(text, ':') != NULL;
}

static void settle_venet(struct reading *r)
{
	struct openvz *v = openvz_of(r);

	for (size_t i = 0; i < v->addresses.n; i++) {
		const struct ov_value *k = &v->addresses.v[i];

		if (is_off(r, k->text))
			openvz_end_find(r, k->s, BIN_INERT, FIND_NET_UNUSED,
					"IPV6 is no: the address was never "
					"used");
		else
			venet_address(r, k);
	}
	openvz_end(r, v->kept[OVK_IPV6].s, BIN_INERT,
		   "addresses of either family are carried as they stand");
	openvz_end(r, v->kept[OVK_VENET_MASK].s, BIN_INERT,
		   "a routed interface has each address alone");
}

/* --- NETIF ------------------------------------------------------------ */

/* The sub-key's first piece; NULL: not given. */
static const struct ov_piece *piece_of(const struct ov_group *g,
				       const char *key)
{
	for (size_t i = 0; i < g->pieces.n; i++)
		if (str_eq(g->pieces.v[i].key, key))
			return &g->pieces.v[i];
	return NULL;
}

static bool is_word(const struct ov_group *g, const char *key, const char *word)
{
	const struct ov_piece *p = piece_of(g, key);

	return p != NULL && str_eq(p->text, word);
}

static void end_piece(struct reading *r, const struct ov_piece *p, enum bin bin,
		      const char *note)
{
	if (p != NULL)
		openvz_end(r, p->s, bin, note);
}

static void set_mac(struct reading *r, struct nic *n, const struct ov_group *g)
{
	const struct ov_piece *p = piece_of(g, "mac");
	char text[18];
	uint8_t mac[6];
	struct err e;

	if (p == NULL)
		return;
	if (inet_mac_parse(p->text, mac, &e) < 0 || (mac[0] & 1) != 0) {
		openvz_end_find(r, p->s, BIN_INVALID, FIND_NET_BAD_VALUE,
				"not a hardware address that a single "
				"interface can have: left out");
		return;
	}
	inet_mac_show(mac, text);
	reading_resume(r, p->s);
	take_str(r, FIELD_NIC_MAC, n, text);
}

static void set_attach(struct reading *r, struct nic *n,
		       const struct ov_group *g)
{
	const struct ov_piece *bridge = piece_of(g, "bridge");
	const struct ov_piece *type = piece_of(g, "type");

	if (bridge == NULL || bridge->text[0] == '\0')
		bridge = piece_of(g, "network");
	if (is_word(g, "type", "routed")) {
		routed(r, n);
		end_piece(r, type, BIN_CARRIED, "routed, as venet was");
		end_piece(r, bridge, BIN_INERT, "the interface is routed");
		return;
	}
	end_piece(r, type, BIN_INERT, "as without it");
	reading_default(r, FIELD_MULTICAST, r->g, "yes",
			"openvz.md 3.5: a veth is an Ethernet");
	if (bridge != NULL && bridge->text[0] != '\0') {
		reading_resume(r, bridge->s);
		take_str(r, FIELD_NIC_ATTACH, n,
			 arena_printf(r->g->mem, "bridge:%s", bridge->text));
		return;
	}
	reading_default(r, FIELD_NIC_ATTACH, n, "p2p",
			"openvz.md 3.5: attached to nothing");
	reading_find_at(r, FIND_NET_P2P, n->name.from,
			"%s: no bridge is named: a script of the old host "
			"attached it, or its routes did",
			n->name.v);
}

static void set_filters(struct reading *r, struct nic *n,
			const struct ov_group *g)
{
	const struct ov_piece *ip = piece_of(g, "ip_filter");
	const struct ov_piece *mac = piece_of(g, "mac_filter");
	const bool routed_nic = is_word(g, "type", "routed");

	if (ip != NULL) {
		reading_resume(r, ip->s);
		take_bool(r, FIELD_NIC_SOURCE_FILTER, n,
			  str_eq(ip->text, "on"));
	} else if (openvz_of(r)->dialect == OV_V7) {
		reading_default(r, FIELD_NIC_SOURCE_FILTER, n, "yes",
				"openvz.md 3.5: ip_filter is on");
	}
	if (is_word(g, "mac_filter", "off")) {
		end_piece(r, mac, BIN_CARRIED, "any hardware address");
		return;
	}
	end_piece(r, mac, routed_nic ? BIN_INERT : BIN_DROPPED,
		  "kept the guest to its own hardware address");
	if (!routed_nic)
		reading_find_at(r, FIND_NET_MAC_FILTER, n->name.from,
				"%s: nothing keeps the guest to its own "
				"hardware address",
				n->name.v);
}

static void set_gateways(struct reading *r, struct nic *n,
			 const struct ov_group *g)
{
	static const struct {
		const char *key;
		enum field_id field;
	} rows[] = { { "gw", FIELD_NIC_GATEWAY4 },
		     { "gw6", FIELD_NIC_GATEWAY6 } };
	struct inet_addr ip;
	struct err e;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct ov_piece *p = piece_of(g, rows[i].key);

		if (p == NULL)
			continue;
		if (p->text[0] == '\0') {
			end_piece(r, p, BIN_INERT, "none");
		} else if (inet_parse(p->text, &ip, &e) < 0) {
			openvz_end_find(r, p->s, BIN_INVALID,
					FIND_NET_BAD_VALUE,
					arena_strdup(r->g->mem, e.msg));
		} else {
			reading_resume(r, p->s);
			take_str(r, rows[i].field, n, p->text);
		}
	}
}

static void set_dhcp(struct reading *r, const struct ov_group *g)
{
	static const char *const keys[] = { "dhcp", "dhcp6" };

	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct ov_piece *p = piece_of(g, keys[i]);

		if (p == NULL)
			continue;
		if (str_eq(p->text, "yes"))
			openvz_end_find(r, p->s, BIN_APPROXIMATED,
					FIND_NET_GUEST_DHCP, p->s->row->note);
		else
			end_piece(r, p, BIN_INERT, "static addresses");
	}
}

static void set_addresses(struct reading *r, struct nic *n,
			  const struct ov_group *g)
{
	for (size_t i = 0; i < g->pieces.n; i++) {
		const struct ov_piece *p = &g->pieces.v[i];
		struct inet_net net;
		struct addr *a;

		if (!str_eq(p->key, "ip") && !str_eq(p->key, "ip6"))
			continue;
		if (p->text[0] == '\0') {
			end_piece(r, p, BIN_INERT, "none");
			continue;
		}
		a = new_addr(r, p->s, p->text, &net);
		if (a == NULL)
			continue;
		a->nic = n;
		take_u64(r, FIELD_ADDR_PREFIX, a, net.prefix);
		reading_default(r, FIELD_ADDR_DEV, a, n->name.v,
				"openvz.md 3.5");
	}
}

static void set_rest(struct reading *r, const struct ov_group *g)
{
	end_piece(r, piece_of(g, "configure"), BIN_INERT,
		  "who wrote the guest's own network files");
	end_piece(r, piece_of(g, "vport"), BIN_CARRIED,
		  "LXC takes a bridge of Open vSwitch by its name");
	for (size_t i = 0; i < g->pieces.n; i++)
		openvz_end(r, g->pieces.v[i].s, BIN_OVERRIDDEN,
			   "the sub-key stands there twice: the first counts");
}

static void host_name(struct reading *r, struct nic *n,
		      const struct ov_group *g)
{
	const struct ov_piece *p = piece_of(g, "host_ifname");

	if (p == NULL)
		return;
	if (!inet_ifname_ok(p->text)) {
		openvz_end_find(r, p->s, BIN_INVALID, FIND_NET_BAD_VALUE,
				"not a legal name of an interface: left out");
		return;
	}
	reading_resume(r, p->s);
	take_str(r, FIELD_NIC_HOST_NAME, n, p->text);
}

static void settle_netif(struct reading *r, const struct ov_group *g)
{
	const struct ov_piece *name = piece_of(g, "ifname");
	struct nic *n;

	if (name == NULL)
		return; /* read.c has left it out */
	if (find_nic(r->g, name->text) != NULL) {
		for (size_t i = 0; i < g->pieces.n; i++)
			openvz_end(r, g->pieces.v[i].s, BIN_OVERRIDDEN,
				   "an interface of that name stands before: "
				   "that one counts");
		reading_resume(r, name->s);
		reading_find(r, FIND_SRC_MULTIPLE,
			     "interface %s stands there twice: the first "
			     "counts",
			     name->text);
		return;
	}
	reading_resume(r, name->s);
	n = take_nic(r);
	take_str(r, FIELD_NIC_NAME, n, name->text);
	reading_default(r, FIELD_NIC_UP, n, "yes", "openvz.md 3.5");
	set_attach(r, n, g);
	set_mac(r, n, g);
	host_name(r, n, g);
	set_filters(r, n, g);
	set_gateways(r, n, g);
	set_dhcp(r, g);
	set_addresses(r, n, g);
	set_rest(r, g);
}

void openvz_net_settle(struct reading *r)
{
	const struct openvz *v = openvz_of(r);

	for (size_t i = 0; i < v->netifs.n; i++)
		settle_netif(r, v->netifs.v[i]);
	settle_venet(r);
}
