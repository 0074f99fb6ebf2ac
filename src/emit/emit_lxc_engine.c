/*
 * What LXC does for every guest, and the lines that no field asks for. Each
 * item that a running guest shows beyond its fields is a row here, announced
 * like anything else (design, promise 2). Reference: targets.md 2.2, 2.4,
 * lxc.container.conf(5).
 */
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "emit/emit_lxc.h"

/* When a row holds. */
enum when {
	ALWAYS,
	MAPPED,
	UNMAPPED,
	OWN_NET,
	MULTICAST,
	SYS,
	PLAIN,
	NOT_NATIVE,
	NATIVE,
	NATIVE_LIST,
	UNLISTED /* no list of devices is written */
};

enum { ROW_FIELDS = 3 };

static const struct engine_row {
	enum when when;
	size_t n;
	enum field_id fields[ROW_FIELDS];
	const char *key;
	enum finding_id finding;
	const char *text;
} engine_rows[] = {
#define ONE(f) .n = 1, .fields = { f }
#define MOUNT .n = 2, .fields = { FIELD_MOUNT_TARGET, FIELD_MOUNT_TYPE }
#define NODE                                                                   \
	.n = 3, .fields = { FIELD_DEVICE_RULE, FIELD_DEVICE_ACCESS,            \
			    FIELD_DEVICE_PATH }
	{ ALWAYS, ONE(FIELD_NS_PID), "", FIND_INI_UNSHARE_PID,
	  "process ids are the guest's own" },
	{ OWN_NET, ONE(FIELD_NS_NET), "", FIND_NET_OWN_STACK,
	  "the network stack is the guest's own" },
	{ ALWAYS, ONE(FIELD_NS_MOUNT), "", FIND_MNT_PRIVATE,
	  "mounts are the guest's own" },
	{ ALWAYS, ONE(FIELD_NS_IPC), "", FIND_INI_ENGINE_BOOT,
	  "System V IPC and message queues are the guest's own" },
	{ ALWAYS, ONE(FIELD_NS_UTS), "", FIND_INI_ENGINE_BOOT,
	  "the host name is the guest's own" },
	{ ALWAYS, ONE(FIELD_NS_CGROUP), "", FIND_INI_ENGINE_BOOT,
	  "the view of the cgroups is the guest's own" },
	{ MAPPED, ONE(FIELD_NS_USER), "", FIND_IDM_MAPPED,
	  "ids are mapped by lxc.idmap" },
	{ UNMAPPED, ONE(FIELD_NS_USER), "", FIND_IDM_UNMAPPED,
	  "ids are the host's" },
	{ ALWAYS, ONE(FIELD_HOSTNAME), "", FIND_INI_ENGINE_BOOT,
	  "the host name is the container's name" },
	{ ALWAYS, ONE(FIELD_INIT_CMD), "", FIND_INI_ENGINE_BOOT,
	  "pid 1 is /sbin/init, as LXC does it" },
	{ ALWAYS, ONE(FIELD_STOP_SIGNAL), "", FIND_INI_STOP,
	  "lxc-stop sends SIGPWR" },
	{ ALWAYS, ONE(FIELD_REBOOT_SIGNAL), "", FIND_INI_STOP,
	  "lxc-stop --reboot sends SIGINT" },
	{ ALWAYS, ONE(FIELD_AUTOSTART), "", FIND_INI_ENGINE_BOOT,
	  "not started with the host" },
	{ ALWAYS, ONE(FIELD_ENV_VALUE), "container", FIND_INI_ENV,
	  "LXC adds container=lxc to the environment of init" },
	{ ALWAYS, MOUNT, "/proc", FIND_MNT_ENGINE,
	  "LXC mounts /proc (lxc.mount.auto)" },
	{ SYS, MOUNT, "/sys", FIND_MNT_ENGINE,
	  "LXC mounts /sys (lxc.mount.auto)" },
	{ ALWAYS, MOUNT, "/dev", FIND_MNT_ENGINE,
	  "LXC mounts a tmpfs on /dev (lxc.autodev)" },
	{ ALWAYS, MOUNT, "/dev/pts", FIND_MNT_ENGINE,
	  "LXC mounts /dev/pts (lxc.pty.max)" },
	{ ALWAYS, ONE(FIELD_DEVICE_POLICY), "", FIND_DEV_LIST,
	  "only the devices listed can be opened" },
	{ PLAIN, NODE, "c 5:1", FIND_DEV_ENGINE,
	  "/dev/console: a pseudo-terminal of the guest's own" },
	{ PLAIN, NODE, "c 5:2", FIND_DEV_ENGINE,
	  "/dev/ptmx: pseudo-terminals of the guest's own" },
	{ PLAIN, NODE, "c 136:*", FIND_DEV_ENGINE,
	  "/dev/pts: pseudo-terminals of the guest's own" },
	{ ALWAYS, ONE(FIELD_LSM), "", FIND_LSM_PROFILE,
	  "no lxc.apparmor.profile is written, for a build without AppArmor "
	  "refuses it; on a host with AppArmor LXC uses its default profile" },
	{ NOT_NATIVE, ONE(FIELD_SECCOMP), "", FIND_LSM_NONE,
	  "no system call filter, as no file is named" },
	{ ALWAYS, ONE(FIELD_PROC_VIEW), "", FIND_INI_PROC,
	  "/proc is mounted by LXC (lxc.mount.auto)" },
	{ ALWAYS, ONE(FIELD_SYS_VIEW), "", FIND_INI_PROC,
	  "/sys is mounted by LXC (lxc.mount.auto)" },
	{ MULTICAST, ONE(FIELD_MULTICAST), "", FIND_NET_MULTICAST,
	  "the guest may join multicast groups on its own interfaces" },
	{ NATIVE, ONE(FIELD_SECCOMP), "", FIND_LSM_SECCOMP,
	  "the distribution's system call filter applies" },
	{ NATIVE, MOUNT, "/sys/fs/cgroup", FIND_MNT_EXTRA,
	  "LXC mounts the guest's own cgroups" },
	{ NATIVE, .n = 3,
	  .fields = { FIELD_MOUNT_TARGET, FIELD_MOUNT_SOURCE,
		      FIELD_MOUNT_OPTIONS },
	  "/sys/fs/fuse/connections", FIND_MNT_EXTRA,
	  "the distribution mounts the host's /sys/fs/fuse/connections" },
	{ NATIVE, ONE(FIELD_MOUNT_TYPE), "/sys/fs/fuse/connections",
	  FIND_MNT_EXTRA,
	  "the distribution mounts the host's /sys/fs/fuse/connections" },
	{ NATIVE_LIST, NODE, "c *:*", FIND_DEV_ENGINE,
	  "nodes of any character device can be made" },
	{ NATIVE_LIST, NODE, "b *:*", FIND_DEV_ENGINE,
	  "nodes of any block device can be made" },
	{ NATIVE_LIST, NODE, "c 1:3", FIND_DEV_ENGINE, "/dev/null" },
	{ NATIVE_LIST, NODE, "c 1:5", FIND_DEV_ENGINE, "/dev/zero" },
	{ NATIVE_LIST, NODE, "c 1:7", FIND_DEV_ENGINE, "/dev/full" },
	{ NATIVE_LIST, NODE, "c 5:0", FIND_DEV_ENGINE, "/dev/tty" },
	{ NATIVE_LIST, NODE, "c 5:1", FIND_DEV_ENGINE, "/dev/console" },
	{ NATIVE_LIST, NODE, "c 5:2", FIND_DEV_ENGINE, "/dev/ptmx" },
	{ NATIVE_LIST, NODE, "c 1:8", FIND_DEV_ENGINE, "/dev/random" },
	{ NATIVE_LIST, NODE, "c 1:9", FIND_DEV_ENGINE, "/dev/urandom" },
	{ NATIVE_LIST, NODE, "c 136:*", FIND_DEV_ENGINE, "/dev/pts" },
	{ NATIVE_LIST, NODE, "c 10:229", FIND_DEV_ENGINE, "/dev/fuse" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 1:3", FIND_DEV_MISSING_NODE,
	  "/dev/null is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 1:5", FIND_DEV_MISSING_NODE,
	  "/dev/zero is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 1:7", FIND_DEV_MISSING_NODE,
	  "/dev/full is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 1:8", FIND_DEV_MISSING_NODE,
	  "/dev/random is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 1:9", FIND_DEV_MISSING_NODE,
	  "/dev/urandom is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 5:0", FIND_DEV_MISSING_NODE,
	  "/dev/tty is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 5:1", FIND_DEV_MISSING_NODE,
	  "/dev/console is made by LXC" },
	{ UNLISTED, ONE(FIELD_DEVICE_PATH), "c 5:2", FIND_DEV_MISSING_NODE,
	  "/dev/ptmx is made by LXC" },
#undef ONE
#undef MOUNT
#undef NODE
};

static bool is_any(const struct guest *g)
{
	return str_eq(g->device_policy.v, "any");
}

static bool holds(struct emission *em, enum when when)
{
	const struct guest *g = em->g;
	const bool mapped = g->idmaps.n != 0, native = em->options->native;

	switch (when) {
	case ALWAYS:
		return true;
	case MAPPED:
		return mapped;
	case UNMAPPED:
		return !mapped;
	case OWN_NET:
		return g->ns_net.from == NULL;
	case MULTICAST:
		return !emit_lxc_no_multicast(em);
	case SYS:
		return !str_eq(emit_lxc_sys(em), "none");
	case PLAIN:
		return !native && !is_any(g);
	case NOT_NATIVE:
		return !native;
	case NATIVE:
		return native;
	case NATIVE_LIST:
		return native && !mapped;
	case UNLISTED:
		return native ? mapped : is_any(g);
	}
	return false;
}

/* Whether the model has the value: then its own rule tells of it. */
static bool has_value(const struct guest *g, enum field_id id, const char *key)
{
	const enum scope scope = field_get(id)->scope;
	void *const *objects;
	const size_t n = field_objects(g, scope, &objects);

	for (size_t i = 0; i < n; i++) {
		const void *o = field_object(g, scope, i);

		if (field_value(id, o).from != NULL &&
		    str_eq(field_object_key(g->mem, scope, o), key))
			return true;
	}
	return false;
}

/* What the source had of the item, if it had any. */
static bool is_told(const struct emission *em, const struct engine_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (!has_value(em->g, row->fields[i], row->key))
			return false;
	return true;
}

void emit_lxc_engine_findings(struct emission *em)
{
	for (size_t i = 0; i < COUNT(engine_rows); i++) {
		const struct engine_row *row = &engine_rows[i];
		struct finding *f;

		if (!holds(em, row->when) || is_told(em, row))
			continue;
		f = emit_engine(em, row->finding, row->fields[0], row->key,
				"%s", row->text);
		for (size_t j = 1; j < row->n; j++)
			finding_covers(em->g, f, row->fields[j], row->key);
	}
	if (em->g->caps.from == NULL)
		emit_engine(em, FIND_CAP_ALL, FIELD_CAPS, NULL,
			    "no set of capabilities is known: LXC keeps all "
			    "of them");
}

static void add_root(struct emission *em)
{
	const char *path = em->options->path;

	if (path == NULL)
		path = em->emitter->default_path;
	emit_lxc_add_first(em, LXC_ROOT, "lxc.rootfs.path",
			   arena_printf(em->mem, "dir:%s/%s/rootfs", path,
					em->name));
	if (em->g->idmaps.n == 0 || em->options->shifted)
		return;
	if (emit_lxc_since(em, 5, 0))
		emit_lxc_add(em, LXC_ROOT, "lxc.rootfs.options",
			     "idmap=container");
	else
		emit_engine(em, FIND_SYN_VERSION, FIELD_NS_USER, "",
			    "LXC before 5.0 has no idmapped mounts: the "
			    "owners in the tree have to be shifted");
}

/* A line for the versions of cgroup that are asked for. */
static void add_device(struct emission *em, const char *suffix,
		       const char *value)
{
	void (*add)(struct emission *, enum emit_lxc_section, const char *,
		    const char *) = str_eq(value, "a") ? emit_lxc_add_first :
							 emit_lxc_add;

	if (emit_lxc_v1(em))
		add(em, LXC_DEVICES,
		    arena_printf(em->mem, "lxc.cgroup.devices.%s", suffix),
		    value);
	if (emit_lxc_v2(em))
		add(em, LXC_DEVICES,
		    arena_printf(em->mem, "lxc.cgroup2.devices.%s", suffix),
		    value);
}

/* The devices without which no terminal works; of the guest's own. */
static const char *const terminals[] = { "c 5:1", "c 5:2", "c 136:*" };

static void add_devices(struct emission *em)
{
	emit_lxc_add_first(em, LXC_DEVICES, "lxc.autodev", "1");
	if (em->options->native)
		return;
	add_device(em, is_any(em->g) ? "allow" : "deny", "a");
	for (size_t i = 0; i < COUNT(terminals) && !is_any(em->g); i++)
		if (!has_value(em->g, FIELD_DEVICE_RULE, terminals[i]))
			add_device(em, "allow",
				   arena_printf(em->mem, "%s rw",
						terminals[i]));
}

static void add_native(struct emission *em)
{
	emit_lxc_add(em, LXC_INCLUDE, "lxc.include",
		     "/usr/share/lxc/config/common.conf");
	if (em->g->idmaps.n != 0)
		emit_lxc_add(em, LXC_INCLUDE, "lxc.include",
			     "/usr/share/lxc/config/userns.conf");
	/* keep and drop exclude each other */
	emit_lxc_add_first(em, LXC_CAPS, "lxc.cap.drop", "");
	if (emit_lxc_since(em, 3, 1))
		emit_lxc_add(em, LXC_KERNEL, "lxc.apparmor.profile",
			     "generated");
}

void emit_lxc_engine_lines(struct emission *em)
{
	if (em->options->native)
		add_native(em);
	if (em->g->hostname.from == NULL && strlen(em->name) < 65)
		emit_lxc_add(em, LXC_IDENTITY, "lxc.uts.name", em->name);
	add_root(em);
	add_devices(em);
	emit_lxc_put_proc(em);
	if (em->options->native)
		return;
	emit_lxc_add(em, LXC_TTY, "lxc.tty.max", "4");
	emit_lxc_add(em, LXC_TTY, "lxc.pty.max", "1024");
}
