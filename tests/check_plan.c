/* Unit tests of the passes caps, devices and net (src/plan). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cap.h"
#include "base/str.h"
#include "derive.h"
#include "facts.h"
#include "plan/plan.h"
#include "policy/policy.h"

struct box {
	struct arena *mem;
	struct guest *g;
	struct site *site;
	struct plan_options options;
	struct plan p;
};

static void box_open(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->mem = arena_new();
	b->g = guest_new(b->mem);
	b->g->host = "old";
	b->g->kind = "vserver";
	b->g->id = "web";
	b->g->name = "web";
	b->g->key = "old/vserver:web";
	b->site = site_new(b->mem);
	b->site->file = "/etc/rehost.conf";
	b->p = (struct plan){ .g = b->g,
			      .site = b->site,
			      .options = &b->options };
}

static void box_close(struct box *b)
{
	arena_free(b->mem);
}

/* A line of the guest's configuration. */
static const struct origin *at(struct box *b, const char *key)
{
	return derive_origin(b->g, ORIGIN_TEXT, "/etc/vservers/web", 1, key,
			     NULL);
}

static void pass(struct box *b, int (*run)(struct plan *p, struct err *e))
{
	struct err e;

	b->g->policy = policy_new(b->mem);
	if (run(&b->p, &e) < 0)
		ck_abort_msg("%s", e.msg);
}

static size_t found(const struct box *b, enum finding_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < b->g->findings.n; i++)
		n += b->g->findings.v[i]->id == id;
	return n;
}

/* The message of the only finding of that kind; NULL: there is none. */
static const char *said(const struct box *b, enum finding_id id)
{
	ck_assert_uint_le(found(b, id), 1);
	for (size_t i = 0; i < b->g->findings.n; i++)
		if (b->g->findings.v[i]->id == id)
			return b->g->findings.v[i]->message;
	return NULL;
}

/* --- capabilities --- */

#define ONE(n) (UINT64_C(1) << (n))
static const struct {
	uint64_t set;
	const char *all; /* message of CAP003 */
	bool wide;       /* CAP004 */
} caps[] = {
	{ CAP_ALL, "all capabilities are granted", false },
	{ CAP_ALL & ~ONE(5), "all capabilities but kill are granted", false },
	{ CAP_ALL & ~ONE(16), NULL, true }, /* sys_module */
	{ ONE(16), NULL, true },
	{ ONE(5), NULL, false },
};

START_TEST(test_caps)
{
	struct box b;

	box_open(&b);
	derive_caps(b.g, FIELD_CAPS, b.g, caps[_i].set, at(&b, "bcapabilities"),
		    NULL);
	pass(&b, plan_caps);
	if (caps[_i].all == NULL)
		ck_assert_ptr_null(said(&b, FIND_CAP_ALL));
	else
		ck_assert_str_eq(said(&b, FIND_CAP_ALL), caps[_i].all);
	ck_assert_int_eq(found(&b, FIND_CAP_HOST_WIDE) > 0, caps[_i].wide);
	box_close(&b);
}
END_TEST

/* --- devices --- */

static struct device *add_device(struct box *b, const char *rule,
				 const char *access)
{
	struct device *d = pvec_add(b->mem, &b->g->devices);

	derive_str(b->g, FIELD_DEVICE_RULE, d, rule, at(b, "device"), NULL);
	derive_str(b->g, FIELD_DEVICE_ACCESS, d, access, at(b, "device"), NULL);
	return d;
}

/* A guest that may make tun devices gets the node for it. */
static const struct {
	uint64_t caps;
	bool has_rule;
	size_t n_found;
	const char *text; /* of one of the findings */
} tuns[] = {
	{ ONE(12), false, 1, "/dev/net/tun (c 10:200) is made and allowed" },
	{ ONE(12), true, 0, NULL }, /* net_admin */
	{ 0, true, 1, "ip tuntap add" },
	{ 0, false, 2, "ip tuntap add" },
};

START_TEST(test_tun)
{
	struct box b;
	bool said_so = tuns[_i].text == NULL;

	box_open(&b);
	derive_caps(b.g, FIELD_CAPS, b.g, tuns[_i].caps, at(&b, "caps"), NULL);
	derive_bool(b.g, FIELD_TUN_CREATE, b.g, true, at(&b, "tun"), NULL);
	if (tuns[_i].has_rule)
		add_device(&b, "c 10:200", "rw");
	pass(&b, plan_devices);
	ck_assert_uint_eq(b.g->devices.n, 1);
	ck_assert_str_eq(b.g->devices.v[0]->rule.v, "c 10:200");
	ck_assert_str_eq(b.g->devices.v[0]->access.v, "rw");
	ck_assert_uint_eq(found(&b, FIND_NET_TUN), tuns[_i].n_found);
	for (size_t i = 0; i < b.g->findings.n; i++)
		said_so = said_so || strstr(b.g->findings.v[i]->message,
					    tuns[_i].text) != NULL;
	ck_assert(said_so);
	box_close(&b);
}
END_TEST

/* What the source denied is no node that is left out now. */
static const struct {
	const char *rule, *access;
	size_t n_raw, n_node;
} judged[] = {
	{ "b 8:0", "rw", 1, 0 },
	{ "b 8:0", "", 0, 0 },
	{ "c 10:229", "rw", 0, 1 },
	{ "c 10:229", "", 0, 0 },
};

START_TEST(test_judged)
{
	struct box b;

	box_open(&b);
	add_device(&b, judged[_i].rule, judged[_i].access);
	pass(&b, plan_devices);
	ck_assert_uint_eq(found(&b, FIND_DEV_RAW), judged[_i].n_raw);
	ck_assert_uint_eq(found(&b, FIND_DEV_NODE), judged[_i].n_node);
	box_close(&b);
}
END_TEST

/* --- network --- */

static struct addr *address(struct box *b, const char *ip, const char *dev)
{
	struct addr *a = pvec_add(b->mem, &b->g->addrs);

	derive_str(b->g, FIELD_ADDR_IP, a, ip, at(b, "ip"), NULL);
	derive_u64(b->g, FIELD_ADDR_PREFIX, a, 32, at(b, "prefix"), NULL);
	if (dev != NULL)
		derive_str(b->g, FIELD_ADDR_DEV, a, dev, at(b, "dev"), NULL);
	return a;
}

static void net_open(struct box *b)
{
	box_open(b);
	derive_str(b->g, FIELD_NS_NET, b->g, "filtered", at(b, "net"), NULL);
}

/* How an address comes to the wire, and what is said where none is known. */
static const struct {
	const char *dev;
	bool unwired; /* tun, tap, dummy by another name */
	const char *attach, *uplink, *no_wire;
} wires[] = {
	{ "eth0", false, "routed:eth0", "eth0: the new host is it", NULL },
	{ "lo", false, "routed:lo", "eth0: the new host is it",
	  "addresses on lo, 192.0.2.10 the first" },
	{ "dummy3", false, "routed:lo", "eth0: the new host is it",
	  "addresses on dummy3" },
	{ "tun5", true, "routed:lo", "eth0: the new host is it",
	  "addresses on tun5" },
};

START_TEST(test_wire)
{
	struct addr *a;
	struct box b;

	net_open(&b);
	a = address(&b, "192.0.2.10", wires[_i].dev);
	if (wires[_i].unwired)
		derive_bool(b.g, FIELD_ADDR_UNWIRED, a, true, at(&b, "tun"),
			    NULL);
	else
		address(&b, "192.0.2.11", wires[_i].dev);
	pass(&b, plan_net);
	ck_assert_str_eq(a->nic->attach.v, wires[_i].attach);
	ck_assert_str_eq(a->nic->gateway4.v, "169.254.0.1");
	ck_assert_ptr_nonnull(
		strstr(said(&b, FIND_NET_UPLINK), wires[_i].uplink));
	ck_assert_uint_eq(found(&b, FIND_NET_GATEWAY_DERIVED), 0);
	if (wires[_i].no_wire == NULL)
		ck_assert_ptr_null(said(&b, FIND_NET_UNWIRED));
	else
		ck_assert_ptr_nonnull(
			strstr(said(&b, FIND_NET_UNWIRED), wires[_i].no_wire));
	box_close(&b);
}
END_TEST

static bool covered(const struct box *b, enum finding_id id,
		    enum field_id field, const char *key)
{
	for (size_t i = 0; i < b->g->findings.n; i++)
		if (b->g->findings.v[i]->id == id &&
		    finding_announces(b->g->findings.v[i], NULL, field, key))
			return true;
	return false;
}

/* What makes an interface tells which addresses it carries. */
START_TEST(test_carrier)
{
	struct addr *a, *other;
	struct box b;

	net_open(&b);
	a = address(&b, "192.0.2.10", "eth0");
	other = address(&b, "192.0.2.11", NULL);
	pass(&b, plan_net);
	ck_assert_str_eq(a->carrier.v, "eth0");
	ck_assert(covered(&b, FIND_NET_NAME, FIELD_ADDR_NIC, "192.0.2.10"));
	ck_assert_ptr_null(other->carrier.from);
	ck_assert(!covered(&b, FIND_NET_NAME, FIELD_ADDR_NIC, "192.0.2.11"));
	box_close(&b);
}
END_TEST

/* The interfaces of the source itself are nothing to announce. */
START_TEST(test_own_carrier)
{
	struct nic *n;
	struct addr *a;
	struct box b;
	struct err e;

	net_open(&b);
	a = address(&b, "192.0.2.10", NULL);
	a->nic = n = pvec_add(b.mem, &b.g->nics);
	derive_str(b.g, FIELD_NIC_NAME, n, "venet0", at(&b, "nic"), NULL);
	derive_str(b.g, FIELD_NIC_ATTACH, n, "bridge:br0", at(&b, "nic"), NULL);
	/* before the source's policy is taken */
	ck_assert_int_eq(plan_carriers(&b.p, &e), 0);
	pass(&b, plan_net);
	ck_assert_str_eq(a->carrier.v, "venet0");
	ck_assert_uint_eq(found(&b, FIND_NET_NAME), 0);
	box_close(&b);
}
END_TEST

/* addr.nic of the site file or --set puts an address elsewhere. */
static const struct {
	const char *nic;
	bool there;
} placed[] = { { "eth0", true }, { "eth9", false } };

START_TEST(test_placed)
{
	struct addr *a, *moved;
	struct box b;

	net_open(&b);
	a = address(&b, "192.0.2.10", "eth0");
	moved = address(&b, "198.51.100.10", "eth1");
	derive_str(b.g, FIELD_ADDR_NIC, moved, placed[_i].nic,
		   derive_origin(b.g, ORIGIN_OPTION, "--set", 0, "addr.nic",
				 NULL),
		   NULL);
	pass(&b, plan_net);
	ck_assert_uint_eq(b.g->nics.n, 1);
	ck_assert_ptr_eq(moved->nic, placed[_i].there ? a->nic : NULL);
	ck_assert_uint_eq(found(&b, FIND_NET_BAD_VALUE), !placed[_i].there);
	box_close(&b);
}
END_TEST

/* A router that the configuration names is known. */
START_TEST(test_known_gateway)
{
	struct route *r;
	struct addr *a;
	struct box b;

	net_open(&b);
	a = address(&b, "192.0.2.10", "eth0");
	r = pvec_add(b.mem, &b.g->routes);
	derive_str(b.g, FIELD_ROUTE_DEST, r, "default", at(&b, "gateway"),
		   NULL);
	derive_str(b.g, FIELD_ROUTE_VIA, r, "192.0.2.1", at(&b, "gateway"),
		   NULL);
	pass(&b, plan_net);
	ck_assert_str_eq(a->nic->gateway4.v, "192.0.2.1");
	ck_assert_uint_eq(found(&b, FIND_NET_UPLINK), 0);
	ck_assert_uint_eq(found(&b, FIND_NET_GATEWAY_DERIVED), 1);
	box_close(&b);
}
END_TEST

/* On the LAN itself nobody answers for an unknown router. */
START_TEST(test_no_gateway)
{
	struct site_device *d;
	struct box b;

	net_open(&b);
	address(&b, "192.0.2.10", "eth0");
	d = pvec_add(b.mem, &b.site->devices);
	*d = (struct site_device){
		.name = "eth0", .attach = "bridge:br0", .vlan = -1, .mtu = -1
	};
	pass(&b, plan_net);
	ck_assert_uint_eq(found(&b, FIND_NET_UPLINK), 0);
	ck_assert_uint_eq(found(&b, FIND_NET_NO_GATEWAY), 1);
	box_close(&b);
}
END_TEST

/* nodev: the host keeps answering unless somebody takes the address away. */
START_TEST(test_nodev)
{
	struct addr *a;
	struct box b;

	net_open(&b);
	a = address(&b, "192.0.2.10", "eth0");
	derive_bool(b.g, FIELD_ADDR_NODEV, a, true, at(&b, "nodev"), NULL);
	pass(&b, plan_net);
	ck_assert_str_eq(a->nic->attach.v, "routed:eth0");
	ck_assert_ptr_nonnull(strstr(said(&b, FIND_NET_NODEV_FOUND), "eth0"));
	ck_assert_uint_eq(found(&b, FIND_NET_NODEV), 0);
	box_close(&b);
}
END_TEST

static const struct {
	const char *caps, *user;
	enum origin_kind from;
	bool kept;
	enum finding_id finding; /* FIND__MAX: none of the two */
} handles[] = {
	{ "dac_override dac_read_search", "host", ORIGIN_TEXT, false,
	  FIND_CAP_HANDLES },
	{ "dac_override dac_read_search", "host", ORIGIN_OPTION, true,
	  FIND_CAP_HANDLES_KEPT },
	{ "chown dac_read_search", "host", ORIGIN_TEXT, true,
	  FIND_CAP_HANDLES_KEPT },
	{ "dac_override dac_read_search", "private", ORIGIN_TEXT, true,
	  FIND__MAX },
	{ "dac_override", "host", ORIGIN_TEXT, false, FIND__MAX },
};

/* open_by_handle_at(2) is closed where nothing else confines it. */
START_TEST(test_handles)
{
	const uint64_t bit = CAP_BIT(cap_find("dac_read_search"));
	const struct origin *from;
	struct box b;
	struct err e;

	box_open(&b);
	from = derive_origin(b.g, handles[_i].from, "/x", 1, "key", NULL);
	ck_assert_int_eq(derive_text(b.g, FIELD_CAPS, b.g, handles[_i].caps,
				     from, NULL, &e),
			 0);
	derive_str(b.g, FIELD_NS_USER, b.g, handles[_i].user, at(&b, "user"),
		   NULL);
	pass(&b, plan_idmap);
	ck_assert_int_eq((b.g->caps.v & bit) != 0, handles[_i].kept);
	ck_assert_uint_eq(found(&b, FIND_CAP_HANDLES),
			  handles[_i].finding == FIND_CAP_HANDLES);
	ck_assert_uint_eq(found(&b, FIND_CAP_HANDLES_KEPT),
			  handles[_i].finding == FIND_CAP_HANDLES_KEPT);
	box_close(&b);
}
END_TEST

static const struct {
	const char *attach;
	bool reaches;
} hosts[] = {
	{ "macvlan:eth0", false },
	{ "ipvlan:eth0", false },
	{ "bridge:br0", true },
	{ "routed:eth0", true },
};

/* macvlan and ipvlan: the host itself does not reach the guest. */
START_TEST(test_host)
{
	struct site_device *d;
	struct box b;

	net_open(&b);
	address(&b, "192.0.2.10", "eth0");
	d = pvec_add(b.mem, &b.site->devices);
	*d = (struct site_device){ .name = "eth0",
				   .attach = hosts[_i].attach,
				   .vlan = -1,
				   .mtu = -1 };
	pass(&b, plan_net);
	ck_assert_uint_eq(found(&b, FIND_NET_HOST_UNREACHABLE),
			  hosts[_i].reaches ? 0 : 1);
	box_close(&b);
}
END_TEST

static void listens(struct box *b, struct facts *f, bool tcp, const char *ip,
		    unsigned port)
{
	struct facts_socket *s = vec_add(b->mem, &f->sockets);
	struct err e;

	s->tcp = tcp;
	s->port = port;
	s->at.line = (unsigned)f->sockets.n;
	ck_assert_int_eq(inet_parse(ip, &s->addr, &e), 0);
}

/* On its own address, each once; not what takes any, nor clients. */
START_TEST(test_ports)
{
	struct facts f = { .file = "capture" };
	struct box b;

	net_open(&b);
	address(&b, "192.0.2.10", "eth0");
	b.p.facts = &f;
	listens(&b, &f, true, "192.0.2.9", 21);
	listens(&b, &f, true, "0.0.0.0", 22);
	pass(&b, plan_ports);
	ck_assert_uint_eq(b.g->ports.n, 0);
	ck_assert_uint_eq(found(&b, FIND_NET_SERVICES), 0);
	listens(&b, &f, true, "192.0.2.10", 80);
	listens(&b, &f, true, "192.0.2.10", 80);
	listens(&b, &f, false, "192.0.2.10", 80);
	listens(&b, &f, false, "192.0.2.10", 32768);
	listens(&b, &f, true, "192.0.2.10", 32768);
	pass(&b, plan_ports);
	ck_assert_str_eq(strv_join(b.mem, &b.g->ports, " "),
			 "tcp:80 udp:80 tcp:32768");
	ck_assert_uint_eq(found(&b, FIND_NET_SERVICES), 1);
	box_close(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	SRunner *r = srunner_create(s);
	TCase *t = tcase_create("caps");
	int failed;

	tcase_add_loop_test(t, test_caps, 0, COUNT(caps));
	tcase_add_loop_test(t, test_tun, 0, COUNT(tuns));
	tcase_add_loop_test(t, test_judged, 0, COUNT(judged));
	tcase_add_loop_test(t, test_handles, 0, COUNT(handles));
	suite_add_tcase(s, t);
	t = tcase_create("net");
	tcase_add_loop_test(t, test_wire, 0, COUNT(wires));
	tcase_add_test(t, test_carrier);
	tcase_add_test(t, test_own_carrier);
	tcase_add_loop_test(t, test_placed, 0, COUNT(placed));
	tcase_add_test(t, test_known_gateway);
	tcase_add_test(t, test_no_gateway);
	tcase_add_test(t, test_nodev);
	tcase_add_test(t, test_ports);
	tcase_add_loop_test(t, test_host, 0, COUNT(hosts));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
