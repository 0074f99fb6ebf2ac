/*
 * Images in memory, and reading all that is in one: for tests and fuzzers that
 * damage them.
 */
#ifndef REHOST_TESTS_CHECK_IMAGE_MEMORY_H
#define REHOST_TESTS_CHECK_IMAGE_MEMORY_H

#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "image/block.h"
#include "image/ext4.h"
#include "image/partition.h"
#include "image/ploop.h"
#include "tree/tree.h"

struct memory {
	struct block block;
	const char *bytes; /* borrowed */
};

static void memory_close(struct block *b UNUSED)
{
}

static int memory_read(struct block *b, uint64_t at, void *data, size_t n,
		       struct err *e UNUSED)
{
	memcpy(data, ((struct memory *)b)->bytes + at, n);
	return 0;
}

static int memory_next(struct block *b, uint64_t at, struct tree_extent *ret,
		       struct err *e UNUSED)
{
	*ret = (struct tree_extent){ at, b->size - at };
	return 1;
}

static const struct block_ops memory_ops = {
	.close = memory_close,
	.read = memory_read,
	.next = memory_next,
};

UNUSED static struct block *memory_open(const char *bytes, size_t n)
{
	struct arena *mem = arena_new();
	struct memory *m = arena_alloc(mem, sizeof(*m));

	m->block = (struct block){
		.ops = &memory_ops, .mem = mem, .name = "memory", .size = n
	};
	m->bytes = bytes;
	return &m->block;
}

struct reading_all {
	struct tree *t;
	unsigned files;
	uint64_t bytes; /* read of files; bounded, for holes cost nothing */
};

static void read_file(struct reading_all *r, const char *path)
{
	struct tree_file *f CLEANUP(tree_file_closep) = NULL;
	struct tree_extent x = { 0 };
	static char data[65536];
	struct err e;

	if (tree_file_open(r->t, path, &f, &e))
		return;
	while (r->bytes < 256 << 20 &&
	       tree_file_next(f, x.offset + x.length, &x, &e) > 0) {
		for (uint64_t at = 0; at < x.length; at += sizeof(data)) {
			if (tree_file_read(f, x.offset + at, data, sizeof(data),
					   &e) <= 0)
				return;
			r->bytes += sizeof(data);
		}
	}
}

static int read_entry(void *arg, const char *path, const struct tree_stat *st,
		      struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct reading_all *r = arg;
	struct tree_xattrs x;
	const char *target;

	if (!st || ++r->files > 100000)
		return st ? -1 : 0;
	tree_xattrs(r->t, path, mem, &x, e);
	if (S_ISLNK(st->mode))
		tree_readlink(r->t, path, mem, &target, e);
	tree_resolve(r->t, path, mem, &target, e);
	if (S_ISREG(st->mode))
		read_file(r, path);
	return 0;
}

static bool any_is_root(struct block *part UNUSED,
			const struct partition_fs *fs UNUSED)
{
	return true;
}

/* Opens whatever the bytes are and reads it; the number of entries. */
UNUSED static unsigned read_image(const char *bytes, size_t n)
{
	struct block *disk CLEANUP(block_closep) = memory_open(bytes, n);
	struct block *part CLEANUP(block_closep) = NULL;
	struct tree *t CLEANUP(tree_closep) = NULL;
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	const struct partition_wish wish = { .is_root = any_is_root,
					     .mem = mem };
	struct reading_all r = { 0 };
	struct partition_found found;
	struct ext4 *x;
	struct err e;

	if (ploop_is(disk)) {
		const struct ploop_options o = { .live = true };
		struct block *image = disk;

		disk = NULL;
		if (ploop_open(&image, 1, false, &o, &disk, &e))
			return 0;
	}
	if (partition_find(&disk, &wish, &found, &e))
		return 0;
	part = found.b;
	if (ext4_open(&part, &x, NULL, &e))
		return 0;
	r.t = t = ext4_tree(x, "image");
	tree_walk(t, "", true, read_entry, &r, &e);
	return r.files;
}

#endif
