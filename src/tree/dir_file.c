/* A regular file of a directory tree, read in pieces. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "tree/dir.h"

struct dir_file {
	struct tree_file file;
	int fd;
};

static int fd_of(const struct tree_file *f)
{
	return ((const struct dir_file *)f)->fd;
}

int dir_file_open(struct tree *t, const char *path, struct tree_file **ret,
		  struct err *e)
{
	struct dir_place at CLEANUP(dir_place_done) = { .owned = -1 };
	struct arena *mem CLEANUP(arena_freep) = NULL;
	struct dir *d = (struct dir *)t;
	int entry CLEANUP(fd_closep) = -1;
	struct tree_stat st;
	struct dir_file *f;

	if (dir_place(d, path, &at))
		return dir_fail(d, "open", path, errno, e);
	entry = openat(at.fd, *at.base ? at.base : ".",
		       O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (entry < 0)
		return dir_fail(d, "open", path, errno, e);
	mem = arena_new();
	f = arena_alloc(mem, sizeof(*f));
	f->file.name = dir_show(d, path, mem);
	f->fd = dir_reopen(entry, f->file.name, &st, e);
	if (f->fd < 0)
		return -1;
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
	if (dir_statx(fd_of(f), "", ret))
		return err_set(e, errno, "stat %s", f->name);
	return 0;
}

ssize_t dir_file_read(struct tree_file *f, uint64_t offset, void *data,
		      size_t n, struct err *e)
{
	ssize_t got;

	do
		got = pread(fd_of(f), data, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, errno, "read %s", f->name);
	return got;
}

/* The next stretch of data at or after `at`; 1, 0 at the end, or -1 with errno.
 */
static int next_data(int fd, off_t at, off_t size, struct tree_extent *ret)
{
	off_t data = lseek(fd, at, SEEK_DATA), hole;

	if (data < 0)
		return errno == ENXIO ? 0 : -1;
	if (data >= size)
		return 0;
	hole = lseek(fd, data, SEEK_HOLE);
	if (hole < 0)
		return -1;
	if (hole > size)
		hole = size;
	ret->offset = (uint64_t)data;
	ret->length = (uint64_t)(hole - data);
	return 1;
}

int dir_file_extents(struct tree_file *f, struct arena *mem,
		     struct tree_extent **ret, size_t *ret_n, struct err *e)
{
	VEC(struct tree_extent) found = { 0 };
	struct tree_extent x = { 0 };
	struct tree_stat st;
	int r = 1;

	if (dir_file_stat(f, &st, e))
		return -1;
	/* a file that has all its blocks is not asked for its holes */
	if (st.blocks * 512 >= st.size && st.size > 0) {
		x.length = st.size;
		*vec_add(mem, &found) = x;
		r = 0;
	}
	while (r > 0 && x.offset + x.length < st.size) {
		r = next_data(fd_of(f), (off_t)(x.offset + x.length),
			      (off_t)st.size, &x);
		if (r > 0)
			*vec_add(mem, &found) = x;
	}
	if (r < 0)
		return err_set(e, errno, "holes of %s", f->name);
	*ret = found.v;
	*ret_n = found.n;
	return 0;
}
