/*
 * Disk images as trees: a raw image, a ploop image, or the DiskDescriptor.xml
 * of a ploop disk, with an ext2/3/4 file system in it. Nothing is mounted or
 * written, nobody need be root.
 */
#ifndef REHOST_IMAGE_IMAGE_H
#define REHOST_IMAGE_IMAGE_H

#include "tree/tree_image.h"

/* As tree_open_image, which is the way to it. */
int image_open(struct tree *t, const char *path,
	       const struct tree_image_options *o, struct tree **ret,
	       struct err *e);

#endif
