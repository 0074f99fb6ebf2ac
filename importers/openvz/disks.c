/*
 * The private area and what it holds, disks and quotas, mounts. The
 * configuration rarely tells the layout, the disk does. Reference: openvz.md
 * 1.4, 3.9, 5.4.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "importers/openvz/table.h"

static const char zero_uuid[] = "{00000000-0000-0000-0000-000000000000}";

int openvz_grace(struct reading *r, const char *value, struct err *e)
{
	uint64_t seconds;

	if (openvz_integer(value, 0, INT32_MAX, &seconds, e) < 0)
		return -1;
	if (seconds == 0) {
		reading_decide(r, BIN_INERT, "no time to spare");
		return 0;
	}
	reading_decide(r, BIN_HOSTSIDE,
		       "the grace time of the quota on the new host: setquota "
		       "-t %" PRIu64 " %" PRIu64,
		       seconds, seconds);
	return 0;
}

int openvz_quota_ugid(struct reading *r, const char *value, struct err *e)
{
	struct ov_number n;

	if (openvz_number_parse(value, OV_ITEMS, openvz_of(r)->page, &n, e) < 0)
		return -1;
	if (!n.none && n.v == 0) {
		reading_decide(r, BIN_INERT, "off");
		return 0;
	}
	reading_decide(r, BIN_DROPPED,
		       "quota of users and groups inside the guest is not "
		       "carried");
	reading_find(r, FIND_DSK_USER_QUOTA,
		     "%s users and groups had quota inside the guest",
		     openvz_shown(r, value));
	return 0;
}

int openvz_mount_opts(struct reading *r, const char *value, struct err *e)
{
	(void)e;
	if (value[0] == '\0' || str_eq(value, "no")) {
		reading_decide(r, BIN_INERT, "none");
		return 0;
	}
	reading_decide(r, BIN_HOSTSIDE, "%s", r->cur->row->note);
	reading_find(r, FIND_MNT_OPTION,
		     "%s: the root's file system on the "
		     "new host is mounted with it or not",
		     str_eq(value, "yes") ? "noatime" : openvz_shown(r, value));
	return 0;
}

/* --- where the tree is ------------------------------------------------ */

/* "$VEID" and "${VEID}": the first one only, as the tools did. */
static const char *expand(struct reading *r, const char *text)
{
	static const char *const words[] = { "${VEID}", "$VEID" };
	struct arena *mem = r->g->mem;
	const char *path = text;
	size_t n;

	for (size_t i = 0; i < COUNT(words); i++) {
		const char *at = strstr(text, words[i]);

		if (at == NULL)
			continue;
		path = arena_printf(mem, "%.*s%s%s", (int)(at - text), text,
				    openvz_of(r)->id, at + strlen(words[i]));
		break;
	}
	n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_strndup(mem, path, n);
}

/* Where the area is when nothing says it; openvz.md 1.1, 1.2. */
static const char *default_private(struct reading *r)
{
	const struct openvz *v = openvz_of(r);

	if (str_eq(str_base(v->real), "ve.conf"))
		return str_dir(r->g->mem, v->real);
	return arena_printf(r->g->mem, "%s/%s",
			    v->dialect == OV_PVE ? "/var/lib/vz/private" :
						   "/vz/private",
			    v->id);
}

static bool has(struct reading *r, const char *dir, const char *name)
{
	return tree_exists(openvz_of(r)->t,
			   arena_printf(r->g->mem, "%s/%s", dir, name));
}

static bool has_dir(struct reading *r, const char *dir, const char *name)
{
	return tree_is_dir(openvz_of(r)->t,
			   arena_printf(r->g->mem, "%s/%s", dir, name));
}

static const char *link_text(struct reading *r, const char *dir,
			     const char *name)
{
	const char *text;
	struct err e;

	if (tree_readlink(openvz_of(r)->t,
			  arena_printf(r->g->mem, "%s/%s", dir, name),
			  r->g->mem, &text, &e) < 0)
		return "";
	return text;
}

/* What a private area holds. */
struct layout {
	const char *root;        /* directory, or the image's; NULL: none */
	const char *name;        /* as VE_LAYOUT has it; NULL: none of them */
	enum finding_id finding; /* FIND__MAX: fine */
	const char *why;
};

static struct layout no_layout(enum finding_id finding, const char *why)
{
	return (struct layout){ .finding = finding, .why = why };
}

/* The descriptor names the images; what reads them opens it. */
static struct layout image_layout(struct reading *r, const char *dir)
{
	static const char xml[] = "root.hdd/DiskDescriptor.xml";

	if (!has(r, dir, xml))
		return no_layout(FIND_DSK_LAYOUT,
				 "root.hdd without DiskDescriptor.xml");
	return (struct layout){ .root = arena_printf(r->g->mem, "%s/%s", dir,
						     xml),
				.name = "ploop",
				.finding = FIND_DSK_IMAGE,
				.why = "its tree is in a ploop image" };
}

/* The tests of openvz.md 1.4, in their order. */
static struct layout layout_of(struct reading *r, const char *dir)
{
	const char *number = link_text(r, dir, ".ve.layout");
	const char *version = link_text(r, dir, "fs/VERSION");

	if (number[0] != '\0' && !str_eq(number, "4") && !str_eq(number, "5"))
		return no_layout(
			FIND_DSK_LAYOUT,
			"the link .ve.layout names none that is known");
	if (str_eq(number, "5") || has(r, dir, "root.hdd"))
		return image_layout(r, dir);
	if (str_starts(version, "00") ||
	    (has(r, dir, "VERSION") && has_dir(r, dir, "root") &&
	     has_dir(r, dir, "cow")))
		return no_layout(FIND_DSK_LAYOUT,
				 "VZFS: files are links into the template "
				 "area; copy the tree where it is mounted");
	if (has_dir(r, dir, "fs/root"))
		return (struct layout){
			.root = arena_printf(r->g->mem, "%s/fs/root", dir),
			.name = "simfs",
			.finding = FIND__MAX,
		};
	if (has_dir(r, dir, "etc") || has_dir(r, dir, "sbin") ||
	    has_dir(r, dir, "usr"))
		return (struct layout){ .root = dir,
					.name = "simfs",
					.finding = FIND__MAX };
	return no_layout(FIND_DSK_NO_ROOT, NULL);
}

static bool is_safe_root(const char *path)
{
	return path[0] == '/' && path[1] != '\0' &&
	       strstr(path, "/../") == NULL && !str_ends(path, "/..");
}

static void find_layout(struct reading *r, const struct origin *at,
			const struct layout *l)
{
	const struct openvz *v = openvz_of(r);
	struct ov_value k = v->kept[OVK_VE_LAYOUT];

	if (l->finding != FIND__MAX && l->why != NULL)
		reading_find_at(r, l->finding, at, "%s: %s", v->private_dir,
				l->why);
	if (k.s == NULL)
		return;
	if (l->name != NULL && !str_starts(k.text, l->name))
		openvz_end_find(r, k.s, BIN_INERT, FIND_SRC_MEANT,
				arena_printf(r->g->mem,
					     "the private area holds %s: that "
					     "is believed",
					     l->name));
	openvz_end(r, k.s, BIN_INERT, "as the private area shows");
}

/* Variables of the shell that none of the tools expands. */
static void check_variables(struct reading *r, struct setting *s)
{
	if (s == NULL || strchr(openvz_of(r)->private_dir, '$') == NULL)
		return;
	reading_resume(r, s);
	reading_find(r, FIND_SRC_EXPANSION,
		     "%s: only the first $VEID is expanded",
		     openvz_shown(r, s->from.text));
}

/* The area of the old host is not that of a backup, which is the tree. */
static void end_private(struct reading *r)
{
	struct openvz *v = openvz_of(r);

	openvz_end(r, v->kept[OVK_VE_PRIVATE].s, BIN_INERT,
		   "where the old host had it: the backup is the tree");
	openvz_end(r, v->kept[OVK_VE_LAYOUT].s, BIN_INERT,
		   "as the old host had it: the backup is the tree");
}

/*
 * A guest that was suspended has its memory in a file: started again elsewhere
 * it finds its files as after a power failure. Reference: openvz.md 1.2, 1.7.
 */
static void find_suspended(struct reading *r)
{
	const struct openvz *v = openvz_of(r);
	struct arena *mem = r->g->mem;
	const struct ov_value *dir = &v->kept[OVK_DUMPDIR];
	const char *const places[] = {
		arena_printf(mem, "%s/Dump.%s",
			     dir->s == NULL || dir->text[0] != '/' ?
				     "/vz/dump" :
				     dir->text,
			     v->id),
		arena_printf(mem, "/var/lib/vz/dump/Dump.%s", v->id),
		arena_printf(mem, "%s/dump/Dump", v->private_dir),
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		if (!tree_exists(v->t, places[i]))
			continue;
		r->g->state = "suspended";
		r->g->state_how =
			arena_printf(mem, "%s holds its memory, which is lost",
				     openvz_shown(r, places[i]));
		return;
	}
}

static void settle_root(struct reading *r)
{
	struct openvz *v = openvz_of(r);
	struct ov_value k = v->kept[OVK_VE_PRIVATE];
	const struct origin *at =
		k.s != NULL ? &k.s->from :
			      reading_origin(r, ORIGIN_FILE, v->path, 0,
					     "VE_PRIVATE", NULL);
	struct layout l;

	if (v->dump != NULL) {
		end_private(r);
		return;
	}
	v->private_dir = k.s == NULL || k.text[0] == '\0' ? default_private(r) :
							    expand(r, k.text);
	check_variables(r, k.s);
	if (!is_safe_root(v->private_dir)) {
		openvz_end(r, v->kept[OVK_VE_LAYOUT].s, BIN_INERT,
			   "there is no private area that can be looked at");
		openvz_end_find(r, k.s, BIN_INVALID, FIND_DSK_BAD_ROOT,
				"not a folder that can be a guest's alone");
		return;
	}
	find_suspended(r);
	l = layout_of(r, v->private_dir);
	find_layout(r, at, &l);
	if (k.s != NULL) {
		reading_resume(r, k.s);
		take_str(r, FIELD_ROOTFS, r->g,
			 l.root != NULL ? l.root : v->private_dir);
	} else {
		reading_default(r, FIELD_ROOTFS, r->g,
				l.root != NULL ? l.root : v->private_dir,
				"openvz.md 1.4");
	}
}

/* --- quotas ----------------------------------------------------------- */

static struct disk *disk_of(struct reading *r, const char *path)
{
	struct disk *d;

	for (size_t i = 0; i < r->g->disks.n; i++)
		if (str_eq(r->g->disks.v[i]->path.v, path))
			return r->g->disks.v[i];
	d = take_disk(r);
	take_str(r, FIELD_DISK_PATH, d, path);
	return d;
}

static void soft_side(struct reading *r, const struct ov_param *p)
{
	const struct ov_side *b = &p->barrier, *l = &p->limit;

	if (b->s == NULL || b->s == l->s)
		return;
	if (l->s != NULL && !l->n.none && (b->n.none || b->n.v > l->n.v))
		openvz_end_find(r, b->s, BIN_INERT, FIND_SRC_MEANT,
				"the soft limit is above the hard one");
	else if (b->n.none || (l->s != NULL && b->n.v == l->n.v))
		openvz_end(r, b->s, BIN_INERT, "no softer than the hard limit");
	else
		openvz_end(r, b->s, BIN_HOSTSIDE,
			   "the soft limit of the quota on the new host");
}

static void quota(struct reading *r, enum ov_pair i, enum field_id f)
{
	struct ov_param *p = &openvz_of(r)->params[i];
	const struct ov_value *off = &openvz_of(r)->kept[OVK_DISK_QUOTA];

	if (off->s != NULL && str_eq(off->text, "no")) {
		openvz_end(r, p->barrier.s, BIN_INERT, "DISK_QUOTA is no");
		openvz_end(r, p->limit.s, BIN_INERT, "DISK_QUOTA is no");
	}
	if (p->limit.s != NULL && !p->limit.s->decided) {
		struct disk *d;

		reading_resume(r, p->limit.s);
		d = disk_of(r, "/");
		if (p->limit.n.none)
			take_unlimited(r, f, d);
		else
			take_limit(r, f, d, p->limit.n.v);
	}
	soft_side(r, p);
}

/* --- DISK ------------------------------------------------------------- */

static const struct ov_piece *piece_of(const struct ov_group *g,
				       const char *key)
{
	for (size_t i = 0; i < g->pieces.n; i++)
		if (str_eq(g->pieces.v[i].key, key))
			return &g->pieces.v[i];
	return NULL;
}

static const char *text_of(const struct ov_group *g, const char *key)
{
	const struct ov_piece *p = piece_of(g, key);

	return p == NULL ? NULL : p->text;
}

static void end_pieces(struct reading *r, const struct ov_group *g,
		       enum bin bin, const char *note)
{
	for (size_t i = 0; i < g->pieces.n; i++)
		openvz_end(r, g->pieces.v[i].s, bin, note);
}

static void disk_size(struct reading *r, const struct ov_group *g,
		      const char *mnt)
{
	const struct ov_piece *p = piece_of(g, "size");
	struct ov_number n;
	struct disk *d;
	struct err e;

	if (p == NULL)
		return;
	if (openvz_number_parse(p->text, OV_BLOCKS, openvz_of(r)->page, &n,
				&e) < 0 ||
	    n.empty) {
		openvz_end_find(r, p->s, BIN_INVALID, FIND_LIM_INVALID,
				"not a size in KiB");
		return;
	}
	reading_resume(r, p->s);
	d = disk_of(r, mnt);
	if (n.none)
		take_unlimited(r, FIELD_DISK_SPACE, d);
	else
		take_limit(r, FIELD_DISK_SPACE, d, n.v);
}

static bool is_root_disk(const struct ov_group *g)
{
	const char *uuid = text_of(g, "uuid"), *mnt = text_of(g, "mnt");

	return (uuid != NULL && str_eq(uuid, zero_uuid)) ||
	       (mnt != NULL && str_eq(mnt, "/"));
}

static const char *disk_fault(const struct ov_group *g)
{
	const char *image = text_of(g, "image");

	if (text_of(g, "uuid") == NULL)
		return "a disk without uuid: the old tools read no further";
	if (image == NULL && text_of(g, "device") == NULL)
		return "a disk without image or device: the old tools read no "
		       "further";
	if (image != NULL && strstr(image, "..") != NULL)
		return "the image lies outside of the private area";
	return NULL;
}

/* A second disk is mounted by the new host. */
static void second_disk(struct reading *r, const struct ov_group *g)
{
	const struct ov_piece *image = piece_of(g, "image");
	const struct ov_piece *device = piece_of(g, "device");
	const char *mnt = text_of(g, "mnt");
	struct arena *mem = r->g->mem;

	if (mnt != NULL && mnt[0] == '/')
		disk_size(r, g, mnt);
	if (image != NULL)
		openvz_end_find(
			r, image->s, BIN_HOSTSIDE, FIND_MNT_IMAGE,
			arena_printf(mem,
				     "disk %s%s%s: mount it on the new "
				     "host and bind it into the guest",
				     openvz_shown(r, image->text),
				     mnt != NULL ? " of " : "",
				     mnt != NULL ? openvz_shown(r, mnt) : ""));
	if (device != NULL)
		openvz_end_find(
			r, device->s, BIN_HOSTSIDE, FIND_MNT_DEVICE,
			arena_printf(mem,
				     "disk %s%s%s: mount it on the new "
				     "host and bind it into the guest",
				     openvz_shown(r, device->text),
				     mnt != NULL ? " of " : "",
				     mnt != NULL ? openvz_shown(r, mnt) : ""));
	end_pieces(r, g, BIN_HOSTSIDE, "a disk that the new host mounts");
}

static void settle_disk(struct reading *r, const struct ov_group *g)
{
	const struct ov_piece *remote = piece_of(g, "storage_url");
	const char *why = disk_fault(g);

	if (why != NULL) {
		end_pieces(r, g, BIN_INVALID, why);
		reading_find(r, FIND_SRC_NOT_STARTED, "%s", why);
	} else if (remote != NULL) {
		openvz_end_find(r, remote->s, BIN_DROPPED, FIND_DSK_NO_ROOT,
				"the disk is on storage of the network");
		end_pieces(r, g, BIN_DROPPED,
			   "the disk is on storage of the network");
	} else if (is_root_disk(g)) {
		disk_size(r, g, "/");
		end_pieces(r, g, BIN_INERT, "the root disk");
	} else if (text_of(g, "enabled") != NULL &&
		   str_eq(text_of(g, "enabled"), "no")) {
		end_pieces(r, g, BIN_INERT, "the disk was not attached");
	} else {
		second_disk(r, g);
	}
}

/* --- BINDMOUNT -------------------------------------------------------- */

static bool is_target(const char *path)
{
	return path[0] == '/' && path[1] != '\0' &&
	       strstr(path, "..") == NULL && !str_eq(path, "/proc") &&
	       !str_eq(path, "/sys");
}

static void bind_options(struct reading *r, const struct ov_group *g,
			 struct mount *m)
{
	static const char *const known[] = { "nosuid", "noexec", "nodev",
					     "ro" };
	const struct ov_piece *first = &g->pieces.v[0];

	reading_resume(r, first->s);
	take_element(r, FIELD_MOUNT_OPTIONS, m, "bind");
	for (size_t i = 1; i < g->pieces.n; i++) {
		const struct ov_piece *p = &g->pieces.v[i];
		bool found = false;

		for (size_t k = 0; k < COUNT(known); k++)
			found = found || str_eq(p->text, known[k]);
		reading_resume(r, p->s);
		if (found)
			take_element(r, FIELD_MOUNT_OPTIONS, m, p->text);
		else
			openvz_end_find(r, p->s, BIN_INVALID, FIND_MNT_OPTION,
					"not an option of a bind mount");
	}
}

/* Without a source the data lies in the guest's own tree. */
static void own_bind(struct reading *r, const struct ov_group *g)
{
	const struct ov_piece *first = &g->pieces.v[0];

	openvz_end_find(r, first->s, BIN_HOSTSIDE, FIND_MNT_INSIDE,
			arena_printf(r->g->mem,
				     "%s was mounted from /.bindmount%s of the "
				     "tree itself",
				     openvz_shown(r, first->text),
				     openvz_shown(r, first->text)));
	end_pieces(r, g, BIN_HOSTSIDE, "an option of that mount");
}

static void settle_bind(struct reading *r, const struct ov_group *g)
{
	const struct ov_piece *first = &g->pieces.v[0];
	const char *colon = strrchr(first->text, ':');
	const char *target = colon == NULL ? first->text : colon + 1;
	const char *source =
		colon == NULL ? "/" :
				arena_strndup(r->g->mem, first->text,
					      (size_t)(colon - first->text));
	struct mount *m;

	if (!is_target(target) || source[0] != '/' ||
	    strstr(source, "..") != NULL) {
		openvz_end_find(r, first->s, BIN_INVALID, FIND_MNT_TARGET,
				"not a place that can be mounted: left out");
		end_pieces(r, g, BIN_INVALID, "the mount is left out");
		return;
	}
	if (colon == NULL) {
		own_bind(r, g);
		return;
	}
	reading_resume(r, first->s);
	m = take_mount(r);
	take_str(r, FIELD_MOUNT_TARGET, m, target);
	take_str(r, FIELD_MOUNT_SOURCE, m, source);
	take_str(r, FIELD_MOUNT_TYPE, m, "none");
	bind_options(r, g, m);
	reading_resume(r, first->s);
	reading_find(r, FIND_MNT_HOST_PATH, "%s is mounted from %s of the host",
		     target, source);
}

static void settle_root_disk(struct reading *r)
{
	const struct ov_value *k = &openvz_of(r)->kept[OVK_ROOT_DISK];

	if (k->s == NULL)
		return;
	if (!str_eq(k->text, "no"))
		openvz_end(r, k->s, BIN_INERT, "as without it");
	else
		openvz_end_find(r, k->s, BIN_DROPPED, FIND_DSK_NO_ROOT,
				"the guest has no root disk of its own");
}

void openvz_disks_settle(struct reading *r)
{
	const struct openvz *v = openvz_of(r);

	settle_root(r);
	settle_root_disk(r);
	for (size_t i = 0; i < v->disks.n; i++)
		settle_disk(r, v->disks.v[i]);
	quota(r, OVP_DISKSPACE, FIELD_DISK_SPACE);
	quota(r, OVP_DISKINODES, FIELD_DISK_INODES);
	openvz_end(r, v->kept[OVK_DISK_QUOTA].s, BIN_INERT,
		   "whether a directory had a quota");
	for (size_t i = 0; i < v->binds.n; i++)
		settle_bind(r, v->binds.v[i]);
}
