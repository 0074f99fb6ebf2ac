/*
 * A regular file, read in pieces, and the text of a link. A file keeps where
 * its data lie, one window at a time, so that reads need the lock only to get
 * the next window.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "image/ext4.h"

enum { FAST_LINK = 60 }; /* bytes: shorter ones lie in the inode's table */

struct ext4_file {
	struct tree_file file;
	struct ext4 *x;
	struct ext4_inode inode;
	struct ext4_map *map; /* NULL: all of it is in `whole` */
	struct slice whole;
};

static struct ext4_file *of(struct tree_file *f)
{
	return (struct ext4_file *)f;
}

int ext4_file_of(struct ext4 *x, const struct ext4_inode *i, const char *name,
		 const struct tree_ops *ops, struct tree_file **ret,
		 struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct ext4_file *f = arena_alloc(mem, sizeof(*f));

	f->file.ops = ops;
	f->file.mem = mem;
	f->file.name = arena_strdup(mem, name);
	f->inode = *i;
	ext4_stat(x, i, &f->file.opened);
	if (ext4_is_inline(i)) {
		struct ext4 *locked CLEANUP(ext4_unlock) = x;

		ext4_lock(x);
		if (ext4_inline(x, i, mem, &f->whole, e))
			return -1;
	} else {
		f->map = arena_alloc(mem, sizeof(*f->map));
	}
	f->x = ext4_use(x);
	mem = NULL;
	*ret = &f->file;
	return 0;
}

void ext4_file_close(struct tree_file *f)
{
	ext4_drop(of(f)->x);
}

int ext4_file_stat(struct tree_file *f, struct tree_stat *ret,
		   struct err *e UNUSED)
{
	*ret = f->opened;
	return 0;
}

int ext4_file_fd(const struct tree_file *f UNUSED)
{
	return -1;
}

/* Sees to it that the window tells about byte `at`. */
static int load(struct ext4_file *f, uint64_t at, struct err *e)
{
	struct ext4 *locked CLEANUP(ext4_unlock) = f->x;

	ext4_lock(f->x);
	if (at >= f->map->from && at < f->map->to)
		return 0;
	if (ext4_map(f->x, &f->inode, at, f->map, e))
		return err_wrap(e, "read %s", f->file.name);
	return 0;
}

static bool is_loaded(const struct ext4_file *f, uint64_t at)
{
	return at >= f->map->from && at < f->map->to;
}

/* Up to n bytes that one read gives, or a piece of a hole. */
static ssize_t read_piece(struct ext4_file *f, uint64_t at, char *data,
			  size_t n, struct err *e)
{
	const struct ext4_run *run;
	uint64_t left;

	if (!is_loaded(f, at) && load(f, at, e))
		return -1;
	run = ext4_map_find(f->map, at);
	if (run && run->at <= at) {
		left = run->at + run->n - at;
		n = left < n ? (size_t)left : n;
		if (ext4_bytes(f->x, run->disk + at - run->at, data, n, e))
			return err_wrap(e, "read %s", f->file.name);
		return (ssize_t)n;
	}
	left = (run ? run->at : f->map->to) - at;
	n = left < n ? (size_t)left : n;
	memset(data, 0, n);
	return (ssize_t)n;
}

ssize_t ext4_file_read(struct tree_file *tf, uint64_t offset, void *data,
		       size_t n, struct err *e)
{
	struct ext4_file *f = of(tf);
	uint64_t size = tf->opened.size;
	char *p = data;
	size_t done = 0;

	if (offset >= size)
		return 0;
	if (n > size - offset)
		n = (size_t)(size - offset);
	if (n > SSIZE_MAX)
		n = SSIZE_MAX;
	if (!f->map) {
		memcpy(p, f->whole.p + offset, n);
		return (ssize_t)n;
	}
	while (done < n) {
		ssize_t got =
			read_piece(f, offset + done, p + done, n - done, e);

		if (got < 0)
			return -1;
		done += (size_t)got;
	}
	return (ssize_t)n;
}

int ext4_file_next(struct tree_file *tf, uint64_t at, struct tree_extent *ret,
		   struct err *e)
{
	struct ext4_file *f = of(tf);
	uint64_t size = tf->opened.size;

	if (at >= size)
		return 0;
	if (!f->map) {
		*ret = (struct tree_extent){ 0, size };
		return 1;
	}
	while (at < size) {
		const struct ext4_run *run;

		if (!is_loaded(f, at) && load(f, at, e))
			return -1;
		run = ext4_map_find(f->map, at);
		if (run) {
			*ret = (struct tree_extent){ run->at, run->n };
			return run->at < size;
		}
		at = f->map->to;
	}
	return 0;
}

static bool is_fast_link(const struct ext4_inode *i)
{
	return !(i->raw.i_flags & EXT4_EXTENTS_FL) && ext4_size(i) < FAST_LINK;
}

static int link_block(struct ext4 *x, const struct ext4_inode *i,
		      struct arena *mem, const char **ret, struct err *e)
{
	const size_t n = (size_t)ext4_size(i);
	struct ext4_map *m = arena_alloc(mem, sizeof(*m));
	char *text = arena_alloc(mem, n + 1);

	if (ext4_map(x, i, 0, m, e))
		return -1;
	if (m->n == 0 || m->runs[0].at != 0 || m->runs[0].n < n)
		return ext4_bad(x, e, "inode %" PRIu32 ": a link without text",
				i->ino);
	if (ext4_bytes(x, m->runs[0].disk, text, n, e))
		return -1;
	*ret = text;
	return 0;
}

int ext4_file_link(struct ext4 *x, const struct ext4_inode *i,
		   struct arena *mem, const char **ret, struct err *e)
{
	struct arena *tmp CLEANUP(arena_freep) = arena_new();
	const size_t n = (size_t)ext4_size(i);
	const char *text = NULL;
	struct slice s;

	if (n == 0 || n >= PATH_MAX)
		return ext4_bad(x, e, "inode %" PRIu32 ": a link of %zu bytes",
				i->ino, n);
	if (ext4_is_inline(i)) {
		if (ext4_inline(x, i, tmp, &s, e))
			return -1;
		text = s.p;
	} else if (is_fast_link(i)) {
		text = (const char *)i->raw.i_block;
	} else if (link_block(x, i, tmp, &text, e)) {
		return -1;
	}
	*ret = arena_strndup(mem, text, strnlen(text, n));
	return 0;
}
