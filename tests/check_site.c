/* Unit tests of the site file's reader and its look-ups (src/site). */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "site.h"

struct box {
	struct arena *mem;
	struct site *s;
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

/* Reads a text as site file "T"; what site_read returns. */
static int read_bytes(struct box *b, const char *text, size_t n)
{
	char dir[] = "/tmp/check_site.XXXXXX";
	int rc;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(fd_replace(AT_FDCWD, "T", text, n, &b->e), 0);
	rc = site_read("T", b->mem, &b->s, &b->e);
	ck_assert_int_eq(unlink("T"), 0);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	return rc;
}

static void read_text(struct box *b, const char *text)
{
	const int rc = read_bytes(b, text, strlen(text));

	ck_assert_msg(rc == 0, "%s", b->e.msg);
}

static struct inet_addr ip(const char *text)
{
	struct inet_addr a;
	struct err e;

	ck_assert_int_eq(inet_parse(text, &a, &e), 0);
	return a;
}

/* The example of the design, with comments and further words. */
static const char example[] =
	"# a comment { with a \" brace\n"
	"subnet \"192.0.2.0/24\" { attach = \"bridge:br0\"  "
	"gateway = \"192.0.2.1\"  dns = {\"192.0.2.53\"} }\n"
	"device \"venet0\"       { attach = \"routed:br0\" }\n"
	"device \"eth2.2003\"    { attach = \"macvlan:eth2\"  vlan = 2003 }\n"
	"guest  \"ovz07/openvz:101\" { name = \"cust-101\"  "
	"target = \"proxmox\"  id = 90101\n"
	"  // the owner asked for more\n"
	"\tset = {\"limit.memory=8G\"} }\n"
	"guest  \"*/vserver:test-*\" { skip = true  reason = \"retired\" }\n"
	"/* two\n   lines */ accept \"LSM003\" { guests = {\"bank1/*\"}  "
	"target = \"lxc\"  reason = \"change 42817\"  by = \"mr\" }\n"
	"accept \"LSM003\" { reason = 'it is # known' }\n"
	"target \"lxc\"    { path = \"/var/lib/lxc\"  version = \"5.0\"  "
	"cgroup = \"v2\" }\n"
	"target \"incus\"  { pool = \"default\"  project = \"cust\" }\n"
	"idmap  { base = 2000000  size = 131072  per-guest = false }\n"
	"require = \"announced\"\n"
	"subnet \"192.0.2.64/26\" {\n"
	"\tvlan = 7\n"
	"}\n"
	"vserver-release = \"old\" memory-headroom = 25%\n";

START_TEST(valid)
{
	struct box b;

	box_open(&b);
	read_text(&b, example);
	ck_assert_str_eq(b.s->file, "T");
	ck_assert_uint_eq(b.s->subnets.n, 2);
	ck_assert_uint_eq(b.s->subnets.v[0]->line, 2);
	ck_assert_str_eq(b.s->subnets.v[0]->attach, "bridge:br0");
	ck_assert_str_eq(b.s->subnets.v[0]->gateway, "192.0.2.1");
	ck_assert_uint_eq(b.s->subnets.v[0]->dns.n, 1);
	ck_assert_int_eq(b.s->subnets.v[0]->vlan, -1);
	ck_assert_uint_eq(b.s->subnets.v[1]->line, 16);
	ck_assert_int_eq(b.s->subnets.v[1]->vlan, 7);
	ck_assert_ptr_null(b.s->subnets.v[1]->attach);
	ck_assert_uint_eq(b.s->devices.n, 2);
	ck_assert_int_eq(b.s->devices.v[0]->vlan, -1);
	ck_assert_int_eq(b.s->devices.v[0]->mtu, -1);
	ck_assert_int_eq(b.s->devices.v[1]->vlan, 2003);
	ck_assert_uint_eq(b.s->guests.n, 2);
	ck_assert_uint_eq(b.s->guests.v[0]->line, 5);
	ck_assert_uint_eq(b.s->guests.v[0]->set_line, 7);
	ck_assert_str_eq(b.s->guests.v[0]->name, "cust-101");
	ck_assert_str_eq(b.s->guests.v[0]->target, "proxmox");
	ck_assert_int_eq(b.s->guests.v[0]->id, 90101);
	ck_assert(!b.s->guests.v[0]->skip);
	ck_assert_str_eq(b.s->guests.v[0]->set.v[0], "limit.memory=8G");
	ck_assert(b.s->guests.v[1]->skip);
	ck_assert_str_eq(b.s->guests.v[1]->reason, "retired");
	box_done(&b);
}
END_TEST

START_TEST(valid_rest)
{
	struct box b;

	box_open(&b);
	read_text(&b, example);
	ck_assert_uint_eq(b.s->accepts.n, 2);
	ck_assert_uint_eq(b.s->accepts.v[0]->line, 10);
	ck_assert_str_eq(b.s->accepts.v[0]->guests.v[0], "bank1/*");
	ck_assert_str_eq(b.s->accepts.v[0]->by, "mr");
	ck_assert_uint_eq(b.s->accepts.v[1]->line, 11);
	ck_assert_uint_eq(b.s->accepts.v[1]->guests.n, 0);
	ck_assert_uint_eq(b.s->targets.n, 2);
	ck_assert_str_eq(site_target(b.s, "lxc")->cgroup, "v2");
	ck_assert_str_eq(site_target(b.s, "incus")->pool, "default");
	ck_assert_ptr_null(site_target(b.s, "oci"));
	ck_assert_uint_eq(b.s->idmap_base, 2000000);
	ck_assert_uint_eq(b.s->idmap_size, 131072);
	ck_assert(!b.s->idmap_per_guest);
	ck_assert_uint_eq(b.s->idmap_line, 14);
	ck_assert_str_eq(b.s->require, "announced");
	ck_assert_str_eq(site_choice(b.s, "vserver-release"), "old");
	ck_assert_uint_eq(site_choice_line(b.s, "vserver-release"), 19);
	ck_assert_str_eq(site_choice(b.s, "memory-headroom"), "25%");
	ck_assert_str_eq(site_choice(b.s, "page-size"), "4096");
	ck_assert_uint_eq(site_choice_line(b.s, "page-size"), 0);
	box_done(&b);
}
END_TEST

START_TEST(look_ups)
{
	struct inet_addr a = ip("192.0.2.70");
	struct box b;

	box_open(&b);
	read_text(&b, example);
	ck_assert_str_eq(site_subnet(b.s, &a)->text, "192.0.2.64/26");
	a = ip("192.0.2.1");
	ck_assert_str_eq(site_subnet(b.s, &a)->text, "192.0.2.0/24");
	a = ip("2001:db8::1");
	ck_assert_ptr_null(site_subnet(b.s, &a));
	ck_assert_str_eq(site_device(b.s, "eth2.2003")->attach, "macvlan:eth2");
	ck_assert_ptr_null(site_device(b.s, "eth2"));
	ck_assert(site_fits("ovz07/openvz:101", "ovz07/openvz:101"));
	ck_assert(!site_fits("ovz07/openvz:101", "ovz08/openvz:101"));
	ck_assert(site_fits("openvz:101", "ovz08/openvz:101"));
	ck_assert(!site_fits("openvz:10", "ovz08/openvz:101"));
	ck_assert(site_fits("*/vserver:test-*", "h/vserver:test-1"));
	ck_assert(site_fits("*", "h/vserver:test-1"));
	ck_assert(!site_fits("bank1/*", "bank2/vserver:a"));
	box_done(&b);
}
END_TEST

START_TEST(empty)
{
	size_t n;
	const struct site_word *words = site_words(&n);
	struct box b;

	box_open(&b);
	read_text(&b, "# nothing\n");
	ck_assert_uint_eq(b.s->choices.n, n);
	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_str_eq(site_choice(b.s, words[i].name),
				 words[i].value);
		ck_assert_str_ne(words[i].text, "");
		ck_assert_int_eq(
			site_words_check(&words[i], words[i].value, &b.e), 0);
		ck_assert_int_eq(site_words_check(&words[i], "no such", &b.e),
				 -1);
	}
	ck_assert_uint_eq(b.s->idmap_base, 1000000);
	ck_assert_uint_eq(b.s->idmap_size, 65536);
	ck_assert_uint_eq(b.s->idmap_line, 0);
	ck_assert_ptr_null(b.s->require);
	ck_assert_ptr_null(site_new(b.mem)->file);
	box_done(&b);
}
END_TEST

/* What is wrong, and the beginning of the message. */
static const struct {
	const char *text, *message;
} errors[] = {
	{ "# c\n\nbogus = 1\n", "T:3: " },
	{ "include(\"/etc/passwd\")\n", "T:1: " },
	{ "subnet \"192.0.2.0/24\" {\n\n gate = \"1\" }\n", "T:3: " },
	{ "\nsubnet { }\n", "T:2: " },
	{ "\n\nsubnet \"192.0.2.0/33\" { }\n",
	  "T:3: subnet \"192.0.2.0/33\": " },
	{ "subnet \"any\" { }\n", "T:1: subnet \"any\": " },
	{ "subnet \"192.0.2.0/24\" {\n gateway = \"192.0.2.\" }\n",
	  "T:2: gateway: " },
	{ "subnet \"192.0.2.0/24\" {\n gateway = \"fe80::1\" }\n",
	  "T:1: subnet \"192.0.2.0/24\": gateway: " },
	{ "subnet \"192.0.2.0/24\" {\n# c\n# d\n attach = \"brigde:br0\" }\n",
	  "T:4: attach: \"brigde:br0\" is none of bridge:IF" },
	{ "subnet \"192.0.2.0/24\" { attach = \"bridge:\" }\n",
	  "T:1: attach: " },
	{ "subnet \"192.0.2.0/24\" {\n dns = {\"192.0.2.53\",\n \"x\"} }\n",
	  "T:3: dns: " },
	{ "subnet \"192.0.2.0/24\" { vlan = 4095 }\n",
	  "T:1: vlan: 4095 is not from 1 to 4094" },
	{ "subnet \"192.0.2.0/24\" {\n vlan = x }\n", "T:2: " },
	{ "subnet \"192.0.2.0/24\" {\n vlan = 1\n vlan = 2 }\n",
	  "T:3: 'vlan' is given twice" },
	{ "subnet \"192.0.2.0/24\" { }\nsubnet \"192.0.2.0/24\" { }\n",
	  "T:2: subnet \"192.0.2.0/24\": is there already at line 1" },
	{ "device \"a device\" { }\n", "T:1: device \"a device\": " },
	{ "device \"eth0\" { gateway6 = \"192.0.2.1\" }\n", "T:1: gateway6: " },
	{ "device \"eth0\" { mtu = 20 }\n", "T:1: mtu: " },
	{ "guest \"a\" { name = \".x\" }\n", "T:1: name: " },
	{ "guest \"a\" { name = \"x/y\" }\n", "T:1: name: " },
	{ "guest \"a\" { target = \"docker\" }\n",
	  "T:1: target: \"docker\" is none of lxc incus" },
	{ "guest \"a\" { id = 0 }\n", "T:1: id: " },
	{ "guest \"a\" { skip = perhaps }\n", "T:1: " },
	{ "guest \"\" { skip = true }\n", "T:1: guest \"\": " },
	{ "guest \"a\" {\n set = {\"limit.memory=8G\",\n\"limit.mem=1\"} }\n",
	  "T:3: set: \"limit.mem\" is no field" },
	{ "guest \"a\" { set = {\"limit.memory\"} }\n",
	  "T:1: set: \"limit.memory\" is not FIELD=VALUE" },
	{ "guest \"a\" { set = {\"limit.memory=lots\"} }\n",
	  "T:1: set: limit.memory: " },
	{ "guest \"a\" { set = {\"nic.attach=none\"} }\n",
	  "T:1: set: nic.attach is a field of a list" },
	{ "guest \"a\" { set = {\"nic.0.attach=eth0\"} }\n",
	  "T:1: set: nic.attach: " },
	{ "guest \"a\" { set = {\"nic.0.gateway4=300.1.1.1\"} }\n",
	  "T:1: set: nic.gateway4: " },
	{ "guest \"a\" { set = {\"limit.0.memory=1\"} }\n", "T:1: set: " },
	{ "\naccept \"XYZ001\" { reason = \"r\" }\n",
	  "T:2: accept \"XYZ001\": no code of a finding" },
	{ "accept \"LSM003\" {\n }\n",
	  "T:1: accept \"LSM003\": needs a reason" },
	{ "accept \"SYN001\" { reason = \"r\" }\n",
	  "T:1: accept \"SYN001\": cannot be waived: " },
	{ "accept \"LSM003\" { reason = \"r\" guests = {\"\"} }\n",
	  "T:1: guests: " },
	{ "target \"vmware\" { }\n", "T:1: target \"vmware\": " },
	{ "target \"lxc\" { cgroup = \"v3\" }\n",
	  "T:1: cgroup: \"v3\" is none of v1 v2 both" },
	{ "target \"lxc\" { path = \"lib\" }\n", "T:1: path: " },
	{ "idmap { base = 0 }\n", "T:1: base: " },
	{ "idmap { base = 4294967295 }\n", "T:1: idmap: " },
	{ "idmap { }\n\nidmap { }\n",
	  "T:3: idmap: is there already at line 1" },
	{ "require = \"perfect\"\n", "T:1: require: \"perfect\" is none of " },
	{ "require = \"announced\"\nidmap { }\nrequire = \"accepted\"\n",
	  "T:3: require: is given twice" },
	{ "\nvserver-release = \"newest\"\n",
	  "T:2: vserver-release: \"newest\" is none of new|old" },
	{ "page-size = 5000\n", "T:1: page-size: " },
	{ "memory-headroom = much\n", "T:1: memory-headroom: " },
	{ "memory-headroom = 1%\nidmap { }\nmemory-headroom = 2%\n",
	  "T:3: memory-headroom: is given twice" },
	{ "default-attach = \"bridge\"\n", "T:1: default-attach: " },
	{ "assume-dev = \"eth 0\"\n", "T:1: assume-dev: " },
	{ "\nguest \"a\" { skip = true\n", "T:2: the block is not closed" },
	{ "require = \"announced\n\n", "T:1: the text has no closing quote" },
	{ "\n/* for ever\n", "T:2: the comment has no end" },
	{ "require\n", "T:" },
	{ "}\n", "T:1: " },
};

START_TEST(wrong)
{
	const char *want = errors[_i].message;
	struct box b;

	box_open(&b);
	ck_assert_int_eq(
		read_bytes(&b, errors[_i].text, strlen(errors[_i].text)), -1);
	ck_assert_msg(str_starts(b.e.msg, want), "\"%s\", not \"%s\"", b.e.msg,
		      want);
	ck_assert_ptr_null(b.s);
	box_done(&b);
}
END_TEST

START_TEST(bytes)
{
	static const char nul[] = "require = \"announced\"\n\0\n";
	char noise[512];
	struct box b;

	box_open(&b);
	ck_assert_int_eq(read_bytes(&b, nul, sizeof(nul) - 1), -1);
	ck_assert_str_eq(b.e.msg, "T:2: a NUL byte");
	for (unsigned seed = 1; seed < 300; seed++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)((i * i * seed + i / seed) % 127 + 1);
		if (read_bytes(&b, noise, sizeof(noise)) < 0)
			ck_assert_msg(str_starts(b.e.msg, "T:"), "%s", b.e.msg);
	}
	box_done(&b);
}
END_TEST

START_TEST(absent)
{
	struct box b;

	box_open(&b);
	ck_assert_int_eq(
		site_read("/nonexistent/rehost.conf", b.mem, &b.s, &b.e), -1);
	ck_assert_ptr_nonnull(strstr(b.e.msg, "/nonexistent/rehost.conf"));
	box_done(&b);
}
END_TEST

static const struct {
	const char *text;
	enum field_id field;
	const char *item, *value;
} settings[] = {
	{ "limit.memory=8G", FIELD_MEM_MAX, NULL, "8G" },
	{ "limit.memory=unlimited", FIELD_MEM_MAX, NULL, "unlimited" },
	{ "cap.bounding=net_raw chown", FIELD_CAPS, NULL, "net_raw chown" },
	{ "nic.0.attach=bridge:br0", FIELD_NIC_ATTACH, "0", "bridge:br0" },
	{ "mount.1.options=ro nodev", FIELD_MOUNT_OPTIONS, "1", "ro nodev" },
	{ "mount./tmp.options=ro", FIELD_MOUNT_OPTIONS, "/tmp", "ro" },
	{ "addr.192.0.2.10.prefix=24", FIELD_ADDR_PREFIX, "192.0.2.10", "24" },
	{ "sysctl.net.ipv4.ip_forward.value=1", FIELD_SYSCTL_VALUE,
	  "net.ipv4.ip_forward", "1" },
	{ "env.0.value=a=b", FIELD_ENV_VALUE, "0", "a=b" },
	{ "boot.init=", FIELD_INIT_CMD, NULL, "" },
};

START_TEST(set)
{
	struct site_set s;
	struct box b;
	int rc;

	box_open(&b);
	rc = site_set_parse(settings[_i].text, b.mem, &s, &b.e);
	ck_assert_msg(rc == 0, "%s", b.e.msg);
	ck_assert_int_eq(s.field, settings[_i].field);
	ck_assert(str_eq(s.item, settings[_i].item));
	ck_assert_str_eq(s.value, settings[_i].value);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("site");
	TCase *c = tcase_create("file");

	tcase_add_test(c, valid);
	tcase_add_test(c, valid_rest);
	tcase_add_test(c, look_ups);
	tcase_add_test(c, empty);
	tcase_add_loop_test(c, wrong, 0, COUNT(errors));
	tcase_add_test(c, bytes);
	tcase_add_test(c, absent);
	tcase_add_loop_test(c, set, 0, COUNT(settings));
	tcase_set_timeout(c, 30);
	suite_add_tcase(s, c);
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
