/* Archives read from memory, all that is in them: for tests and fuzzers. */
#ifndef REHOST_TESTS_CHECK_ARCHIVE_MEMORY_H
#define REHOST_TESTS_CHECK_ARCHIVE_MEMORY_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/buf.h"
#include "tree/tarfile.h"

struct memory_file {
	struct tree_file file;
	const char *bytes; /* borrowed */
	size_t n;
};

static void memory_close(struct tree_file *f UNUSED)
{
}

static ssize_t memory_read(struct tree_file *f, uint64_t offset, void *data,
			   size_t n, struct err *e UNUSED)
{
	const struct memory_file *m = (struct memory_file *)f;

	if (offset >= m->n)
		return 0;
	if (n > m->n - offset)
		n = m->n - (size_t)offset;
	memcpy(data, m->bytes + offset, n);
	return (ssize_t)n;
}

static const struct tree_ops memory_ops = {
	.file_close = memory_close,
	.file_read = memory_read,
};

UNUSED static int memory_open(const char *bytes, size_t n, struct arena *mem,
			      struct strv *notes, struct tree **ret,
			      struct err *e)
{
	struct arena *own = arena_new();
	struct memory_file *m = arena_alloc(own, sizeof(*m));
	struct tree_file *f CLEANUP(tree_file_closep) = &m->file;

	m->file = (struct tree_file){
		.ops = &memory_ops,
		.mem = own,
		.name = "memory",
		.opened = { .mode = S_IFREG, .size = n },
	};
	m->bytes = bytes;
	m->n = n;
	return tarfile_open(&f, "memory", NULL, mem, notes, ret, e);
}

struct reading_all {
	struct tree *t;
	unsigned entries;
	uint64_t bytes; /* read of files; bounded, for holes cost nothing */
};

static int read_content(struct reading_all *r, const char *path, struct err *e)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_extent x = { 0 };
	static char data[65536];

	if (tree_file_open(r->t, path, &f, e))
		return -1;
	while (r->bytes < 64 << 20 &&
	       tree_file_next(f, x.offset + x.length, &x, e) > 0)
		for (uint64_t at = 0; at < x.length && r->bytes < 64 << 20;) {
			uint64_t left = x.length - at;
			ssize_t n = tree_file_read(f, x.offset + at, data,
						   left < sizeof(data) ?
							   (size_t)left :
							   sizeof(data),
						   e);

			if (n <= 0)
				return n < 0 ? -1 : err_set(e, EIO, "short");
			at += (uint64_t)n;
			r->bytes += (uint64_t)n;
		}
	return 0;
}

static int read_entry(void *arg, const char *path, const struct tree_stat *st,
		      struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct reading_all *r = arg;
	const char *target;
	struct tree_xattrs x;
	struct tree_stat again;

	r->entries++;
	if (!st || tree_xattrs(r->t, path, mem, &x, e) ||
	    tree_lstat(r->t, path, &again, e) || again.ino != st->ino)
		return -1;
	if (S_ISLNK(st->mode) && tree_readlink(r->t, path, mem, &target, e))
		return -1;
	if (tree_resolve(r->t, path, mem, &target, e) == 0 && *target != '/')
		return err_set(e, 0, "resolved to %s", target);
	return S_ISREG(st->mode) ? read_content(r, path, e) : 0;
}

/* Opens whatever the bytes are and reads all of it; the number of entries. */
UNUSED static unsigned read_archive(const char *bytes, size_t n)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct reading_all r = { 0 };
	struct strv notes = { 0 };
	struct err e;

	if (memory_open(bytes, n, mem, &notes, &t, &e))
		return 0;
	r.t = t;
	return tree_walk(t, "", true, read_entry, &r, &e) ? 0 : r.entries;
}

#endif
