/*
 * Set-up of the guest's own network, where the guest sets its addresses
 * itself: a function a family, and the switches that start it. The texts are
 * in edits_own_text.c. Reference: vserver.md 5.2 row 20 and its table of
 * families, openvz.md 6.4.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/inet.h"
#include "base/str.h"
#include "plan/edits_own.h"

static const char head[] = "# rehost: the guest sets its addresses itself\n";

/* --- what there is to set up --- */

static const char *mask_of(struct arena *mem, unsigned prefix)
{
	const uint32_t bits = prefix == 0 ? 0 : UINT32_MAX << (32 - prefix);

	return arena_printf(mem, "%u.%u.%u.%u", bits >> 24, bits >> 16 & 255,
			    bits >> 8 & 255, bits & 255);
}

/* Neighbours of a routed interface are reached through the host alone. */
static bool is_routed(const struct nic *n)
{
	return n->attach.from != NULL && str_starts(n->attach.v, "routed:");
}

static struct own_family family_of(struct edits *ed, const struct nic *n,
				   int family, const struct opt_str *gateway)
{
	const struct guest *g = ed->p->g;
	struct own_family f = { 0 };
	struct inet_net net;
	struct inet_addr router;
	char text[INET_TEXT];
	struct err e;

	if (gateway->from != NULL && inet_parse(gateway->v, &router, &e) == 0 &&
	    router.family == family) {
		inet_show(&router, text);
		f.gateway = arena_strdup(ed->mem, text);
		/* IPv6 reaches those of its own link without a route. */
		f.onlink = family == AF_INET || !inet_is_linklocal(&router);
	}
	for (size_t i = 0; i < g->addrs.n; i++) {
		const struct addr *a = g->addrs.v[i];

		if (a->nic != n || a->ip.from == NULL ||
		    inet_parse(a->ip.v, &net.addr, &e) < 0 ||
		    net.addr.family != family)
			continue;
		net.prefix = inet_bits(&net.addr);
		if (a->prefix.from != NULL && a->prefix.v < net.prefix &&
		    !is_routed(n))
			net.prefix = (unsigned)a->prefix.v;
		if (f.gateway != NULL && inet_net_has(&net, &router))
			f.onlink = false;
		inet_show(&net.addr, text);
		*vec_add(ed->mem, &f.ips) = (struct own_ip){
			.ip = arena_strdup(ed->mem, text),
			.prefix = net.prefix,
			.mask = family == AF_INET ?
					mask_of(ed->mem, net.prefix) :
					NULL,
			.broadcast = guest_broadcast(a, &net, ed->mem),
		};
	}
	return f;
}

struct own edits_own_of(struct edits *ed)
{
	const struct guest *g = ed->p->g;
	struct own own = { 0 };

	for (size_t i = 0; i < g->nics.n; i++) {
		const struct nic *n = g->nics.v[i];
		struct own_nic o = { .name = n->name.v };

		o.v4 = family_of(ed, n, AF_INET, &n->gateway4);
		o.v6 = family_of(ed, n, AF_INET6, &n->gateway6);
		if (n->mtu.from != NULL)
			o.mtu = arena_printf(ed->mem, "%" PRIu64, n->mtu.v);
		if (o.v4.ips.n + o.v6.ips.n != 0)
			*vec_add(ed->mem, &own.nics) = o;
	}
	return own;
}

/* --- files --- */

/* Takes the place of what stood there. */
static void put(struct edits *ed, const char *path, struct buf *text,
		uint32_t mode)
{
	const char *real = edits_place(ed, path);

	if (real != NULL)
		edits_add(ed, real, arena_strdup(ed->mem, buf_str(text)),
			  text->n, mode);
}

/* One file an interface: DIR/PREFIX NAME SUFFIX. */
static void put_each(struct edits *ed, const char *prefix, const char *suffix,
		     uint32_t mode,
		     void (*text)(const struct own_nic *n, struct buf *b))
{
	const struct own own = edits_own_of(ed);

	for (size_t i = 0; i < own.nics.n; i++) {
		const struct own_nic *n = &own.nics.v[i];
		struct buf b CLEANUP(buf_done) = { 0 };

		buf_adds(&b, head);
		text(n, &b);
		if (b.n > strlen(head))
			put(ed,
			    arena_printf(ed->mem, "%s/%s%s%s", ed->row->path,
					 prefix, n->name, suffix),
			    &b, mode);
	}
}

/* All interfaces in one file, behind what there is of a beginning. */
static void put_one(struct edits *ed, const char *first, uint32_t mode,
		    void (*text)(const struct own_nic *n, struct buf *b))
{
	const struct own own = edits_own_of(ed);
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_printf(&b, "%s%s", head, first);
	for (size_t i = 0; i < own.nics.n; i++)
		text(&own.nics.v[i], &b);
	put(ed, ed->row->path, &b, mode);
}

/* Other files of a directory that is read as a whole. */
static void remove_others(struct edits *ed, const char *pattern)
{
	const struct strv paths = edits_glob(ed, pattern);

	for (size_t i = 0; i < paths.n; i++)
		edits_remove(ed, paths.v[i]);
}

/* --- switches --- */

static void link_new(struct edits *ed, const char *path, const char *target)
{
	const char *real = edits_place_new(ed, path);
	struct tree_stat st;
	struct err e;

	if (real != NULL && tree_lstat(ed->p->root, real, &st, &e) < 0)
		edits_link(ed, real, target);
}

/* "S10network" in the level unless there is a start link; a K link goes. */
static void start_level(struct edits *ed, const char *dir, const char *entry)
{
	const struct strv there = edits_glob(
		ed, arena_printf(ed->mem, "%s/???%s", dir, entry + 3));

	for (size_t i = 0; i < there.n; i++)
		if (strrchr(there.v[i], '/')[1] == 'S')
			return;
	for (size_t i = 0; i < there.n; i++)
		edits_remove(ed, there.v[i]);
	link_new(ed, arena_printf(ed->mem, "%s/%s", dir, entry),
		 arena_printf(ed->mem, "../init.d/%s", entry + 3));
}

static void start_sysv(struct edits *ed, const char *base, const char *levels,
		       const char *entry)
{
	const char *script =
		arena_printf(ed->mem, "%s/init.d/%s", base, entry + 3);

	for (; edits_exists(ed, script) && *levels != '\0'; levels++)
		start_level(ed,
			    arena_printf(ed->mem, "%s/rc%c.d", base, *levels),
			    entry);
}

/* file: the template, where the unit is one of its instances. */
static void start_unit(struct edits *ed, const char *unit, const char *file)
{
	static const char *const dirs[] = { "/lib/systemd/system",
					    "/usr/lib/systemd/system" };
	static const char wants[] =
		"/etc/systemd/system/multi-user.target.wants";

	for (size_t i = 0; i < COUNT(dirs); i++) {
		const char *path =
			arena_printf(ed->mem, "%s/%s", dirs[i], file);

		if (!edits_exists(ed, path))
			continue;
		link_new(ed, arena_printf(ed->mem, "%s/%s", wants, unit), path);
		return;
	}
}

/* --- families --- */

/* Debian starts it in rcS.d, Alpine in the level "boot". */
void edits_own_ifupdown(struct edits *ed)
{
	put_one(ed, "auto lo\niface lo inet loopback\n", 0644,
		edits_own_text_ifupdown);
	start_sysv(ed, "/etc", "S", "S40networking");
	start_unit(ed, "networking.service", "networking.service");
	if (tree_is_dir(ed->p->root, "/etc/runlevels/boot"))
		link_new(ed, "/etc/runlevels/boot/networking",
			 "/etc/init.d/networking");
}

/* NAME:0, NAME:1 ... for addresses that IPADDR does not take. */
static void ifcfg_aliases(struct edits *ed)
{
	const struct own own = edits_own_of(ed);

	for (size_t i = 0; i < own.nics.n; i++)
		for (size_t j = 1; j < own.nics.v[i].v4.ips.n; j++) {
			const struct own_ip *ip = &own.nics.v[i].v4.ips.v[j];
			const char *name = own.nics.v[i].name;
			struct buf b CLEANUP(buf_done) = { 0 };

			buf_printf(&b,
				   "%sDEVICE=%s:%zu\nONPARENT=yes\n"
				   "IPADDR=%s\nNETMASK=%s\n",
				   head, name, j - 1, ip->ip, ip->mask);
			if (ip->broadcast != NULL)
				buf_printf(&b, "BROADCAST=%s\n", ip->broadcast);
			put(ed,
			    arena_printf(ed->mem, "%s/ifcfg-%s:%zu",
					 ed->row->path, name, j - 1),
			    &b, 0644);
		}
}

void edits_own_ifcfg(struct edits *ed)
{
	put_each(ed, "ifcfg-", "", 0644, edits_own_text_ifcfg);
	put_each(ed, "route-", "", 0644, edits_own_text_ifcfg_route);
	ifcfg_aliases(ed);
	edits_add_line(ed, "/etc/sysconfig/network",
		       "NETWORKING=yes\nNETWORKING_IPV6=yes");
	start_sysv(ed, "/etc/rc.d", "2345", "S10network");
}

void edits_own_suse(struct edits *ed)
{
	static const char wicked[] = "/usr/lib/systemd/system/wicked.service";

	put_each(ed, "ifcfg-", "", 0644, edits_own_text_suse);
	put_each(ed, "ifroute-", "", 0644, edits_own_text_suse_route);
	if (edits_exists(ed, "/etc/init.d/network"))
		for (const char *level = "35"; *level != '\0'; level++)
			link_new(ed,
				 arena_printf(ed->mem,
					      "/etc/init.d/rc%c.d/S05network",
					      *level),
				 "../network");
	start_unit(ed, "wicked.service", "wicked.service");
	if (edits_exists(ed, wicked))
		link_new(ed, "/etc/systemd/system/network.service", wicked);
}

/* Lines at the end: the last assignment counts. */
void edits_own_slackware(struct edits *ed)
{
	const struct own own = edits_own_of(ed);
	struct buf b CLEANUP(buf_done) = { 0 };
	struct buf local CLEANUP(buf_done) = { 0 };

	buf_adds(&b, head);
	for (size_t i = 0; i < own.nics.n; i++)
		edits_own_text_slackware(&own.nics.v[i], i, &b, &local);
	edits_add_line(ed, ed->row->path,
		       arena_strndup(ed->mem, buf_str(&b), b.n - 1));
	edits_chmod(ed, "/etc/rc.d/rc.inet1", 0111, 0);
	if (local.n == 0)
		return;
	edits_add_line(ed, "/etc/rc.d/rc.local",
		       arena_strndup(ed->mem, buf_str(&local), local.n - 1));
	edits_chmod(ed, "/etc/rc.d/rc.local", 0111, 0);
}

/* "eth0.5" is eth0_5 in the names of variables. */
static const char *variable(struct arena *mem, const char *nic)
{
	char *text = arena_strdup(mem, nic);

	for (char *s = text; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
	return text;
}

void edits_own_netifrc(struct edits *ed)
{
	const bool arrays = tree_is_dir(ed->p->root, "/lib/rcscripts");
	const struct own own = edits_own_of(ed);
	struct buf b CLEANUP(buf_done) = { 0 };

	buf_adds(&b, head);
	for (size_t i = 0; i < own.nics.n; i++) {
		const char *name = own.nics.v[i].name;

		edits_own_text_netifrc(&own.nics.v[i], variable(ed->mem, name),
				       arrays, &b);
		link_new(ed, arena_printf(ed->mem, "/etc/init.d/net.%s", name),
			 "net.lo");
		link_new(ed,
			 arena_printf(ed->mem, "/etc/runlevels/default/net.%s",
				      name),
			 arena_printf(ed->mem, "/etc/init.d/net.%s", name));
	}
	put(ed, ed->row->path, &b, 0644);
}

void edits_own_netctl(struct edits *ed)
{
	const struct own own = edits_own_of(ed);

	put_each(ed, "rehost_", "", 0644, edits_own_text_netctl);
	for (size_t i = 0; i < own.nics.n; i++)
		start_unit(ed,
			   arena_printf(ed->mem, "netctl@rehost_%s.service",
					own.nics.v[i].name),
			   "netctl@.service");
}

void edits_own_netplan(struct edits *ed)
{
	remove_others(ed, "/etc/netplan/*.yaml");
	put_one(ed,
		"network:\n  version: 2\n  renderer: networkd\n"
		"  ethernets:\n",
		0600, edits_own_text_netplan);
}

void edits_own_networkd(struct edits *ed)
{
	remove_others(ed, "/etc/systemd/network/*.network");
	put_each(ed, "10-rehost-", ".network", 0644, edits_own_text_networkd);
	start_unit(ed, "systemd-networkd.service", "systemd-networkd.service");
}

void edits_own_manager(struct edits *ed)
{
	put_each(ed, "rehost-", ".nmconnection", 0600, edits_own_text_manager);
	start_unit(ed, "NetworkManager.service", "NetworkManager.service");
}
