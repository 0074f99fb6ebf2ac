/* Extents of data, made fit for an archive. */
#ifndef REHOST_PACK_EXTENTS_H
#define REHOST_PACK_EXTENTS_H

#include "tree/tree.h"

enum { EXTENTS_MAX = 65536 }; /* of a file: what a map of holes may take */

/*
 * Cuts what is beyond size (a file may have grown since), and fills the
 * smaller holes as long as there are too many extents. Returns how many are
 * left of n.
 */
size_t extents_fit(struct tree_extent *v, size_t n, uint64_t size);

#endif
