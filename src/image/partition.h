/*
 * Which part of a disk is the guest's root: a file system without a table, or
 * a partition of an MBR or GPT (reference openvz.md 4.7).
 */
#ifndef REHOST_IMAGE_PARTITION_H
#define REHOST_IMAGE_PARTITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "image/block.h"

struct partition_wish {
	unsigned number; /* as the kernel numbers them; 0: the guest's root */
	/* Whether a part that can be read holds a root; it is borrowed. */
	bool (*is_root)(struct block *part);
	struct arena *mem; /* of the note */
};

/*
 * The part of *disk, which it takes over on success: the one with the number,
 * else the only one with a file system that can be read, else the only one of
 * those that holds a root; *ret_note, then, names the others (else NULL). What
 * cannot be decided is an error that lists them; what is there instead (XFS,
 * btrfs, LUKS, LVM, qcow2) is named with advice.
 */
int partition_find(struct block **disk, const struct partition_wish *wish,
		   struct block **ret, const char **ret_note, struct err *e);

#endif
