/*
 * libvirt: numbers, sizes, sets and addresses, and what whole domains mean.
 * Reference: libvirt.md part 2; the hostile ones are those of 7.10.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cap.h"
#include "importers/libvirt/libvirt.h"

/* --- values --- */

static const struct {
	const char *text, *unit;
	uint64_t bytes; /* 0: refused */
} sizes[] = {
	{ "64", NULL, 65536 },
	{ "+64", NULL, 65536 },
	{ "  0064", NULL, 65536 },
	{ "64 ", NULL, 0 },
	{ "-1", NULL, 0 },
	{ "0x10", NULL, 0 },
	{ "1e6", NULL, 0 },
	{ "64M", NULL, 0 },
	{ "", NULL, 0 },
	{ "18446744073709551616", NULL, 0 },
	{ "1", "b", 1 },
	{ "1", "BYTES", 1 },
	{ "1", "k", 1024 },
	{ "1", "KiB", 1024 },
	{ "1", "kib", 1024 },
	{ "1", "KB", 1000 },
	{ "1", "MB", 1000000 },
	{ "2", "GiB", UINT64_C(2) << 30 },
	{ "1", "T", UINT64_C(1) << 40 },
	{ "99999", "E", 0 },
	{ "1", "Ki", 0 },
	{ "1", "KiBs", 0 },
	{ "1", "mb ", 0 },
	{ "1", "", 0 },
	{ "1", "kibibyte", 0 },
};

START_TEST(size)
{
	uint64_t n = 0;
	struct err e;

	ck_assert_int_eq(libvirt_size(sizes[_i].text, sizes[_i].unit, 1024, &n,
				      &e),
			 sizes[_i].bytes == 0 ? -1 : 0);
	ck_assert_uint_eq(n, sizes[_i].bytes);
}
END_TEST

static const struct {
	const char *text, *set; /* NULL: refused */
} sets[] = {
	{ "0-3,^2", "0-1,3" },  { "5", "5" },           { " 1 , 3 ", "1,3" },
	{ "0,1,2,8", "0-2,8" }, { "0-", NULL },         { "-3", NULL },
	{ "3-1", NULL },        { "1,,2", NULL },       { "^0", NULL },
	{ "0,^0", NULL },       { "0-99999999", NULL }, { "0x1", NULL },
	{ "", NULL },           { "16383", "16383" },   { "16384", NULL },
};

START_TEST(set)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *got = NULL;
	struct err e;

	ck_assert_int_eq(libvirt_cpu_set(sets[_i].text, mem, &got, &e),
			 sets[_i].set == NULL ? -1 : 0);
	ck_assert_pstr_eq(got, sets[_i].set);
}
END_TEST

static const struct {
	const char *text;
	bool v6;
	const char *ip; /* NULL: refused */
} addresses[] = {
	{ "192.0.2.1", false, "192.0.2.1" },
	{ "10", false, "0.0.0.10" },
	{ "010.1.1.1", false, "8.1.1.1" },
	{ "::1", false, NULL },
	{ "::1", true, "::1" },
	{ "192.0.2.1", true, NULL },
	{ "1.2.3.4/24", false, NULL },
	{ "fe80::1%eth0", true, NULL },
	{ "1.2.3.4 x", false, NULL },
};

START_TEST(address)
{
	char ip[48] = "";
	struct err e;

	ck_assert_int_eq(libvirt_ip(addresses[_i].text, addresses[_i].v6, ip,
				    &e),
			 addresses[_i].ip == NULL ? -1 : 0);
	if (addresses[_i].ip != NULL)
		ck_assert_str_eq(ip, addresses[_i].ip);
}
END_TEST

/* --- whole domains --- */

struct box {
	struct arena *mem;
	struct tree *tree;
	struct host host;
	struct source source;
	struct guest *g;
};

static int box_open(struct box *b, const char *text, struct err *e)
{
	char dir[] = "/tmp/check_libvirt.XXXXXX";
	struct reading *r;

	*b = (struct box){ .mem = arena_new() };
	ck_assert(mkdtemp(dir) != NULL);
	ck_assert_int_eq(tree_open_dir(dir, &b->tree, e), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	b->host = (struct host){ .name = "h", .dir = "/", .tree = b->tree };
	b->source = (struct source){ .host = &b->host,
				     .kind = "libvirt",
				     .id = "n",
				     .path = "/etc/libvirt/lxc/n.xml" };
	b->g = guest_new(b->mem);
	b->g->kind = "libvirt";
	b->g->key = "h/libvirt:n";
	b->g->source = b->source.path;
	b->g->state = "unknown";
	r = reading_new(b->g, &b->source, importer_find("libvirt"));
	libvirt_begin(r, b->source.path);
	if (libvirt_read_text(r, text, strlen(text), e) < 0)
		return -1;
	libvirt_settle(r);
	return reading_close(r, e);
}

static void box_done(struct box *b)
{
	tree_close(b->tree);
	arena_free(b->mem);
}

static bool found(const struct guest *g, const char *code)
{
	for (size_t i = 0; i < g->findings.n; i++)
		if (str_eq(finding_row(g->findings.v[i]->id)->code, code))
			return true;
	return false;
}

#define HEAD                                                                   \
	"<domain type='lxc'><name>n</name><memory>65536</memory>"              \
	"<os><type>exe</type><init>/sbin/init</init></os>"
#define ROOT                                                                   \
	"<filesystem type='mount'><source dir='/srv/n'/><target dir='/'/>"     \
	"</filesystem>"
#define NIC "<interface type='bridge'><source bridge='br0'/>"

/* What a domain of HEAD, these elements and devices becomes. */
static const struct domain_case {
	const char *extra, *devices;
	const char *field, *value; /* "" is absent; NULL: not asked */
	const char *code;          /* a finding; NULL: not asked */
} cases[] = {
	{ "", ROOT, "root.path", "/srv/n", "NET016" },
	{ "", NIC "</interface>", "root.path", "", "DSK002" },
	{ "<features><privnet/></features>", ROOT, "ns.net", "private", NULL },
	{ "", ROOT NIC "</interface>", "ns.net", "private", NULL },
	{ "", "<filesystem><source dir='/'/><target dir='/'/></filesystem>",
	  "root.path", "", "DSK002" },
	{ "",
	  "<filesystem><source dir='/a/../..'/><target dir='/'/>"
	  "</filesystem>",
	  "root.path", "", "DSK002" },
	{ "", ROOT ROOT, "root.path", "/srv/n", "SRC022" },
	{ "",
	  ROOT "<filesystem><source dir='/x'/><target dir='//'/>"
	       "</filesystem>",
	  NULL, NULL, "MNT009" },
	{ "",
	  ROOT "<filesystem><source dir='/x'/><target dir='/a/../..'/>"
	       "</filesystem>",
	  NULL, NULL, "MNT009" },
	{ "",
	  ROOT "<filesystem type='ram'><source usage='1' unit='GiB'/>"
	       "<target dir='/t'/></filesystem>",
	  NULL, NULL, NULL },
	{ "<memtune><hard_limit>0</hard_limit></memtune>", ROOT, "limit.memory",
	  "67108864", "LIM007" },
	{ "<memtune><hard_limit unit='b'>1025</hard_limit></memtune>", ROOT,
	  "limit.memory", "2048", NULL },
	{ "<memtune><hard_limit>9007199254740991</hard_limit></memtune>", ROOT,
	  "limit.memory", "unlimited", NULL },
	{ "<memtune><swap_hard_limit>65536</swap_hard_limit></memtune>", ROOT,
	  "limit.swap", "0", "LIM015" },
	{ "<memtune><swap_hard_limit>1</swap_hard_limit></memtune>", ROOT,
	  "limit.swap", "", "LIM007" },
	{ "<vcpu>-1</vcpu>", ROOT, "limit.cpu-quota", "", "LIM007" },
	{ "<vcpu>20000000</vcpu>", ROOT, NULL, NULL, "LIM007" },
	{ "<vcpu cpuset='0-3,^2'>4</vcpu>", ROOT, "limit.cpus", "0-1,3",
	  "LIM005" },
	{ "<cputune><shares>1</shares></cputune>", ROOT, "limit.cpu-weight",
	  "1", "LIM012" },
	{ "<cputune><shares>300000</shares></cputune>", ROOT,
	  "limit.cpu-weight", "", "LIM007" },
	{ "<cputune><quota>-5</quota></cputune>", ROOT, "limit.cpu-quota", "",
	  NULL },
	{ "<cputune><quota>5000</quota><period>999</period></cputune>", ROOT,
	  "limit.cpu-period", "100000", "LIM007" },
	{ "<idmap><uid start='0' target='1' count='10'/></idmap>", ROOT,
	  "ns.user", "private", "IDM005" },
	{ "<idmap><uid start='0' target='1' count='10'/><gid start='0' "
	  "target='4294967295' count='10'/></idmap>",
	  ROOT, "ns.user", "private", "SRC008" },
	{ "<features><capabilities><bpf state='on'/></capabilities></features>",
	  ROOT, NULL, NULL, "CAP001" },
	{ "<features><capabilities><mknod state='yes'/></capabilities>"
	  "</features>",
	  ROOT, NULL, NULL, "SRC008" },
	{ "<features><capabilities policy='deny'><kill/></capabilities>"
	  "</features>",
	  ROOT, "cap.bounding", "kill", NULL },
	{ "<features><capabilities policy='allow'/><capabilities "
	  "policy='deny'><kill/></capabilities></features>",
	  ROOT, "cap.bounding", "kill", NULL },
	{ "<features><capabilities policy='none'/></features>", ROOT, NULL,
	  NULL, "SRC008" },
	{ "<uuid>{6f0c2b8e-5b0a-4c3e-9d43-1f1f0a7e2c11}</uuid>", ROOT, NULL,
	  NULL, "SRC008" },
	{ "<x:memory xmlns:x='urn:x'>1</x:memory>", ROOT, "limit.memory",
	  "67108864", "SRC019" },
	{ "<memory>1</memory>", ROOT, "limit.memory", "67108864", "SRC022" },
	{ "<os><initarg>a&#10;lxc.hook.start=x</initarg></os>", ROOT,
	  "boot.init", "/sbin/init", "INI025" },
	{ "<os><initarg>a b</initarg></os>", ROOT, "boot.init",
	  "/sbin/init a b", NULL },
	{ "<os><initarg><!-- c -->a</initarg></os>", ROOT, NULL, NULL,
	  "SRC028" },
	{ "<c:namespace xmlns:c='http://libvirt.org/schemas/domain/lxc/1.0'>"
	  "<c:sharenet type='name' value='web'/></c:namespace>",
	  ROOT, "ns.net", "shared:web", NULL },
	{ "<c:namespace xmlns:c='http://libvirt.org/schemas/domain/lxc/1.0'>"
	  "<c:sharenet type='pid' value='1'/></c:namespace>",
	  ROOT, NULL, NULL, "NET069" },
	{ "<c:namespace xmlns:c='urn:wrong'><c:sharenet type='name' "
	  "value='web'/></c:namespace>",
	  ROOT, "ns.net", "host", "SRC019" },
	{ "", ROOT "<interface type='hostdev'/>", NULL, NULL, "NET065" },
	{ "", ROOT "<interface/>", NULL, NULL, "NET065" },
	{ "", ROOT "<interface type='bridge'/>", NULL, NULL, "NET065" },
	{ "", ROOT NIC "<mac address='01:00:00:00:00:01'/></interface>", NULL,
	  NULL, "NET042" },
	{ "", ROOT NIC "<guest dev='../x'/></interface>", NULL, NULL,
	  "NET042" },
	{ "", ROOT NIC "<ip address='10.0.0.1'/></interface>", NULL, NULL,
	  "NET064" },
	{ "", ROOT NIC "<ip address='::1'/></interface>", NULL, NULL,
	  "NET012" },
	{ "", ROOT NIC "<ip address='10.0.0.1' prefix='33'/></interface>", NULL,
	  NULL, "NET042" },
	{ "", ROOT NIC "<route address='0.0.0.0'/></interface>", NULL, NULL,
	  "NET042" },
	{ "", ROOT NIC "<vlan><tag id='5'/></vlan></interface>", NULL, NULL,
	  "NET024" },
	{ "",
	  ROOT "<interface type='network'><source network='../x'/>"
	       "</interface>",
	  NULL, NULL, "NET062" },
	{ "",
	  ROOT "<hostdev mode='capabilities' type='misc'><source><char>"
	       "/dev/../etc/shadow</char></source></hostdev>",
	  NULL, NULL, "DEV013" },
	{ "",
	  ROOT "<hostdev mode='capabilities' type='misc'><source><char>/x"
	       "</char></source></hostdev>",
	  NULL, NULL, "DEV013" },
	{ "",
	  ROOT "<hostdev mode='capabilities' type='net'><source><interface>"
	       "lo</interface></source></hostdev>",
	  NULL, NULL, "NET042" },
	{ "", ROOT "<hostdev mode='subsystem' type='pci'/>", NULL, NULL,
	  "DEV015" },
	{ "", ROOT "<graphics type='vnc'/>", NULL, NULL, "SRC008" },
};

static const char *shown(struct arena *mem, const struct guest *g,
			 const char *name)
{
	const enum field_id id = field_find(name);
	struct value v;

	ck_assert_msg(id < FIELD__MAX, "%s", name);
	v = field_value(id, g);
	return v.from == NULL ? "" : value_show(mem, &v);
}

START_TEST(domain)
{
	const struct domain_case *c = &cases[_i];
	struct buf text CLEANUP(buf_done) = { 0 };
	struct box b;
	struct err e = { .msg = "" };

	buf_printf(&text, "%s%s<devices>%s</devices></domain>", HEAD, c->extra,
		   c->devices);
	ck_assert_msg(box_open(&b, text.p, &e) == 0, "%s: %s", c->extra, e.msg);
	ck_assert_msg(!found(b.g, "SYN002"), "%s%s: not accounted for",
		      c->extra, c->devices);
	if (c->field != NULL)
		ck_assert_str_eq(shown(b.mem, b.g, c->field), c->value);
	ck_assert_msg(c->code == NULL || found(b.g, c->code), "%s%s: no %s",
		      c->extra, c->devices, c->code);
	box_done(&b);
}
END_TEST

static const struct {
	const char *text, *why;
} refused[] = {
	{ "<Domain type='lxc'/>", "root element" },
	{ "<domstatus/>", "root element" },
	{ "<domainsnapshot/>", "root element" },
	{ "<network><name>x</name></network>", "root element" },
	{ "<domain xmlns='urn:x' type='lxc'/>", "root element" },
	{ "<domain/>", "no type" },
	{ "<domain type='lxc'/><domain type='lxc'/>", "line 1" },
	{ "lxc.uts.name = x", "line 1" },
	{ "<domain type='lxc'><name>a & b</name></domain>", "line 1" },
	{ "<domain type='lxc'>\n<initarg>a & b</initarg></domain>", "line 2" },
};

START_TEST(refuses)
{
	struct box b;
	struct err e = { .msg = "" };

	ck_assert_int_eq(box_open(&b, refused[_i].text, &e), -1);
	ck_assert_msg(strstr(e.msg, refused[_i].why) != NULL, "%s", e.msg);
	box_done(&b);
}
END_TEST

START_TEST(drivers)
{
	static const struct {
		const char *type, *code;
	} rows[] = { { "LXC", "SRC034" },   { " lxc", "SRC034" },
		     { "vz", "SRC034" },    { "kvm", "ISO001" },
		     { "qemu", "ISO001" },  { "xen", "ISO001" },
		     { "openvz", "SRC015" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf text CLEANUP(buf_done) = { 0 };
		struct box b;
		struct err e;

		buf_printf(&text, "<domain type='%s'><name>n</name></domain>",
			   rows[i].type);
		ck_assert_int_eq(box_open(&b, text.p, &e), 0);
		ck_assert_msg(found(b.g, rows[i].code), "%s", rows[i].type);
		box_done(&b);
	}
}
END_TEST

/* Lines that libvirt writes wrongly are repaired, and no others. */
START_TEST(repairs)
{
	static const char text[] =
		"<domain type='lxc' xmlns:c='http://libvirt.org/schemas/domain/"
		"lxc/1.0'>\n<name>n</name>\n<os>\n"
		"<initenv name='A'>x & <y></initenv>\n"
		"<inituser>a<b</inituser>\n</os>\n<c:namespace>\n"
		"<c:shareuts type='name' value='a&b'/>\n</c:namespace>\n"
		"</domain>\n";
	const struct guest *g;
	struct box b;
	struct err e = { .msg = "" };

	ck_assert_msg(box_open(&b, text, &e) == 0, "%s", e.msg);
	g = b.g;
	ck_assert(found(g, "SRC033"));
	ck_assert_str_eq(g->envs.v[g->envs.n - 1]->value.v, "x & <y>");
	ck_assert_str_eq(g->ns_uts.v, "shared:a&b");
	box_done(&b);
}
END_TEST

START_TEST(default_set)
{
	struct box b;
	struct err e;

	ck_assert_int_eq(box_open(&b, HEAD "</domain>", &e), 0);
	/* libvirt.md 2.7 */
	ck_assert_uint_eq(b.g->caps.v, UINT64_C(0x1fdb5feffff));
	box_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("libvirt");
	TCase *c = tcase_create("libvirt");
	SRunner *r;
	int failed;

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, size, 0, COUNT(sizes));
	tcase_add_loop_test(c, set, 0, COUNT(sets));
	tcase_add_loop_test(c, address, 0, COUNT(addresses));
	tcase_add_loop_test(c, domain, 0, COUNT(cases));
	tcase_add_loop_test(c, refuses, 0, COUNT(refused));
	tcase_add_test(c, drivers);
	tcase_add_test(c, repairs);
	tcase_add_test(c, default_set);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
