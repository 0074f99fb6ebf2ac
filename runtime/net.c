/*
 * The lab and the guest's interfaces, by libnl-route-3. The lab is a network
 * namespace: its own kernel answers for the gateways' addresses (ARP,
 * neighbour discovery, echo), so that what the guest sends goes nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/route.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/str.h"
#include "runtime/net.h"
#include "runtime/run.h"

static void sock_freep(struct nl_sock **s)
{
	nl_socket_free(*s);
}

static void link_freep(struct rtnl_link **l)
{
	rtnl_link_put(*l);
}

static void addr_freep(struct nl_addr **a)
{
	nl_addr_put(*a);
}

static void rtaddr_freep(struct rtnl_addr **a)
{
	rtnl_addr_put(*a);
}

static int fail(int rc, const char *what, struct err *e)
{
	return err_set(e, 0, "%s: %s", what, nl_geterror(rc));
}

static struct nl_sock *connect_route(struct err *e)
{
	struct nl_sock *s = nl_socket_alloc();
	int rc;

	if (s == NULL) {
		err_fill(e, ENOMEM, "nl_socket_alloc");
		return NULL;
	}
	rc = nl_connect(s, NETLINK_ROUTE);
	if (rc < 0) {
		nl_socket_free(s);
		fail(rc, "connect to netlink", e);
		return NULL;
	}
	return s;
}

static int find_link(struct nl_sock *s, const char *name,
		     struct rtnl_link **ret, struct err *e)
{
	const int rc = rtnl_link_get_kernel(s, 0, name, ret);

	return rc < 0 ? fail(rc, name, e) : 0;
}

int net_new(struct err *e)
{
	int here CLEANUP(fd_closep) =
		open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (here < 0)
		return err_set(e, errno, "open /proc/self/ns/net");
	if (unshare(CLONE_NEWNET) < 0)
		return err_set(e, errno, "make a network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(here, CLONE_NEWNET) < 0)
		abort(); /* nothing may go on in the wrong network */
	return fd < 0 ? err_set(e, errno, "open /proc/self/ns/net") : fd;
}

/* Up or not, another name, MAC or MTU; NULL and 0 leave what there is. */
struct change {
	const char *name, *mac;
	uint64_t mtu;
	bool up;
	int master; /* interface number of a bridge, or 0 */
};

static int set_mac(struct rtnl_link *l, const char *mac, struct err *e)
{
	struct nl_addr *a CLEANUP(addr_freep) = NULL;
	const int rc = nl_addr_parse(mac, AF_LLC, &a);

	if (rc < 0)
		return fail(rc, mac, e);
	rtnl_link_set_addr(l, a);
	return 0;
}

static int change(struct nl_sock *s, const char *link, const struct change *c,
		  struct err *e)
{
	struct rtnl_link *old CLEANUP(link_freep) = NULL;
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_alloc();
	int rc;

	if (find_link(s, link, &old, e) < 0)
		return -1;
	if (c->name != NULL)
		rtnl_link_set_name(l, c->name);
	if (c->mac != NULL && set_mac(l, c->mac, e) < 0)
		return -1;
	if (c->mtu != 0)
		rtnl_link_set_mtu(l, (unsigned)c->mtu);
	if (c->master != 0)
		rtnl_link_set_master(l, c->master);
	if (c->up)
		rtnl_link_set_flags(l, IFF_UP);
	rc = rtnl_link_change(s, old, l, 0);
	return rc < 0 ? fail(rc, link, e) : 0;
}

int net_lo(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	const struct change up = { .up = true };

	(void)r;
	(void)op;
	return s == NULL ? -1 : change(s, "lo", &up, e);
}

/* a: name. */
int net_bridge(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_alloc();
	int rc;

	(void)r;
	if (s == NULL)
		return -1;
	rtnl_link_set_name(l, op->a);
	rtnl_link_set_type(l, "bridge");
	rtnl_link_set_flags(l, IFF_UP);
	rc = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	return rc < 0 ? fail(rc, "make", e) : 0;
}

/*
 * A pair of interfaces: one here, on a bridge or (NULL) alone, the other in a
 * namespace, -1: here as well.
 */
static int make_pair(const char *bridge, const char *here, const char *there,
		     int ns, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_veth_alloc();
	struct rtnl_link *b CLEANUP(link_freep) = NULL;
	struct rtnl_link *peer;
	struct change c = { .up = true };
	int rc;

	if (s == NULL || (bridge != NULL && find_link(s, bridge, &b, e) < 0))
		return -1;
	peer = rtnl_link_veth_get_peer(l);
	rtnl_link_set_name(l, here);
	rtnl_link_set_name(peer, there);
	if (ns >= 0)
		rtnl_link_set_ns_fd(peer, ns);
	rtnl_link_put(peer);
	rc = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	if (rc < 0)
		return fail(rc, "make", e);
	if (b != NULL)
		c.master = rtnl_link_get_ifindex(b);
	return change(s, here, &c, e);
}

/* a: name, b: the other end of its wire, c: the bridge that end is on. */
int net_parent(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	const struct change up = { .up = true };

	(void)r;
	if (s == NULL || make_pair(op->c, op->b, op->a, -1, e) < 0)
		return -1;
	return change(s, op->a, &up, e);
}

/* a: parent, b: name, c: id, d: the bridge it is on, or NULL. */
int net_vlan(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_vlan_alloc();
	struct rtnl_link *parent CLEANUP(link_freep) = NULL;
	struct rtnl_link *bridge CLEANUP(link_freep) = NULL;
	struct change c = { .up = true };
	uint64_t id;
	int rc;

	(void)r;
	if (s == NULL || num_u64(op->c, &id, e) < 0 ||
	    find_link(s, op->a, &parent, e) < 0 ||
	    (op->d != NULL && find_link(s, op->d, &bridge, e) < 0))
		return -1;
	rtnl_link_set_name(l, op->b);
	rtnl_link_set_link(l, rtnl_link_get_ifindex(parent));
	rtnl_link_vlan_set_id(l, (uint16_t)id);
	rc = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	if (rc < 0)
		return fail(rc, "make", e);
	if (bridge != NULL)
		c.master = rtnl_link_get_ifindex(bridge);
	return change(s, op->b, &c, e);
}

bool net_knows(const char *kind)
{
	struct err e;
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(&e);
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_alloc();

	if (s == NULL || rtnl_link_set_type(l, kind) < 0)
		return s == NULL;
	/* each of them wants a parent, and is refused for having none */
	rtnl_link_set_name(l, "rehost-asks");
	return rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL) != -NLE_OPNOTSUPP;
}

/*
 * What keeps VLANs apart can list them (RTM_GETVLAN), once the bridge's module
 * is there: asking for one that cannot be made loads it.
 */
bool net_filters_vlans(void)
{
	struct err e;
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(&e);
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_alloc();
	struct br_vlan_msg ask = { .family = AF_BRIDGE };
	int rc;

	if (s == NULL || set_mac(l, "01:00:5e:00:00:01", &e) < 0 ||
	    rtnl_link_set_type(l, "bridge") < 0)
		return s == NULL;
	rtnl_link_set_name(l, "rehost-asks");
	if (rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL) == -NLE_PERM)
		return true;
	rc = nl_send_simple(s, RTM_GETVLAN, NLM_F_DUMP, &ask, sizeof(ask));
	return rc >= 0 && nl_recvmsgs_default(s) != -NLE_OPNOTSUPP;
}

/* The message is complete but for its end; it is freed. */
static int send_and_free(struct nl_msg *msg, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	int rc;

	if (s == NULL) {
		nlmsg_free(msg);
		return -1;
	}
	rc = nl_send_sync(s, msg);
	return rc < 0 ? fail(rc, "write", e) : 0;
}

/* A message of that type about one link; NULL: the error is filled. */
static struct nl_msg *about_link(int type, int family, const char *link,
				 struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = NULL;
	struct ifinfomsg head = { .ifi_family = (unsigned char)family };
	struct nl_msg *msg;

	if (s == NULL || find_link(s, link, &l, e) < 0)
		return NULL;
	head.ifi_index = rtnl_link_get_ifindex(l);
	msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK);
	if (msg == NULL ||
	    nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		err_fill(e, ENOMEM, "make a message");
		return NULL;
	}
	return msg;
}

/* a: bridge. linux/if_link.h: IFLA_BR_VLAN_FILTERING. */
int net_filter(struct run *r, const struct op *op, struct err *e)
{
	struct nl_msg *msg = about_link(RTM_NEWLINK, AF_UNSPEC, op->a, e);
	struct nlattr *info, *data;

	(void)r;
	if (msg == NULL)
		return -1;
	/* a message has room for a page */
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "bridge");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u8(msg, IFLA_BR_VLAN_FILTERING, 1);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return send_and_free(msg, e);
}

static int change_vlan(int type, const char *port, uint16_t id, uint16_t flags,
		       struct err *e)
{
	const struct bridge_vlan_info vlan = { .flags = flags, .vid = id };
	struct nl_msg *msg = about_link(type, AF_BRIDGE, port, e);
	struct nlattr *spec;

	if (msg == NULL)
		return -1;
	spec = nla_nest_start(msg, IFLA_AF_SPEC);
	nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof(vlan), &vlan);
	nla_nest_end(msg, spec);
	return send_and_free(msg, e);
}

/* A port is born in this VLAN. */
enum { VLAN_OF_NEW = 1 };

/* a: VLAN, b: port of a bridge, which is then in no other, without tags. */
int net_port(struct run *r, const struct op *op, struct err *e)
{
	uint64_t id;

	(void)r;
	if (num_u64(op->a, &id, e) < 0 ||
	    change_vlan(RTM_SETLINK, op->b, (uint16_t)id,
			BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED,
			e) < 0)
		return -1;
	return id == VLAN_OF_NEW ?
		       0 :
		       change_vlan(RTM_DELLINK, op->b, VLAN_OF_NEW, 0, e);
}

/* a: bridge, b: name in the lab, c: name at first in the guest. */
int net_veth(struct run *r, const struct op *op, struct err *e)
{
	return make_pair(op->a, op->b, op->c, r->guest_net, e);
}

/* a: name in the lab, b: name at first in the guest. */
int net_pair(struct run *r, const struct op *op, struct err *e)
{
	return make_pair(NULL, op->a, op->b, r->guest_net, e);
}

/* The link, whose kind has its mode, on op's parent in the guest's stack. */
static int add_on_parent(struct run *r, const struct op *op,
			 struct rtnl_link *l, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *parent CLEANUP(link_freep) = NULL;
	int rc;

	if (s == NULL || find_link(s, op->a, &parent, e) < 0)
		return -1;
	rtnl_link_set_name(l, op->b);
	rtnl_link_set_link(l, rtnl_link_get_ifindex(parent));
	rtnl_link_set_ns_fd(l, r->guest_net);
	rc = rtnl_link_add(s, l, NLM_F_CREATE | NLM_F_EXCL);
	return rc < 0 ? fail(rc, "make", e) : 0;
}

/* linux/if_link.h; libnl does not have the last one's name. */
static const char *const ipvlan_modes[] = {
	[IPVLAN_MODE_L2] = "l2",
	[IPVLAN_MODE_L3] = "l3",
	[IPVLAN_MODE_L3S] = "l3s",
};

int net_ipvlan_mode(const char *name)
{
	for (size_t i = 0; i < COUNT(ipvlan_modes); i++)
		if (str_eq(ipvlan_modes[i], name))
			return (int)i;
	return -1;
}

const char *net_ipvlan_name(int mode)
{
	return mode < 0 || (size_t)mode >= COUNT(ipvlan_modes) ?
		       NULL :
		       ipvlan_modes[mode];
}

/* a: parent, b: name at first, c: mode or NULL. */
int net_ipvlan(struct run *r, const struct op *op, struct err *e)
{
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_ipvlan_alloc();
	const int mode = net_ipvlan_mode(op->c == NULL ? "l3" : op->c);

	if (mode < 0)
		return err_set(e, EINVAL, "mode %s", op->c);
	rtnl_link_ipvlan_set_mode(l, (uint16_t)mode);
	return add_on_parent(r, op, l, e);
}

/* a: parent, b: name at first, c: mode or NULL. */
int net_macvlan(struct run *r, const struct op *op, struct err *e)
{
	struct rtnl_link *l CLEANUP(link_freep) = rtnl_link_macvlan_alloc();
	const int mode =
		rtnl_link_macvlan_str2mode(op->c == NULL ? "private" : op->c);

	if (mode < 0)
		return err_set(e, EINVAL, "mode %s", op->c);
	rtnl_link_macvlan_set_mode(l, (unsigned)mode);
	return add_on_parent(r, op, l, e);
}

/* a: name at first, b: name, c: MAC or NULL, d: MTU or NULL. */
int net_link(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct change c = { .name = op->b, .mac = op->c };

	(void)r;
	if (s == NULL || (op->d != NULL && num_u64(op->d, &c.mtu, e) < 0))
		return -1;
	return change(s, op->a, &c, e);
}

int net_up(struct run *r, const struct op *op, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	const struct change up = { .up = true };

	(void)r;
	return s == NULL ? -1 : change(s, op->a, &up, e);
}

struct address {
	const char *link, *ip, *broadcast, *peer;
};

/* Without duplicate address detection: nobody else is in the lab. */
static int fill_addr(struct rtnl_addr *a, const struct address *want,
		     struct err *e)
{
	struct nl_addr *ip CLEANUP(addr_freep) = NULL;
	struct nl_addr *other CLEANUP(addr_freep) = NULL;
	const char *text = want->broadcast != NULL ? want->broadcast :
						     want->peer;
	int rc = nl_addr_parse(want->ip, AF_UNSPEC, &ip);

	if (rc < 0)
		return fail(rc, want->ip, e);
	rtnl_addr_set_local(a, ip);
	if (nl_addr_get_family(ip) == AF_INET6)
		rtnl_addr_set_flags(a, IFA_F_NODAD);
	if (text == NULL)
		return 0;
	rc = nl_addr_parse(text, AF_UNSPEC, &other);
	if (rc < 0)
		return fail(rc, text, e);
	rc = want->broadcast != NULL ? rtnl_addr_set_broadcast(a, other) :
				       rtnl_addr_set_peer(a, other);
	return rc < 0 ? fail(rc, text, e) : 0;
}

/* One that is there already stays: a router of two interfaces. */
static int add_addr(const struct address *want, struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = NULL;
	struct rtnl_addr *a CLEANUP(rtaddr_freep) = rtnl_addr_alloc();
	int rc;

	if (s == NULL || find_link(s, want->link, &l, e) < 0)
		return -1;
	rtnl_addr_set_ifindex(a, rtnl_link_get_ifindex(l));
	if (fill_addr(a, want, e) < 0)
		return -1;
	rc = rtnl_addr_add(s, a, 0);
	return rc < 0 && rc != -NLE_EXIST ? fail(rc, "add", e) : 0;
}

/* a: interface, b: address/prefix, c: broadcast or NULL, d: peer or NULL. */
int net_addr(struct run *r, const struct op *op, struct err *e)
{
	const struct address want = {
		.link = op->a, .ip = op->b, .broadcast = op->c, .peer = op->d
	};

	(void)r;
	return add_addr(&want, e);
}

struct neighbour {
	const struct run *r;
	const struct op *op;
};

static int neighbour_up(void *arg, struct err *e)
{
	const struct neighbour *n = arg;
	struct nl_sock *s CLEANUP(sock_freep) = NULL;
	const struct change up = { .up = true };
	const char *const ips[] = { n->op->c, n->op->d };

	if (setns(n->r->neighbour, CLONE_NEWNET) < 0)
		return err_set(e, errno, "join the neighbour's network");
	s = connect_route(e);
	if (s == NULL || change(s, n->op->b, &up, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(ips); i++) {
		const struct address want = { .link = n->op->b, .ip = ips[i] };

		if (ips[i] != NULL && add_addr(&want, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * a: bridge, b: name of its interface, whose other end is called ...b;
 * c, d: address/prefix, or NULL.
 */
int net_neighbour(struct run *r, const struct op *op, struct err *e)
{
	struct neighbour n = { r, op };

	if (make_pair(op->a, arena_printf(r->mem, "%sb", op->b), op->b,
		      r->neighbour, e) < 0)
		return -1;
	return run_in_child(neighbour_up, &n, e);
}

/* a: name as in /proc/sys, b: value. A kernel without IPv6 lacks some. */
int net_param(struct run *r, const struct op *op, struct err *e)
{
	const char *path = arena_printf(r->mem, "/proc/sys/%s", op->a);

	if (str_starts(op->a, "net/ipv6/") && access(path, F_OK) < 0)
		return 0;
	return run_write(path, op->b, e);
}

/* a: the file. nft(8) writes its rules into the lab's network. */
int net_rules(struct run *r, const struct op *op, struct err *e)
{
	const char *const argv[] = { "nft", "-f", op->a, NULL };
	struct buf out CLEANUP(buf_done) = { 0 };
	int status;

	(void)r;
	if (proc_run(argv, 60, &out, &status, e) < 0)
		return -1;
	return status == 0 ? 0 : err_set(e, 0, "nft: %s", buf_str(&out));
}

/* a: bridge, b: address of a gateway or a name server. */
int net_lab_addr(struct run *r, const struct op *op, struct err *e)
{
	struct inet_addr a;
	struct address want = { .link = op->a };

	if (inet_parse(op->b, &a, e) < 0)
		return -1;
	want.ip = a.family == AF_INET6 && inet_is_linklocal(&a) ?
			  arena_printf(r->mem, "%s/64", op->b) :
			  op->b;
	return add_addr(&want, e);
}

/* Whether the guest gets that address: OP_ADDR has it with its prefix. */
static bool is_guests(const struct run *r, const char *ip)
{
	const size_t n = strlen(ip);

	for (size_t i = 0; i < r->ops->list.n; i++) {
		const struct op *op = &r->ops->list.v[i];

		if (op->kind == OP_ADDR && str_starts(op->b, ip) &&
		    op->b[n] == '/')
			return true;
	}
	return false;
}

/*
 * The line is the guest's: only an address that others may have counts.
 * Whether it did.
 */
static bool answer_for(struct run *r, const char *link, const char *line)
{
	const struct strv w = strv_split(r->mem, line, " \t\r");
	struct address want = { .link = link };
	struct inet_addr a;
	struct err e;

	if (w.n < 2 || !str_eq(w.v[0], "nameserver") ||
	    inet_parse(w.v[1], &a, &e) < 0 || inet_is_loopback(&a) ||
	    inet_is_linklocal(&a) || is_guests(r, w.v[1]))
		return false;
	want.ip = w.v[1];
	add_addr(&want, &e); /* who has none answers none: the probe shows it */
	return true;
}

/* a: interface, b: the guest's root, c: the host's file that is bound there. */
int net_resolvers(struct run *r, const struct op *op, struct err *e)
{
	enum { FILE_MAX = 64 << 10, SERVERS_MAX = 3 }; /* resolv.conf(5) */
	const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;
	int root CLEANUP(fd_closep) =
		open(op->b, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd CLEANUP(fd_closep) = -1;
	struct slice rest, line;
	char *text = arena_alloc(r->mem, FILE_MAX);
	unsigned servers = 0;
	ssize_t n;

	if (root < 0)
		return err_set(e, errno, "open");
	fd = op->c != NULL ? open(op->c, flags) :
			     fd_open_in(root, "etc/resolv.conf", flags);
	n = fd < 0 ? 0 : read(fd, text, FILE_MAX);
	if (n <= 0) /* it has none, or one that is no file */
		return 0;
	rest = (struct slice){ text, (size_t)n };
	while (servers < SERVERS_MAX && slice_next(&rest, '\n', &line))
		servers += answer_for(r, op->a, slice_dup(r->mem, line));
	return 0;
}

static int add_route(const char *link, const char *dest, const char *via,
		     struct err *e)
{
	struct nl_sock *s CLEANUP(sock_freep) = connect_route(e);
	struct rtnl_link *l CLEANUP(link_freep) = NULL;
	struct nl_addr *to CLEANUP(addr_freep) = NULL;
	struct nl_addr *gw CLEANUP(addr_freep) = NULL;
	struct rtnl_route *route;
	struct rtnl_nexthop *hop;
	int rc;

	if (s == NULL || find_link(s, link, &l, e) < 0)
		return -1;
	rc = nl_addr_parse(dest, AF_UNSPEC, &to);
	if (rc == 0 && via != NULL)
		rc = nl_addr_parse(via, AF_UNSPEC, &gw);
	if (rc < 0)
		return fail(rc, "address", e);
	route = rtnl_route_alloc();
	hop = rtnl_route_nh_alloc();
	rtnl_route_nh_set_ifindex(hop, rtnl_link_get_ifindex(l));
	if (gw != NULL)
		rtnl_route_nh_set_gateway(hop, gw);
	rtnl_route_set_dst(route, to);
	rtnl_route_set_family(route, (uint8_t)nl_addr_get_family(to));
	rtnl_route_set_scope(route,
			     gw != NULL ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
	rtnl_route_add_nexthop(route, hop);
	rc = rtnl_route_add(s, route, 0);
	rtnl_route_put(route);
	return rc < 0 && rc != -NLE_EXIST ? fail(rc, "add", e) : 0;
}

/* a: interface, b: destination, c: router, or NULL. */
int net_route(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	return add_route(op->a, op->b, op->c, e);
}

int net_lab_route(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	return add_route(op->a, op->b, NULL, e);
}
