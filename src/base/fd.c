/*
 * Descriptors. What opens beneath a root asks the kernel to stay there; where
 * the kernel cannot, it is done a component at a time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/str.h"

enum {
	LINKS_MAX = 40,    /* as the kernel's own limit */
	RETRIES = 16,      /* of openat2 while others rename directories */
	TEMP_NAMES = 1000, /* tried until one is free */
};

void fd_closep(int *fd)
{
	const int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_steal(int *fd)
{
	const int stolen = *fd;

	*fd = -1;
	return stolen;
}

static int sys_openat2(int dir, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = resolve,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* Whether openat2 failed because it is not there or a sandbox forbids it. */
static bool is_lacking(int code)
{
	return code == ENOSYS || code == EPERM;
}

/* A path on its way: how far it got, and what is left of it. */
struct walk {
	int root;        /* borrowed */
	int at;          /* directory reached so far; -1: root itself */
	struct buf done; /* its path, plain names each after a '/' */
	struct buf todo;
	unsigned links; /* may still be followed */
};

static void walk_done(struct walk *w)
{
	fd_closep(&w->at);
	buf_done(&w->done);
	buf_done(&w->todo);
}

static int here(const struct walk *w)
{
	return w->at >= 0 ? w->at : w->root;
}

static void enter(struct walk *w, int *fd)
{
	fd_closep(&w->at);
	w->at = fd_steal(fd);
}

static void to_root(struct walk *w)
{
	fd_closep(&w->at);
	buf_clear(&w->done);
}

static int enter_plain(struct walk *w, const char *name)
{
	int fd CLEANUP(fd_closep) = openat(
		here(w), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	enter(w, &fd);
	buf_printf(&w->done, "/%s", name);
	return 0;
}

/*
 * One up, but from the root down again: openat(".."), when others move the
 * directory meanwhile, could lead out.
 */
static int enter_parent(struct walk *w)
{
	struct buf path CLEANUP(buf_done) = { 0 };
	const char *slash = strrchr(buf_str(&w->done), '/');
	struct slice rest, name;
	char text[NAME_MAX + 1];

	if (slash == NULL) /* the root is its own parent */
		return 0;
	buf_add(&path, w->done.p, (size_t)(slash - w->done.p));
	rest = (struct slice){ buf_str(&path), path.n };
	to_root(w);
	while (slice_next(&rest, '/', &name)) {
		if (name.n == 0)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
		if (enter_plain(w, text))
			return -1;
	}
	return 0;
}

/* Puts the target of the link before what is left. */
static int follow(struct walk *w, int link)
{
	struct buf todo = { 0 };
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));

	if (n < 0)
		return -1;
	if (n == 0 || w->links-- == 0) {
		errno = n == 0 ? ENOENT : ELOOP;
		return -1;
	}
	if (target[0] == '/')
		to_root(w);
	buf_add(&todo, target, (size_t)n);
	buf_adds(&todo, buf_str(&w->todo));
	buf_done(&w->todo);
	w->todo = todo;
	return 0;
}

/*
 * Takes the next component off w->todo; what is left begins with '/' or is
 * empty. 1, or 0 at the end of the path, or -1 with errno.
 */
static int next_name(struct walk *w, char ret[NAME_MAX + 1])
{
	const char *p = buf_str(&w->todo);
	struct buf rest = { 0 };
	size_t n;

	p += strspn(p, "/");
	n = strcspn(p, "/");
	if (n > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(ret, p, n);
	ret[n] = '\0';
	buf_adds(&rest, p + n);
	buf_done(&w->todo);
	w->todo = rest;
	return n > 0;
}

/* Whether a link that the path ends in is itself what is meant. */
static bool wants_link(int flags)
{
	const int excl = O_CREAT | O_EXCL;

	return flags & O_NOFOLLOW || (flags & excl) == excl;
}

/*
 * Goes into name. When it is what the path ends in, sets *ret_last instead:
 * the caller opens it with the flags it was given.
 */
static int step(struct walk *w, const char *name, int flags, bool *ret_last)
{
	const bool last = buf_str(&w->todo)[0] == '\0';
	int fd CLEANUP(fd_closep) = -1;
	struct stat st;

	if (str_eq(name, "."))
		return 0;
	if (str_eq(name, ".."))
		return enter_parent(w);
	fd = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && last) {
		*ret_last = true; /* O_CREAT may make it */
		return 0;
	}
	if (fd < 0 || fstat(fd, &st))
		return -1;
	if (S_ISLNK(st.st_mode) && !(last && wants_link(flags)))
		return follow(w, fd);
	if (!last && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	*ret_last = last;
	if (last)
		return 0;
	enter(w, &fd);
	buf_printf(&w->done, "/%s", name);
	return 0;
}

int fd_open_in_walk(int root, const char *path, int flags, bool links)
{
	struct walk w CLEANUP(walk_done) = { .root = root, .at = -1 };
	char name[NAME_MAX + 1] = "";
	bool last = false;
	int more = 1;

	if (path[0] == '\0' || strlen(path) >= PATH_MAX) {
		errno = path[0] == '\0' ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	w.links = links ? LINKS_MAX : 0;
	buf_adds(&w.todo, path);
	while (!last && (more = next_name(&w, name)) == 1)
		if (step(&w, name, flags, &last))
			return -1;
	if (more < 0)
		return -1;
	return openat(here(&w), last ? name : ".",
		      flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int open_in(int root, const char *path, int flags, bool links)
{
	const uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
				 (links ? 0 : (uint64_t)RESOLVE_NO_SYMLINKS);
	int fd = -1;

	errno = EAGAIN;
	for (int i = 0; i < RETRIES && fd < 0 && errno == EAGAIN; i++)
		fd = sys_openat2(root, path, flags, resolve);
	if (fd < 0 && (is_lacking(errno) || errno == EAGAIN))
		return fd_open_in_walk(root, path, flags, links);
	return fd;
}

int fd_open_in(int root, const char *path, int flags)
{
	return open_in(root, path, flags, true);
}

int fd_open_in_nolinks(int root, const char *path, int flags)
{
	return open_in(root, path, flags, false);
}

int fd_write_all(int fd, const void *data, size_t n, const char *path,
		 struct err *e)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(e, errno, "write %s", path);
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The part of path up to its last '/', of which "" is none. */
static char *parent_of(struct arena *mem, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;

	return arena_strndup(mem, path, n);
}

/* A new file beside name; *ret_temp is what it is called. */
static int make_temp(int dir, const char *name, struct arena *mem,
		     const char **ret_temp, struct err *e)
{
	const char *parent = parent_of(mem, name);

	for (int i = 0; i < TEMP_NAMES; i++) {
		const char *temp = arena_printf(mem, "%s.rehost-%ld-%d.tmp",
						parent, (long)getpid(), i);
		int fd = openat(dir, temp,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return err_set(e, errno, "create %s", temp);
		*ret_temp = temp;
		return fd;
	}
	return err_set(e, EEXIST, "create a temporary file for %s", name);
}

int fd_replace(int dir, const char *name, const void *data, size_t n,
	       struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const char *temp = NULL;
	int fd CLEANUP(fd_closep) = make_temp(dir, name, mem, &temp, e);
	int failed;

	if (fd < 0)
		return -1;
	failed = fd_write_all(fd, data, n, name, e);
	/* else a crash could leave the new name with no bytes in it */
	if (!failed && fdatasync(fd))
		failed = err_set(e, errno, "sync %s", name);
	if (!failed && renameat(dir, temp, dir, name))
		failed = err_set(e, errno, "rename %s to %s", temp, name);
	if (failed)
		unlinkat(dir, temp, 0);
	return failed;
}

/* Whether make_temp gave the name, in a process that is no more. */
static bool is_stale_temp(const char *name)
{
	static const char before[] = ".rehost-";
	char text[16];
	uint64_t pid;
	struct err e;
	size_t n;

	if (!str_starts(name, before) || !str_ends(name, ".tmp"))
		return false;
	name += sizeof(before) - 1;
	n = strcspn(name, "-");
	if (n >= sizeof(text))
		return false;
	memcpy(text, name, n);
	text[n] = '\0';
	return num_u64(text, &pid, &e) == 0 && pid > 0 && pid <= INT_MAX &&
	       kill((pid_t)pid, 0) && errno == ESRCH;
}

int fd_remove_temps(int dir, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (d == NULL) {
		err_fill(e, errno, "list what was left");
		fd_closep(&fd);
		return -1;
	}
	while (r == 0 && (entry = readdir(d)) != NULL)
		if (is_stale_temp(entry->d_name) &&
		    unlinkat(dir, entry->d_name, 0) && errno != ENOENT)
			r = err_set(e, errno, "remove %s", entry->d_name);
	closedir(d);
	return r;
}

/* Makes name in the directory at, and returns it, or -1 with errno. */
static int mkdir_open(int at, struct slice name)
{
	char text[NAME_MAX + 1];

	if (slice_eq(name, "..") || name.n > NAME_MAX) {
		errno = name.n > NAME_MAX ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
	if (mkdirat(at, text, 0700) && errno != EEXIST)
		return -1;
	return openat(at, text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int fd_mkdirs(int dir, const char *path, struct err *e)
{
	struct slice rest = { path, strlen(path) }, name;
	int at CLEANUP(fd_closep) = -1;

	if (path[0] == '/')
		return err_set(e, EINVAL, "mkdir %s", path);
	while (slice_next(&rest, '/', &name)) {
		int next;

		if (name.n == 0 || slice_eq(name, "."))
			continue;
		next = mkdir_open(at < 0 ? dir : at, name);
		if (next < 0)
			return err_set(e, errno, "mkdir %s", path);
		fd_closep(&at);
		at = next;
	}
	return 0;
}

/* A directory that is being emptied, and where it is. */
struct level {
	char name[NAME_MAX + 1];
	dev_t dev; /* of the directory it is in, as ino */
	ino_t ino;
	unsigned rescans;
};

/* A handful of descriptors, however deep the tree is. */
struct removal {
	int above; /* the directory that the last level is in */
	VEC(struct level) levels;
	struct arena *mem;
};

static void removal_done(struct removal *r)
{
	fd_closep(&r->above);
	arena_freep(&r->mem);
}

static int push_level(struct removal *r, const char *name)
{
	struct level *l;
	struct stat st;

	if (fstat(r->above, &st))
		return -1;
	l = vec_add(r->mem, &r->levels);
	*l = (struct level){ .dev = st.st_dev, .ino = st.st_ino };
	snprintf(l->name, sizeof(l->name), "%s", name);
	return 0;
}

/* Leaves the last level, and sees to it that ".." is still where it was. */
static int pop_level(struct removal *r)
{
	int up CLEANUP(fd_closep) = -1;
	const struct level *l;
	struct stat st;

	if (--r->levels.n == 0)
		return 0;
	l = &r->levels.v[r->levels.n - 1];
	up = openat(r->above, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (up < 0 || fstat(up, &st))
		return -1;
	if (st.st_dev != l->dev || st.st_ino != l->ino) {
		errno = ESTALE;
		return -1;
	}
	fd_closep(&r->above);
	r->above = fd_steal(&up);
	return 0;
}

/* Opens a directory for reading, but no link and nothing mounted there. */
static int open_level(int at, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = sys_openat2(at, name, flags,
			     RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	struct stat outer, inner;

	if (fd >= 0 || !is_lacking(errno))
		return fd;
	fd = openat(at, name, flags);
	if (fd >= 0 && (fstatat(at, "", &outer, AT_EMPTY_PATH) ||
			fstat(fd, &inner) || outer.st_dev != inner.st_dev)) {
		fd_closep(&fd);
		errno = EXDEV;
	}
	return fd;
}

/* 0 when name is gone, 1 when it is a directory with something in it. */
static int unlink_one(int at, const char *name)
{
	int code;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	code = errno;
	if (code != EISDIR && code != EPERM)
		return -1;
	if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	if (errno == ENOTDIR)
		errno = code;
	return -1;
}

static void dir_closep(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* A stream of its own, since closedir takes the descriptor with it. */
static DIR *open_dir(int at)
{
	int fd CLEANUP(fd_closep) =
		openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d != NULL)
		fd_steal(&fd);
	return d;
}

/*
 * Removes what is in the directory. 1 with the name of a directory that has
 * to be emptied first, 0 when all was removed, -1 with errno.
 */
static int sweep(int fd, char ret[NAME_MAX + 1])
{
	DIR *d CLEANUP(dir_closep) = open_dir(fd);
	const struct dirent *entry;

	if (d == NULL)
		return -1;
	while (errno = 0, (entry = readdir(d)) != NULL) {
		int left;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		left = unlink_one(fd, entry->d_name);
		if (left > 0)
			snprintf(ret, NAME_MAX + 1, "%s", entry->d_name);
		if (left != 0)
			return left;
	}
	return errno == 0 ? 0 : -1;
}

/* Goes one directory down, or removes the last level and goes one up. */
static int remove_some(struct removal *r)
{
	struct level *l = &r->levels.v[r->levels.n - 1];
	int fd CLEANUP(fd_closep) = open_level(r->above, l->name);
	char child[NAME_MAX + 1];
	int left;

	if (fd < 0)
		return errno == ENOENT ? pop_level(r) : -1;
	left = sweep(fd, child);
	if (left < 0)
		return -1;
	if (left > 0) {
		fd_closep(&r->above);
		r->above = fd_steal(&fd);
		return push_level(r, child);
	}
	left = unlink_one(r->above, l->name);
	if (left == 0)
		return pop_level(r);
	/* somebody else is filling it */
	if (left > 0 && l->rescans++ < RETRIES)
		return 0;
	return -1;
}

int fd_remove_tree(int dir, const char *name, struct err *e)
{
	struct removal r CLEANUP(removal_done) = { .mem = arena_new() };
	char *path = arena_strdup(r.mem, name);
	size_t n = strlen(path);
	const char *parent, *last;
	int left;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	parent = parent_of(r.mem, path);
	last = path + strlen(parent);
	if (*last == '\0' || str_eq(last, ".") || str_eq(last, ".."))
		return err_set(e, EINVAL, "remove \"%s\"", name);
	r.above = openat(dir, *parent == '\0' ? "." : parent,
			 O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r.above < 0)
		return errno == ENOENT ? 0 :
					 err_set(e, errno, "remove %s", name);
	left = unlink_one(r.above, last);
	if (left < 0 || (left > 0 && push_level(&r, last)))
		return err_set(e, errno, "remove %s", name);
	while (r.levels.n > 0)
		if (remove_some(&r))
			return err_set(e, errno, "remove %s", name);
	return 0;
}
