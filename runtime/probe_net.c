/* Interfaces, addresses and default routes, as the guest itself sees them. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/inet.h"
#include "base/num.h"
#include "runtime/probe.h"

/* "NAME FLAGS TYPE MTU MAC" a line. */
static void in_links(int fd, const void *arg)
{
	struct ifaddrs *list;
	const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	if (s < 0 || getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		struct sockaddr_ll ll;
		struct ifreq r = { 0 };
		char mac[18];

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_PACKET)
			continue;
		memcpy(&ll, i->ifa_addr, sizeof(ll));
		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", i->ifa_name);
		if (ioctl(s, SIOCGIFMTU, &r) < 0)
			continue;
		inet_mac_show(ll.sll_addr, mac);
		dprintf(fd, "%s %u %u %d %s\n", i->ifa_name, i->ifa_flags,
			ll.sll_hatype, r.ifr_mtu, mac);
	}
	freeifaddrs(list);
	close(s);
	dprintf(fd, "end\n");
}

/* The mtu of Ethernet where nobody set another. */
#define USUAL_MTU "1500"

/* Behind a router no group reaches anybody, nor through ipvlan of layer 3. */
static bool no_groups(const struct probe *p, const char *nic)
{
	const struct policy *planned = p->package->planned;
	const char *attach = policy_get(planned, FIELD_NIC_ATTACH, nic);
	const char *mode = policy_get(planned, FIELD_NIC_MODE, nic);

	if (attach == NULL)
		return false;
	return str_starts(attach, "routed") ||
	       (str_starts(attach, "ipvlan") && mode != NULL &&
		str_starts(mode, "l3"));
}

static void see_link(struct probe *p, const struct strv *w, uint64_t flags)
{
	const char *name = w->v[0];

	probe_add(p, FIELD_NIC_NAME, name, name);
	probe_add(p, FIELD_NIC_UP, name, flags & IFF_UP ? "yes" : "no");
	if (probe_asked(p, FIELD_NIC_MTU, name) || !str_eq(w->v[3], USUAL_MTU))
		probe_add(p, FIELD_NIC_MTU, name, w->v[3]);
	if (probe_asked(p, FIELD_NIC_MAC, name))
		probe_add(p, FIELD_NIC_MAC, name, w->v[4]);
	if ((flags & IFF_MULTICAST) != 0 && !no_groups(p, name))
		probe_add(p, FIELD_MULTICAST, "", "yes");
}

/* lo, and the tunnels that the kernel puts, down, into every namespace. */
static bool is_kernels(const struct strv *w, uint64_t flags, uint64_t type)
{
	(void)w;
	return (flags & IFF_LOOPBACK) != 0 ||
	       (type != ARPHRD_ETHER && (flags & IFF_UP) == 0);
}

int probe_links(struct probe *p, struct err *e)
{
	struct slice rest, line;
	const char *text;
	bool whole = false;

	if (probe_inside(p, in_links, NULL, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");
		uint64_t flags, type;

		whole = w.n == 1;
		if (w.n < 5 || num_u64(w.v[1], &flags, e) < 0 ||
		    num_u64(w.v[2], &type, e) < 0)
			continue;
		if (!is_kernels(&w, flags, type))
			see_link(p, &w, flags);
	}
	return whole ? 0 : err_set(e, 0, "interfaces cannot be listed inside");
}

static unsigned bits_of(const struct sockaddr *mask)
{
	const uint8_t *b = (const uint8_t *)mask;
	const size_t at = mask->sa_family == AF_INET ? 4 : 8;
	const size_t n = mask->sa_family == AF_INET ? 4 : 16;
	unsigned bits = 0;

	for (size_t i = 0; i < n; i++)
		bits += (unsigned)__builtin_popcount(b[at + i]);
	return bits;
}

static void show(int fd, const struct ifaddrs *i)
{
	char ip[INET6_ADDRSTRLEN], brd[INET6_ADDRSTRLEN] = "-";
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (i->ifa_addr->sa_family == AF_INET) {
		memcpy(&v4, i->ifa_addr, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof(ip));
		if ((i->ifa_flags & IFF_BROADCAST) != 0 &&
		    i->ifa_broadaddr != NULL) {
			memcpy(&v4, i->ifa_broadaddr, sizeof(v4));
			inet_ntop(AF_INET, &v4.sin_addr, brd, sizeof(brd));
		}
	} else {
		memcpy(&v6, i->ifa_addr, sizeof(v6));
		inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof(ip));
	}
	/* of an address without one the library shows the address itself */
	dprintf(fd, "%s %u %s %s\n", ip, bits_of(i->ifa_netmask),
		str_eq(brd, ip) ? "-" : brd, i->ifa_name);
}

/* "IP PREFIX BROADCAST INTERFACE" a line. */
static void in_addresses(int fd, const void *arg)
{
	struct ifaddrs *list;

	(void)arg;
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && i->ifa_netmask != NULL &&
		    (i->ifa_addr->sa_family == AF_INET ||
		     i->ifa_addr->sa_family == AF_INET6))
			show(fd, i);
	freeifaddrs(list);
	dprintf(fd, "end\n");
}

/* One address may be on several interfaces: all of them are named. */
static void see_carrier(struct probe *p, const char *ip, const char *nic)
{
	const char *before = policy_get(p->seen->observed, FIELD_ADDR_NIC, ip);

	if (!probe_asked(p, FIELD_ADDR_NIC, ip))
		return;
	if (before != NULL)
		nic = arena_printf(p->mem, "%s %s", before, nic);
	probe_add(p, FIELD_ADDR_NIC, ip, nic);
}

/* 127.0.0.1, ::1 and link-local ones are the kernel's. */
static void see_address(struct probe *p, const struct strv *w)
{
	struct inet_addr a;
	struct err e;
	const char *ip = w->v[0];

	if (inet_parse(ip, &a, &e) < 0)
		return;
	if ((inet_is_loopback(&a) || inet_is_linklocal(&a)) &&
	    !probe_asked(p, FIELD_ADDR_IP, ip))
		return;
	probe_add(p, FIELD_ADDR_IP, ip, ip);
	probe_add(p, FIELD_ADDR_PREFIX, ip, w->v[1]);
	if (probe_asked(p, FIELD_ADDR_BROADCAST, ip) && !str_eq(w->v[2], "-"))
		probe_add(p, FIELD_ADDR_BROADCAST, ip, w->v[2]);
	see_carrier(p, ip, w->v[3]);
}

int probe_addresses(struct probe *p, struct err *e)
{
	struct slice rest, line;
	const char *text;
	bool whole = false;

	if (probe_inside(p, in_addresses, NULL, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " ");

		whole = w.n == 1;
		if (w.n == 4)
			see_address(p, &w);
	}
	return whole ? 0 : err_set(e, 0, "addresses cannot be listed inside");
}

static bool addr4(const char *hex, char ret[INET_ADDRSTRLEN])
{
	struct in_addr a;
	struct err bad;
	uint64_t n;

	if (num_u64_hex(hex, &n, &bad) < 0)
		return false;
	a.s_addr = (in_addr_t)n;
	return inet_ntop(AF_INET, &a, ret, INET_ADDRSTRLEN) != NULL;
}

/* As lxc.container.conf(5) has it: a default route that names no router. */
static const char through_device[] = "dev";

/* The policy has the default route with the interface, others by themselves. */
static void add_route(struct probe *p, const char *dest, const char *via)
{
	probe_add(p, FIELD_ROUTE_DEST, dest, dest);
	probe_add(p, FIELD_ROUTE_VIA, dest, via);
}

/*
 * /proc/net/route: numbers are in the machine's byte order. What has no
 * router is a net that an address brought along.
 */
static void see_route4(struct probe *p, const struct strv *w)
{
	char to[INET_ADDRSTRLEN], via[INET_ADDRSTRLEN];
	struct err bad;
	uint64_t mask;

	if (w->n < 8 || !addr4(w->v[1], to) || !addr4(w->v[2], via) ||
	    num_u64_hex(w->v[7], &mask, &bad) < 0)
		return;
	if (mask == 0)
		probe_add(p, FIELD_NIC_GATEWAY4, w->v[0],
			  str_eq(w->v[2], "00000000") ? through_device : via);
	else if (!str_eq(w->v[2], "00000000"))
		add_route(p,
			  arena_printf(p->mem, "%s/%d", to,
				       __builtin_popcountll(mask)),
			  via);
}

static bool addr6(const char *hex, char ret[INET6_ADDRSTRLEN])
{
	uint8_t b[16];

	if (strlen(hex) != 32)
		return false;
	for (size_t i = 0; i < sizeof(b); i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };
		struct err bad;
		uint64_t n;

		if (num_u64_hex(digits, &n, &bad) < 0)
			return false;
		b[i] = (uint8_t)n;
	}
	return inet_ntop(AF_INET6, b, ret, INET6_ADDRSTRLEN) != NULL;
}

/*
 * /proc/net/ipv6_route: DEST LEN SRC LEN NEXTHOP ... FLAGS DEVICE, in hex. The
 * kernel has one to nowhere where there is no default.
 */
static void see_route6(struct probe *p, const struct strv *w)
{
	char to[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN];
	struct err bad;
	uint64_t bits, flags;
	bool no_router;

	if (w->n < 10 || !addr6(w->v[0], to) || !addr6(w->v[4], via) ||
	    num_u64_hex(w->v[1], &bits, &bad) < 0 ||
	    num_u64_hex(w->v[8], &flags, &bad) < 0 || (flags & RTF_REJECT) != 0)
		return;
	no_router = strspn(w->v[4], "0") == 32;
	if (bits == 0)
		probe_add(p, FIELD_NIC_GATEWAY6, w->v[9],
			  no_router ? through_device : via);
	else if (!no_router)
		add_route(p, arena_printf(p->mem, "%s/%u", to, (unsigned)bits),
			  via);
}

static int see_routes(struct probe *p, const char *file,
		      void (*see)(struct probe *p, const struct strv *w),
		      struct err *e)
{
	struct slice rest, line;
	const char *text;
	size_t n;

	if (probe_proc(p, file, &text, &n, e) < 0)
		return -1;
	rest = (struct slice){ text, n };
	while (slice_next(&rest, '\n', &line)) {
		const struct strv w =
			strv_split(p->mem, slice_dup(p->mem, line), " \t");

		see(p, &w);
	}
	return 0;
}

int probe_routes(struct probe *p, struct err *e)
{
	if (see_routes(p, "net/route", see_route4, e) < 0)
		return -1;
	/* a kernel without IPv6 has no such file */
	if (access("/proc/self/net/ipv6_route", F_OK) < 0)
		return 0;
	return see_routes(p, "net/ipv6_route", see_route6, e);
}
