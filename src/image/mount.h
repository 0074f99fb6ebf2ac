/*
 * File systems that only the kernel reads (XFS, btrfs): a loop device and a
 * mount of it, both read-only and in no name space, so that nobody sees them
 * and both are gone with the last descriptor, however the process ends.
 */
#ifndef REHOST_IMAGE_MOUNT_H
#define REHOST_IMAGE_MOUNT_H

#include "image/block.h"
#include "image/partition.h"
#include "tree/tree.h"

/*
 * The file system in b as a tree of that name. Needs root, Linux 5.8, and an
 * image that stands in its file byte by byte. b may be closed afterwards.
 */
int mount_open(const struct block *b, const struct partition_fs *fs,
	       const char *name, struct tree **ret, struct err *e);

#endif
