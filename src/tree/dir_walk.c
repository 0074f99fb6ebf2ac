/*
 * Walking a directory tree by descriptors: every step is one name in a
 * directory held open, so that depth has no bound and a directory swapped for
 * a link is refused (O_NOFOLLOW), not followed. Only the lowest MAX_OPEN
 * directories stay open; one higher up is opened again through ".." and must
 * be the one that was left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tree/dir.h"

enum {
	MAX_OPEN = 32,
	KNOWN = 1 << 14, /* places, a power of two */
};

struct frame {
	struct arena *mem; /* of the entries */
	struct tree_entries list;
	size_t next;   /* entry to visit next */
	size_t path_n; /* how much of the walk's path names this directory */
	uint64_t dev, ino;
	int fd; /* -1 while it is not open */
};

struct walk {
	struct dir *d;
	const struct tree_visitor *visitor;
	bool one_fs;
	uint64_t dev;    /* of the start */
	struct buf path; /* start, a slash, and where we are beneath it */
	size_t start_n;  /* where the part begins that visitors see */
	struct arena *mem;
	/*
	 * Inodes that have more names than the one visited, each in the place
	 * its number gives, where the last one stays: who walks hardly opens
	 * them again, and where one does, it costs a call more.
	 */
	uint64_t *known;
	VEC(struct frame) stack;
	struct dir outer; /* the cwd of an outer walk is put back */
};

static void frame_close(struct frame *f)
{
	fd_closep(&f->fd);
	arena_freep(&f->mem);
}

static void walk_done(struct walk *w)
{
	for (size_t i = 0; i < w->stack.n; i++)
		frame_close(&w->stack.v[i]);
	w->d->cwd = w->outer.cwd;
	w->d->cwd_n = w->outer.cwd_n;
	w->d->cwd_fd = w->outer.cwd_fd;
	w->d->entry_fd = w->outer.entry_fd;
	w->d->entry_st = w->outer.entry_st;
	buf_done(&w->path);
	arena_freep(&w->mem);
}

static struct frame *top(struct walk *w)
{
	return &w->stack.v[w->stack.n - 1];
}

static void path_cut(struct walk *w, size_t n)
{
	if (n < w->path.n)
		w->path.p[w->path.n = n] = '\0';
}

static void path_push(struct walk *w, const char *name)
{
	if (w->path.n > 0)
		buf_addc(&w->path, '/');
	buf_adds(&w->path, name);
}

static int call(struct walk *w, const struct tree_stat *st, struct err *e)
{
	const char *path = buf_str(&w->path);

	w->d->cwd = NULL;
	if (w->stack.n > 0 && top(w)->fd >= 0) {
		w->d->cwd = path;
		w->d->cwd_n = top(w)->path_n;
		w->d->cwd_fd = top(w)->fd;
	}
	if (w->path.n >= w->start_n)
		path += w->start_n;
	else
		path = ""; /* the start itself */
	return w->visitor->visit(w->visitor->arg, path, st, e);
}

/* Tells the visitor of an error; it decides whether the walk goes on. */
static int report(struct walk *w, const char *op, int code, struct err *e)
{
	int r;

	dir_fail_fill(w->d, op, buf_str(&w->path), code, e);
	r = call(w, NULL, e);
	return r < 0 ? r : 0;
}

static bool is_at(int fd, uint64_t dev, uint64_t ino)
{
	struct tree_stat st;

	return dir_statx(fd, "", &st) == 0 && st.dev == dev && st.ino == ino;
}

/* As report, but 1 when the walk goes on, past this directory. */
static int report_skip(struct walk *w, const char *op, int code, struct err *e)
{
	int r = report(w, op, code, e);

	return r < 0 ? r : 1;
}

/* Makes the directory fd the top; takes fd over. 1: not listed, reported. */
static int push(struct walk *w, int fd, const struct tree_stat *st,
		struct err *e)
{
	struct frame f = {
		.mem = arena_new(),
		.path_n = w->path.n,
		.dev = st->dev,
		.ino = st->ino,
		.fd = fd,
	};

	if (dir_entries(fd, f.mem, &f.list)) {
		int code = errno;

		frame_close(&f);
		return report_skip(w, "list", code, e);
	}
	*vec_add(w->mem, &w->stack) = f;
	if (w->stack.n > MAX_OPEN)
		fd_closep(&w->stack.v[w->stack.n - 1 - MAX_OPEN].fd);
	return 0;
}

/* Goes into the directory `name` of `at`, which st described. */
static int enter(struct walk *w, int at, const char *name,
		 const struct tree_stat *st, struct err *e)
{
	int fd = dir_openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	if (fd < 0)
		return report_skip(w, "open", errno, e);
	if (!is_at(fd, st->dev, st->ino)) {
		fd_closep(&fd);
		return report_skip(w, "open", ESTALE, e);
	}
	return push(w, fd, st, e);
}

static bool goes_into(const struct walk *w, const struct tree_stat *st)
{
	return S_ISDIR(st->mode) && (!w->one_fs || st->dev == w->dev);
}

/* Of a regular file in a tree that is still: open, else -1. */
static int open_entry(const struct walk *w, int at,
		      const struct tree_entry *entry, struct tree_stat *ret)
{
	int fd = -1;

	if (w->d->tree.still && entry->type == DT_REG &&
	    w->known[entry->ino % KNOWN] != entry->ino)
		fd = dir_openat(at, entry->name, O_RDONLY | O_NOFOLLOW);
	if (fd >= 0 && (dir_statx(fd, "", ret) || !S_ISREG(ret->mode)))
		fd_closep(&fd);
	return fd;
}

/* Names of an immutable inode are read each: they share nothing in a copy. */
static void remember(struct walk *w, const struct tree_stat *st)
{
	if (st->nlink > 1 && S_ISREG(st->mode) &&
	    !(st->flags & FS_IMMUTABLE_FL))
		w->known[st->ino % KNOWN] = st->ino;
}

/* 1: it is done; 0: it is a directory, which is the top now. */
static int visit_entry(struct walk *w, int at, const struct tree_entry *entry,
		       struct err *e)
{
	struct tree_stat st;
	int r, fd = open_entry(w, at, entry, &st);

	if (fd < 0 && dir_statx(at, entry->name, &st))
		return report_skip(w, "stat", errno, e);
	w->d->entry_fd = fd;
	w->d->entry_st = &st;
	r = call(w, &st, e);
	fd_closep(&w->d->entry_fd);
	remember(w, &st);
	if (r == 0 && goes_into(w, &st))
		return enter(w, at, entry->name, &st, e);
	return r < 0 ? r : 1;
}

static int visit_next(struct walk *w, struct err *e)
{
	struct frame *f = top(w);
	size_t path_n = f->path_n;
	const struct tree_entry *entry = &f->list.v[f->next++];
	int r;

	path_push(w, entry->name);
	r = visit_entry(w, f->fd, entry, e);
	if (r == 0)
		return 0;
	path_cut(w, path_n);
	return r < 0 ? r : 0;
}

/*
 * Opens the top again, from the directory just left or, when that was moved
 * meanwhile, from the root. 1: it is gone, which was reported.
 */
static int reopen(struct walk *w, int child, struct err *e)
{
	struct frame *f = top(w);
	int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

	f->fd = child < 0 ? -1 : openat(child, "..", flags);
	if (f->fd >= 0 && is_at(f->fd, f->dev, f->ino))
		return 0;
	fd_closep(&f->fd);
	f->fd = dir_openat_root(w->d, buf_str(&w->path), flags);
	if (f->fd >= 0 && is_at(f->fd, f->dev, f->ino))
		return 0;
	fd_closep(&f->fd);
	f->next = f->list.n;
	return report(w, "return to", ESTALE, e);
}

/* The top is done: back to what holds it. */
static int leave(struct walk *w, struct err *e)
{
	struct frame done = *top(w);
	int r = 0;

	w->stack.n--;
	if (w->stack.n > 0) {
		path_cut(w, top(w)->path_n);
		if (top(w)->fd < 0)
			r = reopen(w, done.fd, e);
	}
	frame_close(&done);
	return r;
}

static int run(struct walk *w, struct err *e)
{
	while (w->stack.n > 0) {
		struct frame *f = top(w);
		int r = f->next == f->list.n ? leave(w, e) : visit_next(w, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int start(struct walk *w, const char *path, struct err *e)
{
	int fd CLEANUP(fd_closep) = dir_openat_root(w->d, path, O_PATH);
	struct tree_stat st;
	int r;

	if (fd < 0 || dir_statx(fd, "", &st))
		return dir_fail(w->d, "walk", path, errno, e);
	w->dev = st.dev;
	r = call(w, &st, e);
	if (r != 0 || !S_ISDIR(st.mode))
		return r < 0 ? r : 0;
	r = enter(w, fd, ".", &st, e);
	return r < 0 ? r : 0;
}

/* path without slashes at either end, as the paths of entries begin. */
static void set_start(struct walk *w, const char *path)
{
	size_t n;

	while (*path == '/')
		path++;
	n = strlen(path);
	while (n > 0 && path[n - 1] == '/')
		n--;
	buf_add(&w->path, path, n);
	w->start_n = n > 0 ? n + 1 : 0;
}

int dir_walk(struct tree *t, const char *path, bool one_fs,
	     const struct tree_visitor *visitor, struct err *e)
{
	struct walk w CLEANUP(walk_done) = {
		.d = (struct dir *)t,
		.visitor = visitor,
		.one_fs = one_fs,
		.mem = arena_new(),
		.outer = *(struct dir *)t,
	};
	int r;

	w.d->entry_fd = -1;
	w.known = arena_alloc(w.mem, KNOWN * sizeof(*w.known));
	set_start(&w, path);
	r = start(&w, path, e);
	return r < 0 ? r : run(&w, e);
}
