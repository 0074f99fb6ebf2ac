/*
 * Unit tests of the read-back of LXC configs, of what liblxc itself makes of
 * them where lxc-info is installed, and of the emitter `model`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/proc.h"
#include "policy/read_lxc.h"
#include "tests/lxc_objects.h"

extern const struct emitter model_emitter;

#define ROOT "lxc.rootfs.path = dir:/x\nlxc.net.0.type = empty\n"

static const struct bad_row {
	const char *text, *message;
} bad_rows[] = {
	{ "lxc.net.0.type = empty\n", "config: no lxc.rootfs.path" },
	{ "lxc.rootfs.path = dir:/x\n", "config: no network" },
	{ ROOT "garbage line\n", "config: line 3: not \"key = value\"" },
	{ ROOT "lxc.uts.nam = x\n", "config: line 3: unknown key" },
	{ ROOT "\nuts = x\n", "config: line 4: unknown key" },
	{ ROOT "lxc.cap.keep = cap_chown\n", "config: line 3: lxc.cap.keep: "
					     "\"cap_chown\" is no capability" },
	{ ROOT "lxc.cap.keep = none\nlxc.cap.drop = chown\n",
	  "config: line 4: lxc.cap.drop: keep and drop" },
	{ ROOT "lxc.start.auto = yes\n", "config: line 3: lxc.start.auto" },
	{ ROOT "lxc.idmap = u 0 x 1\n", "config: line 3: lxc.idmap" },
	{ ROOT "lxc.idmap = x 0 1 1\n", "config: line 3: lxc.idmap" },
	{ ROOT "lxc.net.1.link = br0\nlxc.net.1.type = veth\n",
	  "config: line 3: lxc.net.1.link: stands before the type" },
	{ ROOT "lxc.net.1.type = wifi\n", "config: line 3: lxc.net.1.type" },
	{ ROOT "lxc.net.1.type = macvlan\nlxc.net.1.veth.pair = x\n",
	  "config: line 4: lxc.net.1.veth.pair: not for type macvlan" },
	{ ROOT "lxc.net.1.type = veth\nlxc.net.1.ipv4.address = 192.0.2.1\n",
	  "config: line 4: lxc.net.1.ipv4.address: \"192.0.2.1\" is no" },
	{ ROOT "lxc.mount.entry = a /abs none bind 0 0\n",
	  "config: line 3: lxc.mount.entry: \"/abs\" is not below" },
	{ ROOT "lxc.mount.entry = a b\n",
	  "config: line 3: lxc.mount.entry: fewer" },
	{ ROOT "lxc.mount.auto = proc:maybe\n",
	  "config: line 3: lxc.mount.auto: no word" },
	{ ROOT "lxc.cgroup2.memory.maxx = 1\n",
	  "config: line 3: lxc.cgroup2.memory.maxx: no such file" },
	{ ROOT "lxc.cgroup2.memory.max = lots\n",
	  "config: line 3: lxc.cgroup2.memory.max" },
	{ ROOT "lxc.cgroup.memory.max = 1\n",
	  "config: line 3: lxc.cgroup.memory.max: no such file" },
	{ ROOT "lxc.cgroup2.devices.allow = x 1:3 rwm\n",
	  "config: line 3: lxc.cgroup2.devices.allow" },
	{ ROOT "lxc.prlimit.nofile = a:b\n",
	  "config: line 3: lxc.prlimit.nofile" },
	{ ROOT "lxc.environment = X\n", "config: line 3: lxc.environment" },
	{ ROOT "lxc.sysctl.kernel.sem = 1\nlxc.mount.auto = proc:mixed\n",
	  "config: kernel parameters need proc:rw" },
	{ ROOT "lxc.cap.keep = chown\nlxc.sysctl.net.ipv4.ip_forward = 1\n"
	       "lxc.mount.auto = proc:mixed\n",
	  "config: kernel parameters need proc:rw" },
	{ ROOT "lxc.include = /etc/passwd\n",
	  "config: line 3: lxc.include: the file" },
	{ ROOT "lxc.namespace.keep = moon\n",
	  "config: line 3: lxc.namespace.keep: no namespace" },
	{ ROOT "lxc.uts.name = a\x01\n", "config: line 3: a control" },
};

START_TEST(bad_config)
{
	struct arena *mem = arena_new();
	struct policy *p = NULL;
	struct err e;

	ck_assert_int_eq(
		policy_read_lxc(bad_rows[_i].text, "config", mem, &p, &e), -1);
	ck_assert_ptr_null(p);
	ck_assert_msg(str_starts(e.msg, bad_rows[_i].message), "%s", e.msg);
	arena_free(mem);
}
END_TEST

static const struct read_row {
	const char *text;
	enum field_id field;
	const char *key, *value;
} read_rows[] = {
	{ "lxc.uts.name= \"a b\" \n", FIELD_HOSTNAME, "", "a b" },
	{ "\t lxc.uts.name =x\n # lxc.uts.name = y\n", FIELD_HOSTNAME, "",
	  "x" },
	{ "lxc.uts.name = a = b # c\n", FIELD_HOSTNAME, "", "a = b # c" },
	{ "lxc.uts.name = ''x''\n", FIELD_HOSTNAME, "", "'x'" },
	{ "lxc.uts.name = 'x\"\n", FIELD_HOSTNAME, "", "'x\"" },
	{ "lxc.uts.name = a\nlxc.uts.name = b\n", FIELD_HOSTNAME, "", "b" },
	{ "lxc.cap.keep = chown\nlxc.cap.keep = kill\n", FIELD_CAPS, "chown",
	  "yes" },
	{ "lxc.cap.keep = chown\nlxc.cap.keep =\n", FIELD_CAPS, "sys_boot",
	  "yes" },
	{ "lxc.cap.keep = 22\n", FIELD_CAPS, "sys_boot", "yes" },
	{ "lxc.cap.keep = none\n", FIELD_CAPS, "chown", NULL },
	{ "lxc.cap.drop = chown\n", FIELD_CAPS, "chown", NULL },
	{ "lxc.cap.drop = chown\n", FIELD_CAPS, "kill", "yes" },
	{ "lxc.group = a b\nlxc.group = c\n", FIELD_START_GROUPS, "", "a b c" },
	{ "lxc.group = a\nlxc.group =\n", FIELD_START_GROUPS, "", NULL },
	{ "lxc.idmap = u 0 100000 65536\n", FIELD_NS_USER, "", "private" },
	{ "lxc.namespace.share.net = db\n", FIELD_NS_NET, "", "shared:db" },
	{ "lxc.namespace.keep = ipc pid\n", FIELD_NS_PID, "", "host" },
	{ "lxc.cgroup2.devices.deny = a\n", FIELD_DEVICE_POLICY, "", "list" },
	{ "lxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.allow = a\n",
	  FIELD_DEVICE_POLICY, "", "any" },
	{ "lxc.cgroup2.devices.allow = c 1:3 rwm\n"
	  "lxc.cgroup2.devices.deny = c 1:3 m\n",
	  FIELD_DEVICE_ACCESS, "c 1:3", "rw" },
	{ "lxc.cgroup2.devices.allow = c 1:3 rwm\n"
	  "lxc.cgroup2.devices.deny = a\n",
	  FIELD_DEVICE_ACCESS, "c 1:3", NULL },
	{ "lxc.cgroup2.devices.allow = c 10:229 rwm\nlxc.uts.name = x\n"
	  "lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file 0 0\n",
	  FIELD_DEVICE_PATH, "c 10:229", NULL },
	{ "lxc.mount.entry = /a\\040b c\\040d none bind,ro,optional 0 0\n",
	  FIELD_MOUNT_OPTIONS, "/c d", "bind ro" },
	{ "lxc.mount.entry = /a b none bind,ro,nodev 0 0\n",
	  FIELD_MOUNT_OPTIONS, "/b", "bind ro nodev" },
	/* LXC sets no flag of a writable bind */
	{ "lxc.mount.entry = /a b none rw,rbind,nodev,nosuid 0 0\n",
	  FIELD_MOUNT_OPTIONS, "/b", "rw rbind" },
	{ "lxc.mount.entry = /a\\040b c\\040d none bind,ro,optional 0 0\n",
	  FIELD_MOUNT_SOURCE, "/c d", "/a b" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5\n"
	  "lxc.cgroup2.memory.max = 7\n",
	  FIELD_MEM_MAX, "", "7" },
	{ "lxc.cgroup.memory.limit_in_bytes = -1\n", FIELD_MEM_MAX, "",
	  "unlimited" },
	{ "lxc.cgroup.memory.limit_in_bytes = 5\n"
	  "lxc.cgroup.memory.memsw.limit_in_bytes = 8\n",
	  FIELD_SWAP_MAX, "", "3" },
	{ "lxc.cgroup.cpu.shares = 1024\n", FIELD_CPU_WEIGHT, "", "100" },
	{ "lxc.cgroup2.cpu.max = max 50000\n", FIELD_CPU_QUOTA, "",
	  "unlimited" },
	{ "lxc.prlimit.nofile = 1024\n", FIELD_RLIMIT_HARD, "nofile", "1024" },
	{ "lxc.net.1.type = veth\nlxc.net.1.name = eth1\n"
	  "lxc.net.1.type = veth\nlxc.net.1.name = eth0\n",
	  FIELD_NIC_NAME, "eth1", NULL },
	{ "lxc.net.1.type = none\n", FIELD_NS_NET, "", "host" },
	{ "lxc.environment = A=b=c \n", FIELD_ENV_VALUE, "A", "b=c" },
	{ "lxc.sysctl.kernel.domainname = d\nlxc.mount.auto = proc:rw\n",
	  FIELD_DOMAINNAME, "", "d" },
	{ "lxc.mount.auto = proc:rw\n", FIELD_PROC_VIEW, "", "rw" },
	{ "lxc.mount.auto = proc:rw\n"
	  "lxc.mount.entry = proc/sys proc/sys none rbind,ro,relative 0 0\n",
	  FIELD_PROC_VIEW, "", "mixed" },
	{ "lxc.mount.auto = proc:rw\n"
	  "lxc.mount.entry = proc/sys proc/sys none rbind,relative 0 0\n",
	  FIELD_PROC_VIEW, "", "rw" },
	{ "lxc.autodev = 0\n", FIELD_MOUNT_TARGET, "/dev", NULL },
	{ "lxc.autodev = 0\n", FIELD_DEVICE_PATH, "c 1:3", NULL },
	{ "lxc.autodev = 1\n", FIELD_DEVICE_PATH, "c 1:3", "/dev/null" },
	{ "lxc.cgroup2.devices.deny = a\n", FIELD_DEVICE_PATH, "c 1:3", NULL },
	{ "", FIELD_PROC_VIEW, "", "none" },
	{ "", FIELD_STOP_SIGNAL, "", "SIGPWR" },
};

START_TEST(read_config)
{
	const struct read_row *row = &read_rows[_i];
	struct arena *mem = arena_new();
	struct policy *p;
	struct err e;
	int rc;

	rc = policy_read_lxc(arena_printf(mem, ROOT "%s", row->text), "config",
			     mem, &p, &e);
	ck_assert_msg(rc == 0, "%s", e.msg);
	ck_assert_msg(str_eq(policy_get(p, row->field, row->key), row->value),
		      "%s: %s", row->text, policy_get(p, row->field, row->key));
	arena_free(mem);
}
END_TEST

/* --- the real parser --- */

/* Writes the config where lxc-info looks for it, and asks for a key. */
static int ask_lxc(struct box *b, const char *key, struct buf *out)
{
	char dir[] = "/tmp/check_lxc.XXXXXX";
	const char *const argv[] = { "lxc-info",  "-P", dir, "-n",
				     b->em->name, "-c", key, NULL };
	int fd, rc, status = -1;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	rc = fd_mkdirs(fd, b->em->name, &b->e);
	ck_assert_msg(rc == 0, "%s", b->e.msg);
	rc = fd_replace(fd, arena_printf(b->mem, "%s/config", b->em->name),
			b->text, strlen(b->text), &b->e);
	ck_assert_msg(rc == 0, "%s", b->e.msg);
	rc = proc_run(argv, 20, out, &status, &b->e);
	close(fd);
	fd_remove_tree(AT_FDCWD, dir, &b->e);
	if (rc < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* What stands in each row above, as liblxc takes it; none where absent. */
static void assert_loads(struct box *b)
{
	struct buf out CLEANUP(buf_done) = { 0 };
	const int rc = ask_lxc(b, "lxc.rootfs.path", &out);

	if (rc >= 0)
		ck_assert_msg(rc == 0 &&
				      strstr(buf_str(&out), "/rootfs") != NULL,
			      "lxc-info: %s\n%s", buf_str(&out), b->text);
}

/* A line of every section. */
static void full(struct box *b)
{
	struct rlimit_rule *r = pvec_add(b->mem, &b->g->rlimits);
	struct sysctl *s = pvec_add(b->mem, &b->g->sysctls);
	struct nic *n = add_nic(b, "eth0", "bridge:br0");

	set_guest(b, "id.arch", "i686");
	set_guest(b, "boot.init", "/sbin/init 3");
	set_guest(b, "boot.stop-signal", "SIGRTMIN+3");
	set_guest(b, "boot.autostart", "yes");
	set_guest(b, "cap.bounding", "chown kill");
	set_guest(b, "ns.ipc", "host");
	set_guest(b, "limit.memory", "512M");
	set_guest(b, "limit.swap", "0");
	set_guest(b, "limit.cpu-weight", "39");
	add_device(b, "c 10:200", "rw", "/dev/net/tun");
	add_mount(b, "/srv/a b", "/c d", "none", "bind ro");
	add_addr(b, n, "192.0.2.10", "24");
	set(b, "rlimit.name", r, "nofile");
	set(b, "rlimit.soft", r, "1024");
	set(b, "rlimit.hard", r, "unlimited");
	set(b, "sysctl.name", s, "kernel.shmmax");
	set(b, "sysctl.value", s, "4096");
}

START_TEST(loads_plain)
{
	struct box b;

	box_open(&b);
	full(&b);
	set_guest(&b, "id.domainname", "example.org");
	set_guest(&b, "boot.groups", "default");
	set_guest(&b, "boot.oom-score", "7");
	set_guest(&b, "boot.api-mounts", "yes");
	set_guest(&b, "limit.cpu-quota", "50000");
	set_guest(&b, "limit.cpu-burst", "5000");
	set_guest(&b, "kernel.no-new-privs", "no");
	if (_i == 1)
		b.options.cgroup = CGROUP_BOTH;
	emit(&b);
	assert_announced(&b);
	assert_loads(&b);
	box_done(&b);
}
END_TEST

START_TEST(loads_all_caps)
{
	struct box b;

	box_open(&b);
	derive_caps(b.g, FIELD_CAPS, b.g, UINT64_C(0x1ffffffffff),
		    derive_origin(b.g, ORIGIN_TEXT, "/x", 1, "caps", NULL),
		    finding_add(b.g, FIND_CAP_ALL, NULL,
				derive_origin(b.g, ORIGIN_TEXT, "/x", 1, "caps",
					      NULL),
				"all"));
	emit(&b);
	assert_loads(&b);
	box_done(&b);
}
END_TEST

/* Every way to reach the wire. */
START_TEST(loads_nic)
{
	static const char *const attach[] = { "bridge:br0",   "routed:eth1",
					      "macvlan:eth1", "ipvlan:eth1",
					      "phys:eth1",    "p2p",
					      "none" };
	struct nic *n;
	struct box b;

	box_open(&b);
	n = add_nic(&b, "eth0", attach[_i]);
	set(&b, "nic.vlan", n, "7");
	set(&b, "nic.mac", n, "02:00:5e:10:00:01");
	set(&b, "nic.mtu", n, "1400");
	set(&b, "nic.accept-ra", n, "no");
	set(&b, "nic.host-name", n, "veth-web");
	set(&b, "nic.gateway4", n, "192.0.2.1");
	set(&b, "nic.gateway6", n, "2001:db8::1");
	add_addr(&b, n, "192.0.2.10", "24");
	add_addr(&b, n, "2001:db8::a", "64");
	emit(&b);
	assert_announced(&b);
	assert_loads(&b);
	box_done(&b);
}
END_TEST

/* Values that need quotes come out of liblxc as they went in. */
START_TEST(loads_quotes)
{
	static const char *const values[] = { " lead", "trail ", "'q'",
					      "\"d\"", "a # b",  "''" };
	struct buf out CLEANUP(buf_done) = { 0 };
	struct env *v;
	struct box b;
	int rc;

	box_open(&b);
	v = pvec_add(b.mem, &b.g->envs);
	set(&b, "env.name", v, "X");
	set(&b, "env.value", v, values[_i]);
	emit(&b);
	rc = ask_lxc(&b, "lxc.environment", &out);
	if (rc >= 0) {
		ck_assert_int_eq(rc, 0);
		ck_assert_msg(strstr(buf_str(&out),
				     arena_printf(b.mem, "X=%s", values[_i])) !=
				      NULL,
			      "%s", buf_str(&out));
	}
	box_done(&b);
}
END_TEST

/* --- the emitter `model` --- */

START_TEST(model_text)
{
	struct box b;

	box_open(&b);
	set_guest(&b, "id.hostname", "web");
	set_guest(&b, "limit.memory", "unlimited");
	add_mount(&b, "tmpfs", "/tmp\nx", "tmpfs", NULL);
	ck_assert_int_eq(emit_run(&model_emitter, b.g, &b.options, b.mem, &b.em,
				  &b.e),
			 0);
	ck_assert_ptr_null(b.em->policy);
	ck_assert_str_eq(b.em->files.v[0].text,
			 "id.hostname = web   # default: the test\n"
			 "limit.memory = unlimited   # default: the test\n"
			 "mount /tmp\\nx\n"
			 "  mount.target = /tmp\\nx   # default: the test\n"
			 "  mount.source = tmpfs   # default: the test\n"
			 "  mount.type = tmpfs   # default: the test\n");
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lxc read-back");
	TCase *r = add_case(s, "read-back");
	TCase *l = add_case(s, "lxc-info");

	tcase_add_loop_test(r, bad_config, 0, COUNT(bad_rows));
	tcase_add_loop_test(r, read_config, 0, COUNT(read_rows));
	tcase_add_loop_test(l, loads_plain, 0, 2);
	tcase_add_test(l, loads_all_caps);
	tcase_add_loop_test(l, loads_nic, 0, 7);
	tcase_add_loop_test(l, loads_quotes, 0, 6);
	tcase_add_test(add_case(s, "model"), model_text);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
