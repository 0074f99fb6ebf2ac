/* An ext2/3/4 file system: opening it, its blocks and inodes. */
#include "image/ext4.h"

#include <errno.h>
#include <et/com_err.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>

#include "base/num.h"

enum {
	SUPERBLOCK = 1024,     /* where it is, and its bytes */
	MAX_GROUPS = 64 << 20, /* bytes of group descriptors: 1M groups */
	GOOD_OLD_INODE = 128,  /* bytes that every inode has */
	MAX_LOG_BLOCK = 6,     /* blocks of 64 KiB */
	NSEC = 1000000000,
};

int ext4_fail(struct ext4 *x, errcode_t code, struct err *e, const char *fmt,
	      ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (code == EIO && *x->io.msg) {
		*e = x->io;
		x->io = (struct err){ 0 };
		return err_wrap(e, "%s", text);
	}
	block_bad_fill(x->b->name, e, "%s: %s", text, error_message(code));
	if (code == ENOMEM)
		e->code = ENOMEM;
	return -1;
}

/* --- blocks --------------------------------------------------------------- */

uint64_t ext4_disk_size(const struct ext4 *x)
{
	return x->b->size;
}

int ext4_bytes(struct ext4 *x, uint64_t at, void *data, size_t n, struct err *e)
{
	return block_read(x->b, at, data, n, e);
}

int ext4_block(struct ext4 *x, uint64_t nr, void *data, struct err *e)
{
	const size_t size = x->fs->blocksize, at = nr % EXT4_CACHE;
	char *room = x->cache + at * size;

	if (x->cached[at] != nr + 1) {
		x->cached[at] = 0;
		if (nr > x->b->size / size)
			return ext4_bad(x, e, "block %" PRIu64 " is beyond it",
					nr);
		if (ext4_bytes(x, nr * size, room, size, e))
			return -1;
		x->cached[at] = nr + 1;
	}
	memcpy(data, room, size);
	return 0;
}

/*
 * What libext2fs reads comes through a manager of ours. The one word that it
 * hands to open is the name, so that this is the address of the file system.
 */
static struct ext4 *of_channel(io_channel channel)
{
	return channel->private_data;
}

static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
	uint64_t address;
	io_channel c;
	struct err e;

	if (flags & IO_FLAG_RW)
		return EXT2_ET_RO_FILSYS;
	if (num_u64_hex(name, &address, &e))
		return EXT2_ET_BAD_DEVICE_NAME;
	if (ext2fs_get_memzero(sizeof(*c), &c))
		return EXT2_ET_NO_MEMORY;
	c->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	c->private_data = (void *)(uintptr_t)address;
	c->manager = &of_channel(c)->manager;
	c->block_size = 1024;
	c->refcount = 1;
	*ret = c;
	return 0;
}

static errcode_t io_close(io_channel c)
{
	if (--c->refcount == 0)
		ext2fs_free_mem(&c);
	return 0;
}

static errcode_t io_set_blksize(io_channel c, int size)
{
	c->block_size = size;
	return 0;
}

/* count: of blocks, or when it is negative of bytes. */
static errcode_t io_read64(io_channel c, unsigned long long block, int count,
			   void *data)
{
	struct ext4 *x = of_channel(c);
	uint64_t size = (uint64_t)c->block_size, at, n;

	n = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * size;
	if (!num_mul(block, size, &at))
		return EXT2_ET_BAD_BLOCK_NUM;
	if (count == 1 && x->fs && size == x->fs->blocksize)
		return ext4_block(x, block, data, &x->io) ? EIO : 0;
	return ext4_bytes(x, at, data, n, &x->io) ? EIO : 0;
}

static errcode_t io_read(io_channel c, unsigned long block, int count,
			 void *data)
{
	return io_read64(c, block, count, data);
}

static errcode_t io_write(io_channel c UNUSED, unsigned long block UNUSED,
			  int count UNUSED, const void *data UNUSED)
{
	return EXT2_ET_RO_FILSYS;
}

static errcode_t io_write64(io_channel c UNUSED,
			    unsigned long long block UNUSED, int count UNUSED,
			    const void *data UNUSED)
{
	return EXT2_ET_RO_FILSYS;
}

static errcode_t io_flush(io_channel c UNUSED)
{
	return 0;
}

static errcode_t io_readahead(io_channel c UNUSED,
			      unsigned long long block UNUSED,
			      unsigned long long count UNUSED)
{
	return 0;
}

static const struct struct_io_manager io_ops = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "rehost",
	.open = io_open,
	.close = io_close,
	.set_blksize = io_set_blksize,
	.read_blk = io_read,
	.write_blk = io_write,
	.flush = io_flush,
	.read_blk64 = io_read64,
	.write_blk64 = io_write64,
	.cache_readahead = io_readahead,
};

/* --- opening -------------------------------------------------------------- */

/* Numbers of the superblock that libext2fs would believe. */
static int check_super(struct ext4 *x, const struct ext2_super_block *s,
		       struct err *e)
{
	uint32_t log = ext2fs_le32_to_cpu(s->s_log_block_size);
	uint64_t blocks = block_le32(&s->s_blocks_count), groups;
	uint32_t per_group = block_le32(&s->s_blocks_per_group);
	uint32_t desc = 32;

	if (block_le32(&s->s_feature_incompat) & EXT4_FEATURE_INCOMPAT_64BIT) {
		blocks |= (uint64_t)block_le32(&s->s_blocks_count_hi) << 32;
		desc = block_le16(&s->s_desc_size);
	}
	if (log > MAX_LOG_BLOCK)
		return ext4_bad(x, e, "s_log_block_size: %" PRIu32, log);
	if (blocks == 0 || blocks > x->b->size >> (10 + log))
		return ext4_bad(x, e,
				"s_blocks_count: %" PRIu64 " blocks of %d "
				"bytes do not fit into its %" PRIu64 " bytes",
				blocks, 1024 << log, x->b->size);
	if (per_group == 0)
		return ext4_bad(x, e, "s_blocks_per_group: 0");
	groups = blocks / per_group + 1;
	if (groups * desc > MAX_GROUPS)
		return ext4_bad(x, e,
				"s_blocks_per_group: %" PRIu64 " groups are "
				"more than are read",
				groups);
	return 0;
}

static int read_super(struct ext4 *x, struct ext2_super_block *ret,
		      struct err *e)
{
	if (x->b->size < 2 * SUPERBLOCK)
		return ext4_bad(x, e, "it is too short for a file system");
	if (block_read(x->b, SUPERBLOCK, ret, sizeof(*ret), e))
		return -1;
	if (block_le16(&ret->s_magic) != EXT2_SUPER_MAGIC)
		return ext4_bad(x, e, "s_magic: not an ext2/3/4 file system");
	return check_super(x, ret, e);
}

/* flags beside those that are always needed: EXT2_FLAG_* */
static int open_fs(struct ext4 *x, int flags, struct err *e)
{
	char address[2 * sizeof(uintptr_t) + 1];
	errcode_t code;
	ext2_filsys fs;

	snprintf(address, sizeof(address), "%" PRIxPTR, (uintptr_t)x);
	x->manager = io_ops;
	code = ext2fs_open2(address, NULL, EXT2_FLAG_64BITS | flags, 0, 0,
			    &x->manager, &fs);
	if (code)
		return ext4_fail(x, code, e, "superblock");
	x->cache = arena_alloc(x->mem, (size_t)EXT4_CACHE * fs->blocksize);
	x->fs = fs;
	return 0;
}

static void close_fs(struct ext4 *x)
{
	if (x->fs)
		ext2fs_free(x->fs);
	x->fs = NULL;
	memset(x->cached, 0, sizeof(x->cached));
}

/*
 * What is in the journal only would be missing, or torn. Until it is laid over
 * the disk, checksums may be those of another moment.
 */
static int replay(struct ext4 *x, struct ext2_super_block *s,
		  struct ext4_state *ret, struct err *e)
{
	int r;

	if (!(block_le32(&s->s_feature_incompat) &
	      EXT3_FEATURE_INCOMPAT_RECOVER))
		return 0;
	if (open_fs(x, EXT2_FLAG_IGNORE_CSUM_ERRORS, e))
		return -1;
	r = ext4_replay(x, ret, e);
	close_fs(x);
	return r ? -1 : read_super(x, s, e);
}

static int open_any(struct ext4 *x, struct ext4_state *ret, struct err *e)
{
	struct ext2_super_block s;

	if (read_super(x, &s, e) || replay(x, &s, ret, e))
		return -1;
	ret->errors |= (block_le16(&s.s_state) & EXT2_ERROR_FS) != 0;
	return open_fs(x, 0, e);
}

static void ext4_free(struct ext4 *x)
{
	close_fs(x);
	pthread_mutex_destroy(&x->lock);
	block_closep(&x->b);
	arena_free(x->mem);
}

static void ext4_dropp(struct ext4 **x)
{
	if (*x)
		ext4_drop(*x);
}

int ext4_open(struct block **b, struct ext4 **ret, struct ext4_state *ret_state,
	      struct err *e)
{
	struct arena *mem = arena_new();
	struct ext4 *x CLEANUP(ext4_dropp) = arena_alloc(mem, sizeof(*x));
	struct ext4_state state = { .errors = false };

	initialize_ext2_error_table();
	x->mem = mem;
	x->users = 1;
	pthread_mutex_init(&x->lock, NULL);
	x->b = *b;
	if (open_any(x, &state, e)) {
		*b = x->b; /* it stays the caller's, whatever lies over it */
		x->b = NULL;
		return -1;
	}
	if (ret_state)
		*ret_state = state;
	*b = NULL;
	*ret = x;
	x = NULL;
	return 0;
}

void ext4_lock(struct ext4 *x)
{
	pthread_mutex_lock(&x->lock);
}

void ext4_unlock(struct ext4 **x)
{
	pthread_mutex_unlock(&(*x)->lock);
}

struct ext4 *ext4_use(struct ext4 *x)
{
	ext4_lock(x);
	x->users++;
	pthread_mutex_unlock(&x->lock);
	return x;
}

void ext4_drop(struct ext4 *x)
{
	bool last;

	ext4_lock(x);
	last = --x->users == 0;
	pthread_mutex_unlock(&x->lock);
	if (last)
		ext4_free(x);
}

/* --- inodes --------------------------------------------------------------- */

uint64_t ext4_size(const struct ext4_inode *i)
{
	uint64_t size = i->raw.i_size;

	if (S_ISREG(i->raw.i_mode) || S_ISDIR(i->raw.i_mode))
		size |= (uint64_t)i->raw.i_size_high << 32;
	return size;
}

static uint64_t blocks_of(const struct ext4 *x, const struct ext4_inode *i)
{
	struct ext2_inode small = i->small; /* libext2fs knows no const */
	uint64_t n = ext2fs_get_stat_i_blocks(x->fs, &small);

	/* as the kernel counts what lies in the inode itself */
	if (ext4_is_inline(i))
		n += (ext4_size(i) + 511) / 512;
	return n;
}

/* Numbers that would cost time or room out of all proportion. */
static int check_inode(struct ext4 *x, const struct ext4_inode *i,
		       struct err *e)
{
	uint64_t size = ext4_size(i), blocks = blocks_of(x, i);

	if (i->raw.i_mode == 0 || i->raw.i_links_count == 0)
		return ext4_bad(x, e, "inode %" PRIu32 " is not in use",
				i->ino);
	if (blocks / 2 > ext4_disk_size(x) / 1024 + 64)
		return ext4_bad(x, e,
				"inode %" PRIu32 ": i_blocks: more than "
				"there are",
				i->ino);
	if (size >> 32 > x->fs->blocksize)
		return ext4_bad(x, e, "inode %" PRIu32 ": i_size: %" PRIu64,
				i->ino, size);
	if (!S_ISREG(i->raw.i_mode) && size > ext4_disk_size(x))
		return ext4_bad(x, e,
				"inode %" PRIu32 ": i_size: larger than the "
				"file system",
				i->ino);
	if (i->raw.i_flags & EXT4_ENCRYPT_FL)
		return ext4_bad(x, e, "inode %" PRIu32 " is encrypted", i->ino);
	return 0;
}

int ext4_inode(struct ext4 *x, uint32_t ino, struct ext4_inode *ret,
	       struct err *e)
{
	struct ext4_inode i = { .ino = ino };
	errcode_t code =
		ext2fs_read_inode_full(x->fs, ino, &i.small, sizeof(i.bytes));

	if (code)
		return ext4_fail(x, code, e, "inode %" PRIu32, ino);
	if (check_inode(x, &i, e))
		return -1;
	*ret = i;
	return 0;
}

/* Bytes of the inode beyond the old ones that mean something. */
static size_t extra_of(const struct ext4 *x, const struct ext4_inode *i)
{
	size_t room = EXT2_INODE_SIZE(x->fs->super) - GOOD_OLD_INODE;

	return room > 0 && i->raw.i_extra_isize <= room ? i->raw.i_extra_isize :
							  0;
}

/* The low 2 bits of extra are bits 32 and 33 of the seconds. */
static struct timespec time_of(uint32_t seconds, uint32_t extra)
{
	struct timespec t = { .tv_sec = (int32_t)seconds };

	t.tv_sec += (time_t)(extra & 3) << 32;
	t.tv_nsec = extra >> 2;
	if (t.tv_nsec >= NSEC)
		t.tv_nsec = 0;
	return t;
}

static void set_device(const struct ext4_inode *i, struct tree_stat *ret)
{
	uint32_t old = i->raw.i_block[0], dev = i->raw.i_block[1];

	if (!S_ISCHR(ret->mode) && !S_ISBLK(ret->mode))
		return;
	if (old) {
		ret->rdev_major = old >> 8 & 0xff;
		ret->rdev_minor = old & 0xff;
		return;
	}
	ret->rdev_major = (dev & 0xfff00) >> 8;
	ret->rdev_minor = (dev & 0xff) | (dev >> 12 & 0xfff00);
}

void ext4_stat(const struct ext4 *x, const struct ext4_inode *i,
	       struct tree_stat *ret)
{
	const struct ext2_inode_large *raw = &i->raw;
	size_t extra = extra_of(x, i);
	uint32_t ctime = extra >= 8 ? raw->i_ctime_extra : 0;
	uint32_t mtime = extra >= 12 ? raw->i_mtime_extra : 0;

	*ret = (struct tree_stat){
		.mode = raw->i_mode,
		.uid = raw->i_uid | (uint32_t)raw->i_uid_high << 16,
		.gid = raw->i_gid | (uint32_t)raw->i_gid_high << 16,
		.nlink = raw->i_links_count,
		.size = ext4_size(i),
		.blocks = blocks_of(x, i),
		.dev = x->b->id,
		.ino = i->ino,
		.flags = raw->i_flags & (FS_IMMUTABLE_FL | FS_APPEND_FL),
		.mtime = time_of(raw->i_mtime, mtime),
		.ctime = time_of(raw->i_ctime, ctime),
	};
	set_device(i, ret);
}
