/*
 * Where the data of a file lie: its extents, its tables of blocks (ext2/3), or
 * the inode itself. The tree of extents is read here, not by libext2fs, since
 * a tree that holds itself must end: every step goes forward in the file.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/ext4.h"

enum {
	MAX_DEPTH = 5,       /* of a tree: as the kernel */
	MAX_STEPS = 1 << 20, /* without any data, one after the other */
	UNWRITTEN = 32768,   /* from here on a length is of zeros */
	MAX_BLOCK = 65536,   /* bytes */
};

bool ext4_is_inline(const struct ext4_inode *i)
{
	return i->raw.i_flags & EXT4_INLINE_DATA_FL;
}

int ext4_inline(struct ext4 *x, const struct ext4_inode *i, struct arena *mem,
		struct slice *ret, struct err *e)
{
	struct ext4_inode copy = *i;
	size_t size = 0;
	errcode_t code = ext2fs_inline_data_size(x->fs, i->ino, &size);
	char *data;

	if (!code && (size > MAX_BLOCK || ext4_size(i) > size))
		return ext4_bad(x, e,
				"inode %" PRIu32 ": i_size: %" PRIu64
				", of which the inode holds %zu",
				i->ino, ext4_size(i), size);
	data = arena_alloc(mem, size + 1);
	if (!code)
		code = ext2fs_inline_data_get(x->fs, i->ino, &copy.small, data,
					      &size);
	if (code)
		return ext4_fail(x, code, e, "inline data of inode %" PRIu32,
				 i->ino);
	*ret = (struct slice){ data, size };
	return 0;
}

/* A window that is being filled. */
struct filling {
	struct ext4 *x;
	const struct ext4_inode *i;
	struct ext4_map *m;
	uint64_t block; /* of the file: the next to be looked for */
	uint64_t end;   /* blocks of the file */
	bool full, done;
};

static bool joins(const struct ext4_run *last, uint64_t at, uint64_t disk)
{
	return last->at + last->n == at && last->disk + last->n == disk;
}

/* n blocks of data. Those before f->block are left out. */
static int add(struct filling *f, uint64_t block, uint64_t disk, uint64_t n,
	       struct err *e)
{
	const uint64_t size = f->x->fs->blocksize;
	struct ext4_map *m = f->m;
	struct ext4_run *last = m->n > 0 ? &m->runs[m->n - 1] : NULL;

	if (block < f->block) {
		uint64_t skip = f->block - block;

		skip = skip < n ? skip : n;
		block += skip;
		disk += skip;
		n -= skip;
	}
	if (n == 0)
		return 0;
	if (disk == 0 || disk + n > ext4_disk_size(f->x) / size)
		return ext4_bad(f->x, e,
				"inode %" PRIu32 ": its block %" PRIu64
				" is at %" PRIu64 ", beyond the disk",
				f->i->ino, block, disk);
	m->mapped += n * size;
	if (m->mapped > ext4_disk_size(f->x))
		return ext4_bad(f->x, e,
				"inode %" PRIu32 " has more data than the disk",
				f->i->ino);
	if (last && joins(last, block * size, disk * size)) {
		last->n += n * size;
	} else if (m->n == EXT4_RUNS) {
		m->mapped -= n * size;
		f->full = true;
		return 0;
	} else {
		m->runs[m->n++] = (struct ext4_run){ block * size, disk * size,
						     n * size };
	}
	f->block = block + n;
	return 0;
}

/* --- extents -------------------------------------------------------------- */

/* A node of the tree. */
struct node {
	const struct ext3_extent_header *head;
	size_t n;
	unsigned depth; /* 0: its entries are extents */
};

static int check_node(struct filling *f, const void *data, size_t bytes,
		      unsigned depth, struct node *ret, struct err *e)
{
	const struct ext3_extent_header *head = data;
	size_t n = ext2fs_le16_to_cpu(head->eh_entries);
	size_t max = ext2fs_le16_to_cpu(head->eh_max);

	/* libext2fs finds the checksum by eh_max */
	if (ext2fs_le16_to_cpu(head->eh_magic) != EXT3_EXT_MAGIC ||
	    ext2fs_le16_to_cpu(head->eh_depth) != depth || n > max ||
	    max > (bytes - sizeof(*head)) / sizeof(struct ext3_extent))
		return ext4_bad(f->x, e,
				"inode %" PRIu32 ": a node of its extents is "
				"damaged",
				f->i->ino);
	*ret = (struct node){ head, n, depth };
	return 0;
}

/* The extents of a leaf from f->block on. */
static int take_leaf(struct filling *f, const struct node *leaf, struct err *e)
{
	const struct ext3_extent *v = (const void *)(leaf->head + 1);
	uint64_t before = 0;

	for (size_t i = 0; i < leaf->n && !f->full; i++) {
		uint64_t block = ext2fs_le32_to_cpu(v[i].ee_block);
		uint64_t n = ext2fs_le16_to_cpu(v[i].ee_len);
		uint64_t disk = ext2fs_le32_to_cpu(v[i].ee_start);
		bool is_written = n <= UNWRITTEN;

		disk |= (uint64_t)ext2fs_le16_to_cpu(v[i].ee_start_hi) << 32;
		if (!is_written)
			n -= UNWRITTEN;
		if (n == 0 || block < before)
			return ext4_bad(f->x, e,
					"inode %" PRIu32 ": its extents are "
					"out of order",
					f->i->ino);
		before = block + n;
		if (is_written && before > f->block &&
		    add(f, block, disk, n, e))
			return -1;
	}
	if (!f->full && before > f->block)
		f->block = before;
	return 0;
}

static uint64_t index_block(const struct node *node, size_t i)
{
	const struct ext3_extent_idx *v = (const void *)(node->head + 1);

	return ext2fs_le32_to_cpu(v[i].ei_block);
}

/*
 * The entry of an inner node whose part holds block; *ret_next becomes where
 * the one after it begins, if that is less.
 */
static size_t choose(const struct node *node, uint64_t block,
		     uint64_t *ret_next)
{
	size_t i = 0;

	while (i + 1 < node->n && index_block(node, i + 1) <= block)
		i++;
	if (i + 1 < node->n && index_block(node, i + 1) < *ret_next)
		*ret_next = index_block(node, i + 1);
	return i;
}

static int read_node(struct filling *f, const struct node *of, size_t i,
		     char *room, struct node *ret, struct err *e)
{
	const struct ext3_extent_idx *v = (const void *)(of->head + 1);
	uint64_t at = ext2fs_le32_to_cpu(v[i].ei_leaf);

	at |= (uint64_t)ext2fs_le16_to_cpu(v[i].ei_leaf_hi) << 32;
	if (ext4_block(f->x, at, room, e))
		return -1;
	if (check_node(f, room, f->x->fs->blocksize, of->depth - 1, ret, e))
		return -1;
	if (!ext2fs_extent_block_csum_verify(f->x->fs, f->i->ino, (void *)room))
		return ext4_bad(f->x, e,
				"inode %" PRIu32 ": checksum of a node of its "
				"extents",
				f->i->ino);
	return 0;
}

/* One leaf: that of f->block. Goes on to where the next one begins. */
static int take_next_leaf(struct filling *f, char *room, struct err *e)
{
	uint64_t from = f->block, after = UINT64_MAX;
	const void *root = f->i->raw.i_block;
	struct node node;

	if (check_node(
		    f, root, sizeof(f->i->raw.i_block),
		    ext2fs_le16_to_cpu(((const struct ext3_extent_header *)root)
					       ->eh_depth),
		    &node, e))
		return -1;
	if (node.depth > MAX_DEPTH)
		return ext4_bad(f->x, e,
				"inode %" PRIu32 ": its extents are %u deep",
				f->i->ino, node.depth);
	while (node.depth > 0 && node.n > 0) {
		size_t i = choose(&node, from, &after);

		if (read_node(f, &node, i, room, &node, e))
			return -1;
	}
	if (node.depth == 0 && take_leaf(f, &node, e))
		return -1;
	if (f->full)
		return 0;
	if (after == UINT64_MAX)
		f->done = true;
	else if (after > f->block)
		f->block = after;
	return 0;
}

static int fill_extents(struct filling *f, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *room = arena_alloc(mem, f->x->fs->blocksize);
	unsigned steps = 0;

	while (!f->full && !f->done && f->block < f->end) {
		uint64_t before = f->block;
		size_t n = f->m->n;

		if (take_next_leaf(f, room, e))
			return -1;
		if (f->m->n > n)
			steps = 0;
		if (!f->full && !f->done &&
		    (f->block <= before || ++steps > MAX_STEPS))
			return ext4_bad(f->x, e,
					"inode %" PRIu32 ": its extents do not "
					"end",
					f->i->ino);
	}
	return 0;
}

/* --- tables of blocks, as ext2 and ext3 have them ------------------------- */

/*
 * How many blocks of the file one empty entry on the way to `block` stands
 * for: that many are a hole.
 */
static int look_up(struct filling *f, char *room, uint64_t *ret_disk,
		   uint64_t *ret_hole, struct err *e)
{
	const uint64_t per = f->x->fs->blocksize / 4;
	uint64_t at = f->block, span = 1;
	uint32_t nr;
	int levels = 0;

	*ret_hole = 1;
	if (at < EXT2_NDIR_BLOCKS) {
		*ret_disk = f->i->raw.i_block[at];
		return 0;
	}
	at -= EXT2_NDIR_BLOCKS;
	for (span = per, levels = 1; levels <= 3 && at >= span; levels++) {
		at -= span;
		span *= per;
	}
	if (levels > 3)
		return ext4_bad(f->x, e,
				"inode %" PRIu32 ": i_size: beyond "
				"its tables of blocks",
				f->i->ino);
	nr = f->i->raw.i_block[EXT2_IND_BLOCK + levels - 1];
	for (; levels > 0 && nr; levels--) {
		span /= per;
		if (ext4_block(f->x, nr, room, e))
			return -1;
		nr = block_le32(room + 4 * (at / span % per));
		*ret_hole = span - at % span;
	}
	if (!nr && levels > 0 && *ret_hole == 1)
		*ret_hole = span - at % span;
	*ret_disk = nr;
	return 0;
}

static int fill_blocks(struct filling *f, struct err *e)
{
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	char *room = arena_alloc(mem, f->x->fs->blocksize);
	unsigned steps = 0;

	while (!f->full && f->block < f->end) {
		uint64_t disk, hole;

		if (look_up(f, room, &disk, &hole, e))
			return -1;
		steps = disk == 0 ? steps + 1 : 0;
		if (steps > MAX_STEPS)
			return ext4_bad(f->x, e,
					"inode %" PRIu32 ": its tables of "
					"blocks do not end",
					f->i->ino);
		if (disk == 0)
			f->block += hole;
		else if (add(f, f->block, disk, 1, e))
			return -1;
	}
	f->done = f->block >= f->end;
	return 0;
}

int ext4_map(struct ext4 *x, const struct ext4_inode *i, uint64_t at,
	     struct ext4_map *m, struct err *e)
{
	const uint64_t size = x->fs->blocksize;
	struct filling f = { .x = x, .i = i, .m = m, .block = at / size };
	int r;

	f.end = (ext4_size(i) + size - 1) / size;
	if (at < m->to)
		m->mapped = 0; /* it was all read before: again */
	m->n = 0;
	m->from = f.block * size;
	m->to = m->from;
	if (i->raw.i_flags & EXT4_EXTENTS_FL)
		r = fill_extents(&f, e);
	else
		r = fill_blocks(&f, e);
	if (r)
		return -1;
	m->to = f.full ? f.block * size : UINT64_MAX;
	return 0;
}

const struct ext4_run *ext4_map_find(const struct ext4_map *m, uint64_t at)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->runs[mid].at + m->runs[mid].n <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->n ? &m->runs[low] : NULL;
}
