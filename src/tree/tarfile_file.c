/*
 * A regular file of an archive, read in pieces: from what the index kept of
 * it, or by the cursor, which is where the last file was read.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/attr.h"
#include "tree/tarfile.h"

/* Passes over the archive before it is said to be out of order. */
enum { PASSES_MAX = 64 };

struct open_file {
	struct tree_file file;
	struct tarfile_shared *x;
	uint32_t inode;
};

static struct open_file *of(struct tree_file *f)
{
	return (struct open_file *)f;
}

int tarfile_file_of(struct tarfile_tree *t, uint32_t inode, const char *name,
		    struct tree_file **ret, struct err *e UNUSED)
{
	struct arena *mem = arena_new();
	struct open_file *f = arena_alloc(mem, sizeof(*f));

	f->file.ops = t->tree.ops;
	f->file.mem = mem;
	f->file.name = arena_strdup(mem, name);
	f->x = tarfile_use(t->x);
	f->inode = inode;
	tarfile_stat_of(t->x, inode, &f->file.opened);
	*ret = &f->file;
	return 0;
}

void tarfile_file_close(struct tree_file *f)
{
	tarfile_drop(of(f)->x);
}

int tarfile_file_stat(struct tree_file *f, struct tree_stat *ret,
		      struct err *e UNUSED)
{
	*ret = f->opened;
	return 0;
}

int tarfile_file_fd(const struct tree_file *f UNUSED)
{
	return -1;
}

static const struct tarfile_inode *inode_of(const struct open_file *f)
{
	return tarfile_inode_at(&f->x->index, f->inode);
}

int tarfile_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		      struct err *e UNUSED)
{
	const struct tarfile_inode *i = inode_of(of(f));
	size_t low = 0, high = i->more ? i->more->n_data : 0;

	if (!i->sparse) {
		*ret = (struct tree_extent){ 0, i->size };
		return at < i->size;
	}
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct tree_extent *x = &i->more->data[mid];

		if (x->offset + x->length > at)
			high = mid;
		else
			low = mid + 1;
	}
	if (!i->more || low == i->more->n_data)
		return 0;
	*ret = i->more->data[low];
	return 1;
}

/* --- the cursor; with the lock -------------------------------------------- */

static int changed(const struct open_file *f, struct err *e)
{
	err_fill(e, 0, "read %s: the archive changed while it was read",
		 f->file.name);
	e->code = EUCLEAN;
	return -1;
}

static int start(struct open_file *f, struct err *e)
{
	struct tarfile_shared *x = f->x;

	tarfile_stream_closep(&x->cursor);
	x->piece = (struct slice){ 0 };
	if (++x->passes > PASSES_MAX) {
		err_fill(e, 0,
			 "read %s: the members of the archive are in no order "
			 "of directories: it was read %u times; unpack it and "
			 "give the directory",
			 f->file.name, x->passes - 1);
		e->code = ESPIPE;
		return -1;
	}
	return tarfile_stream_open(x->file, x->name, &x->cursor, e);
}

/* Puts the cursor at the data of the file. */
static int go(struct open_file *f, struct err *e)
{
	const struct tarfile_inode *i = inode_of(f);
	struct tarfile_shared *x = f->x;
	struct archive_entry *ae = NULL;

	if ((!x->cursor || tarfile_stream_count(x->cursor) >= i->member) &&
	    start(f, e))
		return -1;
	x->piece = (struct slice){ 0 };
	while (tarfile_stream_count(x->cursor) < i->member) {
		int r = tarfile_stream_next(x->cursor, &ae, e);

		if (r < 0)
			return -1;
		if (r == 0)
			return changed(f, e);
	}
	if (archive_entry_size(ae) < 0 ||
	    (uint64_t)archive_entry_size(ae) != i->size)
		return changed(f, e);
	return 0;
}

/* Sees to it that the piece ends behind the offset, or is the end's. */
static int get_piece(struct open_file *f, uint64_t offset, struct err *e)
{
	struct tarfile_shared *x = f->x;

	while (!x->piece.p || x->piece_at + x->piece.n <= offset) {
		int r;

		if (x->piece.p)
			x->passed = x->piece_at + x->piece.n;
		r = tarfile_stream_data(x->cursor, &x->piece, &x->piece_at, e);
		if (r < 0)
			return -1;
		if (r > 0)
			continue;
		if (!inode_of(f)->sparse)
			return changed(f, e);
		x->piece = (struct slice){ "", 0 }; /* the rest is a hole */
		x->piece_at = UINT64_MAX;
	}
	return 0;
}

static int at_piece(struct open_file *f, uint64_t offset, struct err *e)
{
	struct tarfile_shared *x = f->x;

	if (!x->cursor ||
	    tarfile_stream_count(x->cursor) != inode_of(f)->member ||
	    offset < x->passed) {
		x->passed = 0;
		if (go(f, e))
			return -1;
	}
	return get_piece(f, offset, e);
}

static ssize_t read_cursor(struct open_file *f, uint64_t offset, char *data,
			   size_t n, struct err *e)
{
	struct tarfile_shared *x = f->x;
	uint64_t left;

	if (at_piece(f, offset, e)) {
		tarfile_stream_closep(&x->cursor); /* it is nowhere */
		return -1;
	}
	if (offset < x->piece_at) {
		left = x->piece_at - offset;
		n = left < n ? (size_t)left : n;
		memset(data, 0, n);
		return (ssize_t)n;
	}
	left = x->piece_at + x->piece.n - offset;
	n = left < n ? (size_t)left : n;
	memcpy(data, x->piece.p + (offset - x->piece_at), n);
	return (ssize_t)n;
}

ssize_t tarfile_file_read(struct tree_file *file, uint64_t offset, void *data,
			  size_t n, struct err *e)
{
	struct open_file *f = of(file);
	const struct tarfile_inode *i = inode_of(f);
	const struct slice kept = i->more ? i->more->kept : (struct slice){ 0 };
	ssize_t r;

	if (offset >= i->size || n == 0)
		return 0;
	if (n > i->size - offset)
		n = (size_t)(i->size - offset);
	if (offset < kept.n && (n <= kept.n - offset || kept.n == i->size)) {
		n = n <= kept.n - offset ? n : kept.n - (size_t)offset;
		memcpy(data, kept.p + offset, n);
		return (ssize_t)n;
	}
	pthread_mutex_lock(&f->x->lock);
	r = read_cursor(f, offset, data, n, e);
	pthread_mutex_unlock(&f->x->lock);
	return r;
}
