/*
 * A file system that was not unmounted: what its journal would write back is
 * laid over the disk, and nothing is written. The blocks stay where they are
 * in the journal; only their places are kept.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "image/ext4.h"
#include "image/jbd2.h"

enum { MAX_PIECES = 1 << 16 /* of a journal; usually a few */ };

/* --- the journal as a source of blocks ------------------------------------ */

struct log {
	struct block block;
	struct block *disk; /* borrowed */
	VEC(struct ext4_run) runs;
};

static void log_close(struct block *b UNUSED)
{
}

/* The run that byte `at` is in: all bytes are in one. */
static const struct ext4_run *run_of(const struct log *l, uint64_t at)
{
	size_t low = 0, high = l->runs.n - 1;

	while (low < high) {
		size_t mid = low + (high - low + 1) / 2;

		if (l->runs.v[mid].at <= at)
			low = mid;
		else
			high = mid - 1;
	}
	return &l->runs.v[low];
}

static int log_read(struct block *b, uint64_t at, void *data, size_t n,
		    struct err *e)
{
	const struct log *l = (struct log *)b;
	char *p = data;

	while (n > 0) {
		const struct ext4_run *run = run_of(l, at);
		uint64_t left = run->at + run->n - at;
		size_t piece = left < n ? (size_t)left : n;

		if (block_read(l->disk, run->disk + at - run->at, p, piece, e))
			return -1;
		p += piece;
		at += piece;
		n -= piece;
	}
	return 0;
}

static int log_next(struct block *b, uint64_t at, struct tree_extent *ret,
		    struct err *e UNUSED)
{
	*ret = (struct tree_extent){ at, b->size - at };
	return 1;
}

static const struct block_ops log_ops = {
	.close = log_close,
	.read = log_read,
	.next = log_next,
};

/* Where the journal lies, whole and without holes. */
static int map_log(struct ext4 *x, const struct ext4_inode *i, struct log *l,
		   struct err *e)
{
	struct ext4_map *m = arena_alloc(l->block.mem, sizeof(*m));
	uint64_t at = 0;

	while (at < l->block.size) {
		if (ext4_map(x, i, at, m, e))
			return -1;
		for (size_t k = 0; k < m->n; k++) {
			if (m->runs[k].at != at || l->runs.n == MAX_PIECES)
				return ext4_bad(x, e,
						"its journal has a hole at "
						"%" PRIu64,
						at);
			*vec_add(l->block.mem, &l->runs) = m->runs[k];
			at += m->runs[k].n;
		}
		if (m->n == 0)
			return ext4_bad(
				x, e, "its journal has a hole at %" PRIu64, at);
	}
	return 0;
}

/* The journal of a file system that is open; the block is in its own arena. */
static int open_log(struct ext4 *x, struct log **ret, struct err *e)
{
	const uint32_t ino = x->fs->super->s_journal_inum;
	struct arena *mem CLEANUP(arena_freep) = arena_new();
	struct log *l = arena_alloc(mem, sizeof(*l));
	struct ext4_inode i;

	if (ino == 0)
		return ext4_bad(x, e,
				"its journal, which must be replayed, is on "
				"another device: let e2fsck do it on a copy "
				"of both");
	if (ext4_inode(x, ino, &i, e))
		return -1;
	if (!S_ISREG(i.raw.i_mode) || ext4_is_inline(&i) ||
	    ext4_size(&i) < x->fs->blocksize)
		return ext4_bad(x, e, "inode %" PRIu32 " is no journal", ino);
	l->block = (struct block){
		.ops = &log_ops,
		.mem = mem,
		.name = arena_strdup(mem, x->b->name),
		.size = ext4_size(&i),
	};
	l->disk = x->b;
	l->block.size -= l->block.size % x->fs->blocksize;
	if (map_log(x, &i, l, e))
		return -1;
	mem = NULL;
	*ret = l;
	return 0;
}

static void log_closep(struct log **l)
{
	if (*l)
		block_close(&(*l)->block);
}

/* --- what lies over the disk ---------------------------------------------- */

struct overlay {
	struct block block;
	struct block *disk;
	struct log *log; /* its disk is ours */
	struct jbd2_replay replay;
	uint64_t size; /* bytes of a block */
};

static void overlay_close(struct block *b)
{
	struct overlay *o = (struct overlay *)b;

	log_closep(&o->log);
	block_closep(&o->disk);
}

/* The first copy of block nr or of one behind it; NULL: there is none. */
static const struct jbd2_copy *copy_from(const struct overlay *o, uint64_t nr)
{
	size_t low = 0, high = o->replay.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (o->replay.v[mid].nr < nr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < o->replay.n ? &o->replay.v[low] : NULL;
}

/* n bytes of a copy from byte `skip` on. */
static int read_copy(struct overlay *o, const struct jbd2_copy *c,
		     uint64_t skip, char *data, size_t n, struct err *e)
{
	if (block_read(&o->log->block, c->log * o->size + skip, data, n, e))
		return -1;
	for (size_t i = 0; c->escaped && i < n; i++)
		if (skip + i < sizeof(jbd2_magic))
			data[i] = (char)jbd2_magic[skip + i];
	return 0;
}

static int overlay_read(struct block *b, uint64_t at, void *data, size_t n,
			struct err *e)
{
	struct overlay *o = (struct overlay *)b;
	const struct jbd2_copy *c = copy_from(o, at / o->size);
	const struct jbd2_copy *const last = o->replay.v + o->replay.n;
	char *p = data;

	while (n > 0) {
		uint64_t from = c ? c->nr * o->size : UINT64_MAX;
		bool over = from <= at;
		uint64_t left = over ? from + o->size - at : from - at;
		size_t piece = left < n ? (size_t)left : n;

		if (over ? read_copy(o, c, at - from, p, piece, e) :
			   block_read(o->disk, at, p, piece, e))
			return -1;
		if (over && ++c == last)
			c = NULL;
		p += piece;
		at += piece;
		n -= piece;
	}
	return 0;
}

/* A copy may lie where the disk has a hole. */
static int overlay_next(struct block *b, uint64_t at, struct tree_extent *ret,
			struct err *e)
{
	struct overlay *o = (struct overlay *)b;
	const struct jbd2_copy *c = copy_from(o, at / o->size);
	int r = block_next(o->disk, at, ret, e);
	uint64_t from;

	if (r < 0 || !c)
		return r;
	from = c->nr * o->size;
	if (r == 1 && ret->offset <= from)
		return 1;
	ret->offset = from > at ? from : at;
	ret->length = from + o->size - ret->offset;
	return 1;
}

static const struct block_ops overlay_ops = {
	.close = overlay_close,
	.read = overlay_read,
	.next = overlay_next,
};

/* --- replaying ------------------------------------------------------------ */

static struct overlay *new_overlay(struct ext4 *x)
{
	struct arena *mem = arena_new();
	struct overlay *o = arena_alloc(mem, sizeof(*o));

	o->block = (struct block){
		.ops = &overlay_ops,
		.mem = mem,
		.name = arena_strdup(mem, x->b->name),
		.size = x->b->size,
		.id = x->b->id,
	};
	o->size = x->fs->blocksize;
	return o;
}

int ext4_replay(struct ext4 *x, struct ext4_state *ret, struct err *e)
{
	struct log *log CLEANUP(log_closep) = NULL;
	struct ext2_super_block *s = x->fs->super;
	struct jbd2_replay replay;
	struct overlay *o;

	if (open_log(x, &log, e))
		return -1;
	o = new_overlay(x);
	if (jbd2_read(&log->block, x->fs->blocksize, ext2fs_blocks_count(s),
		      o->block.mem, &replay, e)) {
		arena_free(o->block.mem);
		return -1;
	}
	ret->replayed = true;
	ret->transactions = replay.transactions;
	ret->blocks = replay.n;
	ret->errors |= replay.aborted;
	o->replay = replay;
	o->disk = x->b;
	o->log = log;
	log = NULL;
	x->b = &o->block;
	return 0;
}
