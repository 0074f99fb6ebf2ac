/*
 * Device nodes and the rules of the device cgroup: everything is refused but
 * what stands here. Reference: libvirt.md 2.11, 2.12, 3.4.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/devrule.h"
#include "base/inet.h"
#include "importers/libvirt/table.h"

/* What every container may open; path NULL: it has no node. */
static const struct {
	const char *rule, *path;
} defaults[] = {
	{ "c 1:3", "/dev/null" },    { "c 1:5", "/dev/zero" },
	{ "c 1:7", "/dev/full" },    { "c 1:8", "/dev/random" },
	{ "c 1:9", "/dev/urandom" }, { "c 5:0", "/dev/tty" },
	{ "c 5:2", "/dev/ptmx" },    { "c 10:229", NULL },
	{ "c 136:*", NULL },
};

static struct device *device_of(struct reading *r, const char *rule)
{
	for (size_t i = 0; i < r->g->devices.n; i++)
		if (str_eq(r->g->devices.v[i]->rule.v, rule))
			return r->g->devices.v[i];
	return NULL;
}

static void add_defaults(struct reading *r)
{
	for (size_t i = 0; i < COUNT(defaults); i++) {
		struct device *d = take_device(r);

		reading_default(r, FIELD_DEVICE_RULE, d, defaults[i].rule,
				"libvirt.md 3.4");
		reading_default(r, FIELD_DEVICE_ACCESS, d, "rwm",
				"libvirt.md 3.4");
		if (defaults[i].path != NULL)
			reading_default(r, FIELD_DEVICE_PATH, d,
					defaults[i].path, "libvirt.md 3.4");
	}
}

/* mknod on: any node may be made, though not opened. */
static void add_mknod(struct reading *r)
{
	static const char *const rules[] = { "b *:*", "c *:*" };
	const struct lv_nodes all =
		libvirt_all(r, "features/capabilities/mknod");

	if (all.list.n == 0 || (r->g->caps.v & CAP_BIT(cap_find("mknod"))) == 0)
		return;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct device *d = take_device(r);

		reading_default(r, FIELD_DEVICE_RULE, d, rules[i],
				"libvirt.md 3.4: mknod is on");
		reading_default(r, FIELD_DEVICE_ACCESS, d, "m",
				"libvirt.md 3.4: mknod is on");
	}
}

/* Numbers that a node has everywhere (Documentation/admin-guide/devices). */
static const struct {
	const char *path, *rule;
} known[] = {
	{ "/dev/net/tun", "c 10:200" },
	{ "/dev/fuse", "c 10:229" },
	{ "/dev/ppp", "c 108:0" },
	{ "/dev/kvm", "c 10:232" },
	{ "/dev/vhost-net", "c 10:238" },
	{ "/dev/hpet", "c 10:228" },
	{ "/dev/uinput", "c 10:223" },
	{ "/dev/kmsg", "c 1:11" },
	{ "/dev/loop-control", "c 10:237" },
	{ "/dev/sda", "b 8:0" },
	{ "/dev/sda1", "b 8:1" },
	{ "/dev/sda2", "b 8:2" },
	{ "/dev/sdb", "b 8:16" },
	{ "/dev/sdb1", "b 8:17" },
	{ "/dev/sdc", "b 8:32" },
	{ "/dev/sdd", "b 8:48" },
	{ "/dev/loop0", "b 7:0" },
	{ "/dev/sr0", "b 11:0" },
};

/* "c 10:200" of a node of the host; NULL: nobody knows. */
static const char *rule_of(struct reading *r, const char *path)
{
	struct tree_stat st;
	struct err e;

	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(known[i].path, path))
			return known[i].rule;
	if (tree_stat(libvirt_of(r)->t, path, &st, &e) < 0 ||
	    (!S_ISBLK(st.mode) && !S_ISCHR(st.mode)))
		return NULL;
	return arena_printf(r->g->mem, "%c %" PRIu32 ":%" PRIu32,
			    S_ISBLK(st.mode) ? 'b' : 'c', st.rdev_major,
			    st.rdev_minor);
}

/* A node of the host at a path of the guest. */
static void add_node(struct reading *r, struct lv_value source,
		     const char *inside, const char *access)
{
	const char *rule = rule_of(r, source.text);
	struct device *d;

	if (rule == NULL) {
		libvirt_end_find(
			r, source.s, BIN_DROPPED, FIND_DEV_UNKNOWN,
			arena_printf(r->g->mem,
				     "%s: its numbers are known on the old "
				     "host alone",
				     libvirt_shown(r, source.text)));
		return;
	}
	reading_resume(r, source.s);
	d = device_of(r, rule);
	if (d == NULL) {
		d = take_device(r);
		take_str(r, FIELD_DEVICE_RULE, d, rule);
	}
	take_str(r, FIELD_DEVICE_ACCESS, d, access);
	take_str(r, FIELD_DEVICE_PATH, d, inside);
	take_u64(r, FIELD_DEVICE_MODE, d, 0700);
}

/* --- hostdev --- */

static void end_rest(struct reading *r, const struct xml_node *node)
{
	libvirt_end_below(r, node, BIN_INERT, "of that device");
}

/* libvirt puts the guest's /dev in place of the first directory. */
static const char *inside_of(struct reading *r, const char *path)
{
	const char *rest = path[0] == '/' ? strchr(path + 1, '/') : NULL;

	if (rest == NULL || rest[1] == '\0' || strstr(path, "..") != NULL)
		return NULL;
	return arena_printf(r->g->mem, "/dev%s", rest);
}

static void node_device(struct reading *r, const struct xml_node *node,
			struct lv_value source)
{
	const char *inside = source.s == NULL ? NULL :
						inside_of(r, source.text);

	if (inside == NULL) {
		libvirt_end_find(r, source.s, BIN_INVALID, FIND_DEV_BAD_RULE,
				 "not the path of a node: left out");
		libvirt_end_below(r, node, BIN_INVALID, "of that device");
		return;
	}
	add_node(r, source, inside, "rwm");
	end_rest(r, node);
}

static void net_device(struct reading *r, const struct xml_node *node,
		       struct lv_value source)
{
	struct nic *n;

	if (source.s == NULL || !inet_ifname_ok(source.text) ||
	    str_eq(source.text, "lo")) {
		libvirt_end_find(r, source.s, BIN_INVALID, FIND_NET_BAD_VALUE,
				 "not an interface of a host: left out");
		libvirt_end_below(r, node, BIN_INVALID, "of that device");
		return;
	}
	reading_resume(r, source.s);
	n = take_nic(r);
	take_str(r, FIELD_NIC_NAME, n, source.text);
	take_str(r, FIELD_NIC_ATTACH, n,
		 arena_printf(r->g->mem, "phys:%s", source.text));
	reading_default(r, FIELD_NIC_UP, n, "no", "libvirt.md 2.11");
	if (xml_child(node, "ip") != NULL || xml_child(node, "route") != NULL)
		reading_find(r, FIND_NET_UNUSED,
			     "addresses of %s were never set by libvirt",
			     source.text);
	end_rest(r, node);
}

static void hostdev(struct reading *r, const struct xml_node *node)
{
	const struct lv_value type = libvirt_attr(node, "type");
	const struct xml_node *source = xml_child(node, "source");
	const bool caps =
		libvirt_is(libvirt_attr(node, "mode"), "capabilities");

	if (caps && libvirt_is(type, "storage")) {
		node_device(r, node, libvirt_text(xml_child(source, "block")));
	} else if (caps && libvirt_is(type, "misc")) {
		node_device(r, node, libvirt_text(xml_child(source, "char")));
	} else if (caps && libvirt_is(type, "net")) {
		net_device(r, node,
			   libvirt_text(xml_child(source, "interface")));
	} else {
		reading_find_at(r, FIND_DEV_PASSED,
				libvirt_at(r, node, "hostdev"),
				"a %s device of the old host was passed to the "
				"guest",
				type.s == NULL ? "hardware" :
						 libvirt_shown(r, type.text));
		libvirt_end_below(r, node, BIN_DROPPED,
				  "a device of the old host");
	}
}

/* --- disk: of a container a node, of a machine what holds its tree --- */

static void container_disk(struct reading *r, const struct xml_node *node)
{
	const struct xml_node *source = xml_child(node, "source");
	const struct lv_value dev = libvirt_attr(source, "dev");
	const struct lv_value target =
		libvirt_attr(xml_child(node, "target"), "dev");
	const bool ro = xml_child(node, "readonly") != NULL;

	if (dev.s == NULL || target.s == NULL ||
	    strchr(target.text, '/') != NULL || target.text[0] == '.') {
		reading_find_at(r, FIND_DEV_PASSED, libvirt_at(r, node, "disk"),
				"a disk that is no block device of the host: "
				"attach it on the new host and allow its node");
		libvirt_end_below(r, node, BIN_DROPPED, "of that disk");
		return;
	}
	add_node(r, dev, arena_printf(r->g->mem, "/dev/%s", target.text),
		 ro ? "rm" : "rwm");
	end_rest(r, node);
}

static bool holds_system(const struct xml_node *node)
{
	const struct lv_value device = libvirt_attr(node, "device");

	return device.s == NULL || libvirt_is(device, "disk") ||
	       libvirt_is(device, "lun");
}

static const char *disk_fault(struct reading *r, const struct xml_node *node)
{
	const struct xml_node *source = xml_child(node, "source");
	const struct lv_value format =
		libvirt_attr(xml_child(node, "driver"), "type");

	if (xml_child(node, "encryption") != NULL ||
	    xml_child(source, "encryption") != NULL)
		return "the disk is encrypted: decrypt it in the machine first";
	if (libvirt_attr(source, "file").s == NULL &&
	    libvirt_attr(source, "dev").s == NULL)
		return "the disk is no file or device of the host: copy it to "
		       "a file beneath the root";
	if (format.s != NULL && !str_eq(format.text, "raw") &&
	    !str_eq(format.text, "aio"))
		return arena_printf(r->g->mem,
				    "the disk is %s: make it a plain image "
				    "with qemu-img convert -O raw",
				    libvirt_shown(r, format.text));
	return NULL;
}

/* The first disk is taken for the one with the root file system. */
static void root_disk(struct reading *r, const struct xml_node *node)
{
	const struct xml_node *source = xml_child(node, "source");
	struct lv_value path = libvirt_attr(source, "file");
	const char *why = disk_fault(r, node);

	if (path.s == NULL)
		path = libvirt_attr(source, "dev");
	if (why != NULL)
		reading_find_at(r, FIND_DSK_LAYOUT, libvirt_at(r, node, "disk"),
				"%s", why);
	if (path.s != NULL) {
		reading_resume(r, path.s);
		take_str(r, FIELD_ROOTFS, r->g, path.text);
		if (why == NULL)
			reading_find(r, FIND_DSK_IMAGE,
				     "its tree is taken from %s",
				     libvirt_shown(r, path.text));
	}
	libvirt_end_below(r, node, BIN_INERT, "of the disk with the tree");
}

static void machine_disks(struct reading *r, const struct lv_nodes *all)
{
	bool found = false;

	for (size_t i = 0; i < all->list.n; i++) {
		const struct xml_node *node = all->list.v[i];

		if (!holds_system(node)) {
			libvirt_end_below(r, node, BIN_INERT,
					  "a medium of the machine");
		} else if (!found) {
			root_disk(r, node);
			found = true;
		} else {
			reading_find_at(r, FIND_MNT_IMAGE,
					libvirt_at(r, node, "disk"),
					"a further disk of the machine: mount "
					"it on the new host and bind it into "
					"the guest");
			libvirt_end_below(r, node, BIN_HOSTSIDE,
					  "a disk that the new host mounts");
		}
	}
	if (!found)
		reading_find_at(r, FIND_DSK_NO_ROOT,
				libvirt_at(r, libvirt_of(r)->domain,
					   "devices/disk"),
				"the machine has no disk");
}

/* --- consoles --- */

static void consoles(struct reading *r)
{
	const struct lv_nodes all = libvirt_all(r, "devices/console");

	for (size_t i = 0; i < all.list.n; i++) {
		const struct lv_value type =
			libvirt_attr(all.list.v[i], "type");

		if (i == 0 || libvirt_is_machine(r))
			libvirt_end(r, type.s, BIN_CARRIED,
				    "the engine gives it a console");
		else
			libvirt_end_find(r, type.s, BIN_HOSTSIDE, FIND_INI_TTY,
					 "a further console: lxc.tty.max gives "
					 "some more");
	}
}

void libvirt_devices_settle(struct reading *r)
{
	const struct lv_nodes devs = libvirt_all(r, "devices/hostdev");
	const struct lv_nodes disks = libvirt_all(r, "devices/disk");

	if (!libvirt_is_machine(r)) {
		add_defaults(r);
		add_mknod(r);
	}
	for (size_t i = 0; i < devs.list.n; i++)
		hostdev(r, devs.list.v[i]);
	if (libvirt_is_machine(r))
		machine_disks(r, &disks);
	else
		for (size_t i = 0; i < disks.list.n; i++)
			container_disk(r, disks.list.v[i]);
	consoles(r);
}
