/*
 * The source filter: the guest sends what is not its own, with its own rights,
 * and a neighbour on the same wire listens. Frames go to everybody, so that
 * they arrive wherever nothing holds them back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "runtime/probe_forge.h"
#include "runtime/wire.h"

/* Local to no maker. */
static const uint8_t foreign_mac[6] = { 0x02, 0xfe, 0xed, 0, 0, 0x77 };

enum { FRAME_MAX = 256 };

struct frame {
	uint8_t b[FRAME_MAX];
	size_t n;
};

static void put(struct frame *f, const void *p, size_t n)
{
	memcpy(f->b + f->n, p, n);
	f->n += n;
}

static void begin(struct frame *f, const char *to, const uint8_t from[6],
		  uint16_t type)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t all6[6] = { 0x33, 0x33, 0, 0, 0, 1 };

	type = htons(type);
	f->n = 0;
	put(f, str_eq(to, "6") ? all6 : all, 6);
	put(f, from, 6);
	put(f, &type, sizeof(type));
}

uint16_t probe_forge_sum16(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(b[i] << 8 | b[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* UDP to the discard port, without a checksum; the mark is its data. */
static void put_ipv4(struct frame *f, const char *source, size_t data)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 1, .protocol = 17 };
	const uint16_t udp[4] = { htons(9), htons(9),
				  htons((uint16_t)(8 + data)), 0 };

	ip.tot_len = htons((uint16_t)(sizeof(ip) + sizeof(udp) + data));
	inet_pton(AF_INET, source, &ip.saddr);
	ip.daddr = htonl(INADDR_BROADCAST);
	ip.check = probe_forge_sum16(&ip, sizeof(ip));
	put(f, &ip, sizeof(ip));
	put(f, udp, sizeof(udp));
}

static void put_ipv6(struct frame *f, uint8_t next, size_t payload)
{
	struct ip6_hdr ip = { 0 };

	ip.ip6_vfc = 6 << 4;
	ip.ip6_plen = htons((uint16_t)payload);
	ip.ip6_nxt = next;
	ip.ip6_hlim = 255;
	inet_pton(AF_INET6, FORGE_FOREIGN6, &ip.ip6_src);
	inet_pton(AF_INET6, "ff02::1", &ip.ip6_dst);
	put(f, &ip, sizeof(ip));
}

enum { MARK_SIZE = 24 };

static void forge_ipv4(struct frame *f, const uint8_t own[6])
{
	begin(f, "4", own, ETH_P_IP);
	put_ipv4(f, FORGE_FOREIGN4, MARK_SIZE);
}

static void forge_ipv6(struct frame *f, const uint8_t own[6])
{
	const uint16_t udp[4] = { htons(9), htons(9), htons(8 + MARK_SIZE), 0 };

	begin(f, "6", own, ETH_P_IPV6);
	put_ipv6(f, 17, sizeof(udp) + MARK_SIZE);
	put(f, udp, sizeof(udp));
}

/* RFC 826: "I have that address". */
static void forge_arp(struct frame *f, const uint8_t own[6])
{
	const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 2 }, none[6] = { 0 };
	struct in_addr ip;

	inet_pton(AF_INET, FORGE_FOREIGN4, &ip);
	begin(f, "4", own, ETH_P_ARP);
	put(f, head, sizeof(head));
	put(f, own, 6);
	put(f, &ip, sizeof(ip));
	put(f, none, 6);
	put(f, &ip, sizeof(ip));
}

/* RFC 4861 4.4, overriding, with the link-layer address of the sender. */
static void forge_advert(struct frame *f, const uint8_t own[6])
{
	struct nd_neighbor_advert na = { 0 };
	const uint8_t option[2] = { ND_OPT_TARGET_LINKADDR, 1 };

	begin(f, "6", own, ETH_P_IPV6);
	put_ipv6(f, 58, sizeof(na) + 8 + MARK_SIZE);
	na.nd_na_type = ND_NEIGHBOR_ADVERT;
	na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	inet_pton(AF_INET6, FORGE_FOREIGN6, &na.nd_na_target);
	put(f, &na, sizeof(na));
	put(f, option, sizeof(option));
	put(f, own, 6);
}

static void forge_mac(struct frame *f, const uint8_t own[6])
{
	(void)own;
	begin(f, "4", foreign_mac, ETH_P_IP);
	put_ipv4(f, "0.0.0.0", MARK_SIZE);
}

static const struct forgery {
	const char *words;
	void (*make)(struct frame *f, const uint8_t own[6]);
} forgeries[] = {
	{ "IPv4 of a foreign address", forge_ipv4 },
	{ "IPv6 of a foreign address", forge_ipv6 },
	{ "ARP for a foreign address", forge_arp },
	{ "a neighbour advertisement of a foreign address", forge_advert },
	{ "a foreign hardware address", forge_mac },
};

static void mark(char ret[MARK_SIZE], size_t nic, size_t forgery)
{
	memset(ret, 0, MARK_SIZE);
	snprintf(ret, MARK_SIZE, "rehost-forged-%zu-%zu", nic, forgery);
}

static int send_one(int sock, const char *name, size_t nic, size_t forgery)
{
	struct ifreq r = { 0 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct sockaddr any[2] = { 0 }; /* sockaddr_ll is longer than one */
	struct frame f;
	uint8_t own[6];
	char text[MARK_SIZE];

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFHWADDR, &r) < 0)
		return errno;
	memcpy(own, r.ifr_hwaddr.sa_data, sizeof(own));
	to.sll_ifindex = (int)if_nametoindex(name);
	forgeries[forgery].make(&f, own);
	mark(text, nic, forgery);
	put(&f, text, sizeof(text));
	memcpy(to.sll_addr, f.b, 6);
	memcpy(any, &to, sizeof(to));
	return sendto(sock, f.b, f.n, 0, any, sizeof(to)) < 0 ? errno : 0;
}

/* arg: names of interfaces, NULL at the end. An errno a line. */
static void in_forge(int fd, const void *arg)
{
	const char *const *names = arg;
	int sock CLEANUP(fd_closep) =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int why = sock < 0 ? errno : 0;

	for (size_t i = 0; names[i] != NULL; i++)
		for (size_t j = 0; j < COUNT(forgeries); j++)
			dprintf(fd, "%d\n",
				why != 0 ? why :
					   send_one(sock, names[i], i, j));
}

/* arg: the socket that the neighbour's ear is handed through. */
static void in_listen(int fd, const void *arg)
{
	const int *sock = arg;
	int ear CLEANUP(fd_closep) =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	struct err e;

	if (ear < 0 || wire_send_fd(*sock, ear, &e) < 0)
		dprintf(fd, "the neighbour cannot listen\n");
}

int probe_forge_open_ear(struct probe *p, struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct wire w;
	int sock[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return err_set(e, errno, "make a pair of sockets");
	rc = p->subject->neighbour(p->subject->engine, in_listen, &sock[1], 10,
				   &b, e);
	if (rc == 0 && b.n > 0)
		rc = err_set(e, 0, "%s", buf_str(&b));
	if (rc == 0)
		rc = wire_want(sock[0], 1, WIRE_FD, &w, e);
	close(sock[0]);
	close(sock[1]);
	return rc < 0 ? -1 : w.fd;
}

enum { QUIET_MS = 150 };

void probe_forge_listen(int ear, struct buf *ret)
{
	struct pollfd p = { .fd = ear, .events = POLLIN };
	char b[2048];

	while (poll(&p, 1, QUIET_MS) > 0) {
		const ssize_t n = recv(ear, b, sizeof(b), MSG_DONTWAIT);

		if (n > 0 && ret->n < 1 << 20)
			buf_add(ret, b, (size_t)n);
	}
}

/*
 * Interfaces that share their wire with a neighbour, and those that the host
 * routes. Of others it cannot be said what they hold back.
 */
static void find_wires(struct probe *p, struct strv *ret_shared,
		       struct strv *ret_routed)
{
	const struct policy *planned = p->package->planned;

	for (size_t i = 0; i < planned->items.n; i++) {
		const struct policy_item *it = &planned->items.v[i];
		const char *attach =
			policy_get(planned, FIELD_NIC_ATTACH, it->key);

		if (it->field != FIELD_NIC_NAME)
			continue;
		if (attach == NULL ||
		    !str_eq(policy_get(planned, FIELD_NIC_UP, it->key), "yes"))
			attach = "";
		if (str_starts(attach, "bridge:") ||
		    str_starts(attach, "macvlan:"))
			strv_add(p->mem, ret_shared, it->key);
		else if (str_starts(attach, "routed:"))
			strv_add(p->mem, ret_routed, it->key);
		else
			probe_unseen(p, FIELD_NIC_SOURCE_FILTER, it->key,
				     "no neighbour is on its wire");
	}
}

static bool heard(const struct buf *b, size_t nic, size_t forgery)
{
	char text[MARK_SIZE];

	mark(text, nic, forgery);
	return memmem(b->p, b->n, text, sizeof(text)) != NULL;
}

void probe_forge_add_fact(struct probe *p, const char *nic, const char *words,
			  bool must, const struct probe_forge_outcome *o)
{
	struct verify_fact *f = vec_add(p->mem, &p->seen->facts);

	*f = (struct verify_fact){
		.area = AREA_NETWORK,
		.item = arena_printf(p->mem, "%s lets out %s", nic, words),
		.expected = must ? "yes" : "no",
		.observed = o->arrived ? "yes" : "no",
		.grants = true,
		.probe = "forgeries",
	};
	if (!o->sent && o->why != EPERM && o->why != EACCES) {
		f->reason = "it could not be sent";
		f->optional = true;
	}
}

/* Of one interface: why has an errno for each forgery. */
static void see_nic(struct probe *p, const char *nic, size_t number,
		    const int why[], const struct buf *b)
{
	const struct policy *planned = p->package->planned;
	const bool filter = str_eq(
		policy_get(planned, FIELD_NIC_SOURCE_FILTER, nic), "yes");
	const bool may = policy_get(planned, FIELD_CAPS, "net_raw") != NULL;
	struct probe_forge_outcome any = { 0 };

	for (size_t i = 0; i < COUNT(forgeries); i++) {
		const struct probe_forge_outcome o = { why[i] == 0,
						       heard(b, number, i),
						       why[i] };

		any.sent |= o.sent;
		any.arrived |= o.arrived;
		probe_forge_add_fact(p, nic, forgeries[i].words, may && !filter,
				     &o);
	}
	if (filter)
		probe_add(p, FIELD_NIC_SOURCE_FILTER, nic,
			  any.arrived ? "no" : "yes");
	else if (any.sent && !any.arrived)
		probe_add(p, FIELD_NIC_SOURCE_FILTER, nic, "yes");
}

static int see_shared(struct probe *p, const struct strv *nics, int ear,
		      struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct slice rest, line;
	int why[COUNT(forgeries)];
	const char *text;
	int64_t code;

	if (probe_inside(p, in_forge, nics->v, &text, e) < 0)
		return -1;
	probe_forge_listen(ear, &b);
	rest = (struct slice){ text, strlen(text) };
	for (size_t i = 0; nics->v[i] != NULL; i++) {
		for (size_t j = 0; j < COUNT(forgeries); j++) {
			if (!slice_next(&rest, '\n', &line) ||
			    num_i64(slice_dup(p->mem, line), &code, e) < 0)
				return err_set(e, 0, "forging was cut off");
			why[j] = (int)code;
		}
		see_nic(p, nics->v[i], i, why, &b);
	}
	return 0;
}

int probe_forgeries(struct probe *p, struct err *e)
{
	int ear CLEANUP(fd_closep) = -1;
	struct strv shared = { 0 }, routed = { 0 };

	find_wires(p, &shared, &routed);
	if (p->subject->neighbour == NULL)
		return err_set(e, 0, "there is no neighbour on the wire");
	if (shared.n + routed.n == 0)
		return 0;
	ear = probe_forge_open_ear(p, e);
	if (ear < 0)
		return -1;
	if (shared.n > 0) {
		strv_add(p->mem, &shared, NULL);
		if (see_shared(p, &shared, ear, e) < 0)
			return -1;
	}
	return probe_beyond(p, &routed, ear, e);
}
