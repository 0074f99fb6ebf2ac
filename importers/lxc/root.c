/*
 * The root file system: where it is, and on which storage. A directory and an
 * image are read; storage that only the old host can mount is a blocker with
 * the command that shows the tree. Reference: targets.md 2.2, peers.md 2.9.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "importers/lxc/table.h"

enum how {
	AS_DIR,     /* a directory of the host */
	AS_IMAGE,   /* a file with a file system in it */
	AS_MOUNTED, /* a directory where the host has mounted it, or nothing */
};

static const struct storage_row {
	const char *word;
	enum how how;
	const char *advice; /* how the tree is seen on the old host */
} storages[] = {
	{ "dir", AS_DIR, NULL },
	{ "none", AS_DIR, NULL },
	{ "btrfs", AS_DIR, NULL },
	{ "loop", AS_IMAGE, NULL },
	{ "zfs", AS_MOUNTED, "zfs mount DATASET" },
	{ "lvm", AS_MOUNTED, "mount -o ro DEVICE DIRECTORY" },
	{ "rbd", AS_MOUNTED, "rbd map IMAGE, mount -o ro DEVICE DIRECTORY" },
	{ "nbd", AS_MOUNTED,
	  "qemu-nbd -r -c /dev/nbd0 FILE, mount -o ro /dev/nbd0 DIRECTORY" },
	{ "overlay", AS_MOUNTED,
	  "mount -t overlay -o lowerdir=LOWER:UPPER none DIRECTORY" },
	{ "overlayfs", AS_MOUNTED,
	  "mount -t overlay -o lowerdir=LOWER:UPPER none DIRECTORY" },
	{ "aufs", AS_MOUNTED,
	  "mount -t aufs -o br=UPPER=rw:LOWER=ro none DIRECTORY" },
	{ "best", AS_DIR, NULL },
};

static const struct storage_row *storage(const char *word, size_t n)
{
	for (size_t i = 0; i < COUNT(storages); i++)
		if (strlen(storages[i].word) == n &&
		    memcmp(storages[i].word, word, n) == 0)
			return &storages[i];
	return NULL;
}

/* Where a root is, and how it is to be taken. */
struct root {
	const struct storage_row *row;
	const char *path;
};

/* A path alone is told by what it is. */
static struct root by_path(struct reading *r, const char *path)
{
	struct root root = { .row = storage("dir", 3), .path = path };
	struct tree_stat st;
	struct err e;

	if (str_starts(path, "/dev/"))
		root.row = storage("lvm", 3);
	else if (tree_stat(lxc_of(r)->t, path, &st, &e) == 0 &&
		 S_ISREG(st.mode))
		root.row = storage("loop", 4);
	return root;
}

static struct root root_of(struct reading *r)
{
	const struct lxc *x = lxc_of(r);
	const char *text = x->kept[LXK_ROOTFS].text;
	const char *backend = x->kept[LXK_BACKEND].text;
	const size_t n = strcspn(text, ":");
	struct root root = { 0 };

	if (text[0] != '/' && text[n] == ':')
		root = (struct root){ storage(text, n), text + n + 1 };
	if (root.row == NULL)
		root = by_path(r, text);
	if (x->kept[LXK_BACKEND].s != NULL &&
	    storage(backend, strlen(backend)) != NULL)
		root.row = storage(backend, strlen(backend));
	return root;
}

static bool is_filled(struct reading *r, const char *path)
{
	struct tree_entries entries;
	struct err e;

	return tree_is_dir(lxc_of(r)->t, path) &&
	       tree_list(lxc_of(r)->t, path, r->g->mem, &entries, &e) == 0 &&
	       entries.n > 0;
}

static void take_root(struct reading *r, const char *path)
{
	reading_resume(r, lxc_of(r)->kept[LXK_ROOTFS].s);
	take_str(r, FIELD_ROOTFS, r->g, path);
}

/* Mounted for a running guest, or by hand, where LXC mounts it. */
static void take_mounted(struct reading *r, const struct root *root)
{
	const struct lxc *x = lxc_of(r);
	const char *dir = arena_printf(r->g->mem, "%s/rootfs", x->dir);

	if (is_filled(r, dir)) {
		take_root(r, dir);
		reading_find(r, FIND_DSK_IMAGE,
			     "the tree is on %s (%s): what is mounted on %s is "
			     "taken",
			     root->row->word, lxc_shown(r, root->path), dir);
		return;
	}
	lxc_end_find(r, x->kept[LXK_ROOTFS].s, BIN_DROPPED, FIND_DSK_STORAGE,
		     arena_printf(r->g->mem,
				  "the tree is on %s (%s) and not mounted on "
				  "%s: %s",
				  root->row->word, lxc_shown(r, root->path),
				  dir, root->row->advice));
}

static const char *without_slashes(struct arena *mem, const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return arena_strndup(mem, path, n);
}

static void settle_root(struct reading *r)
{
	struct root root = root_of(r);

	root.path = without_slashes(r->g->mem, root.path);
	if (root.row->how == AS_MOUNTED) {
		take_mounted(r, &root);
		return;
	}
	if (root.path[0] != '/') {
		lxc_end_find(r, lxc_of(r)->kept[LXK_ROOTFS].s, BIN_INVALID,
			     FIND_DSK_BAD_ROOT,
			     "lxc.rootfs is not an absolute path");
		return;
	}
	take_root(r, root.path);
	if (str_eq(root.path, "/"))
		reading_find(r, FIND_DSK_BAD_ROOT,
			     "the guest has the host's root file system");
	if (root.row->how == AS_IMAGE)
		reading_find(r, FIND_DSK_IMAGE,
			     "%s is an image: it is read "
			     "without being mounted",
			     lxc_shown(r, root.path));
}

static void end_backend(struct reading *r)
{
	const struct lx_value *k = &lxc_of(r)->kept[LXK_BACKEND];

	if (k->s == NULL)
		return;
	if (storage(k->text, strlen(k->text)) == NULL)
		lxc_end_find(r, k->s, BIN_INVALID, FIND_SRC_NOT_STARTED,
			     "LXC has no such storage: told by lxc.rootfs");
	else
		lxc_end(r, k->s, BIN_CARRIED,
			"the tree was looked for on that storage");
}

static void end_options(struct reading *r)
{
	const struct lx_value *k = &lxc_of(r)->kept[LXK_ROOT_OPTIONS];

	if (k->s == NULL)
		return;
	if (str_starts(k->text, "idmap="))
		lxc_end(r, k->s, BIN_CARRIED, "written anew with the map");
	else
		lxc_end_find(r, k->s, BIN_HOSTSIDE, FIND_MNT_OPTION,
			     arena_printf(r->g->mem,
					  "options %s of the root: the new "
					  "host's file system has them or not",
					  lxc_shown(r, k->text)));
}

/* Whether a user of the host is one of the guest's. */
static bool is_mapped(const struct guest *g, uint64_t uid)
{
	for (size_t i = 0; i < g->idmaps.n; i++) {
		const struct idmap *m = g->idmaps.v[i];

		if (str_eq(m->kind.v, "u") && uid >= m->outside.v &&
		    uid - m->outside.v < m->count.v)
			return true;
	}
	return false;
}

/*
 * Of a guest whose ids are mapped the owners on disk are the host's; a copy
 * that somebody without rights unpacked belongs to whom it was.
 */
static void find_shift(struct reading *r)
{
	struct tree_stat st;
	struct err e;

	if (r->g->rootfs.from == NULL ||
	    tree_stat(lxc_of(r)->t, r->g->rootfs.v, &st, &e) < 0 ||
	    !S_ISDIR(st.mode) || !is_mapped(r->g, st.uid))
		return;
	reading_default(r, FIELD_ROOT_SHIFTED, r->g, "yes",
			"the owner of the root directory");
}

void lxc_root_settle(struct reading *r)
{
	const struct lxc *x = lxc_of(r);

	if (x->kept[LXK_ROOTFS].s != NULL)
		settle_root(r);
	else
		reading_find_at(r, FIND_DSK_BAD_ROOT,
				reading_origin(r, ORIGIN_FILE, x->path, 0,
					       "lxc.rootfs", NULL),
				"no lxc.rootfs.path: the guest has the host's "
				"root file system");
	end_backend(r);
	end_options(r);
	find_shift(r);
}

/* --- what lies beside the configuration -------------------------------- */

static void find_snapshots(struct reading *r, const char *dir)
{
	struct tree_entries entries;
	struct err e;

	if (!tree_is_dir(lxc_of(r)->t, dir) ||
	    tree_list(lxc_of(r)->t, dir, r->g->mem, &entries, &e) < 0 ||
	    entries.n == 0)
		return;
	reading_find_at(r, FIND_DSK_SNAPSHOTS,
			reading_origin(r, ORIGIN_FILE, dir, 0, "snapshots",
				       NULL),
			"%zu snapshots in %s, the first %s: not converted",
			entries.n, dir, lxc_shown(r, entries.v[0].name));
}

/* Clones that share this guest's tree; lxc-copy counts them there. */
static void find_clones(struct reading *r)
{
	const char *path =
		arena_printf(r->g->mem, "%s/lxc_rdepends", lxc_of(r)->dir);

	if (tree_exists(lxc_of(r)->t, path))
		reading_find_at(r, FIND_DSK_SNAPSHOTS,
				reading_origin(r, ORIGIN_FILE, path, 0,
					       "clones", NULL),
				"other guests are overlays of this one's tree: "
				"it has to stay for them");
}

static void auto_link(struct reading *r)
{
	const char *path =
		arena_printf(r->g->mem, "/etc/lxc/auto/%s.conf", lxc_of(r)->id);
	const struct origin at = {
		.kind = ORIGIN_FILE, .file = path, .key = "auto", .text = path
	};

	if (tree_exists(lxc_of(r)->t, path))
		reading_setting(r, lxc_keys, lxc_n_keys, &at, "auto", NULL);
}

void lxc_beside(struct reading *r)
{
	const struct lxc *x = lxc_of(r);

	find_snapshots(r, arena_printf(r->g->mem, "%s/snaps", x->dir));
	find_snapshots(r,
		       arena_printf(r->g->mem, "/var/lib/lxcsnaps/%s", x->id));
	find_clones(r);
	auto_link(r);
}
