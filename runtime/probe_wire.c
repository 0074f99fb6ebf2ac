/*
 * How the guest's interfaces reach the lab: their kind as the guest sees it,
 * and what the lab has at the other end. Netlink's own numbers tie the two.
 */
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/ipvlan.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/vlan.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/net.h"
#include "runtime/probe.h"

static const char *mode_of(struct rtnl_link *l, char text[32])
{
	uint16_t mode;

	text[0] = '\0';
	if (rtnl_link_is_macvlan(l))
		return rtnl_link_macvlan_mode2str(
			(int)rtnl_link_macvlan_get_mode(l), text, 32);
	if (rtnl_link_is_ipvlan(l) &&
	    rtnl_link_ipvlan_get_mode(l, &mode) == 0 &&
	    net_ipvlan_name(mode) != NULL)
		return net_ipvlan_name(mode);
	if (rtnl_link_is_vlan(l))
		snprintf(text, 32, "%d", rtnl_link_vlan_get_id(l));
	return text[0] == '\0' ? "-" : text;
}

struct out {
	int fd;
};

static void show_link(struct nl_object *o, void *arg)
{
	struct rtnl_link *l = (struct rtnl_link *)o;
	const struct out *out = arg;
	const char *kind = rtnl_link_get_type(l);
	char mode[32];

	dprintf(out->fd, "%s %d %s %d %d %s\n", rtnl_link_get_name(l),
		rtnl_link_get_ifindex(l), kind == NULL ? "-" : kind,
		rtnl_link_get_link(l), rtnl_link_get_master(l),
		mode_of(l, mode));
}

/* "NAME NUMBER KIND LINK MASTER MODE" a line. */
static void in_wires(int fd, const void *arg)
{
	struct nl_sock *s = nl_socket_alloc();
	struct nl_cache *all = NULL;
	struct out out = { .fd = fd };

	(void)arg;
	if (s != NULL && nl_connect(s, NETLINK_ROUTE) == 0 &&
	    rtnl_link_alloc_cache(s, AF_UNSPEC, &all) == 0) {
		nl_cache_foreach(all, show_link, &out);
		dprintf(fd, "end\n");
		nl_cache_free(all);
	}
	nl_socket_free(s);
}

/*
 * "vlan NUMBER LIST" of a bridge's port: the VLAN of frames without a tag, or
 * "none", then "+ID" for each other.
 */
static void show_vlans(struct nl_object *o, void *arg)
{
	struct rtnl_link *l = (struct rtnl_link *)o;
	const struct out *out = arg;
	const struct rtnl_link_bridge_vlan *v =
		rtnl_link_bridge_has_vlan(l) > 0 ?
			rtnl_link_bridge_get_port_vlan(l) :
			NULL;

	if (v == NULL)
		return;
	dprintf(out->fd, "vlan %d ", rtnl_link_get_ifindex(l));
	if (v->pvid != 0)
		dprintf(out->fd, "%u", v->pvid);
	else
		dprintf(out->fd, "none");
	for (unsigned id = 1; id < RTNL_LINK_BRIDGE_VLAN_BITMAP_MAX; id++)
		if (id != v->pvid &&
		    (v->vlan_bitmap[id / 32] >> id % 32 & 1) != 0)
			dprintf(out->fd, "+%u", id);
	dprintf(out->fd, "\n");
}

/* "filter NUMBER" of a bridge that keeps VLANs apart; libnl does not say. */
static int show_filter(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *head = nlmsg_hdr(msg);
	const struct ifinfomsg *link = nlmsg_data(head);
	const struct out *out = arg;
	struct nlattr *info =
		nlmsg_find_attr(head, sizeof(*link), IFLA_LINKINFO);
	struct nlattr *part[IFLA_INFO_MAX + 1], *on;

	if (info == NULL ||
	    nla_parse_nested(part, IFLA_INFO_MAX, info, NULL) < 0 ||
	    part[IFLA_INFO_KIND] == NULL || part[IFLA_INFO_DATA] == NULL ||
	    nla_strcmp(part[IFLA_INFO_KIND], "bridge") != 0)
		return NL_OK;
	on = nla_find(nla_data(part[IFLA_INFO_DATA]),
		      nla_len(part[IFLA_INFO_DATA]), IFLA_BR_VLAN_FILTERING);
	if (on != NULL && nla_get_u8(on) != 0)
		dprintf(out->fd, "filter %d\n", link->ifi_index);
	return NL_OK;
}

static void in_vlans(int fd)
{
	struct nl_sock *s = nl_socket_alloc();
	struct nl_cache *ports = NULL;
	struct ifinfomsg all = { .ifi_family = AF_UNSPEC };
	struct out out = { .fd = fd };

	if (s == NULL || nl_connect(s, NETLINK_ROUTE) < 0) {
		nl_socket_free(s);
		return;
	}
	if (rtnl_link_alloc_cache(s, AF_BRIDGE, &ports) == 0) {
		nl_cache_foreach(ports, show_vlans, &out);
		nl_cache_free(ports);
	}
	nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, show_filter, &out);
	if (nl_send_simple(s, RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all)) >= 0)
		nl_recvmsgs_default(s);
	nl_socket_free(s);
}

/* The lab also says what it routes: /proc/net/route, the name first. */
static void in_lab(int fd, const void *arg)
{
	static const char *const files[] = { "/proc/self/net/route",
					     "/proc/self/net/ipv6_route" };

	for (size_t i = 0; i < COUNT(files); i++) {
		FILE *f = fopen(files[i], "re");
		char line[512];

		while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
			char *last = strrchr(line, ' ');

			line[strcspn(line, "\n")] = '\0';
			if (i == 0)
				line[strcspn(line, "\t ")] = '\0';
			if (i == 0 || last != NULL)
				dprintf(fd, "route %s\n",
					i == 0 ? line : last + 1);
		}
		if (f != NULL)
			fclose(f);
	}
	in_vlans(fd);
	in_wires(fd, arg);
}

struct wire_end {
	const char *name, *number, *kind, *link, *master, *mode;
};

struct port_vlans {
	const char *number, *list; /* of the port; "7", "1+7", "none+7" */
};

struct wires {
	VEC(struct wire_end) list;
	VEC(struct port_vlans) vlans;
	struct strv routed;  /* interfaces that a route goes through */
	struct strv filters; /* numbers of bridges that keep VLANs apart */
};

static int parse(struct probe *p, const char *text, struct wires *ret,
		 struct err *e)
{
	struct slice rest = { text, strlen(text) }, line;
	bool whole = false;

	*ret = (struct wires){ 0 };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");

		whole = w.n == 1;
		if (w.n == 2)
			strv_add(p->mem,
				 str_eq(w.v[0], "route") ? &ret->routed :
							   &ret->filters,
				 w.v[1]);
		if (w.n == 3)
			*vec_add(p->mem, &ret->vlans) =
				(struct port_vlans){ w.v[1], w.v[2] };
		if (w.n == 6)
			*vec_add(p->mem, &ret->list) =
				(struct wire_end){ w.v[0], w.v[1], w.v[2],
						   w.v[3], w.v[4], w.v[5] };
	}
	return whole ? 0 : err_set(e, 0, "interfaces cannot be listed");
}

static const struct wire_end *find(const struct wires *w, const char *number)
{
	for (size_t i = 0; i < w->list.n; i++)
		if (str_eq(w->list.v[i].number, number))
			return &w->list.v[i];
	return NULL;
}

/*
 * VLANs of a port, where its bridge keeps them apart. In that of every new
 * port it is as if there were none.
 */
static void see_vlans(struct probe *p, const struct wires *lab,
		      const struct wire_end *in, const struct wire_end *end)
{
	if (!strv_has(&lab->filters, end->master))
		return;
	for (size_t i = 0; i < lab->vlans.n; i++) {
		const struct port_vlans *v = &lab->vlans.v[i];

		if (str_eq(v->number, end->number) &&
		    (!str_eq(v->list, "1") ||
		     probe_asked(p, FIELD_NIC_VLAN, in->name)))
			probe_add(p, FIELD_NIC_VLAN, in->name, v->list);
	}
}

static void see_veth(struct probe *p, const struct wires *lab,
		     const struct wire_end *in, const struct wire_end *end)
{
	const char *planned =
		policy_get(p->package->planned, FIELD_NIC_ATTACH, in->name);
	const struct wire_end *bridge = find(lab, end->master);
	const char *seen = "p2p";

	if (bridge != NULL)
		seen = arena_printf(p->mem, "bridge:%s", bridge->name);
	else if (strv_has(&lab->routed, end->name))
		/*
		 * Which uplink the router has does not show on the wire, nor
		 * whether it is more than the other end.
		 */
		seen = planned != NULL && (str_starts(planned, "routed") ||
					   str_eq(planned, "p2p")) ?
			       planned :
			       "routed";
	probe_add(p, FIELD_NIC_ATTACH, in->name, seen);
	see_vlans(p, lab, in, end);
	probe_host_name(p, in->name, end->name);
}

static void see_nic(struct probe *p, const struct wires *lab,
		    const struct wire_end *in)
{
	const struct wire_end *end = find(lab, in->link);

	if (end == NULL)
		probe_add(p, FIELD_NIC_ATTACH, in->name,
			  str_eq(in->kind, "-") ? "phys" : "none");
	else if (str_eq(in->kind, "veth"))
		see_veth(p, lab, in, end);
	else
		probe_add(p, FIELD_NIC_ATTACH, in->name,
			  arena_printf(p->mem, "%s:%s", in->kind, end->name));
	if (!str_eq(in->mode, "-") && probe_asked(p, FIELD_NIC_MODE, in->name))
		probe_add(p, FIELD_NIC_MODE, in->name, in->mode);
	if (end != NULL && str_eq(end->kind, "vlan") &&
	    probe_asked(p, FIELD_NIC_VLAN, in->name))
		probe_add(p, FIELD_NIC_VLAN, in->name, end->mode);
}

/* Whether it takes router advertisements: 0 not, 1 or 2 it does. */
static void in_accept_ra(int fd, const void *arg)
{
	const char *const *names = arg;

	for (; *names != NULL; names++) {
		char path[128], c = '-';
		int f CLEANUP(fd_closep) = -1;

		snprintf(path, sizeof(path),
			 "/proc/sys/net/ipv6/conf/%s/accept_ra", *names);
		f = open(path, O_RDONLY | O_CLOEXEC);
		if (f < 0 || read(f, &c, 1) != 1)
			c = '-';
		dprintf(fd, "%s %c\n", *names, c);
	}
}

static int see_accept_ra(struct probe *p, const struct wires *in, struct err *e)
{
	struct strv asked = { 0 };
	struct slice rest, line;
	const char *text;

	for (size_t i = 0; i < in->list.n; i++)
		if (probe_asked(p, FIELD_NIC_ACCEPT_RA, in->list.v[i].name))
			strv_add(p->mem, &asked, in->list.v[i].name);
	if (asked.n == 0)
		return 0;
	strv_add(p->mem, &asked, NULL);
	if (probe_inside(p, in_accept_ra, asked.v, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");

		if (w.n == 2 && str_eq(w.v[1], "-"))
			probe_unseen(p, FIELD_NIC_ACCEPT_RA, w.v[0],
				     "the guest has no /proc to read it in");
		else if (w.n == 2)
			probe_add(p, FIELD_NIC_ACCEPT_RA, w.v[0],
				  str_eq(w.v[1], "0") ? "no" : "yes");
	}
	return 0;
}

int probe_attachment(struct probe *p, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct wires lab, in;
	const char *text;

	if (p->subject->lab == NULL)
		return err_set(e, 0, "there is no lab at the other end");
	if (p->subject->lab(p->subject->engine, in_lab, NULL, 10, &b, e) < 0 ||
	    parse(p, arena_strdup(p->mem, buf_str(&b)), &lab, e) < 0 ||
	    probe_inside(p, in_wires, NULL, &text, e) < 0 ||
	    parse(p, text, &in, e) < 0)
		return -1;
	for (size_t i = 0; i < in.list.n; i++)
		if (policy_get(p->package->planned, FIELD_NIC_NAME,
			       in.list.v[i].name) != NULL)
			see_nic(p, &lab, &in.list.v[i]);
	return see_accept_ra(p, &in, e);
}
