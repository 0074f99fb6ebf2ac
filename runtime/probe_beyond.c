/*
 * The source filter of routed interfaces: all that leaves them is the host's
 * to pass on. The guest sends datagrams to a neighbour beyond the host, first
 * with a foreign source and then with its own; they go one way, so that once
 * its own has come a foreign one that has not was dropped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "base/num.h"
#include "runtime/ops.h"
#include "runtime/probe_forge.h"

enum { MARK_SIZE = 24, PACKET_MAX = 128, UDP_HEAD = 8, DISCARD_PORT = 9 };

/* Where the guest's own has not come so often, the way does not exist. */
enum { ROUNDS_MAX = 60 };

static const struct family {
	const char *words, *beyond, *foreign;
	int family;
} families[] = {
	{ "IPv4 of a foreign address", OPS_BEYOND4, FORGE_FOREIGN4, AF_INET },
	{ "IPv6 of a foreign address", OPS_BEYOND6, FORGE_FOREIGN6, AF_INET6 },
};

/* One interface in one family. */
struct path {
	const char *nic, *own; /* own: an address of the guest */
	const struct family *family;
	char marks[2][MARK_SIZE]; /* of what is foreign, and its own */
	int why[2];               /* errno of sending each, 0: sent */
};

struct paths {
	VEC(struct path) list;
};

static size_t make_packet(const struct path *p, bool own,
			  uint8_t ret[PACKET_MAX])
{
	const char *source = own ? p->own : p->family->foreign;
	const uint16_t n = UDP_HEAD + MARK_SIZE;
	/* without a checksum: nobody takes it in */
	const uint16_t udp[4] = { htons(DISCARD_PORT), htons(DISCARD_PORT),
				  htons(n), 0 };
	struct iphdr v4 = { .version = 4, .ihl = 5, .ttl = 64, .protocol = 17 };
	struct ip6_hdr v6 = { 0 };
	const bool is4 = p->family->family == AF_INET;
	const size_t head = is4 ? sizeof(v4) : sizeof(v6);

	v4.tot_len = htons((uint16_t)(sizeof(v4) + n));
	v6.ip6_vfc = 6 << 4;
	v6.ip6_plen = htons(n);
	v6.ip6_nxt = 17;
	v6.ip6_hlim = 64;
	inet_pton(p->family->family, source,
		  is4 ? (void *)&v4.saddr : &v6.ip6_src);
	inet_pton(p->family->family, p->family->beyond,
		  is4 ? (void *)&v4.daddr : &v6.ip6_dst);
	v4.check = probe_forge_sum16(&v4, sizeof(v4));
	memcpy(ret, is4 ? (const void *)&v4 : &v6, head);
	memcpy(ret + head, udp, sizeof(udp));
	memcpy(ret + head + sizeof(udp), p->marks[own], MARK_SIZE);
	return head + n;
}

/* 0 or errno. The header is ours, the way to the router the kernel's. */
static int send_one(const struct path *p, bool own)
{
	int sock CLEANUP(fd_closep) =
		socket(p->family->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct sockaddr_storage to = { 0 };
	uint8_t b[PACKET_MAX];
	const size_t n = make_packet(p, own, b);
	struct sockaddr_in *v4 = (void *)&to;
	struct sockaddr_in6 *v6 = (void *)&to;
	const bool is4 = p->family->family == AF_INET;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, p->nic,
				   (socklen_t)strlen(p->nic)) < 0)
		return errno;
	to.ss_family = (sa_family_t)p->family->family;
	inet_pton(to.ss_family, p->family->beyond,
		  is4 ? (void *)&v4->sin_addr : &v6->sin6_addr);
	return sendto(sock, b, n, 0, (void *)&to,
		      is4 ? sizeof(*v4) : sizeof(*v6)) < 0 ?
		       errno :
		       0;
}

/* Two errnos a line: of what is foreign, and of its own. */
static void in_send(int fd, const void *arg)
{
	const struct paths *paths = arg;

	for (size_t i = 0; i < paths->list.n; i++) {
		const int foreign = send_one(&paths->list.v[i], false);

		dprintf(fd, "%d %d\n", foreign,
			send_one(&paths->list.v[i], true));
	}
}

static int send_round(struct probe *p, struct paths *paths, struct err *e)
{
	struct slice rest, line;
	const char *text;

	if (probe_inside(p, in_send, paths, &text, e) < 0)
		return -1;
	rest = (struct slice){ text, strlen(text) };
	for (size_t i = 0; i < paths->list.n; i++) {
		struct strv w;
		int64_t n;

		if (!slice_next(&rest, '\n', &line))
			return err_set(e, 0, "sending was cut off");
		w = strv_split(p->mem, slice_dup(p->mem, line), " ");
		for (size_t j = 0; j < 2; j++) {
			if (w.n != 2 || num_i64(w.v[j], &n, e) < 0)
				return err_set(e, 0, "sending was cut off");
			paths->list.v[i].why[j] = (int)n;
		}
	}
	return 0;
}

static bool came(const struct buf *b, const char mark[MARK_SIZE])
{
	return b->n > 0 && memmem(b->p, b->n, mark, MARK_SIZE) != NULL;
}

/* Whether every path that could be sent on has brought the guest's own. */
static bool all_came(const struct paths *paths, const struct buf *b)
{
	for (size_t i = 0; i < paths->list.n; i++)
		if (!came(b, paths->list.v[i].marks[true]))
			return false;
	return true;
}

/*
 * Interfaces come up late (IPv6 waits for two seconds), and a router is found
 * first: it is sent until its own has come, and once more on the warm way.
 */
static int send_until_heard(struct probe *p, struct paths *paths, int ear,
			    struct buf *ret, struct err *e)
{
	struct buf warm CLEANUP(buf_done) = { 0 };

	for (unsigned i = 0; i < ROUNDS_MAX && !all_came(paths, ret); i++) {
		if (send_round(p, paths, e) < 0)
			return -1;
		probe_forge_listen(ear, ret);
	}
	for (unsigned i = 0;
	     all_came(paths, ret) && i < ROUNDS_MAX && !all_came(paths, &warm);
	     i++) {
		if (send_round(p, paths, e) < 0)
			return -1;
		probe_forge_listen(ear, &warm);
	}
	if (warm.n > 0)
		buf_add(ret, warm.p, warm.n);
	return 0;
}

/* The first address of the family that it carries; NULL: there is none. */
static const char *own_address(const struct policy *planned, const char *nic,
			       int family)
{
	for (size_t i = 0; i < planned->items.n; i++) {
		const struct policy_item *it = &planned->items.v[i];
		const char *on = policy_get(planned, FIELD_ADDR_NIC, it->key);
		struct inet_addr a;
		struct err e;

		if (it->field == FIELD_ADDR_IP &&
		    (on == NULL || str_eq(on, nic)) &&
		    inet_parse(it->key, &a, &e) == 0 && a.family == family)
			return it->key;
	}
	return NULL;
}

static void add_paths(struct probe *p, const char *nic, struct paths *ret)
{
	for (size_t i = 0; i < COUNT(families); i++) {
		const char *own = own_address(p->package->planned, nic,
					      families[i].family);
		const size_t number = ret->list.n;
		struct path *path;

		if (own == NULL)
			continue;
		path = vec_add(p->mem, &ret->list);
		*path = (struct path){
			nic, own, &families[i], { { 0 } }, { 0 }
		};
		snprintf(path->marks[false], MARK_SIZE, "rehost-foreign-%zu",
			 number);
		snprintf(path->marks[true], MARK_SIZE, "rehost-own-%zu",
			 number);
	}
}

/* What is known of one interface. */
struct seen {
	bool any, arrived, blind;
};

static void see_path(struct probe *p, const struct path *path,
		     const struct buf *b, bool must, struct seen *ret)
{
	const struct probe_forge_outcome o = { .sent = path->why[false] == 0,
					       .arrived = came(
						       b, path->marks[false]),
					       .why = path->why[false] };
	const bool refused = o.why == EPERM || o.why == EACCES;

	ret->any = true;
	if (!came(b, path->marks[true]) && !refused) {
		ret->blind = true;
		return;
	}
	ret->arrived |= o.arrived;
	probe_forge_add_fact(p, path->nic, path->family->words, must, &o);
}

static void see_nic(struct probe *p, const char *nic, const struct paths *paths,
		    const struct buf *b)
{
	const struct policy *planned = p->package->planned;
	const bool filter = str_eq(
		policy_get(planned, FIELD_NIC_SOURCE_FILTER, nic), "yes");
	const bool may = policy_get(planned, FIELD_CAPS, "net_raw") != NULL;
	struct seen s = { 0 };

	for (size_t i = 0; i < paths->list.n; i++)
		if (str_eq(paths->list.v[i].nic, nic))
			see_path(p, &paths->list.v[i], b, may && !filter, &s);
	if (!s.any)
		probe_unseen(p, FIELD_NIC_SOURCE_FILTER, nic,
			     "the guest has no address to send from");
	else if (s.blind && !s.arrived)
		probe_unseen(p, FIELD_NIC_SOURCE_FILTER, nic,
			     "what it sends from its own address does not "
			     "pass the host either");
	else
		probe_add(p, FIELD_NIC_SOURCE_FILTER, nic,
			  s.arrived ? "no" : "yes");
}

int probe_beyond(struct probe *p, const struct strv *nics, int ear,
		 struct err *e)
{
	struct buf b CLEANUP(buf_done) = { 0 };
	struct paths paths = { 0 };

	for (size_t i = 0; i < nics->n; i++)
		add_paths(p, nics->v[i], &paths);
	if (paths.list.n > 0 && send_until_heard(p, &paths, ear, &b, e) < 0)
		return -1;
	for (size_t i = 0; i < nics->n; i++)
		see_nic(p, nics->v[i], &paths, &b);
	return 0;
}
