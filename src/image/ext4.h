/*
 * An ext2, ext3 or ext4 file system in a source of blocks, as a tree: what the
 * files ext4*.c share. Private to src/image.
 *
 * libext2fs reads the superblock, inodes, checksums, inline data and xattrs;
 * extents and directories are read here, bounded, for the image is hostile.
 * One lock is held while libext2fs works: it knows no threads.
 */
#ifndef REHOST_IMAGE_EXT4_H
#define REHOST_IMAGE_EXT4_H

#include <ext2fs/ext2fs.h>
#include <ext2fs/ext3_extents.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "image/block.h"
#include "tree/tree_ops.h"

enum {
	EXT4_CACHE = 64, /* blocks, each in the place its number gives */
	EXT4_RUNS = 1024,
	EXT4_INODE_BYTES = 1024, /* of an inode that are kept */
};

struct ext4_inode {
	uint32_t ino;
	union {
		struct ext2_inode small; /* as libext2fs takes it */
		struct ext2_inode_large raw;
		uint8_t bytes[EXT4_INODE_BYTES];
	};
};

/* The file system, shared by the trees and files that are open. */
struct ext4 {
	struct arena *mem;
	struct block *b;      /* owned */
	pthread_mutex_t lock; /* of what follows */
	unsigned users;
	struct struct_io_manager manager;
	ext2_filsys fs;              /* NULL until it is open */
	struct err io;               /* of the last read that failed */
	char *cache;                 /* EXT4_CACHE blocks */
	uint64_t cached[EXT4_CACHE]; /* their numbers plus 1, 0: empty */
};

/* A stretch of a file's data: bytes in the file and on the disk. */
struct ext4_run {
	uint64_t at, disk, n;
};

/* The data of a file from an offset to another, piece by piece. */
struct ext4_map {
	struct ext4_run runs[EXT4_RUNS];
	size_t n;
	uint64_t from, to; /* what the runs tell all about */
	uint64_t mapped;   /* bytes, of all windows before: to find a loop */
};

struct ext4_tree {
	struct tree tree;
	struct ext4 *x;
	uint32_t root;
	/* The entry a walk is at, to look at it quickly; else NULL. */
	const char *path;
	const struct ext4_inode *inode;
};

/* How it was left. */
struct ext4_state {
	bool replayed; /* it was not unmounted: the journal was read */
	uint32_t transactions;
	uint64_t blocks; /* of it, that are read from the journal */
	bool errors;     /* the kernel had met some in it */
};

/* --- ext4.c: the file system --------------------------------------------- */

/*
 * Opens what is in *b, which it takes over on success. One that was not
 * unmounted is read as it is after its journal is replayed; a journal that is
 * damaged is EUCLEAN. *ret_state may be NULL.
 */
int ext4_open(struct block **b, struct ext4 **ret, struct ext4_state *ret_state,
	      struct err *e);
struct ext4 *ext4_use(struct ext4 *x); /* one user more */
void ext4_drop(struct ext4 *x);        /* the last one closes it */

void ext4_lock(struct ext4 *x);
void ext4_unlock(struct ext4 **x); /* for CLEANUP */

/* Bytes of the disk. No lock. */
int ext4_bytes(struct ext4 *x, uint64_t at, void *data, size_t n,
	       struct err *e);
/* One block of metadata; with the lock. */
int ext4_block(struct ext4 *x, uint64_t nr, void *data, struct err *e);
uint64_t ext4_disk_size(const struct ext4 *x); /* bytes */

/* An inode in use; with the lock. */
int ext4_inode(struct ext4 *x, uint32_t ino, struct ext4_inode *ret,
	       struct err *e);
void ext4_stat(const struct ext4 *x, const struct ext4_inode *i,
	       struct tree_stat *ret);
uint64_t ext4_size(const struct ext4_inode *i);

/* What is wrong with an inode or elsewhere: EUCLEAN. */
#define ext4_bad(x, e, ...) block_bad((x)->b, e, __VA_ARGS__)
/* What libext2fs says of op, or why it could not read. Is -1. */
int ext4_fail(struct ext4 *x, errcode_t code, struct err *e, const char *fmt,
	      ...) PRINTF(4, 5);

/* --- ext4_journal.c ------------------------------------------------------- */

/*
 * Lays over x->b what the journal would write back. The file system must be
 * open, and opened anew afterwards.
 */
int ext4_replay(struct ext4 *x, struct ext4_state *ret, struct err *e);

/* --- ext4_map.c: where data lie; all with the lock ----------------------- */

/* Fills m from byte `at` of i on, as far as it has room. */
int ext4_map(struct ext4 *x, const struct ext4_inode *i, uint64_t at,
	     struct ext4_map *m, struct err *e);
/* The run that byte `at` is in or before; NULL: none in the window. */
const struct ext4_run *ext4_map_find(const struct ext4_map *m, uint64_t at);
bool ext4_is_inline(const struct ext4_inode *i);
/* The whole content of an inode with inline data. */
int ext4_inline(struct ext4 *x, const struct ext4_inode *i, struct arena *mem,
		struct slice *ret, struct err *e);

/* --- ext4_dir.c; with the lock ------------------------------------------- */

/* Entries but "." and "..", sorted. */
int ext4_dir_entries(struct ext4 *x, const struct ext4_inode *dir,
		     struct arena *mem, struct tree_entries *ret,
		     struct err *e);
/* 1 and the inode of a name, 0 when there is none. */
int ext4_dir_find(struct ext4 *x, const struct ext4_inode *dir,
		  struct slice name, uint32_t *ret, struct err *e);

/* --- ext4_file.c --------------------------------------------------------- */

/* An open regular file of that inode, name for messages (copied). */
int ext4_file_of(struct ext4 *x, const struct ext4_inode *i, const char *name,
		 const struct tree_ops *ops, struct tree_file **ret,
		 struct err *e);
void ext4_file_close(struct tree_file *f);
int ext4_file_stat(struct tree_file *f, struct tree_stat *ret, struct err *e);
ssize_t ext4_file_read(struct tree_file *f, uint64_t offset, void *data,
		       size_t n, struct err *e);
int ext4_file_next(struct tree_file *f, uint64_t at, struct tree_extent *ret,
		   struct err *e);
int ext4_file_fd(const struct tree_file *f);
/* The text of a link; with the lock. */
int ext4_file_link(struct ext4 *x, const struct ext4_inode *i,
		   struct arena *mem, const char **ret, struct err *e);

/* --- ext4_xattr.c; with the lock ----------------------------------------- */

int ext4_xattrs(struct ext4 *x, const struct ext4_inode *i, struct arena *mem,
		struct tree_xattrs *ret, struct err *e);

/* --- ext4_tree.c, ext4_walk.c -------------------------------------------- */

/* The root of the file system as a tree; x is taken over. */
struct tree *ext4_tree(struct ext4 *x, const char *name);
/* What path leads to, links followed. */
int ext4_tree_find(struct ext4_tree *t, const char *path,
		   struct ext4_inode *ret, struct err *e);
/* Fills "op NAME/path: why"; is -1. */
int ext4_tree_fail(const struct ext4_tree *t, const char *op, const char *path,
		   struct err *e);
int ext4_walk(struct tree *t, const char *path, bool one_fs,
	      const struct tree_visitor *visitor, struct err *e);

#endif
