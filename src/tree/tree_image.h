/* Trees that lie in disk images. */
#ifndef REHOST_TREE_TREE_IMAGE_H
#define REHOST_TREE_TREE_IMAGE_H

#include <stdbool.h>

#include "base/str.h"
#include "tree/tree.h"

enum { TREE_PARTITIONS = 128 }; /* of a disk, that are looked at */

/* How a disk image is opened; all zero: its present state, if it is closed. */
struct tree_image_options {
	const char *snapshot; /* GUID of the state wanted; NULL: the present */
	unsigned partition;   /* its number; 0: the one with the guest's root */
	bool mount; /* as root: what is not ext2/3/4 is mounted, read-only */
	bool live;  /* take an image that was not closed: it may be in use */
	struct arena *mem;  /* of the notes */
	struct strv *notes; /* what is to be known of it is added; or NULL */
	bool *ret_crashed;  /* set where it was not unmounted; or NULL */
};

/*
 * The file system in the image that the file `path` of t is: a raw disk with
 * or without partitions, a ploop image, or the DiskDescriptor.xml of a ploop
 * disk, in whose directory its images are. ext2/3/4 is read, XFS and btrfs
 * through a mount where the options say so; what else is found is an error with
 * advice. Options NULL: all zero. Damage, and numbers that
 * lie, are EUCLEAN and name the file and the field; an image in use that the
 * options do not allow is EBUSY. A file system that was not unmounted is read
 * as its journal leaves it, and a note says so. It must be closed as well; t
 * may be closed before it. Inode numbers are those of the image, dev tells
 * images apart.
 */
int tree_open_image(struct tree *t, const char *path,
		    const struct tree_image_options *o, struct tree **ret,
		    struct err *e);

/*
 * A directory as tree_sub, an archive as tree_open_archive, another file as
 * tree_open_image.
 */
int tree_open_root(struct tree *t, const char *path,
		   const struct tree_image_options *o, struct tree **ret,
		   struct err *e);

#endif
