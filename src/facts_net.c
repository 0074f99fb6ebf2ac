/*
 * What a capture says of the network: the lines of ip(8), of ifconfig and
 * route where there was no ip, and of the kernel's own files.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/num.h"
#include "facts_read.h"

enum {
	WORD_MAX = 64,   /* bytes of an address or a name */
	LIST_MAX = 4096, /* entries of a list; a section has 2000 lines */
};

/* The slice with a NUL, for the parsers of base; false: it is too long. */
static bool word_text(struct slice s, char ret[WORD_MAX])
{
	if (s.n == 0 || s.n >= WORD_MAX)
		return false;
	memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return true;
}

static bool word_net(struct slice s, struct inet_net *ret)
{
	char text[WORD_MAX];
	struct err e;

	return word_text(s, text) && inet_net_parse(text, ret, &e) == 0;
}

static bool word_addr(struct slice s, struct inet_addr *ret)
{
	char text[WORD_MAX];
	struct err e;

	return word_text(s, text) && inet_parse(text, ret, &e) == 0;
}

/* Hexadecimal digits without "0x". */
static bool word_hex(struct slice s, uint64_t *ret)
{
	char text[WORD_MAX] = "0x";
	struct err e;
	int64_t n;

	if (s.n == 0 || s.n > 15)
		return false;
	memcpy(text + 2, s.p, s.n);
	if (num_i64_any(text, &n, &e) < 0)
		return false;
	*ret = (uint64_t)n;
	return true;
}

/* 32 digits: an IPv6 address in the kernel's files. */
static bool word_hex6(struct slice s, struct inet_addr *ret)
{
	*ret = (struct inet_addr){ .family = AF_INET6 };
	if (s.n != 32)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		uint64_t n;

		if (!word_hex((struct slice){ s.p + 2 * i, 2 }, &n))
			return false;
		ret->b[i] = (uint8_t)n;
	}
	return true;
}

/* 8 digits: an IPv4 address as a number of the host's order. */
static bool word_hex4(const struct facts_reader *r, struct slice s,
		      struct inet_addr *ret)
{
	uint64_t n;

	*ret = (struct inet_addr){ .family = AF_INET };
	if (s.n != 8 || !word_hex(s, &n))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const unsigned shift = r->big_endian ? 24 - 8 * i : 8 * i;

		ret->b[i] = (uint8_t)(n >> shift);
	}
	return true;
}

/* A device's name up to the first of `stops`; NULL when it cannot be one. */
static const char *dev_name(struct facts_reader *r, struct slice s,
			    const char *stops)
{
	char text[WORD_MAX];

	if (!word_text(s, text))
		return NULL;
	text[strcspn(text, stops)] = '\0';
	return inet_ifname_ok(text) ? arena_strdup(r->mem, text) : NULL;
}

/* Splits a line into its words; those beyond max are left out. */
static size_t words(struct slice line, struct slice *ret, size_t max)
{
	size_t n = 0;

	while (n < max && slice_word(&line, &ret[n]))
		n++;
	return n;
}

/* The word after the first `name` at or after from; false: there is none. */
static bool word_after(const struct slice *w, size_t n, const char *name,
		       struct slice *ret)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (!slice_eq(w[i], name))
			continue;
		*ret = w[i + 1];
		return true;
	}
	return false;
}

static bool same_net(const struct inet_net *a, const struct inet_net *b)
{
	return a->prefix == b->prefix && inet_equal(&a->addr, &b->addr);
}

/* ifconfig and /proc/net/if_inet6 both tell of the same addresses. */
static void add_address(struct facts_reader *r, struct slice line,
			const char *dev, const struct inet_net *net)
{
	struct facts *f = r->f;

	if (dev == NULL || f->addresses.n == LIST_MAX)
		return;
	for (size_t i = 0; i < f->addresses.n; i++)
		if (str_eq(f->addresses.v[i].dev, dev) &&
		    same_net(&f->addresses.v[i].net, net))
			return;
	*vec_add(r->mem, &f->addresses) = (struct facts_address){
		.at = facts_read_at(r, line),
		.dev = dev,
		.net = *net,
	};
}

/* "2: eth0    inet 192.0.2.5/24 brd 192.0.2.255 scope global eth0" */
static void ip_address(struct facts_reader *r, struct slice line)
{
	struct slice w[4];
	struct inet_net net;

	if (words(line, w, 4) == 4 &&
	    (slice_eq(w[2], "inet") || slice_eq(w[2], "inet6")) &&
	    word_net(w[3], &net))
		add_address(r, line, dev_name(r, w[1], ":@"), &net);
}

/* The mask or prefix of an ifconfig line, old words or new ones. */
static void ifconfig_prefix(const struct slice *w, size_t n,
			    struct inet_net *net)
{
	char text[WORD_MAX];
	struct slice s;
	uint64_t number;
	struct err e;

	for (size_t i = 0; i < n; i++)
		if (w[i].n > 5 && memcmp(w[i].p, "Mask:", 5) == 0 &&
		    word_text((struct slice){ w[i].p + 5, w[i].n - 5 }, text))
			inet_mask(text, &net->prefix, &e);
	if (word_after(w, n, "netmask", &s) && word_text(s, text))
		inet_mask(text, &net->prefix, &e);
	if (word_after(w, n, "prefixlen", &s) &&
	    facts_read_number(s, &number) && number <= 128)
		net->prefix = (unsigned)number;
}

/*
 * "eth0:web  Link encap:Ethernet ..." begins a device; its addresses follow
 * as "inet addr:192.0.2.5  Bcast:192.0.2.255  Mask:255.255.255.0" and "inet6
 * addr: fe80::1/64", or, since 2012, "inet 192.0.2.5  netmask 255.255.255.0".
 */
static void ifconfig_address(struct facts_reader *r, struct slice line)
{
	struct slice w[12];
	const size_t n = words(line, w, COUNT(w));
	struct inet_net net;
	size_t at = 1;

	if (n > 0 && line.p[0] != ' ' && line.p[0] != '\t')
		r->dev = w[0];
	if (n < 2 || (!slice_eq(w[0], "inet") && !slice_eq(w[0], "inet6")))
		return;
	if (slice_eq(w[1], "addr:") && n > 2)
		at = 2;
	if (w[at].n > 5 && memcmp(w[at].p, "addr:", 5) == 0) {
		w[at].p += 5;
		w[at].n -= 5;
	}
	if (!word_net(w[at], &net))
		return;
	ifconfig_prefix(w, n, &net);
	if (net.prefix <= inet_bits(&net.addr))
		add_address(r, line, dev_name(r, r->dev, ":"), &net);
}

/* "2001...01 02 40 00 80 eth0": address, index, prefix, scope, flags. */
static void inet6_address(struct facts_reader *r, struct slice line)
{
	struct slice w[6];
	struct inet_net net;
	uint64_t prefix;

	if (words(line, w, 6) != 6 || !word_hex6(w[0], &net.addr) ||
	    !word_hex(w[2], &prefix) || prefix > 128)
		return;
	net.prefix = (unsigned)prefix;
	add_address(r, line, dev_name(r, w[5], ""), &net);
}

void facts_net_address(struct facts_reader *r, struct slice line)
{
	if (slice_eq(r->label, "ip -o addr"))
		ip_address(r, line);
	else if (slice_eq(r->label, "ifconfig -a"))
		ifconfig_address(r, line);
	else if (slice_eq(r->label, "/proc/net/if_inet6"))
		inet6_address(r, line);
}

/* Several sources tell of one link; the first one names its line. */
static struct facts_link *find_link(struct facts_reader *r, struct slice line,
				    const char *name)
{
	struct facts *f = r->f;
	struct facts_link *l;

	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < f->links.n; i++)
		if (str_eq(f->links.v[i].name, name))
			return &f->links.v[i];
	if (f->links.n == LIST_MAX)
		return NULL;
	l = vec_add(r->mem, &f->links);
	*l = (struct facts_link){ .at = facts_read_at(r, line), .name = name };
	return l;
}

static void link_mac(struct facts_reader *r, struct facts_link *l,
		     struct slice s)
{
	char text[WORD_MAX];
	uint8_t mac[6];
	struct err e;

	if (!word_text(s, text) || inet_mac_parse(text, mac, &e) < 0)
		return;
	inet_mac_show(mac, text);
	l->mac = arena_strdup(r->mem, text);
}

static void link_mtu(struct facts_link *l, struct slice s)
{
	uint64_t n;

	if (facts_read_number(s, &n) && n <= INT32_MAX)
		l->mtu = (unsigned)n;
}

static void link_vlan(struct facts_reader *r, struct facts_link *l,
		      struct slice id, struct slice parent)
{
	uint64_t n;

	if (!facts_read_number(id, &n) || n == 0 || n > 4094)
		return;
	l->vlan = (unsigned)n;
	if (parent.n > 0)
		l->parent = dev_name(r, parent, "");
}

/* What -d adds after a backslash: "vlan id 7", "bridge forward_delay ..." */
static void ip_link_detail(struct facts_reader *r, struct facts_link *l,
			   struct slice rest, struct slice parent)
{
	struct slice part, w[8], id;

	while (slice_next(&rest, '\\', &part)) {
		const size_t n = words(part, w, COUNT(w));

		if (n > 0 && slice_eq(w[0], "bridge"))
			l->is_bridge = true;
		if (n > 0 && slice_eq(w[0], "vlan") &&
		    word_after(w, n, "id", &id))
			link_vlan(r, l, id, parent);
	}
}

/*
 * "7: bond0.7@bond0: <...> mtu 1500 ... master br0 ... \ link/ether MAC brd
 * ...", with -d more of it.
 */
static void ip_link(struct facts_reader *r, struct slice line)
{
	struct slice w[32], s, parent = { "", 0 };
	const size_t n = words(line, w, COUNT(w));
	struct facts_link *l;
	const char *at;

	if (n < 3)
		return;
	l = find_link(r, line, dev_name(r, w[1], ":@"));
	if (l == NULL)
		return;
	at = memchr(w[1].p, '@', w[1].n);
	if (at != NULL && w[1].p[w[1].n - 1] == ':') {
		parent.p = at + 1;
		parent.n = (size_t)(w[1].p + w[1].n - 1 - parent.p);
	}
	if (word_after(w, n, "mtu", &s))
		link_mtu(l, s);
	if (word_after(w, n, "link/ether", &s))
		link_mac(r, l, s);
	if (word_after(w, n, "master", &s))
		l->master = dev_name(r, s, "");
	ip_link_detail(r, l, line, parent);
}

/* The value of a word "KEY=VALUE" of the line. */
static bool line_value(struct slice line, const char *key, struct slice *ret)
{
	const size_t n = strlen(key);
	struct slice w;

	while (slice_word(&line, &w)) {
		if (w.n <= n || memcmp(w.p, key, n) != 0 || w.p[n] != '=')
			continue;
		*ret = (struct slice){ w.p + n + 1, w.n - n - 1 };
		return true;
	}
	return false;
}

/* "name=eth2 address=00:16:3e:5a:00:04 mtu=1500 ... master=bond0" */
static void sys_link(struct facts_reader *r, struct slice line)
{
	struct facts_link *l;
	struct slice s;

	if (!line_value(line, "name", &s))
		return;
	l = find_link(r, line, dev_name(r, s, ""));
	if (l == NULL)
		return;
	if (line_value(line, "address", &s))
		link_mac(r, l, s);
	if (line_value(line, "mtu", &s))
		link_mtu(l, s);
	if (line_value(line, "master", &s))
		l->master = dev_name(r, s, "");
	if (line_value(line, "kind", &s))
		l->is_bridge = l->is_bridge || slice_eq(s, "bridge");
}

/* "bond0.7        | 7  | bond0" */
static void vlan_link(struct facts_reader *r, struct slice line)
{
	struct slice rest = line, name, id, parent;
	struct facts_link *l;
	uint64_t n;

	if (!slice_next(&rest, '|', &name) || !slice_next(&rest, '|', &id) ||
	    !slice_next(&rest, '|', &parent) ||
	    !facts_read_number(slice_trim(id), &n))
		return;
	l = find_link(r, line, dev_name(r, slice_trim(name), ""));
	if (l != NULL)
		link_vlan(r, l, slice_trim(id), slice_trim(parent));
}

void facts_net_link(struct facts_reader *r, struct slice line)
{
	if (slice_eq(r->label, "ip -o -d link") ||
	    slice_eq(r->label, "ip -o link"))
		ip_link(r, line);
	else if (slice_eq(r->label, "/sys/class/net"))
		sys_link(r, line);
	else if (slice_eq(r->label, "/proc/net/vlan/config"))
		vlan_link(r, line);
}

/* "name=br0 ... ports=eth1,tap0" */
void facts_net_bridge(struct facts_reader *r, struct slice line)
{
	struct slice name, ports, port;
	struct facts_link *l;
	const char *bridge;

	if (!line_value(line, "name", &name))
		return;
	bridge = dev_name(r, name, "");
	l = find_link(r, line, bridge);
	if (l == NULL)
		return;
	l->is_bridge = true;
	if (!line_value(line, "ports", &ports))
		return;
	while (slice_next(&ports, ',', &port)) {
		l = find_link(r, line, dev_name(r, port, ""));
		if (l != NULL && l->master == NULL)
			l->master = bridge;
	}
}

static void add_route(struct facts_reader *r, struct slice line,
		      const struct facts_route *route)
{
	if (route->dev == NULL || r->f->routes.n == LIST_MAX)
		return;
	*vec_add(r->mem, &r->f->routes) = *route;
	r->f->routes.v[r->f->routes.n - 1].at = facts_read_at(r, line);
}

/* Where the words of an "ip route" line lead. */
static void ip_route_words(struct facts_reader *r, const struct slice *w,
			   size_t n, struct facts_route *ret)
{
	char text[WORD_MAX];
	struct slice s;

	if (word_after(w, n, "dev", &s))
		ret->dev = dev_name(r, s, "");
	if (word_after(w, n, "via", &s))
		ret->has_via = word_addr(s, &ret->via);
	if (word_after(w, n, "table", &s) && !slice_eq(s, "main") &&
	    word_text(s, text))
		ret->table = arena_strdup(r->mem, text);
}

static bool ip_route_dest(const struct facts_reader *r, struct slice s,
			  struct facts_route *ret)
{
	ret->is_default = slice_eq(s, "default");
	if (!ret->is_default)
		return word_net(s, &ret->dest);
	ret->dest.addr.family = slice_eq(r->label, "ip -6 route") ? AF_INET6 :
								    AF_INET;
	return true;
}

/*
 * "default via 192.0.2.1 dev eth0"; several routers of one route follow on
 * lines of their own, "nexthop via 192.0.2.1  dev eth0 weight 1". "table all"
 * repeats the main table and adds types ("broadcast ...") that lead nowhere.
 */
static void ip_route(struct facts_reader *r, struct slice line)
{
	struct facts_route route = { 0 };
	struct slice w[32];
	const size_t n = words(line, w, COUNT(w));

	if (n == 0)
		return;
	if (slice_eq(w[0], "nexthop") && r->pending.dest.addr.family != 0)
		route = r->pending;
	else if (!ip_route_dest(r, w[0], &route))
		return;
	ip_route_words(r, w, n, &route);
	if (!slice_eq(w[0], "nexthop"))
		r->pending = route;
	if (route.is_default && route.has_via)
		route.dest.addr.family = route.via.family;
	if (slice_eq(r->label, "ip route table all") && route.table == NULL)
		return;
	add_route(r, line, &route);
}

/* "0.0.0.0  192.0.2.1  0.0.0.0  UG  0  0  0 eth0" */
static void old_route(struct facts_reader *r, struct slice line)
{
	struct facts_route route = { 0 };
	char mask[WORD_MAX];
	struct slice w[8];
	struct err e;

	if (words(line, w, 8) != 8 || !word_addr(w[0], &route.dest.addr) ||
	    !word_addr(w[1], &route.via) || !word_text(w[2], mask) ||
	    inet_mask(mask, &route.dest.prefix, &e) < 0 ||
	    memchr(w[3].p, '!', w[3].n) != NULL)
		return;
	route.is_default = route.dest.prefix == 0;
	route.has_via = memchr(w[3].p, 'G', w[3].n) != NULL;
	route.dev = dev_name(r, w[7], "");
	add_route(r, line, &route);
}

/* route(7) flags of /proc/net/route and ipv6_route. */
enum { RTF_UP_ = 1, RTF_GATEWAY_ = 2, RTF_REJECT_ = 0x200 };

static bool route_flags(struct slice s, struct facts_route *ret)
{
	uint64_t flags;

	if (!word_hex(s, &flags) || (flags & RTF_UP_) == 0 ||
	    (flags & RTF_REJECT_) != 0)
		return false;
	ret->has_via = (flags & RTF_GATEWAY_) != 0;
	return true;
}

/* "eth0 00000000 010200C0 0003 0 0 0 00000000 ..." */
static void proc_route(struct facts_reader *r, struct slice line)
{
	struct facts_route route = { 0 };
	struct inet_addr mask;
	char text[INET_TEXT];
	struct slice w[8];
	struct err e;

	if (words(line, w, 8) != 8 || !word_hex4(r, w[1], &route.dest.addr) ||
	    !word_hex4(r, w[2], &route.via) || !route_flags(w[3], &route) ||
	    !word_hex4(r, w[7], &mask))
		return;
	inet_show(&mask, text);
	if (inet_mask(text, &route.dest.prefix, &e) < 0)
		return;
	route.is_default = route.dest.prefix == 0;
	route.dev = dev_name(r, w[0], "");
	add_route(r, line, &route);
}

/* Destination, its length, source, its length, router, metric ... device. */
static void proc_route6(struct facts_reader *r, struct slice line)
{
	struct facts_route route = { 0 };
	struct slice w[10];
	uint64_t prefix;

	if (words(line, w, 10) != 10 || !word_hex6(w[0], &route.dest.addr) ||
	    !word_hex(w[1], &prefix) || prefix > 128 ||
	    !word_hex6(w[4], &route.via) || !route_flags(w[8], &route) ||
	    slice_eq(w[9], "lo"))
		return;
	route.dest.prefix = (unsigned)prefix;
	route.is_default = prefix == 0;
	route.dev = dev_name(r, w[9], "");
	add_route(r, line, &route);
}

void facts_net_route(struct facts_reader *r, struct slice line)
{
	if (slice_eq(r->label, "ip route") ||
	    slice_eq(r->label, "ip -6 route") ||
	    slice_eq(r->label, "ip route table all"))
		ip_route(r, line);
	else if (slice_eq(r->label, "route -n"))
		old_route(r, line);
	else if (slice_eq(r->label, "/proc/net/route"))
		proc_route(r, line);
	else if (slice_eq(r->label, "/proc/net/ipv6_route"))
		proc_route6(r, line);
}

/* A line of nft that is a rule: neither a block's edge nor its header. */
static bool nft_rule(struct slice line, const struct slice *w, size_t n,
		     bool *ret_nat)
{
	const char last = line.p[line.n - 1];

	if (last == '{' || last == '}' || slice_eq(w[0], "type"))
		return false;
	*ret_nat = false;
	for (size_t i = 0; i < n; i++)
		*ret_nat = *ret_nat || slice_eq(w[i], "dnat") ||
			   slice_eq(w[i], "snat") ||
			   slice_eq(w[i], "redirect") ||
			   slice_eq(w[i], "masquerade");
	return true;
}

/* "*nat" and "-A CHAIN ..." of iptables-save; the ruleset of nft. */
void facts_net_rule(struct facts_reader *r, struct slice line)
{
	struct slice w[64];
	size_t n;
	bool nat;

	line = slice_trim(line);
	n = words(line, w, COUNT(w));
	if (n == 0 || r->f->rules.n == LIST_MAX)
		return;
	if (slice_eq(r->arg, "nft")) {
		if (!nft_rule(line, w, n, &nat))
			return;
	} else {
		if (line.p[0] == '*')
			r->nat = slice_eq(w[0], "*nat");
		if (!slice_eq(w[0], "-A"))
			return;
		nat = r->nat;
	}
	*vec_add(r->mem, &r->f->rules) = (struct facts_rule){
		.at = facts_read_at(r, line),
		.nat = nat,
	};
}

const struct facts_address *facts_find(const struct facts *f,
				       const struct inet_addr *a)
{
	for (size_t i = 0; i < f->addresses.n; i++)
		if (inet_equal(&f->addresses.v[i].net.addr, a))
			return &f->addresses.v[i];
	return NULL;
}

const struct facts_address *facts_find_net(const struct facts *f,
					   const char *dev,
					   const struct inet_addr *a)
{
	const struct facts_address *best = NULL;

	for (size_t i = 0; i < f->addresses.n; i++) {
		const struct facts_address *it = &f->addresses.v[i];

		if ((dev != NULL && !str_eq(it->dev, dev)) ||
		    it->net.prefix == inet_bits(&it->net.addr) ||
		    !inet_net_has(&it->net, a))
			continue;
		if (best == NULL || it->net.prefix > best->net.prefix)
			best = it;
	}
	return best;
}

const struct facts_route *facts_gateway(const struct facts *f, const char *dev,
					int family)
{
	const struct facts_route *other = NULL;

	for (size_t i = 0; i < f->routes.n; i++) {
		const struct facts_route *it = &f->routes.v[i];

		if (!it->is_default || !it->has_via ||
		    it->via.family != family ||
		    (dev != NULL && !str_eq(it->dev, dev)))
			continue;
		if (it->table == NULL)
			return it;
		if (other == NULL)
			other = it;
	}
	return dev == NULL ? NULL : other;
}

const struct facts_link *facts_link(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->links.n; i++)
		if (str_eq(f->links.v[i].name, name))
			return &f->links.v[i];
	return NULL;
}

/* As the kernel's dual-stack sockets show IPv4: ::ffff:192.0.2.1. */
static void unmap(struct inet_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(a->b, mapped, sizeof(mapped)) != 0)
		return;
	a->family = AF_INET;
	memmove(a->b, a->b + sizeof(mapped), 4);
	memset(a->b + 4, 0, sizeof(a->b) - 4);
}

/* "0100007F:0019"; the four words of IPv6 are numbers of the host's order. */
static bool word_endpoint(const struct facts_reader *r, struct slice s,
			  struct inet_addr *ret, unsigned *ret_port)
{
	struct slice ip;
	uint64_t port;

	if (!slice_next(&s, ':', &ip) || !word_hex(s, &port) || port == 0 ||
	    port > UINT16_MAX)
		return false;
	*ret_port = (unsigned)port;
	if (ip.n == 8)
		return word_hex4(r, ip, ret);
	if (ip.n != 32)
		return false;
	*ret = (struct inet_addr){ .family = AF_INET6 };
	for (size_t i = 0; i < 4; i++) {
		struct inet_addr four;

		if (!word_hex4(r, (struct slice){ ip.p + 8 * i, 8 }, &four))
			return false;
		memcpy(ret->b + 4 * i, four.b, 4);
	}
	unmap(ret);
	return true;
}

/*
 * /proc/net/tcp: "N: LOCAL REMOTE STATE ...", states of tcp_states.h. A UDP
 * socket that is closed (7) takes datagrams from anybody.
 */
void facts_net_socket(struct facts_reader *r, struct slice line)
{
	const bool tcp = slice_eq(r->label, "/proc/net/tcp") ||
			 slice_eq(r->label, "/proc/net/tcp6");
	struct facts_socket s = { .tcp = tcp };
	struct slice w[4];

	if (words(line, w, COUNT(w)) != COUNT(w) ||
	    !slice_eq(w[3], tcp ? "0A" : "07") ||
	    !word_endpoint(r, w[1], &s.addr, &s.port) ||
	    r->f->sockets.n == LIST_MAX)
		return;
	s.at = facts_read_at(r, line);
	*vec_add(r->mem, &r->f->sockets) = s;
}
