/*
 * LXC: lines, keys, which lines count, and what whole configs mean. Reference:
 * targets.md 2.1 to 2.5, peers.md 2.9. What is hostile is read as well, and so
 * are the seeds of the fuzzer.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/check_lxc_config.h"

/* --- lines --- */

static const struct line_case {
	const char *text;
	enum lxc_line_kind kind;
	const char *key, *value;
} line_cases[] = {
	{ "lxc.a = x", LXC_LINE_SETTING, "lxc.a", "x" },
	{ "\t lxc.a=x\t ", LXC_LINE_SETTING, "lxc.a", "x" },
	{ "lxc.a = b = c", LXC_LINE_SETTING, "lxc.a", "b = c" },
	{ "lxc.a =", LXC_LINE_SETTING, "lxc.a", "" },
	{ "lxc.a = \"x \"", LXC_LINE_SETTING, "lxc.a", "x " },
	{ "lxc.a = 'x'", LXC_LINE_SETTING, "lxc.a", "x" },
	{ "lxc.a = \"x'", LXC_LINE_SETTING, "lxc.a", "\"x'" },
	{ "lxc.a = \"", LXC_LINE_SETTING, "lxc.a", "\"" },
	{ "lxc.a = x # y", LXC_LINE_SETTING, "lxc.a", "x # y" },
	{ "lxc.a = x\r", LXC_LINE_SETTING, "lxc.a", "x" },
	{ "lxc.a x", LXC_LINE_NO_VALUE, "", "" },
	{ "lxc = x", LXC_LINE_FOREIGN, "", "" },
	{ "utsname = x", LXC_LINE_FOREIGN, "", "" },
	{ "  # lxc.a = x", LXC_LINE_COMMENT, "", "" },
	{ "  \t", LXC_LINE_BLANK, "", "" },
};

START_TEST(line)
{
	const struct line_case *c = &line_cases[_i];
	struct lxc_lines lines = { .rest = { c->text, strlen(c->text) } };
	struct lxc_line l;

	ck_assert(lxc_line_next(&lines, &l));
	ck_assert_int_eq(l.kind, c->kind);
	ck_assert_uint_eq(l.number, 1);
	ck_assert(slice_eq(l.key, c->key));
	ck_assert(slice_eq(l.value, c->value));
	ck_assert(!lxc_line_next(&lines, &l));
}
END_TEST

/* --- keys --- */

static const struct key_case {
	const char *key, *now, *row; /* row NULL: not known */
} key_cases[] = {
	{ "lxc.utsname", "lxc.uts.name", "lxc.utsname" },
	{ "lxc.limit.nofile", "lxc.prlimit.nofile", "lxc.limit.*" },
	{ "lxc.net.12.type", "lxc.net.12.type", "lxc.net.N.type" },
	{ "lxc.network.0.ipv4", "lxc.net.0.ipv4", "lxc.network.ipv4" },
	{ "lxc.network.ipv4", "lxc.net.ipv4", "lxc.network.ipv4" },
	{ "lxc.cgroup.net_cls.classid", "lxc.cgroup.net_cls.classid",
	  "lxc.cgroup.*" },
	{ "lxc.kmsg", "lxc.kmsg", "lxc.kmsg" },
	{ "lxc.net.N.type", "lxc.net.N.type", NULL },
	{ "lxc.sysctl.*", "lxc.sysctl.*", NULL },
	{ "lxc.net.x.type", "lxc.net.x.type", NULL },
	{ "fstab", "fstab", NULL },
	{ "auto", "auto", NULL },
	{ "lxc.cgroup2.", "lxc.cgroup2.", NULL },
	{ "lxc.utsnam", "lxc.utsnam", NULL },
};

START_TEST(key)
{
	const struct key_case *c = &key_cases[_i];
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct key *row = lxc_row(mem, c->key);
	bool old;

	ck_assert_str_eq(lxc_current_name(mem, c->key, &old), c->now);
	if (c->row == NULL)
		ck_assert_ptr_null(row);
	else
		ck_assert_str_eq(row->name, c->row);
}
END_TEST

/* --- guests --- */

#define NET "lxc.net.0.type = veth\nlxc.net.0.link = br0\n"
#define OLD "lxc.network.type = veth\nlxc.network.link = br0\n"

static const struct guest_case {
	const char *text, *field, *value; /* of the first object */
} guest_cases[] = {
	/* what holds without a word */
	{ "", "boot.init", "/sbin/init" },
	{ "", "boot.stop-signal", "SIGPWR" },
	{ "", "device.policy", "any" },
	{ "", "ns.net", "private" },
	{ "", "kernel.proc", "none" },
	{ "", "seccomp.profile", "none" },
	/* which line counts */
	{ "lxc.utsname = a\nlxc.uts.name = b\n", "id.hostname", "b" },
	{ "lxc.uts.name = a\nlxc.uts.name =\n", "id.hostname", "absent" },
	{ "lxc.cap.keep = chown\nlxc.cap.keep =\nlxc.cap.keep = kill\n",
	  "cap.bounding", "kill" },
	{ "lxc.cap.keep = chown kill none setuid\n", "cap.bounding", "setuid" },
	{ "lxc.cap.keep = chown kill\nlxc.cap.drop = kill\n", "cap.bounding",
	  "chown" },
	{ "lxc.group = a b\nlxc.group = c\n", "boot.groups", "a b c" },
	/* interfaces */
	{ OLD, "nic.attach", "bridge:br0" },
	{ OLD, "nic.up", "no" },
	{ OLD "lxc.network.flags =\n", "nic.up", "yes" },
	{ NET "lxc.net.0.flags =\n", "nic.up", "no" },
	{ NET "lxc.net =\n", "nic.attach", "absent" },
	{ OLD "lxc.network =\n" OLD, "nic.attach", "bridge:br0" },
	{ "lxc.net.0.type = veth\n", "nic.attach", "p2p" },
	{ "lxc.net.0.type = vlan\nlxc.net.0.link = eth0\nlxc.net.0.vlan.id = 5",
	  "nic.vlan", "5" },
	{ "lxc.net.0.type = macvlan\nlxc.net.0.link = e", "nic.mode",
	  "private" },
	{ "lxc.net.0.type = phys\nlxc.net.0.link = e7", "nic.name", "e7" },
	{ "lxc.net.0.type = none", "ns.net", "host" },
	{ NET "lxc.net.0.ipv4.address = 10.1.2.3", "addr.prefix", "8" },
	{ NET "lxc.net.0.ipv4.address = 172.16.0.1", "addr.prefix", "16" },
	{ NET "lxc.net.0.ipv4.address = 192.0.2.1", "addr.prefix", "24" },
	{ NET "lxc.net.0.ipv6.address = 2001:db8::1", "addr.prefix", "64" },
	{ NET "lxc.net.0.ipv4.address = 192.0.2.1/24 192.0.2.7",
	  "addr.broadcast", "192.0.2.7" },
	{ NET "lxc.net.0.ipv4.address = 192.0.2.1/24", "addr.broadcast",
	  "192.0.2.255" },
	{ NET "lxc.net.0.type = phys\nlxc.net.0.link = e1", "nic.attach",
	  "phys:e1" },
	/* limits */
	{ "lxc.cgroup.memory.limit_in_bytes = 64M\n"
	  "lxc.cgroup.memory.memsw.limit_in_bytes = 96M\n",
	  "limit.swap", "33554432" },
	{ "lxc.cgroup.memory.limit_in_bytes = -1\n", "limit.memory",
	  "unlimited" },
	{ "lxc.cgroup.memory.limit_in_bytes = 1M\n"
	  "lxc.cgroup2.memory.max = 2M\n",
	  "limit.memory", "2097152" },
	{ "lxc.cgroup.cpu.shares = 1\n", "limit.cpu-weight", "1" },
	{ "lxc.cgroup.cpu.shares = 262144\n", "limit.cpu-weight", "10000" },
	{ "lxc.cgroup.blkio.weight = 10\n", "limit.io-weight", "1" },
	{ "lxc.cgroup.blkio.weight = 1000\n", "limit.io-weight", "10000" },
	{ "lxc.cgroup2.cpu.max = max 50000\n", "limit.cpu-period", "50000" },
	{ "lxc.prlimit.core = 5\n", "rlimit.hard", "5" },
	/* devices */
	{ "lxc.cgroup.devices.deny = a\n", "device.policy", "list" },
	{ "lxc.cgroup.devices.deny = a\nlxc.cgroup.devices.allow = a\n",
	  "device.policy", "any" },
	{ "lxc.cgroup.devices.deny = a\n"
	  "lxc.cgroup.devices.allow = c 9:1 rwm\n"
	  "lxc.cgroup.devices.deny = c 9:1 w\n",
	  "device.access", "rm" },
	/* the rest */
	{ "lxc.mount.entry = a\\040b c none bind 0 0\n", "mount.source",
	  "a b" },
	{ "lxc.mount.entry = a b/ none bind,create=file 0 0\n", "mount.file",
	  "yes" },
	{ "lxc.mount.entry = proc proc proc ro 0 0\n", "kernel.proc", "ro" },
	{ "lxc.environment = \"A=b \"\n", "env.value", "b " },
	{ "lxc.id_map = b 0 9 5\n", "idmap.outside", "9" },
	{ "lxc.arch = linux32\n", "id.arch", "i686" },
	{ "lxc.signal.halt = 15\n", "boot.stop-signal", "SIGTERM" },
	{ "lxc.include = /usr/share/lxc/config/common.conf\n", "device.policy",
	  "list" },
	{ "lxc.include = /usr/share/lxc/config/common.conf\n"
	  "lxc.include = /usr/share/lxc/config/userns.conf\n",
	  "device.policy", "any" },
	{ "lxc.include = /opt/common.conf\n", "device.policy", "any" },
};

/* The value of a field of the guest or of the first object of its scope. */
static const char *shown(struct lxc_box *b, const char *name)
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

START_TEST(guest)
{
	const struct guest_case *c = &guest_cases[_i];
	struct lxc_box b;

	ck_assert_int_eq(lxc_box_open(&b, c->text, strlen(c->text)), 0);
	ck_assert_msg(str_eq(shown(&b, c->field), c->value), "%s: %s is %s",
		      c->text, c->field, shown(&b, c->field));
	ck_assert_ptr_null(lxc_box_lost(&b));
	lxc_box_done(&b);
}
END_TEST

/* --- outcomes --- */

static const struct bin_case {
	const char *text; /* its last setting ... */
	enum bin bin;     /* ... ends there */
} bin_cases[] = {
	{ "lxc.utsnam = x", BIN_UNKNOWN },
	{ "utsname = x", BIN_INERT },
	{ "lxc.utsname", BIN_INVALID },
	{ "lxc.include", BIN_INVALID },
	{ "lxc.cap.drop = SYS_TIME", BIN_INVALID },
	{ "lxc.cap.drop = cap_kill", BIN_INVALID },
	{ "lxc.cap.drop = 64", BIN_INVALID },
	{ "lxc.network.link = br0", BIN_INVALID },
	{ "lxc.net.0.link = br0", BIN_INVALID },
	{ "lxc.net.4294967296000.type = veth", BIN_INVALID },
	{ NET "lxc.net.0.hwaddr = 01:00:5e:00:00:01", BIN_INVALID },
	{ NET "lxc.net.0.hwaddr = 00:16:3e:xx:xx:xx", BIN_APPROXIMATED },
	{ NET "lxc.net.0.ipv4.gateway = auto", BIN_DROPPED },
	{ NET "lxc.net.0.macvlan.mode = vepa", BIN_INVALID },
	{ "lxc.start.auto = yes", BIN_INVALID },
	{ "lxc.include = /nowhere/common.conf", BIN_UNREADABLE },
	{ "lxc.include = relative", BIN_UNREADABLE },
	{ "lxc.mount = /nowhere/fstab", BIN_UNREADABLE },
	{ "lxc.mount.entry = a b", BIN_INVALID },
	{ "lxc.id_map = u 0 100000", BIN_INVALID },
	{ "lxc.id_map = u 0 100000 0", BIN_INVALID },
	{ "lxc.id_map = u 0 4294967296 5", BIN_INVALID },
	{ "lxc.cgroup.devices.allow = c 1:x rwm", BIN_INVALID },
	{ "lxc.cgroup.devices.deny = b 8:0 rwm", BIN_DROPPED },
	{ "lxc.cgroup.devices.allow = c 1:3 rwm", BIN_INERT },
	{ "lxc.cgroup.memory.limit_in_bytes = lots", BIN_INVALID },
	{ "lxc.cgroup.blkio.weight = 5", BIN_INVALID },
	{ "lxc.environment = HOME", BIN_DROPPED },
	{ "lxc.environment = =x", BIN_INVALID },
	{ "lxc.init_cmd = sbin/init", BIN_INVALID },
	{ "lxc.haltsignal = TERM", BIN_INVALID },
	{ "lxc.ephemeral = 1", BIN_DROPPED },
	{ "lxc.uts.name = a\001b", BIN_INVALID },
	{ "lxc.rootfs = /dev/vg0/web", BIN_DROPPED },
	{ "lxc.rootfs = ./web", BIN_INVALID },
	{ "lxc.prlimit.nofile = many", BIN_INVALID },
};

START_TEST(outcome)
{
	const struct bin_case *c = &bin_cases[_i];
	const struct setting *s;
	struct lxc_box b;

	ck_assert_int_eq(lxc_box_open(&b, c->text, strlen(c->text)), 0);
	s = b.r->g->settings.v[b.r->g->settings.n - 1];
	ck_assert_msg(s->decided && s->bin == c->bin, "%s: %s", c->text,
		      s->decided ? setting_bin_name(s->bin) : "a value");
	ck_assert_uint_gt(b.r->g->findings.n, 0);
	lxc_box_done(&b);
}
END_TEST

/* --- hostile --- */

START_TEST(values_stay_values)
{
	/* neither a newline nor a NUL can be a part of a value */
	static const char text[] =
		"lxc.uts.name = a\0b\nlxc.environment = A=b\r"
		"lxc.cap.keep = none\nlxc.uts.name = c\n";
	struct lxc_box b;

	ck_assert_int_eq(lxc_box_open(&b, text, sizeof(text) - 1), 0);
	ck_assert_uint_eq(b.r->g->settings.n, 3);
	ck_assert_str_eq(shown(&b, "id.hostname"), "c");
	ck_assert_str_ne(shown(&b, "cap.bounding"), "");
	lxc_box_done(&b);
}
END_TEST

/* What is no setting may hold a secret: reports hide it by its name. */
START_TEST(foreign_secret)
{
	static const char text[] = "DB_PASSWORD = hunter2\n";
	const struct setting *s;
	struct lxc_box b;

	ck_assert_int_eq(lxc_box_open(&b, text, sizeof(text) - 1), 0);
	s = b.r->g->settings.v[0];
	ck_assert_str_eq(s->from.key, "DB_PASSWORD");
	for (size_t i = 0; i < b.r->g->findings.n; i++)
		ck_assert_ptr_null(
			strstr(b.r->g->findings.v[i]->message, "hunter2"));
	lxc_box_done(&b);
}
END_TEST

/* Many lines that each look at those before them. */
START_TEST(many_lines)
{
	static const char *const lines[] = { "lxc.cap.drop =\n",
					     "lxc.net.0.type = veth\n",
					     "lxc.network.type = veth\n",
					     "lxc.cgroup.devices.allow = c 1:3 "
					     "rwm\n",
					     "lxc.mount.entry = a b none bind "
					     "0 0\n" };
	struct buf text CLEANUP(buf_done) = { 0 };
	struct lxc_box b;

	for (unsigned i = 0; i < 15000; i++)
		buf_adds(&text, lines[(unsigned)_i % COUNT(lines)]);
	ck_assert_int_eq(lxc_box_open(&b, buf_str(&text), text.n), 0);
	ck_assert_uint_le(b.r->g->settings.n, 10000);
	ck_assert_uint_ge(b.r->g->settings.n, 9000);
	ck_assert_ptr_null(lxc_box_lost(&b));
	lxc_box_done(&b);
}
END_TEST

/* The seeds of the fuzzer, cut off at every seventh byte. */
START_TEST(seed)
{
	static const char *const seeds[] = { "tests/fuzz/corpus/fuzz_lxc/old",
					     "tests/fuzz/corpus/fuzz_lxc/new" };
	FILE *f = fopen(seeds[_i], "r");
	char text[4096];
	struct lxc_box b;
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	ck_assert_uint_gt(n, 0);
	for (size_t i = n % 7; i <= n; i += 7) {
		ck_assert_int_eq(lxc_box_open(&b, text, i), 0);
		ck_assert_ptr_null(lxc_box_lost(&b));
		lxc_box_done(&b);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("importer lxc");
	TCase *c = tcase_create("all");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, line, 0, COUNT(line_cases));
	tcase_add_loop_test(c, key, 0, COUNT(key_cases));
	tcase_add_loop_test(c, guest, 0, COUNT(guest_cases));
	tcase_add_loop_test(c, outcome, 0, COUNT(bin_cases));
	tcase_add_test(c, values_stay_values);
	tcase_add_test(c, foreign_secret);
	tcase_add_loop_test(c, many_lines, 0, 5);
	tcase_add_loop_test(c, seed, 0, 2);
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
