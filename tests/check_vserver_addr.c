/*
 * Unit tests of the Linux-VServer reader: addresses. Vectors: vserver.md
 * appendix B and parts 2.6, 6.
 */
#include "check_vserver.h"
#include "importers/vserver/net.h"

/* --- helpers --- */

static const struct addr *addr_of(const struct box *b, const char *ip)
{
	for (size_t i = 0; i < b->g->addrs.n; i++)
		if (str_eq(b->g->addrs.v[i]->ip.v, ip))
			return b->g->addrs.v[i];
	ck_abort_msg("no address %s", ip);
}

/* Every setting ended somewhere. */
static void check_accounted(const struct box *b)
{
	ck_assert_uint_eq(box_found(b, FIND_SYN_UNACCOUNTED), 0);
}

/* --- pure functions --- */

static const struct {
	const char *mask;
	bool ok;
	unsigned prefix;
} masks[] = {
	{ "255.255.255.240", true, 28 },
	{ "255.255.255.255", true, 32 },
	{ "255.255.255.0", true, 24 },
	{ "0.0.0.0", true, 0 },
	{ "255.0.255.0", true, 8 },
	{ "255.255.160.0", true, 17 },
	{ "0.0.0.255", true, 0 },
	{ "255.255.255", true, 24 },
	{ "24", true, 0 },
	{ "/24", false, 0 },
	{ "0xffffff00", false, 0 },
	{ "255.255.256.0", false, 0 },
	{ "255.255.255.0 ", false, 0 },
};

START_TEST(test_mask)
{
	unsigned prefix = 99;

	ck_assert_int_eq(vserver_net_mask(masks[_i].mask, &prefix),
			 masks[_i].ok);
	ck_assert_uint_eq(prefix, masks[_i].ok ? masks[_i].prefix : 99);
}
END_TEST

static const struct {
	const char *dev, *parent;
	unsigned vlan;
} vlans[] = {
	{ "eth0.0231", "eth0", 231 }, { "bond0.7", "bond0", 7 },
	{ "vlan12", NULL, 12 },       { "vlan0012", NULL, 12 },
	{ "eth0", NULL, 0 },          { "eth0.5000", "eth0", 0 },
	{ "eth0.x", "eth0", 0 },      { "vlan", NULL, 0 },
	{ "eth0.0", "eth0", 0 },      { ".7", NULL, 0 },
};

START_TEST(test_vlan)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *parent = "unset";

	ck_assert_uint_eq(vserver_net_vlan(mem, vlans[_i].dev, &parent),
			  vlans[_i].vlan);
	if (vlans[_i].parent == NULL)
		ck_assert_ptr_null(parent);
	else
		ck_assert_str_eq(parent, vlans[_i].parent);
}
END_TEST

/* --- addresses --- */

/* vserver.md 6.2: an inherited prefix beats an interface's own mask. */
START_TEST(test_several)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/dev", "eth0\n");
	box_file(&b, "interfaces/prefix", "32\n");
	box_file(&b, "interfaces/bcast", "198.51.100.255\n");
	box_file(&b, "interfaces/00/ip", "198.51.100.25\n");
	box_file(&b, "interfaces/01/ip", "198.51.100.26\n");
	box_file(&b, "interfaces/01/name", "mail1\n");
	box_file(&b, "interfaces/02/ip", "10.0.0.25\n");
	box_file(&b, "interfaces/02/dev", "eth1\n");
	box_file(&b, "interfaces/02/mask", "255.255.255.240\n");
	box_file(&b, "interfaces/03/ip", "203.0.113.5\n");
	box_file(&b, "interfaces/03/nodev", "");
	box_file(&b, "interfaces/10/ip", "198.51.100.27\n");
	box_file(&b, "interfaces/10/disabled", "");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 4);
	ck_assert_str_eq(b.g->addrs.v[0]->ip.v, "198.51.100.25");
	ck_assert_str_eq(addr_of(&b, "198.51.100.26")->label.v, "eth0:mail1");
	ck_assert_str_eq(addr_of(&b, "198.51.100.25")->broadcast.v,
			 "198.51.100.255");
	ck_assert_str_eq(addr_of(&b, "10.0.0.25")->dev.v, "eth1");
	ck_assert_uint_eq(addr_of(&b, "10.0.0.25")->prefix.v, 32);
	ck_assert(box_says(&b, FIND_NET_PREFIX_BEATS_MASK,
			   "10.0.0.25 taken as /32, not /28"));
	ck_assert(addr_of(&b, "203.0.113.5")->nodev.v);
	ck_assert_ptr_null(addr_of(&b, "203.0.113.5")->dev.from);
	ck_assert_int_eq(box_setting(&b, "interfaces/02/mask", NULL)->bin,
			 BIN_OVERRIDDEN);
	ck_assert_int_eq(box_setting(&b, "interfaces/10/ip", NULL)->bin,
			 BIN_INERT);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* vserver.md 6.3 */
START_TEST(test_ipv6_vlan)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/prefix", "24\n");
	box_file(&b, "interfaces/vlandev", "");
	box_file(&b, "interfaces/0/dev", "eth0.0231\n");
	box_file(&b, "interfaces/0/ip", "2001:DB8:231::53\n");
	box_file(&b, "interfaces/1/dev", "bond0.7\n");
	box_file(&b, "interfaces/1/ip", "2001:db8:7::53\n");
	box_file(&b, "interfaces/1/prefix", "64\n");
	box_file(&b, "interfaces/1/novlandev", "");
	box_read(&b);
	ck_assert_uint_eq(addr_of(&b, "2001:db8:231::53")->prefix.v, 24);
	ck_assert_uint_eq(addr_of(&b, "2001:db8:231::53")->vlan.v, 231);
	ck_assert_uint_eq(addr_of(&b, "2001:db8:7::53")->prefix.v, 64);
	ck_assert_uint_eq(box_found(&b, FIND_NET_PREFIX_FAMILY), 1);
	ck_assert(box_says(&b, FIND_NET_PREFIX_FAMILY, "/64 was probably"));
	ck_assert(box_says(&b, FIND_NET_VLAN, "VLAN 231 of eth0, made at"));
	ck_assert(box_says(&b, FIND_NET_VLAN, "VLAN 7 of bond0, there before"));
	ck_assert_int_eq(box_setting(&b, "interfaces/vlandev", NULL)->bin,
			 BIN_HOSTSIDE);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* What the prefix of 192.0.2.10 is; files: parent, own, own mask. */
static const struct {
	const char *up, *own, *mask;
	unsigned prefix;
	enum finding_id found; /* FIND__MAX: none of these */
} prefixes[] = {
	{ NULL, NULL, NULL, 32, FIND_NET_PREFIX_HOST },
	{ "24\n", NULL, "255.255.255.255\n", 24, FIND_NET_PREFIX_BEATS_MASK },
	{ NULL, NULL, "255.255.255.240\n", 28, FIND__MAX },
	{ NULL, "25\n", NULL, 25, FIND__MAX },
	{ "24\n", "25\n", NULL, 25, FIND__MAX },
	{ "24\n", "25", NULL, 24, FIND_SRC_NO_NEWLINE },
	{ NULL, "25", NULL, 25, FIND__MAX },
	{ NULL, "255.255.255.0\n", NULL, 24, FIND_NET_MASK_IN_PREFIX },
	{ NULL, "33\n", NULL, 32, FIND_NET_BAD_VALUE },
	{ NULL, NULL, "0.0.0.0\n", 32, FIND_NET_PREFIX_HOST },
	{ NULL, NULL, "255.0.255.0\n", 8, FIND_NET_MASK_HOLES },
	{ NULL, NULL, "0xffffff00\n", 24, FIND_NET_SPELLING },
	{ NULL, NULL, "0xff00ff00\n", 32, FIND_NET_BAD_VALUE },
	{ NULL, NULL, "/24\n", 24, FIND_NET_SPELLING },
	{ NULL, NULL, "/33\n", 32, FIND_NET_BAD_VALUE },
	{ NULL, NULL, "24\n", 32, FIND_NET_SPELLING },
	{ NULL, NULL, "255.255.255\n", 24, FIND_NET_SPELLING },
	{ NULL, NULL, "0.0.0.255\n", 32, FIND_NET_MASK_HOLES },
	{ NULL, "/24\n", NULL, 24, FIND_NET_SPELLING },
	{ NULL, "024\n", NULL, 20, FIND_NET_SPELLING },
	{ NULL, "08\n", NULL, 8, FIND_NET_SPELLING },
	{ NULL, "-1\n", NULL, 32, FIND_NET_BAD_VALUE },
	{ "24\r\n", NULL, NULL, 24, FIND_SRC_CRLF },
};

START_TEST(test_prefix)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	box_file(&b, "interfaces/0/dev", "eth0\n");
	if (prefixes[_i].up != NULL)
		box_file(&b, "interfaces/prefix", prefixes[_i].up);
	if (prefixes[_i].own != NULL)
		box_file(&b, "interfaces/0/prefix", prefixes[_i].own);
	if (prefixes[_i].mask != NULL)
		box_file(&b, "interfaces/0/mask", prefixes[_i].mask);
	box_read(&b);
	ck_assert_uint_eq(addr_of(&b, "192.0.2.10")->prefix.v,
			  prefixes[_i].prefix);
	if (prefixes[_i].found != FIND__MAX)
		ck_assert_uint_ge(box_found(&b, prefixes[_i].found), 1);
	else
		ck_assert_uint_eq(box_found(&b, FIND_NET_BAD_VALUE) +
					  box_found(&b,
						    FIND_NET_PREFIX_BEATS_MASK),
				  0);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

/* vserver.md 6.11, point 21 */
static const struct {
	const char *text, *ip; /* NULL: left out */
	const char *says;      /* part of the message */
} addresses[] = {
	{ "192.0.2.10\n", "192.0.2.10", NULL },
	{ "192.0.2.10/24\n", "192.0.2.10", NULL },
	{ "2001:DB8:0:0::1\n", "2001:db8::1", NULL },
	{ "192.0.2.300\n", NULL, "no legal address" },
	{ "192.000.002.010\n", "192.0.2.10", "taken as 192.0.2.10" },
	{ "192.000.002.300\n", NULL, "no legal address" },
	{ "fe80::1%eth0\n", NULL, "zone index" },
	{ "192.0.2.1 192.0.2.2\n", NULL, "more than one word" },
	{ "[2001:db8::5]\n", NULL, "in brackets" },
	{ "0x7f.1\n", NULL, "no legal address" },
	{ "-1.2.3.4\n", NULL, "no legal address" },
	{ "255.255.255.255\n", NULL, "every network" },
	{ "::ffff:192.0.2.1\n", NULL, "IPv6 form" },
	{ "224.0.0.1\n", NULL, "multicast" },
	{ "127.0.0.1\n", NULL, "loopback" },
	{ "0.0.0.0\n", NULL, "every address" },
	{ "www.example.org\n", NULL, "resolve it on the old host" },
	{ "eth0\n", NULL, "resolve it on the old host" },
	{ "2001:db8::x\n", NULL, "no legal address" },
};

START_TEST(test_address)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", addresses[_i].text);
	box_file(&b, "interfaces/0/dev", "eth0\n");
	box_read(&b);
	if (addresses[_i].ip != NULL) {
		ck_assert_str_eq(addr_of(&b, addresses[_i].ip)->dev.v, "eth0");
		ck_assert_int_eq(addresses[_i].says != NULL &&
					 box_says(&b, FIND_NET_SPELLING,
						  addresses[_i].says),
				 addresses[_i].says != NULL);
	} else {
		ck_assert_uint_eq(b.g->addrs.n, 0);
		ck_assert(
			box_says(&b, FIND_NET_BAD_ADDRESS, addresses[_i].says));
		ck_assert_int_eq(box_setting(&b, "interfaces/0/ip", NULL)->bin,
				 BIN_INVALID);
		ck_assert_int_eq(box_setting(&b, "interfaces/0/dev", NULL)->bin,
				 BIN_DROPPED);
	}
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_cidr)
{
	struct box b;

	box_one(&b, "interfaces/0/ip", "192.0.2.10/24\n");
	ck_assert_uint_eq(addr_of(&b, "192.0.2.10")->prefix.v, 24);
	ck_assert(box_says(&b, FIND_NET_SPELLING, "24 is used"));
	box_close(&b);
}
END_TEST

static const struct {
	const char *ip, *prefix, *says;
} edges[] = {
	{ "192.0.2.0\n", "24\n", "192.0.2.0 is the address of its own" },
	{ "192.0.2.255\n", "24\n", "the broadcast address of its own" },
	{ "192.0.2.15\n", "28\n", "the broadcast address of its own" },
	{ "192.0.2.10\n", "24\n", NULL },
	{ "192.0.2.0\n", "32\n", NULL },
	{ "192.0.2.0\n", "31\n", NULL },
	{ "2001:db8::\n", "64\n", NULL },
};

START_TEST(test_edge)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", edges[_i].ip);
	box_file(&b, "interfaces/0/prefix", edges[_i].prefix);
	box_file(&b, "interfaces/0/dev", "eth0\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert_uint_eq(box_found(&b, FIND_NET_EDGE), edges[_i].says != NULL);
	if (edges[_i].says != NULL)
		ck_assert(box_says(&b, FIND_NET_EDGE, edges[_i].says));
	box_close(&b);
}
END_TEST

/* Files of an interface beside ip and dev, and what is said of them. */
static const struct {
	const char *dev, *files[2];
	enum finding_id found;
	const char *says;
} odd[] = {
	{ "tun5\n", { "tun", "tap" }, FIND_NET_CONTRADICTION, "tun and tap" },
	{ "eth0.9\n",
	  { "vlandev", "novlandev" },
	  FIND_NET_CONTRADICTION,
	  "vlandev won" },
	{ "eth0.4095\n", { NULL }, FIND_NET_NO_VLAN, "the number 4095" },
	{ "eth0.0\n", { NULL }, FIND_NET_NO_VLAN, "the number 0" },
	{ "vlan12\n", { "vlandev" }, FIND_SRC_NOT_STARTED, "of that form" },
	{ NULL, { NULL }, FIND_SRC_NOT_STARTED, "neither a device nor nodev" },
};

START_TEST(test_odd)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	if (odd[_i].dev != NULL)
		box_file(&b, "interfaces/0/dev", odd[_i].dev);
	for (size_t k = 0; k < COUNT(odd[_i].files); k++)
		if (odd[_i].files[k] != NULL)
			box_file(&b,
				 arena_printf(b.mem, "interfaces/0/%s",
					      odd[_i].files[k]),
				 "");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert(box_says(&b, odd[_i].found, odd[_i].says));
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_not_odd)
{
	static const char *const devs[] = { "eth0.4094\n", "eth0.x\n", "br0\n",
					    "bond0.7.9\n" };
	struct box b;

	for (size_t k = 0; k < COUNT(devs); k++) {
		box_open(&b);
		box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
		box_file(&b, "interfaces/0/dev", devs[k]);
		box_file(&b, "interfaces/0/vlandev", "");
		box_read(&b);
		ck_assert_uint_eq(box_found(&b, FIND_NET_NO_VLAN), 0);
		ck_assert_uint_eq(box_found(&b, FIND_NET_CONTRADICTION), 0);
		ck_assert(!box_says(&b, FIND_SRC_NOT_STARTED, "of that form"));
		box_close(&b);
	}
}
END_TEST

/* A broadcast address, and the network it is outside of. */
START_TEST(test_broadcast)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	box_file(&b, "interfaces/0/prefix", "24\n");
	box_file(&b, "interfaces/0/bcast", "198.51.100.255\n");
	box_file(&b, "interfaces/1/ip", "192.0.2.11\n");
	box_file(&b, "interfaces/1/prefix", "24\n");
	box_file(&b, "interfaces/1/bcast", "192.0.2.255\n");
	box_file(&b, "interfaces/2/ip", "192.0.2.12\n");
	box_file(&b, "interfaces/2/prefix", "32\n");
	box_file(&b, "interfaces/2/bcast", "198.51.100.255\n");
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_NET_BROADCAST_OUTSIDE), 1);
	ck_assert(box_says(&b, FIND_NET_BROADCAST_OUTSIDE, "198.51.100.255"));
	box_close(&b);
}
END_TEST

/* Devices without a wire: each tells of itself, the guest makes them once. */
START_TEST(test_unwired)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "10.9.0.1\n");
	box_file(&b, "interfaces/0/dev", "vpn0\n");
	box_file(&b, "interfaces/0/tun", "");
	box_file(&b, "interfaces/1/ip", "10.9.0.2\n");
	box_file(&b, "interfaces/1/dev", "vpn1\n");
	box_file(&b, "interfaces/1/tap", "");
	box_file(&b, "interfaces/2/ip", "10.9.0.3\n");
	box_file(&b, "interfaces/2/dev", "dum0\n");
	box_file(&b, "interfaces/2/indirect", "");
	box_file(&b, "interfaces/3/ip", "10.9.0.4\n");
	box_file(&b, "interfaces/3/dev", "eth0\n");
	box_read(&b);
	ck_assert(addr_of(&b, "10.9.0.1")->unwired.v);
	ck_assert(addr_of(&b, "10.9.0.2")->unwired.v);
	ck_assert(addr_of(&b, "10.9.0.3")->unwired.v);
	ck_assert_ptr_null(addr_of(&b, "10.9.0.4")->unwired.from);
	ck_assert_uint_eq(box_found(&b, FIND_NET_TUN), 2);
	ck_assert(!box_setting(&b, "interfaces/0/tun", NULL)->decided);
	ck_assert_uint_eq(box_found(&b, FIND_NET_MAC_NEW), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_twice)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "2001:db8::1\n");
	box_file(&b, "interfaces/1/ip", "2001:DB8:0::1\n");
	box_file(&b, "interfaces/1/dev", "eth1\n");
	box_read(&b);
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert(box_says(&b, FIND_SRC_MULTIPLE, "interfaces/0/ip already"));
	ck_assert_int_eq(box_setting(&b, "interfaces/1/dev", NULL)->bin,
			 BIN_OVERRIDDEN);
	box_close(&b);
}
END_TEST

START_TEST(test_second_line)
{
	struct box b;

	box_one(&b, "interfaces/2/ip", "192.0.2.9\n192.0.2.10\n");
	ck_assert_uint_eq(b.g->addrs.n, 1);
	ck_assert_uint_eq(box_found(&b, FIND_NET_EXTRA_ADDRESS), 1);
	box_close(&b);
}
END_TEST

START_TEST(test_empty_interface)
{
	struct box b;

	box_open(&b);
	box_dir(&b, "etc/vservers/web/interfaces/1");
	box_file(&b, "interfaces/2/dev", "eth0\n");
	box_file(&b, "interfaces/CVS/Entries", "x\n");
	box_read(&b);
	ck_assert_uint_eq(box_found(&b, FIND_NET_NO_ADDRESS), 2);
	ck_assert_uint_eq(b.g->addrs.n, 0);
	ck_assert_str_eq(b.g->ns_net.v, "filtered");
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static const struct {
	const char *dev, *as;
	enum finding_id found;
} devices[] = {
	{ "eth0\n", "eth0", FIND__MAX },
	{ "eth0:1\n", "eth0", FIND_SRC_NOT_STARTED },
	{ "averyveryverylongname\n", "averyveryverylo", FIND_NET_DEVICE_CUT },
	{ "../../../../../../etc\n", NULL, FIND_NET_BAD_VALUE },
	{ "a/b\n", NULL, FIND_NET_BAD_VALUE },
	{ "eth 0\n", NULL, FIND_NET_BAD_VALUE },
	{ "eth0;reboot\n", NULL, FIND_NET_BAD_VALUE },
};

START_TEST(test_device)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	box_file(&b, "interfaces/0/dev", devices[_i].dev);
	box_read(&b);
	if (devices[_i].as != NULL)
		ck_assert_str_eq(b.g->addrs.v[0]->dev.v, devices[_i].as);
	else
		ck_assert_ptr_null(b.g->addrs.v[0]->dev.from);
	if (devices[_i].found != FIND__MAX)
		ck_assert_uint_ge(box_found(&b, devices[_i].found), 1);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_label_in_device)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	box_file(&b, "interfaces/0/dev", "eth0:1\n");
	box_read(&b);
	ck_assert_str_eq(b.g->addrs.v[0]->label.v, "eth0:1");
	ck_assert(box_says(&b, FIND_SRC_NOT_STARTED, "eth0:1 taken as eth0"));
	box_close(&b);
}
END_TEST

/* Everything that can stand in a directory, and where it ends. */
START_TEST(test_odds)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.10\n");
	box_file(&b, "interfaces/0/dev", "tap0\n");
	box_file(&b, "interfaces/0/tap", "");
	box_file(&b, "interfaces/0/uid", "1000\n");
	box_file(&b, "interfaces/0/down", "");
	box_file(&b, "interfaces/0/peer", "192.0.2.9\n");
	box_file(&b, "interfaces/0/scope", "global\n");
	box_file(&b, "interfaces/0/mac", "02:00:5e:10:00:01\n");
	box_file(&b, "interfaces/0/gateway", "192.0.2.1\n");
	box_file(&b, "interfaces/0/table", "201\n");
	box_file(&b, "interfaces/0/net", "192.0.2.0\n");
	box_file(&b, "interfaces/lback", "127.1.0.1\n");
	box_read(&b);
	ck_assert(b.g->tun_create.v);
	ck_assert_uint_eq(box_found(&b, FIND_NET_TUN), 1);
	ck_assert_int_eq(box_setting(&b, "interfaces/0/uid", NULL)->bin,
			 BIN_DROPPED);
	ck_assert(!b.g->addrs.v[0]->up.v);
	ck_assert_ptr_nonnull(b.g->addrs.v[0]->up.from);
	ck_assert_str_eq(b.g->addrs.v[0]->peer.v, "192.0.2.9");
	ck_assert_int_eq(box_setting(&b, "interfaces/0/scope", NULL)->bin,
			 BIN_INERT);
	ck_assert_int_eq(box_setting(&b, "interfaces/0/mac", NULL)->bin,
			 BIN_INERT);
	ck_assert_uint_eq(b.g->routes.n, 1);
	ck_assert_str_eq(b.g->routes.v[0]->dest.v, "default");
	ck_assert_str_eq(b.g->routes.v[0]->via.v, "192.0.2.1");
	ck_assert_str_eq(b.g->routes.v[0]->table.v, "201");
	ck_assert_int_eq(box_setting(&b, "interfaces/0/net", NULL)->bin,
			 BIN_HOSTSIDE);
	ck_assert_str_eq(b.g->loopback.v, "127.1.0.1");
	check_accounted(&b);
	box_close(&b);
}
END_TEST

START_TEST(test_nodev_rest)
{
	struct box b;

	box_open(&b);
	box_file(&b, "interfaces/0/ip", "192.0.2.44\n");
	box_file(&b, "interfaces/0/only_ip", "");
	box_file(&b, "interfaces/0/dev", "eth0\n");
	box_file(&b, "interfaces/0/name", "web\n");
	box_read(&b);
	ck_assert(b.g->addrs.v[0]->nodev.v);
	ck_assert_str_eq(b.g->addrs.v[0]->dev.v, "eth0");
	ck_assert(box_setting(&b, "interfaces/0/dev", NULL)->approx);
	ck_assert_ptr_null(b.g->addrs.v[0]->label.from);
	ck_assert_int_eq(box_setting(&b, "interfaces/0/name", NULL)->bin,
			 BIN_INERT);
	box_close(&b);
}
END_TEST

/* scripts/vserver.functions overwrites what the file mac says. */
static const struct {
	const char *iface, *made_up;
} macs[] = {
	{ "0", "f0:ff:ff:00:9c:47" },
	{ "258", "f0:ff:fe:02:9c:47" },
	{ "web", "the start ended there" },
};

START_TEST(test_mac)
{
	struct box b;
	const char *key;

	box_open(&b);
	key = arena_printf(b.mem, "interfaces/%s/mac", macs[_i].iface);
	box_file(&b, key, "02:00:5e:10:00:01\n");
	box_file(&b, arena_printf(b.mem, "interfaces/%s/ip", macs[_i].iface),
		 "192.0.2.10\n");
	box_file(&b, arena_printf(b.mem, "interfaces/%s/dev", macs[_i].iface),
		 "dmy0\n");
	box_file(&b,
		 arena_printf(b.mem, "interfaces/%s/indirect", macs[_i].iface),
		 "");
	box_read(&b);
	ck_assert(box_says(&b, FIND_NET_MAC_NEW, macs[_i].made_up));
	ck_assert_int_eq(box_setting(&b, key, NULL)->bin, BIN_INERT);
	check_accounted(&b);
	box_close(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("vserver_addr");
	TCase *net = tcase_create("addresses");

	tcase_add_loop_test(net, test_mask, 0, COUNT(masks));
	tcase_add_loop_test(net, test_vlan, 0, COUNT(vlans));
	tcase_add_test(net, test_several);
	tcase_add_test(net, test_ipv6_vlan);
	tcase_add_loop_test(net, test_prefix, 0, COUNT(prefixes));
	tcase_add_loop_test(net, test_address, 0, COUNT(addresses));
	tcase_add_test(net, test_cidr);
	tcase_add_loop_test(net, test_edge, 0, COUNT(edges));
	tcase_add_loop_test(net, test_odd, 0, COUNT(odd));
	tcase_add_test(net, test_not_odd);
	tcase_add_test(net, test_broadcast);
	tcase_add_test(net, test_unwired);
	tcase_add_test(net, test_twice);
	tcase_add_test(net, test_second_line);
	tcase_add_test(net, test_empty_interface);
	tcase_add_loop_test(net, test_device, 0, COUNT(devices));
	tcase_add_test(net, test_label_in_device);
	tcase_add_test(net, test_odds);
	tcase_add_test(net, test_nodev_rest);
	tcase_add_loop_test(net, test_mac, 0, COUNT(macs));
	suite_add_tcase(s, net);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
