/*
 * A directory of the real file system as a tree: looking things up, listing,
 * links, attributes. Links are followed by the kernel, beneath the root only
 * (fd_open_in); whatever is to be read is first held by O_PATH and looked at,
 * then opened through that descriptor, so that it cannot be swapped between.
 */
#include "tree/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

enum {
	MAX_ENTRIES = 4000000, /* of a directory: tree.h */
	GETDENTS_BYTES = 64 << 10,
	FEW = 512, /* bytes of names or of a value of xattrs */
	PROC_PATH = sizeof("/proc/self/fd/") + 11 + 1 + NAME_MAX,
};

static struct dir *dir_of(struct tree *t)
{
	return (struct dir *)t;
}

static const char *skip_slashes(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/* "/mnt/old" and "etc/passwd" are /mnt/old/etc/passwd; "" and "" are /. */
static char *full_name(const struct dir *d, const char *path, struct arena *mem)
{
	const char *name = d->tree.name;

	path = skip_slashes(path);
	if (*name == '\0' && *path == '\0')
		name = "/";
	return arena_printf(mem, "%s%s%s", name,
			    *path && !str_ends(name, "/") ? "/" : "", path);
}

const char *dir_show(const struct dir *d, const char *path, struct arena *mem)
{
	const char *full = full_name(d, path, mem);

	return str_show(mem, full, strlen(full), 300);
}

void dir_fail_fill(const struct dir *d, const char *op, const char *path,
		   int code, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	err_fill(e, code, "%s %s", op, dir_show(d, path, mem));
}

static void stat_of(const struct statx *sx, struct tree_stat *ret)
{
	*ret = (struct tree_stat){
		.mode = sx->stx_mode,
		.uid = sx->stx_uid,
		.gid = sx->stx_gid,
		.nlink = sx->stx_nlink,
		.size = sx->stx_size,
		.blocks = sx->stx_blocks,
		.dev = makedev(sx->stx_dev_major, sx->stx_dev_minor),
		.ino = sx->stx_ino,
		.rdev_major = sx->stx_rdev_major,
		.rdev_minor = sx->stx_rdev_minor,
		.mtime = { .tv_sec = sx->stx_mtime.tv_sec,
			   .tv_nsec = sx->stx_mtime.tv_nsec },
		.ctime = { .tv_sec = sx->stx_ctime.tv_sec,
			   .tv_nsec = sx->stx_ctime.tv_nsec },
	};
	if (sx->stx_attributes & STATX_ATTR_IMMUTABLE)
		ret->flags |= FS_IMMUTABLE_FL;
	if (sx->stx_attributes & STATX_ATTR_APPEND)
		ret->flags |= FS_APPEND_FL;
}

int dir_statx(int fd, const char *base, struct tree_stat *ret)
{
	struct statx sx;

	if (statx(fd, base,
		  AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_BASIC_STATS, &sx))
		return -1;
	stat_of(&sx, ret);
	return 0;
}

static bool has_dotdot(const char *path)
{
	struct slice rest = { path, strlen(path) }, word;

	while (slice_next(&rest, '/', &word))
		if (slice_eq(word, ".."))
			return true;
	return false;
}

/* The longest start of path, cut at a slash, that the kernel takes. */
static size_t piece_of(const char *path)
{
	size_t n = PATH_MAX - 1;

	while (n > 0 && path[n] != '/')
		n--;
	return n;
}

static int open_long(int root, const char *path, int flags)
{
	int fd CLEANUP(fd_closep) = -1;
	char piece[PATH_MAX];

	if (has_dotdot(path))
		return errno = ENAMETOOLONG, -1;
	while (strlen(path) >= PATH_MAX) {
		size_t n = piece_of(path);
		int next;

		if (n == 0)
			return errno = ENAMETOOLONG, -1;
		memcpy(piece, path, n);
		piece[n] = '\0';
		next = fd_open_in_nolinks(fd < 0 ? root : fd, piece,
					  O_PATH | O_DIRECTORY);
		if (next < 0)
			return -1;
		fd_closep(&fd);
		fd = next;
		path = skip_slashes(path + n);
	}
	return fd_open_in_nolinks(fd, *path ? path : ".", flags);
}

int dir_openat_root(struct dir *d, const char *path, int flags)
{
	path = skip_slashes(path);
	if (*path == '\0')
		path = ".";
	if (strlen(path) >= PATH_MAX)
		return open_long(d->root, path, flags);
	return fd_open_in(d->root, path, flags);
}

/*
 * O_NOATIME is refused to whoever does not own the file; an access time is
 * not worth failing for.
 */
int dir_openat(int fd, const char *name, int flags)
{
	int new;

	flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	new = openat(fd, name, flags | O_NOATIME);
	return new < 0 && errno == EPERM ? openat(fd, name, flags) : new;
}

static bool is_plain_name(const char *base)
{
	return *base && !str_eq(base, ".") && !str_eq(base, "..");
}

/* Whether path is an entry of the directory that the walk is in. */
static const char *base_in_cwd(const struct dir *d, const char *path)
{
	if (!d->cwd || strncmp(path, d->cwd, d->cwd_n) != 0)
		return NULL;
	path += d->cwd_n;
	if (d->cwd_n > 0 && *path++ != '/')
		return NULL;
	return is_plain_name(path) && !strchr(path, '/') ? path : NULL;
}

int dir_place(struct dir *d, const char *path, struct dir_place *ret)
{
	struct arena *mem CLEANUP(arena_freep) = NULL;
	const char *base, *slash;
	int fd;

	path = skip_slashes(path);
	base = base_in_cwd(d, path);
	if (base) {
		*ret = (struct dir_place){ d->cwd_fd, -1, base };
		return 0;
	}
	slash = strrchr(path, '/');
	base = slash ? slash + 1 : path;
	if (is_plain_name(base)) {
		mem = arena_new();
		path = arena_strndup(mem, path, (size_t)(base - path));
		fd = dir_openat_root(d, path, O_PATH | O_DIRECTORY);
	} else {
		base = "";
		fd = dir_openat_root(d, path, O_PATH | O_NOFOLLOW);
	}
	if (fd < 0)
		return -1;
	*ret = (struct dir_place){ fd, fd, base };
	return 0;
}

bool dir_is_open(const struct dir *d, const char *path)
{
	return d->cwd && d->entry_fd >= 0 && str_eq(skip_slashes(path), d->cwd);
}

void dir_place_done(struct dir_place *p)
{
	fd_closep(&p->owned);
}

static const struct dir_place NOWHERE = { .fd = -1, .owned = -1, .base = "" };

static int dir_lstat(struct tree *t, const char *path, struct tree_stat *ret,
		     struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = NOWHERE;
	struct dir *d = dir_of(t);

	if (dir_place(d, path, &at) || dir_statx(at.fd, at.base, ret))
		return dir_fail(d, "stat", path, errno, e);
	return 0;
}

static int dir_stat(struct tree *t, const char *path, struct tree_stat *ret,
		    struct err *e)
{
	struct dir *d = dir_of(t);
	int fd CLEANUP(fd_closep) = dir_openat_root(d, path, O_PATH);

	if (fd < 0 || dir_statx(fd, "", ret))
		return dir_fail(d, "stat", path, errno, e);
	return 0;
}

static int dir_readlink(struct tree *t, const char *path, struct arena *mem,
			const char **ret, struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = NOWHERE;
	struct dir *d = dir_of(t);
	char text[PATH_MAX];
	ssize_t n;

	if (dir_place(d, path, &at))
		return dir_fail(d, "read link", path, errno, e);
	n = readlinkat(at.fd, at.base, text, sizeof(text));
	/* what is not a link is ENOENT where the name is empty */
	if (n < 0 && *at.base == '\0')
		errno = EINVAL;
	if (n < 0)
		return dir_fail(d, "read link", path, errno, e);
	*ret = arena_strndup(mem, text, (size_t)n);
	return 0;
}

/* The kernel's own path of a descriptor; NULL with errno. */
static char *path_of(int fd, struct arena *mem)
{
	char proc[PROC_PATH], text[PATH_MAX];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, text, sizeof(text));
	return n < 0 ? NULL : arena_strndup(mem, text, (size_t)n);
}

/* full less root, which is "/" or ends in no slash; NULL if not beneath. */
static const char *beneath(const char *root, const char *full)
{
	if (str_eq(root, "/"))
		return *full == '/' ? full : NULL;
	if (!str_starts(full, root))
		return NULL;
	full += strlen(root);
	if (*full == '\0')
		return "/";
	return *full == '/' ? full : NULL;
}

static bool is_same(const struct tree_stat *a, const struct tree_stat *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/*
 * The kernel's path may lie (" (deleted)", a mount over the tree): it counts
 * only when it leads to the same thing again.
 */
static bool leads_to(struct dir *d, const char *path, int fd)
{
	int again CLEANUP(fd_closep) = -1;
	struct tree_stat a, b;

	again = fd_open_in_nolinks(d->root, path, O_PATH);
	return again >= 0 && dir_statx(again, "", &a) == 0 &&
	       dir_statx(fd, "", &b) == 0 && is_same(&a, &b);
}

static int dir_resolve(struct tree *t, const char *path, struct arena *mem,
		       const char **ret, struct err *e)
{
	struct dir *d = dir_of(t);
	int fd CLEANUP(fd_closep) = dir_openat_root(d, path, O_PATH);
	const char *root, *full, *rest;

	if (fd < 0)
		return dir_fail(d, "resolve", path, errno, e);
	root = path_of(d->root, mem);
	full = path_of(fd, mem);
	if (!root || !full)
		return dir_fail(d, "resolve", path, errno, e);
	rest = beneath(root, full);
	if (!rest || !leads_to(d, rest, fd))
		return dir_fail(d, "resolve", path, ESTALE, e);
	*ret = rest;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int dir_entries(int fd, struct arena *mem, struct tree_entries *ret)
{
	_Alignas(struct dirent64) char bytes[GETDENTS_BYTES];
	VEC(struct tree_entry) found = { 0 };
	ssize_t n;

	while ((n = getdents64(fd, bytes, sizeof(bytes))) > 0) {
		const struct dirent64 *de;

		for (ssize_t at = 0; at < n; at += de->d_reclen) {
			de = (const void *)(bytes + at);
			if (!is_plain_name(de->d_name))
				continue;
			if (found.n == MAX_ENTRIES)
				return errno = EFBIG, -1;
			*vec_add(mem, &found) = (struct tree_entry){
				.name = arena_strdup(mem, de->d_name),
				.type = de->d_type,
				.ino = de->d_ino,
			};
		}
	}
	if (n < 0)
		return -1;
	if (found.n > 1)
		qsort(found.v, found.n, sizeof(*found.v), by_name);
	*ret = (struct tree_entries){ .v = found.v, .n = found.n };
	return 0;
}

static int dir_list(struct tree *t, const char *path, struct arena *mem,
		    struct tree_entries *ret, struct err *e)
{
	struct dir *d = dir_of(t);
	int at CLEANUP(fd_closep) = -1, fd CLEANUP(fd_closep) = -1;

	at = dir_openat_root(d, path, O_PATH | O_DIRECTORY);
	if (at >= 0)
		fd = dir_openat(at, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0 || dir_entries(fd, mem, ret))
		return dir_fail(d, "list", path, errno, e);
	return 0;
}

static const struct {
	const char *text;
	int code;
} not_regular[] = {
	[S_IFIFO >> 12] = { "it is a FIFO", EINVAL },
	[S_IFCHR >> 12] = { "it is a character device", EINVAL },
	[S_IFDIR >> 12] = { "it is a directory", EISDIR },
	[S_IFBLK >> 12] = { "it is a block device", EINVAL },
	[S_IFLNK >> 12] = { "it is a link", ELOOP },
	[S_IFSOCK >> 12] = { "it is a socket", EINVAL },
};

static int refuse(uint32_t mode, const char *name, struct err *e)
{
	size_t i = (mode & S_IFMT) >> 12;

	if (i >= COUNT(not_regular) || !not_regular[i].text)
		return err_set(e, EINVAL, "read %s", name);
	err_fill(e, 0, "read %s: %s", name, not_regular[i].text);
	e->code = not_regular[i].code;
	return -1;
}

int dir_reopen(int fd, const char *name, struct tree_stat *ret, struct err *e)
{
	char proc[PROC_PATH];
	struct tree_stat st;
	int file;

	if (dir_statx(fd, "", &st))
		return err_set(e, errno, "stat %s", name);
	if (!S_ISREG(st.mode))
		return refuse(st.mode, name, e);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	file = dir_openat(AT_FDCWD, proc, O_RDONLY);
	if (file < 0)
		return err_set(e, errno, "open %s", name);
	*ret = st;
	return file;
}

static int too_large(size_t max, const char *name, struct err *e)
{
	err_fill(e, 0, "read %s: it is larger than %zu bytes", name, max);
	e->code = EFBIG;
	return -1;
}

/*
 * Sizes lie (files of /proc are 0 long, others grow): reads to the end, and
 * one byte beyond max to see that there is more.
 */
static int read_whole(int fd, const char *name, size_t max, struct buf *ret,
		      struct err *e)
{
	char bytes[64 << 10];

	for (;;) {
		size_t left = max - ret->n, want = sizeof(bytes);
		ssize_t n;

		if (left < want)
			want = left + 1;
		n = read(fd, bytes, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read %s", name);
		if (n == 0)
			return 0;
		if ((size_t)n > left)
			return too_large(max, name, e);
		buf_add(ret, bytes, (size_t)n);
	}
}

static int dir_read(struct tree *t, const char *path, size_t max,
		    struct arena *mem, struct slice *ret, struct err *e)
{
	struct dir *d = dir_of(t);
	struct arena *tmp CLEANUP(arena_freep) = arena_new();
	struct buf data CLEANUP(buf_done) = { 0 };
	int at CLEANUP(fd_closep) = dir_openat_root(d, path, O_PATH);
	int fd CLEANUP(fd_closep) = -1;
	const char *name = dir_show(d, path, tmp);
	struct tree_stat st;

	if (at < 0)
		return dir_fail(d, "open", path, errno, e);
	fd = dir_reopen(at, name, &st, e);
	if (fd < 0)
		return -1;
	if (st.size > max)
		return too_large(max, name, e);
	if (read_whole(fd, name, max, &data, e))
		return -1;
	*ret = (struct slice){
		.p = arena_strndup(mem, "", 0),
		.n = data.n,
	};
	if (data.n > 0)
		ret->p = arena_memdup(mem, data.p, data.n + 1);
	return 0;
}

/*
 * A path for the xattr calls, which know no O_PATH: through /proc, the last
 * step into a place is the entry itself and is not followed.
 */
static void proc_of(const struct dir_place *at, char ret[PROC_PATH])
{
	snprintf(ret, PROC_PATH, "/proc/self/fd/%d%s%s", at->fd,
		 *at->base ? "/" : "", at->base);
}

/* What xattrs are read of: a descriptor, or, when that is -1, a place. */
struct bearer {
	int fd;
	struct dir_place at;
};

static ssize_t list_xattrs(const struct bearer *b, char *names, size_t n)
{
	char proc[PROC_PATH];

	if (b->fd >= 0)
		return flistxattr(b->fd, names, n);
	proc_of(&b->at, proc);
	return *b->at.base ? llistxattr(proc, names, n) :
			     listxattr(proc, names, n);
}

static ssize_t get_xattr(const struct bearer *b, const char *name, void *value,
			 size_t n)
{
	char proc[PROC_PATH];

	if (b->fd >= 0)
		return fgetxattr(b->fd, name, value, n);
	proc_of(&b->at, proc);
	return *b->at.base ? lgetxattr(proc, name, value, n) :
			     getxattr(proc, name, value, n);
}

static int xattr_by_name(const void *a, const void *b)
{
	const struct tree_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/*
 * Most lists and values are short: what does not fit into FEW bytes on the
 * stack is read again into mem.
 */
static ssize_t get_value(const struct bearer *b, const char *name,
			 struct arena *mem, const void **ret)
{
	char few[FEW];
	ssize_t n = get_xattr(b, name, few, sizeof(few));
	void *all;

	if (n >= 0) {
		*ret = arena_memdup(mem, few, (size_t)n);
		return n;
	}
	if (errno != ERANGE)
		return -1;
	all = arena_alloc(mem, XATTR_SIZE_MAX);
	n = get_xattr(b, name, all, XATTR_SIZE_MAX);
	*ret = all;
	return n;
}

/* Those of the n bytes of names; gone by now is fine. -1 with errno. */
static int read_xattrs(const struct bearer *b, const char *names, size_t n,
		       struct arena *mem, struct tree_xattrs *ret)
{
	VEC(struct tree_xattr) found = { 0 };

	for (const char *s = names; s < names + n; s += strlen(s) + 1) {
		const void *value = NULL;
		ssize_t size = get_value(b, s, mem, &value);

		if (size < 0 && errno == ENODATA)
			continue;
		if (size < 0)
			return -1;
		*vec_add(mem, &found) = (struct tree_xattr){
			.name = arena_strdup(mem, s),
			.value = value,
			.size = (size_t)size,
		};
	}
	if (found.n > 1)
		qsort(found.v, found.n, sizeof(*found.v), xattr_by_name);
	*ret = (struct tree_xattrs){ .v = found.v, .n = found.n };
	return 0;
}

static int all_xattrs(const struct bearer *b, struct arena *mem,
		      struct tree_xattrs *ret)
{
	struct arena *tmp CLEANUP(arena_freep) = NULL;
	char few[FEW], *names = few;
	ssize_t n = list_xattrs(b, few, sizeof(few));

	if (n < 0 && errno == ERANGE) {
		tmp = arena_new();
		names = arena_alloc(tmp, XATTR_LIST_MAX);
		n = list_xattrs(b, names, XATTR_LIST_MAX);
	}
	if (n < 0 && errno == ENOTSUP)
		n = 0;
	return n < 0 ? -1 : read_xattrs(b, names, (size_t)n, mem, ret);
}

static int dir_xattrs(struct tree *t, const char *path, struct arena *mem,
		      struct tree_xattrs *ret, struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = NOWHERE;
	struct dir *d = dir_of(t);
	struct bearer b = { .fd = -1 };

	if (dir_is_open(d, path))
		b.fd = d->entry_fd;
	else if (dir_place(d, path, &at))
		return dir_fail(d, "xattrs of", path, errno, e);
	b.at = at;
	if (all_xattrs(&b, mem, ret))
		return dir_fail(d, "xattrs of", path, errno, e);
	return 0;
}

/* Flags need a real descriptor; links and nodes have none to offer. */
static int get_flags(const struct dir_place *at, uint32_t *ret)
{
	int fd CLEANUP(fd_closep) = -1;
	struct tree_stat st;
	char proc[PROC_PATH];
	int path CLEANUP(fd_closep) = openat(at->fd, *at->base ? at->base : ".",
					     O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int flags = 0;

	if (path < 0 || dir_statx(path, "", &st))
		return -1;
	if (!S_ISREG(st.mode) && !S_ISDIR(st.mode)) {
		*ret = 0;
		return 0;
	}
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", path);
	fd = dir_openat(AT_FDCWD, proc, O_RDONLY);
	if (fd < 0)
		return -1;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) && errno != ENOTTY &&
	    errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	*ret = (uint32_t)flags;
	return 0;
}

static int dir_flags(struct tree *t, const char *path, uint32_t *ret,
		     struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = NOWHERE;
	struct dir *d = dir_of(t);

	if (dir_place(d, path, &at) || get_flags(&at, ret))
		return dir_fail(d, "flags of", path, errno, e);
	return 0;
}

static void dir_close(struct tree *t)
{
	fd_closep(&dir_of(t)->root);
}

static int dir_sub(struct tree *t, const char *path, struct tree **ret,
		   struct err *e);

static const struct tree_ops dir_ops = {
	.close = dir_close,
	.sub = dir_sub,
	.stat = dir_stat,
	.lstat = dir_lstat,
	.readlink = dir_readlink,
	.resolve = dir_resolve,
	.list = dir_list,
	.read = dir_read,
	.xattrs = dir_xattrs,
	.flags = dir_flags,
	.walk = dir_walk,
	.file_open = dir_file_open,
	.file_close = dir_file_close,
	.file_stat = dir_file_stat,
	.file_read = dir_file_read,
	.file_try = dir_file_try,
	.file_expect = dir_file_expect,
	.file_next = dir_file_next,
	.file_fd = dir_file_fd,
};

/* Takes over root; name is copied. */
static struct tree *dir_new(int root, const char *name)
{
	struct arena *mem = arena_new();
	struct dir *d = arena_alloc(mem, sizeof(*d));

	d->tree.ops = &dir_ops;
	d->tree.mem = mem;
	d->tree.name = arena_strdup(mem, name);
	d->root = root;
	d->cwd_fd = d->entry_fd = -1;
	return &d->tree;
}

static int dir_sub(struct tree *t, const char *path, struct tree **ret,
		   struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct dir *d = dir_of(t);
	int fd = dir_openat_root(d, path, O_PATH | O_DIRECTORY);

	if (fd < 0)
		return dir_fail(d, "open", path, errno, e);
	*ret = dir_new(fd, full_name(d, path, mem));
	(*ret)->still = t->still;
	return 0;
}

int dir_open(const char *path, struct tree **ret, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	*ret = dir_new(fd, path);
	return 0;
}
