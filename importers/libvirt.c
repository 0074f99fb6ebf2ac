/*
 * Domains of libvirt: which there are beneath a root, and how one is read. The
 * parts of the reader stand in importers/libvirt/.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "derive.h"
#include "importers/libvirt/table.h"

enum {
	HEAD_BYTES = 64 << 10, /* of a file: its header and root element */
	HOOK_BYTES = 1 << 20,
};

/* How sure a file is to be one of our guests. */
enum bid {
	BID_NONE = 0,
	BID_SURE = 90, /* its root element is one of ours */
};

/*
 * What libvirt_lxc gives every container. The capabilities are those of a
 * libvirtd on a kernel of today, less the five of its default policy.
 */
static const struct default_value defaults[] = {
	{ .field = FIELD_CAPS,
	  .value = "chown dac_override dac_read_search fowner fsetid kill "
		   "setgid setuid setpcap linux_immutable net_bind_service "
		   "net_broadcast net_admin net_raw ipc_lock ipc_owner "
		   "sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin "
		   "sys_boot sys_nice sys_resource sys_tty_config lease "
		   "audit_write setfcap mac_override syslog wake_alarm "
		   "block_suspend audit_read perfmon bpf checkpoint_restore",
	  .ref = "libvirt.md 2.7, 3.5" },
	{ .field = FIELD_NS_PID, .value = "private", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_NS_MOUNT,
	  .value = "private",
	  .ref = "libvirt.md 3.1" },
	{ .field = FIELD_NS_IPC, .value = "private", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_NS_UTS, .value = "private", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_NS_USER, .value = "host", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_NS_CGROUP, .value = "host", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_LSM, .value = "none", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_SECCOMP, .value = "none", .ref = "libvirt.md 3.1" },
	{ .field = FIELD_PROC_VIEW, .value = "mixed", .ref = "libvirt.md 3.2" },
	{ .field = FIELD_SYS_VIEW, .value = "ro", .ref = "libvirt.md 3.2" },
	{ .field = FIELD_VIRTUAL_VIEWS,
	  .value = "memory",
	  .ref = "libvirt.md 3.2: /proc/meminfo" },
	{ .field = FIELD_DEVICE_POLICY,
	  .value = "list",
	  .ref = "libvirt.md 3.4" },
};

/* Where domains are defined; the number of drivers that put them there. */
static const char *const folders[] = { "/etc/libvirt/lxc", "/etc/libvirt/libxl",
				       "/etc/libvirt/qemu" };

/* A root element of ours in the text, whatever stands before it. */
static bool looks_ours(const char *data, size_t n)
{
	static const char *const roots[] = { "<domain ", "<domain>",
					     "<domstatus " };

	for (size_t i = 0; i < COUNT(roots); i++)
		if (memmem(data, n, roots[i], strlen(roots[i])) != NULL)
			return true;
	return false;
}

static int bid(const struct host *h, const char *path)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *data;
	struct err e;
	size_t n;

	if (tree_read(h->tree, path, XML_BYTES_MAX, mem, &data, &n, &e) < 0)
		return BID_NONE;
	return looks_ours(data, n < HEAD_BYTES ? n : HEAD_BYTES) ? BID_SURE :
								   BID_NONE;
}

/* --- which guests there are --- */

/* The file's name without .xml; a folder beside lxc is put before it. */
static const char *id_of(struct arena *mem, const char *path)
{
	const char *name = str_base(path);

	return str_ends(name, ".xml") ?
		       arena_strndup(mem, name, strlen(name) - 4) :
		       name;
}

static void add(const struct host *h, struct arena *mem, const char *path,
		struct sources *ret)
{
	const char *id = id_of(mem, path);
	struct tree_stat st;
	struct source *s;
	struct err e;

	if (tree_lstat(h->tree, path, &st, &e) < 0 || !S_ISREG(st.mode))
		return;
	for (size_t i = 0; i < ret->list.n; i++)
		if (str_eq(ret->list.v[i]->id, id))
			id = arena_printf(mem, "%s-%s",
					  str_base(str_dir(mem, path)), id);
	s = pvec_add(mem, &ret->list);
	*s = (struct source){
		.host = h, .kind = "libvirt", .id = id, .path = path
	};
}

static int by_id(const void *a, const void *b)
{
	const struct source *const *x = a;
	const struct source *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static int list(const struct host *h, struct arena *mem, struct sources *ret,
		struct err *e)
{
	struct sources found = { 0 };

	for (size_t i = 0; i < COUNT(folders); i++) {
		struct tree_entries entries;

		if (!tree_is_dir(h->tree, folders[i]))
			continue;
		if (tree_list(h->tree, folders[i], mem, &entries, e) < 0)
			return -1;
		for (size_t k = 0; k < entries.n; k++)
			if (str_ends(entries.v[k].name, ".xml"))
				add(h, mem,
				    arena_printf(mem, "%s/%s", folders[i],
						 entries.v[k].name),
				    &found);
	}
	if (found.list.n > 0)
		qsort(found.list.v, found.list.n, sizeof(*found.list.v), by_id);
	*ret = found;
	return 0;
}

/* --- one guest --- */

static void set_identity(struct reading *r, const struct source *s)
{
	struct guest *g = r->g;

	g->host = s->host->name;
	g->kind = "libvirt";
	g->id = s->id;
	g->name = s->id;
	g->key = source_key(g->mem, s);
	g->source = s->path;
	g->state = "unknown";
}

/* The name counts, not the file's. */
static void check_name(struct reading *r)
{
	const char *file = id_of(r->g->mem, libvirt_of(r)->path);
	struct guest *g = r->g;

	if (g->config_name.from == NULL) {
		reading_find_at(r, FIND_SRC_NOT_STARTED,
				libvirt_at(r, libvirt_of(r)->domain, "name"),
				"it has no name that libvirt takes");
		return;
	}
	g->name = g->config_name.v;
	if (!str_eq(g->config_name.v, file))
		reading_find_at(r, FIND_SRC_MEANT, g->config_name.from,
				"the file is called %s: its name is %s",
				libvirt_shown(r, str_base(libvirt_of(r)->path)),
				libvirt_shown(r, g->config_name.v));
}

/* The link in autostart/ has to lead to this very file. */
static void autostart(struct reading *r)
{
	const struct libvirt *v = libvirt_of(r);
	const char *path = arena_printf(r->g->mem, "%s/autostart/%s",
					str_dir(r->g->mem, v->path),
					str_base(v->path));
	struct tree_stat a, b;
	struct err e;

	if (tree_lstat(v->t, path, &a, &e) < 0)
		return;
	reading_setting(r, libvirt_keys, libvirt_n_keys,
			reading_origin(r, ORIGIN_FILE, path, 0, "autostart",
				       str_base(path)),
			"autostart", NULL);
	if (tree_stat(v->t, path, &a, &e) == 0 &&
	    tree_stat(v->t, v->path, &b, &e) == 0 && a.dev == b.dev &&
	    a.ino == b.ino)
		take_bool(r, FIELD_AUTOSTART, r->g, true);
	else
		libvirt_end_find(r, r->cur, BIN_INERT, FIND_SRC_UNTRUSTED_LINK,
				 "it does not lead to the description: not "
				 "started with the host");
}

/* A script, or the scripts of a folder, of this driver. */
static void hook(struct reading *r, const char *path)
{
	const char *data;
	struct hook *h;
	struct err e;
	size_t n;

	reading_setting(r, libvirt_keys, libvirt_n_keys,
			reading_origin(r, ORIGIN_FILE, path, 0, "hook", path),
			"hook", NULL);
	if (tree_read(libvirt_of(r)->t, path, HOOK_BYTES, r->g->mem, &data, &n,
		      &e) == 0)
		reading_file(r, path);
	h = take_hook(r);
	take_str(r, FIELD_HOOK_PATH, h, path);
	reading_default(r, FIELD_HOOK_EVENT, h, "prepare to release",
			"libvirt.md 1.1");
}

static void hooks(struct reading *r)
{
	static const char *const names[] = { "lxc", "", "libxl", "qemu" };
	const struct libvirt *v = libvirt_of(r);
	const char *path;
	struct tree_entries list;
	struct tree_stat st;
	struct err e;

	if (v->driver == LV_OTHER || v->driver == LV_OPENVZ)
		return;
	path = arena_printf(r->g->mem, "/etc/libvirt/hooks/%s",
			    names[v->driver]);
	if (tree_stat(v->t, path, &st, &e) == 0 && S_ISREG(st.mode) &&
	    (st.mode & 0111) != 0)
		hook(r, path);
	path = arena_printf(r->g->mem, "%s.d", path);
	if (!tree_is_dir(v->t, path) ||
	    tree_list(v->t, path, r->g->mem, &list, &e) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		const char *one =
			arena_printf(r->g->mem, "%s/%s", path, list.v[i].name);

		if (tree_stat(v->t, one, &st, &e) == 0 && S_ISREG(st.mode) &&
		    (st.mode & 0111) != 0)
			hook(r, one);
	}
}

/* How the driver starts it: what the plan knows of the kernel beneath it. */
static const char *style(const struct libvirt *v)
{
	switch (v->driver) {
	case LV_LXC:
		return "plain";
	case LV_OPENVZ:
		return "openvz";
	case LV_XEN:
	case LV_KVM:
	case LV_OTHER:
		break;
	}
	return "machine";
}

/* What its driver makes of the whole. */
static void driver(struct reading *r)
{
	const struct libvirt *v = libvirt_of(r);
	const struct lv_value type = libvirt_attr(v->domain, "type");
	const char *conf = arena_printf(
		r->g->mem, "/etc/vz/conf/%s.conf",
		r->g->config_name.from != NULL ? r->g->config_name.v : "");

	reading_default(r, FIELD_INIT_STYLE, r->g, style(v), "libvirt.md 0");
	switch (v->driver) {
	case LV_LXC:
		libvirt_end(r, type.s, BIN_CARRIED, "a container");
		break;
	case LV_OPENVZ:
		libvirt_end_find(
			r, type.s, BIN_APPROXIMATED, FIND_SRC_FOREIGN,
			tree_exists(v->t, conf) ?
				arena_printf(r->g->mem,
					     "libvirt shows a part of the "
					     "guest: plan %s in its place",
					     conf) :
				"libvirt shows a part of the guest: "
				"capabilities, mounts, name service and most "
				"limits stand in its VEID.conf alone");
		break;
	case LV_XEN:
	case LV_KVM:
		libvirt_end_find(r, type.s, BIN_APPROXIMATED, FIND_ISO_MACHINE,
				 "the guest was a virtual machine with a "
				 "kernel of its own");
		break;
	case LV_OTHER:
		libvirt_end_find(
			r, type.s, BIN_INVALID, FIND_SRC_DRIVER,
			arena_printf(r->g->mem,
				     "domains of type %s are not read: lxc, "
				     "openvz, xen, kvm and qemu are",
				     libvirt_shown(r, type.text)));
		break;
	}
}

/*
 * An empty element is as none to libvirt, whatever it is called; and of a
 * machine nobody looks at what containers have.
 */
static void empty(struct reading *r)
{
	for (size_t i = 0; i < r->g->settings.n; i++) {
		struct setting *s = r->g->settings.v[i];

		if (s->from.text[0] == '\0' && strchr(s->from.key, '@') == NULL)
			libvirt_end(r, s, BIN_INERT,
				    "empty: as if it were not there");
		else if (libvirt_is_machine(r))
			libvirt_end(r, s, BIN_INERT, "of containers");
	}
}

void libvirt_settle(struct reading *r)
{
	libvirt_boot_settle(r);
	libvirt_limits_settle(r);
	libvirt_caps_settle(r);
	libvirt_mounts_settle(r);
	libvirt_net_settle(r);
	libvirt_devices_settle(r);
	libvirt_stack_settle(r);
	driver(r);
	empty(r);
}

static int libvirt_read(struct reading *r, const struct source *s,
			struct err *e)
{
	libvirt_begin(r, s->path);
	set_identity(r, s);
	if (libvirt_read_file(r, e) < 0)
		return err_wrap(e, "read %s", s->path);
	libvirt_settle(r);
	check_name(r);
	autostart(r);
	hooks(r);
	return reading_close(r, e);
}

const struct importer libvirt_importer = {
	.name = "libvirt",
	.summary = "domains of libvirt: lxc, and what it shows of openvz, xen, "
		   "kvm",
	.keys = libvirt_keys,
	.n_keys = LIBVIRT_N_KEYS,
	.defaults = defaults,
	.n_defaults = COUNT(defaults),
	.bid = bid,
	.list = list,
	.id = id_of,
	.places = "/etc/libvirt/lxc, /etc/libvirt/libxl, /etc/libvirt/qemu",
	.read = libvirt_read,
};
