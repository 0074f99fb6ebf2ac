/*
 * The guest's tree and the file systems mounted into it. Of the entries whose
 * target is exactly "/" the first is the tree; without one the host's own root
 * is. Reference: libvirt.md 2.9, 2.16, 1.4.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "importers/libvirt/table.h"

static const char host_root[] =
	"no file system has the target /: the guest's root was the host's own";

/* Directories that are no guest's alone. */
static const char *const shared_roots[] = { "/",    "/usr", "/home", "/var",
					    "/etc", "/srv", "/opt",  "/root" };

struct fs {
	const struct xml_node *node, *source;
	struct lv_value type, target, readonly;
	const char *kind; /* "mount" where it does not say */
};

static struct fs fs_of(const struct xml_node *node)
{
	struct fs f = {
		.node = node,
		.source = xml_child(node, "source"),
		.type = libvirt_attr(node, "type"),
		.target = libvirt_attr(xml_child(node, "target"), "dir"),
		.readonly = libvirt_flag(xml_child(node, "readonly")),
	};

	f.kind = f.type.s == NULL ? "mount" : f.type.text;
	return f;
}

static bool is_kind(const struct fs *f, const char *kind)
{
	return str_eq(f->kind, kind);
}

static void left_out(struct reading *r, const struct fs *f, enum bin bin,
		     enum finding_id id, const char *why)
{
	reading_find_at(r, id, libvirt_at(r, f->node, "filesystem"), "%s", why);
	libvirt_end_below(r, f->node, bin, why);
}

/* --- the tree --- */

/* What names the tree, by the type. */
static struct lv_value root_source(const struct fs *f)
{
	if (is_kind(f, "mount"))
		return libvirt_attr(f->source, "dir");
	if (is_kind(f, "file"))
		return libvirt_attr(f->source, "file");
	if (is_kind(f, "block"))
		return libvirt_attr(f->source, "dev");
	return (struct lv_value){ 0 };
}

static bool is_shared(const char *path)
{
	for (size_t i = 0; i < COUNT(shared_roots); i++)
		if (str_eq(path, shared_roots[i]))
			return true;
	return path[0] != '/' || strstr(path, "/../") != NULL ||
	       str_ends(path, "/..");
}

static const char *without_slashes(struct arena *mem, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_strndup(mem, path, n);
}

static void root_image(struct reading *r, const struct fs *f)
{
	const struct xml_node *driver = xml_child(f->node, "driver");
	const struct lv_value format = libvirt_attr(driver, "format");
	const bool raw = format.s == NULL || libvirt_is(format, "raw");

	libvirt_end(r, libvirt_attr(driver, "type").s, BIN_INERT,
		    "how the old host attached the image");
	if (raw) {
		libvirt_end(r, format.s, BIN_CARRIED, "a plain image");
		reading_find_at(r, FIND_DSK_IMAGE,
				libvirt_at(r, f->node, "filesystem"),
				"its tree is in an image");
	} else {
		libvirt_end_find(
			r, format.s, BIN_DROPPED, FIND_DSK_LAYOUT,
			arena_printf(r->g->mem,
				     "the image is %s: make it a plain "
				     "one with qemu-img convert -O raw",
				     libvirt_shown(r, format.text)));
	}
}

static void root(struct reading *r, const struct fs *f)
{
	const struct lv_value source = root_source(f);
	struct finding *found;

	if (source.s == NULL || is_shared(source.text)) {
		left_out(r, f, BIN_INVALID, FIND_DSK_BAD_ROOT,
			 source.s == NULL ?
				 "nothing says what its tree is" :
				 arena_printf(r->g->mem,
					      "%s cannot be a guest's alone",
					      libvirt_shown(r, source.text)));
		return;
	}
	reading_resume(r, source.s);
	take_str(r, FIELD_ROOTFS, r->g,
		 without_slashes(r->g->mem, source.text));
	if (f->type.s != NULL) {
		reading_resume(r, f->type.s);
		take_part(r, FIELD_ROOTFS, r->g);
	}
	libvirt_end(r, f->target.s, BIN_CARRIED, "the guest's tree");
	if (is_kind(f, "file"))
		root_image(r, f);
	if (is_kind(f, "block"))
		reading_find_at(r, FIND_DSK_IMAGE,
				libvirt_at(r, f->node, "filesystem"),
				"its tree is on the block device %s: copy it "
				"to a file beneath the root, or mount it",
				libvirt_shown(r, source.text));
	if (f->readonly.s == NULL)
		return;
	reading_resume(r, f->readonly.s);
	found = reading_find(r, FIND_MNT_ROOT_RO,
			     "the guest's tree was mounted read-only");
	(void)found;
	reading_decide(r, BIN_DROPPED, "the tree is writable");
}

/* --- what is mounted in it --- */

static const char *target_fault(const char *target)
{
	static const char *const engine[] = { "/proc", "/sys", "/dev" };

	if (target[0] == '\0' || target[strspn(target, "/.")] == '\0')
		return "it would be mounted over the whole tree";
	if (strstr(target, "/../") != NULL || str_ends(target, "/..") ||
	    str_starts(target, "../"))
		return "the mount point leads upwards";
	for (const char *s = target; *s != '\0'; s++)
		if ((unsigned char)*s < ' ')
			return "the mount point holds control characters";
	for (size_t i = 0; i < COUNT(engine); i++)
		if (str_eq(target, engine[i]))
			return "the engine mounts its own there";
	return NULL;
}

static bool is_nested(const char *above, const char *path)
{
	const size_t n = strlen(above);

	return str_starts(path, above) && (path[n] == '/' || path[n] == '\0');
}

/* A later mount hides earlier ones at and below its place. */
static void check_hidden(struct reading *r, const struct fs *f,
			 const char *target)
{
	for (size_t i = 0; i < r->g->mounts.n; i++)
		if (is_nested(target, r->g->mounts.v[i]->target.v))
			reading_find_at(
				r, FIND_SRC_MEANT,
				libvirt_at(r, f->node, "filesystem"),
				"the mount on %s hides the one on %s, "
				"which stands before it",
				libvirt_shown(r, target),
				libvirt_shown(r, r->g->mounts.v[i]->target.v));
}

static struct mount *mount_at(struct reading *r, const struct fs *f)
{
	const char *target = f->target.text;
	struct mount *m;

	if (target[0] != '/')
		target = arena_printf(r->g->mem, "/%s", target);
	target = without_slashes(r->g->mem, target);
	check_hidden(r, f, target);
	reading_resume(r, f->target.s);
	m = take_mount(r);
	take_str(r, FIELD_MOUNT_TARGET, m, target);
	return m;
}

static void mount_type(struct reading *r, const struct fs *f, struct mount *m,
		       const char *type)
{
	if (f->type.s == NULL) {
		reading_default(r, FIELD_MOUNT_TYPE, m, type, "libvirt.md 2.9");
		return;
	}
	reading_resume(r, f->type.s);
	take_str(r, FIELD_MOUNT_TYPE, m, type);
}

static void read_only(struct reading *r, const struct fs *f, struct mount *m)
{
	if (f->readonly.s == NULL)
		return;
	reading_resume(r, f->readonly.s);
	take_element(r, FIELD_MOUNT_OPTIONS, m, "ro");
}

static void bind(struct reading *r, const struct fs *f)
{
	const struct lv_value dir = libvirt_attr(f->source, "dir");
	struct mount *m;

	if (dir.s == NULL || dir.text[0] != '/') {
		left_out(r, f, BIN_INVALID, FIND_MNT_TARGET,
			 "nothing says what is mounted: left out");
		return;
	}
	m = mount_at(r, f);
	take_element(r, FIELD_MOUNT_OPTIONS, m, "bind");
	reading_resume(r, dir.s);
	take_str(r, FIELD_MOUNT_SOURCE, m, dir.text);
	mount_type(r, f, m, "none");
	read_only(r, f, m);
	reading_resume(r, dir.s);
	reading_find(r, FIND_MNT_HOST_PATH, "%s is mounted from %s of the host",
		     libvirt_shown(r, m->target.v), libvirt_shown(r, dir.text));
}

static void ram(struct reading *r, const struct fs *f)
{
	const struct lv_value usage = libvirt_attr(f->source, "usage");
	const struct lv_value units = libvirt_attr(f->source, "units");
	struct mount *m;
	uint64_t bytes;
	struct err e;

	if (usage.s == NULL ||
	    libvirt_size(usage.text, units.text, 1024, &bytes, &e) < 0) {
		left_out(r, f, BIN_INVALID, FIND_MNT_TARGET,
			 "a file system in memory without legal size: left "
			 "out");
		return;
	}
	m = mount_at(r, f);
	reading_default(r, FIELD_MOUNT_SOURCE, m, "tmpfs", "libvirt.md 2.9");
	take_element(r, FIELD_MOUNT_OPTIONS, m, "nosuid");
	take_element(r, FIELD_MOUNT_OPTIONS, m, "nodev");
	reading_resume(r, usage.s);
	take_element(r, FIELD_MOUNT_OPTIONS, m,
		     arena_printf(r->g->mem, "size=%" PRIu64, bytes));
	if (units.s != NULL) {
		reading_resume(r, units.s);
		take_part(r, FIELD_MOUNT_OPTIONS, m);
	}
	mount_type(r, f, m, "tmpfs");
	read_only(r, f, m);
}

/* What the new host has to mount before the guest starts. */
static void by_host(struct reading *r, const struct fs *f, enum finding_id id,
		    const char *attr)
{
	const struct lv_value source = libvirt_attr(f->source, attr);

	libvirt_end_find(
		r, source.s, BIN_HOSTSIDE, id,
		arena_printf(r->g->mem,
			     "%s was mounted on %s: mount it on the new host "
			     "and bind that into the guest",
			     source.s == NULL ? "" :
						libvirt_shown(r, source.text),
			     libvirt_shown(r, f->target.text)));
	libvirt_end_below(r, f->node, BIN_HOSTSIDE,
			  "a mount that the new host makes");
}

static void settle(struct reading *r, const struct fs *f)
{
	const char *why = f->target.s == NULL ? "it has no target" :
						target_fault(f->target.text);

	if (why != NULL) {
		left_out(r, f, BIN_INVALID, FIND_MNT_TARGET,
			 arena_printf(r->g->mem, "%s: left out", why));
	} else if (is_kind(f, "mount")) {
		bind(r, f);
	} else if (is_kind(f, "ram")) {
		ram(r, f);
	} else if (is_kind(f, "block")) {
		by_host(r, f, FIND_MNT_DEVICE, "dev");
	} else if (is_kind(f, "file")) {
		by_host(r, f, FIND_MNT_IMAGE, "file");
	} else if (is_kind(f, "volume")) {
		by_host(r, f, FIND_MNT_IMAGE, "volume");
	} else if (is_kind(f, "bind")) {
		left_out(r, f, BIN_HOSTSIDE, FIND_MNT_OWN_TREE,
			 arena_printf(
				 r->g->mem,
				 "%s of the guest's own tree was mounted "
				 "on %s: left to the guest",
				 libvirt_shown(
					 r,
					 libvirt_attr(f->source, "dir").s ==
							 NULL ?
						 "nothing" :
						 libvirt_attr(f->source, "dir")
							 .text),
				 libvirt_shown(r, f->target.text)));
	} else {
		left_out(
			r, f, BIN_INVALID, FIND_SRC_NOT_STARTED,
			arena_printf(r->g->mem,
				     "a file system of type %s: the LXC driver "
				     "does not start it",
				     libvirt_shown(r, f->kind)));
	}
}

/* --- OpenVZ --- */

static void space(struct reading *r, const struct fs *f)
{
	const struct xml_node *hard = xml_child(f->node, "space_hard_limit");
	const struct xml_node *soft = xml_child(f->node, "space_soft_limit");
	const struct lv_value v = libvirt_text(hard);
	const struct lv_value unit = libvirt_attr(hard, "unit");
	struct disk *d;
	uint64_t bytes;
	struct err e;

	if (soft != NULL)
		libvirt_end_below(r, soft, BIN_HOSTSIDE,
				  "the soft limit of the quota on the new "
				  "host");
	if (v.s == NULL)
		return;
	if (libvirt_size(v.text, unit.text, 1, &bytes, &e) < 0) {
		libvirt_end_find(r, v.s, BIN_INVALID, FIND_LIM_INVALID,
				 arena_strdup(r->g->mem, e.msg));
		libvirt_end(r, unit.s, BIN_INVALID, "of that size");
		return;
	}
	reading_resume(r, v.s);
	d = take_disk(r);
	take_str(r, FIELD_DISK_PATH, d, "/");
	take_limit(r, FIELD_DISK_SPACE, d, bytes);
	if (unit.s == NULL)
		return;
	reading_resume(r, unit.s);
	take_part(r, FIELD_DISK_SPACE, d);
}

/* A template is no path: the tree is where OpenVZ puts it. */
static void openvz_template(struct reading *r, const struct fs *f)
{
	const struct lv_value name = libvirt_attr(f->source, "name");
	const char *id = r->g->config_name.from == NULL ? "" :
							  r->g->config_name.v;

	if (id[0] != '\0' && id[strspn(id, "0123456789")] == '\0')
		reading_default(r, FIELD_ROOTFS, r->g,
				arena_printf(r->g->mem, "/vz/private/%s", id),
				"libvirt.md 2.16");
	libvirt_end(r, name.s, BIN_INERT,
		    "the template it was made from: it names no tree");
	libvirt_end_below(r, f->node, BIN_INERT, "as OpenVZ had it");
}

static bool is_root(const struct fs *f)
{
	return f->target.s != NULL && str_eq(f->target.text, "/");
}

static void container(struct reading *r, const struct lv_nodes *all)
{
	const bool openvz = libvirt_of(r)->driver == LV_OPENVZ;
	bool found = false;

	for (size_t i = 0; i < all->list.n; i++) {
		const struct fs f = fs_of(all->list.v[i]);

		if (openvz)
			space(r, &f);
		if (!is_root(&f))
			settle(r, &f);
		else if (found)
			left_out(r, &f, BIN_OVERRIDDEN, FIND_SRC_MULTIPLE,
				 "a second tree: the first counts");
		else if (openvz && is_kind(&f, "template"))
			openvz_template(r, &f);
		else
			root(r, &f);
		found = found || is_root(&f);
		libvirt_end_below(r, f.node, BIN_INERT,
				  "no effect on a file system of this type");
	}
	if (!found)
		reading_find_at(r, FIND_DSK_BAD_ROOT,
				libvirt_at(r, libvirt_of(r)->domain,
					   "devices/filesystem"),
				"%s", host_root);
}

/* virt-sandbox: a service of the host, in parts of the host's tree. */
static void sandbox(struct reading *r)
{
	const struct lv_value init = libvirt_text_at(r, "os/init");

	if (init.s != NULL && str_ends(init.text, "libvirt-sandbox-init-lxc"))
		reading_find_at(r, FIND_DSK_BAD_ROOT, &init.s->from,
				"an application sandbox that shares the host's "
				"system: move the service, not the container");
}

void libvirt_mounts_settle(struct reading *r)
{
	const struct lv_nodes all = libvirt_all(r, "devices/filesystem");

	if (libvirt_is_machine(r)) {
		for (size_t i = 0; i < all.list.n; i++) {
			const struct fs f = fs_of(all.list.v[i]);

			by_host(r, &f, FIND_MNT_HOST_PATH, "dir");
		}
		return;
	}
	sandbox(r);
	container(r, &all);
}
