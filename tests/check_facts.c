/* Unit tests of the reader of what `rehost capture` prints (src/facts). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "facts.h"
#include "policy/from_facts.h"

#define HEAD "# rehost-capture 1\n"
#define FIXTURE "fixtures/capture/vserver-host"

struct box {
	struct arena *mem;
	struct facts *f;
	struct err e;
};

static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->mem = arena_new();
}

static void box_done(struct box *b)
{
	arena_free(b->mem);
}

/* The whole of a text as a file; what facts_read returns. */
static int read_bytes(struct box *b, const void *text, size_t n)
{
	char path[] = "/tmp/check_facts.XXXXXX";
	int fd CLEANUP(fd_closep) = mkstemp(path);
	int rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, n, path, &b->e), 0);
	rc = facts_read(NULL, path, b->mem, &b->f, &b->e);
	ck_assert_int_eq(unlink(path), 0);
	return rc;
}

static void read_text(struct box *b, const char *text)
{
	ck_assert_int_eq(read_bytes(b, text, strlen(text)), 0);
}

static void read_fixture(struct box *b)
{
	struct tree *t CLEANUP(tree_closep) = NULL;
	const char *top = getenv("REHOST_TOP");
	const char *path =
		arena_printf(b->mem, "%s/" FIXTURE, top == NULL ? "." : top);

	ck_assert_int_eq(tree_open_dir(path, &t, &b->e), 0);
	ck_assert_int_eq(
		facts_read(t, "/rehost-capture.txt", b->mem, &b->f, &b->e), 0);
}

static struct inet_addr ip(const char *text)
{
	struct inet_addr a;
	struct err e;

	ck_assert_int_eq(inet_parse(text, &a, &e), 0);
	return a;
}

static const char *show(struct box *b, const struct inet_addr *a)
{
	char text[INET_TEXT];

	inet_show(a, text);
	return arena_strdup(b->mem, text);
}

/* /proc/vz and /proc/user_beancounters, as kernels of 2.6.32 print them. */
static const char of_openvz[] = HEAD
	"[host]\n page_size=4096\n"
	"[beancounters]\n"
	" Version: 2.5\n"
	"        uid  resource      held  maxheld  barrier  limit  failcnt\n"
	"      102:  numproc           0       40      240    240        0\n"
	"      101:  kmemsize    1234567  2345678 9223372036854775807 "
	"9223372036854775807 0\n"
	"            privvmpages   10000    20000   131072 139264        0\n"
	"            physpages      9000     9500        0 131072        0\n"
	"            numproc          25       60      240    240        3\n"
	"            numfile         100      200 9223372036854775807 "
	"9223372036854775807 0\n"
	"            dummy             0        0        0      0        0\n"
	"            broken            x        0        0      0        0\n"
	"        0:  numproc         150      300 9223372036854775807 "
	"9223372036854775807 0\n"
	"[vzlist]\n"
	"-- veinfo\n"
	"         0     0   150\n"
	"       101     0    25  192.0.2.77 2001:db8::77\n"
	" 5b0c1d2e-0000-4000-8000-000000000001 0 7 198.51.100.9\n"
	"-- vestat\n"
	" Version: 2.2\n"
	"       VEID     user     nice   system   uptime\n"
	"        101     1        2      3        4\n"
	"[end]\n sections=3\n";

START_TEST(containers)
{
	const struct facts_context *c;
	const struct policy *p;
	struct box b;

	box_open(&b);
	read_text(&b, of_openvz);
	ck_assert(b.f->has_vz && !b.f->has_virtual && b.f->complete);
	c = facts_container(b.f, "101");
	ck_assert_ptr_nonnull(c);
	ck_assert(c->runs);
	ck_assert_uint_eq(c->tasks, 25);
	ck_assert_uint_eq(c->n_limits, 6);
	ck_assert_str_eq(c->limits[3].name, "numproc");
	ck_assert_uint_eq(c->limits[3].current, 25);
	ck_assert_uint_eq(c->limits[3].peak, 60);
	/* counters that a stopped container left are no proof that it runs */
	c = facts_container(b.f, "102");
	ck_assert(c != NULL && !c->runs);
	c = facts_container(b.f, "5b0c1d2e-0000-4000-8000-000000000001");
	ck_assert(c != NULL && c->runs && c->addresses.n == 1);
	ck_assert_ptr_null(facts_container(b.f, "0"));
	ck_assert_ptr_null(facts_container(b.f, "VEID"));
	p = policy_from_facts(b.f, 101, b.mem);
	ck_assert_str_eq(policy_get(p, FIELD_MEM_MAX, ""), "536870912");
	ck_assert_str_eq(policy_get(p, FIELD_PIDS_MAX, ""), "240");
	ck_assert_pstr_eq(policy_get(p, FIELD_FILES, ""), NULL);
	ck_assert_str_eq(policy_get(p, FIELD_ADDR_IP, "2001:db8::77"),
			 "2001:db8::77");
	box_done(&b);
}
END_TEST

/* What a running guest was seen to have: sets, pages as bytes, no -1. */
START_TEST(context_as_policy)
{
	static const struct {
		enum field_id field;
		const char *key, *value; /* NULL: no such item */
	} rows[] = {
		{ FIELD_PIDS_MAX, "", "150" },
		{ FIELD_MEM_MAX, "", "536870912" },
		{ FIELD_MEM_VIRTUAL, "", NULL },
		{ FIELD_FILES, "", "4096" },
		{ FIELD_SOCKETS, "", "1024" },
		{ FIELD_DENTRIES, "", "65536" },
		{ FIELD_FILE_LOCKS, "", NULL },
		{ FIELD_CAPS, "chown", "yes" },
		{ FIELD_CAPS, "audit_write", "yes" },
		{ FIELD_CAPS, "sys_admin", NULL },
	};
	const struct policy *p;
	struct box b;

	box_open(&b);
	ck_assert_int_eq(
		facts_read(NULL,
			   "fixtures/vserver/22-capture/in/rehost-capture.txt",
			   b.mem, &b.f, &b.e),
		0);
	p = policy_from_facts(b.f, 40001, b.mem);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = policy_get(p, rows[i].field, rows[i].key);

		ck_assert_msg(str_eq(value, rows[i].value), "row %zu: %s", i,
			      value == NULL ? "-" : value);
	}
	ck_assert_uint_eq(policy_from_facts(b.f, 7, b.mem)->items.n, 0);
	ck_assert_uint_eq(policy_from_facts(NULL, 40001, b.mem)->items.n, 0);
	box_done(&b);
}
END_TEST

START_TEST(fixture_host)
{
	struct box b;

	box_open(&b);
	read_fixture(&b);
	ck_assert_str_eq(b.f->file, "/rehost-capture.txt");
	ck_assert_str_eq(b.f->hostname, "vs1");
	ck_assert_str_eq(b.f->kernel, "3.2.57-vs2.3.2.16");
	ck_assert_str_eq(b.f->date, "2016-03-14T09:26:53Z");
	ck_assert_str_eq(b.f->tools_version, "0.30.216-pre3054");
	ck_assert_uint_eq(b.f->page_size, 4096);
	ck_assert_uint_eq(b.f->cpus, 4);
	ck_assert(b.f->complete);
	ck_assert(b.f->has_virtual);
	box_done(&b);
}
END_TEST

START_TEST(fixture_addresses)
{
	struct inet_addr web, other, v6;
	const struct facts_address *a;
	struct box b;

	box_open(&b);
	read_fixture(&b);
	web = ip("192.0.2.10");
	other = ip("192.0.2.77");
	v6 = ip("2001:db8:7::99");
	a = facts_find(b.f, &web);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->at.line, 68);
	ck_assert_str_eq(a->dev, "eth0");
	ck_assert_uint_eq(a->net.prefix, 24);
	ck_assert_str_eq(a->at.text, "2: eth0    inet 192.0.2.10/24 brd "
				     "192.0.2.255 scope global secondary "
				     "eth0:web");
	ck_assert_ptr_null(facts_find(b.f, &other));
	a = facts_find_net(b.f, NULL, &other);
	ck_assert_ptr_nonnull(a);
	ck_assert_str_eq(a->dev, "eth0");
	ck_assert_ptr_null(facts_find_net(b.f, "eth1", &other));
	a = facts_find_net(b.f, "bond0.7", &v6);
	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->net.prefix, 64);
	/* a host route has no network, not even for itself */
	other = ip("203.0.113.5");
	ck_assert_ptr_nonnull(facts_find(b.f, &other));
	ck_assert_ptr_null(facts_find_net(b.f, NULL, &other));
	box_done(&b);
}
END_TEST

START_TEST(fixture_links)
{
	const struct facts_link *l;
	struct box b;

	box_open(&b);
	read_fixture(&b);
	ck_assert_uint_eq(b.f->links.n, 8);
	l = facts_link(b.f, "bond0.7");
	ck_assert_ptr_nonnull(l);
	ck_assert_uint_eq(l->vlan, 7);
	ck_assert_str_eq(l->parent, "bond0");
	ck_assert_uint_eq(l->mtu, 1500);
	ck_assert_str_eq(l->mac, "00:16:3e:5a:00:04");
	ck_assert(!l->is_bridge);
	l = facts_link(b.f, "eth2");
	ck_assert_ptr_nonnull(l);
	ck_assert_str_eq(l->master, "bond0");
	ck_assert_uint_eq(l->vlan, 0);
	ck_assert_ptr_null(l->parent);
	ck_assert_ptr_null(facts_link(b.f, "eth9"));
	box_done(&b);
}
END_TEST

START_TEST(fixture_routes)
{
	const struct facts_route *r;
	struct box b;

	box_open(&b);
	read_fixture(&b);
	r = facts_gateway(b.f, NULL, AF_INET);
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(show(&b, &r->via), "192.0.2.1");
	ck_assert_str_eq(r->dev, "eth0");
	ck_assert_ptr_eq(facts_gateway(b.f, "eth0", AF_INET), r);
	ck_assert_ptr_null(facts_gateway(b.f, "eth1", AF_INET));
	r = facts_gateway(b.f, "bond0.7", AF_INET6);
	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(show(&b, &r->via), "2001:db8:7::fe");
	ck_assert_ptr_null(facts_gateway(b.f, "eth0", AF_INET6));
	/* "table all" repeats the main table */
	ck_assert_uint_eq(b.f->routes.n, 9);
	box_done(&b);
}
END_TEST

START_TEST(fixture_rules)
{
	struct box b;
	size_t nat = 0;

	box_open(&b);
	read_fixture(&b);
	ck_assert_uint_eq(b.f->rules.n, 8);
	for (size_t i = 0; i < b.f->rules.n; i++)
		nat += b.f->rules.v[i].nat;
	ck_assert_uint_eq(nat, 3);
	ck_assert(b.f->rules.v[0].nat);
	ck_assert_ptr_nonnull(strstr(b.f->rules.v[0].at.text, "DNAT"));
	box_done(&b);
}
END_TEST

/* Who listens, and where; of IPv6 four numbers of the host's order. */
START_TEST(fixture_sockets)
{
	static const struct {
		bool tcp;
		const char *addr;
		unsigned port;
	} rows[] = {
		{ true, "192.0.2.5", 22 },      { true, "127.0.0.1", 25 },
		{ true, "192.0.2.10", 80 },     { true, "0.0.0.0", 111 },
		{ true, "2001:db8:7::53", 53 }, { true, "192.0.2.10", 443 },
		{ false, "192.0.2.5", 123 },    { false, "192.0.2.10", 41009 },
		{ false, "192.0.2.10", 514 },   { false, "2001:db8:7::53", 53 },
	};
	struct box b;

	box_open(&b);
	read_fixture(&b);
	ck_assert_uint_eq(b.f->sockets.n, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct facts_socket *s = &b.f->sockets.v[i];

		ck_assert_int_eq(s->tcp, rows[i].tcp);
		ck_assert_str_eq(show(&b, &s->addr), rows[i].addr);
		ck_assert_uint_eq(s->port, rows[i].port);
	}
	box_done(&b);
}
END_TEST

/* Sockets that wait for nobody, and lines that are none. */
START_TEST(no_sockets)
{
	static const char any[] = "00000000:0000";
	static const char *const lines[] = {
		"0: 0A0200C0:0050 00000000:0000 01 0", /* connected */
		"0: 0A0200C0:0000 00000000:0000 0A 0",
		"0: 0A0200C0:10050 00000000:0000 0A 0",
		"0: 0A0200C:0050 00000000:0000 0A 0",
		"0: 0A0200CX:0050 00000000:0000 0A 0",
		"0: 0A0200C0 00000000:0000 0A 0",
		"0: 0A0200C0:0050 00000000:0000",
	};
	struct box b;

	box_open(&b);
	for (size_t i = 0; i < COUNT(lines); i++) {
		read_text(&b, arena_printf(b.mem,
					   HEAD "[sockets]\n"
						"-- /proc/net/tcp\n %s\n",
					   lines[i]));
		ck_assert_msg(b.f->sockets.n == 0, "%s", lines[i]);
	}
	/* a UDP socket that is connected is a client's */
	read_text(&b, arena_printf(b.mem,
				   HEAD "[sockets]\n-- /proc/net/udp\n"
					" 0: 0A0200C0:0035 %s 01 0\n"
					" 1: 0A0200C0:0035 %s 07 0\n",
				   any, any));
	ck_assert_uint_eq(b.f->sockets.n, 1);
	ck_assert(!b.f->sockets.v[0].tcp);
	/* numbers of a host with the other order */
	read_text(&b, HEAD "[host]\n machine=ppc64\n[sockets]\n"
			   "-- /proc/net/tcp\n"
			   " 0: C000020A:0050 00000000:0000 0A 0\n");
	ck_assert_str_eq(show(&b, &b.f->sockets.v[0].addr), "192.0.2.10");
	box_done(&b);
}
END_TEST

static const struct facts_limit *limit(const struct facts_context *c,
				       const char *name)
{
	for (size_t i = 0; i < c->n_limits; i++)
		if (str_eq(c->limits[i].name, name))
			return &c->limits[i];
	ck_abort_msg("no limit %s", name);
}

START_TEST(fixture_context)
{
	const struct facts_context *c;
	const struct facts_limit *l;
	struct box b;

	box_open(&b);
	read_fixture(&b);
	ck_assert_uint_eq(b.f->contexts.n, 2);
	ck_assert_ptr_null(facts_context(b.f, 40002));
	c = facts_context(b.f, 40001);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->at.line, 365);
	ck_assert_uint_eq(c->tasks, 42);
	ck_assert_str_eq(c->bcaps, "00000000344c04ff");
	ck_assert_str_eq(c->ccaps, "0000000000000101");
	ck_assert_str_eq(c->flags, "0000001602020010");
	ck_assert_uint_eq(c->n_limits, 15);
	l = limit(c, "RSS"); /* pages, as they stand */
	ck_assert_uint_eq(l->at.line, 385);
	ck_assert_uint_eq(l->current, 88213);
	ck_assert_uint_eq(l->peak, 131072);
	ck_assert(l->has_soft && l->has_hard);
	ck_assert_uint_eq(l->soft, 98304);
	ck_assert_uint_eq(l->hard, 131072);
	l = limit(c, "FILES");
	ck_assert(!l->has_soft && l->has_hard);
	l = limit(c, "VM");
	ck_assert(!l->has_soft && !l->has_hard);
	box_done(&b);
}
END_TEST

/* "PROC: current max hard hits" of 2.0 kernels. */
START_TEST(old_limits)
{
	const struct facts_limit *l;
	struct box b;

	box_open(&b);
	read_text(&b, HEAD "[context 7]\n-- limit\n"
			   " Limit\t   current\t   max\t   hard\thits\n"
			   " PROC:\t 42\t 117\t 150\t 0\n"
			   " VM:\t 1\t 2\t -1\t 0\n"
			   " RSS:\t 1\t 2\t -7\t 0\n"
			   " ANON:\t 1\t 2\t 3\n"
			   " SHM:\t 1\t 2\t 99999999999999999999\t 0\n");
	ck_assert_uint_eq(b.f->contexts.n, 1);
	ck_assert_uint_eq(b.f->contexts.v[0].n_limits, 2);
	l = &b.f->contexts.v[0].limits[0];
	ck_assert_uint_eq(l->peak, 117);
	ck_assert(l->has_hard && !l->has_soft);
	ck_assert_uint_eq(l->hard, 150);
	ck_assert(!b.f->contexts.v[0].limits[1].has_hard);
	ck_assert(b.f->has_virtual);
	ck_assert(!b.f->complete);
	box_done(&b);
}
END_TEST

START_TEST(ifconfig)
{
	const struct facts_route *r;
	struct inet_addr a;
	struct box b;

	box_open(&b);
	read_text(&b, HEAD
		  "[addresses ifconfig]\n-- ifconfig -a\n"
		  " eth0      Link encap:Ethernet  HWaddr 00:16:3E:5A:00:02  \n"
		  "           inet addr:192.0.2.5  Bcast:192.0.2.255  "
		  "Mask:255.255.255.0\n"
		  "           inet6 addr: 2001:db8::5/64 Scope:Global\n"
		  " \n"
		  " eth0:web  Link encap:Ethernet  HWaddr 00:16:3E:5A:00:02  \n"
		  "           inet addr:192.0.2.10  Bcast:192.0.2.255  "
		  "Mask:255.255.255.0\n"
		  " eth1: flags=4163<UP>  mtu 1500\n"
		  "         inet 10.0.0.1  netmask 255.255.255.240\n"
		  "         inet6 fe80::1  prefixlen 64  scopeid 0x20<link>\n"
		  "-- /proc/net/if_inet6\n"
		  " 20010db8000000000000000000000005 02 40 00 80     eth0\n"
		  " 20010db8000000000000000000000006 02 40 00 80     eth0\n"
		  "[routes route]\n-- route -n\n"
		  " Destination     Gateway         Genmask         Flags "
		  "Metric Ref    Use Iface\n"
		  " 10.0.0.0        0.0.0.0         255.255.255.240 U     "
		  "0      0        0 eth1\n"
		  " 0.0.0.0         192.0.2.1       0.0.0.0         UG    "
		  "0      0        0 eth0\n"
		  "-- /proc/net/ipv6_route\n"
		  " 00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 00 "
		  "20010db80000000000000000000000fe 00000400 00000000 "
		  "00000000 00000003     eth0\n"
		  "[routes none]\n-- /proc/net/route\n"
		  " eth1\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\n");
	ck_assert_uint_eq(b.f->addresses.n, 6);
	a = ip("192.0.2.10");
	ck_assert_str_eq(facts_find(b.f, &a)->dev, "eth0");
	ck_assert_uint_eq(facts_find(b.f, &a)->net.prefix, 24);
	a = ip("10.0.0.1");
	ck_assert_uint_eq(facts_find(b.f, &a)->net.prefix, 28);
	a = ip("fe80::1");
	ck_assert_uint_eq(facts_find(b.f, &a)->net.prefix, 64);
	r = facts_gateway(b.f, NULL, AF_INET);
	ck_assert_str_eq(show(&b, &r->via), "192.0.2.1");
	r = facts_gateway(b.f, "eth0", AF_INET6);
	ck_assert_str_eq(show(&b, &r->via), "2001:db8::fe");
	r = facts_gateway(b.f, "eth1", AF_INET);
	ck_assert_str_eq(show(&b, &r->via), "192.0.2.1");
	box_done(&b);
}
END_TEST

START_TEST(bridges_and_tables)
{
	const struct facts_route *r;
	struct box b;

	box_open(&b);
	read_text(&b, HEAD "[links]\n-- ip -o link\n"
			   " 2: eth0: <UP> mtu 1500 \\    link/ether "
			   "00:16:3e:5a:00:02 brd ff:ff:ff:ff:ff:ff\n"
			   " 9: eth0.20@eth0: <UP> mtu 1400 \\    link/ether "
			   "00:16:3e:5a:00:02 brd ff:ff:ff:ff:ff:ff\n"
			   "-- /proc/net/vlan/config\n"
			   " eth0.20        | 20  | eth0\n"
			   "[bridges]\n name=br0 stp_state=0 ports=eth0,tap3\n"
			   "[routes ip]\n-- ip route\n"
			   " default  proto static  metric 1024\n"
			   " \tnexthop via 192.0.2.1  dev eth0 weight 1\n"
			   " \tnexthop via 192.0.2.2  dev eth1 weight 1\n"
			   "-- ip route table all\n"
			   " default via 198.51.100.1 dev eth5  table 101\n"
			   " default via 192.0.2.1 dev eth0 \n");
	ck_assert(facts_link(b.f, "br0")->is_bridge);
	ck_assert_str_eq(facts_link(b.f, "eth0")->master, "br0");
	ck_assert_str_eq(facts_link(b.f, "tap3")->master, "br0");
	ck_assert_uint_eq(facts_link(b.f, "eth0.20")->vlan, 20);
	ck_assert_str_eq(facts_link(b.f, "eth0.20")->parent, "eth0");
	ck_assert_uint_eq(facts_link(b.f, "eth0.20")->mtu, 1400);
	r = facts_gateway(b.f, NULL, AF_INET);
	ck_assert_str_eq(show(&b, &r->via), "192.0.2.1");
	r = facts_gateway(b.f, "eth1", AF_INET);
	ck_assert_str_eq(show(&b, &r->via), "192.0.2.2");
	r = facts_gateway(b.f, "eth5", AF_INET);
	ck_assert_str_eq(r->table, "101");
	box_done(&b);
}
END_TEST

START_TEST(nft)
{
	struct box b;

	box_open(&b);
	read_text(&b, HEAD "[firewall nft]\n"
			   " table ip nat {\n"
			   " \tchain prerouting {\n"
			   " \t\ttype nat hook prerouting priority 0;\n"
			   " \t\ttcp dport 8080 dnat to 192.0.2.10:80\n"
			   " \t\tip daddr 192.0.2.10 accept\n"
			   " \t}\n"
			   " }\n");
	ck_assert_uint_eq(b.f->rules.n, 2);
	ck_assert(b.f->rules.v[0].nat);
	ck_assert(!b.f->rules.v[1].nat);
	box_done(&b);
}
END_TEST

START_TEST(inside_a_guest)
{
	struct box b;

	box_open(&b);
	read_text(&b, HEAD "[virtual]\n-- /proc/virtual/info\n"
			   " VCIVersion:\t0002:0308\n"
			   "-- /proc/self/status\n VxID:\t40001\n");
	ck_assert(!b.f->has_virtual);
	read_text(&b, HEAD "[virtual]\n! absent: /proc/virtual\n");
	ck_assert(!b.f->has_virtual);
	box_done(&b);
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{ "", ":1: not what rehost capture prints: \"\"" },
	{ "\177ELF", ":1: not what rehost capture prints" },
	{ "[host]\n", ":1: not what rehost capture prints: \"[host]\"" },
	{ "# rehost-capture\n[host]\n", ":1: not what" },
	{ "# rehost-capture 2\n[host]\n", ":1: version 2 is not known" },
	{ "# rehost-capture 1x\n", ":1: version 1x is not known" },
};

START_TEST(refuse)
{
	struct box b;

	box_open(&b);
	ck_assert_int_eq(
		read_bytes(&b, refused[_i].text, strlen(refused[_i].text)), -1);
	ck_assert_ptr_null(b.f);
	ck_assert_msg(strstr(b.e.msg, refused[_i].message) != NULL, "%s",
		      b.e.msg);
	box_done(&b);
}
END_TEST

START_TEST(absent)
{
	struct box b;

	box_open(&b);
	ck_assert_int_eq(facts_read(NULL, "/nonexistent/capture", b.mem, &b.f,
				    &b.e),
			 -1);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "/nonexistent/capture"));
	box_done(&b);
}
END_TEST

/* Line ends of DOS, and a file that stops anywhere. */
START_TEST(transferred)
{
	struct box b;

	box_open(&b);
	read_text(&b, "# rehost-capture 1\r\n[host]\r\n hostname=a\r\n"
		      "[end]\r\n sections=1\r\n");
	ck_assert_str_eq(b.f->hostname, "a");
	ck_assert(b.f->complete);
	read_text(&b, HEAD "[host]\n hostname=a\n[end]\n sections=2\n");
	ck_assert(!b.f->complete);
	read_text(&b, HEAD "[host]\n hostname=a");
	ck_assert_str_eq(b.f->hostname, "a");
	ck_assert(!b.f->complete);
	box_done(&b);
}
END_TEST

/* The fixture cut at every byte, and with bytes changed. */
START_TEST(damaged)
{
	struct box b;
	struct tree *t CLEANUP(tree_closep) = NULL;
	const char *top = getenv("REHOST_TOP");
	const char *text;
	char *copy;
	size_t n;

	box_open(&b);
	ck_assert_int_eq(tree_open_dir(arena_printf(b.mem, "%s/" FIXTURE,
						    top == NULL ? "." : top),
				       &t, &b.e),
			 0);
	ck_assert_int_eq(tree_read(t, "rehost-capture.txt", 1 << 20, b.mem,
				   &text, &n, &b.e),
			 0);
	for (size_t cut = 100; cut < n; cut += 97) {
		struct box c;

		box_open(&c);
		copy = arena_memdup(c.mem, text, cut);
		for (size_t i = 60 + cut % 61; i < cut; i += 61)
			copy[i] = (char)(i * 7 + cut);
		ck_assert_int_eq(read_bytes(&c, copy, cut), 0);
		ck_assert(!c.f->complete);
		box_done(&c);
	}
	box_done(&b);
}
END_TEST

START_TEST(hostile)
{
	const size_t big = 10 << 20;
	struct buf text CLEANUP(buf_done) = { 0 };
	struct box b;

	box_open(&b);
	buf_adds(&text, HEAD "[host]\n hostname=");
	for (size_t i = 0; i < big; i++)
		buf_addc(&text, 'x');
	buf_adds(&text, "\n[links]\n-- ip -o link\n 1: ");
	for (size_t i = 0; i < big / 4; i++)
		buf_adds(&text, "a\\ ");
	buf_adds(&text, "\n[context 5]\n-- limit\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_adds(&text, " PROC: 1 2 3 4\n");
	buf_add(&text, "\n\0\0[x\0]\n \0\n", 11);
	ck_assert_int_eq(read_bytes(&b, buf_str(&text), text.n), 0);
	ck_assert_ptr_null(b.f->hostname);
	ck_assert_uint_eq(b.f->contexts.n, 1);
	ck_assert_uint_le(b.f->contexts.v[0].n_limits, 64);
	ck_assert_uint_lt(arena_size(b.mem), 1 << 20);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("facts");
	TCase *f = tcase_create("fixture");
	TCase *o = tcase_create("other forms");
	TCase *h = tcase_create("damage");

	tcase_add_test(f, context_as_policy);
	tcase_add_test(f, fixture_host);
	tcase_add_test(f, fixture_addresses);
	tcase_add_test(f, fixture_links);
	tcase_add_test(f, fixture_routes);
	tcase_add_test(f, fixture_rules);
	tcase_add_test(f, fixture_sockets);
	tcase_add_test(f, no_sockets);
	tcase_add_test(f, fixture_context);
	tcase_add_test(o, old_limits);
	tcase_add_test(o, ifconfig);
	tcase_add_test(o, bridges_and_tables);
	tcase_add_test(o, nft);
	tcase_add_test(o, inside_a_guest);
	tcase_add_test(o, containers);
	tcase_add_loop_test(h, refuse, 0, COUNT(refused));
	tcase_add_test(h, absent);
	tcase_add_test(h, transferred);
	tcase_add_test(h, damaged);
	tcase_add_test(h, hostile);
	tcase_set_timeout(h, 30);
	suite_add_tcase(s, f);
	suite_add_tcase(s, o);
	suite_add_tcase(s, h);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
