/*
 * OpenVZ: lines, numbers, and what whole configurations mean. Reference:
 * openvz.md parts 2 and 5; the hostile ones are those of 7.9.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "importers/openvz/read.h"
#include "importers/openvz/table.h"

/* --- lines --- */

static const struct line_case {
	const char *text; /* of a file */
	enum ov_dialect dialect;
	const char *key, *value; /* of its first line */
	enum ov_fault fault;
} line_cases[] = {
	{ "A=\"x\"", OV_LEGACY, "A", "x", OV_FINE },
	{ "  A=\"x\"\r\n", OV_LEGACY, "A", "x", OV_FINE },
	{ "A=\"x\" # why", OV_LEGACY, "A", "x", OV_FINE },
	{ "A=\"x\" # \"why\"", OV_LEGACY, "A", "x\" # \"why", OV_FINE },
	{ "A=x # why", OV_LEGACY, "A", "x", OV_FINE },
	{ "A=x#y", OV_LEGACY, "A", "x#y", OV_FINE },
	{ "A=a b", OV_LEGACY, "A", "a b", OV_FINE },
	{ "A='x'", OV_LEGACY, "A", "'x'", OV_FINE },
	{ "A='x'", OV_V7, "A", "x", OV_FINE },
	{ "A=\"a\\\"b\"", OV_LEGACY, "A", "a\"b", OV_FINE },
	{ "A=\"a\"b\"c\"", OV_LEGACY, "A", "a\"b\"c", OV_FINE },
	{ "A=\"a=b\"", OV_LEGACY, "A", "a=b", OV_FINE },
	{ "A=", OV_LEGACY, "A", "", OV_FINE },
	{ "A=\"x", OV_LEGACY, "A", "x", OV_OPEN_QUOTE },
	{ "A=\"x\nB=\"y\"", OV_LEGACY, "A", "x", OV_OPEN_QUOTE },
	{ "A=\"x\n  y\"\nB=z", OV_LEGACY, "A", "x   y", OV_JOINED },
	{ "A =\"x\"", OV_LEGACY, "A", "x", OV_UNSEEN },
	{ "export A=\"x\"", OV_LEGACY, "A", "x", OV_UNSEEN },
	{ "a=\"x\"", OV_LEGACY, "a", "x", OV_UNSEEN },
	{ "A+=\"x\"", OV_LEGACY, "A+", "x", OV_UNSEEN },
	{ "=\"x\"", OV_LEGACY, "", "=\"x\"", OV_NO_ASSIGNMENT },
	{ ". /etc/vz/vz.conf", OV_LEGACY, "", ". /etc/vz/vz.conf",
	  OV_NO_ASSIGNMENT },
	{ "\xef\xbb\xbf"
	  "A=\"x\"",
	  OV_LEGACY, "A", "x", OV_FINE },
	{ "# c\n\nA=\"$(reboot)\"", OV_LEGACY, "A", "$(reboot)", OV_FINE },
};

START_TEST(line)
{
	const struct line_case *c = &line_cases[_i];
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct ov_lines l;

	openvz_lines_cut(mem, c->text, strlen(c->text), c->dialect, &l);
	ck_assert_uint_ge(l.n, 1);
	ck_assert_str_eq(l.v[0].key, c->key);
	ck_assert_str_eq(l.v[0].text, c->value);
	ck_assert_int_eq(l.v[0].fault, c->fault);
}
END_TEST

START_TEST(whole_files)
{
	static const char nul[] = "A=\"x\0y\"\nB=\"z\"\n#UUID: 1-2\n";
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *big = arena_alloc(mem, 1 << 20);
	struct ov_lines l;

	openvz_lines_cut(mem, "", 0, OV_LEGACY, &l);
	ck_assert_uint_eq(l.n, 0);
	openvz_lines_cut(mem, nul, sizeof(nul) - 1, OV_LEGACY, &l);
	ck_assert_uint_eq(l.n, 2);
	ck_assert(l.v[0].nul);
	ck_assert_int_eq(l.v[0].fault, OV_OPEN_QUOTE);
	ck_assert_str_eq(l.v[1].text, "z");
	ck_assert_str_eq(l.uuid, "1-2");
	memset(big, 'A', 1 << 20);
	openvz_lines_cut(mem, big, 1 << 20, OV_LEGACY, &l);
	ck_assert_int_eq(l.v[0].fault, OV_NO_ASSIGNMENT);
}
END_TEST

static const struct dialect_case {
	const char *path, *text;
	enum ov_dialect dialect;
} dialect_cases[] = {
	{ "/etc/vz/conf/101.conf", "ONBOOT=\"yes\"", OV_LEGACY },
	{ "/etc/vz/conf/101.conf", "VEID=\"101\"", OV_V7 },
	{ "/etc/vz/conf/101.conf", "NETIF=\"ifname=eth0,type=routed\"", OV_V7 },
	{ "/vz/private/101/ve.conf", "ONBOOT=\"yes\"", OV_V7 },
	{ "/etc/vz/conf/9b5c3c1e-7f0d-4a58-9a52-3f6c2f1d8e77.conf", "", OV_V7 },
	{ "/etc/pve/openvz/101.conf", "ONBOOT=\"yes\"", OV_PVE },
};

START_TEST(dialect)
{
	const struct dialect_case *c = &dialect_cases[_i];

	ck_assert_int_eq(openvz_dialect_of(c->path, c->text, strlen(c->text)),
			 c->dialect);
}
END_TEST

/* --- numbers --- */

enum { BAD = 1, NONE = 2, EMPTY = 4 };

static const struct number_case {
	const char *text;
	enum ov_unit unit;
	unsigned what;
	uint64_t v;
} number_cases[] = {
	{ "131072", OV_PAGES, 0, UINT64_C(536870912) },
	{ "512M", OV_PAGES, 0, UINT64_C(536870912) },
	{ "512m", OV_PAGES, 0, UINT64_C(536870912) },
	{ "4097B", OV_PAGES, 0, 4096 },
	{ "1p", OV_PAGES, 0, 4096 },
	{ "268435456B", OV_PAGES, 0, UINT64_C(268435456) },
	{ "2.2G", OV_BLOCKS, 0, UINT64_C(2306867) * 1024 },
	{ "1048576", OV_BLOCKS, 0, UINT64_C(1073741824) },
	{ "14372700", OV_BYTES, 0, 14372700 },
	{ "200K", OV_INODES, 0, 204800 },
	{ "0", OV_PAGES, 0, 0 },
	{ "007", OV_ITEMS, 0, 7 },
	{ "+5", OV_ITEMS, 0, 5 },
	{ "unlimited", OV_PAGES, NONE, 0 },
	{ "2147483647", OV_PAGES, NONE, 0 },
	{ "2147483647", OV_ITEMS, NONE, 0 },
	{ "4294967295", OV_PAGES, NONE, 0 },
	{ "9223372036854775807", OV_BYTES, NONE, 0 },
	{ "9223372036854775808", OV_BYTES, NONE, 0 },
	{ "18446744073709551615", OV_PAGES, NONE, 0 },
	{ "2251799813685247", OV_PAGES, 0, UINT64_C(9223372036854771712) },
	{ "2251799813685248", OV_PAGES, NONE, 0 },
	{ "-1", OV_PAGES, NONE, 0 },
	{ "", OV_PAGES, EMPTY, 0 },
	{ "unlimitedX", OV_PAGES, BAD, 0 },
	{ "UNLIMITED", OV_PAGES, BAD, 0 },
	{ "0x10", OV_PAGES, BAD, 0 },
	{ "1e9", OV_PAGES, BAD, 0 },
	{ "18446744073709551616", OV_PAGES, BAD, 0 },
	{ "512MB", OV_PAGES, BAD, 0 },
	{ "1 G", OV_PAGES, BAD, 0 },
	{ "1.5.2G", OV_PAGES, BAD, 0 },
	{ ".5G", OV_PAGES, BAD, 0 },
	{ "240K", OV_ITEMS, BAD, 0 },
	{ "1.5", OV_ITEMS, BAD, 0 },
	{ "-5", OV_ITEMS, BAD, 0 },
};

START_TEST(number)
{
	const struct number_case *c = &number_cases[_i];
	struct ov_number n;
	struct err e;
	const int status = openvz_number_parse(c->text, c->unit, 4096, &n, &e);

	ck_assert_msg((status < 0) == (c->what == BAD), "\"%s\": %s", c->text,
		      status < 0 ? e.msg : "taken");
	if (status < 0)
		return;
	ck_assert_msg(n.none == (c->what == NONE), "\"%s\"", c->text);
	ck_assert_msg(n.empty == (c->what == EMPTY), "\"%s\"", c->text);
	ck_assert_msg(n.none || n.v == c->v, "\"%s\": %" PRIu64, c->text, n.v);
}
END_TEST

static const struct list_case {
	const char *text;
	bool good;
} list_cases[] = {
	{ "0-3", true },   { "0-2,7", true }, { "3-1", false },
	{ "0,,1", false }, { "0-", false },   { "99999", false },
	{ "", false },     { "a", false },    { "4095", true },
};

START_TEST(cpu_list)
{
	struct err e;

	ck_assert_msg((openvz_cpu_list(list_cases[_i].text, &e) == 0) ==
			      list_cases[_i].good,
		      "\"%s\"", list_cases[_i].text);
}
END_TEST

/* --- guests --- */

struct box {
	char dir[32];
	struct arena *mem;
	struct tree *tree;
	struct host host;
	struct source source;
	struct reading *r;
};

static void box_open(struct box *b, const char *text)
{
	struct err e;

	*b = (struct box){ .dir = "/tmp/check_openvz.XXXXXX",
			   .mem = arena_new() };
	ck_assert_ptr_nonnull(mkdtemp(b->dir));
	ck_assert_int_eq(tree_open_dir(b->dir, &b->tree, &e), 0);
	b->host = (struct host){ .name = "h", .dir = b->dir, .tree = b->tree };
	b->source = (struct source){ .host = &b->host,
				     .kind = "openvz",
				     .id = "101",
				     .path = "/etc/vz/conf/101.conf" };
	b->r = reading_new(guest_new(b->mem), &b->source,
			   importer_find("openvz"));
	b->r->g->key = "h/openvz:101";
	openvz_begin(b->r, b->source.path)->dialect =
		openvz_dialect_of(b->source.path, text, strlen(text));
	openvz_read_text(b->r, text);
	openvz_settle(b->r);
	ck_assert_int_eq(reading_close(b->r, &e), 0);
}

static void box_done(struct box *b)
{
	tree_close(b->tree);
	ck_assert_int_eq(rmdir(b->dir), 0);
	arena_free(b->mem);
}

/* The value of a field of the guest or of the first object of its scope. */
static const char *shown(struct box *b, const char *name)
{
	const enum field_id id = field_find(name);
	const enum scope scope = field_get(id)->scope;
	void *const *objects;
	struct value v;

	if (field_objects(b->r->g, scope, &objects) == 0)
		return "absent";
	v = field_value(id, field_object(b->r->g, scope, 0));
	return v.from == NULL ? "absent" : value_show(b->mem, &v);
}

#define VSWAP "PHYSPAGES=\"0:1G\"\nSWAPPAGES=\"0:512M\"\n"

static const struct guest_case {
	const char *text, *field, *value;
} guest_cases[] = {
	/* which memory manager; 2.6 */
	{ VSWAP, "limit.memory", "1073741824" },
	{ VSWAP, "limit.swap", "536870912" },
	{ "PHYSPAGES=\"0:1G\"", "limit.swap", "0" },
	{ VSWAP "PRIVVMPAGES=\"65536\"", "limit.address-space", "268435456" },
	{ VSWAP "PRIVVMPAGES=\"10G\"", "limit.address-space", "absent" },
	{ "PHYSPAGES=\"0:unlimited\"\nPRIVVMPAGES=\"65536:69632\"",
	  "limit.memory", "285212672" },
	{ "PHYSPAGES=\"0:2147483647\"\nPRIVVMPAGES=\"65536:69632\"",
	  "limit.memory-high", "268435456" },
	{ "PRIVVMPAGES=\"69632:69632\"", "limit.memory-high", "absent" },
	{ "SLMMEMORYLIMIT=\"1G:512M\"\nPRIVVMPAGES=\"1G:1G\"", "limit.memory",
	  "536870912" },
	{ "SLMMODE=\"ubc\"\nSLMMEMORYLIMIT=\"1G:512M\"\nPRIVVMPAGES=\"2G\"",
	  "limit.memory", "2147483648" },
	{ VSWAP "MEMGUARANTEE=\"25\"", "limit.memory-low", "268435456" },
	{ VSWAP "MEMGUARANTEE=\"auto\"", "limit.memory-low", "absent" },
	{ "NUMPROC=\"200:240\"", "limit.pids", "240" },
	{ "NUMPROC=\"unlimited\"", "limit.pids", "unlimited" },
	{ "NUMPROC=\"1:2:3\"", "limit.pids", "absent" },
	/* processor and disks; 2.7, 5.3 */
	{ "CPUUNITS=\"2000\"", "limit.cpu-weight", "200" },
	{ "CPUUNITS=\"8\"", "limit.cpu-weight", "1" },
	{ "CPUUNITS=\"500000\"", "limit.cpu-weight", "10000" },
	{ "CPUUNITS=\"7\"", "limit.cpu-weight", "absent" },
	{ "CPULIMIT=\"150\"", "limit.cpu-quota", "150000" },
	{ "CPULIMIT=\"0\"", "limit.cpu-quota", "absent" },
	{ "CPULIMIT=\"300\"\nCPUS=\"2\"", "limit.cpu-quota", "200000" },
	{ "CPULIMIT=\"25%\"", "limit.cpu-quota", "25000" },
	{ "CPULIMIT=\"101%\"", "limit.cpu-quota", "absent" },
	{ "CPUMASK=\"all\"", "limit.cpus", "absent" },
	{ "IOPRIO=\"4\"", "limit.io-weight", "100" },
	{ "IOPRIO=\"8\"", "limit.io-weight", "absent" },
	{ "IOLIMIT=\"10M\"", "io.write-bytes", "10485760" },
	{ "IOPSLIMIT=\"0\"", "io.read-ops", "absent" },
	{ "DISKSPACE=\"2G:2.2G\"", "disk.space", "2362231808" },
	{ "DISKSPACE=\"1G\"\nDISK_QUOTA=\"no\"", "disk.space", "absent" },
	/* which of two lines; 2.3 */
	{ "HOSTNAME=\"a\"\nHOSTNAME=\"b\"", "id.hostname", "a" },
	{ "VEID=\"1\"\nHOSTNAME=\"a\"\nHOSTNAME=\"b\"", "id.hostname", "b" },
	{ "NUMPROC=\"1\"\nNUMPROC=\"2\"", "limit.pids", "2" },
	{ "SEARCHDOMAIN=\"a\"\nSEARCHDOMAIN=\"b\"", "dns.search", "a b" },
	/* network; 3.5 */
	{ "IP_ADDRESS=\"192.0.2.9/24\"", "addr.prefix", "32" },
	{ "IP_ADDRESS=\"192.0.2.9/24\"\nUSE_VENET_MASK=\"yes\"", "addr.prefix",
	  "24" },
	{ "IP_ADDRESS=\"192.0.2.9\"", "nic.source-filter", "yes" },
	{ "IP_ADDRESS=\"0.0.0.0 ::\"", "nic.name", "absent" },
	{ "IP_ADDRESS=\"2001:DB8::A\"\nIPV6=\"no\"", "addr.ip", "absent" },
	{ "IP_ADDRESS=\"2001:DB8::A\"", "addr.ip", "2001:db8::a" },
	{ "NETIF=\"ifname=eth0\"", "nic.attach", "p2p" },
	{ "NETIF=\"ifname=eth0,bridge=br1\"", "nic.attach", "bridge:br1" },
	{ "NETIF=\"ifname=eth0,type=routed\"", "nic.attach", "absent" },
	{ "NETIF=\"ifname=eth0,network=n,ip=192.0.2.1/255.255.255.0\"",
	  "addr.prefix", "24" },
	{ "NETIF=\"bridge=br1;ifname=eth0\"", "nic.name", "absent" },
	{ "VEID=\"1\"\nNETIF=\"bridge=br1;ifname=eth0\"", "nic.name", "eth0" },
	{ "NETIF=\"ifname=sixteen-bytes-xx\"", "nic.name", "absent" },
	{ "NETIF=\"ifname=../x\"", "nic.name", "absent" },
	{ "NETIF=\"ifname=e,mac=01:00:5e:00:00:01\"", "nic.mac", "absent" },
	{ "NETDEV=\"eth3\"", "nic.attach", "phys:eth3" },
	{ "NETDEV=\"lo\"", "nic.name", "absent" },
	/* devices; 3.6 */
	{ "DEVICES=\"c:10:200:rw\"", "device.rule", "c 10:200" },
	{ "DEVICES=\"c:188:all:r\"", "device.rule", "c 188:*" },
	{ "DEVNODES=\"net/tun:rw\"", "device.path", "/dev/net/tun" },
	{ "DEVNODES=\"../../etc/shadow:rw\"", "device.rule", "c 1:3" },
	{ "DEVNODES=\"/dev/net/tun:rw\"", "device.rule", "c 1:3" },
	{ "DEVICES=\"c:1:3:none\"", "device.rule", "c 1:5" },
	/* boot; 3.2 */
	{ "ONBOOT=\"yes\"", "boot.autostart", "yes" },
	{ "ONBOOT=\"yes\"\nDISABLED=\"yes\"", "boot.autostart", "no" },
	{ "ONBOOT=\"auto\"", "boot.autostart", "absent" },
	{ "BOOTORDER=\"20\"", "boot.order", "-20" },
	{ "STOP_TIMEOUT=\"-1\"", "boot.stop-timeout", "absent" },
	{ "BINDMOUNT=\"/a:/b,ro\"", "mount.options", "bind ro" },
	{ "BINDMOUNT=\"/a:/\"", "mount.target", "absent" },
	{ "BINDMOUNT=\"/a/../..:/b\"", "mount.target", "absent" },
	{ "VE_PRIVATE=\"/\"", "root.path", "absent" },
	{ "VE_PRIVATE=\"/vz/${VEID}/\"", "root.path", "/vz/101" },
	{ "VE_PRIVATE=\"/vz/../x\"", "root.path", "absent" },
	{ "OSTEMPLATE=\"centos-6-x86\"", "id.arch", "i686" },
	{ "OSTEMPLATE=\"debian-7.0-amd64-x\"", "id.arch", "x86_64" },
	{ "VE_ENVIRONMENT=\"A=b=c\"", "env.value", "b=c" },
};

START_TEST(guest)
{
	const struct guest_case *c = &guest_cases[_i];
	struct box b;

	box_open(&b, c->text);
	ck_assert_msg(str_eq(shown(&b, c->field), c->value), "%s: %s: %s",
		      c->text, c->field, shown(&b, c->field));
	box_done(&b);
}
END_TEST

static bool has_cap(struct box *b, const char *name)
{
	const struct strv set =
		strv_split(b->mem, shown(b, "cap.bounding"), " ");

	return strv_has(&set, name);
}

static const struct cap_case {
	const char *text, *name;
	bool on;
} cap_cases[] = {
	{ "", "sys_admin", true },
	{ "", "sys_time", false },
	{ "CAPABILITY=\"SYS_TIME:on\"", "sys_time", true },
	{ "CAPABILITY=\"sys_ptrace:off\"", "sys_ptrace", false },
	{ "CAPABILITY=\"NET_ADMIN:off\"", "net_admin", true },
	{ "CAPABILITY=\"VE_ADMIN:off\"", "net_admin", false },
	{ "CAPABILITY=\"NET_ADMIN:on VE_ADMIN:off\"", "net_admin", true },
	{ "CAPABILITY=\"CHOWN:off NOPE:on KILL:off\"", "chown", false },
	{ "CAPABILITY=\"CHOWN:off NOPE:on KILL:off\"", "kill", true },
	{ "CAPABILITY=\"CHOWN KILL:off\"", "kill", true },
	{ "CAPABILITY=\"cap_kill:off\"", "kill", true },
	{ "VEID=\"1\"\nCAPABILITY=\"KILL:off\"", "kill", true },
};

START_TEST(capability)
{
	const struct cap_case *c = &cap_cases[_i];
	struct box b;

	box_open(&b, c->text);
	ck_assert_msg(has_cap(&b, c->name) == c->on, "%s: %s", c->text,
		      c->name);
	box_done(&b);
}
END_TEST

/* --- hostile values: of every key, each ends in a bin --- */

static const char *const nasty[] = {
	"",
	"-1",
	"+5",
	"0x10",
	"1e9",
	"10:5",
	"5:",
	":5",
	"1:2:3",
	"::::",
	";;,,;",
	",=,=;=",
	"$(reboot)",
	"`x`",
	"%s%n",
	"../../x",
	"/",
	"\t \t",
	"a:on",
	"x:1:2:rw",
	"c:999999:1",
	"c:10:200:zz",
	"256.1/33",
	":::",
	"fe80::1%eth0",
	"uuid={1}",
	"ifname=eth0,ifname=eth0,ip6=,ip=",
	"ifname=a;ifname=a",
	"\xff\xfe",
	"18446744073709551616",
	"0.0.0.0/0,1.2.3.4;5.6.7.8",
	"uuid={1},image=../../etc/shadow",
	"uuid={1},device=/dev/sda,size=99999999999999999999",
	":rw",
	":",
	"yes no",
	"101%",
	"abc%",
	"99m",
	"{}",
	"/a:/proc,ro,bogus",
};

START_TEST(hostile)
{
	const struct key *k = &openvz_keys[_i];

	if (strchr(k->name, ':') != NULL || k->name[0] == '#')
		return; /* reached by their list; a comment */
	for (size_t i = 0; i < COUNT(nasty); i++) {
		char text[256];
		struct box b;

		snprintf(text, sizeof(text), "%s=\"%s\"\n%s=%s\n", k->name,
			 nasty[i], k->name, nasty[i]);
		box_open(&b, text);
		for (size_t s = 0; s < b.r->g->findings.n; s++)
			ck_assert_msg(b.r->g->findings.v[s]->id !=
					      FIND_SYN_UNACCOUNTED,
				      "%s: not accounted for", text);
		ck_assert_msg(b.r->g->settings.n > 0, "%s", text);
		box_done(&b);
	}
}
END_TEST

START_TEST(many_addresses)
{
	struct buf text = { 0 };
	struct box b;

	buf_adds(&text, "IP_ADDRESS=\"");
	for (unsigned i = 0; i < 4096; i++)
		buf_printf(&text, "10.1.%u.%u ", i >> 8, i & 255);
	buf_adds(&text, "\"\n");
	box_open(&b, text.p);
	ck_assert_uint_eq(b.r->g->addrs.n, 4096);
	box_done(&b);
	buf_done(&text);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("openvz");
	TCase *l = tcase_create("lines"), *n = tcase_create("numbers");
	TCase *g = tcase_create("guests"), *h = tcase_create("hostile");

	tcase_add_loop_test(l, line, 0, COUNT(line_cases));
	tcase_add_test(l, whole_files);
	tcase_add_loop_test(l, dialect, 0, COUNT(dialect_cases));
	tcase_add_loop_test(n, number, 0, COUNT(number_cases));
	tcase_add_loop_test(n, cpu_list, 0, COUNT(list_cases));
	tcase_add_loop_test(g, guest, 0, COUNT(guest_cases));
	tcase_add_loop_test(g, capability, 0, COUNT(cap_cases));
	tcase_set_timeout(h, 60);
	tcase_add_loop_test(h, hostile, 0, OPENVZ_N_KEYS);
	tcase_add_test(h, many_addresses);
	suite_add_tcase(s, l);
	suite_add_tcase(s, n);
	suite_add_tcase(s, g);
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
