/*
 * A sink that is a directory tree. It is made beside its place, in a
 * directory that nobody else may enter, and every step is one name in a
 * directory held open, so that depth has no bound and no link is followed.
 *
 * Of a file or directory, owner, mode, xattrs and time are set last: writing
 * would take capabilities off a file, what is made in a directory changes its
 * time and would inherit its default ACL.
 */
#include "pack/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "pack/order.h"

enum {
	MAX_OPEN = 64, /* directories; higher ones are opened again by ".." */
	PROC_PATH = sizeof("/proc/self/fd/") + 11 + 1 + NAME_MAX,
};

/* A file or directory whose metadata are still to be set. */
struct plot {
	struct arena *mem;
	const char *path; /* as in the tree */
	size_t path_n;
	struct tree_stat st;
	struct tree_xattrs xattrs;
	int fd; /* of a directory: -1 while it is not open */
};

struct plant {
	struct sink sink;
	struct arena *mem;
	int dirfd; /* borrowed */
	const char *name, *temporary;
	bool is_there; /* the temporary directory */
	int (*file_fd)(const struct tree_file *f);
	int root;
	VEC(struct plot) dirs; /* those above the member, the root first */
	struct plot file;      /* being written; fd -1: none */
	bool cloned;
	uint64_t bytes;
};

static struct plant *plant_of(struct sink *s)
{
	return (struct plant *)s;
}

static int fail(const char *what, const char *path, struct err *e)
{
	int code = errno;
	struct arena *mem CLEANUP(arena_freep) = arena_new();

	return err_set(e, code, "%s /%s", what,
		       str_show(mem, path, strlen(path), 300));
}

static struct plot plot_new(const struct member *m, int fd)
{
	struct plot x = { .mem = arena_new(), .st = m->st, .fd = fd };

	x.path = arena_strdup(x.mem, m->path);
	x.path_n = strlen(m->path);
	x.xattrs.n = m->xattrs.n;
	x.xattrs.v = arena_memdup(x.mem, m->xattrs.v,
				  m->xattrs.n * sizeof(*m->xattrs.v));
	for (size_t i = 0; i < x.xattrs.n; i++) {
		struct tree_xattr *a = &x.xattrs.v[i];

		a->name = arena_strdup(x.mem, a->name);
		a->value = arena_memdup(x.mem, a->value, a->size);
	}
	return x;
}

static void plot_done(struct plot *x)
{
	fd_closep(&x->fd);
	arena_freep(&x->mem);
}

/* Sets what may only be set when the content is there; x->fd is open. */
static int plot_finish(struct plot *x, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   x->st.mtime };

	if (fchown(x->fd, x->st.uid, x->st.gid))
		return fail("set the owner of", x->path, e);
	for (size_t i = 0; i < x->xattrs.n; i++) {
		const struct tree_xattr *a = &x->xattrs.v[i];

		if (fsetxattr(x->fd, a->name, a->value, a->size, 0)) {
			fail("on", x->path, e);
			return err_wrap(e, "set %s", a->name);
		}
	}
	if (fchmod(x->fd, x->st.mode & 07777))
		return fail("set the mode of", x->path, e);
	if (futimens(x->fd, times))
		return fail("set the time of", x->path, e);
	return 0;
}

static int finish_file(struct plant *p, struct err *e)
{
	int r = 0;

	if (p->file.fd >= 0)
		r = plot_finish(&p->file, e);
	plot_done(&p->file);
	return r;
}

static struct plot *top(struct plant *p)
{
	return p->dirs.n > 0 ? &p->dirs.v[p->dirs.n - 1] : NULL;
}

/* The last directory is complete: back to the one that holds it. */
static int leave(struct plant *p, struct err *e)
{
	struct plot done = p->dirs.v[--p->dirs.n];
	struct plot *up;
	int r = plot_finish(&done, e);

	up = top(p);
	if (r == 0 && up && up->fd < 0) {
		up->fd = openat(done.fd, "..",
				O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up->fd < 0)
			r = fail("open", up->path, e);
	}
	plot_done(&done);
	return r;
}

/* Leaves directories until the last one holds path; NULL: all. */
static int leave_to(struct plant *p, const char *path, struct err *e)
{
	while (p->dirs.n > 0 && (!path || !order_beneath(path, top(p)->path)))
		if (leave(p, e))
			return -1;
	return 0;
}

/* Makes the directory fd the last one; takes fd over. */
static void enter(struct plant *p, const struct member *m, int fd)
{
	*vec_add(p->mem, &p->dirs) = plot_new(m, fd);
	if (p->dirs.n > MAX_OPEN)
		fd_closep(&p->dirs.v[p->dirs.n - 1 - MAX_OPEN].fd);
}

static int put_dir(struct plant *p, int at, const struct member *m,
		   struct err *e)
{
	const char *base = str_base(m->path);
	int fd;

	if (*m->path == '\0') { /* the root is made already */
		enter(p, m, fcntl(p->root, F_DUPFD_CLOEXEC, 0));
		return 0;
	}
	if (mkdirat(at, base, 0700))
		return fail("make", m->path, e);
	fd = openat(at, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail("open", m->path, e);
	enter(p, m, fd);
	return 0;
}

/* Shares the blocks of the source, where the file system can. */
static bool clone_file(struct plant *p, const struct member *m)
{
	int source = m->file && p->file_fd ? p->file_fd(m->file) : -1;

	return source >= 0 && m->st.size > 0 &&
	       ioctl(p->file.fd, FICLONE, source) == 0;
}

static int put_file(struct plant *p, int at, const struct member *m,
		    struct err *e)
{
	int fd = openat(at, str_base(m->path),
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);

	if (fd < 0)
		return fail("create", m->path, e);
	p->file = plot_new(m, fd);
	p->cloned = clone_file(p, m);
	if (ftruncate(fd, (off_t)m->st.size))
		return fail("set the size of", m->path, e);
	return 0;
}

/* Opens the directory of path, which may be longer than PATH_MAX. */
static int open_parent(struct plant *p, const char *path)
{
	int at CLEANUP(fd_closep) = fcntl(p->root, F_DUPFD_CLOEXEC, 0);
	size_t left = (size_t)(str_base(path) - path);
	char piece[PATH_MAX];

	while (left > 0 && at >= 0) {
		size_t n = left < PATH_MAX ? left : PATH_MAX - 1;
		int next;

		while (path[n - 1] != '/')
			n--;
		memcpy(piece, path, n);
		piece[n] = '\0';
		next = fd_open_in_nolinks(at, piece, O_PATH | O_DIRECTORY);
		fd_closep(&at);
		at = next;
		path += n;
		left -= n;
	}
	return fd_steal(&at);
}

static int put_hardlink(struct plant *p, int at, const struct member *m,
			struct err *e)
{
	int from CLEANUP(fd_closep) = open_parent(p, m->first);

	if (from < 0 ||
	    linkat(from, str_base(m->first), at, str_base(m->path), 0))
		return fail("link", m->path, e);
	return 0;
}

static int set_link_xattrs(int at, const struct member *m, struct err *e)
{
	char proc[PROC_PATH];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", at,
		 str_base(m->path));
	for (size_t i = 0; i < m->xattrs.n; i++) {
		const struct tree_xattr *a = &m->xattrs.v[i];

		if (lsetxattr(proc, a->name, a->value, a->size, 0)) {
			fail("on", m->path, e);
			return err_wrap(e, "set %s", a->name);
		}
	}
	return 0;
}

/* Links, FIFOs, nodes: done at once. */
static int put_other(struct plant *p UNUSED, int at, const struct member *m,
		     struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   m->st.mtime };
	const char *base = str_base(m->path);
	bool is_link = S_ISLNK(m->st.mode);
	dev_t dev = makedev(m->st.rdev_major, m->st.rdev_minor);

	if (is_link ? symlinkat(m->target, at, base) :
		      mknodat(at, base, (m->st.mode & S_IFMT) | 0600, dev))
		return fail("make", m->path, e);
	if (fchownat(at, base, m->st.uid, m->st.gid, AT_SYMLINK_NOFOLLOW))
		return fail("set the owner of", m->path, e);
	if (set_link_xattrs(at, m, e))
		return -1;
	if (!is_link && fchmodat(at, base, m->st.mode & 07777, 0))
		return fail("set the mode of", m->path, e);
	if (utimensat(at, base, times, AT_SYMLINK_NOFOLLOW))
		return fail("set the time of", m->path, e);
	return 0;
}

static int put_member(struct sink *s, const struct member *m, struct err *e)
{
	struct plant *p = plant_of(s);
	int at;

	if (finish_file(p, e) || leave_to(p, m->path, e))
		return -1;
	at = p->dirs.n > 0 ? top(p)->fd : p->root;
	if (m->first)
		return put_hardlink(p, at, m, e);
	if (S_ISDIR(m->st.mode))
		return put_dir(p, at, m, e);
	if (S_ISREG(m->st.mode))
		return put_file(p, at, m, e);
	return put_other(p, at, m, e);
}

static int put_data(struct sink *s, uint64_t at, const void *data, size_t n,
		    struct err *e)
{
	struct plant *p = plant_of(s);
	const char *from = data;

	p->bytes += n;
	if (p->cloned)
		return 0;
	while (n > 0) {
		ssize_t done = pwrite(p->file.fd, from, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return fail("write", p->file.path, e);
		from += done;
		at += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

static int finish(struct sink *s, struct out_totals *ret, struct err *e)
{
	struct plant *p = plant_of(s);

	if (finish_file(p, e) || leave_to(p, NULL, e))
		return -1;
	if (syncfs(p->root))
		return err_set(e, errno, "sync %s", p->name);
	*ret = (struct out_totals){ .bytes_tar = p->bytes };
	return 0;
}

/* One that is there already changes places with the new one, then goes. */
static int place(struct sink *s, struct err *e)
{
	struct plant *p = plant_of(s);

	if (renameat2(p->dirfd, p->temporary, p->dirfd, p->name,
		      RENAME_NOREPLACE) == 0) {
		p->is_there = false;
		return 0;
	}
	if (errno != EEXIST || renameat2(p->dirfd, p->temporary, p->dirfd,
					 p->name, RENAME_EXCHANGE))
		return err_set(e, errno, "rename to %s", p->name);
	return 0; /* the old one has the temporary name now */
}

static void close_sink(struct sink *s)
{
	struct plant *p = plant_of(s);
	struct err ignored;

	plot_done(&p->file);
	for (size_t i = 0; i < p->dirs.n; i++)
		plot_done(&p->dirs.v[i]);
	fd_closep(&p->root);
	if (p->is_there)
		fd_remove_tree(p->dirfd, p->temporary, &ignored);
	arena_free(p->mem);
}

static const struct sink_ops ops = {
	.member = put_member,
	.data = put_data,
	.finish = finish,
	.place = place,
	.close = close_sink,
};

static int make_root(struct plant *p, struct err *e)
{
	unsigned random;
	int r;

	if (geteuid() != 0)
		return err_set(e, EPERM,
			       "write %s as a tree: its owners need root",
			       p->name);
	do {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_set(e, errno, "get random bytes");
		p->temporary =
			arena_printf(p->mem, ".%s.%08x", p->name, random);
		r = mkdirat(p->dirfd, p->temporary, 0700);
	} while (r && errno == EEXIST);
	if (r)
		return err_set(e, errno, "make %s", p->temporary);
	p->is_there = true;
	p->root = openat(p->dirfd, p->temporary,
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->root < 0 ? err_set(e, errno, "open %s", p->temporary) : 0;
}

int plant_open(int dirfd, const char *name,
	       int (*file_fd)(const struct tree_file *f), struct sink **ret,
	       struct err *e)
{
	struct arena *mem = arena_new();
	struct plant *p = arena_alloc(mem, sizeof(*p));

	p->sink.ops = &ops;
	p->mem = mem;
	p->dirfd = dirfd;
	p->name = arena_strdup(mem, name);
	p->file_fd = file_fd;
	p->root = p->file.fd = -1;
	if (*name == '\0' || strchr(name, '/'))
		err_fill(e, EINVAL, "make tree \"%s\"", name);
	else if (make_root(p, e) == 0) {
		*ret = &p->sink;
		return 0;
	}
	close_sink(&p->sink);
	return -1;
}
