/*
 * Which part of a disk is the guest's root: a file system without a table, or
 * a partition of an MBR or GPT (reference openvz.md 4.7).
 */
#ifndef REHOST_IMAGE_PARTITION_H
#define REHOST_IMAGE_PARTITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "image/block.h"

/* A file system that only the kernel reads, through a mount. */
struct partition_fs {
	const char *name;       /* as the kernel's */
	const char *options[3]; /* without which a mount would write; to NULL */
};

struct partition_wish {
	unsigned number; /* as the kernel numbers them; 0: the guest's root */
	bool mount;      /* what must be mounted can be */
	/* Whether a part holds a root; it is borrowed. fs NULL: ext2/3/4. */
	bool (*is_root)(struct block *part, const struct partition_fs *fs);
	struct arena *mem; /* of the note */
};

struct partition_found {
	struct block *b;
	const struct partition_fs *fs; /* NULL: ext2/3/4 */
	const char *note;              /* names the others; NULL: none */
};

/*
 * The part of *disk, which it takes over on success: the one with the number,
 * else the only one with a file system that can be read, else the only one of
 * those that holds a root. What cannot be decided is an error that lists them;
 * what is there instead (XFS, btrfs, LUKS, LVM, qcow2) is named with advice.
 */
int partition_find(struct block **disk, const struct partition_wish *wish,
		   struct partition_found *ret, struct err *e);

#endif
