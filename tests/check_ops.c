/* The box's planner: policies and hosts to lists of operations, as text. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/str.h"
#include "runtime/ops.h"

struct item {
	enum field_id field;
	const char *key, *value;
};

enum host_kind { HOST_V1, HOST_V2, HOST_BARE };

/* A made-up host, so that the plan does not depend on this one. */
static struct host make_host(struct arena *mem, enum host_kind kind)
{
	static const char *const v1[] = { "memory", "pids", "cpu", "devices" };
	struct host h = { .v2_controllers = "", .lsm = "", .caps = CAP_ALL };

	for (size_t i = 0; kind == HOST_V1 && i < COUNT(v1); i++)
		*vec_add(mem, &h.groups) = (struct host_group){
			.controllers = v1[i],
			.path = arena_printf(mem, "/cg/%s", v1[i]),
		};
	strv_add(mem, &h.disks, "8:16");
	if (kind == HOST_V2) {
		h.v2_controllers = "cpuset cpu io memory pids";
		*vec_add(mem, &h.groups) = (struct host_group){
			.controllers = "", .path = "/cg", .v2 = true
		};
	}
	if (kind == HOST_BARE) {
		strv_add(mem, &h.no_links, "ipvlan");
		strv_add(mem, &h.no_links, "vlan");
		strv_add(mem, &h.no_links, HOST_VLAN_BRIDGE);
		h.no_filter = "no nft";
	}
	for (size_t i = 0; i < HOST_RLIMITS; i++)
		h.rlimits[i] = (struct rlimit){ 1024, 4096 };
	return h;
}

static int plan(struct arena *mem, const struct host *h,
		const struct item *items, size_t n, struct buf *ret,
		struct err *e)
{
	static const struct box_options o = { .name = "web",
					      .rootfs = "/t",
					      .scratch = "/s",
					      .filter = "/f.nft" };
	struct policy *p = policy_new(mem);
	const struct ops_input in = { .p = p, .h = h, .o = &o, .run = "7" };
	struct ops ops;

	for (size_t i = 0; i < n; i++)
		policy_add(p, items[i].field, items[i].key, items[i].value);
	policy_sort(p);
	if (ops_plan(&in, mem, &ops, e) < 0)
		return -1;
	ops_print(&ops, ret);
	return 0;
}

/* The plan's lines that begin so, without it; "" when there are none. */
static const char *lines(struct arena *mem, const struct buf *plan,
			 const char *prefix)
{
	struct slice rest = { buf_str(plan), plan->n }, line;
	struct strv found = { 0 };

	while (slice_next(&rest, '\n', &line)) {
		const char *text = slice_dup(mem, line);

		if (str_starts(text, prefix))
			strv_add(mem, &found, text + strlen(prefix));
	}
	return strv_join(mem, &found, "|");
}

static const struct item empty[] = { { FIELD_HOSTNAME, "", "web" } };

/* Processors and nodes that the old host had and this one has not. */
START_TEST(cpuset_of_another_host)
{
	static const struct {
		const char *have, *want;
		bool given;
	} rows[] = {
		{ "0-1", "0-1", true },     { "0-1", "0", true },
		{ "0-1", "2-3", false },    { "0-1", "1-2", false },
		{ "0-1,4-7", "5", true },   { "0-1,4-7", "0-4", false },
		{ "0-1,4-7", "0,6", true }, { "0-1", "all", false },
		{ NULL, "9", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena *mem CLEANUP(arena_freep) = arena_new();
		struct buf text CLEANUP(buf_done) = { 0 };
		const struct item items[] = {
			{ FIELD_CPU_SET, "", rows[i].want },
			{ FIELD_MEM_NODES, "", rows[i].want },
		};
		struct host h = make_host(mem, HOST_V2);
		struct err e;

		h.cpus = h.nodes = rows[i].have;
		ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e),
				 0);
		ck_assert_msg((strstr(buf_str(&text),
				      "withhold limit.cpus: ") == NULL) ==
				      rows[i].given,
			      "%s of %s: %s", rows[i].want, rows[i].have,
			      buf_str(&text));
		ck_assert_int_eq(strstr(buf_str(&text),
					"has the memory nodes") == NULL,
				 rows[i].given);
	}
}
END_TEST

START_TEST(whole_plan)
{
	static const char expected[] =
		"make directory /s/rehost.web.7\n"
		"make directory /s/rehost.web.7/upper\n"
		"make directory /s/rehost.web.7/work\n"
		"make directory /s/rehost.web.7/root\n"
		"make directory /s/rehost.web.7/lower\n"
		"make directory /s/rehost.web.7/binds\n"
		"mount overlay /t /s/rehost.web.7\n"
		"set up loopback\n"
		"set host name web\n"
		"make namespace of cgroups\n"
		"pivot into /s/rehost.web.7/root\n"
		"mount devpts /dev/pts nosuid,noexec,newinstance,"
		"ptmxmode=0666,mode=0620,gid=5,max=1024\n"
		"make console /dev/console\n"
		"leave the host's root\n"
		"set nice level 0\n"
		"keep capabilities\n"
		"execute /sbin/init\n"
		"withhold device.policy: no list of devices on this host\n";
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_BARE);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, empty, COUNT(empty), &text, &e), 0);
	ck_assert_str_eq(buf_str(&text), expected);
}
END_TEST

/* One policy item (with a second where it needs one) and what becomes of it. */
static const struct one {
	enum host_kind host;
	struct item item[5];
	const char *prefix, *expected;
} ones[] = {
	{ HOST_V1,
	  { { FIELD_MEM_MAX, "", "1000" } },
	  "set in group ",
	  "/cg/memory/rehost.web.7 memory.limit_in_bytes 1000 memory|"
	  "/cg/devices/rehost.web.7 devices.deny a devices" },
	{ HOST_V1,
	  { { FIELD_MEM_MAX, "", "1000" }, { FIELD_SWAP_MAX, "", "24" } },
	  "set in group /cg/memory/rehost.web.7 memory.memsw",
	  ".limit_in_bytes 1024 memory" },
	{ HOST_V1,
	  { { FIELD_CPU_WEIGHT, "", "100" } },
	  "set in group /cg/cpu",
	  "/rehost.web.7 cpu.shares 1024 cpu" },
	{ HOST_V1,
	  { { FIELD_CPU_QUOTA, "", "unlimited" } },
	  "set in group /cg/cpu",
	  "/rehost.web.7 cpu.cfs_quota_us -1 cpu" },
	{ HOST_V1,
	  { { FIELD_MEM_HIGH, "", "9" } },
	  "withhold limit",
	  ".memory-high: this host's groups have no such file" },
	{ HOST_V1,
	  { { FIELD_IO_WEIGHT, "", "100" } },
	  "withhold limit",
	  ".io-weight: no controller blkio on this host" },
	{ HOST_V2,
	  { { FIELD_CPU_QUOTA, "", "5000" }, { FIELD_CPU_PERIOD, "", "90" } },
	  "set in group ",
	  "/cg/rehost.web.7 cpu.max 5000 90 cpu" },
	{ HOST_V2,
	  { { FIELD_PIDS_MAX, "", "unlimited" } },
	  "set in group ",
	  "/cg/rehost.web.7 pids.max max pids" },
	{ HOST_V2,
	  { { FIELD_CPU_PERIOD, "", "90" } },
	  "set in group ",
	  "/cg/rehost.web.7 cpu.max max 90 cpu" },
	{ HOST_V2,
	  { { FIELD_PIDS_MAX, "", "9" }, { FIELD_IO_WEIGHT, "", "50" } },
	  "switch on controllers of ",
	  "/cg pids io" },
	{ HOST_V2, { { FIELD_HOSTNAME, "", "x" } }, "switch on", "" },
	/* devices */
	{ HOST_V2,
	  { { FIELD_DEVICE_ACCESS, "c 1:3", "rw" },
	    { FIELD_DEVICE_ACCESS, "c 1:5", "r" } },
	  "attach device program to ",
	  "/cg/rehost.web.7 only c 1:3 rw, c 1:5 r" },
	{ HOST_V2,
	  { { FIELD_DEVICE_POLICY, "", "any" } },
	  "attach device program to ",
	  "/cg/rehost.web.7 all but b *:* rw" },
	{ HOST_V2,
	  { { FIELD_DEVICE_ACCESS, "b 8:0", "rw" } },
	  "withhold device.access",
	  " b 8:0: withheld: block devices are the host's" },
	{ HOST_V1,
	  { { FIELD_DEVICE_ACCESS, "c 10:200", "rw" } },
	  "set in group /cg/devices/rehost.web.7 devices.allow",
	  " c 10:200 rw devices" },
	{ HOST_V1,
	  { { FIELD_DEVICE_ACCESS, "b 8:0", "rw" } },
	  "withhold device.access",
	  " b 8:0: withheld: block devices are the host's" },
	{ HOST_V1,
	  { { FIELD_DEVICE_ACCESS, "c 10:130", "rw" },
	    { FIELD_CAPS, "mknod", "yes" } },
	  "withhold device.access",
	  " c 10:130: withheld: opening it does something to the machine" },
	{ HOST_V1,
	  { { FIELD_DEVICE_PATH, "c 10:130", "/dev/watchdog" } },
	  "withhold device.path",
	  " c 10:130: withheld: opening it does something to the machine" },
	{ HOST_V1,
	  { { FIELD_DEVICE_PATH, "c 4:64", "/dev/ttyS0" } },
	  "make node",
	  "" },
	{ HOST_V1,
	  { { FIELD_DEVICE_PATH, "c 10:200", "/dev/net/tun" } },
	  "make node ",
	  "/dev/net/tun c 10:200" },
	{ HOST_V1,
	  { { FIELD_DEVICE_POLICY, "", "any" } },
	  "set in group ",
	  "/cg/devices/rehost.web.7 devices.deny b *:* rw devices" },
	/* capabilities */
	{ HOST_V1,
	  { { FIELD_CAPS, "chown", "yes" }, { FIELD_CAPS, "kill", "yes" } },
	  "keep capabilities ",
	  "chown kill" },
	{ HOST_V1,
	  { { FIELD_CAPS, "sys_time", "yes" } },
	  "withhold cap.bounding ",
	  "sys_time: withheld" },
	/* namespaces */
	{ HOST_V1,
	  { { FIELD_NS_NET, "", "host" } },
	  "withhold ns.net",
	  ": withheld: the host's is not shared" },
	{ HOST_V1,
	  { { FIELD_NS_IPC, "", "shared:db" } },
	  "withhold ns.ipc",
	  ": the other guest does not run here" },
	{ HOST_V1,
	  { { FIELD_NS_CGROUP, "", "host" } },
	  "make namespace of cgroups",
	  "" },
	/* mounts */
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "nfs" } },
	  "mount tmpfs ",
	  "/d size=64m" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "nfs" },
	    { FIELD_MOUNT_OPTIONS, "/d", "ro nosuid hard noauto" } },
	  "mount tmpfs ",
	  "/d size=64m,ro,nosuid" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "nfs" },
	    { FIELD_MOUNT_SOURCE, "/d", "h:/d" },
	    { FIELD_MOUNT_OPTIONS, "/d", "ro nosuid" } },
	  "withhold mount.",
	  "type /d: withheld: an empty tmpfs stands there|"
	  "source /d: withheld: an empty tmpfs stands there" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "nfs" },
	    { FIELD_MOUNT_OPTIONS, "/d", "ro hard" } },
	  "withhold mount.options",
	  " /d: withheld: an empty tmpfs stands there" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "none" },
	    { FIELD_MOUNT_SOURCE, "/d", "/srv" },
	    { FIELD_MOUNT_OPTIONS, "/d", "bind ro nodev" } },
	  "withhold mount.",
	  "source /d: withheld: a copy that is thrown away" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/d", "/d" },
	    { FIELD_MOUNT_TYPE, "/d", "debugfs" } },
	  "withhold mount.target",
	  " /d: withheld: it is the host's" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/proc", "/proc" },
	    { FIELD_MOUNT_TYPE, "/proc", "proc" } },
	  "mount proc ",
	  "/proc nosuid,nodev,noexec" },
	{ HOST_V1,
	  { { FIELD_MOUNT_TARGET, "/t", "/t" },
	    { FIELD_MOUNT_TYPE, "/t", "tmpfs" },
	    { FIELD_MOUNT_SOURCE, "/t", "none" } },
	  "mount tmpfs ",
	  "/t none" },
	{ HOST_V1,
	  { { FIELD_PROC_VIEW, "", "mixed" } },
	  "make read-only ",
	  "/proc/sys|/proc/sysrq-trigger" },
	{ HOST_V1,
	  { { FIELD_PROC_VIEW, "", "mixed" },
	    { FIELD_CAPS, "net_admin", "yes" } },
	  "make read-only ",
	  "/proc/sys /proc/sys/net|/proc/sysrq-trigger" },
	{ HOST_V1, { { FIELD_PROC_VIEW, "", "rw" } }, "make read-only", "" },
	/* kernel */
	{ HOST_V1,
	  { { FIELD_SYSCTL_VALUE, "vm.swappiness", "1" } },
	  "withhold sysctl.value ",
	  "vm.swappiness: withheld: it is the whole host's" },
	{ HOST_V1,
	  { { FIELD_SYSCTL_VALUE, "net.ipv4.ip_forward", "1" } },
	  "set kernel parameter ",
	  "net.ipv4.ip_forward 1" },
	{ HOST_V1,
	  { { FIELD_LSM, "", "lxc-container-default" } },
	  "withhold lsm.profile",
	  ": no such security module on this host" },
	{ HOST_V1,
	  { { FIELD_SECCOMP, "", "/x/other" } },
	  "withhold seccomp.profile",
	  ": a filter that the box does not know" },
	{ HOST_V1,
	  { { FIELD_RLIMIT_SOFT, "nofile", "10" },
	    { FIELD_RLIMIT_HARD, "nofile", "20" } },
	  "set limit ",
	  "nofile 7 10 20" },
	/* network */
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br7" } },
	  "attach veth to bridge ",
	  "br7 veth0 rehost0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "macvlan:eth2" } },
	  "attach macvlan to ",
	  "eth2 rehost0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "phys:eth3" } },
	  "withhold nic.attach ",
	  "eth0: withheld: physical interfaces are the host's" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "macvlan:eth2" } },
	  "lab: make interface ",
	  "eth2 wire0 lab0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "macvlan:eth2.2003" } },
	  "lab: make VLAN ",
	  "eth2 eth2.2003 2003|wire0 wire0.2003 2003 lab0" },
	{ HOST_BARE,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "macvlan:eth2.2003" } },
	  "lab: make ",
	  "bridge lab0|interface eth2.2003 wire0 lab0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "ipvlan:eth2" } },
	  "attach ipvlan to ",
	  "eth2 rehost0" },
	{ HOST_BARE,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "ipvlan:eth2" } },
	  "withhold nic.attach ",
	  "eth0: this host's kernel has no ipvlan" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "routed:eth2" } },
	  "attach veth without bridge ",
	  "veth0 rehost0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "routed:eth2" } },
	  "lab: ",
	  "make bridge rehost-beyond|put a neighbour on bridge rehost-beyond "
	  "nbx 198.18.0.2/30 fd72:6568:6f73:74::2/64|"
	  "answer on rehost-beyond 198.18.0.1|"
	  "route through rehost-beyond 198.18.0.2|"
	  "answer on rehost-beyond fd72:6568:6f73:74::1|"
	  "route through rehost-beyond fd72:6568:6f73:74::2|"
	  "set kernel parameter net/ipv4/conf/all/rp_filter 0|"
	  "set kernel parameter net/ipv4/conf/default/rp_filter 0|"
	  "make bridge eth2|put a neighbour on bridge eth2 nb0|"
	  "set kernel parameter net/ipv4/conf/eth2/forwarding 1|"
	  "set kernel parameter of the end net/ipv4/conf/veth0/forwarding 1|"
	  "answer for the name servers on eth2 /t" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "routed:eth2" },
	    { FIELD_NIC_SOURCE_FILTER, "eth0", "yes" } },
	  "lab: load ",
	  "the source filter /f.nft" },
	{ HOST_BARE,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "routed:eth2" },
	    { FIELD_NIC_SOURCE_FILTER, "eth0", "yes" } },
	  "withhold nic.source-filter ",
	  "eth0: no nft" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "p2p" } },
	  "attach veth without bridge ",
	  "veth0 rehost0" },
	{ HOST_BARE,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	    { FIELD_NIC_VLAN, "eth0", "7" } },
	  "withhold nic.vlan ",
	  "eth0: bridges of this host's kernel do not filter VLANs" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	    { FIELD_NIC_VLAN, "eth0", "4095" } },
	  "withhold nic.vlan ",
	  "eth0: it is not between 1 and 4094" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "phys:eth2" },
	    { FIELD_NIC_VLAN, "eth0", "7" } },
	  "withhold nic.vlan ",
	  "eth0: it is not on a bridge that the policy names" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	    { FIELD_NIC_VLAN, "eth0", "7" } },
	  "lab: ",
	  "make bridge br0|put a neighbour on bridge br0 nb0|"
	  "filter VLANs on bridge br0|make interface tag0 tag0b br0|"
	  "put a neighbour on bridge br0 nt0|put into VLAN 7 tag0b|"
	  "put into VLAN 7 nt0b|answer for the name servers on br0 /t" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	    { FIELD_NIC_GATEWAY4, "eth0", "192.0.2.1" },
	    { FIELD_NIC_UP, "eth0", "yes" },
	    { FIELD_NIC_VLAN, "eth0", "7" } },
	  "lab: answer on ",
	  "tag0 192.0.2.1" },
	{ HOST_V2,
	  { { FIELD_IO_RBPS, "8:16", "1048576" },
	    { FIELD_IO_WIOPS, "8:16", "50" } },
	  "set in group ",
	  "/cg/rehost.web.7 io.max 8:16 rbps=1048576 io|"
	  "/cg/rehost.web.7 io.max 8:16 wiops=50 io" },
	{ HOST_V2,
	  { { FIELD_IO_RBPS, "8:16", "1048576" } },
	  "switch on controllers of ",
	  "/cg io" },
	{ HOST_V2,
	  { { FIELD_IO_RBPS, "8:32", "1048576" } },
	  "withhold io.read-bytes ",
	  "8:32: this host has no disk 8:32" },
	{ HOST_V1,
	  { { FIELD_IO_RBPS, "8:16", "1048576" } },
	  "withhold io.read-bytes ",
	  "8:16: no controller io of cgroup v2 on this host" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "ipvlan:eth2" },
	    { FIELD_NIC_GATEWAY4, "eth0", "dev" },
	    { FIELD_NIC_UP, "eth0", "yes" } },
	  "add route through interface ",
	  "eth0 0.0.0.0/0" },
	{ HOST_V1,
	  { { FIELD_NIC_NAME, "eth0", "eth0" },
	    { FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
	    { FIELD_NIC_VLAN, "eth0", "7" } },
	  "put into VLAN ",
	  "7 veth0" },
	{ HOST_V1,
	  { { FIELD_ADDR_IP, "192.0.2.1", "192.0.2.1" } },
	  "withhold addr.ip ",
	  "192.0.2.1: the guest has no interface for it" },
};

static size_t items(const struct one *o)
{
	size_t n = 0;

	while (n < COUNT(o->item) && o->item[n].key != NULL)
		n++;
	return n;
}

START_TEST(one_item)
{
	const struct one *o = &ones[_i];
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, o->host);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, o->item, items(o), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, o->prefix), o->expected);
}
END_TEST

START_TEST(labels)
{
	static const struct item items[][1] = {
		{ { FIELD_LSM, "", "lxc-container-default" } },
		{ { FIELD_LSM, "", "generated" } },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	struct host h = make_host(mem, HOST_V2);
	struct err e;

	h.lsm = "apparmor";
	ck_assert_int_eq(plan(mem, &h, items[0], 1, &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "set security label for "),
			 "apparmor lxc-container-default");
	buf_clear(&text);
	ck_assert_int_eq(plan(mem, &h, items[1], 1, &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "set security label"), "");
	ck_assert_str_eq(lines(mem, &text, "withhold lsm.profile"),
			 ": a profile that lxc-start generates");
}
END_TEST

/* A host that lacks the right to raise limits, or a capability. */
START_TEST(weak_host)
{
	static const struct item items[] = {
		{ FIELD_CAPS, "sys_resource", "yes" },
		{ FIELD_RLIMIT_SOFT, "nofile", "10" },
		{ FIELD_RLIMIT_HARD, "nofile", "5000" },
		{ FIELD_OOM_SCORE, "", "-5" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	struct host h = make_host(mem, HOST_V1);
	struct err e;

	h.caps &= ~CAP_BIT(cap_find("sys_resource"));
	ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "set limit"), "");
	ck_assert_str_eq(lines(mem, &text, "withhold rlimit.hard "),
			 "nofile: rehost may not raise its own limit here");
	ck_assert_str_eq(lines(mem, &text, "withhold boot.oom-score"),
			 ": rehost may not lower it here");
	ck_assert_str_eq(lines(mem, &text, "withhold cap.bounding "),
			 "sys_resource: rehost itself lacks it here");
}
END_TEST

/* Mapped ids make harmless what else reaches the host. */
START_TEST(mapped)
{
	static const struct item items[] = {
		{ FIELD_NS_USER, "", "private" },
		{ FIELD_IDMAP_OUTSIDE, "u 0", "100000" },
		{ FIELD_IDMAP_COUNT, "u 0", "65536" },
		{ FIELD_CAPS, "sys_time", "yes" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_V1);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "keep capabilities "), "sys_time");
	ck_assert_str_eq(lines(mem, &text, "withhold cap"), "");
	ck_assert_str_eq(lines(mem, &text, "give the guest's root group "),
			 "/cg/memory/rehost.web.7|/cg/pids/rehost.web.7|"
			 "/cg/cpu/rehost.web.7|/cg/devices/rehost.web.7");
	ck_assert_int_eq(plan(mem, &h, items, 1, &text, &e), -1);
}
END_TEST

/* The router's net decides; a router outside of all nets gets a route. */
START_TEST(routes)
{
	static const struct item items[] = {
		{ FIELD_NIC_NAME, "eth0", "eth0" },
		{ FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
		{ FIELD_NIC_UP, "eth0", "yes" },
		{ FIELD_NIC_GATEWAY4, "eth0", "198.51.100.1" },
		{ FIELD_NIC_NAME, "eth1", "eth1" },
		{ FIELD_NIC_ATTACH, "eth1", "macvlan:eth3" },
		{ FIELD_NIC_UP, "eth1", "yes" },
		{ FIELD_NIC_GATEWAY4, "eth1", "192.0.2.1" },
		{ FIELD_ADDR_IP, "192.0.2.9", "192.0.2.9" },
		{ FIELD_ADDR_PREFIX, "192.0.2.9", "24" },
		{ FIELD_ADDR_IP, "203.0.113.9", "203.0.113.9" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_V1);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "add address to interface "),
			 "eth1 192.0.2.9/24|eth0 203.0.113.9/32");
	ck_assert_str_eq(lines(mem, &text, "add route through interface "),
			 "eth0 198.51.100.1|eth0 0.0.0.0/0 198.51.100.1|"
			 "eth1 0.0.0.0/0 192.0.2.1");
	ck_assert_str_eq(lines(mem, &text, "lab: answer on "),
			 "br0 198.51.100.1|lab0 192.0.2.1");
}
END_TEST

/* The policy's own word goes before what the routers' nets suggest. */
START_TEST(carriers)
{
	static const struct item items[] = {
		{ FIELD_NIC_NAME, "eth0", "eth0" },
		{ FIELD_NIC_ATTACH, "eth0", "bridge:br0" },
		{ FIELD_NIC_UP, "eth0", "yes" },
		{ FIELD_NIC_GATEWAY4, "eth0", "192.0.2.1" },
		{ FIELD_NIC_NAME, "eth1", "eth1" },
		{ FIELD_NIC_ATTACH, "eth1", "bridge:br1" },
		{ FIELD_NIC_UP, "eth1", "yes" },
		{ FIELD_ADDR_IP, "192.0.2.9", "192.0.2.9" },
		{ FIELD_ADDR_PREFIX, "192.0.2.9", "24" },
		{ FIELD_ADDR_NIC, "192.0.2.9", "eth1" },
		{ FIELD_ADDR_IP, "203.0.113.9", "203.0.113.9" },
		{ FIELD_ADDR_NIC, "203.0.113.9", "eth7" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_V1);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "add address to interface "),
			 "eth1 192.0.2.9/24|eth0 203.0.113.9/32");
	ck_assert_str_eq(lines(mem, &text, "lab: route through br"),
			 "1 192.0.2.9|0 203.0.113.9");
}
END_TEST

/* A router on a wire of the guest's own answers there. */
START_TEST(routed)
{
	static const struct item items[] = {
		{ FIELD_NIC_NAME, "eth0", "eth0" },
		{ FIELD_NIC_ATTACH, "eth0", "routed:eth2" },
		{ FIELD_NIC_UP, "eth0", "yes" },
		{ FIELD_NIC_GATEWAY4, "eth0", "169.254.1.1" },
		{ FIELD_ADDR_IP, "192.0.2.9", "192.0.2.9" },
		{ FIELD_ADDR_PREFIX, "192.0.2.9", "32" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_V1);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, items, COUNT(items), &text, &e), 0);
	ck_assert_str_eq(lines(mem, &text, "lab: answer on the end "),
			 "veth0 169.254.1.1");
	ck_assert_str_eq(lines(mem, &text, "lab: route through the end "),
			 "veth0 192.0.2.9");
	ck_assert_str_eq(lines(mem, &text, "add route through interface "),
			 "eth0 169.254.1.1|eth0 0.0.0.0/0 169.254.1.1");
}
END_TEST

/* What is nonsense in a policy is an error before anything is done. */
START_TEST(nonsense)
{
	static const struct item items[] = {
		{ FIELD_NIC_NAME, "a/b", "a/b" },
		{ FIELD_STOP_SIGNAL, "", "SIGNOTHING" },
	};
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct buf text CLEANUP(buf_done) = { 0 };
	const struct host h = make_host(mem, HOST_V1);
	struct err e;

	ck_assert_int_eq(plan(mem, &h, &items[_i], 1, &text, &e), -1);
	ck_assert_str_ne(e.msg, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ops");
	TCase *c = tcase_create("ops");
	SRunner *r;
	int failed;

	tcase_add_test(c, cpuset_of_another_host);
	tcase_add_test(c, whole_plan);
	tcase_add_loop_test(c, one_item, 0, COUNT(ones));
	tcase_add_test(c, labels);
	tcase_add_test(c, weak_host);
	tcase_add_test(c, mapped);
	tcase_add_test(c, routes);
	tcase_add_test(c, carriers);
	tcase_add_test(c, routed);
	tcase_add_loop_test(c, nonsense, 0, 2);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
