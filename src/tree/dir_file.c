/* A regular file of a directory tree, read in pieces. */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "tree/dir.h"

struct dir_file {
	struct tree_file file;
	int fd;
};

int dir_file_fd(const struct tree_file *f)
{
	return ((const struct dir_file *)f)->fd;
}

/* The regular file at a place, held and looked at before it is opened. */
static int open_place(struct dir *d, const char *path, const char *name,
		      struct tree_stat *ret, struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = { .owned = -1 };
	int entry CLEANUP(fd_closep) = -1;

	if (dir_place(d, path, &at))
		return dir_fail(d, "open", path, errno, e);
	entry = openat(at.fd, *at.base ? at.base : ".",
		       O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (entry < 0)
		return dir_fail(d, "open", path, errno, e);
	return dir_reopen(entry, name, ret, e);
}

int dir_file_open(struct tree *t, const char *path, struct tree_file **ret,
		  struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct dir *d = (struct dir *)t;
	struct dir_file *f = arena_alloc(mem, sizeof(*f));

	f->file.name = dir_show(d, path, mem);
	if (dir_is_open(d, path)) {
		f->file.opened = *d->entry_st;
		f->fd = fd_steal(&d->entry_fd);
	} else {
		f->fd = open_place(d, path, f->file.name, &f->file.opened, e);
		if (f->fd < 0)
			return -1;
	}
	f->file.ops = t->ops;
	f->file.mem = mem;
	mem = NULL;
	*ret = &f->file;
	return 0;
}

void dir_file_close(struct tree_file *f)
{
	fd_closep(&((struct dir_file *)f)->fd);
}

int dir_file_stat(struct tree_file *f, struct tree_stat *ret, struct err *e)
{
	if (dir_statx(dir_file_fd(f), "", ret))
		return err_set(e, errno, "stat %s", f->name);
	return 0;
}

ssize_t dir_file_read(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e)
{
	ssize_t got;

	do
		got = pread(dir_file_fd(f), data, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, errno, "read %s", f->name);
	return got;
}

ssize_t dir_file_try(struct tree_file *f, uint64_t offset, void *data, size_t n,
		     struct err *e)
{
	const struct iovec to = { .iov_base = data, .iov_len = n };
	ssize_t got;

	got = preadv2(dir_file_fd(f), &to, 1, (off_t)offset, RWF_NOWAIT);
	if (got < 0)
		return err_set(e, errno, "read %s", f->name);
	return got;
}

void dir_file_expect(struct tree_file *f, uint64_t offset, uint64_t n)
{
	posix_fadvise(dir_file_fd(f), (off_t)offset, (off_t)n,
		      POSIX_FADV_WILLNEED);
}

int dir_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		  struct err *e)
{
	int fd = dir_file_fd(f);
	off_t data = lseek(fd, (off_t)at, SEEK_DATA), hole = -1;

	if (data < 0 && errno == ENXIO)
		return 0;
	if (data >= 0)
		hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0 && data >= 0 && errno == ENXIO)
		return 0; /* it became shorter */
	if (hole < 0)
		return err_set(e, errno, "holes of %s", f->name);
	ret->offset = (uint64_t)data;
	ret->length = (uint64_t)(hole - data);
	return 1;
}
