/*
 * Which part of a disk is the guest's root: a file system without a table, or
 * the only ext2/3/4 of an MBR or GPT (reference openvz.md 4.7).
 */
#ifndef REHOST_IMAGE_PARTITION_H
#define REHOST_IMAGE_PARTITION_H

#include "image/block.h"

/*
 * The part of *disk, which it takes over on success. Several of them are an
 * error that lists them; what is there instead of one (XFS, btrfs, LUKS, LVM,
 * qcow2) is named with advice.
 */
int partition_find(struct block **disk, struct block **ret, struct err *e);

#endif
