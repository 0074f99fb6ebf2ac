/*
 * Texts of the families' files for one interface. Each is the oldest syntax
 * that the family's releases have in common; a router that is in none of the
 * interface's networks gets a route of its own first.
 */
#include <stdio.h>

#include "base/attr.h"
#include "base/str.h"
#include "plan/edits_own.h"

static const char *ip_tool(bool v4)
{
	return v4 ? "ip" : "ip -6";
}

static void each_prefix(const struct own_family *f, const char *before,
			const char *after, struct buf *b)
{
	for (size_t i = 0; i < f->ips.n; i++)
		buf_printf(b, "%s%s/%u%s", before, f->ips.v[i].ip,
			   f->ips.v[i].prefix, after);
}

/* " brd 192.0.2.255" of ip-address(8) and netifrc's net.example, or nothing. */
static const char *brd(const struct own_ip *ip, char ret[64])
{
	ret[0] = '\0';
	if (ip->broadcast != NULL)
		snprintf(ret, 64, " brd %s", ip->broadcast);
	return ret;
}

/* --- interfaces(5): ifupdown of all releases, and busybox's --- */

static void ifupdown_family(const struct own_nic *n, const struct own_family *f,
			    bool v4, struct buf *b)
{
	const char *ip = ip_tool(v4);
	char text[64];

	if (f->ips.n == 0)
		return;
	buf_printf(b, "iface %s inet%s static\n\taddress %s\n", n->name,
		   v4 ? "" : "6", f->ips.v[0].ip);
	if (v4)
		buf_printf(b, "\tnetmask %s\n", f->ips.v[0].mask);
	else
		buf_printf(b, "\tnetmask %u\n", f->ips.v[0].prefix);
	if (f->ips.v[0].broadcast != NULL)
		buf_printf(b, "\tbroadcast %s\n", f->ips.v[0].broadcast);
	if (n->mtu != NULL)
		buf_printf(b, "\tup ip link set %s mtu %s\n", n->name, n->mtu);
	for (size_t i = 1; i < f->ips.n; i++)
		buf_printf(b, "\tup %s addr add %s/%u%s dev %s\n", ip,
			   f->ips.v[i].ip, f->ips.v[i].prefix,
			   brd(&f->ips.v[i], text), n->name);
	if (f->gateway != NULL && f->onlink)
		buf_printf(b,
			   "\tup %s route add %s dev %s\n"
			   "\tup %s route add default via %s dev %s\n",
			   ip, f->gateway, n->name, ip, f->gateway, n->name);
	else if (f->gateway != NULL)
		buf_printf(b, "\tgateway %s\n", f->gateway);
}

void edits_own_text_ifupdown(const struct own_nic *n, struct buf *b)
{
	buf_printf(b, "\nauto %s\n", n->name);
	ifupdown_family(n, &n->v4, true, b);
	ifupdown_family(n, &n->v6, false, b);
}

/* --- ifcfg of Red Hat: sysconfig.txt of initscripts --- */

void edits_own_text_ifcfg(const struct own_nic *n, struct buf *b)
{
	buf_printf(b,
		   "DEVICE=%s\nONBOOT=yes\nBOOTPROTO=none\n"
		   "NM_CONTROLLED=no\n",
		   n->name);
	if (n->mtu != NULL)
		buf_printf(b, "MTU=%s\n", n->mtu);
	if (n->v4.ips.n != 0)
		buf_printf(b, "IPADDR=%s\nNETMASK=%s\n", n->v4.ips.v[0].ip,
			   n->v4.ips.v[0].mask);
	if (n->v4.ips.n != 0 && n->v4.ips.v[0].broadcast != NULL)
		buf_printf(b, "BROADCAST=%s\n", n->v4.ips.v[0].broadcast);
	if (n->v4.gateway != NULL && !n->v4.onlink)
		buf_printf(b, "GATEWAY=%s\n", n->v4.gateway);
	if (n->v6.ips.n == 0)
		return;
	buf_printf(b, "IPV6INIT=yes\nIPV6_AUTOCONF=no\nIPV6ADDR=%s/%u\n",
		   n->v6.ips.v[0].ip, n->v6.ips.v[0].prefix);
	if (n->v6.ips.n > 1) {
		buf_adds(b, "IPV6ADDR_SECONDARIES=\"");
		for (size_t i = 1; i < n->v6.ips.n; i++)
			buf_printf(b, "%s%s/%u", i == 1 ? "" : " ",
				   n->v6.ips.v[i].ip, n->v6.ips.v[i].prefix);
		buf_adds(b, "\"\n");
	}
	if (n->v6.gateway != NULL)
		buf_printf(b, "IPV6_DEFAULTGW=%s\nIPV6_DEFAULTDEV=%s\n",
			   n->v6.gateway, n->name);
}

void edits_own_text_ifcfg_route(const struct own_nic *n, struct buf *b)
{
	if (n->v4.gateway != NULL && n->v4.onlink)
		buf_printf(b, "%s dev %s\ndefault via %s dev %s\n",
			   n->v4.gateway, n->name, n->v4.gateway, n->name);
}

/* --- ifcfg of SUSE: ifcfg(5), routes(5) --- */

void edits_own_text_suse(const struct own_nic *n, struct buf *b)
{
	buf_adds(b, "STARTMODE='auto'\nBOOTPROTO='static'\n");
	if (n->mtu != NULL)
		buf_printf(b, "MTU='%s'\n", n->mtu);
	for (size_t i = 0; i < n->v4.ips.n + n->v6.ips.n; i++) {
		const struct own_ip *ip = i < n->v4.ips.n ?
						  &n->v4.ips.v[i] :
						  &n->v6.ips.v[i - n->v4.ips.n];

		char suffix[24] = "";

		if (i != 0)
			snprintf(suffix, sizeof(suffix), "_%zu", i);
		buf_printf(b, "IPADDR%s='%s/%u'\n", suffix, ip->ip, ip->prefix);
		if (ip->broadcast != NULL)
			buf_printf(b, "BROADCAST%s='%s'\n", suffix,
				   ip->broadcast);
	}
}

void edits_own_text_suse_route(const struct own_nic *n, struct buf *b)
{
	const struct own_family *const all[] = { &n->v4, &n->v6 };

	for (size_t i = 0; i < 2; i++) {
		const struct own_family *f = all[i];

		if (f->gateway == NULL)
			continue;
		if (f->onlink)
			buf_printf(b, "%s/%d - - %s\n", f->gateway,
				   i == 0 ? 32 : 128, n->name);
		buf_printf(b, "default %s - %s\n", f->gateway, n->name);
	}
}

/* --- netctl.profile(5) --- */

static void netctl_family(const struct own_family *f, const char *suffix,
			  struct buf *b)
{
	if (f->ips.n == 0)
		return;
	buf_printf(b, "IP%s=static\nAddress%s=(", suffix, suffix);
	for (size_t i = 0; i < f->ips.n; i++)
		buf_printf(b, "%s'%s/%u'", i == 0 ? "" : " ", f->ips.v[i].ip,
			   f->ips.v[i].prefix);
	buf_adds(b, ")\n");
	if (f->gateway == NULL)
		return;
	if (f->onlink)
		buf_printf(b, "Routes%s=('%s' 'default via %s')\n", suffix,
			   f->gateway, f->gateway);
	else
		buf_printf(b, "Gateway%s='%s'\n", suffix, f->gateway);
}

void edits_own_text_netctl(const struct own_nic *n, struct buf *b)
{
	buf_printf(b, "Interface=%s\nConnection=ethernet\nSkipNoCarrier=yes\n",
		   n->name);
	netctl_family(&n->v4, "", b);
	netctl_family(&n->v6, "6", b);
	if (n->mtu != NULL)
		buf_printf(b, "ExecUpPost='ip link set %s mtu %s'\n", n->name,
			   n->mtu);
}

/* --- netplan(5) --- */

static void netplan_route(const struct own_family *f, const char *all,
			  bool *has_routes, struct buf *b)
{
	if (f->gateway == NULL)
		return;
	if (!*has_routes)
		buf_adds(b, "      routes:\n");
	*has_routes = true;
	buf_printf(b, "        - to: \"%s\"\n          via: \"%s\"\n", all,
		   f->gateway);
	if (f->onlink)
		buf_adds(b, "          on-link: true\n");
}

void edits_own_text_netplan(const struct own_nic *n, struct buf *b)
{
	bool has_routes = false;

	buf_printf(b, "    %s:\n      accept-ra: false\n", n->name);
	if (n->mtu != NULL)
		buf_printf(b, "      mtu: %s\n", n->mtu);
	buf_adds(b, "      addresses:\n");
	each_prefix(&n->v4, "        - \"", "\"\n", b);
	each_prefix(&n->v6, "        - \"", "\"\n", b);
	netplan_route(&n->v4, "0.0.0.0/0", &has_routes, b);
	netplan_route(&n->v6, "::/0", &has_routes, b);
}

/* --- systemd.network(5) --- */

static void networkd_route(const struct own_family *f, struct buf *b)
{
	if (f->gateway == NULL)
		return;
	buf_printf(b, "\n[Route]\nGateway=%s\n", f->gateway);
	if (f->onlink) /* GatewayOnLink= is read by later ones only */
		buf_adds(b, "GatewayOnlink=yes\n");
}

void edits_own_text_networkd(const struct own_nic *n, struct buf *b)
{
	buf_printf(b, "[Match]\nName=%s\n", n->name);
	if (n->mtu != NULL)
		buf_printf(b, "\n[Link]\nMTUBytes=%s\n", n->mtu);
	buf_adds(b, "\n[Network]\nIPv6AcceptRA=no\n");
	each_prefix(&n->v4, "Address=", "\n", b);
	each_prefix(&n->v6, "Address=", "\n", b);
	networkd_route(&n->v4, b);
	networkd_route(&n->v6, b);
}

/* --- nm-settings-keyfile(5) --- */

static void manager_family(const struct own_family *f, const char *section,
			   struct buf *b)
{
	buf_printf(b, "\n[%s]\n", section);
	if (f->ips.n == 0) {
		/* "disabled" is new for IPv6 in release 1.20 */
		buf_printf(b, "method=%s\n",
			   str_eq(section, "ipv6") ? "ignore" : "disabled");
		return;
	}
	buf_adds(b, "method=manual\n");
	for (size_t i = 0; i < f->ips.n; i++)
		buf_printf(b, "address%zu=%s/%u\n", i + 1, f->ips.v[i].ip,
			   f->ips.v[i].prefix);
	if (f->gateway == NULL)
		return;
	if (f->onlink)
		buf_printf(b, "route1=%s/%s\n", f->gateway,
			   f->ips.v[0].mask != NULL ? "32" : "128");
	buf_printf(b, "gateway=%s\n", f->gateway);
}

void edits_own_text_manager(const struct own_nic *n, struct buf *b)
{
	buf_printf(b,
		   "[connection]\nid=rehost-%s\ntype=ethernet\n"
		   "interface-name=%s\nautoconnect=true\n",
		   n->name, n->name);
	if (n->mtu != NULL)
		buf_printf(b, "\n[ethernet]\nmtu=%s\n", n->mtu);
	manager_family(&n->v4, "ipv4", b);
	manager_family(&n->v6, "ipv6", b);
}

/* --- net of netifrc, and of baselayout 1 before it --- */

static void netifrc_list(const char *key, const char *name, bool arrays,
			 const struct strv *items, struct buf *b)
{
	buf_printf(b, "%s_%s=%s", key, name, arrays ? "(" : "\"");
	for (size_t i = 0; i < items->n; i++)
		if (arrays)
			buf_printf(b, " \"%s\"", items->v[i]);
		else
			buf_printf(b, "%s%s", i == 0 ? "" : "\n", items->v[i]);
	buf_adds(b, arrays ? " )\n" : "\"\n");
}

static void netifrc_family(const struct own_family *f, struct arena *mem,
			   struct strv *ips, struct strv *routes)
{
	char text[64];

	for (size_t i = 0; i < f->ips.n; i++)
		strv_add(mem, ips,
			 arena_printf(mem, "%s/%u%s", f->ips.v[i].ip,
				      f->ips.v[i].prefix,
				      brd(&f->ips.v[i], text)));
	if (f->gateway == NULL)
		return;
	if (f->onlink)
		strv_add(mem, routes,
			 arena_printf(mem, "%s/%s", f->gateway,
				      f->ips.v[0].mask ? "32" : "128"));
	strv_add(mem, routes, arena_printf(mem, "default via %s", f->gateway));
}

void edits_own_text_netifrc(const struct own_nic *n, const char *name,
			    bool arrays, struct buf *b)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct strv ips = { 0 }, routes = { 0 };

	netifrc_family(&n->v4, mem, &ips, &routes);
	netifrc_family(&n->v6, mem, &ips, &routes);
	netifrc_list("config", name, arrays, &ips, b);
	netifrc_list("routes", name, arrays, &routes, b);
	if (n->mtu != NULL)
		buf_printf(b, "mtu_%s=\"%s\"\n", name, n->mtu);
}

/* --- rc.inet1.conf of Slackware: one IPv4 address an interface --- */

static void slackware_local(const struct own_nic *n, const struct own_family *f,
			    bool v4, struct buf *b)
{
	const char *ip = ip_tool(v4);
	char text[64];

	for (size_t i = v4 ? 1 : 0; i < f->ips.n; i++)
		buf_printf(b, "/sbin/%s addr add %s/%u%s dev %s\n", ip,
			   f->ips.v[i].ip, f->ips.v[i].prefix,
			   brd(&f->ips.v[i], text), n->name);
	if (f->gateway == NULL || (v4 && !f->onlink))
		return;
	if (f->onlink)
		buf_printf(b, "/sbin/%s route add %s dev %s\n", ip, f->gateway,
			   n->name);
	buf_printf(b, "/sbin/%s route add default via %s dev %s\n", ip,
		   f->gateway, n->name);
}

void edits_own_text_slackware(const struct own_nic *n, size_t i, struct buf *b,
			      struct buf *local)
{
	if (n->v4.ips.n != 0)
		buf_printf(b,
			   "IFNAME[%zu]=\"%s\"\nIPADDR[%zu]=\"%s\"\n"
			   "NETMASK[%zu]=\"%s\"\nUSE_DHCP[%zu]=\"\"\n",
			   i, n->name, i, n->v4.ips.v[0].ip, i,
			   n->v4.ips.v[0].mask, i);
	if (n->v4.gateway != NULL && !n->v4.onlink)
		buf_printf(b, "GATEWAY=\"%s\"\n", n->v4.gateway);
	if (n->mtu != NULL)
		buf_printf(local, "/sbin/ip link set %s mtu %s\n", n->name,
			   n->mtu);
	slackware_local(n, &n->v4, true, local);
	slackware_local(n, &n->v6, false, local);
}
