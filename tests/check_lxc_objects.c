/*
 * Unit tests of the LXC emitter: interfaces, addresses, mounts, devices,
 * kernel parameters, process limits.
 */
#include "tests/lxc_objects.h"

static void assert_no_line(const struct box *b, const char *begin)
{
	const char *at = strstr(b->text, arena_printf(b->mem, "\n%s", begin));

	ck_assert_msg(at == NULL, "a line \"%s\" in\n%s", begin, b->text);
}

static const struct nic_row {
	const char *attach, *field, *value;
	const char *lines[4];
	const char *item; /* nic.attach as read back; NULL: no interface */
	const char *code;
} nic_rows[] = {
	{ "bridge:br0",
	  NULL,
	  NULL,
	  { "lxc.net.0.type = veth", "lxc.net.0.link = br0" },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0",
	  "nic.vlan",
	  "7",
	  { "lxc.net.0.veth.vlan.id = 7" },
	  "bridge:br0",
	  "NET034" },
	{ "bridge:br0",
	  "nic.mac",
	  "02:00:5e:10:00:01",
	  { "lxc.net.0.hwaddr = 02:00:5e:10:00:01" },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0", "nic.mac", "zz", { NULL }, "bridge:br0", "NET042" },
	{ "bridge:br0",
	  "nic.mtu",
	  "1400",
	  { "lxc.net.0.mtu = 1400" },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0", "nic.mtu", "1", { NULL }, "bridge:br0", "NET042" },
	{ "bridge:br0",
	  "nic.host-name",
	  "veth-web",
	  { "lxc.net.0.veth.pair = veth-web" },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0",
	  "nic.source-filter",
	  "yes",
	  { NULL },
	  "bridge:br0",
	  "NET028" },
	{ "bridge:br0",
	  "nic.source-filter",
	  "no",
	  { NULL },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0",
	  "nic.accept-ra",
	  "no",
	  { "lxc.sysctl.net.ipv6.conf.eth0.accept_ra = 0" },
	  "bridge:br0",
	  "NET039" },
	{ "bridge:br0",
	  "nic.gateway4",
	  "192.0.2.1",
	  { "lxc.net.0.ipv4.gateway = 192.0.2.1" },
	  "bridge:br0",
	  NULL },
	{ "bridge:br0",
	  "nic.gateway4",
	  "auto",
	  { NULL },
	  "bridge:br0",
	  "NET042" },
	{ "bridge:br0",
	  "nic.gateway6",
	  "192.0.2.1",
	  { NULL },
	  "bridge:br0",
	  "NET042" },
	{ "routed:eth1",
	  NULL,
	  NULL,
	  { "lxc.net.0.veth.mode = router", "lxc.net.0.l2proxy = 1",
	    "lxc.net.0.ipv4.address = 192.0.2.10/32" },
	  "routed:eth1",
	  "NET035" },
	{ "routed:eth1",
	  "nic.gateway4",
	  "192.0.2.1",
	  { "lxc.net.0.ipv6.address = 2001:db8::a/128",
	    "lxc.net.0.ipv4.gateway = 192.0.2.1" },
	  "routed:eth1",
	  NULL },
	{ "routed:lo",
	  NULL,
	  NULL,
	  { "lxc.net.0.veth.mode = router" },
	  "routed:lo",
	  NULL },
	{ "routed:eth1",
	  "nic.source-filter",
	  "yes",
	  { NULL },
	  "routed:eth1",
	  "NET029" },
	{ "macvlan:eth1",
	  NULL,
	  NULL,
	  { "lxc.net.0.type = macvlan", "lxc.net.0.macvlan.mode = bridge" },
	  "macvlan:eth1",
	  NULL },
	{ "macvlan:eth1",
	  "nic.mode",
	  "vepa",
	  { "lxc.net.0.macvlan.mode = vepa" },
	  "macvlan:eth1",
	  NULL },
	{ "macvlan:eth1",
	  "nic.mode",
	  "l3",
	  { NULL },
	  "macvlan:eth1",
	  "NET042" },
	{ "macvlan:eth1",
	  "nic.vlan",
	  "7",
	  { "lxc.net.0.link = eth1.7" },
	  "macvlan:eth1.7",
	  "NET034" },
	{ "ipvlan:eth1",
	  NULL,
	  NULL,
	  { "lxc.net.0.ipvlan.mode = l2" },
	  "ipvlan:eth1",
	  NULL },
	{ "ipvlan:eth1",
	  "nic.mode",
	  "l3s",
	  { "lxc.net.0.ipvlan.mode = l3s", "lxc.net.0.l2proxy = 1",
	    "lxc.net.0.ipv4.gateway = dev" },
	  "ipvlan:eth1",
	  NULL },
	{ "phys:eth1",
	  NULL,
	  NULL,
	  { "lxc.net.0.type = phys" },
	  "phys:eth1",
	  NULL },
	{ "phys:eth1",
	  "nic.vlan",
	  "7",
	  { "lxc.net.0.type = vlan", "lxc.net.0.vlan.id = 7" },
	  "phys:eth1",
	  NULL },
	{ "p2p", NULL, NULL, { "lxc.net.0.type = veth" }, "p2p", NULL },
	{ "none", NULL, NULL, { "lxc.net.0.type = empty" }, NULL, "NET013" },
	{ "wormhole:eth1",
	  NULL,
	  NULL,
	  { "lxc.net.0.type = empty" },
	  NULL,
	  "NET042" },
	{ "bridge:", NULL, NULL, { NULL }, NULL, "NET042" },
	{ "bridge:a b", NULL, NULL, { NULL }, NULL, "NET042" },
	{ "bridge:br0\nlxc.hook.start = /x",
	  NULL,
	  NULL,
	  { NULL },
	  NULL,
	  "NET042" },
};

START_TEST(interface)
{
	const struct nic_row *row = &nic_rows[_i];
	struct nic *n;
	struct box b;

	box_open(&b);
	n = add_nic(&b, "eth0", row->attach);
	if (row->field != NULL)
		set(&b, row->field, n, row->value);
	add_addr(&b, n, "192.0.2.10", "24");
	add_addr(&b, n, "2001:db8::a", "64");
	emit(&b);
	assert_announced(&b);
	for (size_t i = 0; i < COUNT(row->lines) && row->lines[i]; i++)
		assert_line(&b, row->lines[i]);
	assert_item(&b, FIELD_NIC_ATTACH, "eth0", row->item);
	if (row->code != NULL)
		ck_assert_msg(find(&b, row->code) != NULL, "%s: no %s\n%s",
			      row->attach, row->code, b.text);
	box_done(&b);
}
END_TEST

/* What needs a later release is left out and said. */
START_TEST(old_network)
{
	struct nic *n;
	struct box b;

	box_open(&b);
	b.options.version = "3.0";
	add_addr(&b, add_nic(&b, "eth0", "routed:eth1"), "192.0.2.10", "32");
	n = add_nic(&b, "eth1", "bridge:br0");
	set(&b, "nic.vlan", n, "7");
	emit(&b);
	assert_announced(&b);
	assert_no_line(&b, "lxc.net.0.");
	assert_no_line(&b, "lxc.net.1.veth.vlan.id");
	assert_line(&b, "lxc.net.1.link = br0");
	ck_assert_ptr_nonnull(find(&b, "SYN004"));
	box_done(&b);
}
END_TEST

static const struct addr_row {
	const char *ip, *prefix, *broadcast;
	const char *line;
	const char *code;
} addr_rows[] = {
	{ "192.0.2.10", "24", NULL,
	  "lxc.net.0.ipv4.address = 192.0.2.10/24 192.0.2.255", "NET040" },
	{ "192.0.2.10", "24", "192.0.2.127",
	  "lxc.net.0.ipv4.address = 192.0.2.10/24 192.0.2.127", NULL },
	{ "192.0.2.10", "24", "x",
	  "lxc.net.0.ipv4.address = 192.0.2.10/24 192.0.2.255", "NET040" },
	{ "192.0.2.10", "31", NULL, "lxc.net.0.ipv4.address = 192.0.2.10/31",
	  NULL },
	{ "192.0.2.10", "32", "192.0.2.255",
	  "lxc.net.0.ipv4.address = 192.0.2.10/32", "NET040" },
	{ "192.0.2.10", "33", NULL, "lxc.net.0.ipv4.address = 192.0.2.10/32",
	  "NET007" },
	{ "192.0.2.10", NULL, NULL, "lxc.net.0.ipv4.address = 192.0.2.10/32",
	  "NET007" },
	{ "2001:db8::5", "64", NULL, "lxc.net.0.ipv6.address = 2001:db8::5/64",
	  NULL },
	{ "2001:db8::5", NULL, NULL, "lxc.net.0.ipv6.address = 2001:db8::5/128",
	  "NET007" },
	{ "192.0.2.300", "24", NULL, NULL, "NET012" },
	{ "192.0.2.1 x", "24", NULL, NULL, "NET012" },
};

START_TEST(address)
{
	const struct addr_row *row = &addr_rows[_i];
	struct addr *a;
	struct box b;

	box_open(&b);
	a = add_addr(&b, add_nic(&b, "eth0", "bridge:br0"), row->ip,
		     row->prefix);
	if (row->broadcast != NULL)
		set(&b, "addr.broadcast", a, row->broadcast);
	set(&b, "addr.label", a, "web");
	set(&b, "addr.peer", a, "192.0.2.9");
	emit(&b);
	assert_announced(&b);
	if (row->line != NULL)
		assert_line(&b, row->line);
	else
		assert_no_line(&b, "lxc.net.0.ipv4.address");
	if (row->code != NULL)
		ck_assert_ptr_nonnull(find(&b, row->code));
	ck_assert_ptr_nonnull(find(&b, "NET022"));
	ck_assert_ptr_nonnull(find(&b, "NET023"));
	box_done(&b);
}
END_TEST

/* A stack that is another's has no interfaces of its own to set up. */
START_TEST(foreign_stack)
{
	static const char *const stacks[][2] = {
		{ "host", "NET016" },
		{ "shared:v12", "NET017" },
	};
	struct addr *a;
	struct box b;

	box_open(&b);
	set_guest(&b, "ns.net", stacks[_i][0]);
	a = add_addr(&b, add_nic(&b, "eth0", "bridge:br0"), "192.0.2.10", "24");
	emit(&b);
	assert_announced(&b);
	ck_assert_ptr_null(strstr(b.text, "192.0.2.10/24"));
	ck_assert_int_eq(outcome(&b, FIELD_ADDR_IP, a)->bin, BIN_HOSTSIDE);
	ck_assert_ptr_nonnull(find(&b, stacks[_i][1]));
	box_done(&b);
}
END_TEST

static const struct mount_row {
	const char *source, *target, *type, *options;
	const char *line; /* NULL: none at all */
	const char *code;
} mount_rows[] = {
	{ "/srv/data", "/data", "none", "bind ro nodev",
	  "lxc.mount.entry = /srv/data data none "
	  "bind,ro,nodev,create=dir 0 0",
	  NULL },
	{ "/srv/my data", "/a b/c\\d", "none", "bind",
	  "lxc.mount.entry = /srv/my\\040data a\\040b/c\\134d none "
	  "bind,create=dir 0 0",
	  NULL },
	{ "/srv/data", "/data", "none", NULL,
	  "lxc.mount.entry = /srv/data data none bind,create=dir 0 0",
	  "MNT015" },
	{ NULL, "/data", NULL, NULL,
	  "lxc.mount.entry = none data none bind,create=dir 0 0", "MNT015" },
	{ "tmpfs", "/tmp", "tmpfs", NULL,
	  "lxc.mount.entry = tmpfs tmp tmpfs create=dir 0 0", NULL },
	{ "none", "/proc", "proc", "defaults", NULL, "MNT004" },
	{ "none", "/dev/pts", "devpts", "gid=5 mode=620", NULL, "MNT004" },
	{ "none", "/sys", "sysfs", "defaults", NULL, "MNT004" },
	{ "/x", "/", "none", "bind", NULL, "MNT009" },
	{ "/x", "relative", "none", "bind", NULL, "MNT009" },
	{ "/x", "/a/../../etc", "none", "bind", NULL, "MNT009" },
	{ "/x", "//a", "none", "bind", NULL, "MNT009" },
	{ "/x", "/a/", "none", "bind", NULL, "MNT009" },
	{ "/x\n/y", "/a", "none", "bind", NULL, "SYN003" },
	{ "#x", "/a", "none", "bind", NULL, "SYN003" },
	{ "/x", "/a", "none", "bind,exec", NULL, "SYN003" },
};

START_TEST(mounts)
{
	const struct mount_row *row = &mount_rows[_i];
	struct box b;

	box_open(&b);
	add_mount(&b, row->source, row->target, row->type, row->options);
	emit(&b);
	assert_announced(&b);
	if (row->line != NULL)
		assert_line(&b, row->line);
	else
		assert_no_line(&b, "lxc.mount.entry");
	if (row->line != NULL && row->code == NULL)
		assert_item(&b, FIELD_MOUNT_SOURCE, row->target, row->source);
	if (row->code != NULL)
		ck_assert_ptr_nonnull(find(&b, row->code));
	box_done(&b);
}
END_TEST

static const struct device_row {
	const char *rule, *access, *path;
	const char *line, *entry; /* NULL: none */
	const char *code;
} device_rows[] = {
	{ "c 1:3", "rwm", "/dev/null", "lxc.cgroup2.devices.allow = c 1:3 rwm",
	  NULL, NULL },
	{ "c 1:3", "rw", NULL, "lxc.cgroup2.devices.allow = c 1:3 rw", NULL,
	  "DEV011" },
	{ "c 1:3", "r", "/var/named/dev/null",
	  "lxc.cgroup2.devices.allow = c 1:3 r",
	  "lxc.mount.entry = /dev/null var/named/dev/null none "
	  "bind,create=file,optional 0 0",
	  NULL },
	{ "c 10:229", "rw", "/dev/fuse",
	  "lxc.cgroup2.devices.allow = c 10:229 rw",
	  "lxc.mount.entry = /dev/fuse dev/fuse none "
	  "bind,create=file,optional 0 0",
	  NULL },
	{ "b 7:*", "rwm", NULL, "lxc.cgroup2.devices.allow = b 7:* rwm", NULL,
	  NULL },
	{ "c 10:229", "rw", "/opt/fuse",
	  "lxc.cgroup2.devices.allow = c 10:229 rw", NULL, "DEV002" },
	{ "c 10:229", "", "/dev/fuse", NULL, NULL, NULL },
	{ "a *:*", "rwm", NULL, NULL, NULL, "DEV013" },
	{ "c x:y", "rwm", NULL, NULL, NULL, "DEV013" },
	{ "c 10:229", "evil", NULL, NULL, NULL, "DEV013" },
};

START_TEST(devices)
{
	const struct device_row *row = &device_rows[_i];
	struct finding *f;
	struct box b;

	box_open(&b);
	add_device(&b, row->rule, row->access, row->path);
	if (row->access[0] == '\0') { /* as the plan announces it */
		f = finding_add(b.g, FIND_DEV_RAW, NULL,
				b.g->devices.v[0]->rule.from, "left out");
		finding_covers(b.g, f, FIELD_DEVICE_RULE, row->rule);
		finding_covers(b.g, f, FIELD_DEVICE_ACCESS, row->rule);
		finding_covers(b.g, f, FIELD_DEVICE_PATH, row->rule);
	}
	emit(&b);
	assert_announced(&b);
	if (row->line != NULL)
		assert_line(&b, row->line);
	else
		assert_no_line(&b, arena_printf(b.mem,
						"lxc.cgroup2.devices.allow = "
						"%s",
						row->rule));
	if (row->entry != NULL)
		assert_line(&b, row->entry);
	else
		assert_no_line(&b, "lxc.mount.entry");
	if (row->code != NULL)
		ck_assert_ptr_nonnull(find(&b, row->code));
	box_done(&b);
}
END_TEST

/* Two nodes of one device: rules add up, and that is announced. */
START_TEST(twin_devices)
{
	struct box b;

	box_open(&b);
	add_device(&b, "c 1:3", "rwm", "/var/x/null");
	add_device(&b, "c 1:3", "r", "/dev/null");
	emit(&b);
	assert_announced(&b);
	assert_item(&b, FIELD_DEVICE_ACCESS, "c 1:3", "rwm");
	box_done(&b);
}
END_TEST

static const struct sysctl_row {
	const char *name, *value;
	const char *open; /* bound writable; NULL: not set */
} sysctl_rows[] = {
	{ "net.ipv4.ip_forward", "1", "net/ipv4/ip_forward" },
	{ "net.ipv4.ping_group_range", "0\t2147483647",
	  "net/ipv4/ping_group_range" },
	{ "net.core.somaxconn", "1024", "net/core/somaxconn" },
	{ "net.core.rmem_max", "1024", NULL },
	{ "net.ipv4.tcp_mem", "1 2 3", NULL },
	{ "kernel.shmmax", "1024", "kernel/shmmax" },
	{ "kernel.sem", "250 32000 32 128", "kernel/sem" },
	{ "fs.mqueue.msg_max", "20", "fs/mqueue/msg_max" },
	{ "kernel.domainname", "example.org", "kernel/domainname" },
	{ "kernel.panic", "10", NULL },
	{ "kernel.core_pattern", "|/evil", NULL },
	{ "vm.swappiness", "0", NULL },
	{ "kernel.sem/../../sysrq-trigger", "b", NULL },
	{ "kernel.sem..x", "b", NULL },
	{ "net.ipv4.ip_forward", "1\nlxc.x = y", NULL },
};

static void add_sysctl(struct box *b, const char *name, const char *value)
{
	struct sysctl *s = pvec_add(b->mem, &b->g->sysctls);

	set(b, "sysctl.name", s, name);
	set(b, "sysctl.value", s, value);
}

/* Only the parameters that are set are writable in the guest. */
START_TEST(sysctls)
{
	static const char closed[] = "lxc.mount.entry = proc/sys proc/sys none "
				     "rbind,ro,relative 0 0";
	const struct sysctl_row *row = &sysctl_rows[_i];
	struct box b;

	box_open(&b);
	set_guest(&b, "cap.bounding", "chown");
	add_sysctl(&b, row->name, row->value);
	emit(&b);
	assert_announced(&b);
	ck_assert_int_eq(strstr(b.text, "\nlxc.sysctl.") != NULL,
			 row->open != NULL);
	assert_item(&b, FIELD_PROC_VIEW, "", "mixed");
	if (row->open != NULL) {
		assert_line(&b, closed);
		assert_line(&b, arena_printf(b.mem,
					     "lxc.mount.entry = proc/sys/%s "
					     "proc/sys/%s none bind,relative "
					     "0 0",
					     row->open, row->open));
	} else {
		assert_line(&b, "lxc.mount.auto = proc:mixed sys:ro");
		ck_assert_ptr_nonnull(find(&b, "INI032"));
	}
	box_done(&b);
}
END_TEST

/* With NET_ADMIN LXC leaves /proc/sys/net writable itself. */
START_TEST(sysctls_of_net_admin)
{
	struct box b;

	box_open(&b);
	set_guest(&b, "cap.bounding", "net_admin");
	add_sysctl(&b, "net.ipv4.ip_forward", "1");
	if (_i == 1)
		add_sysctl(&b, "kernel.sem", "250 32000 32 128");
	emit(&b);
	assert_announced(&b);
	if (_i == 0)
		assert_line(&b, "lxc.mount.auto = proc:mixed sys:ro");
	else
		assert_line(&b, "lxc.mount.entry = proc/sys/net proc/sys/net "
				"none bind,relative 0 0");
	box_done(&b);
}
END_TEST

/* A source that had /proc writable keeps it so. */
START_TEST(sysctls_of_rw)
{
	struct box b;

	box_open(&b);
	set_guest(&b, "kernel.proc", "rw");
	add_sysctl(&b, "kernel.sem", "250 32000 32 128");
	emit(&b);
	assert_announced(&b);
	assert_no_line(&b, "lxc.mount.entry");
	assert_item(&b, FIELD_PROC_VIEW, "", "rw");
	box_done(&b);
}
END_TEST

/* A root whose ids are mapped may set those of net and IPC only. */
START_TEST(sysctls_of_mapped)
{
	struct idmap *m;
	struct box b;

	box_open(&b);
	m = pvec_add(b.mem, &b.g->idmaps);
	set(&b, "idmap.kind", m, "u");
	set(&b, "idmap.inside", m, "0");
	set(&b, "idmap.outside", m, "100000");
	set(&b, "idmap.count", m, "65536");
	set_guest(&b, "id.domainname", "example.org");
	add_sysctl(&b, "kernel.sem", "250 32000 32 128");
	emit(&b);
	assert_announced(&b);
	assert_no_line(&b, "lxc.sysctl.kernel.domainname");
	assert_line(&b, "lxc.sysctl.kernel.sem = 250 32000 32 128");
	ck_assert_ptr_nonnull(find(&b, "INI016"));
	box_done(&b);
}
END_TEST

static const struct rlimit_row {
	const char *name, *soft, *hard;
	const char *line;
	const char *code;
} rlimit_rows[] = {
	{ "nproc", "100", "200", "lxc.prlimit.nproc = 100:200", NULL },
	{ "core", "0", "unlimited", "lxc.prlimit.core = 0:unlimited", NULL },
	{ "nofile", "1024", "unlimited", "lxc.prlimit.nofile = 1024:1048576",
	  "LIM022" },
	{ "nproc", "300", "200", "lxc.prlimit.nproc = 200:200", "LIM022" },
	{ "nproc", "100", NULL, "lxc.prlimit.nproc = 100:100", "LIM022" },
	{ "nproc", NULL, "200", "lxc.prlimit.nproc = 200:200", "LIM022" },
	{ "maxrss", "1", "1", NULL, "LIM008" },
	{ "nproc", NULL, NULL, NULL, "LIM008" },
};

START_TEST(rlimits)
{
	const struct rlimit_row *row = &rlimit_rows[_i];
	struct rlimit_rule *r;
	struct box b;

	box_open(&b);
	r = pvec_add(b.mem, &b.g->rlimits);
	set(&b, "rlimit.name", r, row->name);
	if (row->soft != NULL)
		set(&b, "rlimit.soft", r, row->soft);
	if (row->hard != NULL)
		set(&b, "rlimit.hard", r, row->hard);
	emit(&b);
	assert_announced(&b);
	if (row->line != NULL)
		assert_line(&b, row->line);
	else
		assert_no_line(&b, "lxc.prlimit");
	if (row->code != NULL)
		ck_assert_ptr_nonnull(find(&b, row->code));
	box_done(&b);
}
END_TEST

/* The grammar has no escapes: what it can carry comes back byte by byte. */
START_TEST(quoting)
{
	static const char *const values[] = {
		"plain",    "two words",   " lead",      "trail ", "\ttab\t",
		"'single'", "\"double\"",  "'",          "\"",     "''",
		"a # b",    "#",           "a=b=c",      "",       "\"half",
		"\xff\xfe", "back\\slash", "$HOME `id`",
	};
	struct env *v;
	struct box b;

	box_open(&b);
	v = pvec_add(b.mem, &b.g->envs);
	set(&b, "env.name", v, "X");
	set(&b, "env.value", v, values[_i]);
	set_guest(&b, "seccomp.profile",
		  arena_printf(b.mem, "/%s", values[_i]));
	emit(&b);
	assert_announced(&b);
	assert_item(&b, FIELD_ENV_VALUE, "X", values[_i]);
	box_done(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lxc objects");
	TCase *n = add_case(s, "network");
	TCase *c = add_case(s, "files");

	tcase_add_loop_test(n, interface, 0, COUNT(nic_rows));
	tcase_add_test(n, old_network);
	tcase_add_loop_test(n, address, 0, COUNT(addr_rows));
	tcase_add_loop_test(n, foreign_stack, 0, 2);
	tcase_add_loop_test(c, mounts, 0, COUNT(mount_rows));
	tcase_add_loop_test(c, devices, 0, COUNT(device_rows));
	tcase_add_test(c, twin_devices);
	tcase_add_loop_test(c, sysctls, 0, COUNT(sysctl_rows));
	tcase_add_loop_test(c, sysctls_of_net_admin, 0, 2);
	tcase_add_test(c, sysctls_of_rw);
	tcase_add_test(c, sysctls_of_mapped);
	tcase_add_loop_test(c, rlimits, 0, COUNT(rlimit_rows));
	tcase_add_loop_test(c, quoting, 0, 18);
	return s;
}

int main(void)
{
	return run_suite(suite());
}
