/* The upper layer; how overlayfs marks what is gone: overlayfs.rst. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/upper.h"

/* Where an entry goes: beneath the layer's root no link is ever made first. */
struct place {
	const struct upper *u;
	const struct box *b;
	int dir;
	const char *path; /* of the guest, "/etc/inittab" */
	const char *name; /* its last part */
};

static int own(const struct place *at, int fd, const char *name, uint32_t uid,
	       uint32_t gid, struct err *e)
{
	const long u = box_outside(at->b, 'u', uid);
	const long g = box_outside(at->b, 'g', gid);

	if (fchownat(fd, name, (uid_t)u, (gid_t)g,
		     AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
		return err_set(e, errno, "give %s to %ld:%ld", at->path, u, g);
	return 0;
}

static int mode(const struct place *at, int fd, const char *name, uint32_t bits,
		struct err *e)
{
	if (fchmodat(fd, name, bits & 07777, 0) < 0)
		return err_set(e, errno, "chmod %s", at->path);
	return 0;
}

/* A directory of the layer stands for the tree's: owner and mode are its. */
static int make_dir(const struct place *at, int parent, const char *name,
		    const char *path, uint32_t bits, struct err *e)
{
	struct tree_stat st = { .mode = bits };
	struct err absent;

	if (mkdirat(parent, name, 0700) < 0)
		return errno == EEXIST ? 0 :
					 err_set(e, errno, "mkdir %s", path);
	if (tree_lstat(at->u->tree, path, &st, &absent) < 0)
		st = (struct tree_stat){ .mode = bits };
	if (own(at, parent, name, st.uid, st.gid, e) < 0)
		return -1;
	return mode(at, parent, name, st.mode, e);
}

/* The directory that the entry is in, made with all above it. */
static int open_parent(struct place *at, struct arena *mem, struct err *e)
{
	const struct strv parts = strv_split(mem, at->path, "/");
	int fd = fcntl(at->dir, F_DUPFD_CLOEXEC, 3);
	const char *so_far = "";

	for (size_t i = 0; fd >= 0 && i + 1 < parts.n; i++) {
		int last CLEANUP(fd_closep) = fd;

		so_far = arena_printf(mem, "%s/%s", so_far, parts.v[i]);
		fd = make_dir(at, last, parts.v[i], so_far, 0755, e) < 0 ?
			     -1 :
			     openat(last, parts.v[i],
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
					    O_CLOEXEC);
		if (fd < 0 && e->msg[0] != '\0')
			return -1;
	}
	at->name = parts.n == 0 ? "." : parts.v[parts.n - 1];
	return fd < 0 ? err_set(e, errno, "open the way to %s", at->path) : fd;
}

/* Attributes that the file system here cannot hold are left out. */
static void copy_xattrs(const struct place *at, int fd, struct arena *mem)
{
	struct tree_xattrs list;
	struct err e;

	if (tree_xattrs(at->u->tree, at->path, mem, &list, &e) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (fsetxattr(fd, list.v[i].name, list.v[i].value,
			      list.v[i].size, 0) < 0)
			continue;
}

static int put_file(const struct place *at, int parent,
		    const struct overlay_entry *x, struct arena *mem,
		    struct err *e)
{
	struct tree_stat st;
	struct err absent;
	int fd CLEANUP(fd_closep) = openat(
		parent, at->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(e, errno, "write %s", at->path);
	if (fd_write_all(fd, x->data, x->n, at->path, e) < 0)
		return -1;
	if (tree_lstat(at->u->tree, at->path, &st, &absent) < 0 ||
	    !S_ISREG(st.mode))
		st = (struct tree_stat){ .mode = x->mode,
					 .uid = x->uid,
					 .gid = x->gid };
	if (own(at, fd, "", st.uid, st.gid, e) < 0)
		return -1;
	if (fchmod(fd, st.mode & 07777) < 0)
		return err_set(e, errno, "chmod %s", at->path);
	copy_xattrs(at, fd, mem);
	return 0;
}

static int put_link(const struct place *at, int parent,
		    const struct overlay_entry *x, struct err *e)
{
	if (symlinkat(x->target, parent, at->name) < 0)
		return err_set(e, errno, "link %s", at->path);
	return own(at, parent, at->name, x->uid, x->gid, e);
}

/* An opaque directory hides what the layers below have in it. */
static int put_empty(const struct place *at, int parent, struct err *e)
{
	int fd CLEANUP(fd_closep) = -1;

	if (make_dir(at, parent, at->name, at->path, 0755, e) < 0)
		return -1;
	fd = openat(parent, at->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return err_set(e, errno, "empty %s", at->path);
	return 0;
}

static int put(struct place *at, const struct overlay_entry *x,
	       struct arena *mem, struct err *e)
{
	int parent CLEANUP(fd_closep) = open_parent(at, mem, e);

	if (parent < 0)
		return -1;
	switch (x->kind) {
	case OVERLAY_FILE:
		return put_file(at, parent, x, mem, e);
	case OVERLAY_LINK:
		return put_link(at, parent, x, e);
	case OVERLAY_DIR:
		return make_dir(at, parent, at->name, at->path, x->mode, e);
	case OVERLAY_EMPTY:
		return put_empty(at, parent, e);
	case OVERLAY_HIDE:
		/* a whiteout */
		if (mknodat(parent, at->name, S_IFCHR, makedev(0, 0)) < 0)
			return err_set(e, errno, "hide %s", at->path);
		return 0;
	}
	return 0;
}

int upper_fill(void *arg, const struct box *b, int dir, struct err *e)
{
	const struct upper *u = arg;
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	e->msg[0] = '\0';
	for (size_t i = 0; i < u->edits->n; i++) {
		const struct overlay_entry *x = &u->edits->v[i];
		struct place at = {
			.u = u, .b = b, .dir = dir, .path = x->path
		};

		if (put(&at, x, mem, e) < 0)
			return err_wrap(e, "edits");
	}
	return 0;
}
