/*
 * Mounts. Before the pivot every target is looked up beneath the guest's root
 * as if that were "/", so that its links lead nowhere else; afterwards it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "runtime/idmap.h"
#include "runtime/mount.h"
#include "runtime/run.h"

/* Words of options that are flags of mount(2); the others are the driver's. */
static const struct {
	const char *word;
	unsigned long set, clear;
} flag_rows[] = {
	{ "ro", MS_RDONLY, 0 },
	{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },
	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },
	{ "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },
	{ "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 },
	{ "noatime", MS_NOATIME, 0 },
	{ "atime", 0, MS_NOATIME },
	{ "nodiratime", MS_NODIRATIME, 0 },
	{ "relatime", MS_RELATIME, 0 },
	{ "strictatime", MS_STRICTATIME, 0 },
	{ "mand", 0, 0 },
	{ "nomand", 0, 0 },
	{ "auto", 0, 0 },
	{ "noauto", 0, 0 },
	{ "user", 0, 0 }, /* of mount(8): no engine asks it */
	{ "nouser", 0, 0 },
};

static bool take_flag(const char *word, unsigned long *flags)
{
	for (size_t i = 0; i < COUNT(flag_rows); i++) {
		if (!str_eq(flag_rows[i].word, word))
			continue;
		*flags |= flag_rows[i].set;
		*flags &= ~flag_rows[i].clear;
		return true;
	}
	return false;
}

/* Splits options: flags, and what is left for the driver. */
static const char *split(struct arena *mem, const char *options,
			 unsigned long *ret_flags)
{
	const struct strv words =
		strv_split(mem, options == NULL ? "" : options, ", ");
	struct strv rest = { 0 };

	*ret_flags = 0;
	for (size_t i = 0; i < words.n; i++)
		if (!take_flag(words.v[i], ret_flags))
			strv_add(mem, &rest, words.v[i]);
	return strv_join(mem, &rest, ",");
}

const char *mount_flags(struct arena *mem, const char *options)
{
	const struct strv words =
		strv_split(mem, options == NULL ? "" : options, ", ");
	struct strv flags = { 0 };

	for (size_t i = 0; i < words.n; i++)
		for (size_t j = 0; j < COUNT(flag_rows); j++)
			if (str_eq(flag_rows[j].word, words.v[i]) &&
			    (flag_rows[j].set | flag_rows[j].clear) != 0)
				strv_add(mem, &flags, words.v[i]);
	return strv_join(mem, &flags, ",");
}

const char *mount_fd_path(struct arena *mem, int fd)
{
	return arena_printf(mem, "/proc/self/fd/%d", fd);
}

/* Made for the guest: it belongs to whom the directory around it does. */
static int adopt(int parent, const char *name, struct err *e)
{
	struct stat s;

	if (fstat(parent, &s) < 0 ||
	    fchownat(parent, name, s.st_uid, s.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "give %s to the guest", name);
	return 0;
}

/* The directory that holds path, made where it is not there, beneath root. */
static int open_parent(int root, struct arena *mem, const char *path,
		       const char **ret_name, struct err *e)
{
	const struct strv parts = strv_split(mem, path, "/");
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	const char *so_far = "";

	for (size_t i = 0; dir >= 0 && i + 1 < parts.n; i++) {
		int last CLEANUP(fd_closep) = dir;

		so_far = arena_printf(mem, "%s/%s", so_far, parts.v[i]);
		dir = fd_open_in(root, so_far, O_PATH | O_DIRECTORY);
		if (dir < 0 && errno == ENOENT &&
		    mkdirat(last, parts.v[i], 0755) == 0 &&
		    adopt(last, parts.v[i], e) == 0)
			dir = fd_open_in(root, so_far, O_PATH | O_DIRECTORY);
	}
	if (dir < 0)
		return err_set(e, errno, "make the way to %s", path);
	*ret_name = parts.n == 0 ? "." : parts.v[parts.n - 1];
	return dir;
}

int mount_open_target(int root, struct arena *mem, const char *path, bool file,
		      struct err *e)
{
	const char *name;
	int parent CLEANUP(fd_closep) = open_parent(root, mem, path, &name, e);
	int fd;

	if (parent < 0)
		return -1;
	fd = fd_open_in(root, path, O_PATH);
	if (fd >= 0)
		return fd;
	if (file) {
		fd = openat(parent, name,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		fd_closep(&fd);
	} else if (mkdirat(parent, name, 0755) < 0) {
		return err_set(e, errno, "mkdir");
	}
	if (adopt(parent, name, e) < 0)
		return -1;
	fd = fd_open_in(root, path, O_PATH);
	if (fd < 0)
		return err_set(e, errno, "open");
	return fd;
}

/* The upper's root stands for the tree's: owner and mode are seen of it. */
static int copy_owner(const char *from, const char *to, struct err *e)
{
	struct stat s;

	if (stat(from, &s) < 0)
		return err_set(e, errno, "stat %s", from);
	if (chown(to, s.st_uid, s.st_gid) < 0 ||
	    chmod(to, s.st_mode & 07777) < 0)
		return err_set(e, errno, "set owner and mode of %s", to);
	return 0;
}

/* Options of an overlay separate by ':' and ','; neither may be in a path. */
static int check_path(const char *path, struct err *e)
{
	if (path[strcspn(path, ":,\\")] != '\0')
		return err_set(e, EINVAL, "\"%s\" holds one of : , \\", path);
	return 0;
}

static int overlay(struct run *r, const char *lower, const char *dir,
		   const char *target, struct err *e)
{
	struct arena *mem = r->mem;
	const char *upper = arena_printf(mem, "%s/upper", dir);
	const char *options =
		arena_printf(mem, "lowerdir=%s,upperdir=%s,workdir=%s/work",
			     lower, upper, dir);

	if (check_path(lower, e) < 0 || check_path(dir, e) < 0 ||
	    copy_owner(lower, upper, e) < 0)
		return -1;
	if (mount("overlay", target, "overlay", 0, options) < 0)
		return err_set(e, errno, "mount overlay");
	return 0;
}

/* a: the tree; b: the directory of this run. */
int mount_overlay(struct run *r, const struct op *op, struct err *e)
{
	const char *lower = op->a;
	const char *root = arena_printf(r->mem, "%s/root", op->b);

	if (r->ops->userns) {
		lower = arena_printf(r->mem, "%s/lower", op->b);
		if (idmap_mount(r->ops, op->a, lower, e) < 0)
			return -1;
	}
	if (overlay(r, lower, op->b, root, e) < 0)
		return -1;
	r->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0)
		return err_set(e, errno, "open %s", root);
	return 0;
}

/* An overlay of its own over a directory, below this run's directory. */
static int bind_dir(struct run *r, const struct op *op, const char *target,
		    struct err *e)
{
	static const char *const parts[] = { "", "/upper", "/work", "/lower" };
	const char *dir =
		arena_printf(r->mem, "%s/binds/%p", op->d, (const void *)op);
	const char *lower = op->a;

	for (size_t i = 0; i < COUNT(parts); i++)
		if (mkdir(arena_printf(r->mem, "%s%s", dir, parts[i]), 0700) <
		    0)
			return err_set(e, errno, "mkdir %s%s", dir, parts[i]);
	if (r->ops->userns) {
		lower = arena_printf(r->mem, "%s/lower", dir);
		if (idmap_mount(r->ops, op->a, lower, e) < 0)
			return -1;
	}
	return overlay(r, lower, dir, target, e);
}

/* Files above this size are not copied. In bytes. */
enum { COPY_MAX = 64 << 20 };

static int copy_data(int from, int to, off_t size, struct err *e)
{
	ssize_t n;

	if (size > COPY_MAX)
		return ftruncate(to, size) < 0 ? err_set(e, errno, "truncate") :
						 0;
	while ((n = sendfile(to, from, NULL, COPY_MAX)) > 0)
		;
	return n < 0 ? err_set(e, errno, "copy") : 0;
}

/*
 * A file of the guest's own in place of the host's: a copy of it. What is too
 * large for that is as long and has no data; a socket, or what is not there,
 * is an empty file. s is of from; both NULL: it is not there.
 */
static int stand_in(const char *from, const struct stat *s, const char *to,
		    struct err *e)
{
	int in CLEANUP(fd_closep) = -1;
	int out CLEANUP(fd_closep) =
		open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (out < 0)
		return err_set(e, errno, "make %s", to);
	if (from == NULL)
		return 0;
	if (S_ISREG(s->st_mode)) {
		in = open(from, O_RDONLY | O_NOATIME | O_CLOEXEC);
		if (in < 0)
			return err_set(e, errno, "open %s", from);
		if (copy_data(in, out, s->st_size, e) < 0)
			return err_wrap(e, "%s", from);
	}
	if (fchown(out, s->st_uid, s->st_gid) < 0 ||
	    fchmod(out, s->st_mode & 07777) < 0)
		return err_set(e, errno, "set owner and mode of %s", to);
	return 0;
}

static int bind_file(struct run *r, const struct op *op, const struct stat *s,
		     const char *target, struct err *e)
{
	const char *file =
		arena_printf(r->mem, "%s/binds/%p", op->d, (const void *)op);

	if (stand_in(s == NULL ? NULL : op->a, s, file, e) < 0)
		return -1;
	if (mount(file, target, NULL, MS_BIND, NULL) < 0)
		return err_set(e, errno, "bind");
	return 0;
}

static bool is_file(int fd)
{
	struct stat s;

	return fstat(fd, &s) == 0 && !S_ISDIR(s.st_mode);
}

static int remount(const char *target, unsigned long flags, struct err *e)
{
	if (mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | flags, NULL) < 0)
		return err_set(e, errno, "remount with its flags");
	return 0;
}

/*
 * a: on the host, b: in the guest, c: options, d: directory of this run. What
 * is not there is an empty tmpfs, or an empty file where the guest has a file.
 */
int mount_bind(struct run *r, const struct op *op, struct err *e)
{
	struct stat s;
	const bool there = stat(op->a, &s) == 0;
	const bool file = there && !S_ISDIR(s.st_mode);
	int fd CLEANUP(fd_closep) =
		mount_open_target(r->root, r->mem, op->b, file, e);
	const char *target = mount_fd_path(r->mem, fd);
	unsigned long flags;

	split(r->mem, op->c, &flags);
	if (fd < 0)
		return -1;
	if (file || (!there && is_file(fd))) {
		if (bind_file(r, op, there ? &s : NULL, target, e) < 0)
			return -1;
	} else if (!there) {
		if (mount("none", target, "tmpfs", flags, "size=64m") < 0)
			return err_set(e, errno, "mount tmpfs");
		return 0;
	} else if (bind_dir(r, op, target, e) < 0) {
		return -1;
	}
	/* the descriptor shows what is beneath the mount */
	return flags == 0 ?
		       0 :
		       remount(arena_printf(r->mem, "%s/root%s", op->d, op->b),
			       flags, e);
}

/*
 * The working directory is the guest's root: its name cannot be walked by who
 * is mapped to an id without rights in scratch. It becomes "/" with the
 * host's root stacked over it, which mount_detach takes away: until then new
 * instances of /proc and /sys may be mounted in a user namespace.
 */
int mount_pivot(struct run *r, const struct op *op, struct err *e)
{
	/* of this namespace's own making, or pivot_root refuses it */
	int own CLEANUP(fd_closep) =
		open_tree(AT_FDCWD, "",
			  AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE |
				  OPEN_TREE_CLOEXEC);

	(void)r;
	(void)op;
	if (own < 0)
		return err_set(e, errno, "open_tree");
	if (move_mount(own, "", AT_FDCWD, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_set(e, errno, "bind onto itself");
	if (fchdir(own) < 0)
		return err_set(e, errno, "chdir");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_set(e, errno, "pivot_root");
	return 0;
}

int mount_detach(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	(void)op;
	if (umount2(".", MNT_DETACH) < 0)
		return err_set(e, errno, "umount");
	if (chdir("/") < 0)
		return err_set(e, errno, "chdir /");
	return 0;
}

static int open_root(struct err *e)
{
	const int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "open /") : fd;
}

/* a: type, b: target, c: options, d: what it is called (NULL: as its type). */
int mount_mount(struct run *r, const struct op *op, struct err *e)
{
	int root CLEANUP(fd_closep) = open_root(e);
	int fd CLEANUP(fd_closep) =
		root < 0 ? -1 :
			   mount_open_target(root, r->mem, op->b, false, e);
	unsigned long flags;
	const char *data = split(r->mem, op->c, &flags);

	if (fd < 0)
		return -1;
	/* "." and not its name in /proc: that is not mounted yet */
	if (fchdir(fd) < 0)
		return err_set(e, errno, "chdir");
	if (mount(op->d != NULL ? op->d : op->a, ".", op->a, flags, data) < 0)
		return err_set(e, errno, "mount");
	if (chdir("/") < 0)
		return err_set(e, errno, "chdir /");
	return 0;
}

static int mount_groups(const char *dir, const struct op *group, struct err *e)
{
	const bool v2 = str_eq(group->b, "v2");

	if (mount("cgroup", dir, v2 ? "cgroup2" : "cgroup",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC, v2 ? NULL : group->b) < 0)
		return err_set(e, errno, "mount %s", dir);
	return 0;
}

/* The one group of a host that has v2 alone; NULL: there are others. */
static const struct op *only_v2(const struct ops *ops)
{
	const struct op *found = NULL;

	for (size_t i = 0; i < ops->list.n; i++) {
		const struct op *g = &ops->list.v[i];

		if (g->kind != OP_GROUP)
			continue;
		if (found != NULL || !str_eq(g->b, "v2"))
			return NULL;
		found = g;
	}
	return found;
}

/*
 * a: where. v2 alone stands there itself; else a tmpfs with a directory for
 * each hierarchy, as hosts have it.
 */
int mount_cgroups(struct run *r, const struct op *op, struct err *e)
{
	const struct op tmpfs = { .a = "tmpfs",
				  .b = op->a,
				  .c = "nosuid,nodev,noexec,mode=755" };
	const struct op *only = only_v2(r->ops);

	if (only != NULL)
		return mount_groups(op->a, only, e);
	if (mount_mount(r, &tmpfs, e) < 0)
		return -1;
	for (size_t i = 0; i < r->ops->list.n; i++) {
		const struct op *g = &r->ops->list.v[i];
		const char *dir;

		if (g->kind != OP_GROUP)
			continue;
		dir = str_eq(g->b, "v2") ? "unified" : g->b;
		dir = arena_printf(r->mem, "%s/%s", op->a,
				   str_starts(dir, "name=") ? dir + 5 : dir);
		if (mkdir(dir, 0755) < 0)
			return err_set(e, errno, "mkdir %s", dir);
		if (mount_groups(dir, g, e) < 0)
			return -1;
	}
	return 0;
}

static int set_readonly(const char *path, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) < 0)
		return err_set(e, errno, "%s: make read-only", path);
	return 0;
}

/* Then it can be closed itself, with what is mounted in it left as it is. */
static bool is_mount(const char *path)
{
	struct statx x;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x) ==
		       0 &&
	       (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Holds what stays writable while what is around it is closed. */
static int hold(const char *path, struct err *e)
{
	const int fd =
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "%s: hold", path) : fd;
}

/* a: what is closed; b: what beneath it stays open, or NULL. */
int mount_readonly(struct run *r, const struct op *op, struct err *e)
{
	int open_part CLEANUP(fd_closep) = -1;

	(void)r;
	if (access(op->a, F_OK) < 0 && errno == ENOENT)
		return 0; /* a kernel without it: nothing to close */
	if (op->b != NULL && access(op->b, F_OK) == 0) {
		open_part = hold(op->b, e);
		if (open_part < 0)
			return -1;
	}
	if (!is_mount(op->a) && mount(op->a, op->a, NULL, MS_BIND, NULL) < 0)
		return err_set(e, errno, "bind onto itself");
	if (set_readonly(op->a, e) < 0)
		return -1;
	if (open_part >= 0 && move_mount(open_part, "", AT_FDCWD, op->b,
					 MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_set(e, errno, "%s: put back", op->b);
	return 0;
}
